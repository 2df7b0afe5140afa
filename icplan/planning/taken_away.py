"""What takes packets to other zones away, within a zone: policies and others' routes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from icplan.core.commands import shown
from icplan.core.words import listed
from icplan.kinds import manual_route
from icplan.kinds.common import zones
from icplan.kinds.common.commands import kubectl, ovn
from icplan.kinds.common.contract import MARK, Check, Held, Missing, Verdict, View
from icplan.kinds.common.registered import owners
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.waivers import ANOTHER_WAY, OVERLAP, accepted, overlap_place
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import DROP, Northbound, Router, StaticRoute
from icplan.ovn.policies import Taken, taken
from icplan.ovn.prefix import Prefixes, collapsed, family, inside, ordered, sort_key
from icplan.ovn.routes import candidates
from icplan.planning.exchanged import Latest
from icplan.planning.objects import exchange
from icplan.spec.load import Spec

_HIGHEST = 32767
"""The highest priority that a policy can have (OVN's schema)."""


Look: TypeAlias = Callable[[Northbound, Router, Mapping[str, set[str]]], "Missing | None"]
"""What takes packets away on a router of a database; the owners of the addresses are given."""


def checks(view: View) -> Iterator[Check]:
    """Two of each present zone. Nobody waits for them: no change of a plan brings them about."""
    known = Latest(owners)
    for zone in zones.declared(view.spec):
        if zone.present:
            policy = f"no policy of {zone.name} drops or reroutes what goes to other zones"
            yield _check(zone, policy, partial(_policy, view, zone), known)
            route = f"no other route of {zone.name} takes what goes to other zones"
            yield _check(zone, route, partial(_route, view, zone), known)


def _check(
    zone: zones.DeclaredZone, claim: str, look: Look, known: Latest[dict[str, set[str]]]
) -> Check:
    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        seen = facts.northbound[zone.name]
        found = (look(seen, router, known(facts)) for router in seen.routers_named(zone.router))
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
    found = takers(zone, seen, router, known, ())
    certain = (one for one in found if one.certain)
    return next((told(view.spec, zone, router, one, found) for one in certain), None)


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


def told(
    spec: Spec, zone: zones.DeclaredZone, router: Router, one: Taken, all_of_them: Sequence[Taken]
) -> Missing:
    """What a policy does, in words, and what to do about it.

    Of policies of one priority nobody says which decides: what lets packets pass comes before all.
    """
    highest = max(other.policy.priority for other in all_of_them)
    policy, name = one.policy, router.name
    verb = "drop" if policy.action == DROP else "reroute"
    does = f"{verb}s" if one.certain else f"may {verb} some of"
    origin = f" from {listed(one.sources)}" if one.sources else ""
    cures = []
    if not policy.of_kube_ovn:
        words = ("lr-policy-del", name, str(policy.priority), policy.match)
        cures.append(f"delete it: {shown(ovn(spec, zone, 'ovn-nbctl', *words))}")
    if highest < _HIGHEST:
        passing = " and ".join(_passing(spec, zone, router, one, highest + 1))
        cures.append(f"let what goes there pass before it: {passing}")
    return Missing(
        f"policy {policy.priority} of router {name} of {zone.name} {does} what goes"
        f"{origin} to {listed(one.destinations)}, before any route is asked: {policy.match}",
        "; or ".join(cures) or "see who made it: Kube-OVN holds it",
    )


def _passing(
    spec: Spec, zone: zones.DeclaredZone, router: Router, one: Taken, priority: int
) -> Iterator[str]:
    """What lets packets pass: one command for each family."""
    for version in sorted({*map(family, one.destinations)}):
        found = collapsed(prefix for prefix in one.destinations if family(prefix) == version)
        where = "{" + ", ".join(found) + "}" if found[1:] else found[0]
        words = (router.name, str(priority), f"ip{version}.dst == {where}", "allow")
        yield shown(ovn(spec, zone, "ovn-nbctl", "lr-policy-add", *words))


def _route(
    view: View,
    zone: zones.DeclaredZone,
    seen: Northbound,
    router: Router,
    known: Mapping[str, set[str]],
) -> Missing | None:
    led = _led(seen, router, view.owner, known, zone.name)
    for route in others(seen, router, view.owner, led):
        whose = known.get(bare(route.nexthop), set())
        for prefix in ordered(one for one in led if inside(route.prefix, one)):
            if not whose & led[prefix].targets and not _waived(view, zone, led[prefix]):
                return elsewhere(view.spec, zone, router, route, prefix, whose)
    return None


@dataclass(slots=True)
class _Led:
    """Where a prefix is led: to which zones, and whether the file says so."""

    targets: set[str] = field(default_factory=set)
    of_file: bool = False


def _led(
    seen: Northbound, router: Router, owner: str, known: Mapping[str, set[str]], name: str
) -> dict[str, _Led]:
    """The prefixes that ovn-ic or the file leads to other zones."""
    found: dict[str, _Led] = {}
    for one in seen.routes_of(router):
        of_file = not one.learned and one.external_ids.get(MARK) == owner
        whose = known.get(bare(one.nexthop), set()) - {name}
        if (one.learned or of_file) and whose and one.policy == "dst-ip":
            led = found.setdefault(one.prefix, _Led())
            led.targets |= whose
            led.of_file |= of_file
    return found


def _waived(view: View, zone: zones.DeclaredZone, led: _Led) -> bool:
    """Whether the file accepts that somebody's route takes a part: by the rule that speaks of it.

    A zone that exchanges routes advertises that route, and so it overlaps what it takes away.
    """
    if led.of_file:
        return accepted(view, ANOTHER_WAY, zone.name)
    places = {overlap_place(view.spec, zone.name, one) for one in led.targets}
    return all(accepted(view, OVERLAP, one) for one in places)


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


def elsewhere(
    spec: Spec,
    zone: zones.DeclaredZone,
    router: Router,
    route: StaticRoute,
    prefix: str,
    whose: set[str],
) -> Missing:
    """What somebody's route takes of a prefix, in words, and what to do about it."""
    hop, owner = bare(route.nexthop), ", ".join(sorted(whose)) or "no zone"
    why = f"{zone.name} has another route to {route.prefix}, over {hop}, an address of {owner}"
    if route.prefix != prefix:
        why += f": it takes that part of {prefix}"
    if zone.kube_ovn and manual_route.vpc_s(route):
        # Deleted in the database it would come back (read in its source).
        why += f": Kube-OVN makes it of Vpc {router.name}"
        if route.prefix == prefix:
            why += ", and each time it does, it deletes every other route to that prefix"
        return Missing(why, out_of_the_vpc(spec, zone.name, router.name, route.prefix, hop))
    words = ("lr-route-del", router.name, route.prefix, hop)
    return Missing(why, f"delete it: {shown(ovn(spec, zone, 'ovn-nbctl', *words))}")


def out_of_the_vpc(spec: Spec, zone: str, vpc: str, prefix: str, hop: str) -> str:
    """What takes away a route that Kube-OVN makes of a Vpc."""
    return (
        f"run `{kubectl(spec, zone)} edit vpc {vpc}` and take the entry with cidr {prefix} "
        f"and nextHopIP {hop} out of spec.staticRoutes"
    )
