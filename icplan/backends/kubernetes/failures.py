"""What can go wrong between us and a Kubernetes API. Nothing is retried or printed here."""

from __future__ import annotations

from icplan.backends.failures import WriteRefused
from icplan.core.kubernetes import Path, Resource, Tree, shown
from icplan.errors import IcplanError


class RequestFailed(Exception):
    """No answer came; the message goes on after the server's address.

    Attributes:
        lasting: another try would end in the same way.
        sent: the request may have reached the server.
    """

    def __init__(self, message: str, *, lasting: bool = False, sent: bool = False) -> None:
        super().__init__(message)
        self.lasting = lasting
        self.sent = sent


class AccessFailed(IcplanError):
    """What says where the API is, and who we are there, is missing or wrong."""


class ClusterUnreadable(IcplanError):
    """The API could not be read."""


class NotPermitted(ClusterUnreadable):
    """The API server knows us, and does not let us."""


class WriteUnknown(ClusterUnreadable):
    """A write was sent, and nobody could say whether it was done."""

    def __init__(self, resource: Resource, why: IcplanError) -> None:
        super().__init__(
            str(resource),
            place=why.place,
            cause=f"a write was sent, and whether it was done is not known: {why.cause}",
            cure="run `icplan plan`: it shows whether something is left to be done",
        )


class ObjectStale(WriteRefused):
    """A precondition does not hold any more: somebody changed the object since it was read.

    Attributes:
        resource: the object.
        path: the field that differs; empty when it is the object itself.
        expected: what the plan saw.
        found: what is there now.
    """

    def __init__(
        self, resource: Resource, place: str, path: Path, expected: Tree, found: Tree
    ) -> None:
        seen, now = (_show(expected), _show(found)) if path else (expected, found)
        super().__init__(
            f"{shown(path)} of {resource}" if path else str(resource),
            place=place,
            cause=f"the plan saw {seen}, but {now} is there now",
            cure="somebody changed it meanwhile: run `icplan plan` again and read the difference",
        )
        self.resource = resource
        self.path = path
        self.expected = expected
        self.found = found


def _show(value: Tree) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case _:
            return str(value)
