"""What manual routes should be and what they are. Writes and judges nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from icplan.core.address import Address
from icplan.core.change import Change, Reason
from icplan.core.io import Query, Unreadable
from icplan.core.state import Absent, Declared, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Attributes, Known, Later, Value
from icplan.kinds.common import zones
from icplan.kinds.common.contract import MARK, UNDECIDED, View, deletes
from icplan.kinds.common.controller import needs
from icplan.kinds.common.routed import Routed, pairs
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.transit_switches import needed
from icplan.kinds.manual_route.hops import Hops
from icplan.ovn import northbound
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import Northbound, Router, StaticRoute
from icplan.ovn.prefix import family
from icplan.spec.load import Spec

NAME = "route"
SWITCH = "icplan-switch"
"""The transit switch that a route leads over: its next hop may be somebody else's by now."""
TARGET = "icplan-to"
"""The zone that it leads to; likewise."""
TO, HOP, ORIGIN = "to", "next-hop", "origin"
POLICY, DESTINATION = "policy", "dst-ip"
"""Shown only where somebody made it match the source of packets."""
STATIC = "static"
"""With this origin Kube-OVN's controller lets its traffic pass (docs/facts.md section 7)."""
KUBE_OVN = "Kube-OVN itself"
"""Whose a route is that Kube-OVN's controller makes of `spec.staticRoutes` of its Vpc, and keeps
and takes away as that says (read in its source). No file can have such a name."""


def address(zone: str, prefix: str, switch: str) -> Address:
    """The address of a route."""
    return Address(zone, NAME, f"{prefix}@{switch}")


def place(one: Address) -> tuple[str, str]:
    """Prefix and switch of a route's address; no switch: it is a row too many."""
    prefix, at, switch = one.name.rpartition("@")
    return (prefix, switch) if at else (one.name.partition(" ")[0], "")


def queries(spec: Spec, _facts: Facts | None) -> Iterator[Query]:
    """The policies that come before routes; the routes are read with their databases."""
    for zone in zones.plain(spec):
        if zone.present:
            yield from northbound.policy_queries(zone.name, kube_ovn=False)


def desired(view: View) -> dict[Address, Desired]:
    """A route for each prefix and switch; of ours none is left in a zone that advertises."""
    found = {(pair.source.name, pair.target.name): pair for pair in pairs(view)}
    seen = {zone.name: zone for zone in zones.seen(view)}
    wanted = _asked_for(view, found.values(), {name: zone.router for name, zone in seen.items()})
    for zone in seen.values():
        if zone.router is None:
            continue
        for name, routes in ours(zone.northbound, zone.router, view.owner).items():
            one, there = Address(zone.name, NAME, name), routes[0]
            meant = wanted.get(one)
            if isinstance(meant, Declared) and there.policy != DESTINATION:
                attributes = {**meant.attributes, POLICY: Known(DESTINATION)}
                wanted[one] = Declared(attributes, meant.origin)
            elif meant is None:
                pair = found.get((zone.name, there.external_ids.get(TARGET, "")))
                kept = _kept(view, zone, pair, one)
                wanted |= {one: kept} if kept is not None else {}
    return wanted


def _asked_for(
    view: View, found: Iterable[Routed], routers: Mapping[str, Router | None]
) -> dict[Address, Desired]:
    """What the file asks for, as far as it is known where it would have to lead."""
    wanted: dict[Address, Desired] = {}
    hops = Hops(view)
    for pair in found:
        source = pair.source.name
        if source in routers and routers[source] is None:
            continue  # a rule speaks of the router
        for prefix, origin in pair.prefixes.items():
            for switch in view.spec.interconnect.transit_switches.names:
                hop = hops.hop(pair.target, switch, family(prefix))
                if hop is not None:
                    state = Declared(_attributes(pair, hop), origin)
                    wanted.setdefault(address(source, prefix, switch), state)
    return wanted


def _attributes(pair: Routed, hop: Value) -> Attributes:
    attributes: dict[str, Value] = {TO: Known(pair.target.name), HOP: hop}
    if pair.source.kube_ovn:
        attributes[ORIGIN] = Known(STATIC)
    return attributes


