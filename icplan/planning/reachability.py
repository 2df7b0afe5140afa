"""Which zones reach each other today, by what they registered. Predicts nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from icplan.kinds.common.transit_address import bare
from icplan.ovn.facts import Facts


@dataclass(frozen=True, slots=True)
class Reachability:
    """The transit switches that each zone is on; two zones on one switch are a pair.

    Attributes:
        switches: by zone.
        by_hand: by zone, those to which or from which somebody made a route by hand.
        known: whether the interconnection databases were read at all.
    """

    switches: Mapping[str, frozenset[str]]
    by_hand: Mapping[str, frozenset[str]] = field(default_factory=dict)
    known: bool = True

    def peers(self, zone: str) -> tuple[str, ...]:
        """The zones that a zone shares a switch or a route with, by name."""
        mine = self.switches.get(zone, frozenset())
        sharing = {
            other for other, theirs in self.switches.items() if other != zone and mine & theirs
        }
        return tuple(sorted(sharing | self.by_hand.get(zone, frozenset())))

    def pairs(self) -> int:
        """How many pairs there are."""
        return sum(len(self.peers(zone)) for zone in {*self.switches, *self.by_hand}) // 2


def today(facts: Facts) -> Reachability:
    """The pairs of today, by the names that the file has for them.

    A zone counts when it has published a port and advertises routes, or when somebody has made a
    route by hand between it and another zone (domain facts section 7): one that leads to the
    address of a zone's port is a way although nobody advertises anything.
    """
    ic = facts.ic_southbound
    if ic is None:
        return Reachability({}, known=False)
    sites = _sites(facts)
    advertising = {route.zone for route in ic.routes}
    switches: dict[str, set[str]] = {}
    for port in ic.ports:
        if port.zone in advertising:
            switches.setdefault(sites.get(port.zone, port.zone), set()).add(port.transit_switch)
    by_hand: dict[str, set[str]] = {}
    for one, other in _routes_by_hand(facts, sites):
        by_hand.setdefault(one, set()).add(other)
        by_hand.setdefault(other, set()).add(one)
    return Reachability(
        {zone: frozenset(switches[zone]) for zone in sorted(switches)},
        {zone: frozenset(by_hand[zone]) for zone in sorted(by_hand)},
    )


def _sites(facts: Facts) -> dict[str, str]:
    """The file's names of zones by those that they registered under.

    They differ while a zone is being renamed, or was renamed by hand.
    """
    named = {seen.name: site for site, seen in facts.northbound.items() if seen.name}
    return named | {name: name for name, seen in facts.northbound.items() if seen.name == name}


def _routes_by_hand(facts: Facts, sites: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The zone that has such a route, and the one that it leads to."""
    owners = {
        bare(network): sites.get(port.zone, port.zone)
        for port in (facts.ic_southbound.ports if facts.ic_southbound else ())
        for network in port.networks
    }
    for site, seen in facts.northbound.items():
        for route in seen.static_routes.values():
            if route.learned:
                continue
            owner = owners.get(bare(route.nexthop), site)
            if owner != site:
                yield site, owner
