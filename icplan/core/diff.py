"""The difference between desired and observed state. It judges nothing and orders by address."""

from __future__ import annotations

from icplan.core.address import Address
from icplan.core.change import Action, Change, Reason
from icplan.core.state import (
    Absent,
    Declared,
    DeclaredAbsent,
    Desired,
    DesiredState,
    Observed,
    ObservedState,
    Present,
)


def diff(desired: DesiredState, observed: ObservedState, owner: str) -> tuple[Change, ...]:
    """The changes that lead from what is to what the file wants.

    An object that could not be read, or that bears another owner's mark, gives no change; the
    rules speak of it. An object that nobody declares is left alone unless it bears our mark.

    Args:
        desired: what the file asks for.
        observed: what was seen; an address that is missing counts as absent.
        owner: the mark that makes an object ours.
    """
    changes = (
        _change(address, desired.get(address), observed.get(address, Absent()), owner)
        for address in sorted({*desired, *observed})
    )
    return tuple(change for change in changes if change is not None)


def _change(
    address: Address, desired: Desired | None, observed: Observed, owner: str
) -> Change | None:
    match desired, observed:
        case Declared(after, origin, _), Absent():
            return Change(address, Action.CREATE, Reason.NOT_THERE, None, after, origin)
        case Declared(after, origin, _), Present(before, None):
            return Change(address, Action.ADOPT, Reason.UNMARKED, before, after, origin)
        case Declared(after, origin, leaving), Present(before, mark) if mark == owner:
            if all(before.get(name) == value for name, value in after.items()):
                return None
            reason = Reason.LEAVING if leaving else Reason.DIFFERS
            return Change(address, Action.UPDATE, reason, before, after, origin)
        case DeclaredAbsent(origin, reason), Present(before, mark) if mark in {None, owner}:
            return Change(address, Action.DELETE, reason, before, None, origin)
        case None, Present(before, mark) if mark == owner:
            return Change(address, Action.DELETE, Reason.NOT_DECLARED, before, None, None)
    return None
