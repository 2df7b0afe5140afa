"""How a zone's router hangs on a transit switch: the pair of ports and its gateways, as found."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.ovn.northbound import GatewayChassis, Northbound, Router, RouterPort, Switch, SwitchPort


@dataclass(frozen=True, slots=True)
class Attachment:
    """One port pair; `gateways` has the active one first."""

    switch: Switch
    router: Router
    switch_port: SwitchPort
    router_port: RouterPort
    gateways: tuple[GatewayChassis, ...]


def attachments(northbound: Northbound, transit_switch: str) -> tuple[Attachment, ...]:
    """All routers' ports on a transit switch, by name of the switch port.

    They are found by what they are, not by how they are called (docs/facts.md section 6).
    """
    switch = northbound.transit(transit_switch)
    if switch is None:
        return ()
    found = []
    for router in northbound.routers:
        ports = {port.name: port for port in northbound.ports_of(router)}
        for switch_port in northbound.attachments(switch, router):
            port = ports[switch_port.router_port]
            found.append(
                Attachment(switch, router, switch_port, port, northbound.gateways_of(port))
            )
    return tuple(sorted(found, key=lambda one: one.switch_port.name))


@dataclass(frozen=True, slots=True)
class Remnants:
    """What is left of a port pair of which somebody took one half, or cut the two apart."""

    switch: Switch | None
    switch_port: SwitchPort | None
    router: Router | None
    router_port: RouterPort | None


def remnants(
    northbound: Northbound, transit_switch: str, marks: tuple[str, str], owner: str
) -> Remnants | None:
    """The halves of an owner's port on a transit switch that belong to no pair; None if none.

    Args:
        northbound: the zone's database.
        transit_switch: the switch.
        marks: the keys in `external_ids` of the owner, and of a router port's transit switch.
        owner: whose halves.
    """
    whole = attachments(northbound, transit_switch)
    in_pairs = {one.switch_port.uuid for one in whole} | {one.router_port.uuid for one in whole}
    switch = northbound.transit(transit_switch)
    switch_port = next(
        (
            port
            for uuid, port in sorted(northbound.switch_ports.items())
            if switch is not None
            and uuid in switch.ports
            and uuid not in in_pairs
            and port.external_ids.get(marks[0]) == owner
        ),
        None,
    )
    for router in northbound.routers:
        for port in northbound.ports_of(router):
            ids = port.external_ids
            ours = ids.get(marks[0]) == owner and ids.get(marks[1]) == transit_switch
            if ours and port.uuid not in in_pairs:
                return Remnants(switch, switch_port, router, port)
    return Remnants(switch, switch_port, None, None) if switch_port else None


def of_router(northbound: Northbound, transit_switch: str, router: str) -> tuple[Attachment, ...]:
    """Those of the router with that name; more than one is somebody's mistake."""
    return tuple(
        one for one in attachments(northbound, transit_switch) if one.router.name == router
    )
