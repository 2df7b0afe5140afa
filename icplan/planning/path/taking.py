"""The links at the near end: how a zone comes to know another's subnet, and sends there. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.commands import shown
from icplan.core.words import REPAIRED
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import Held, Missing, Verdict
from icplan.kinds.common.controller import controller_cure, off_and_on_cure
from icplan.kinds.common.evidence import ovn_ic_cure, verdict
from icplan.kinds.common.registered import owners
from icplan.kinds.common.transit_address import bare, subnets
from icplan.kinds.common.transit_traffic import copies_on, copy_off
from icplan.ovn.attachment import of_router
from icplan.ovn.interconnect import IcSouthbound
from icplan.ovn.northbound import ALLOW_PRIORITY, LEARN, Northbound, StaticRoute, SwitchPort
from icplan.ovn.policies import taken
from icplan.ovn.prefix import family, inside, network, normal, ordered, overlap
from icplan.ovn.subnets import is_prefix
from icplan.planning.path.ends import End
from icplan.planning.path.leg import Leg, doer_cure, each, routers
from icplan.planning.path.links import Found, Probe, over_switches, vital
from icplan.planning.path.offering import attached, declared, denial, routed
from icplan.planning.taken_away import told


def probes(leg: Leg) -> Iterator[Probe]:
    """From the zone's own port to the policy that its packets meet first."""
    end, name, listed = leg.source, leg.source.zone.name, ", ".join(leg.prefixes)
    far = leg.target.zone.name
    yield from declared(leg, end)
    yield vital(f"router {end.zone.router} of {name} leads to {end}", lambda: routed(leg, end))
    yield from attached(leg, end)
    if not leg.by_hand:
        yield vital(f"{name} learns routes", lambda: _learning(leg))
        yield vital(f"{name} does not refuse {listed}", lambda: each(leg, lambda p: _let(leg, p)))
    yield over_switches(
        f"the port of {far} is a neighbour of that of {name}",
        leg.switches,
        lambda switch: leg.in_zone(end, lambda seen: _neighbour(leg, seen, switch)),
    )
    yield over_switches(
        f"{name} has a route to {listed} over {far}",
        leg.switches,
        lambda switch: leg.in_ic(
            lambda ic: leg.in_zone(end, lambda seen: _route(leg, ic, seen, switch))
        ),
    )
    yield Probe(f"no other route of {name} takes {listed}", lambda: _rivals(leg))
    if end.zone.kube_ovn:
        yield vital(
            f"a policy of {name} lets {listed} pass",
            lambda: leg.in_zone(end, lambda seen: _passed(leg, seen)),
        )
    yield Probe(f"no other policy of {name} takes {listed}", lambda: _taken(leg, end))
    yield Probe(
        f"no policy of {far} takes what comes for {listed}", lambda: _taken(leg, leg.target)
    )


def _neighbour(leg: Leg, seen: Northbound, switch: str) -> Verdict:
    """The zone has the other one's port on its side of a switch, in a network of its own.

    A next hop in no network of the router is no way: ovn-northd leaves the route out.
    """
    near, far, spec = leg.source.zone, leg.target.zone.name, leg.view.spec
    needed = {family(prefix) for prefix in leg.prefixes}
    networks = [
        one
        for found in of_router(seen, switch, near.router)
        for one in found.router_port.networks
        if is_prefix(one)
    ]
    copies = list(copies_on(seen, switch))
    for hop in leg.hops(switch, far):
        if family(hop) not in needed:
            continue
        if not any(inside(hop, normal(one)) for one in networks):
            return Missing(
                f"{hop} of {far} is in none of the networks that {near.name} has on {switch} "
                f"({', '.join(networks) or 'none'})",
                _outside(leg, switch, hop),
            )
        mine = [one for one in copies if hop in _addresses(one)]
        if not mine:
            return Missing(
                f"{near.name} has not made a port on its {switch} for {hop} of {far}",
                ovn_ic_cure(near.name),
            )
        if (off := copy_off(spec, near, mine[0])) is not None:
            return off
    return Held()


def _outside(leg: Leg, switch: str, hop: str) -> str:
    """What to do about the one of two neighbours that is not where the file wants its switch.

    A controller keeps the ports that it finds (docs/facts.md section 3).
    """
    switches = leg.view.spec.interconnect.transit_switches
    declared = subnets(switches.subnet_of(switches.names.index(switch)))
    right = any(inside(hop, str(one)) for one in declared)
    zone = leg.source.zone if right else leg.target.zone
    return off_and_on_cure(leg.view.spec, zone.name) if zone.kube_ovn else REPAIRED


def _addresses(copy: SwitchPort) -> set[str]:
    """Those of a port that ovn-ic made: each text is a MAC, and what it answers for."""
    return {bare(one) for text in copy.addresses for one in text.split()[1:]}


