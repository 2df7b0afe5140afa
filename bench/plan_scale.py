"""How the time of a plan grows with zones and with their subnets. Pure: no database is asked.

The world is made up: plain zones, before anything is interconnected ("fresh") and after all of it
is ("standing", where each zone has learned all other zones' subnets).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

import click

from bench import processor
from icplan.core.address import IC
from icplan.core.io import (
    IC_NORTHBOUND,
    IC_SOUTHBOUND,
    NORTHBOUND,
    SOUTHBOUND,
    Database,
    Datum,
    Row,
    Snapshot,
    Tables,
)
from icplan.planning.plan import Plan, make_plan
from icplan.spec.load import Spec, read

OWNER = "prod"
TRANSIT = "169.254.0.0/16"
ZONES = ((2, 5), (50, 5), (200, 5))
SUBNETS = ((3, 10), (3, 1_000), (3, 4_000))


@dataclass(frozen=True, slots=True)
class Size:
    """So many zones with so many subnets each."""

    zones: int
    subnets: int

    @property
    def learned(self) -> int:
        """Routes that all zones together have learned once they are interconnected."""
        return self.zones * (self.zones - 1) * self.subnets


class World:
    """A file and what its databases hold."""

    def __init__(self, size: Size, *, standing: bool) -> None:
        self._size = size
        self._standing = standing
        self._uuids = (f"00000000-0000-4000-8000-{number:012x}" for number in count())

    def spec(self) -> Spec:
        """The file."""
        zones = "\n".join(
            f"  - name: {_zone(index)}\n    platform: ovn\n"
            f"    northbound: [tcp:192.0.2.1:{10_000 + index}]\n"
            f"    southbound: [tcp:192.0.2.1:{20_000 + index}]\n"
            f"    router: router\n    gatewayNodes: [{_zone(index)}-gw]"
            for index in range(self._size.zones)
        )
        text = (
            f"apiVersion: icplan/v1\nkind: Interconnect\nmetadata: {{name: {OWNER}}}\n"
            "icDatabase: {hosts: [192.0.2.1]}\n"
            f"transitSwitches: {{count: 1, subnets: [{TRANSIT}]}}\n"
            f"availabilityZones:\n{zones}\n"
        )
        return read(text.encode(), "interconnect.yaml")

    def snapshot(self) -> Snapshot:
        """What the databases hold."""
        zones = range(self._size.zones)
        databases: dict[Database, Tables] = {
            Database(IC, IC_NORTHBOUND): self._ic_northbound(),
            Database(IC, IC_SOUTHBOUND): self._ic_southbound(),
        }
        databases |= {Database(_zone(zone), NORTHBOUND): self._northbound(zone) for zone in zones}
        databases |= {Database(_zone(zone), SOUTHBOUND): self._southbound(zone) for zone in zones}
        return Snapshot("2026-06-01T12:00:00+00:00", databases)

    def _row(self, **columns: Datum) -> Row:
        return {"_uuid": next(self._uuids), **columns}

    def _northbound(self, zone: int) -> Tables:
        ports = [
            self._row(
                name=f"router-{subnet}",
                mac=_mac(zone, subnet + 1),
                networks=(_subnet(zone, subnet, self._size.subnets),),
                gateway_chassis=(),
                ha_chassis_group=None,
                external_ids={},
            )
            for subnet in range(self._size.subnets)
        ]
        routes: list[Row] = []
        marks: dict[str, str] = {}
        options: dict[str, str] = {"northd_internal_version": "24.03.2-20.33.0-73.6"}
        switches: list[Row] = []
        switch_ports: list[Row] = []
        gateways: list[Row] = []
        if self._standing:
            marks = {"icplan": OWNER, "icplan-routes": OWNER}
            options |= {"ic-route-adv": "true", "ic-route-learn": "true"}
            gateways = [
                self._row(
                    name=f"{_zone(zone)}-ts-{_zone(zone)}-chassis",
                    chassis_name=f"{_zone(zone)}-chassis",
                    priority=100,
                )
            ]
            ports.append(self._transit_port(zone, gateways))
            switch_ports = [self._switch_port(one, zone) for one in range(self._size.zones)]
            switches = [
                self._row(
                    name="ts", other_config={"interconn-ts": "ts"}, ports=_uuids(switch_ports)
                )
            ]
            routes = [
                self._row(
                    ip_prefix=_subnet(other, subnet, self._size.subnets),
                    nexthop=_address(other),
                    policy=None,
                    route_table="",
                    external_ids={"ic-learned-route": "00000000-0000-4000-8000-000000000000"},
                )
                for other in range(self._size.zones)
                if other != zone
                for subnet in range(self._size.subnets)
            ]
        router = self._row(name="router", ports=_uuids(ports), static_routes=_uuids(routes), nat=())
        name = _zone(zone) if self._standing else ""
        return {
            "NB_Global": (self._row(name=name, options=options, external_ids=marks),),
            "Logical_Router": (router,),
            "Logical_Router_Port": tuple(ports),
            "Logical_Router_Static_Route": tuple(routes),
            "Gateway_Chassis": tuple(gateways),
            "NAT": (),
            "Logical_Switch": tuple(switches),
            "Logical_Switch_Port": tuple(switch_ports),
        }

    def _transit_port(self, zone: int, gateways: list[Row]) -> Row:
        network = f"{_address(zone)}/16"
        return self._row(
            name=f"{_zone(zone)}-ts",
            mac=_mac(zone, 0),
            networks=(network,),
            gateway_chassis=_uuids(gateways),
            ha_chassis_group=None,
            external_ids={"icplan": OWNER, "icplan-mac": _mac(zone, 0), "icplan-networks": network},
        )

    def _switch_port(self, zone: int, here: int) -> Row:
        if zone == here:
            return self._row(
                name=f"ts-{_zone(zone)}",
                type="router",
                addresses=("router",),
                options={"router-port": f"{_zone(zone)}-ts"},
                external_ids={"icplan": OWNER},
            )
        return self._row(
            name=f"ts-{_zone(zone)}",
            type="remote",
            addresses=(f"{_mac(zone, 0)} {_address(zone)}/16",),
            options={},
            external_ids={},
        )

    def _southbound(self, zone: int) -> Tables:
        encap = self._row(
            type="geneve", ip=f"172.31.{zone}.1", chassis_name=f"{_zone(zone)}-chassis"
        )
        chassis = self._row(
            name=f"{_zone(zone)}-chassis",
            hostname=f"{_zone(zone)}-gw",
            encaps=_uuids([encap]),
            other_config={"is-interconn": "true"},
            external_ids={},
        )
        bound = self._row(logical_port=f"cr-{_zone(zone)}-ts", chassis=str(chassis["_uuid"]))
        return {
            "Chassis": (chassis,),
            "Encap": (encap,),
            "Port_Binding": (bound,) if self._standing else (),
        }

    def _ic_northbound(self) -> Tables:
        keys = {"icplan": OWNER, "subnet": TRANSIT, "vendor": "kube-ovn"}
        switch = self._row(name="ts", external_ids=keys)
        return {
            "IC_NB_Global": (self._row(external_ids={}),),
            "Transit_Switch": (switch,) if self._standing else (),
        }

    def _ic_southbound(self) -> Tables:
        tables = ("Availability_Zone", "Encap", "Gateway", "Port_Binding", "Route")
        rows: dict[str, list[Row]] = {table: [] for table in tables}
        for zone in range(self._size.zones) if self._standing else ():
            name, chassis = _zone(zone), f"{_zone(zone)}-chassis"
            registered = self._row(name=name)
            az = str(registered["_uuid"])
            encap = self._row(type="geneve", ip=f"172.31.{zone}.1", gateway_name=chassis)
            rows["Availability_Zone"].append(registered)
            rows["Encap"].append(encap)
            rows["Gateway"].append(
                self._row(
                    name=chassis,
                    hostname=f"{name}-gw",
                    availability_zone=az,
                    encaps=_uuids([encap]),
                )
            )
            rows["Port_Binding"].append(
                self._row(
                    logical_port=f"ts-{name}",
                    transit_switch="ts",
                    availability_zone=az,
                    gateway=chassis,
                    address=f"{_mac(zone, 0)} {_address(zone)}/16",
                )
            )
            rows["Route"] += [
                self._row(
                    transit_switch="ts",
                    availability_zone=az,
                    ip_prefix=_subnet(zone, subnet, self._size.subnets),
                    nexthop=_address(zone),
                )
                for subnet in range(self._size.subnets)
            ]
        return {table: tuple(found) for table, found in rows.items()}


def _zone(index: int) -> str:
    return f"az{index}"


def _address(zone: int) -> str:
    return f"169.254.{128 + zone // 250}.{zone % 250 + 1}"


def _mac(zone: int, port: int) -> str:
    return f"02:{zone:02x}:00:{port >> 16:02x}:{port >> 8 & 255:02x}:{port & 255:02x}"


def _subnet(zone: int, subnet: int, most: int) -> str:
    number = zone * most + subnet
    return f"10.{number >> 8}.{number & 255}.1/24"


def _uuids(rows: Iterable[Row]) -> tuple[str, ...]:
    return tuple(sorted(str(row["_uuid"]) for row in rows))


def seconds(size: Size, *, standing: bool, rounds: int = 3) -> float:
    """The fastest of some plans."""
    return min(_seconds(size, standing=standing) for _ in range(rounds))


def plan(size: Size, *, standing: bool) -> Plan:
    """The plan for a world of that size."""
    world = World(size, standing=standing)
    return make_plan(world.spec(), world.snapshot())


def _seconds(size: Size, *, standing: bool) -> float:
    world = World(size, standing=standing)
    spec, snapshot = world.spec(), world.snapshot()
    return processor.seconds(lambda: make_plan(spec, snapshot))


@click.command()
@click.option("--rounds", default=3, show_default=True)
def main(rounds: int) -> None:
    """Print how long plans take, and how long for each of what there is more of."""
    _table("zones", "zone", ZONES, lambda size: size.zones, rounds)
    _table("subnets", "subnet", SUBNETS, lambda size: size.zones * size.subnets, rounds)


def _table(
    title: str,
    one: str,
    sizes: Iterable[tuple[int, int]],
    number: Callable[[Size], int],
    rounds: int,
) -> None:
    click.echo(f"more {title}: seconds, and milliseconds for each {one}")
    for zones, subnets in sizes:
        size = Size(zones, subnets)
        click.echo(f"  {zones:4} zones x {subnets:5} subnets", nl=False)
        for standing in (False, True):
            taken = seconds(size, standing=standing, rounds=rounds)
            each = taken / number(size) * 1000
            click.echo(
                f"   {'standing' if standing else 'fresh'} {taken:7.3f} {each:8.3f}", nl=False
            )
        click.echo(f"   {size.learned:7} learned routes")


if __name__ == "__main__":
    main()
