"""The evidence that routes made by hand lead to a zone. It looks at next hops, at nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from icplan.core.address import Address
from icplan.core.change import Change
from icplan.core.commands import shown
from icplan.core.value import Known
from icplan.kinds import manual_route
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import MARK, Check, Held, Missing, Verdict, View
from icplan.kinds.common.registered import owners
from icplan.kinds.common.transit_address import bare, subnets
from icplan.kinds.common.transit_switches import needed
from icplan.ovn.attachment import of_router
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import Northbound, StaticRoute
from icplan.ovn.prefix import Prefixes, sort_key
from icplan.planning.objects import exchange, objects
from icplan.spec.load import Spec


def checks(view: View, changes: Sequence[Change] = ()) -> Iterator[Check]:
    """One for each present zone that has a route by hand over a transit switch.

    Args:
        view: the file and the facts.
        changes: those of a plan: the routes that it takes over are no matter for a person.
    """
    adopted = _adopted(changes)
    declared = {zone.name: zone for zone in zones.declared(view.spec)}
    switches = view.spec.interconnect.transit_switches.names
    known = _living(view.spec, view.facts)
    for zone in declared.values():
        seen = view.facts.northbound.get(zone.name)
        if not zone.present or seen is None:
            continue
        theirs = adopted.get(zone.name, frozenset())
        found = _over_switches(view, seen, zone, theirs)
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
        yield _led(view, zone, about, lost, theirs)
        if lost:
            yield replace(
                _led(view, zone, about, lost, theirs, of_lost=True),
                claim=f"every route by hand of {zone.name} that led nowhere was rewritten",
                awaited=False,
            )


def _living(spec: Spec, facts: Facts) -> dict[str, set[str]]:
    """The zones that have an address; what leads to one that is gone leads nowhere."""
    gone = {*zones.gone(spec)}
    return {address: names - gone for address, names in owners(facts).items()}


def _key(route: StaticRoute) -> tuple[str, str]:
    return route.prefix, route.nexthop


def _adopted(changes: Sequence[Change]) -> dict[str, frozenset[tuple[str, str]]]:
    """Prefix and next hop of the routes that a plan takes over, by zone."""
    found: dict[str, set[tuple[str, str]]] = {}
    for change in changes:
        hop = (change.before or {}).get(manual_route.HOP)
        if change.address.kind == manual_route.NAME and isinstance(hop, Known):
            prefix, _ = manual_route.place(change.address)
            found.setdefault(change.address.site, set()).add((prefix, str(hop.value)))
    return {zone: frozenset(theirs) for zone, theirs in found.items()}


def _over_switches(
    view: View,
    seen: Northbound,
    zone: zones.DeclaredZone,
    adopted: frozenset[tuple[str, str]],
) -> tuple[StaticRoute, ...]:
    """A zone's routes by hand into a transit switch's subnet, in order; none of the file's."""
    # Most routes are learned, and most zones have no other ones.
    found = [
        seen.static_routes[uuid]
        for router in seen.routers_named(zone.router)
        for uuid in router.static_routes
        if uuid in seen.static_routes and not seen.static_routes[uuid].learned
    ]
    found = [
        one
        for one in found
        if one.external_ids.get(MARK) != view.owner
        and (one.prefix, bare(one.nexthop)) not in adopted
    ]
    if not found:
        return ()
    switches = view.spec.interconnect.transit_switches
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
    view: View,
    zone: zones.DeclaredZone,
    needs: frozenset[Address],
    lost: frozenset[tuple[str, str]],
    adopted: frozenset[tuple[str, str]],
    *,
    of_lost: bool = False,
) -> Check:
    """Evidence of the routes that lead somewhere today, or of those that do not."""

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        known = _living(view.spec, facts)
        nowhere = [
            route
            for route in _over_switches(view, facts.northbound[zone.name], zone, adopted)
            if (_key(route) in lost) is of_lost
            and not known.get(bare(route.nexthop), set()) - {zone.name}
        ]
        if not nowhere:
            return Held()
        listed = ", ".join(f"{one.prefix} over {one.nexthop}" for one in nowhere)
        first = nowhere[0]
        words = ("lr-route-del", zone.router, first.prefix, first.nexthop)
        return Missing(
            f"routes by hand of {zone.name} lead nowhere, no other zone has that address: {listed}",
            f"{shown(ovn(view.spec, zone, 'ovn-nbctl', *words))}, and `lr-route-add` with the "
            "address that `icplan status` shows of the zone that is meant",
        )

    return Check(
        exchange(zone),
        f"every route by hand of {zone.name} leads to a zone (your step: rewrite what does not)",
        needs,
        test,
        operator=True,
    )
