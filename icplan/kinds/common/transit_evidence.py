"""The evidence that a zone's port on a transit switch serves, whoever made it. Knows no kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from icplan.core.address import Address
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.kinds.common.evidence import in_ic, ovn_ic_cure, verdict
from icplan.kinds.common.transit_address import bare
from icplan.ovn.interconnect import IcSouthbound


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
    """One of the declared gateways carries a zone's port."""

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
        return verdict(
            serving.get(port.gateway) in hosts,
            f"{serving.get(port.gateway, port.gateway)} serves {switch} for {zone}, "
            "and is none of its declared gateways",
            f"check that ovn-controller runs on {', '.join(hosts)}",
        )

    return Check(address, f"a gateway serves the port of {zone} on {switch}", needs, in_ic(test))


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
