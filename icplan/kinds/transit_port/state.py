"""What a transit port should be and what it is. Writes and judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from icplan.core.address import Address
from icplan.core.io import Query, Unreadable
from icplan.core.state import Absent, Declared, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Plain, known
from icplan.kinds.common import transit_address, zones
from icplan.kinds.common.contract import MARK, UNDECIDED, View
from icplan.kinds.common.gateways import rotated
from icplan.ovn import southbound
from icplan.ovn.attachment import Attachment, Remnants, attachments, of_router, remnants
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import RouterPort, SwitchPort
from icplan.spec.load import Spec

NAME = "port"
NETWORKS = "icplan-networks"
"""What we gave the port, so that a change by hand shows even when it is a good address too."""
MAC = "icplan-mac"
"""Likewise."""
SWITCH = "icplan-switch"
"""Which switch a router port is for, so that it is known when its other half is gone."""
EQUAL = " (equal priority)"
"""Behind the names of gateways of which none is known to be the active one."""
GONE = " (gone)"
"""Behind the name of a gateway's chassis that is not there any more."""
GROUP = "HA chassis group"
"""Among the gateways: a group that somebody gave the port, for which OVN ignores the others."""


def address(zone: str, switch: str) -> Address:
    """The address of a zone's port on a switch."""
    return Address(zone, NAME, switch)


def queries(spec: Spec, _facts: Facts | None) -> Iterator[Query]:
    """The zones' chassis; the ports themselves are read with the northbound database."""
    for one in zones.plain(spec):
        yield from southbound.queries(one.name)


def desired(view: View) -> dict[Address, Desired]:
    """One port for each zone and switch, whose address nobody else has."""
    wanted: dict[Address, Desired] = {}
    if view.facts.ic_unseen() is not None:
        return wanted
    switches = view.spec.interconnect.transit_switches
    for index, switch in enumerate(switches.names):
        networks = _networks(view, switch, switches.subnet_of(index))
        for zone in zones.seen_plain(view):
            found = of_zone(zone, switch)
            ours = found[0] if found else None
            origin = zone.declared.origin(view.spec, "gatewayNodes")
            if zone.name not in networks:
                marked = ours and ours.switch_port.external_ids.get(MARK) == view.owner
                if marked or (not found and remnants_of(view, zone, switch)):
                    wanted[address(zone.name, switch)] = Declared(UNDECIDED, origin)
                continue
            attributes = known(
                router=zone.declared.router,
                router_port=ours.router_port.name if ours else f"{zone.name}-{switch}",
                switch_port=ours.switch_port.name if ours else f"{switch}-{zone.name}",
                mac=_mac(view, zone.name, switch, ours),
                networks=networks[zone.name],
                gateways=rotated(zone.declared.zone.gateway_nodes, index),
                addresses=("router",),
                enabled=True,
            )
            wanted[address(zone.name, switch)] = Declared(attributes, origin)
    for zone in zones.seen_plain(view):
        if not zone.declared.present:
            origin = zone.declared.origin(view.spec)
            for switch in switches_of(view, zone):
                wanted[address(zone.name, switch)] = DeclaredAbsent(origin)
    return wanted


def _mac(view: View, zone: str, switch: str, found: Attachment | None) -> str:
    """An adopted port keeps its MAC; ours has the one that follows from the names."""
    if found is not None and (
        found.router_port.external_ids.get(MARK) != view.owner
        or MAC in found.router_port.external_ids
    ):
        return found.router_port.external_ids.get(MAC, found.router_port.mac)
    return transit_address.mac(zone, switch)


def _networks(view: View, switch: str, subnets: str) -> Mapping[str, tuple[str, ...]]:
    """The addresses of all zones on a switch; a zone that cannot be served is left out."""
    result: dict[str, tuple[str, ...]] = {}
    members: list[tuple[zones.SeenZone, tuple[str, ...]]] = []
    for zone in zones.seen_plain(view):
        found = of_zone(zone, switch)
        if not zone.declared.present or zone.router is None or len(found) > 1:
            continue
        half = None if found else remnants_of(view, zone, switch)
        port = found[0].router_port if found else half.router_port if half else None
        members.append((zone, _given(view, port) if port else ()))
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


def _given(view: View, port: RouterPort) -> tuple[str, ...]:
    """The addresses that a port should keep: what we gave it, else what it has."""
    marks = port.external_ids
    if marks.get(MARK) == view.owner and NETWORKS in marks:
        return tuple(marks[NETWORKS].split(","))
    return port.networks


def _taken_by_others(view: View, switch: str, members: set[str]) -> set[str]:
    ic = view.facts.ic_southbound
    # What zones that are gone have left is taken away before any port is made.
    gone = zones.gone(view.spec)
    return {
        transit_address.bare(one)
        for port in (ic.ports if ic else ())
        if port.transit_switch == switch and port.zone not in members and port.zone not in gone
        for one in port.networks
    }


def of_zone(zone: zones.SeenZone, switch: str) -> tuple[Attachment, ...]:
    """The zone's ports on a switch: of its router, whatever their names, else what is marked."""
    found = of_router(zone.northbound, switch, zone.declared.router)
    return found or tuple(
        one for one in attachments(zone.northbound, switch) if MARK in one.switch_port.external_ids
    )


