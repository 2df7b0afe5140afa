"""A plain OVN zone's port on a transit switch: both ends, its address, its gateways in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from icplan.core.address import Address
from icplan.core.change import Action, Change, Effect, Impact
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
    Query,
    SetKeys,
    Transaction,
    Unreadable,
    Update,
    Write,
    equals,
    includes,
)
from icplan.core.state import Absent, Declared, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Plain, known, plain
from icplan.kinds.common import transit_address, zones
from icplan.kinds.common.contract import MARK, Check, Held, Kind, Missing, Verdict, View
from icplan.kinds.common.evidence import in_ic, ovn_ic_cure, verdict
from icplan.ovn import southbound
from icplan.ovn.attachment import Attachment, attachments, of_router
from icplan.ovn.facts import Facts
from icplan.ovn.interconnect import IcSouthbound
from icplan.spec.load import Spec

NAME = "port"
NETWORKS = "icplan-networks"
"""What we gave the port, so that a change by hand shows even when it is a good address too."""
FIRST_PRIORITY = 100
"""Of the active gateway; those that stand by follow downwards, as Kube-OVN does it."""


def address(zone: str, switch: str) -> Address:
    """The address of a zone's port on a switch."""
    return Address(zone, NAME, switch)


def queries(spec: Spec, _facts: Facts | None) -> Iterator[Query]:
    """The zones' chassis; the ports themselves are read with the northbound database."""
    for one in zones.declared(spec):
        yield from southbound.queries(one.name)


# Desired


def rotated(gateways: tuple[str, ...], index: int) -> tuple[str, ...]:
    """The gateways of the switch with that index.

    Each switch begins with another one, as Kube-OVN does it: with several switches traffic is
    spread over the gateways (domain facts section 4).
    """
    if not gateways:
        return ()
    start = index % len(gateways)
    return gateways[start:] + gateways[:start]


def desired(view: View) -> dict[Address, Desired]:
    """One port for each zone and switch, whose address nobody else has."""
    wanted: dict[Address, Desired] = {}
    if view.facts.ic_unseen() is not None:
        return wanted
    switches = view.spec.interconnect.transit_switches
    for index, switch in enumerate(switches.names):
        networks = _networks(view, switch, switches.subnet_of(index))
        for zone in zones.seen(view):
            if zone.name not in networks:
                continue
            found = _of_zone(zone, switch)
            ours = found[0] if found else None
            attributes = known(
                router=zone.declared.zone.router,
                router_port=ours.router_port.name if ours else f"{zone.name}-{switch}",
                switch_port=ours.switch_port.name if ours else f"{switch}-{zone.name}",
                mac=_mac(view, zone.name, switch, ours),
                networks=networks[zone.name],
                gateways=rotated(zone.declared.zone.gateway_nodes, index),
            )
            origin = zone.declared.origin(view.spec, "gatewayNodes")
            wanted[address(zone.name, switch)] = Declared(attributes, origin)
    for zone in zones.seen(view):
        if not zone.declared.present:
            origin = zone.declared.origin(view.spec)
            for switch in _switches(view, zone):
                wanted[address(zone.name, switch)] = DeclaredAbsent(origin)
    return wanted


def _mac(view: View, zone: str, switch: str, found: Attachment | None) -> str:
    """An adopted port keeps its MAC; ours has the one that follows from the names."""
    if found is not None and (
        found.router_port.external_ids.get(MARK) != view.owner
        or "icplan-mac" in found.router_port.external_ids
    ):
        return found.router_port.external_ids.get("icplan-mac", found.router_port.mac)
    return transit_address.mac(zone, switch)


def _networks(view: View, switch: str, subnets: str) -> Mapping[str, tuple[str, ...]]:
    """The addresses of all zones on a switch; a zone that cannot be served is left out."""
    result: dict[str, tuple[str, ...]] = {}
    members: list[tuple[zones.SeenZone, tuple[str, ...]]] = []
    for zone in zones.seen(view):
        found = _of_zone(zone, switch)
        if not zone.declared.present or zone.router is None or len(found) > 1:
            continue
        members.append((zone, _given(view, found[0]) if found else ()))
    names = {zone.name for zone, _ in members}
    taken = _taken_by_others(view, switch, names)
    # Those that have an address come first, or a newcomer could take it from them.
    for zone, current in sorted(members, key=lambda one: (not one[1], one[0].name)):
        chosen = [
            transit_address.keep_or_choose(zone.name, subnet, current, taken)
            for subnet in transit_address.subnets(subnets)
        ]
        if all(chosen):
            result[zone.name] = tuple(one for one in chosen if one)
            taken |= {transit_address.bare(one) for one in result[zone.name]}
    return result


