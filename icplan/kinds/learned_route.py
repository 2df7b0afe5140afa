"""Learned routes that have stayed in a zone which is out. Never those of an interconnected zone."""

from __future__ import annotations

from collections.abc import Iterator, Set

from icplan.core.address import IC, Address
from icplan.core.change import Change, Effect, Impact, Reason
from icplan.core.io import (
    IC_SOUTHBOUND,
    NORTHBOUND,
    Database,
    Field,
    Link,
    Operation,
    Precondition,
    Query,
    Transaction,
    Unreadable,
    equals,
)
from icplan.core.state import DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Known
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Afresh, Check, Kind, Step, View
from icplan.kinds.common.evidence import in_zone, verdict
from icplan.kinds.common.registered import sites
from icplan.kinds.common.residue import (
    LEARNED_KIND,
    learned,
    learned_address,
    learned_orphans,
    name_when_out,
    switched_off_guard,
)
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import LEARN, LEARNED_FROM, Northbound, StaticRoute
from icplan.spec.load import Spec

NAME = LEARNED_KIND
ROUTE_TABLE = "Logical_Router_Static_Route"
IC_ROUTES = Database(IC, IC_SOUTHBOUND)


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the zones' routes are read for their names or ConfigMaps."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """A zone that is out holds nothing that it learned."""
    return {
        learned_address(zone.name): DeclaredAbsent(
            zone.declared.origin(view.spec, "state"), Reason.ORPHANED
        )
        for zone, _ in learned_orphans(view)
    }


def observed(view: View) -> dict[Address, Observed]:
    """The routes that nobody takes away, each prefix with its next hops."""
    return {
        learned_address(zone.name): Present(_shown(found), None)
        for zone, found in learned_orphans(view)
    }


def _shown(routes: tuple[StaticRoute, ...]) -> dict[str, Known]:
    hops: dict[str, tuple[str, ...]] = {}
    for one in routes:
        hops[one.prefix] = (*hops.get(one.prefix, ()), one.nexthop)
    return {prefix: Known(via) for prefix, via in hops.items()}


def effects(change: Change, view: View) -> Iterator[Effect]:
    """Nobody follows them to any end."""
    zone = change.address.site
    sentence = f"{zone} is out of the interconnection, and these routes lead nowhere"
    if drawing := sorted({one for _, one in _redrawn(change, view)}):
        draw, their = ("draws", "its") if len(drawing) == 1 else ("draw", "their")
        sentence += (
            f"; {', '.join(drawing)} {draw} other addresses before: {their} routes are then taken "
            "away with the next hops that they have by that time"
        )
    yield Effect(zone, Impact.NONE, sentence, tuple(change.before or ()))


