"""What takes packets to other zones away, within a zone: policies and others' routes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TypeAlias

from icplan.core.commands import shown
from icplan.core.words import listed
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import MARK, Check, Held, Missing, Verdict, View
from icplan.kinds.common.registered import owners
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.waivers import ANOTHER_WAY, accepted
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import DROP, Northbound, Router, StaticRoute
from icplan.ovn.policies import Taken, taken
from icplan.ovn.prefix import Prefixes, collapsed, family, inside, ordered, sort_key
from icplan.ovn.routes import candidates
from icplan.planning.objects import exchange
from icplan.spec.load import Spec

_HIGHEST = 32767
"""The highest priority that a policy can have (OVN's schema)."""


Look: TypeAlias = Callable[[Northbound, Router, Mapping[str, set[str]]], "Missing | None"]
"""What takes packets away on a router of a database; the owners of the addresses are given."""


def checks(view: View) -> Iterator[Check]:
    """Two of each present zone. Nobody waits for them: no change of a plan brings them about."""
    for zone in zones.declared(view.spec):
        if zone.present:
            policy = f"no policy of {zone.name} drops or reroutes what goes to other zones"
            yield _check(zone, policy, partial(_policy, view, zone))
            route = f"no other route of {zone.name} takes what goes to other zones"
            yield _check(zone, route, partial(_route, view, zone))


def _check(zone: zones.DeclaredZone, claim: str, look: Look) -> Check:
    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        known, seen = owners(facts), facts.northbound[zone.name]
        found = (look(seen, router, known) for router in seen.routers_named(zone.router))
        return next((one for one in found if one is not None), Held())

    needs = frozenset({exchange(zone)})
    return Check(exchange(zone), claim, needs, test, awaited=False)


def _policy(
    view: View,
    zone: zones.DeclaredZone,
    seen: Northbound,
    router: Router,
    known: Mapping[str, set[str]],
) -> Missing | None:
    found = (one for one in takers(zone, seen, router, known, ()) if one.certain)
    return next((told(view.spec, zone, router, one) for one in found), None)


def takers(
    zone: zones.DeclaredZone,
    seen: Northbound,
    router: Router,
    known: Mapping[str, set[str]],
    more: Iterable[str],
) -> tuple[Taken, ...]:
    """What a router's policies take of the traffic to other zones.

    Args:
        zone: the zone.
        seen: its northbound database.
        router: its router.
        known: the zones that have an address on a transit switch, by address.
        more: prefixes that the router may have no route to yet.
    """
    policies = seen.policies_of(router)
    if not any(one.closes for one in policies):
        return ()  # of thousands of routes there is nothing to look at
    hops = {hop for hop, names in known.items() if names - {zone.name}}
    led = (
        one.prefix
        for one in seen.routes_of(router)
        if one.policy == "dst-ip" and bare(one.nexthop) in hops
    )
    sources = (
        one.prefix
        for one in candidates(seen, router)
        if not one.nexthop and not seen.denylist.denies(one.prefix)
    )
    return taken(policies, sources, (*led, *more), hops)


def told(spec: Spec, zone: zones.DeclaredZone, router: Router, one: Taken) -> Missing:
    """What a policy does, in words, and what to do about it."""
    policy, name = one.policy, router.name
    verb = "drop" if policy.action == DROP else "reroute"
    does = f"{verb}s" if one.certain else f"may {verb} some of"
    origin = f" from {listed(one.sources)}" if one.sources else ""
    cures = []
    if not policy.of_kube_ovn:
        words = ("lr-policy-del", name, str(policy.priority), policy.match)
        cures.append(f"delete it: {shown(ovn(spec, zone, 'ovn-nbctl', *words))}")
    if policy.priority < _HIGHEST:
        passing = " and ".join(_passing(spec, zone, router, one))
        cures.append(f"let what goes there pass before it: {passing}")
    return Missing(
        f"policy {policy.priority} of router {name} of {zone.name} {does} what goes"
        f"{origin} to {listed(one.destinations)}, before any route is asked: {policy.match}",
        "; or ".join(cures) or "see who made it: Kube-OVN holds it",
    )


def _passing(spec: Spec, zone: zones.DeclaredZone, router: Router, one: Taken) -> Iterator[str]:
    """What lets packets pass before a policy: one command for each family."""
    for version in sorted({*map(family, one.destinations)}):
        found = collapsed(prefix for prefix in one.destinations if family(prefix) == version)
        where = "{" + ", ".join(found) + "}" if found[1:] else found[0]
        words = (router.name, str(one.policy.priority + 1), f"ip{version}.dst == {where}", "allow")
        yield shown(ovn(spec, zone, "ovn-nbctl", "lr-policy-add", *words))


def deletion(spec: Spec, zone: zones.DeclaredZone, router: Router, route: StaticRoute) -> str:
    """The command that deletes a route."""
    words = ("lr-route-del", router.name, route.prefix, bare(route.nexthop))
    return shown(ovn(spec, zone, "ovn-nbctl", *words))


def _route(
    view: View,
    zone: zones.DeclaredZone,
    seen: Northbound,
    router: Router,
    known: Mapping[str, set[str]],
) -> Missing | None:
    if accepted(view, ANOTHER_WAY, zone.name):
        return None
    led = _led(seen, router, view.owner, known, zone.name)
    for route in others(seen, router, view.owner, led):
        whose = known.get(bare(route.nexthop), set())
        for prefix in ordered(one for one in led if inside(route.prefix, one)):
            if not whose & led[prefix]:
                return _elsewhere(view.spec, zone, router, route, prefix, whose)
    return None


def _led(
    seen: Northbound, router: Router, owner: str, known: Mapping[str, set[str]], name: str
) -> dict[str, set[str]]:
    """The prefixes that ovn-ic or the file leads to other zones, and to which."""
    found: dict[str, set[str]] = {}
    for one in seen.routes_of(router):
        mine = one.learned or one.external_ids.get(MARK) == owner
        whose = known.get(bare(one.nexthop), set()) - {name}
        if mine and whose and one.policy == "dst-ip":
            found.setdefault(one.prefix, set()).update(whose)
    return found


def others(
    seen: Northbound, router: Router, owner: str, prefixes: Iterable[str]
) -> tuple[StaticRoute, ...]:
    """Routes that neither ovn-ic nor the file made, to prefixes or parts of them, in order."""
    wanted = Prefixes(prefixes)
    found = (
        seen.static_routes[uuid] for uuid in router.static_routes if uuid in seen.static_routes
    )
    theirs = (
        one
        for one in found
        if not one.learned
        and one.policy == "dst-ip"
        and one.external_ids.get(MARK) != owner
        and wanted.contain(one.prefix)
    )
    return tuple(sorted(theirs, key=lambda one: (sort_key(one.prefix), one.nexthop, one.uuid)))


def _elsewhere(
    spec: Spec,
    zone: zones.DeclaredZone,
    router: Router,
    route: StaticRoute,
    prefix: str,
    whose: set[str],
) -> Missing:
    part = "takes flows of it" if route.prefix == prefix else f"takes that part of {prefix}"
    owner = ", ".join(sorted(whose)) or "no zone"
    hop = bare(route.nexthop)
    return Missing(
        f"{zone.name} has another route to {route.prefix}, over {hop}, an address of {owner}: it "
        f"{part}",
        f"delete it: {deletion(spec, zone, router, route)}",
    )
