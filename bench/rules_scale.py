"""How long the rules take for many zones: python -m bench.rules_scale.

Clusters of a made-up world, before anything is interconnected: each has its own subnets
("apart"), or all have the same ones ("alike"), as when they were built from one template.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import click

from bench import processor
from icplan.core.address import IC
from icplan.kinds import KINDS
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import data
from icplan.kinds.common.contract import View
from icplan.ovn.cluster import JOIN, ROUTER, Cluster, ConfigMap, Node, Subnet
from icplan.ovn.facts import Facts
from icplan.ovn.interconnect import IcNorthbound, IcSouthbound, PortBinding
from icplan.ovn.northbound import NatRule, Northbound, Router, RouterPort
from icplan.ovn.southbound import Chassis, Southbound
from icplan.planning.rules import LIVE, Seen
from icplan.spec.load import Spec, read

NODES = 3


@dataclass(frozen=True, slots=True)
class Size:
    """So many zones with so many subnets each."""

    zones: int
    subnets: int


def seen(size: Size, *, alike: bool) -> Seen:
    """What the rules look at."""
    names = [f"az{index}" for index in range(size.zones)]
    facts = Facts(
        "2026-06-01T12:00:00+00:00",
        {name: _northbound(index, size, alike=alike) for index, name in enumerate(names)},
        {name: _southbound(name, index) for index, name in enumerate(names)},
        IcNorthbound("", {}, ()),
        IcSouthbound((), (), (), ()),
        {},
        {name: _cluster(name, index, size, alike=alike) for index, name in enumerate(names)},
    )
    return Seen(View(_spec(names), facts), {}, {}, ())


def standing(size: Size) -> View:
    """The same zones, none like another, once each is switched on and has its port."""
    view = seen(size, alike=False).view
    clusters = dict(view.facts.clusters)
    ports: list[PortBinding] = []
    for number, zone in enumerate(zones.kube_ovn(view.spec)):
        config = ConfigMap("", data(view.spec, zone), {})
        clusters[zone.name] = replace(clusters[zone.name], config=config)
        network = f"169.254.{number >> 8}.{number & 255}/16"
        ports.append(PortBinding(zone.name, f"ts-{zone.name}", "ts", "", "", (network,)))
    registered = IcSouthbound(tuple(clusters), (), tuple(ports), ())
    return View(view.spec, replace(view.facts, clusters=clusters, ic_southbound=registered))


def seconds_of_states(size: Size) -> float:
    """How long all kinds take to say what zones that stand should be, and what they are."""
    view = standing(size)
    return processor.seconds(
        lambda: [(dict(kind.desired(view)), dict(kind.observed(view))) for kind in KINDS]
    )


def _spec(names: list[str]) -> Spec:
    zones = "".join(
        f"  - {{name: {name}, kubernetes: {{context: {name}}}, gatewayNodes: [{name}-n0]}}\n"
        for name in names
    )
    text = (
        "apiVersion: icplan/v1\nkind: Interconnect\nmetadata: {name: prod}\n"
        "icDatabase: {hosts: [192.0.2.1]}\n"
        "transitSwitches: {count: 1, subnets: [169.254.0.0/16]}\n"
        f"availabilityZones:\n{zones}"
    )
    return read(text.encode(), "interconnect.yaml")


def _block(zone: int, subnet: int, size: Size, *, alike: bool) -> str:
    number = subnet if alike else zone * size.subnets + subnet
    return f"10.{number >> 8}.{number & 255}.0/24"


def _northbound(zone: int, size: Size, *, alike: bool) -> Northbound:
    ports = {
        f"port{one}": RouterPort(
            f"port{one}",
            f"{ROUTER}-s{one}",
            enabled=True,
            mac="",
            networks=(_block(zone, one, size, alike=alike).replace(".0/", ".1/"),),
            gateway_chassis=(),
            ha_chassis_group="",
            external_ids={},
        )
        for one in range(size.subnets)
    }
    nat: dict[str, NatRule] = {}
    router = Router("router", ROUTER, frozenset(ports), frozenset(), frozenset(), frozenset())
    return Northbound("global", "", {}, {}, (router,), ports, (), {}, {}, {}, nat)


def _southbound(name: str, zone: int) -> Southbound:
    chassis = tuple(
        Chassis(f"{name}-c{one}", f"{name}-c{one}", f"{name}-n{one}", True, False, (address,))
        for one, address in enumerate(_addresses(zone))
    )
    return Southbound(chassis, {})


def _addresses(zone: int) -> list[str]:
    return [f"172.{16 + (zone >> 8)}.{zone & 255}.{one + 1}" for one in range(NODES)]


def _cluster(name: str, zone: int, size: Size, *, alike: bool) -> Cluster:
    subnets = [
        Subnet("", f"s{one}", (_block(zone, one, size, alike=alike),), ROUTER, None, {})
        for one in range(size.subnets)
    ]
    subnets.append(Subnet("", JOIN, ("100.64.0.0/16",), ROUTER, None, {}))
    nodes = tuple(
        Node(f"{name}-n{one}", False, (address,)) for one, address in enumerate(_addresses(zone))
    )
    return Cluster(None, nodes, tuple(subnets), {}, None, ("10.96.0.0/12",))


def seconds(size: Size, *, alike: bool, rounds: int = 3) -> float:
    """The fastest of some rounds of all rules that look at what was observed."""
    return min(processor.seconds(partial(_all, seen(size, alike=alike))) for _ in range(rounds))


def _all(given: Seen) -> None:
    for rule in LIVE:
        for finding in rule.find(given):
            if not finding.at:
                raise AssertionError(f"a finding of {rule.code} about nothing but {IC}")


@click.command()
@click.option("--rounds", default=1, show_default=True)
@click.option("--each", is_flag=True, help="show the slowest rules of the largest size")
def main(rounds: int, each: bool) -> None:
    """Print how long all rules take, and how long for each zone."""
    sizes = [Size(zones, 50) for zones in (50, 200, 1_000)]
    for size in sizes:
        for alike in (False, True):
            taken = seconds(size, alike=alike, rounds=rounds)
            click.echo(
                f"  {size.zones:4} zones x {size.subnets} subnets {'alike' if alike else 'apart'}"
                f" {taken:7.3f} s, {taken / size.zones * 1000:7.3f} ms for each zone"
            )
    for size in sizes:
        taken = seconds_of_states(size)
        click.echo(f"  {size.zones:4} zones that stand, states of all kinds {taken:7.3f} s")
    for alike in (False, True) if each else ():
        given = seen(sizes[-1], alike=alike)
        slowest = sorted((_of_rule(given, place), place) for place in range(len(LIVE)))[-6:]
        for taken, place in reversed(slowest):
            click.echo(f"    {'alike' if alike else 'apart'} {LIVE[place].code} {taken:7.3f} s")


def _of_rule(given: Seen, place: int) -> float:
    return processor.seconds(lambda: list(LIVE[place].find(given)))


if __name__ == "__main__":
    main()
