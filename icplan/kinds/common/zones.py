"""The zones of a file and the facts that go with them. No object is declared here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from icplan.core.origin import Origin
from icplan.kinds.common.contract import View
from icplan.ovn.cluster import ROUTER, Cluster
from icplan.ovn.northbound import Northbound, Router
from icplan.ovn.southbound import Southbound
from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, KubeOvnZone, PlainOvnZone, RoutePolicy, ZoneState


@dataclass(frozen=True, slots=True)
class DeclaredZone:
    """A zone that can be reached, and its place in the file."""

    zone: PlainOvnZone | KubeOvnZone
    index: int

    @property
    def name(self) -> str:
        """The zone's name."""
        return self.zone.name

    @property
    def present(self) -> bool:
        """Whether it is to be interconnected; else it is to be taken out."""
        return self.zone.state is ZoneState.PRESENT

    @property
    def kube_ovn(self) -> bool:
        """Whether Kube-OVN's controller does the OVN work there; else icplan does it itself."""
        return isinstance(self.zone, KubeOvnZone)

    @property
    def router(self) -> str:
        """The name of the router that is interconnected."""
        return self.zone.router if isinstance(self.zone, PlainOvnZone) else ROUTER

    def automatic(self, spec: Spec) -> bool:
        """Whether it advertises and learns routes."""
        policy = self.zone.route_policy or spec.interconnect.route_policy
        return policy is RoutePolicy.AUTO

    def origin(self, spec: Spec, *path: str | int) -> Origin:
        """Where something of this zone stands in the file."""
        return spec.origin("availabilityZones", self.index, *path)


@dataclass(frozen=True, slots=True)
class SeenZone:
    """A zone both of whose databases were read."""

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
        routers = self.northbound.routers_named(self.declared.router)
        return routers[0] if len(routers) == 1 else None


@dataclass(frozen=True, slots=True)
class SeenCluster:
    """A Kube-OVN zone whose cluster was read."""

    declared: DeclaredZone
    cluster: Cluster

    @property
    def name(self) -> str:
        """The zone's name."""
        return self.declared.name


def declared(spec: Spec) -> Iterator[DeclaredZone]:
    """The zones of the file that can be reached and are not left out, by name."""
    return (zone for zone in _living(spec) if zone.name not in spec.without)


def left_out(spec: Spec) -> Iterator[DeclaredZone]:
    """Those that are left out, by name: of them only the IC databases are looked at."""
    return (zone for zone in _living(spec) if zone.name in spec.without)


def _living(spec: Spec) -> Iterator[DeclaredZone]:
    return (DeclaredZone(zone, index) for index, zone in spec.living)


def named(spec: Spec, name: str) -> DeclaredZone | None:
    """The zone of that name, if it can be reached and is not left out."""
    found = spec.living_by_name.get(name)
    if found is None or name in spec.without:
        return None
    index, zone = found
    return DeclaredZone(zone, index)


def gone(spec: Spec) -> dict[str, Origin]:
    """The zones that do not exist any more and are not left out, by name, and where it says so."""
    found = (
        (zone.name, spec.origin("availabilityZones", index, "state"))
        for index, zone in enumerate(spec.interconnect.availability_zones)
        if isinstance(zone, GoneZone) and zone.name not in spec.without
    )
    return dict(sorted(found, key=lambda one: one[0]))


def plain(spec: Spec) -> Iterator[DeclaredZone]:
    """The plain OVN zones among them."""
    return (zone for zone in declared(spec) if not zone.kube_ovn)


def kube_ovn(spec: Spec) -> Iterator[DeclaredZone]:
    """The Kube-OVN zones among them."""
    return (zone for zone in declared(spec) if zone.kube_ovn)


def seen(view: View) -> Iterator[SeenZone]:
    """The zones whose databases were read, by name."""
    for zone in declared(view.spec):
        if view.facts.zone_unseen(zone.name) is None:
            yield SeenZone(zone, view.facts.northbound[zone.name], view.facts.southbound[zone.name])


def seen_plain(view: View) -> Iterator[SeenZone]:
    """The plain OVN zones among them."""
    return (zone for zone in seen(view) if not zone.declared.kube_ovn)


def clusters(view: View) -> Iterator[SeenCluster]:
    """The Kube-OVN zones whose clusters were read, by name."""
    for zone in kube_ovn(view.spec):
        if zone.name in view.facts.clusters:
            yield SeenCluster(zone, view.facts.clusters[zone.name])


def find(view: View, name: str) -> SeenZone:
    """The zone of that name, whose databases must have been read.

    Raises:
        KeyError: the file declares no such zone, or it was not read.
    """
    zone = named(view.spec, name)
    if zone is None:
        raise KeyError(name)
    return SeenZone(zone, view.facts.northbound[name], view.facts.southbound[name])


def find_cluster(view: View, name: str) -> SeenCluster:
    """The Kube-OVN zone of that name, whose cluster must have been read.

    Raises:
        KeyError: the file declares no such zone, or it was not read.
    """
    zone = named(view.spec, name)
    if zone is None or not zone.kube_ovn:
        raise KeyError(name)
    return SeenCluster(zone, view.facts.clusters[name])
