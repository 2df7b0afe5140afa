"""The evidence that routes made by hand lead to a zone. It looks at next hops, at nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from icplan.core.address import Address
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.registered import owners
from icplan.kinds.common.transit_address import bare, subnets
from icplan.kinds.common.transit_switches import needed
from icplan.ovn.attachment import of_router
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import Northbound, StaticRoute
from icplan.ovn.prefix import Prefixes, sort_key
from icplan.planning.objects import exchange, objects
from icplan.spec.load import Spec


def checks(view: View) -> Iterator[Check]:
    """One for each present zone that has a route by hand over a transit switch."""
    declared = {zone.name: zone for zone in zones.declared(view.spec)}
    switches = view.spec.interconnect.transit_switches.names
    known = owners(view.facts)
    for zone in declared.values():
        seen = view.facts.northbound.get(zone.name)
        if not zone.present or seen is None:
            continue
        found = _over_switches(view.spec, seen, zone)
        if not found:
            continue
        # One that leads nowhere today is no matter of this plan: nobody waits for it.
        lost = frozenset(
            _key(one) for one in found if not known.get(bare(one.nexthop), set()) - {zone.name}
        )
        # Whoever rewrites one needs the other zone's new address, and should not wait longer.
        needs = {*objects(zone, switches)}
        for route in found:
            for owner in known.get(bare(route.nexthop), ()):
                needs |= objects(declared[owner], switches) if owner in declared else set()
        about = frozenset(needs).union(*map(needed, switches))
        yield _led(view.spec, zone, about, lost)
        if lost:
            yield replace(
                _led(view.spec, zone, about, lost, of_lost=True),
                claim=f"every route by hand of {zone.name} that led nowhere was rewritten",
                awaited=False,
            )


def _key(route: StaticRoute) -> tuple[str, str]:
    return route.prefix, route.nexthop


def _over_switches(
    spec: Spec, seen: Northbound, zone: zones.DeclaredZone
) -> tuple[StaticRoute, ...]:
    """A zone's routes by hand into a transit switch's subnet, in order."""
    # Most routes are learned, and most zones have no other ones.
    found = [
        seen.static_routes[uuid]
        for router in seen.routers_named(zone.router)
        for uuid in router.static_routes
        if uuid in seen.static_routes and not seen.static_routes[uuid].learned
    ]
    if not found:
        return ()
    switches = spec.interconnect.transit_switches
    declared = (
        str(net)
        for index, _ in enumerate(switches.names)
        for net in subnets(switches.subnet_of(index))
    )
    connected = (
        network
        for switch in seen.switches
        if switch.transit_switch
        for one in of_router(seen, switch.transit_switch, zone.router)
        for network in one.router_port.networks
    )
    transit = Prefixes((*declared, *connected))
    return tuple(
        sorted(
            (route for route in found if transit.contain(bare(route.nexthop))),
            key=lambda route: (sort_key(route.prefix), route.nexthop),
        )
    )


def _led(
    spec: Spec,
    zone: zones.DeclaredZone,
    needs: frozenset[Address],
    lost: frozenset[tuple[str, str]],
    *,
    of_lost: bool = False,
) -> Check:
    """Evidence of the routes that lead somewhere today, or of those that do not."""

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        known = owners(facts)
        nowhere = [
            route
            for route in _over_switches(spec, facts.northbound[zone.name], zone)
            if (_key(route) in lost) is of_lost
            and not known.get(bare(route.nexthop), set()) - {zone.name}
        ]
        if not nowhere:
            return Held()
        listed = ", ".join(f"{one.prefix} over {one.nexthop}" for one in nowhere)
        first = nowhere[0]
        return Missing(
            f"routes by hand of {zone.name} lead nowhere, no other zone has that address: {listed}",
            f"in {zone.name}: ovn-nbctl lr-route-del {zone.router} {first.prefix} {first.nexthop}, "
            "and lr-route-add with the address that icplan status shows of the zone that is meant",
        )

    return Check(
        exchange(zone),
        f"every route by hand of {zone.name} leads to a zone (your step: rewrite what does not)",
        needs,
        test,
        operator=True,
    )