def _kept(view: View, zone: zones.SeenZone, pair: Routed | None, one: Address) -> Desired | None:
    """What becomes of a route of ours that no entry is known to ask for; None: it is deleted."""
    prefix, switch = place(one)
    current = switch in view.spec.interconnect.transit_switches.names
    if pair is not None and current and (pair.open or prefix in pair.prefixes):
        # What the file wants there is not known today, so it stays as it is.
        return Declared(UNDECIDED, pair.prefixes.get(prefix) or pair.open[0])
    if zone.declared.present and zone.declared.automatic(view.spec):
        origin = zone.declared.origin(view.spec, "routePolicy")
        return DeclaredAbsent(origin, Reason.ADVERTISED)
    return None


def observed(view: View) -> dict[Address, Observed]:
    """The routes that are declared or bear our mark; one made by hand is known by its next hop."""
    states: dict[Address, Observed] = {}
    wanted = _by_zone(desired(view))
    hops, targets = Hops(view), _targets(view.spec)
    for zone in zones.declared(view.spec):
        declared = wanted.get(zone.name, {})
        unseen = view.facts.zone_unseen(zone.name) or view.facts.ic_unseen()
        if unseen is not None:
            states |= dict.fromkeys(declared, unseen)
            continue
        seen = zones.find(view, zone.name)
        if seen.router is None:
            continue
        mine = ours(seen.northbound, seen.router, view.owner)
        for name, routes in mine.items():
            states[Address(zone.name, NAME, name)] = _present(zone, routes[0], view.owner)
        for one, state in declared.items():
            if one.name not in mine:
                states[one] = _of_others(seen, seen.router, one, state, hops, targets, view.owner)
    states |= _unknown(view, states)
    return states


def _by_zone(wanted: Mapping[Address, Desired]) -> dict[str, dict[Address, Desired]]:
    found: dict[str, dict[Address, Desired]] = {}
    for one, state in wanted.items():
        found.setdefault(one.site, {})[one] = state
    return found


def _targets(spec: Spec) -> dict[str, zones.DeclaredZone]:
    return {one.name: one for one in (*zones.declared(spec), *zones.left_out(spec))}


def ours(northbound: Northbound, router: Router, owner: str) -> dict[str, tuple[StaticRoute, ...]]:
    """The rows that bear an owner's mark, by the name of the route that they are.

    There should be one of each. What is there once too often, or was altered so that it is no such
    route any more, has a name of its own.
    """
    by_prefix: dict[str, list[StaticRoute]] = {}
    for uuid in router.static_routes:
        route = northbound.static_routes.get(uuid)
        if route is not None and route.external_ids.get(MARK) == owner:
            by_prefix.setdefault(route.prefix, []).append(route)
    return {
        name: rows
        for prefix in sorted(by_prefix)
        for name, rows in _named(by_prefix[prefix]).items()
    }


def _named(routes: list[StaticRoute]) -> dict[str, tuple[StaticRoute, ...]]:
    """Rows with one prefix and our mark, by name."""
    found: dict[str, list[StaticRoute]] = {}
    for route in sorted(routes, key=lambda one: (one.nexthop, one.uuid)):
        switch = route.external_ids.get(SWITCH)
        name = f"{route.prefix}@{switch}"
        if not switch or name in found:
            name = f"{route.prefix} over {bare(route.nexthop)}"
        found.setdefault(name, []).append(route)
    return {name: tuple(rows) for name, rows in found.items()}


def rows(zone: zones.SeenZone, change: Change, owner: str) -> tuple[StaticRoute, ...]:
    """The rows that a change is about, as they were seen: none of a route that is to be made."""
    if zone.router is None or change.before is None:
        return ()
    prefix, _ = place(change.address)
    there = zone.northbound.routes_to(zone.router, prefix)
    marked = [one for one in there if one.external_ids.get(MARK) == owner]
    if change.address.name in (found := _named(marked)):
        return found[change.address.name]
    hop = change.before.get(HOP)
    return tuple(one for one in _claimable(there) if Known(bare(one.nexthop)) == hop)[:1]


def _claimable(there: tuple[StaticRoute, ...]) -> Iterator[StaticRoute]:
    """Routes that people made: neither anybody's by mark nor Kube-OVN's own."""
    return (one for one in there if one.policy == DESTINATION and holder(one) is None)