def _learning(leg: Leg) -> Verdict:
    zone = leg.source.zone
    return leg.in_zone(
        leg.source,
        lambda seen: verdict(
            seen.options.get(LEARN) == "true",
            f"NB_Global of {zone.name} has no {LEARN}=true",
            doer_cure(leg, zone),
        ),
    )


def _offered(leg: Leg, prefix: str) -> tuple[str, ...]:
    """What the target has published of what leads to a prefix."""
    ic = leg.facts.ic_southbound
    found = (
        one.prefix
        for one in (ic.routes if ic else ())
        if one.zone == leg.target.zone.name and inside(prefix, one.prefix)
    )
    return ordered(found)


def _let(leg: Leg, prefix: str) -> Verdict:
    """The zone's own denylist lets the prefix in: it works in both directions."""

    def test(seen: Northbound) -> Verdict:
        offered = _offered(leg, prefix) or (prefix,)
        denied = [one for one in offered if seen.denylist.denies(one)]
        if len(denied) < len(offered):
            return Held()
        name = leg.source.zone.name
        withheld = leg.source.zone.zone.withhold
        if any(is_prefix(one) and inside(denied[0], one) for one in withheld):
            origin = leg.source.zone.origin(leg.view.spec, "withhold")
            return Missing(
                f"{name} withholds {denied[0]} itself ({origin}), and so does not learn it",
                "take it out of `withhold`, or withhold a narrower prefix; then icplan apply",
            )
        why = denial(leg, leg.source, seen, denied[0])
        return Missing(f"{name} does not learn {denied[0]}: {why.why}", why.cure)

    return leg.in_zone(leg.source, test)


def _routes(leg: Leg, seen: Northbound) -> Iterator[StaticRoute]:
    """The zone's routes by destination."""
    for router in routers(leg.source, seen):
        yield from (one for one in seen.routes_of(router) if one.policy == "dst-ip")


def _all_hops(leg: Leg) -> set[str]:
    """The target's addresses on all switches."""
    name = leg.target.zone.name
    return {hop for switch in leg.switches for hop in leg.hops(switch, name)}


def _route(leg: Leg, ic: IcSouthbound, seen: Northbound, switch: str) -> Verdict:
    """A route to each prefix by way of the target's address on a switch."""
    near, far = leg.source.zone.name, leg.target.zone.name
    hops = leg.hops(switch, far)
    known = list(_routes(leg, seen))
    for prefix in leg.prefixes:
        of_family = [hop for hop in hops if family(hop) == family(prefix)]
        leading = [one for one in known if inside(prefix, one.prefix)]
        there = [one for one in leading if bare(one.nexthop) in of_family]
        astray = [one for one in there if not _leaves_by(leg, seen, switch, one)]
        if len(astray) < len(there):
            continue
        if astray:
            return _other_port(leg, astray[0], switch)
        if leg.by_hand:
            return _no_route_by_hand(leg, prefix, leading, of_family)
        offered = [
            one.prefix
            for one in ic.routes
            if (one.zone, one.transit_switch) == (far, switch) and inside(prefix, one.prefix)
        ]
        shown = ", ".join(ordered(offered)) or prefix
        return Missing(f"{near} has not learned {shown} of {far} on {switch}", ovn_ic_cure(near))
    return Held()


def _leaves_by(leg: Leg, seen: Northbound, switch: str, route: StaticRoute) -> bool:
    """Whether a route sends what it takes out of the zone's port on a switch."""
    own = {one.router_port.name for one in of_router(seen, switch, leg.source.zone.router)}
    return not route.output_port or route.output_port in own


def _other_port(leg: Leg, route: StaticRoute, switch: str) -> Missing:
    near = leg.source.zone
    row = ("logical_router_static_route", route.uuid, "output_port")
    cleared = ovn(leg.view.spec, near, "ovn-nbctl", "clear", *row)
    return Missing(
        f"the route {route.prefix} of {near.name} over {route.nexthop} leaves by "
        f"{route.output_port}, which is not its port on {switch}",
        f"let its next hop decide: {shown(cleared)}",
    )


