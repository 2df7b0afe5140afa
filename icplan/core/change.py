"""A change and its effects, as values. What they mean for users is united in planning."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from icplan.core.address import Address
from icplan.core.origin import Origin
from icplan.core.value import Attributes


class Action(StrEnum):
    """What is done to an object."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    DELETE = "delete"


class Reason(StrEnum):
    """Why it is done."""

    NOT_THERE = "declared, but not there"
    DIFFERS = "differs from the file"
    UNMARKED = "there, but not managed by icplan yet"
    NOT_DECLARED = "managed by icplan, but no longer declared"
    LEAVING = "its availability zone is declared absent"
    ADVERTISED = "its availability zone advertises, and would advertise it too"
    GONE = "its availability zone is declared gone"
    ORPHANED = "left behind: what made it is gone or switched off, and will not remove it"
    DESTROYED = "the interconnection is taken apart"


@dataclass(frozen=True, slots=True)
class Change:
    """One object's way from what it is to what the file wants.

    Attributes:
        before: None when the object is created.
        after: None when it is deleted.
        origin: where the file asks for it; None when the file no longer mentions it.
    """

    address: Address
    action: Action
    reason: Reason
    before: Attributes | None
    after: Attributes | None
    origin: Origin | None

    @property
    def differing(self) -> tuple[str, ...]:
        """The names of the attributes that change, in the order in which the kind shows them."""
        before = self.before or {}
        after = self.after if self.after is not None else dict.fromkeys(before)
        return tuple(name for name, value in after.items() if before.get(name) != value)


class Impact(IntEnum):
    """How much users feel; larger is worse."""

    NONE = 0
    BRIEF = 1
    """An interruption of less than a second, or of two where its sentence says so."""
    OUTAGE = 2
    """Something that works today stops working."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What one change does to an availability zone's traffic.

    Attributes:
        zone: the zone concerned.
        impact: how much its users feel.
        sentence: what they feel, in words an operator understands.
        prefixes: the subnets concerned; empty means all of the zone's.
        leaves: the zone is out of the interconnection afterwards.
        towards: the zones that it loses; empty means all that it reaches.
        gives_up: the addresses on transit switches that the zone does not keep, without lengths:
            what others lead there by hand is lost.
        by_file: the zone exchanges no routes afterwards: only what the file routes leads from it
            and to it, if anything.
        offers: subnets of the zone that the others learn from then on.
        draws: the zone's controller draws other addresses on the transit switches, and nobody
            knows them before.
    """

    zone: str
    impact: Impact
    sentence: str
    prefixes: tuple[str, ...] = ()
    leaves: bool = False
    towards: tuple[str, ...] = ()
    gives_up: tuple[str, ...] = ()
    draws: bool = False
    by_file: bool = False
    offers: tuple[str, ...] = ()