def _given(view: View, found: Attachment) -> tuple[str, ...]:
    """The addresses that a port should keep: what we gave it, else what it has."""
    marks = found.router_port.external_ids
    if marks.get(MARK) == view.owner and NETWORKS in marks:
        return tuple(marks[NETWORKS].split(","))
    return found.router_port.networks


def _taken_by_others(view: View, switch: str, members: set[str]) -> set[str]:
    ic = view.facts.ic_southbound
    return {
        transit_address.bare(one)
        for port in (ic.ports if ic else ())
        if port.transit_switch == switch and port.zone not in members
        for one in port.networks
    }


# Observed


def _of_zone(zone: zones.SeenZone, switch: str) -> tuple[Attachment, ...]:
    """The zone's ports on a switch: of its router, whatever their names, else what is marked."""
    found = of_router(zone.northbound, switch, zone.declared.zone.router)
    return found or tuple(
        one for one in attachments(zone.northbound, switch) if MARK in one.switch_port.external_ids
    )


def _switches(view: View, zone: zones.SeenZone) -> tuple[str, ...]:
    """The transit switches on which something of the zone may hang, declared or not."""
    declared = view.spec.interconnect.transit_switches.names
    there = {one.transit_switch for one in zone.northbound.switches if one.transit_switch}
    return tuple(sorted({*declared, *there}))


def observed(view: View) -> dict[Address, Observed]:
    """The zones' ports on all switches that their databases know."""
    states: dict[Address, Observed] = {}
    ic_unseen = view.facts.ic_unseen()
    for declared in zones.declared(view.spec):
        unseen = view.facts.zone_unseen(declared.name) or ic_unseen
        if unseen is not None:
            for switch in view.spec.interconnect.transit_switches.names:
                states[address(declared.name, switch)] = unseen
    for zone in zones.seen(view) if ic_unseen is None else ():
        for switch in _switches(view, zone):
            found = _of_zone(zone, switch)
            if not found:
                states[address(zone.name, switch)] = Absent()
            elif len(found) > 1:
                # A rule refuses it; nothing can be said of "the" port.
                states[address(zone.name, switch)] = Unreadable(
                    f"router {zone.declared.zone.router} has {len(found)} ports on {switch}: "
                    + ", ".join(one.switch_port.name for one in found),
                    "delete all but one of them",
                )
            else:
                states[address(zone.name, switch)] = _present(zone, found[0])
    return states


def _present(zone: zones.SeenZone, found: Attachment) -> Present:
    attributes: dict[str, Plain] = {
        "router": found.router.name,
        "router_port": found.router_port.name,
        "switch_port": found.switch_port.name,
        "mac": found.router_port.mac,
        "networks": found.router_port.networks,
        "gateways": _gateways(zone, found),
    }
    return Present(known(**attributes), found.switch_port.external_ids.get(MARK))


def _gateways(zone: zones.SeenZone, found: Attachment) -> tuple[str, ...]:
    """The gateways' host names, the active one first; a chassis that is gone by its own name."""
    names = tuple(
        zone.southbound.host_of(row.chassis) or f"chassis {row.chassis} (gone)"
        for row in found.gateways
    )
    # OVN ignores the gateway chassis of a port that has a group: shown, so that it is repaired.
    return (*names, "HA chassis group") if found.router_port.ha_chassis_group else names


# Effects


def effects(change: Change, view: View) -> Iterator[Effect]:
    """What a port's change does to traffic; the gaps were measured with OVN 23.03.1."""
    zone, switch = change.address.site, change.address.name
    if change.action is Action.DELETE:
        yield _loss(view, zone, switch)
        return
    if change.before is None:
        yield Effect(zone, Impact.NONE, f"{zone} gets a way to the other zones over {switch}")
        return
    differing = set(change.differing)
    if differing & {"router", "router-port", "switch-port"}:
        yield Effect(
            zone,
            Impact.OUTAGE,
            f"the port on {switch} is made anew: {zone} is cut off for 1 to 5 s",
        )
    elif differing & {"networks", "mac"}:
        yield Effect(
            zone,
            Impact.BRIEF,
            f"the other zones learn {zone}'s new address on {switch}: a gap below 1 s",
        )
    if "gateways" in differing:
        yield _gateway_effect(change, zone, switch)