def _no_route_by_hand(
    leg: Leg, prefix: str, leading: list[StaticRoute], hops: list[str]
) -> Missing:
    """What is missing where no zone's ovn-ic makes the routes."""
    near, far = leg.source.zone, leg.target.zone
    spec = leg.view.spec
    manual = near if not near.automatic(spec) else far
    known = owners(leg.facts)
    astray = [one for one in leading if not known.get(bare(one.nexthop))]
    there = f" (today {', '.join(hops)})" if hops else ""
    if astray:
        one = astray[0]
        gone = ovn(spec, near, "ovn-nbctl", "lr-route-del", near.router, one.prefix, one.nexthop)
        return Missing(
            f"{one.prefix} of {near.name} goes by hand to {one.nexthop}, which no zone has",
            f"{shown(gone)}, and `lr-route-add` with the address of {far.name}{there}",
        )
    if any(
        (route.from_, route.to) == (near.name, far.name)
        and any(
            one == leg.target.subnet or (is_prefix(one) and inside(prefix, one))
            for one in route.subnets
        )
        for route in spec.interconnect.routes
    ):
        return Missing(
            f"the route of {near.name} to {prefix} of {far.name} is declared, and not there",
            "icplan plan shows it, icplan apply makes it",
        )
    return Missing(
        f"{manual.name} exchanges no routes (routePolicy: manual), and {near.name} has no route "
        f"by hand to {prefix} of {far.name}",
        f"add to `routes`: {{from: {near.name}, to: {far.name}, subnets: [{leg.target.text}]}}, "
        "then icplan apply",
    )


def _rivals(leg: Leg) -> Found:
    """No network or route of the zone itself takes what goes to the prefix, or a part of it."""
    partly: Missing | None = None
    unseen = leg.facts.zone_unseen(leg.source.zone.name)
    if unseen is not None:
        return unseen, True
    seen, hops = leg.facts.northbound[leg.source.zone.name], _all_hops(leg)
    for prefix in leg.prefixes:
        used = [
            network(one.prefix).prefixlen
            for one in _routes(leg, seen)
            if inside(prefix, one.prefix) and bare(one.nexthop) in hops
        ]
        for theirs, what in _others(leg, seen, hops):
            # A narrower one wins; of equal ones nobody says which does (docs/facts.md section 9).
            if not overlap(theirs, prefix) or network(theirs).prefixlen < max(used, default=0):
                continue
            whole = inside(prefix, theirs)
            part = prefix if whole else f"the part {theirs} of {prefix}"
            found = Missing(
                f"{what} in {leg.source.zone.name} takes {part}",
                "renumber one of the two, withhold it where it is not needed, or delete the route",
            )
            if whole:
                return found, True
            partly = partly or found
    return (partly, False) if partly else (Held(), True)


def _others(leg: Leg, seen: Northbound, hops: set[str]) -> Iterator[tuple[str, str]]:
    """What else the zone's router knows, with words for it: but for default routes."""
    for router in routers(leg.source, seen):
        for port in seen.ports_of(router):
            for one in port.networks:
                if is_prefix(one):
                    yield normal(one), f"the own network {normal(one)} (router port {port.name})"
    known = owners(leg.facts)
    for route in _routes(leg, seen):
        if bare(route.nexthop) not in hops and is_prefix(route.prefix):
            whose = ", ".join(sorted(known.get(bare(route.nexthop), ())))
            of = f" of {whose}" if whose else ""
            kind = "learned route" if route.learned else "static route"
            yield route.prefix, f"the {kind} {route.prefix} over {route.nexthop}{of}"


def _passed(leg: Leg, seen: Northbound) -> Verdict:
    """Kube-OVN's own policies reroute what no such policy lets pass (docs/facts.md section 7)."""
    allowed = [
        one.allowed
        for router in routers(leg.source, seen)
        for one in seen.policies_of(router)
        if one.allowed is not None
    ]
    name = leg.source.zone.name
    for prefix in leg.prefixes:
        if any(inside(prefix, one) for one in allowed):
            continue
        cure = controller_cure(leg.view.spec, name)
        hops = _all_hops(leg)
        mine = [
            one
            for one in _routes(leg, seen)
            if inside(prefix, one.prefix) and bare(one.nexthop) in hops
        ]
        if mine and not mine[0].learned:
            row = ("logical_router_static_route", mine[0].uuid, "options:origin=static")
            given = ovn(leg.view.spec, leg.source.zone, "ovn-nbctl", "set", *row)
            cure = f"give the route what makes the controller add it within 5 s: {shown(given)}"
        return Missing(
            f"no policy of priority {ALLOW_PRIORITY} in {name} lets traffic to {prefix} pass: "
            "its other policies send it elsewhere",
            cure,
        )
    return Held()


def _taken(leg: Leg, end: End) -> Found:
    """No policy of an end's router drops or reroutes the packets, on their way out or in."""
    unseen = leg.facts.zone_unseen(end.zone.name)
    if unseen is not None:
        return unseen, True
    seen, hops = leg.facts.northbound[end.zone.name], _all_hops(leg) if end is leg.source else ()
    partly: Missing | None = None
    for router in routers(end, seen):
        policies = seen.policies_of(router)
        takers = taken(policies, leg.source.prefixes, leg.prefixes, hops)
        for one in takers:
            found = told(leg.view.spec, end.zone, router, one, takers)
            if one.certain:
                return found, True
            partly = partly or found
    return (partly, False) if partly else (Held(), True)
