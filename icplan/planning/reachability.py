"""Which zones reach each other today, by what they registered or have. Predicts nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.places import elsewhere
from icplan.kinds.common.registered import owners, sites
from icplan.kinds.common.transit_address import bare
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import Northbound
from icplan.planning import by_hand


@dataclass(frozen=True, slots=True)
class Reachability:
    """The transit switches that each zone is on; two zones on one switch are a pair.

    Attributes:
        switches: by zone.
        routed: by zone, those to which or from which a route leads that says more than the
            databases: one by hand, or any of a zone that uses other databases.
        known: whether all was read that tells it.
        offered: by zone, the prefixes that it advertises.
        led: what those routes lead to, by the zone that has them and the one they lead to.
    """

    switches: Mapping[str, frozenset[str]]
    routed: Mapping[str, frozenset[str]] = field(default_factory=dict)
    known: bool = True
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    led: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    def peers(self, zone: str) -> tuple[str, ...]:
        """The zones that a zone shares a switch or a route with, by name."""
        mine = self.switches.get(zone, frozenset())
        sharing = {
            other for other, theirs in self.switches.items() if other != zone and mine & theirs
        }
        return tuple(sorted(sharing | self.routed.get(zone, frozenset())))

    def reached(self, source: str, target: str) -> tuple[str, ...]:
        """The prefixes of a zone that another one has a route to; the way back says nothing."""
        by_route = self.led.get((source, target), ())
        none: frozenset[str] = frozenset()
        if self.switches.get(source, none) & self.switches.get(target, none):
            return (*self.offered.get(target, ()), *by_route)
        return by_route

    def pairs(self) -> int:
        """How many pairs there are."""
        return sum(len(self.peers(zone)) for zone in {*self.switches, *self.routed}) // 2


def today(view: View) -> Reachability:
    """The pairs of today, by the names that the file has for them.

    A zone counts when it has published a port and advertises routes, or when somebody has made a
    route by hand between it and another zone (docs/facts.md section 7): one that leads to the
    address of a zone's port is a way although nobody advertises anything.

    What the file's IC databases show says nothing of a zone that uses others: its own routes tell.
    So they do of all zones while there are no databases: what was learned before is still there.
    """
    facts, ic = view.facts, view.facts.ic_southbound
    everybody = (one.name for one in zones.declared(view.spec))
    moving = frozenset(everybody if facts.ic_absent else elsewhere(view))
    if ic is None or not moving <= facts.northbound.keys():
        return Reachability({}, known=False)
    names = sites(facts)
    # What is left of a zone that is gone reaches nobody.
    advertising = {route.zone for route in ic.routes} - {*zones.gone(view.spec)}
    switches: dict[str, set[str]] = {}
    for port in ic.ports:
        if port.zone in advertising:
            switches.setdefault(names.get(port.zone, port.zone), set()).add(port.transit_switch)
    offered: dict[str, set[str]] = {}
    for route in ic.routes:
        offered.setdefault(names.get(route.zone, route.zone), set()).add(route.prefix)
    routed: dict[str, set[str]] = {}
    led: dict[tuple[str, str], set[str]] = {}
    for one, other, prefix in (*_routes_by_hand(facts), *_routes_of(view, moving)):
        routed.setdefault(one, set()).add(other)
        routed.setdefault(other, set()).add(one)
        led.setdefault((one, other), set()).add(prefix)
    return Reachability(
        {zone: frozenset(switches[zone]) for zone in sorted(switches)},
        {zone: frozenset(routed[zone]) for zone in sorted(routed)},
        offered={zone: tuple(sorted(offered[zone])) for zone in sorted(offered)},
        led={way: tuple(sorted(led[way])) for way in sorted(led)},
    )


def _routes_by_hand(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """The zone that has such a route, the one that it leads to, and what it leads to there."""
    known = owners(facts)
    for site, route in by_hand.routes(facts):
        for owner in known.get(bare(route.nexthop), ()):
            if owner != site:
                yield site, owner, route.prefix


def _routes_of(view: View, moving: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Zones that use other databases, and those that a route of theirs leads to; likewise."""
    if not moving:
        return
    names = sites(view.facts)
    ports = {
        port.name: site
        for site, seen in view.facts.northbound.items()
        for port in seen.switch_ports.values()
        if port.type == "router"
    }
    for zone in zones.declared(view.spec):
        if zone.name not in moving:
            continue
        seen = view.facts.northbound[zone.name]
        remote = {
            address: ports.get(port) or names.get(name, name)
            for address, port, name in _remote(seen)
        }
        for router in seen.routers_named(zone.router):
            for route in seen.routes_of(router):
                owner = remote.get(bare(route.nexthop), zone.name)
                if owner != zone.name:
                    yield zone.name, owner, route.prefix


def _remote(seen: Northbound) -> Iterator[tuple[str, str, str]]:
    """The addresses of other zones' ports as ovn-ic copied them, the port, and whose it seems.

    Kube-OVN and icplan call the ports `<switch>-<zone>`; what was adopted may be called anything.
    """
    for switch in seen.switches:
        for uuid in switch.ports if switch.transit_switch else ():
            port = seen.switch_ports.get(uuid)
            if port is None or port.type != "remote":
                continue
            for text in port.addresses:
                for network in text.split()[1:]:
                    yield bare(network), port.name, port.name.removeprefix(f"{switch.name}-")
