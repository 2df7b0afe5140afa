"""The errors that reach a user, and the exit codes. Nothing is decided or printed here."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The process exits of all commands (design of the command line: one table for all)."""

    DONE = 0
    FAILED = 1
    """Something could not be read, or the file is wrong; nothing was written."""
    CHANGES = 2
    """`plan --detailed-exitcode`: the plan holds changes."""
    STOPPED = 3
    """`apply` stopped after at least one write."""
    REFUSED = 4
    """A rule, a limit or a changed digest forbids it; nothing was written."""
    LOCKED = 5
    """Somebody else holds the lock."""
    MISSING = 6
    """`verify`: reality does not serve the file."""
    USAGE = 64
    INTERRUPTED = 130


class IcplanError(Exception):
    """Base of every error shown to a user: the thing, the place, the cause and the cure.

    Args:
        thing: what is concerned, as the user names it ("northbound database of az1").
        place: where it is (an address, file:line:column); empty when there is no such place.
        cause: what is wrong.
        cure: what the user can do about it.
    """

    exit: Exit = Exit.FAILED

    def __init__(self, thing: str, *, place: str = "", cause: str, cure: str) -> None:
        super().__init__(thing, place, cause, cure)
        self.thing = thing
        self.place = place
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        """All four parts on one line, for logs and nested causes."""
        place = f" ({self.place})" if self.place else ""
        return f"{self.thing}{place}: {self.cause}; {self.cure}"


class UsageError(IcplanError):
    """The command line asks for something that cannot be."""

    exit = Exit.USAGE
