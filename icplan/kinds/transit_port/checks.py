"""The evidence that a transit port works, or is gone with all its gateways."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.state import Declared, Desired
from icplan.core.value import plain
from icplan.kinds.common import transit_evidence, zones
from icplan.kinds.common.commands import GATEWAY_MARK, GATEWAY_UNMARK
from icplan.kinds.common.contract import Check, Verdict, View
from icplan.kinds.common.evidence import in_ic, ovn_ic_cure, verdict
from icplan.kinds.common.gateways import rotated
from icplan.kinds.common.transit_evidence import sharing, takes_over
from icplan.kinds.common.transit_switches import needed
from icplan.kinds.common.transit_traffic import passing
from icplan.kinds.transit_port.state import NAME, address, desired, of_zone, switches_of
from icplan.ovn.interconnect import IcSouthbound

MARK_CURE = "check that ovn-controller runs on {host}, and mark it there: " + GATEWAY_MARK
SHARED_CURE = "run icplan apply: it gives one of them another address"


def checks(view: View) -> Iterator[Check]:
    """Ports are published and served by a declared gateway, or gone with all their gateways."""
    switches = view.spec.interconnect.transit_switches.names
    wanted = desired(view)
    for zone in zones.seen_plain(view):
        if not zone.declared.present:
            yield from _gone(view, zone)
            continue
        hosts = zone.declared.zone.gateway_nodes
        name = Address(zone.name, "name")
        for host in hosts:
            yield transit_evidence.offered(
                name, zone.name, host, frozenset({name}), MARK_CURE.format(host=host)
            )
        for place, switch in enumerate(switches):
            one, needs = address(zone.name, switch), _needs(zone.name, switch)
            yield passing(view.spec, zone.declared, one, switch, needs)
            yield transit_evidence.published(one, zone.name, switch, needs)
            turned = rotated(hosts, place)
            yield transit_evidence.served(one, zone.name, switch, turned, needs)
            yield transit_evidence.preferred(
                one,
                zone.name,
                switch,
                zone.declared.router,
                turned[0],
                needs,
                awaited=takes_over(of_zone(zone, switch), zone.southbound, turned[0]),
            )
            rivals = _rivals(view, zone.name, switch, wanted.get(one))
            yield transit_evidence.unique(one, zone.name, switch, needs | rivals, SHARED_CURE)


def _needs(zone: str, switch: str) -> frozenset[Address]:
    return needed(switch) | {Address(zone, "name"), address(zone, switch)}


def _rivals(view: View, zone: str, switch: str, wanted: Desired | None) -> frozenset[Address]:
    """The ports that have this zone's address today: they give it up in waves of their own."""
    ic = view.facts.ic_southbound
    if ic is None or not isinstance(wanted, Declared) or not wanted.attributes:
        return frozenset()
    networks = plain(wanted.attributes, "networks")
    held = networks if isinstance(networks, tuple) else ()
    return frozenset(address(one, switch) for one in sharing(ic, zone, switch, held))


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
            f"on {', '.join(hosts)}: {GATEWAY_UNMARK}",
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