def _redrawn(change: Change, view: View) -> frozenset[tuple[str, str]]:
    """The prefixes whose next hops another change of the plan alters, each with whose it is."""
    ic, shown, drawing = view.facts.ic_southbound, change.before or {}, view.outlook.drawing
    if ic is None or not drawing:
        return frozenset()
    names = sites(view.facts)
    found = ((one.prefix, names.get(one.zone, one.zone)) for one in ic.routes)
    return frozenset(
        (prefix, zone) for prefix, zone in found if prefix in shown and zone in drawing
    )


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write, unless the controller, or what other zones do until then, has done it all.

    What a zone learned of another one goes when that leaves, too, as long as its own ovn-ic runs:
    of zones that leave one after another only a part of what the plan shows is left in the end.
    """
    zone = zones.find(view, change.address.site)
    guards = (switched_off_guard(zone.name),) if zone.name in view.facts.clusters else ()
    database = Database(zone.name, NORTHBOUND)
    redrawn = _redrawn(change, view)

    def again(facts: Facts) -> Operation | Unreadable:
        seen, ic = facts.northbound.get(zone.name), facts.ic_southbound
        if seen is None:
            return facts.unseen.get(database, NOT_ASKED)
        if not redrawn:
            return _write(change, view, seen)
        if ic is None:
            return facts.unseen.get(IC_ROUTES, NOT_ASKED)
        # A zone that was rebuilt has its own name by then.
        moved = {one.uuid for one in ic.routes if (one.prefix, one.zone) in redrawn}
        return _write(change, view, seen, moved)

    queries = (
        *(_registered() if redrawn else ()),
        Query(database, "Logical_Router", ("name", "static_routes")),
        Query(
            database,
            ROUTE_TABLE,
            ("ip_prefix", "nexthop", "policy", "route_table", "external_ids"),
        ),
    )
    return (
        Step(
            _write(change, view, zone.northbound),
            guards,
            unless=(_holds_none(zone.declared),),
            afresh=Afresh(queries, again),
        ),
    )


def _registered() -> tuple[Query, ...]:
    """What tells whose a learned route is."""
    columns = ("transit_switch", "availability_zone", "ip_prefix", "nexthop")
    return Query(IC_ROUTES, "Availability_Zone", ("name",)), Query(IC_ROUTES, "Route", columns)


def _write(
    change: Change, view: View, seen: Northbound, moved: Set[str] = frozenset()
) -> Transaction:
    """The routes that the plan shows taken off their routers, while nothing there learns any.

    Args:
        change: with the prefixes and next hops that it shows.
        view: what the plan rests on.
        seen: the zone's routers and routes, now.
        moved: the rows of the IC southbound database that the plan says get other next hops: what
            was learned from them goes, too.
    """
    zone = zones.find(view, change.address.site)
    # Without a name ovn-ic idles; a controller that is told to be out takes the option off.
    idle = (Field("options", LEARN), None) if zone.declared.kube_ovn else None
    preconditions = [
        Precondition(
            f"NB_Global of {zone.name}",
            "NB_Global",
            (equals("_uuid", zone.northbound.global_uuid),),
            ((Field("name"), name_when_out(view, zone)), *([idle] if idle else [])),
        )
    ]
    writes = []
    for router in seen.routers_named(zone.declared.router):
        routes = tuple(
            one
            for one in seen.routes_of(router)
            if one.learned and (_in(change, one) or one.learned_from in moved)
        )
        if not routes:
            continue
        where = (equals("_uuid", router.uuid),)
        name = ((Field("name"), router.name),)
        preconditions.append(
            Precondition(f"Logical_Router {router.name}", "Logical_Router", where, name)
        )
        preconditions += map(_same_or_gone, routes)
        gone = tuple(one.uuid for one in routes)
        writes.append(Link("Logical_Router", where, "static_routes", remove=gone))
    return Transaction(Database(zone.name, NORTHBOUND), tuple(preconditions), tuple(writes))


def _in(change: Change, route: StaticRoute) -> bool:
    """Whether a change shows a route: ovn-ic may make its row anew meanwhile."""
    shown = (change.before or {}).get(route.prefix)
    hops = shown.value if isinstance(shown, Known) else ()
    return isinstance(hops, tuple) and route.nexthop in hops


def _same_or_gone(route: StaticRoute) -> Precondition:
    """The row is still that learned route, unless somebody else was faster."""
    return Precondition(
        f"the learned route to {route.prefix} via {route.nexthop}",
        ROUTE_TABLE,
        (equals("_uuid", route.uuid),),
        (
            (Field("ip_prefix"), route.written),
            (Field("nexthop"), route.nexthop),
            (Field("external_ids", LEARNED_FROM), route.learned_from),
        ),
        or_none=True,
    )


def checks(_view: View) -> Iterator[Check]:
    """None of its own: those of the zone's ConfigMap, or of its route exchange, say it."""
    return iter(())


def _holds_none(zone: zones.DeclaredZone) -> Check:
    """The controller may turn out to be a newer one, which takes them away itself."""
    return Check(
        learned_address(zone.name),
        f"{zone.name} holds no learned route any more",
        frozenset(),
        in_zone(
            zone.name,
            lambda seen: verdict(
                not learned(seen, zone.router),
                f"router {zone.router} of {zone.name} still holds learned routes",
                "icplan plan lists them, icplan apply takes them away",
            ),
        ),
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
