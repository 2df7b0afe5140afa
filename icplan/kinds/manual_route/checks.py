"""The evidence that manual routes are there, lead to live addresses, and are let pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from icplan.core.address import Address
from icplan.core.state import Declared
from icplan.core.value import Known
from icplan.core.words import FEW, REPAIRED, listed
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.controller import controller_cure, needs
from icplan.kinds.common.evidence import in_zone, ovn_ic_cure
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.transit_switches import needed
from icplan.kinds.manual_route.hops import published
from icplan.kinds.manual_route.state import DESTINATION, NAME, TO, desired, holder, place
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import ALLOW_PRIORITY, Northbound
from icplan.ovn.prefix import family, ordered
from icplan.spec.load import Spec


def checks(view: View) -> Iterator[Check]:
    """Of each pair of zones: first that the routes are there, then that traffic takes them."""
    declared = {one.name: one for one in zones.declared(view.spec)}
    wanted: dict[tuple[str, str], dict[Address, tuple[str, str]]] = {}
    for one, state in sorted(desired(view).items()):
        if isinstance(state, Declared) and isinstance(target := state.attributes.get(TO), Known):
            wanted.setdefault((one.site, str(target.value)), {})[one] = place(one)
    for (source, target_name), routes in sorted(wanted.items()):
        about = _needs(view, source, target_name, routes)
        peer = "" if target_name in view.spec.without else target_name
        for check in _of_pair(view, declared[source], target_name, routes, about):
            yield replace(check, peer=peer)


def _of_pair(
    view: View,
    source: zones.DeclaredZone,
    target: str,
    routes: Mapping[Address, tuple[str, str]],
    about: frozenset[Address],
) -> Iterator[Check]:
    yield _there(source, target, routes, about, view.owner)
    if source.kube_ovn:
        yield _passed(view.spec, source, target, routes, about)


def _needs(
    view: View, source: str, target: str, routes: Mapping[Address, object]
) -> frozenset[Address]:
    """What must be as declared before the routes of a pair can serve."""
    switches = view.spec.interconnect.transit_switches.names
    found = {*routes}
    # Of a zone that is left out nothing is awaited: its address is what it has registered.
    for zone in {source, target} - view.spec.without:
        found |= {Address(zone, "port", switch) for switch in switches}
        found |= {Address(zone, "name"), Address(zone, "route-exchange"), *needs(zone)}
    return frozenset(found).union(*map(needed, switches))


def _there(
    source: zones.DeclaredZone,
    target: str,
    routes: Mapping[Address, tuple[str, str]],
    about: frozenset[Address],
    owner: str,
) -> Check:
    zone = source.name

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        live, seen = published(facts), facts.northbound[zone]
        for prefix, switch in routes.values():
            networks = live.get((target, switch), ())
            hops = [bare(one) for one in networks if family(bare(one)) == family(prefix)]
            if not hops:
                why = f"{target} has no address on {switch} to which {prefix} could lead"
                return Missing(why, ovn_ic_cure(target))
            there = [
                route
                for router in seen.routers_named(source.router)
                for route in seen.routes_to(router, prefix)
                if route.policy == DESTINATION
            ]
            led = [bare(route.nexthop) for route in there if holder(route) == owner]
            if hops[0] in led:
                continue
            if any(holder(one) not in {None, owner} and bare(one.nexthop) in hops for one in there):
                why = (
                    f"in {zone} the route to {prefix} of {target} over {switch} is not this file's"
                )
                return Missing(why, "icplan plan says whose it is, and what to do about it")
            if led:
                why = f"{prefix} leads to {', '.join(led)}, and {target} has {hops[0]} on {switch}"
                return Missing(f"in {zone} {why}", REPAIRED)
            return Missing(f"{zone} has no route to {prefix} of {target} over {switch}", REPAIRED)
        return Held()

    prefixes = ordered(prefix for prefix, _ in routes.values())
    return Check(
        Address(zone, NAME),
        f"{zone} has its routes to {listed(prefixes, FEW)} of {target}",
        about,
        test,
    )


def _passed(
    spec: Spec,
    source: zones.DeclaredZone,
    target: str,
    routes: Mapping[Address, tuple[str, str]],
    about: frozenset[Address],
) -> Check:
    """Else Kube-OVN's own policies reroute the traffic first (docs/facts.md section 7)."""
    zone = source.name
    prefixes = ordered(prefix for prefix, _ in routes.values())

    def test(seen: Northbound) -> Verdict:
        passed = {
            policy.allowed
            for router in seen.routers_named(source.router)
            for policy in seen.policies_of(router)
        }
        if not (held_up := [one for one in prefixes if one not in passed]):
            return Held()
        return Missing(
            f"no policy of priority {ALLOW_PRIORITY} in {zone} lets traffic to "
            f"{', '.join(held_up)} pass",
            f"{controller_cure(spec, zone)}; it looks every 5 s for routes with options:origin",
        )

    return Check(
        Address(zone, NAME),
        f"{zone} lets traffic to the routed subnets of {target} pass",
        about,
        in_zone(zone, test),
    )
