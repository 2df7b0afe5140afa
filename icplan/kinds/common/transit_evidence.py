"""The evidence that a zone's port on a transit switch serves, whoever made it. Knows no kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from icplan.core.address import Address
from icplan.kinds.common.commands import GATEWAY_MARK
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.kinds.common.evidence import in_ic, ovn_ic_cure, verdict
from icplan.kinds.common.transit_address import bare
from icplan.ovn.attachment import Attachment, of_router
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.interconnect import IcSouthbound
from icplan.ovn.southbound import Chassis, Southbound

HANDED_OVER_SECONDS = 2.0
"""Within these the first gateway takes over, if it does at all."""


def sharing(ic: IcSouthbound, zone: str, switch: str, networks: Iterable[str]) -> tuple[str, ...]:
    """The other zones that have published one of these addresses on a switch, by name."""
    wanted = {bare(one) for one in networks}
    return tuple(
        port.zone
        for port in ic.ports
        if port.zone != zone
        and port.transit_switch == switch
        and wanted & {bare(one) for one in port.networks}
    )


def offered(address: Address, zone: str, host: str, needs: frozenset[Address], cure: str) -> Check:
    """A gateway host is known to the other zones."""
    return Check(
        address,
        f"gateway {host} of {zone} is offered to the other zones",
        needs,
        in_ic(
            lambda ic: verdict(
                any(one.zone == zone and one.hostname == host for one in ic.gateways),
                f"{host} is no gateway of {zone} in the IC southbound database",
                cure,
            )
        ),
    )


def published(address: Address, zone: str, switch: str, needs: frozenset[Address]) -> Check:
    """A zone's port is known to the other zones."""
    return Check(
        address,
        f"the port of {zone} on {switch} is published",
        needs,
        in_ic(
            lambda ic: verdict(
                any(one.zone == zone and one.transit_switch == switch for one in ic.ports),
                f"{zone} has no port on {switch} in the IC southbound database",
                ovn_ic_cure(zone),
            )
        ),
    )


def served(
    address: Address, zone: str, switch: str, hosts: Sequence[str], needs: frozenset[Address]
) -> Check:
    """One of the declared gateways carries a zone's port.

    Where it is not the first one, a new port may still be about to be handed over, and is served by
    nobody in between (measured: 0.2 to 0.7 s after the standby had claimed it).

    Args:
        address: the object that it speaks for.
        zone: the zone.
        switch: the transit switch.
        hosts: the host names of its gateways there, the one that is to be active first.
        needs: what must be done before.
    """

    def test(ic: IcSouthbound) -> Verdict:
        port = next(
            (one for one in ic.ports if one.zone == zone and one.transit_switch == switch), None
        )
        if port is None or not port.gateway:
            return Missing(
                f"no gateway of {zone} serves its port on {switch}",
                f"check that ovn-controller runs on {', '.join(hosts)}",
            )
        serving = {one.name: one.hostname for one in ic.gateways if one.zone == zone}
        serves = serving.get(port.gateway, port.gateway)
        if serves in hosts[1:]:
            return Held(lasts=HANDED_OVER_SECONDS)
        return verdict(
            serves in hosts,
            f"{serves} serves {switch} for {zone}, and is none of its declared gateways",
            f"check that ovn-controller runs on {', '.join(hosts)}",
        )

    return Check(address, f"a gateway serves the port of {zone} on {switch}", needs, in_ic(test))


def preferred(
    address: Address,
    zone: str,
    switch: str,
    router: str,
    first: str,
    needs: frozenset[Address],
    *,
    awaited: bool,
) -> Check:
    """The first of the declared gateways carries a zone's port, and none that stands by.

    Args:
        address: the object that it speaks for.
        zone: the zone.
        switch: the transit switch.
        router: the name of its router.
        first: the host name of the gateway that is to be active there.
        needs: what must be done before.
        awaited: whether a plan makes it so; what has failed is no reason to stop another change.
    """

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone) or facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        ic, north, south = facts.ic_southbound, facts.northbound[zone], facts.southbound[zone]
        gateways = {one.name: one.hostname for one in ic.gateways if one.zone == zone}
        serving = {
            gateways.get(one.gateway, one.gateway): one
            for one in ic.ports
            if one.zone == zone and one.transit_switch == switch and one.gateway
        }
        if not serving or first in serving:
            return Held()  # that nobody serves it is told by another link
        standby = ", ".join(sorted(serving))
        chassis = south.on_host(first)
        ports = {one.router_port.name for one in of_router(north, switch, router)}
        bound = {south.serving.get(port) for port in ports} & {one.name for one in chassis}
        why, cure = _why_not(first, chassis, bound=bool(bound))
        return Missing(
            f"{standby} serves {switch} for {zone} in the place of {first}, its first gateway: "
            f"{why}",
            cure,
        )

    return Check(
        address,
        f"the first gateway of {zone} serves its port on {switch}",
        needs,
        test,
        awaited=awaited,
    )


def takes_over(found: Sequence[Attachment], southbound: Southbound, host: str) -> bool:
    """Whether a gateway is to become the first one of a port where another one is that today.

    Args:
        found: the zone's ports on one transit switch; the first one counts.
        southbound: the zone's.
        host: the gateway's host name.
    """
    for one in found[:1]:
        return bool(one.gateways) and southbound.host_of(one.gateways[0].chassis) != host
    return False


def _why_not(host: str, chassis: Sequence[Chassis], *, bound: bool) -> tuple[str, str]:
    """Why a gateway does not serve, as far as the databases tell it, and what to do."""
    if not chassis:
        return (
            f"{host} has no chassis in its zone any more",
            f"start ovn-controller on {host}; it takes over again by itself",
        )
    if not all(one.interconnection for one in chassis):
        return (
            f"{host} is not marked as an interconnection gateway",
            f"on {host}: {GATEWAY_MARK}",
        )
    if bound:
        return (
            f"{host} has taken over, and the IC southbound database does not say so yet",
            "look again in a moment; if it stays so, see whether ovn-ic runs",
        )
    return (
        "its tunnels do not answer (BFD), or its ovn-controller has not claimed the port",
        f"see whether {host} is up, its underlay is connected, and ovs-vswitchd and "
        "ovn-controller run there (`ovs-appctl bfd/show` on another gateway shows its tunnel); it "
        "takes over again by itself",
    )


def unique(address: Address, zone: str, switch: str, needs: frozenset[Address], cure: str) -> Check:
    """Nobody else has a zone's address."""

    def test(ic: IcSouthbound) -> Verdict:
        mine = [
            net
            for one in ic.ports
            if one.zone == zone and one.transit_switch == switch
            for net in one.networks
        ]
        others = sharing(ic, zone, switch, mine)
        if not others:
            return Held()
        shared = ", ".join(sorted(bare(one) for one in mine))
        return Missing(
            f"{zone} and {', '.join(others)} have the same address on {switch}: {shared}", cure
        )

    return Check(address, f"nobody else has the address of {zone} on {switch}", needs, in_ic(test))
