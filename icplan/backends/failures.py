"""What can go wrong between us and a database. Nothing is retried or printed here."""

from __future__ import annotations

from icplan.core.io import Database, Datum, Field, title
from icplan.errors import Exit, IcplanError


class ConnectionFailed(Exception):
    """One server could not be talked to; the message goes on after its address.

    Attributes:
        lasting: another try would end in the same way.
        forbidden: it is there, and we may not reach it.
        refused: its host answered that nobody listens at the port.
    """

    def __init__(
        self,
        message: str,
        *,
        lasting: bool = False,
        forbidden: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.forbidden = forbidden
        self.refused = refused


class DatabaseUnreadable(IcplanError):
    """No server of a database could be read.

    Attributes:
        refused: all of its hosts answered, and nobody listens at the port of any.
    """

    refused = False

    def __init__(self, database: Database, place: str, cause: str, cure: str) -> None:
        super().__init__(title(database), place=place, cause=cause, cure=cure)


class DatabaseForbidden(DatabaseUnreadable):
    """A database is there, and we may not reach it."""


class WriteUncertain(DatabaseUnreadable):
    """A write was sent, and nobody could say whether it was done."""

    def __init__(self, database: Database, why: IcplanError) -> None:
        super().__init__(
            database,
            why.place,
            f"a write was sent, and whether it was done is not known: {why.cause}",
            "run `icplan plan`: it shows whether something is left to be done",
        )


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
        seen, now = (_show(expected), _show(found)) if field else (expected, found)
        super().__init__(
            f"{field} of {subject}" if field else subject,
            place=title(database),
            cause=f"the plan saw {seen}, but {now} is there now",
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
