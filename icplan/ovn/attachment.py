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

    They are found by what they are, not by how they are called (domain facts section 6).
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


def of_router(northbound: Northbound, transit_switch: str, router: str) -> tuple[Attachment, ...]:
    """Those of the router with that name; more than one is somebody's mistake."""
    return tuple(
        one for one in attachments(northbound, transit_switch) if one.router.name == router
    )