def _loss(view: View, zone: str, switch: str) -> Effect:
    seen = view.facts.northbound[zone]
    others = [
        name
        for name in view.spec.interconnect.transit_switches.names
        if name != switch and attachments(seen, name)
    ]
    leaving = any(not one.present and one.name == zone for one in zones.declared(view.spec))
    if others and not leaving:
        return Effect(
            zone,
            Impact.BRIEF,
            f"{zone} keeps {', '.join(others)}; flows over {switch} move there, a gap below 1 s",
        )
    return Effect(zone, Impact.OUTAGE, f"{zone} has no way to other zones any more", leaves=True)


def _gateway_effect(change: Change, zone: str, switch: str) -> Effect:
    before = plain(change.before or {}, "gateways")
    after = plain(change.after or {}, "gateways")
    active_before = before[0] if isinstance(before, tuple) and before else None
    active_after = after[0] if isinstance(after, tuple) and after else None
    if active_before == active_after:
        return Effect(
            zone, Impact.NONE, f"{active_after} stays active on {switch}; only the standby changes"
        )
    if active_before is None:
        return Effect(zone, Impact.NONE, f"{active_after} becomes active on {switch}")
    return Effect(
        zone,
        Impact.BRIEF,
        f"{active_after} takes {switch} over from {active_before}: a gap below 1 s",
    )


