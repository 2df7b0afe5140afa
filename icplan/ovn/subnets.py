"""A router's subnets by the name of the switch behind its port. Plans nothing."""

from __future__ import annotations

from icplan.ovn.northbound import Northbound, Router
from icplan.ovn.prefix import network, normal, ordered


def is_prefix(text: str) -> bool:
    """Whether an entry of the file is a prefix rather than a name."""
    try:
        network(text)
    except ValueError:
        return False
    return True


def named(northbound: Northbound, router: Router, name: str) -> tuple[str, ...]:
    """The connected prefixes behind the router's ports on switches of that name.

    Empty when there is no such switch: a name that means nothing must not be taken for nothing.
    """
    networks = {port.name: port.networks for port in northbound.ports_of(router)}
    return ordered(
        normal(one)
        for switch in northbound.switches
        if switch.name == name
        for attachment in northbound.attachments(switch, router)
        for one in networks[attachment.router_port]
    )


def names(northbound: Northbound, router: Router) -> tuple[str, ...]:
    """What the switches behind the router's ports are called, transit switches left out."""
    found = (
        switch.name
        for switch in northbound.switches
        if not switch.transit_switch and northbound.attachments(switch, router)
    )
    return tuple(sorted({*found}))


def resolve(
    northbound: Northbound, router: Router, entries: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prefixes that entries of the file mean, and the names that mean nothing there."""
    prefixes: list[str] = []
    unknown: list[str] = []
    for entry in entries:
        if is_prefix(entry):
            prefixes.append(normal(entry))
        elif found := named(northbound, router, entry):
            prefixes.extend(found)
        else:
            unknown.append(entry)
    return ordered(prefixes), tuple(unknown)
