"""The guarded writes of a transit port: both ends and the gateways in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from icplan.core.change import Change
from icplan.core.io import (
    NORTHBOUND,
    Database,
    Datum,
    Field,
    Insert,
    Link,
    NewRow,
    Operation,
    Precondition,
    SetKeys,
    Transaction,
    Update,
    Write,
    equals,
    includes,
)
from icplan.core.value import plain
from icplan.kinds.common import transit_evidence, zones
from icplan.kinds.common.contract import MARK, Step, View
from icplan.kinds.common.gateways import replaced
from icplan.kinds.transit_port.state import MAC, NETWORKS, SWITCH, of_zone, remnants_of
from icplan.ovn.attachment import Attachment, Remnants

FIRST_PRIORITY = 100
"""Of the active gateway; those that stand by follow downwards, as Kube-OVN does it."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A change's target, with the chassis behind the gateways' host names."""

    router: str
    router_port: str
    switch_port: str
    mac: str
    networks: tuple[str, ...]
    chassis: tuple[str, ...]


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write; two where no gateway stays: the old ones go once a new one serves."""
    zone, switch = zones.find(view, change.address.site), change.address.name
    found = of_zone(zone, switch)
    if not found or not _all_replaced(change, zone, found[0]):
        return (Step(operation(change, view)),)
    wanted = _wanted(change, zone)
    old = tuple(row.chassis for row in found[0].gateways)
    both = replace(wanted, chassis=(*wanted.chassis, *old))
    hosts = _texts(change, "gateways")
    serves = transit_evidence.served(
        change.address, zone.name, switch, hosts, frozenset({change.address})
    )
    database = Database(zone.name, NORTHBOUND)
    return (
        Step(
            Transaction(
                database,
                tuple(_as_seen(found[0])),
                tuple(_alteration(view, switch, found[0], both)),
            ),
            awaits=(serves,),
            leaves=f"{zone.name} has its old and its new gateways on {switch}, until `icplan "
            "apply` goes on",
        ),
        Step(
            Transaction(
                database,
                tuple(_both_there(view, found[0], both)),
                (
                    Link(
                        "Logical_Router_Port",
                        (equals("_uuid", found[0].router_port.uuid),),
                        "gateway_chassis",
                        remove=tuple(row.uuid for row in found[0].gateways),
                    ),
                ),
            )
        ),
    )


def _all_replaced(change: Change, zone: zones.SeenZone, found: Attachment) -> bool:
    """Whether the port stays and none of its gateways does, and some of them may be alive."""
    if change.after is None or {"router", "router-port", "switch-port"} & {*change.differing}:
        return False
    before = tuple(zone.southbound.host_of(row.chassis) or "" for row in found.gateways)
    return any(before) and replaced(before, _texts(change, "gateways"))


def _both_there(view: View, found: Attachment, both: _Wanted) -> list[Precondition]:
    """The port and its gateways are as the first step has left them."""
    port = found.router_port
    places = {chassis: FIRST_PRIORITY - place for place, chassis in enumerate(both.chassis)}
    old = {row.chassis: row.uuid for row in found.gateways}
    return [
        Precondition(
            f"Logical_Router_Port {port.name}",
            "Logical_Router_Port",
            (equals("_uuid", port.uuid),),
            (
                (Field("name"), port.name),
                (Field("networks"), both.networks),
                (Field("ha_chassis_group"), None),
                (Field("external_ids", MARK), view.owner),
            ),
        ),
        *(
            Precondition(
                f"Gateway_Chassis {chassis} of {port.name}",
                "Gateway_Chassis",
                (equals("_uuid", old[chassis]),)
                if chassis in old
                else (equals("name", f"{port.name}-{chassis}"),),
                ((Field("chassis_name"), chassis), (Field("priority"), priority)),
            )
            for chassis, priority in places.items()
        ),
    ]


def operation(change: Change, view: View) -> Operation:
    """The write of both ends and the gateways, in one transaction."""
    zone = zones.find(view, change.address.site)
    switch = change.address.name
    found = of_zone(zone, switch)
    half = None if found else remnants_of(view, zone, switch)
    preconditions: list[Precondition] = []
    writes: list[Write] = []
    if half is not None:
        preconditions += _halves_as_seen(half)
        writes += _removal_of_halves(half)
    if change.after is None:
        preconditions += _as_seen(found[0]) if found else []
        writes += _removal(found[0]) if found else []
    else:
        wanted = _wanted(change, zone)
        if not found:
            preconditions += _vacant(wanted, half)
            more, inserts = _creation(view, zone, switch, wanted)
            preconditions += more
            writes += inserts
        elif {"router", "router-port", "switch-port"} & set(change.differing):
            preconditions += _as_seen(found[0])
            more, inserts = _creation(view, zone, switch, wanted)
            preconditions += more
            writes += [*_removal(found[0]), *inserts]
        else:
            preconditions += _as_seen(found[0])
            writes += _alteration(view, switch, found[0], wanted)
    return Transaction(Database(zone.name, NORTHBOUND), tuple(preconditions), tuple(writes))


def _wanted(change: Change, zone: zones.SeenZone) -> _Wanted:
    attributes = change.after or {}

    def text(name: str) -> str:
        return str(plain(attributes, name))

    # The rules refuse a host without exactly one chassis before anything is written.
    chassis = tuple(zone.southbound.on_host(host)[0].name for host in _texts(change, "gateways"))
    return _Wanted(
        text("router"),
        text("router-port"),
        text("switch-port"),
        text("mac"),
        _texts(change, "networks"),
        chassis,
    )


def _texts(change: Change, name: str) -> tuple[str, ...]:
    value = plain(change.after or {}, name)
    return value if isinstance(value, tuple) else ()


def _vacant(wanted: _Wanted, half: Remnants | None) -> list[Precondition]:
    """Nothing but a half of our own may bear the names: they are unique in a database."""
    ours = {port.name for port in (half.router_port, half.switch_port) if port} if half else set()
    return [
        Precondition(f"{table} {name}", table, (equals("name", name),), rows=0)
        for table, name in (
            ("Logical_Router_Port", wanted.router_port),
            ("Logical_Switch_Port", wanted.switch_port),
        )
        if name not in ours
    ]


def _halves_as_seen(half: Remnants) -> list[Precondition]:
    return [
        Precondition(
            f"{table} {port.name}",
            table,
            (equals("_uuid", port.uuid),),
            ((Field("name"), port.name), *_marks(port.external_ids, (MARK,))),
        )
        for table, port in (
            ("Logical_Router_Port", half.router_port),
            ("Logical_Switch_Port", half.switch_port),
        )
        if port is not None
    ]


def _removal_of_halves(half: Remnants) -> list[Write]:
    writes: list[Write] = []
    if half.switch is not None and half.switch_port is not None:
        writes.append(_unlink("Logical_Switch", half.switch.uuid, half.switch_port.uuid))
    if half.router is not None and half.router_port is not None:
        writes.append(_unlink("Logical_Router", half.router.uuid, half.router_port.uuid))
    return writes


def _unlink(table: str, parent: str, port: str) -> Write:
    return Link(table, (equals("_uuid", parent),), "ports", remove=(port,))


def _as_seen(found: Attachment) -> list[Precondition]:
    """Everything of the port that we own is still what the plan saw."""
    router_port, switch_port = found.router_port, found.switch_port
    rows = [
        Precondition(
            f"Logical_Router_Port {router_port.name}",
            "Logical_Router_Port",
            (equals("_uuid", router_port.uuid),),
            (
                (Field("name"), router_port.name),
                (Field("mac"), router_port.mac),
                (Field("networks"), router_port.networks),
                (Field("gateway_chassis"), router_port.gateway_chassis),
                (Field("ha_chassis_group"), router_port.ha_chassis_group or None),
                *_marks(router_port.external_ids, (MARK, NETWORKS)),
            ),
        ),
        Precondition(
            f"Logical_Switch_Port {switch_port.name}",
            "Logical_Switch_Port",
            (equals("_uuid", switch_port.uuid),),
            (
                (Field("name"), switch_port.name),
                (Field("type"), switch_port.type),
                (Field("addresses"), switch_port.addresses),
                (Field("options", "router-port"), switch_port.router_port),
                *_marks(switch_port.external_ids, (MARK,)),
            ),
        ),
    ]
    rows += [
        Precondition(
            f"Gateway_Chassis {row.name}",
            "Gateway_Chassis",
            (equals("_uuid", row.uuid),),
            ((Field("chassis_name"), row.chassis), (Field("priority"), row.priority)),
        )
        for row in found.gateways
    ]
    return rows


def _marks(
    external_ids: Mapping[str, str], keys: tuple[str, ...]
) -> tuple[tuple[Field, str | None], ...]:
    return tuple((Field("external_ids", key), external_ids.get(key)) for key in keys)


def _removal(found: Attachment) -> list[Write]:
    """Ports are no root rows: taken out of their parents they are gone, gateways included."""
    return [
        _unlink("Logical_Switch", found.switch.uuid, found.switch_port.uuid),
        _unlink("Logical_Router", found.router.uuid, found.router_port.uuid),
    ]


def _creation(
    view: View, zone: zones.SeenZone, switch: str, wanted: _Wanted
) -> tuple[list[Precondition], list[Write]]:
    if zone.router is None:
        raise AssertionError("a port of a router that was not seen")
    # The switch may be made by ovn-ic in an earlier wave, so it is found by what ovn-ic records.
    on_switch = (equals("name", switch), includes("other_config", interconn_ts=switch))
    on_router = (equals("_uuid", zone.router.uuid),)
    gateways, inserts = _gateway_rows(wanted, wanted.chassis)
    preconditions = [
        Precondition(f"Logical_Switch {switch}", "Logical_Switch", on_switch),
        Precondition(
            f"Logical_Router {zone.router.name}",
            "Logical_Router",
            on_router,
            ((Field("name"), zone.router.name),),
        ),
    ]
    writes: list[Write] = [
        *inserts,
        Insert(
            "Logical_Router_Port",
            {
                "name": wanted.router_port,
                "mac": wanted.mac,
                "networks": wanted.networks,
                "external_ids": _port_marks(view, switch, wanted),
            },
            "router_port",
            {"gateway_chassis": gateways},
        ),
        Link("Logical_Router", on_router, "ports", add=(NewRow("router_port"),)),
        Insert(
            "Logical_Switch_Port",
            {
                "name": wanted.switch_port,
                "type": "router",
                "addresses": ("router",),
                "options": {"router-port": wanted.router_port},
                "external_ids": {MARK: view.owner},
            },
            "switch_port",
        ),
        Link("Logical_Switch", on_switch, "ports", add=(NewRow("switch_port"),)),
    ]
    return preconditions, writes


def _port_marks(view: View, switch: str, wanted: _Wanted) -> dict[str, str]:
    return {
        MARK: view.owner,
        NETWORKS: ",".join(wanted.networks),
        MAC: wanted.mac,
        SWITCH: switch,
    }


def _gateway_rows(
    wanted: _Wanted, chassis: tuple[str, ...]
) -> tuple[tuple[NewRow, ...], list[Write]]:
    """New rows for some of the wanted chassis; their priority follows from the whole order."""
    rows: list[NewRow] = []
    inserts: list[Write] = []
    for name in chassis:
        place = wanted.chassis.index(name)
        row = NewRow(f"gateway_{place}")
        rows.append(row)
        columns: dict[str, Datum] = {
            "name": f"{wanted.router_port}-{name}",
            "chassis_name": name,
            "priority": FIRST_PRIORITY - place,
        }
        inserts.append(Insert("Gateway_Chassis", columns, row.name))
    return tuple(rows), inserts


def _alteration(view: View, switch: str, found: Attachment, wanted: _Wanted) -> list[Write]:
    """In place: rows that stay are kept, so that only what changes is interrupted."""
    on_router_port = (equals("_uuid", found.router_port.uuid),)
    on_switch_port = (equals("_uuid", found.switch_port.uuid),)
    current = {row.chassis: row for row in found.gateways}
    gateways, inserts = _gateway_rows(
        wanted, tuple(name for name in wanted.chassis if name not in current)
    )
    kept = [(place, current[name]) for place, name in enumerate(wanted.chassis) if name in current]
    removed = tuple(row.uuid for row in found.gateways if row.chassis not in wanted.chassis)
    distinct = len({row.priority for row in found.gateways}) == len(found.gateways)
    in_order = distinct and [row.chassis for row in found.gateways] == list(wanted.chassis)
    writes: list[Write] = [
        *inserts,
        Update(
            "Logical_Router_Port",
            on_router_port,
            {
                "mac": wanted.mac,
                "networks": wanted.networks,
                "ha_chassis_group": None,
                "enabled": None,
            },
        ),
        Update("Logical_Switch_Port", on_switch_port, {"addresses": ("router",), "enabled": None}),
        SetKeys(
            "Logical_Router_Port", on_router_port, "external_ids", _port_marks(view, switch, wanted)
        ),
        SetKeys("Logical_Switch_Port", on_switch_port, "external_ids", {MARK: view.owner}),
    ]
    if gateways or removed:
        writes.append(
            Link(
                "Logical_Router_Port",
                on_router_port,
                "gateway_chassis",
                add=gateways,
                remove=removed,
            )
        )
    if not in_order:
        # Any descending priorities serve; those of an adopted port are left when they do.
        writes += [
            Update(
                "Gateway_Chassis",
                (equals("_uuid", row.uuid),),
                {"priority": FIRST_PRIORITY - place},
            )
            for place, row in kept
        ]
    return writes