# Operations


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A change's target, with the chassis behind the gateways' host names."""

    router: str
    router_port: str
    switch_port: str
    mac: str
    networks: tuple[str, ...]
    chassis: tuple[str, ...]


def operation(change: Change, view: View) -> Operation:
    """The write of both ends and the gateways, in one transaction."""
    zone = next(one for one in zones.seen(view) if one.name == change.address.site)
    switch = change.address.name
    found = _of_zone(zone, switch)
    preconditions: list[Precondition] = []
    writes: list[Write] = []
    if change.after is None:
        preconditions += _as_seen(found[0])
        writes += _removal(found[0])
    else:
        wanted = _wanted(change, zone)
        if not found:
            preconditions += _vacant(wanted)
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
            writes += _alteration(view, found[0], wanted)
    return Transaction(Database(zone.name, NORTHBOUND), tuple(preconditions), tuple(writes))


def _wanted(change: Change, zone: zones.SeenZone) -> _Wanted:
    attributes = change.after or {}

    def text(name: str) -> str:
        return str(plain(attributes, name))

    def texts(name: str) -> tuple[str, ...]:
        value = plain(attributes, name)
        return value if isinstance(value, tuple) else ()

    # The rules refuse a host without exactly one chassis before anything is written.
    chassis = tuple(zone.southbound.on_host(host)[0].name for host in texts("gateways"))
    return _Wanted(
        text("router"),
        text("router-port"),
        text("switch-port"),
        text("mac"),
        texts("networks"),
        chassis,
    )


def _vacant(wanted: _Wanted) -> list[Precondition]:
    """Nothing may bear the names yet: both are unique in a northbound database."""
    return [
        Precondition(f"{table} {name}", table, (equals("name", name),), rows=0)
        for table, name in (
            ("Logical_Router_Port", wanted.router_port),
            ("Logical_Switch_Port", wanted.switch_port),
        )
    ]


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
        Link(
            "Logical_Switch",
            (equals("_uuid", found.switch.uuid),),
            "ports",
            remove=(found.switch_port.uuid,),
        ),
        Link(
            "Logical_Router",
            (equals("_uuid", found.router.uuid),),
            "ports",
            remove=(found.router_port.uuid,),
        ),
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
                "external_ids": _port_marks(view, wanted),
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


def _port_marks(view: View, wanted: _Wanted) -> dict[str, str]:
    return {
        MARK: view.owner,
        NETWORKS: ",".join(wanted.networks),
        "icplan-mac": wanted.mac,
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


def _alteration(view: View, found: Attachment, wanted: _Wanted) -> list[Write]:
    """In place: rows that stay are kept, so that only what changes is interrupted."""
    on_router_port = (equals("_uuid", found.router_port.uuid),)
    on_switch_port = (equals("_uuid", found.switch_port.uuid),)
    current = {row.chassis: row for row in found.gateways}
    gateways, inserts = _gateway_rows(
        wanted, tuple(name for name in wanted.chassis if name not in current)
    )
    kept = [(place, current[name]) for place, name in enumerate(wanted.chassis) if name in current]
    removed = tuple(row.uuid for row in found.gateways if row.chassis not in wanted.chassis)
    in_order = [row.chassis for row in found.gateways] == list(wanted.chassis)
    writes: list[Write] = [
        *inserts,
        Update(
            "Logical_Router_Port",
            on_router_port,
            {"mac": wanted.mac, "networks": wanted.networks, "ha_chassis_group": None},
        ),
        SetKeys("Logical_Router_Port", on_router_port, "external_ids", _port_marks(view, wanted)),
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


# Evidence


def checks(view: View) -> Iterator[Check]:
    """Ports are published and served by a declared gateway, or gone with all their gateways."""
    switches = view.spec.interconnect.transit_switches.names
    for zone in zones.seen(view):
        if not zone.declared.present:
            yield from _gone(view, zone)
            continue
        for host in zone.declared.zone.gateway_nodes:
            yield _listed(zone.name, host)
        for switch in switches:
            yield _published(zone, switch)
            yield _served(zone, switch)
            yield _unique(zone.name, switch)


def _needs(zone: str, switch: str) -> frozenset[Address]:
    return frozenset(
        {Address(zone, "name"), address(zone, switch), Address("ic", "transit-switch", switch)}
    )


def _listed(zone: str, host: str) -> Check:
    return Check(
        Address(zone, "name"),
        f"gateway {host} of {zone} is offered to the other zones",
        frozenset({Address(zone, "name")}),
        in_ic(
            lambda ic: verdict(
                any(one.zone == zone and one.hostname == host for one in ic.gateways),
                f"{host} is no gateway of {zone} in the IC southbound database",
                f"on {host}: ovs-vsctl set open_vswitch . external_ids:ovn-is-interconn=true",
            )
        ),
    )


def _published(zone: zones.SeenZone, switch: str) -> Check:
    name = zone.name

    def test(ic: IcSouthbound) -> Verdict:
        found = any(one.zone == name and one.transit_switch == switch for one in ic.ports)
        return verdict(
            found,
            f"{name} has no port on {switch} in the IC southbound database",
            ovn_ic_cure(name),
        )

    return Check(
        address(name, switch),
        f"the port of {name} on {switch} is published",
        _needs(name, switch),
        in_ic(test),
    )


def _served(zone: zones.SeenZone, switch: str) -> Check:
    name = zone.name
    hosts = zone.declared.zone.gateway_nodes

    def test(ic: IcSouthbound) -> Verdict:
        port = next(
            (one for one in ic.ports if one.zone == name and one.transit_switch == switch), None
        )
        if port is None or not port.gateway:
            return Missing(
                f"no gateway of {name} serves its port on {switch}",
                f"check that ovn-controller runs on {', '.join(hosts)}",
            )
        serving = {one.name: one.hostname for one in ic.gateways if one.zone == name}
        return verdict(
            serving.get(port.gateway) in hosts,
            f"{serving.get(port.gateway, port.gateway)} serves {switch} for {name}, "
            "and is none of its declared gateways",
            f"check that ovn-controller runs on {', '.join(hosts)}",
        )

    return Check(
        address(name, switch),
        f"a gateway serves the port of {name} on {switch}",
        _needs(name, switch),
        in_ic(test),
    )


def _unique(zone: str, switch: str) -> Check:
    def test(ic: IcSouthbound) -> Verdict:
        ports = [one for one in ic.ports if one.transit_switch == switch]
        mine = {
            transit_address.bare(net) for one in ports if one.zone == zone for net in one.networks
        }
        others = sorted(
            one.zone
            for one in ports
            if one.zone != zone and mine & {transit_address.bare(net) for net in one.networks}
        )
        if not others:
            return Held()
        return Missing(
            f"{zone} and {', '.join(others)} have the same address on {switch}",
            "run icplan apply: it gives one of them another address",
        )

    return Check(
        address(zone, switch),
        f"nobody else has the address of {zone} on {switch}",
        _needs(zone, switch),
        in_ic(test),
    )


def _gone(view: View, zone: zones.SeenZone) -> Iterator[Check]:
    name = zone.name
    ports = frozenset(address(name, switch) for switch in _switches(view, zone))
    yield Check(
        Address(name, NAME),
        f"no port of {name} is published any more",
        ports,
        in_ic(
            lambda ic: verdict(
                not any(one.zone == name for one in ic.ports),
                f"ports of {name} are still in the IC southbound database",
                ovn_ic_cure(name),
            )
        ),
    )

    def unmarked(ic: IcSouthbound) -> Verdict:
        hosts = sorted(one.hostname for one in ic.gateways if one.zone == name)
        return verdict(
            not hosts,
            f"{', '.join(hosts)} still offered as gateway of {name}",
            f"on {', '.join(hosts)}: "
            "ovs-vsctl set open_vswitch . external_ids:ovn-is-interconn=false",
        )

    yield Check(
        Address(name, NAME),
        f"no host of {name} is offered as gateway any more",
        ports,
        in_ic(unmarked),
        operator=True,
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, operation, checks)
