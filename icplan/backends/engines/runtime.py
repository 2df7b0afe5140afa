"""What is asked of a container engine, whichever it is. The engines live beside this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed, last_line
from icplan.backends.engines.road import Done, Road
from icplan.core.commands import shown
from icplan.core.engines import Container, RunContainer

STOP_SECONDS = 3
"""How long a container may take to end by itself. The servers keep what they have acknowledged
on disk, so that an end by force costs nothing."""

_SOCKET_SHUT = "permission denied"


class Runtime(Protocol):
    """One engine on one host. Every call raises CommandFailed when the engine does not do it."""

    def inspect(self, name: str, variables: Sequence[str], deadline: Deadline) -> Container | None:
        """The container of that name; None when there is none."""

    def elsewhere(self, name: str, deadline: Deadline) -> str:
        """What runs under that name where this engine is not asked, in words; empty: nothing."""

    def execute(self, name: str, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs a command in a container."""

    def prepare(self, wanted: RunContainer, deadline: Deadline) -> str:
        """Sees to all that a container needs; how the engine calls its image.

        Nothing that runs is touched.
        """

    def run(self, wanted: RunContainer, image: str, deadline: Deadline) -> None:
        """Starts a container for which everything was prepared."""

    def mark(self, name: str, owner: str, deadline: Deadline) -> None:
        """Sets our mark on a container."""

    def remove(self, name: str, deadline: Deadline) -> None:
        """Stops a container and removes it."""


class Command:
    """An engine's command line.

    Args:
        road: the way to the host.
        words: the program and the options that lead to the engine.
        silent: what the program says when its daemon does not answer.
        start: how the daemon is started.
    """

    def __init__(self, road: Road, words: Sequence[str], silent: Sequence[str], start: str) -> None:
        self.road = road
        self._words = tuple(words)
        self._silent = tuple(silent)
        self._start = start

    def __call__(self, arguments: Sequence[str], deadline: Deadline) -> Done:
        """Runs it with these arguments; whether it succeeds is for the caller to see.

        Raises:
            CommandFailed: it could not be run, or the daemon cannot be reached.
        """
        done = self.road.run((*self._words, *arguments), deadline)
        if done.code != 0:
            self._require_daemon(done.err)
        return done

    def demand(self, arguments: Sequence[str], deadline: Deadline, cure: str) -> str:
        """Runs it with these arguments, which must succeed; what it prints.

        Raises:
            CommandFailed: it could not be run, or fails.
        """
        done = self(arguments, deadline)
        if done.code != 0:
            raise CommandFailed(f"{self._words[0]} says: {last_line(done.err)}", cure)
        return done.out

    def by_hand(self, *arguments: str) -> str:
        """The command line with which a person does the same, for a cure."""
        return shown(self.road.by_hand((*self._words, *arguments)))

    def _require_daemon(self, said: str) -> None:
        """Their messages are no part of any interface; what is not known here is shown as it is."""
        text = said.lower()
        if _SOCKET_SHUT in text and "sock" in text:
            raise CommandFailed(
                "its daemon does not let this user in",
                "use root, or a user of the group that owns the daemon's socket",
            )
        if any(one in text for one in self._silent):
            # Of a command that asks the daemon several things, some may be done.
            raise CommandFailed(
                "its daemon does not answer", f"start it there: {self._start}", unanswered=True
            )
