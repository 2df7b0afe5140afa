"""Which prefixes a zone exchanges with the others, as ovn-ic decides it. Plans nothing."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.ovn.northbound import Northbound, Router
from icplan.ovn.prefix import network, normal, ordered


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prefix that ovn-ic would advertise if nothing denied it.

    Attributes:
        source: where it is from, in words.
        nexthop: of a static route; else empty.
    """

    prefix: str
    source: str
    nexthop: str = ""


def candidates(northbound: Northbound, router: Router) -> tuple[Candidate, ...]:
    """What a router offers to ovn-ic, before the denylist.

    Connected networks of all ports but those on a transit switch, and dst-ip static routes;
    neither default routes nor link-local prefixes nor what was learned itself (docs/facts.md
    section 4; measured with OVN 23.03.1).
    """
    transit = {
        attachment.router_port
        for switch in northbound.switches
        if switch.transit_switch
        for attachment in northbound.attachments(switch, router)
    }
    connected = [
        Candidate(normal(one), f"router port {port.name}")
        for port in northbound.ports_of(router)
        if port.name not in transit
        for one in port.networks
    ]
    static = [
        Candidate(route.prefix, f"static route via {route.nexthop}", route.nexthop)
        for route in northbound.routes_of(router)
        if not route.learned and route.policy == "dst-ip"
    ]
    return tuple(one for one in connected + static if _advertisable(one.prefix))


def _advertisable(prefix: str) -> bool:
    try:
        parsed = network(prefix)
    except ValueError:
        return False
    return parsed.prefixlen > 0 and not parsed.is_link_local


def advertised(northbound: Northbound, router: Router) -> tuple[str, ...]:
    """What a router offers and its zone's denylist lets pass, in order."""
    return ordered(
        one.prefix
        for one in candidates(northbound, router)
        if not northbound.denylist.denies(one.prefix)
    )
