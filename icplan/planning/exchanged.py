"""What zones have registered, offer and hold: sorted by zone once for all pairs. Judges none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Generic, TypeVar

from icplan.kinds.common import zones
from icplan.kinds.common.transit_address import bare
from icplan.ovn.facts import Facts
from icplan.ovn.routes import advertised

Made = TypeVar("Made")


class Latest(Generic[Made]):
    """What is made of the facts that were asked about last; many checks ask about the same ones.

    Args:
        make: what is made of facts, the same of the same ones.
    """

    def __init__(self, make: Callable[[Facts], Made]) -> None:
        self._make = make
        self._found: tuple[Facts, Made] | None = None

    def __call__(self, facts: Facts) -> Made:
        """It is made once, until other facts are asked about."""
        if self._found is None or self._found[0] is not facts:
            self._found = (facts, self._make(facts))
        return self._found[1]


class Exchanged:
    """The zones' routes as the databases have them; every zone that is asked about was read.

    Args:
        facts: what was read.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._hops: dict[str, dict[str, list[str]]] = {}
        self._published: dict[str, dict[str, set[str]]] = {}
        self._held: dict[str, Mapping[str, Set[str]]] = {}
        self._offered: dict[str, tuple[str, ...]] = {}
        self._passed: dict[str, frozenset[str]] = {}
        ic = facts.ic_southbound
        for port in ic.ports if ic else ():
            hops = self._hops.setdefault(port.zone, {})
            hops.setdefault(port.transit_switch, []).extend(map(bare, port.networks))
        for route in ic.routes if ic else ():
            published = self._published.setdefault(route.zone, {})
            published.setdefault(route.transit_switch, set()).add(route.prefix)

    def hops(self, zone: str, switch: str) -> list[str]:
        """The addresses under which a zone is registered on a transit switch."""
        return self._hops.get(zone, {}).get(switch, [])

    def all_hops(self, zone: str) -> set[str]:
        """The addresses under which a zone is registered on any transit switch."""
        return {hop for hops in self._hops.get(zone, {}).values() for hop in hops}

    def published(self, zone: str, switch: str) -> Set[str]:
        """The prefixes that a zone has registered on a transit switch."""
        return self._published.get(zone, {}).get(switch, frozenset())

    def all_published(self, zone: str) -> set[str]:
        """The prefixes that a zone has registered on any transit switch."""
        return set[str]().union(*self._published.get(zone, {}).values())

    def held(self, zone: zones.DeclaredZone) -> Mapping[str, Set[str]]:
        """The prefixes that a zone has learned, by next hop."""
        if zone.name not in self._held:
            seen = self._facts.northbound[zone.name]
            found: dict[str, set[str]] = {}
            for router in seen.routers_named(zone.router):
                for route in (seen.static_routes.get(uuid) for uuid in router.static_routes):
                    if route is not None and route.learned:
                        found.setdefault(bare(route.nexthop), set()).add(route.prefix)
            self._held[zone.name] = found
        return self._held[zone.name]

    def offered(self, zone: zones.DeclaredZone) -> tuple[str, ...]:
        """What a zone's router offers to the others."""
        if zone.name not in self._offered:
            seen = self._facts.northbound[zone.name]
            self._offered[zone.name] = tuple(
                prefix
                for router in seen.routers_named(zone.router)
                for prefix in advertised(seen, router)
            )
        return self._offered[zone.name]

    def passed(self, zone: zones.DeclaredZone) -> frozenset[str]:
        """The prefixes to which policies of a zone's router let all traffic pass."""
        if zone.name not in self._passed:
            seen = self._facts.northbound[zone.name]
            self._passed[zone.name] = frozenset(
                policy.allowed
                for router in seen.routers_named(zone.router)
                for policy in seen.policies_of(router)
                if policy.allowed is not None
            )
        return self._passed[zone.name]
