"""What can go wrong between us and a container engine, in words. Runs no command."""

from __future__ import annotations

import re

from icplan.backends.failures import WriteRefused
from icplan.core.engines import Engine
from icplan.errors import Exit, IcplanError

_OF_OVS = re.compile(r"[0-9TZ:.-]+\|[0-9]+\|([^|]*)\|(WARN|ERR|EMER)\|(.*)")
_RECORD = re.compile(r"[^|]*\|[0-9]+\|[^|]*\|[A-Z]+\|")
_BAD = re.compile(r"\b(error|fail\w*|fatal|cannot|could not|denied|refused|no such)\b", re.I)


class CommandFailed(Exception):
    """A command did not do what it should; the message goes on after the engine's name.

    Attributes:
        cure: what a user can do about it.
        unanswered: it may have been done all the same.
        unsent: it has not begun; never together with `unanswered`.
    """

    def __init__(
        self, message: str, cure: str, *, unanswered: bool = False, unsent: bool = False
    ) -> None:
        super().__init__(message)
        self.cure = cure
        self.unanswered = unanswered
        self.unsent = unsent


class EngineUnreadable(IcplanError):
    """An engine could not be asked."""

    def __init__(self, engine: Engine, failure: CommandFailed) -> None:
        super().__init__(str(engine), cause=str(failure), cure=failure.cure)


class EngineWriteUnknown(IcplanError):
    """A write was begun, and nobody could say whether it was done.

    Args:
        seen: what is certain of it all the same; empty: nothing.
    """

    def __init__(self, engine: Engine, failure: CommandFailed, seen: str = "") -> None:
        but = f"; {seen}" if seen else ""
        super().__init__(
            str(engine),
            cause=f"a write was begun, and whether it was done is not known: {failure}{but}",
            cure="run `icplan plan`: it shows whether something is left to be done",
        )


class EngineWritePartly(IcplanError):
    """Of a write a part was done, and the rest was not.

    Args:
        name: the container.
        done: what was done, and what was not.
    """

    exit = Exit.STOPPED

    def __init__(self, engine: Engine, name: str, done: str, failure: CommandFailed) -> None:
        super().__init__(
            f"container {name}",
            place=str(engine),
            cause=f"{done}: {failure}",
            cure=f"{failure.cure}; then run icplan again, it goes on from here",
        )


def refused(engine: Engine, failure: CommandFailed, name: str) -> WriteRefused:
    """The error of a write of which an engine did nothing."""
    return WriteRefused(
        f"container {name}", place=str(engine), cause=str(failure), cure=failure.cure
    )


def last_line(text: str) -> str:
    """What a program said last, without what surrounds it; "it said nothing" of an empty text."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    # Docker's own last line is an advice.
    while len(lines) > 1 and lines[-1].startswith("Run '"):
        lines.pop()
    return lines[-1] if lines else "it said nothing"


def complaint(log: str) -> str:
    """The last line of a log that warns or tells of an error, without its time; empty: none does.

    What the servers note besides says nothing about why they ended.
    """
    for line in reversed([one.strip() for one in log.splitlines()]):
        if found := _OF_OVS.match(line):
            return f"{found[1]}: {found[3]}"
        if not _RECORD.match(line) and _BAD.search(line):
            return line
    return ""
