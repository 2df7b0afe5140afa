"""What a user asked to be imported, and what came of it. Nothing is looked at here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.core.address import IC, Address
from icplan.spec.model import KubeOvnAccess, PlainOvnAccess
from icplan.spec.source import Plain

HEAD = ""
"""Near the top of the file."""
ALL = "*"
"""All attributes of an object."""


@dataclass(frozen=True, slots=True)
class AskedZone:
    """A zone that the user named.

    Attributes:
        site: its name in the snapshot: of its own while it is not known how OVN calls it.
        title: how the user named it: "context az1", "zone stack1".
        access: how it is reached; paths count from the file that is to be written.
        router: the router of a plain zone; empty: the one that is attached to transit switches.
    """

    site: str
    title: str
    access: KubeOvnAccess | PlainOvnAccess
    router: str = ""

    @property
    def kube_ovn(self) -> bool:
        """Whether it is a Kube-OVN cluster."""
        return isinstance(self.access, KubeOvnAccess)


@dataclass(frozen=True, slots=True)
class Asked:
    """All that the user named.

    Attributes:
        zones: the zones.
        name: the owner mark; empty: the one that is found.
        hosts: where the IC databases are; empty: where the ConfigMaps say.
        ports: likewise the ports of the IC northbound and the IC southbound database.
        through: the site through which the IC databases are reached; empty: directly.
    """

    zones: tuple[AskedZone, ...]
    name: str = ""
    hosts: tuple[str, ...] = ()
    ports: tuple[int, int] | None = None
    through: str = ""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Something that runs and that the file does not say.

    Attributes:
        at: the zone concerned, or `ic`.
        thing: the object, and which part of it.
        what: what is there, and why the file does not say it.
        cure: what to do about it.
        near: the key at the top of the file that it belongs to; empty: the zone, or the head.
        covers: addresses and attributes that the plan would therefore change.
    """

    at: str
    thing: str
    what: str
    cure: str
    near: str = HEAD
    covers: tuple[tuple[str, str], ...] = ()

    @property
    def order(self) -> tuple[bool, str, str, str]:
        """What concerns no zone comes first, then zone by zone."""
        return (self.at != IC, self.at, self.thing, self.what)


def covered(address: Address, *attributes: str) -> tuple[tuple[str, str], ...]:
    """What an `Unsaid` speaks of: these attributes of an object; all of them if none is given."""
    return tuple((str(address), one) for one in attributes or (ALL,))


@dataclass(frozen=True, slots=True)
class Waiver:
    """An entry of `accept` that lets things stay as they are."""

    rule: str
    at: str
    reason: str

    @property
    def data(self) -> dict[str, Plain]:
        """As the file has it."""
        return {"rule": self.rule, "at": self.at, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Entry:
    """A zone that was looked at.

    Attributes:
        zone: which one.
        name: how OVN calls it; empty when it has no name.
        data: its entry without the route policy.
        automatic: whether it advertises and learns.
        left_out: why it is not in the file; empty when it is.
        notes: what a reader of the entry should know.
        unsaid: what the entry does not say.
        waivers: what lets things stay as they are.
    """

    zone: AskedZone
    name: str
    data: Mapping[str, Plain]
    automatic: bool = True
    left_out: str = ""
    notes: tuple[str, ...] = ()
    unsaid: tuple[Unsaid, ...] = ()
    waivers: tuple[Waiver, ...] = ()
