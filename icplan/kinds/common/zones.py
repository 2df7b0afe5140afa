"""The plain OVN zones of a file and the facts that go with them. No object is declared here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from icplan.core.origin import Origin
from icplan.kinds.common.contract import View
from icplan.ovn.northbound import Northbound, Router
from icplan.ovn.southbound import Southbound
from icplan.spec.load import Spec
from icplan.spec.model import PlainOvnZone, ZoneState


@dataclass(frozen=True, slots=True)
class DeclaredZone:
    """A plain OVN zone and its place in the file."""

    zone: PlainOvnZone
    index: int

    @property
    def name(self) -> str:
        """The zone's name."""
        return self.zone.name

    @property
    def present(self) -> bool:
        """Whether it is to be interconnected; else it is to be taken out."""
        return self.zone.state is ZoneState.PRESENT

    def origin(self, spec: Spec, *path: str | int) -> Origin:
        """Where something of this zone stands in the file."""
        return spec.origin("availabilityZones", self.index, *path)


@dataclass(frozen=True, slots=True)
class SeenZone:
    """A plain OVN zone both of whose databases were read."""

    declared: DeclaredZone
    northbound: Northbound
    southbound: Southbound

    @property
    def name(self) -> str:
        """The zone's name."""
        return self.declared.name

    @property
    def router(self) -> Router | None:
        """The declared router; None when there is none or more than one of that name."""
        routers = self.northbound.routers_named(self.declared.zone.router)
        return routers[0] if len(routers) == 1 else None


def declared(spec: Spec) -> Iterator[DeclaredZone]:
    """The plain OVN zones of the file, by name."""
    zones = (
        DeclaredZone(zone, index)
        for index, zone in enumerate(spec.interconnect.availability_zones)
        if isinstance(zone, PlainOvnZone)
    )
    return iter(sorted(zones, key=lambda one: one.name))


def seen(view: View) -> Iterator[SeenZone]:
    """Those of them that were read, by name."""
    for zone in declared(view.spec):
        if view.facts.zone_unseen(zone.name) is None:
            yield SeenZone(zone, view.facts.northbound[zone.name], view.facts.southbound[zone.name])


def find(view: View, name: str) -> SeenZone:
    """The zone of that name, which must have been read.

    Raises:
        KeyError: the file declares no such plain OVN zone, or it was not read.
    """
    for index, zone in enumerate(view.spec.interconnect.availability_zones):
        if zone.name == name and isinstance(zone, PlainOvnZone):
            return SeenZone(
                DeclaredZone(zone, index), view.facts.northbound[name], view.facts.southbound[name]
            )
    raise KeyError(name)