def holder(route: StaticRoute) -> str | None:
    """Whose a route is: a file's, Kube-OVN's own, or nobody's."""
    if (mark := route.external_ids.get(MARK)) is not None:
        return mark
    return KUBE_OVN if vpc_s(route) else None


def vpc_s(route: StaticRoute) -> bool:
    """Whether Kube-OVN's controller made a route of what its Vpc says."""
    return route.external_ids.get("vendor") == "kube-ovn"


def _of_others(
    zone: zones.SeenZone,
    router: Router,
    one: Address,
    state: Desired,
    hops: Hops,
    targets: Mapping[str, zones.DeclaredZone],
    owner: str,
) -> Observed:
    """What is there in the place of a declared route, when it does not bear our mark."""
    if not isinstance(state, Declared) or not state.attributes:
        return Absent()
    prefix, switch = place(one)
    there = zone.northbound.routes_to(router, prefix)
    for route in there:
        mark = route.external_ids.get(MARK, owner)
        if mark != owner and route.external_ids.get(SWITCH) == switch:
            return _present(zone.declared, route, mark)
    target = state.attributes[TO]
    name = str(target.value) if isinstance(target, Known) else ""
    hop = state.attributes[HOP]
    leads = hop.value if isinstance(hop, Known) else ""
    if isinstance(hop, Later) and name in targets:
        # One that leads to where the zone is today is meant, and led to where it will be.
        leads = hops.today(targets[name], switch, family(prefix))
    same = (one for one in there if one.policy == DESTINATION and leads == bare(one.nexthop) != "")
    # Beside a row of anybody's that leads the same way none of ours can be made.
    for route in sorted(same, key=lambda one: holder(one) is not None):
        if (whose := holder(route)) != owner:
            return _present(zone.declared, route, whose, name)
    return Absent()


def _present(
    zone: zones.DeclaredZone, route: StaticRoute, owner: str | None, to: str | None = None
) -> Present:
    target = route.external_ids.get(TARGET, "") if to is None else to
    attributes = {TO: Known(target), HOP: Known(bare(route.nexthop))}
    if zone.kube_ovn and route.origin is not None:
        attributes[ORIGIN] = Known(route.origin)
    if route.policy != DESTINATION:
        attributes[POLICY] = Known(route.policy)
    return Present(attributes, owner)


def _unknown(view: View, known: Mapping[Address, Observed]) -> Iterator[tuple[Address, Unreadable]]:
    """Routes of which nothing tells where they would have to lead."""
    hops = Hops(view)
    switches = view.spec.interconnect.transit_switches.names
    for pair in pairs(view):
        target = pair.target.name
        if target in view.spec.without or view.facts.zone_unseen(pair.source.name) is not None:
            continue
        for prefix in pair.prefixes:
            for switch in switches:
                one = address(pair.source.name, prefix, switch)
                if one not in known and hops.hop(pair.target, switch, family(prefix)) is None:
                    why = view.facts.zone_unseen(target) or view.facts.cluster_unseen(target)
                    yield (
                        one,
                        Unreadable(
                            f"the address of {target} on {switch} is not known",
                            why.cure if why else f"see what icplan plan says of {target}",
                            why.forbidden if why else False,
                        ),
                    )


def follows(change: Change, view: View) -> frozenset[Address]:
    """All that makes the other zone's ports; of a new route also what makes its own zone.

    Until then the next hop is not known, or the route would be advertised (docs/facts.md
    section 7).
    """
    if change.after is None:
        return frozenset()
    target = change.after.get(TO)
    names = {str(target.value)} if isinstance(target, Known) else set()
    if change.before is None:
        names.add(change.address.site)
    hop = change.after.get(HOP)
    later = {hop.source} if isinstance(hop, Later) else set()
    switches = view.spec.interconnect.transit_switches.names
    ports = {Address(zone, "port", switch) for zone in names for switch in switches}
    plain = {Address(zone, kind) for zone in names for kind in ("name", "route-exchange")}
    clusters = {one for zone in names for one in needs(zone)}
    return frozenset(later | ports | plain | clusters).union(*map(needed, switches))


def takes_away(change: Change) -> bool:
    """Whether a route goes because nobody wants it any more.

    One that a zone would advertise goes before the zone does.
    """
    return deletes(change) and change.reason is not Reason.ADVERTISED