def remnants_of(view: View, zone: zones.SeenZone, switch: str) -> Remnants | None:
    """What is left of our port on a switch, when it is no whole one."""
    return remnants(zone.northbound, switch, (MARK, SWITCH), view.owner)


def switches_of(view: View, zone: zones.SeenZone) -> tuple[str, ...]:
    """The transit switches on which something of this file may hang in a zone, declared or not.

    Somebody else's port on somebody else's switch is none of it.
    """
    declared = view.spec.interconnect.transit_switches.names
    ic = view.facts.ic_northbound
    made = {
        one.name
        for one in (ic.transit_switches if ic else ())
        if one.external_ids.get(MARK) == view.owner
    }
    there = {one.transit_switch for one in zone.northbound.switches if one.transit_switch}
    with_marks = {
        switch
        for switch in there
        if any(MARK in one.external_ids for one in _ends_on(zone, switch))
    }
    marked = {
        port.external_ids[SWITCH]
        for port in zone.northbound.router_ports.values()
        if port.external_ids.get(MARK) == view.owner and SWITCH in port.external_ids
    }
    return tuple(sorted({*declared, *(made & there), *with_marks, *marked}))


def in_the_way(view: View, zone: zones.SeenZone) -> Iterator[tuple[str, SwitchPort]]:
    """Ports that keep a leaving zone registered and are not ours to take away, by switch and name.

    ovn-ic publishes every router's port on a transit switch, and the zone's own row stays as long
    as one of them is published (docs/facts.md section 6).
    """
    ours = switches_of(view, zone)
    for switch in sorted({one.transit_switch for one in zone.northbound.switches} - {""}):
        taken = {one.switch_port.uuid for one in of_zone(zone, switch) if switch in ours}
        for port in _ends_on(zone, switch):
            if port.uuid not in taken:
                yield switch, port


def _ends_on(zone: zones.SeenZone, switch: str) -> tuple[SwitchPort, ...]:
    """The zone's own ends on a transit switch, by name: what is there for its routers."""
    seen, found = zone.northbound, zone.northbound.transit(switch)
    ports = (
        seen.switch_ports[one] for one in (found.ports if found else ()) if one in seen.switch_ports
    )
    return tuple(sorted((one for one in ports if one.type == "router"), key=lambda one: one.name))


def observed(view: View) -> dict[Address, Observed]:
    """The zones' ports on all switches that their databases know."""
    states: dict[Address, Observed] = {}
    ic_unseen = view.facts.ic_unseen()
    for declared in zones.plain(view.spec):
        unseen = view.facts.zone_unseen(declared.name) or ic_unseen
        if unseen is not None:
            for switch in view.spec.interconnect.transit_switches.names:
                states[address(declared.name, switch)] = unseen
    for zone in zones.seen_plain(view) if ic_unseen is None else ():
        for switch in switches_of(view, zone):
            found = of_zone(zone, switch)
            if not found:
                half = remnants_of(view, zone, switch)
                states[address(zone.name, switch)] = _half(half, view.owner) if half else Absent()
            elif len(found) > 1:
                # A rule refuses it; nothing can be said of "the" port.
                states[address(zone.name, switch)] = Unreadable(
                    f"router {zone.declared.router} has {len(found)} ports on {switch}: "
                    + ", ".join(one.switch_port.name for one in found),
                    "delete all but one of them",
                )
            else:
                states[address(zone.name, switch)] = _present(zone, found[0])
    return states


def _half(half: Remnants, owner: str) -> Present:
    port = half.router_port
    attributes: dict[str, Plain] = {
        "router": half.router.name if half.router else "",
        "router_port": port.name if port else "",
        "switch_port": half.switch_port.name if half.switch_port else "",
        "mac": port.mac if port else "",
        "networks": port.networks if port else (),
        "gateways": (),
        "addresses": half.switch_port.addresses if half.switch_port else (),
        "enabled": False,
    }
    return Present(known(**attributes), owner)


def _present(zone: zones.SeenZone, found: Attachment) -> Present:
    attributes: dict[str, Plain] = {
        "router": found.router.name,
        "router_port": found.router_port.name,
        "switch_port": found.switch_port.name,
        "mac": found.router_port.mac,
        "networks": found.router_port.networks,
        "gateways": _gateways(zone, found),
        "addresses": found.switch_port.addresses,
        "enabled": found.router_port.enabled and found.switch_port.enabled,
    }
    return Present(known(**attributes), found.switch_port.external_ids.get(MARK))


def _gateways(zone: zones.SeenZone, found: Attachment) -> tuple[str, ...]:
    """The gateways' host names, the active one first; a chassis that is gone by its own name."""
    names = tuple(
        zone.southbound.host_of(row.chassis) or f"chassis {row.chassis}{GONE}"
        for row in found.gateways
    )
    if len({row.priority for row in found.gateways}) < len(found.gateways):
        names = tuple(f"{name}{EQUAL}" for name in names)
    # OVN ignores the gateway chassis of a port that has a group: shown, so that it is repaired.
    return (*names, GROUP) if found.router_port.ha_chassis_group else names
