"""What can go wrong between us and a database. Nothing is retried or printed here."""

from __future__ import annotations

from icplan.core.io import Database, Datum, Field, title
from icplan.errors import Exit, IcplanError


class ConnectionFailed(Exception):
    """One server could not be talked to; the message goes on after its address."""


class DatabaseUnreadable(IcplanError):
    """No server of a database could be read."""

    def __init__(self, database: Database, place: str, cause: str, cure: str) -> None:
        super().__init__(title(database), place=place, cause=cause, cure=cure)


class WriteUncertain(DatabaseUnreadable):
    """A write was sent, and nobody could say whether it was done."""


class WriteRefused(IcplanError):
    """The database refused a write; nothing of it was done."""

    exit = Exit.STOPPED


class Stale(WriteRefused):
    """A precondition does not hold any more: somebody changed the object since it was read.

    Attributes:
        subject: the object.
        field: the field that differs, None when the object itself is there or not.
        expected: what the plan saw.
        found: what is there now.
    """

    def __init__(
        self, database: Database, subject: str, field: Field | None, expected: Datum, found: Datum
    ) -> None:
        what = f"{field} " if field else ""
        super().__init__(
            f"{what}of {subject}" if field else subject,
            place=title(database),
            cause=f"the plan saw {_show(expected)}, but {_show(found)} is there now",
            cure="somebody changed it meanwhile: run `icplan plan` again and read the difference",
        )
        self.subject = subject
        self.field = field
        self.expected = expected
        self.found = found


def _show(value: Datum) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "{" + ", ".join(str(one) for one in value) + "}"
    return str(value)
