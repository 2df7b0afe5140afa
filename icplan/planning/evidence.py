"""All evidence that reality serves the file: each kind's, and that of pairs of zones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from icplan.core.address import IC, Address
from icplan.core.change import Change
from icplan.kinds import CHAIN, KINDS
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.controller import controller_cure
from icplan.kinds.common.evidence import ovn_ic_cure
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.transit_switches import needed
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import ALLOW_PRIORITY, StaticRoute
from icplan.ovn.prefix import family, ordered
from icplan.planning import next_hops, taken_away
from icplan.planning.exchanged import Exchanged, Latest
from icplan.planning.objects import exchange, objects
from icplan.spec.load import Spec


def checks(view: View, changes: Sequence[Change] = ()) -> tuple[Check, ...]:
    """Every check, in the order of the chain: what stands earlier is needed by what follows.

    A zone that leaves is written backwards, and so is its evidence: its name goes last.

    Args:
        view: the file and the facts.
        changes: those of a plan.
    """
    leaving = {zone.name for zone in zones.declared(view.spec) if not zone.present}
    found = {kind.name: tuple(kind.checks(view)) for kind in KINDS}
    staying = [one for kind in CHAIN for one in found[kind.name] if one.address.site not in leaving]
    return (
        *sorted(staying, key=lambda one: not (one.first or one.address.site == IC)),
        *(
            one
            for kind in reversed(KINDS)
            for one in found[kind.name]
            if one.address.site in leaving
        ),
        *_pairs(view),
        *next_hops.checks(view, changes),
        *taken_away.checks(view),
    )


def _pairs(view: View) -> Iterator[Check]:
    """Each present zone has learned what each other one advertises, and nothing of those gone."""
    declared = list(zones.declared(view.spec))
    switches = view.spec.interconnect.transit_switches.names
    parts = {zone.name: objects(zone, switches) for zone in declared}
    # Of a thousand zones there are a million pairs: none of them may look at all routes.
    known = Latest(Exchanged)
    for learner in declared:
        if not learner.present or not learner.automatic(view.spec):
            continue
        yield _orphans(learner, declared, view.spec.without)
        for origin in declared:
            if origin.name == learner.name:
                continue
            if origin.present and origin.automatic(view.spec):
                both = parts[learner.name] | parts[origin.name]
                yield _learned(learner, origin, switches, both, known)
                if learner.kube_ovn:
                    yield _passed(view.spec, learner, origin, both, known)
            elif not origin.present:
                yield _forgotten(learner, origin, known)


def _learned_routes(facts: Facts, zone: zones.DeclaredZone) -> Iterator[StaticRoute]:
    """What ovn-ic has made in a zone of what others advertise."""
    seen = facts.northbound[zone.name]
    for router in seen.routers_named(zone.router):
        yield from (route for route in seen.routes_of(router) if route.learned)


def _kept(
    facts: Facts, zone: zones.DeclaredZone, which: Callable[[StaticRoute], bool]
) -> tuple[str, ...]:
    """The prefixes of some of a zone's learned routes, in order."""
    return ordered(route.prefix for route in _learned_routes(facts, zone) if which(route))


def _learned(
    learner: zones.DeclaredZone,
    origin: zones.DeclaredZone,
    switches: tuple[str, ...],
    both: frozenset[Address],
    known: Latest[Exchanged],
) -> Check:
    """One check a pair and direction: the routes over all switches; `both` are their objects."""

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(learner.name) or facts.zone_unseen(origin.name)
        unseen = unseen or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        return _compare(facts, known(facts), learner, origin, switches)

    return Check(
        exchange(learner),
        f"{learner.name} has learned the subnets of {origin.name}",
        both.union(*map(needed, switches)),
        test,
        peer=origin.name,
    )


