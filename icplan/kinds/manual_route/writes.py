"""The guarded write of a manual route: a row, and its place in the router's table."""

from __future__ import annotations

from icplan.core.change import Change
from icplan.core.io import (
    NORTHBOUND,
    Database,
    Datum,
    Field,
    Insert,
    Link,
    NewRow,
    Precondition,
    SetKeys,
    Transaction,
    Update,
    Write,
    equals,
    includes,
)
from icplan.core.value import Known, Later, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import MARK, Resolution, Step, View
from icplan.kinds.common.transit_address import bare
from icplan.kinds.manual_route.hops import resolution
from icplan.kinds.manual_route.state import (
    DESTINATION,
    HOP,
    ORIGIN,
    POLICY,
    STATIC,
    SWITCH,
    TARGET,
    TO,
    place,
    rows,
)
from icplan.ovn.northbound import Router, StaticRoute
from icplan.ovn.prefix import family

TABLE = "Logical_Router_Static_Route"
ROUTER_TABLE = "Logical_Router"


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One transaction; static routes have no unique index, so that its guards must be exact."""
    zone = zones.find(view, change.address.site)
    router = zone.router
    if router is None:
        raise AssertionError("a route of a router that was not seen")
    found = rows(zone, change, view.owner)
    guards = [
        Precondition(
            f"{ROUTER_TABLE} {router.name}",
            ROUTER_TABLE,
            (equals("_uuid", router.uuid),),
            ((Field("name"), router.name),),
        ),
        *(_as_seen(route) for route in found),
    ]
    if change.after is None:
        gone = tuple(route.uuid for route in found)
        writes: list[Write] = [_linked(router, remove=gone)]
        return (_step(zone, guards, writes),)
    prefix, switch = place(change.address)
    target, hop = str(plain(change.after, TO)), change.after[HOP]
    marks = {MARK: view.owner, SWITCH: switch, TARGET: target}
    column: Datum | Later = hop if isinstance(hop, Later) else str(hop.value)
    static = ORIGIN in change.after
    if found:
        writes = _altered(found[0], column, marks, static=static)
        if POLICY in change.differing:
            where = (equals("_uuid", found[0].uuid),)
            writes.append(Update(TABLE, where, {"policy": DESTINATION}))
    else:
        guards += _nothing_there(zone, router, view.owner, prefix, switch, hop)
        writes = _made(router, prefix, column, marks, static=static)
    later = _later(change, view, target, switch, family(prefix))
    return (_step(zone, guards, writes, later),)


def _step(
    zone: zones.SeenZone,
    guards: list[Precondition],
    writes: list[Write],
    resolutions: tuple[Resolution, ...] = (),
) -> Step:
    database = Database(zone.name, NORTHBOUND)
    return Step(Transaction(database, tuple(guards), tuple(writes)), resolutions=resolutions)


def _later(
    change: Change, view: View, target: str, switch: str, version: int
) -> tuple[Resolution, ...]:
    hop = (change.after or {}).get(HOP)
    if not isinstance(hop, Later):
        return ()
    prefix, _ = place(change.address)
    lost = f"until then {change.address.site} does not reach {prefix} of {target} over {switch}"
    return (resolution(view, hop, target, switch, version, lost),)


def _as_seen(route: StaticRoute) -> Precondition:
    """What we own of the row, and what makes it the one that was seen."""
    marks = (MARK, SWITCH, TARGET)
    return Precondition(
        f"{TABLE} {route.prefix} over {route.nexthop}",
        TABLE,
        (equals("_uuid", route.uuid),),
        (
            (Field("nexthop"), route.nexthop),
            (Field("options", "origin"), route.origin),
            *((Field("external_ids", key), route.external_ids.get(key)) for key in marks),
        ),
    )


def _nothing_there(
    zone: zones.SeenZone, router: Router, owner: str, prefix: str, switch: str, hop: Known | Later
) -> list[Precondition]:
    """No row of ours that is this route, and none of anybody's that leads the same way."""
    mine = includes("external_ids", **{MARK: owner, SWITCH: switch})
    here = equals("ip_prefix", prefix)
    guards = [Precondition(f"{TABLE} {prefix}@{switch}", TABLE, (here, mine), rows=0)]
    if isinstance(hop, Known):
        there = equals("nexthop", str(hop.value))
        # Another router of the zone may have the same one, or this one for sources or in another
        # table, which is another route.
        count = sum(
            (one.written, one.nexthop) == (prefix, hop.value)
            for one in (*zone.northbound.routes_with(prefix), *zone.northbound.other_tables)
            if one.uuid not in router.static_routes or one.policy != DESTINATION or one.table
        )
        same = f"{TABLE} {prefix} over {hop.value}"
        guards.append(Precondition(same, TABLE, (here, there), rows=count))
    return guards


def _made(
    router: Router, prefix: str, hop: Datum | Later, marks: dict[str, str], *, static: bool
) -> list[Write]:
    columns: dict[str, Datum | Later] = {
        "ip_prefix": prefix,
        "nexthop": hop,
        "external_ids": marks,
    }
    if static:
        columns["options"] = {"origin": STATIC}
    row = NewRow("route")
    return [Insert(TABLE, columns, row.name), _linked(router, add=(row,))]


def _linked(router: Router, add: tuple[NewRow, ...] = (), remove: tuple[str, ...] = ()) -> Link:
    """Routes are no root rows: taken out of the router they are gone."""
    where = (equals("_uuid", router.uuid),)
    return Link(ROUTER_TABLE, where, "static_routes", add=add, remove=remove)


def _altered(
    route: StaticRoute, hop: Datum | Later, marks: dict[str, str], *, static: bool
) -> list[Write]:
    where = (equals("_uuid", route.uuid),)
    writes: list[Write] = []
    if isinstance(hop, Later) or bare(route.nexthop) != hop:
        writes.append(Update(TABLE, where, {"nexthop": hop}))
    writes.append(SetKeys(TABLE, where, "external_ids", {**marks}))
    if static and route.origin != STATIC:
        writes.append(SetKeys(TABLE, where, "options", {"origin": STATIC}))
    return writes
