"""The evidence that a transit port works, or is gone with all its gateways."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.state import Declared, Desired
from icplan.core.value import plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.evidence import in_ic, ovn_ic_cure, verdict
from icplan.kinds.transit_port.state import NAME, address, desired, sharing, switches_of
from icplan.ovn.interconnect import IcSouthbound


def checks(view: View) -> Iterator[Check]:
    """Ports are published and served by a declared gateway, or gone with all their gateways."""
    switches = view.spec.interconnect.transit_switches.names
    wanted = desired(view)
    for zone in zones.seen(view):
        if not zone.declared.present:
            yield from _gone(view, zone)
            continue
        for host in zone.declared.zone.gateway_nodes:
            yield _listed(zone.name, host)
        for switch in switches:
            yield _published(zone, switch)
            yield _served(zone, switch)
            yield _unique(view, zone.name, switch, wanted.get(address(zone.name, switch)))


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
                f"check that ovn-controller runs on {host}, and mark it there: "
                "ovs-vsctl set open_vswitch . external_ids:ovn-is-interconn=true",
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


def _unique(view: View, zone: str, switch: str, wanted: Desired | None) -> Check:
    ic_now = view.facts.ic_southbound
    rivals: tuple[str, ...] = ()
    if ic_now is not None and isinstance(wanted, Declared) and wanted.attributes:
        networks = plain(wanted.attributes, "networks")
        # Whoever has the address today gives it up in a wave of its own.
        rivals = sharing(ic_now, zone, switch, networks if isinstance(networks, tuple) else ())

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
        return Missing(
            f"{zone} and {', '.join(others)} have the same address on {switch}",
            "run icplan apply: it gives one of them another address",
        )

    return Check(
        address(zone, switch),
        f"nobody else has the address of {zone} on {switch}",
        _needs(zone, switch) | {address(one, switch) for one in rivals},
        in_ic(test),
    )


def _gone(view: View, zone: zones.SeenZone) -> Iterator[Check]:
    name = zone.name
    ports = frozenset(address(name, switch) for switch in switches_of(view, zone))
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

    marked = sorted(one.hostname for one in zone.southbound.local if one.interconnection)
    step = f" (your step: unset ovn-is-interconn on {', '.join(marked)})" if marked else ""
    yield Check(
        Address(name, NAME),
        f"no host of {name} is offered as gateway any more{step}",
        ports,
        in_ic(unmarked),
        operator=True,
    )
