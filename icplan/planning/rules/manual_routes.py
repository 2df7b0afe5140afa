"""Rules about the routes of the file. Nothing about what zones advertise by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.origin import Origin
from icplan.core.state import Declared, Present
from icplan.core.value import Known, plain
from icplan.core.words import FEW, listed, sentence
from icplan.kinds import manual_route
from icplan.kinds.common import zones
from icplan.kinds.common.registered import owners
from icplan.kinds.common.routed import Reader, all_entries, families, pairs
from icplan.kinds.common.transit_address import bare, subnets
from icplan.ovn.prefix import family, inside, normal, ordered, overlap
from icplan.ovn.routes import candidates
from icplan.ovn.subnets import resolve
from icplan.planning import taken_away
from icplan.planning.rules import vpcs
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, KubeOvnZone, PlainOvnZone, RoutePolicy, ZoneState


def from_an_advertising_zone(seen: Seen) -> Iterator[Finding]:
    """A route of the file starts in a zone that advertises.

    ovn-ic takes it for a network of that zone and advertises it: the other zone learns its own
    prefix back, a newer controller then denies that zone's whole subnet, and every zone loses the
    way to it. Removing the route does not heal that: the denial stays until the other zone is
    switched off and on (measured). Let the zone have `routePolicy: manual`, or withhold the prefix
    there, which a plain OVN zone can.
    """
    for pair in pairs(seen.view):
        source = pair.source
        if not source.automatic(seen.spec):
            continue
        withheld = _withheld(seen, source)
        for prefix, origin in pair.prefixes.items():
            if not any(inside(prefix, one) for one in withheld):
                cure = f"Let {source.name} have `routePolicy: manual`"
                if not source.kube_ovn:
                    cure += f", or withhold {prefix} there"
                yield Finding(
                    source.name,
                    f"{source.name} advertises, and would advertise its route to {prefix} of "
                    f"{pair.target.name}: {pair.target.name} would learn its own prefix back, and "
                    "could deny it for good",
                    f"{cure}, or remove the route.",
                    origin,
                )


def _withheld(seen: Seen, zone: zones.DeclaredZone) -> tuple[str, ...]:
    """What a plain zone neither advertises nor learns; a cluster withholds only what it has."""
    if zone.kube_ovn or seen.facts.zone_unseen(zone.name) is not None:
        return ()
    found = zones.find(seen.view, zone.name)
    if found.router is None:
        return ()
    return resolve(found.northbound, found.router, zone.zone.withhold)[0]


def ends_not_present(spec: Spec) -> Iterator[Finding]:
    """A route leads from a zone or to one that is not interconnected, or from a zone to itself.

    What is taken out is reached by nobody. Remove the route first, or with the zone.
    """
    declared = {one.name: one for one in spec.interconnect.availability_zones}
    for index, route in enumerate(spec.interconnect.routes):
        if route.from_ == route.to:
            yield Finding(
                route.to,
                f"a route leads from {route.from_} to itself",
                "Name another zone, or remove the route.",
                spec.origin("routes", index, "to"),
            )
            continue
        for key, name in (("from", route.from_), ("to", route.to)):
            zone = declared.get(name)
            if zone is None or _present(zone):
                continue
            yield Finding(
                name,
                f"a route leads {key} {name}, which is declared {zone.state.value}",
                "Remove the route; what was made of it is then deleted before anything else.",
                spec.origin("routes", index, key),
            )


def _present(zone: KubeOvnZone | PlainOvnZone | GoneZone) -> bool:
    return not isinstance(zone, GoneZone) and zone.state is ZoneState.PRESENT


def no_such_subnet(seen: Seen) -> Iterator[Finding]:
    """A route leads to a subnet that its zone does not have, has only a part of, or withholds.

    Packets would go there and be dropped, or reach only some of what the CIDR says. Write a whole
    subnet of that zone, by name or CIDR, or a CIDR that contains whole ones.
    """
    reader = Reader(seen.view)
    for entry in all_entries(seen.spec):
        if vpcs.tells(seen, entry.target.name, entry.text):
            continue
        if trouble := reader.meaning(entry).trouble:
            cure = "Write a whole subnet: its name, its CIDR, or a CIDR that contains it."
            if trouble.endswith("is withheld"):
                cure = f"Take it out of `withhold` of {entry.target.name}, or remove the route."
            yield Finding(entry.source.name, trouble, cure, entry.origin(seen.spec))


def no_way_back(spec: Spec) -> Iterator[Finding]:
    """Routes lead from one zone to another, and none lead back.

    `routes` says one direction. Answers find no way back unless something else leads them.
    """
    interconnect = spec.interconnect
    declared = {one.name: one for one in interconnect.availability_zones}
    there = {(route.from_, route.to) for route in interconnect.routes}
    told: set[tuple[str, str]] = set()
    for index, route in enumerate(interconnect.routes):
        pair = route.from_, route.to
        if (route.to, route.from_) in there or pair in told or route.from_ == route.to:
            continue
        told.add(pair)
        target = declared.get(route.to)
        if target is None or not _present(target):
            continue
        line = f"- {{from: {route.to}, to: {route.from_}, subnets: [SUBNETS]}}"
        cure = f"Add `{line}` with those of {route.from_} that shall be reached."
        if _automatic(spec, target):
            cure += f" For that {route.to} needs `routePolicy: manual`: it advertises."
        yield Finding(
            route.from_,
            f"{route.from_} has a route to {route.to}, and {route.to} has none back",
            cure,
            spec.origin("routes", index),
        )


def _automatic(spec: Spec, zone: KubeOvnZone | PlainOvnZone | GoneZone) -> bool:
    own = None if isinstance(zone, GoneZone) else zone.route_policy
    return (own or spec.interconnect.route_policy) is RoutePolicy.AUTO


def overlaps_own(seen: Seen) -> Iterator[Finding]:
    """A route leads to a prefix that overlaps a subnet of the very zone that gets the route.

    The more specific of the two wins: the zone would lose addresses of its own, or send its own
    traffic away. Overlapping subnets cannot reach each other; renumber one of them.
    """
    transit = _transit(seen)
    for pair in pairs(seen.view):
        zone = pair.source
        if seen.facts.zone_unseen(zone.name) is not None:
            continue
        found = zones.find(seen.view, zone.name)
        if found.router is None:
            continue
        own = [one for one in candidates(found.northbound, found.router) if not one.nexthop]
        mine = {one.prefix: one.source for one in own} | transit
        for prefix, origin in pair.prefixes.items():
            hit = ordered(one for one in mine if overlap(one, prefix))
            if hit:
                own_ones = listed([f"{one} ({mine[one]})" for one in hit], 3)
                yield Finding(
                    zone.name,
                    f"{prefix} of {pair.target.name} overlaps {own_ones} of {zone.name}",
                    "Route to what does not overlap, or renumber one of the two.",
                    origin,
                )


def _transit(seen: Seen) -> dict[str, str]:
    switches = seen.spec.interconnect.transit_switches
    return {
        str(subnet): f"transit switch {name}"
        for index, name in enumerate(switches.names)
        for subnet in subnets(switches.subnet_of(index))
    }


def rerouted(seen: Seen) -> Iterator[Finding]:
    """A policy of a zone's router may drop what goes to another zone, or send it elsewhere.

    Policies come before routes. Of those that match a packet the one of the highest priority
    decides: in a Kube-OVN zone the controller lets the traffic pass at priority 29500, and whatever
    stands above that is looked at. Delete the policy, or add one of a higher priority that allows
    the traffic. `icplan verify` misses evidence where all traffic of a subnet is taken away.
    """
    known, routed = owners(seen.facts), pairs(seen.view)
    for found in zones.seen(seen.view):
        zone = found.declared
        if not zone.present or found.router is None:
            continue
        if not any(one.closes for one in found.northbound.policies_of(found.router)):
            continue
        mine: dict[str, Origin] = {}
        for pair in routed:
            if pair.source.name == zone.name:
                mine |= pair.prefixes
        more = {*mine, *_published_by_others(seen, zone)}
        takers = taken_away.takers(zone, found.northbound, found.router, known, more)
        for one in takers:
            told = taken_away.told(seen.spec, zone, found.router, one, takers)
            origin = next((mine[to] for to in one.destinations if to in mine), None)
            place = origin or zone.origin(seen.spec)
            yield Finding(zone.name, told.why, f"{sentence(told.cure)}.", place)


def _published_by_others(seen: Seen, zone: zones.DeclaredZone) -> Iterator[str]:
    """What a zone that exchanges routes learns."""
    ic = seen.facts.ic_southbound
    if ic is not None and zone.automatic(seen.spec):
        denied = seen.facts.northbound[zone.name].denylist
        present = {one.name for one in zones.declared(seen.spec) if one.present} - {zone.name}
        yield from (
            one.prefix for one in ic.routes if one.zone in present and not denied.denies(one.prefix)
        )


def another_way(seen: Seen) -> Iterator[Finding]:
    """Somebody's route leads elsewhere what a route of the file leads, or a part of it.

    Of routes with the same prefix OVN takes either, so that some flows take the one and some the
    other; of routes with a narrower one it takes the narrower one. icplan leaves a route alone that
    it did not make. Delete it, or accept it if both lead where they should. `icplan verify` misses
    evidence until then.
    """
    hops: dict[tuple[str, str], set[str]] = {}
    places: dict[str, dict[str, Origin]] = {}
    targets: dict[tuple[str, str], str] = {}
    for one, state in sorted(seen.desired.items()):
        if one.kind == manual_route.NAME and isinstance(state, Declared) and state.attributes:
            prefix = manual_route.place(one)[0]
            key = one.site, prefix
            places.setdefault(one.site, {}).setdefault(prefix, state.origin)
            targets.setdefault(key, str(plain(state.attributes, manual_route.TO)))
            found = seen.observed.get(one)
            there = found.attributes if isinstance(found, Present) else {}
            # What it leads to today, and is to lead to: what is adopted may do with another one.
            both = (there.get(manual_route.HOP), state.attributes[manual_route.HOP])
            hops.setdefault(key, set()).update(
                str(hop.value) for hop in both if isinstance(hop, Known)
            )
    names = owners(seen.facts)
    for site, prefixes in places.items():
        if seen.facts.zone_unseen(site) is not None:
            continue
        zone = zones.find(seen.view, site)
        if zone.router is None:
            continue
        for route in taken_away.others(zone.northbound, zone.router, seen.view.owner, prefixes):
            hop, whose = bare(route.nexthop), names.get(bare(route.nexthop), set())
            for prefix in ordered(one for one in prefixes if inside(route.prefix, one)):
                if hop in hops[site, prefix]:
                    continue
                narrower = route.prefix != prefix
                if narrower and targets[site, prefix] in whose:
                    continue
                told = taken_away.elsewhere(
                    seen.spec, zone.declared, zone.router, route, prefix, whose
                )
                yield Finding(site, told.why, f"{sentence(told.cure)}.", prefixes[prefix])


def held_by_a_vpc(seen: Seen) -> Iterator[Finding]:
    """Kube-OVN itself holds a route of the file: its Vpc has the same prefix and next hop.

    Kube-OVN keeps and takes away what stands in `spec.staticRoutes` of a Vpc (read in its source):
    icplan can neither take it over nor make another one beside it. And the next hop there is a
    fixed text, which leads nowhere as soon as the other zone's controller draws another address.
    Take it out of the Vpc, or out of the file. Once it is out of the Vpc, Kube-OVN deletes the
    route, and the prefix is not reached until `icplan apply` has made it again.
    """
    for one, state in sorted(seen.desired.items()):
        there = seen.observed.get(one)
        if one.kind != manual_route.NAME or not isinstance(there, Present):
            continue
        if there.owner != manual_route.KUBE_OVN:
            continue
        zone, (prefix, switch) = zones.find(seen.view, one.site), manual_route.place(one)
        to, hop = (
            str(plain(there.attributes, name)) for name in (manual_route.TO, manual_route.HOP)
        )
        vpc = zone.declared.router
        out = sentence(taken_away.out_of_the_vpc(seen.spec, one.site, vpc, prefix, hop))
        yield Finding(
            one.site,
            f"Vpc {vpc} of {one.site} has the route to {prefix} of {to} over {switch} already "
            f"(next hop {hop}): Kube-OVN holds it, and it cannot be the file's as well",
            f"{out}, then run `icplan apply`; or take {prefix} out of the file's routes from "
            f"{one.site} to {to}, and see to its next hop yourself.",
            state.origin,
        )


def two_targets(seen: Seen) -> Iterator[Finding]:
    """Two routes of one zone have the same prefix, and lead to different zones.

    Only one of them can be followed. Remove the other.
    """
    first: dict[tuple[str, str], str] = {}
    for pair in pairs(seen.view):
        for prefix, origin in pair.prefixes.items():
            other = first.setdefault((pair.source.name, prefix), pair.target.name)
            if other != pair.target.name:
                yield Finding(
                    pair.source.name,
                    f"{pair.source.name} has routes to {prefix} of {other} and to the same of "
                    f"{pair.target.name}",
                    "Remove one of the two.",
                    origin,
                )


def manual_beside_automatic(spec: Spec) -> Iterator[Finding]:
    """Some zones advertise, and one with manual routes is beside them.

    It is not advertised to them and learns nothing from them; and a zone that advertises cannot
    have a route of the file to it. Let all zones that shall reach each other have one policy.
    """
    present = [one for one in spec.interconnect.availability_zones if _present(one)]
    automatic = sorted(one.name for one in present if _automatic(spec, one))
    if not automatic:
        return
    shown = listed(automatic, FEW)
    for index, zone in enumerate(spec.interconnect.availability_zones):
        if _present(zone) and not _automatic(spec, zone):
            yield Finding(
                zone.name,
                f"{zone.name} has manual routes, and {shown} "
                f"{'advertise' if automatic[1:] else 'advertises'}: they learn nothing of each "
                "other",
                "Let all of them have the same routePolicy, unless that is meant.",
                spec.origin("availabilityZones", index, "routePolicy"),
            )


def family_not_carried(seen: Seen) -> Iterator[Finding]:
    """A route leads to a prefix of a family that the transit switches do not carry.

    A next hop has the family of its route. Let `transitSwitches` have that family, or both.
    """
    reader, carried = Reader(seen.view), families(seen.spec)
    for entry in all_entries(seen.spec):
        prefixes = reader.meaning(entry).prefixes
        # Of a subnet with both families that is called by name what can be routed is.
        if prefixes and not any(family(one) in carried for one in prefixes):
            yield Finding(
                entry.source.name,
                f"{', '.join(map(normal, prefixes))} of {entry.target.name} is "
                f"IPv{family(prefixes[0])}, which no transit switch carries",
                "Write `transitSwitches: {family: dual}`, or remove the route.",
                entry.origin(seen.spec),
            )