def _compare(
    facts: Facts,
    known: Exchanged,
    learner: zones.DeclaredZone,
    origin: zones.DeclaredZone,
    switches: tuple[str, ...],
) -> Verdict:
    denied = facts.northbound[learner.name].denylist
    offered = [prefix for prefix in known.offered(origin) if not denied.denies(prefix)]
    held = known.held(learner)
    for switch in switches:
        hops, published = known.hops(origin.name, switch), known.published(origin.name, switch)
        # A switch carries only the families of its own subnet: an IPv6 route that is advertised
        # over an IPv4 switch is not learned (measured with OVN 23.03.1).
        carried = [one for one in offered if any(family(hop) == family(one) for hop in hops)]
        unpublished = ordered(one for one in carried if one not in published)
        if unpublished:
            return Missing(
                f"{origin.name} does not advertise {', '.join(unpublished)} on {switch}",
                ovn_ic_cure(origin.name),
            )
        unlearned = ordered(
            one
            for one in carried
            if not any(one in held.get(hop, ()) for hop in hops if family(hop) == family(one))
        )
        if unlearned:
            return Missing(
                f"{learner.name} has not learned {', '.join(unlearned)} of {origin.name} "
                f"on {switch}",
                ovn_ic_cure(learner.name),
            )
        # Routes that lead to the zone's port and that it does not advertise.
        stale = ordered(one for hop in hops for one in held.get(hop, ()) if one not in published)
        if stale:
            return Missing(
                f"{learner.name} still holds {', '.join(stale)} of {origin.name}, which is not "
                "advertised any more",
                ovn_ic_cure(learner.name),
            )
        if offered and not hops:
            return Missing(f"{origin.name} has no port on {switch}", ovn_ic_cure(origin.name))
    return Held()


def _passed(
    spec: Spec,
    learner: zones.DeclaredZone,
    origin: zones.DeclaredZone,
    both: frozenset[Address],
    known: Latest[Exchanged],
) -> Check:
    """A Kube-OVN zone lets traffic to what it learned pass, before its policies reroute it."""

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(learner.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        seen = known(facts)
        theirs = seen.all_published(origin.name)
        learned = {one for held in seen.held(learner).values() for one in held & theirs}
        held_up = ordered(learned - seen.passed(learner))
        if not held_up:
            return Held()
        return Missing(
            f"no policy of priority {ALLOW_PRIORITY} in {learner.name} lets traffic to "
            f"{', '.join(held_up)} pass",
            controller_cure(spec, learner.name),
        )

    return Check(
        exchange(learner),
        f"{learner.name} lets traffic to {origin.name} pass",
        both,
        test,
        peer=origin.name,
    )


def _orphans(
    learner: zones.DeclaredZone, declared: list[zones.DeclaredZone], left_out: frozenset[str]
) -> Check:
    """No learned route outlives the row that it was made from, whoever's it was.

    But for what leads to zones that are left out: what they do meanwhile is nobody's concern.
    """

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(learner.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        alive = {route.uuid for route in facts.ic_southbound.routes}
        theirs = {
            bare(net)
            for port in facts.ic_southbound.ports
            if port.zone in left_out
            for net in port.networks
        }
        left = _kept(
            facts,
            learner,
            lambda one: one.learned_from not in alive and bare(one.nexthop) not in theirs,
        )
        if not left:
            return Held()
        return Missing(
            f"{learner.name} still holds {', '.join(left)}, which nobody advertises any more",
            ovn_ic_cure(learner.name),
        )

    return Check(
        exchange(learner),
        f"{learner.name} holds only routes that are advertised",
        frozenset(exchange(zone) for zone in declared),
        test,
    )


def _forgotten(
    learner: zones.DeclaredZone, origin: zones.DeclaredZone, known: Latest[Exchanged]
) -> Check:
    """A zone that leaves takes its routes out of the others."""

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(learner.name) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        seen = known(facts)
        held = seen.held(learner)
        left = ordered(one for hop in seen.all_hops(origin.name) for one in held.get(hop, ()))
        if not left:
            return Held()
        return Missing(
            f"{learner.name} still holds {', '.join(left)} of {origin.name}",
            ovn_ic_cure(learner.name),
        )

    return Check(
        exchange(learner),
        f"{learner.name} has dropped the routes of {origin.name}",
        frozenset({exchange(origin)}),
        test,
        peer=origin.name,
    )
