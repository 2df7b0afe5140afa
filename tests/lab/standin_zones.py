"""Two zones as the recordings had them: real databases, northd, no ovn-controller, a stand-in."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from icplan.lab.daemons import Daemon
from icplan.lab.jsonrpc import OvsdbSession
from icplan.lab.standalone import StandaloneDatabases
from icplan.lab.standin import Controller, Generation, MemoryCluster, OvnDatabases
from icplan.lab.zone_databases import ZoneDatabases
from tests.lab.recorded_state import (
    IC_NORTHBOUND_COLUMNS,
    IC_SOUTHBOUND_COLUMNS,
    NORTHBOUND_COLUMNS,
    ZONES,
    State,
)

RECORDED_PORTS = ("13045", "13046")
SETTLE_SECONDS = 0.12


def build_zone(databases: ZoneDatabases, number: int) -> MemoryCluster:
    """Make a zone's router, networks and chassis, start its northd, and return its cluster."""
    hosts = [f"{databases.name}-gw{each}" for each in (1, 2, 3)]
    addresses = {host: f"192.168.42.{number}{each}" for each, host in enumerate(hosts, 1)}
    cluster = MemoryCluster({host: (address,) for host, address in addresses.items()})
    for name, block in (("join", f"100.{63 + number}"), ("ovn-default", f"10.{15 + number}")):
        cluster.subnets[name] = {
            "cidrBlock": f"{block}.0.0/16",
            "gateway": f"{block}.0.1",
            "protocol": "IPv4",
            "vpc": "ovn-cluster",
        }
    databases.nbctl("lr-add", "ovn-cluster")
    for last, name in enumerate(("ovn-default", "join"), 1):
        mac, gateway = f"00:00:00:00:0{number}:0{last}", f"{cluster.subnets[name]['gateway']}/16"
        port, peer = f"ovn-cluster-{name}", f"{name}-ovn-cluster"
        databases.nbctl(
            *("lrp-add", "ovn-cluster", port, mac, gateway),
            *("--", "ls-add", name, "--", "lsp-add", name, peer),
            *("--", "lsp-set-type", peer, "router", "--", "lsp-set-addresses", peer, "router"),
            *("--", "lsp-set-options", peer, f"router-port={port}"),
        )
    for host, address in addresses.items():
        databases.sbctl(
            *("chassis-add", f"chassis-{host}", "geneve", address),
            *("--", "set", "Chassis", f"chassis-{host}", f"hostname={host}"),
            "other_config:is-interconn=true",
        )
    local = (f"--ovnnb-db={databases.northbound.unix}", f"--ovnsb-db={databases.southbound.unix}")
    Daemon("northd", databases.directory, "ovn-northd", local).start()
    return cluster


class StandinZone:
    """A zone: its cluster in memory, its databases, its controller."""

    def __init__(
        self,
        databases: ZoneDatabases,
        number: int,
        generation: Generation,
        draw_below: Callable[[int], int] | None,
    ) -> None:
        self.name, self.number = databases.name, number
        self.databases = databases
        self.cluster = build_zone(databases, number)
        self._generation, self._draw_below = generation, draw_below
        self.ovn = OvnDatabases(
            databases.northbound.unix,
            databases.southbound.unix,
            databases.directory / "standin",
        )
        self.controller = self._new_controller()

    def restart(self) -> None:
        """What a restart of the controller's pod does."""
        self.ovn.close()
        self.controller = self._new_controller()

    def _new_controller(self) -> Controller:
        return Controller(self._generation, self.cluster, self.ovn, draw_below=self._draw_below)


class StandinZones:
    """Both zones and the IC databases."""

    def __init__(
        self,
        databases: StandaloneDatabases,
        generation: Generation,
        draw: Callable[[int], int] | None,
    ) -> None:
        self.ic = databases.ic
        self.zones = {
            name: StandinZone(databases.zones[name], number, generation, draw)
            for number, name in enumerate(ZONES, 1)
        }
        self._northbounds = {
            name: OvsdbSession.at(zone.databases.northbound.unix)
            for name, zone in self.zones.items()
        }
        self._ic_northbound = OvsdbSession.at(self.ic.northbound.unix)
        self._ic_southbound = OvsdbSession.at(self.ic.southbound.unix)

    def close(self) -> None:
        """End the sessions and every ovn-ic."""
        for zone in self.zones.values():
            zone.ovn.close()
        for session in (*self._northbounds.values(), self._ic_northbound, self._ic_southbound):
            session.close()

    def round(self, *, together: bool = False) -> None:
        """One round of both controllers, with the policies; then ovn-ic gets time.

        Args:
            together: both at the same time, not one after the other.
        """
        if together:
            with ThreadPoolExecutor() as pool:
                list(pool.map(_round, self.zones.values()))
        else:
            for zone in self.zones.values():
                _round(zone)

    def config(self, zone: str) -> dict[str, str]:
        """The ConfigMap that the recordings began with."""
        return {
            "enable-ic": "true",
            "az-name": zone,
            "ic-db-host": "127.0.0.1",
            "ic-nb-port": str(self.ic.ports.northbound),
            "ic-sb-port": str(self.ic.ports.southbound),
            "gw-nodes": "az1-gw1" if zone == "az1" else "az2-gw1,az2-gw2",
            "auto-route": "true",
        }

    def state(self) -> State:
        """Everything, in the shape of a recording."""
        state: State = {
            name: {
                "configMap": self._recorded_ports(zone.cluster.config_map),
                "nodes": {
                    node: labels.get("ovn.kubernetes.io/ic-gw")
                    for node, labels in zone.cluster.labels.items()
                },
                "subnets": zone.cluster.subnets,
                "northbound": _rows(self._northbounds[name], "OVN_Northbound", NORTHBOUND_COLUMNS),
            }
            for name, zone in self.zones.items()
        }
        for name in self.zones:
            (row,) = state[name]["northbound"]["NB_Global"]
            row["options"] = {
                key: value for key, value in row["options"].items() if key.startswith("ic-")
            }
        state["icNorthbound"] = _rows(
            self._ic_northbound, "OVN_IC_Northbound", IC_NORTHBOUND_COLUMNS
        )
        state["icSouthbound"] = _rows(
            self._ic_southbound, "OVN_IC_Southbound", IC_SOUTHBOUND_COLUMNS
        )
        return state

    def _recorded_ports(self, config: dict[str, str] | None) -> dict[str, str] | None:
        if config is None:
            return None
        return config | {
            "ic-nb-port": RECORDED_PORTS[0],
            "ic-sb-port": RECORDED_PORTS[1],
        }


def _round(zone: StandinZone) -> None:
    zone.controller.poll()
    zone.controller.sync_policies()
    time.sleep(SETTLE_SECONDS)


def _rows(
    session: OvsdbSession, database: str, tables: Mapping[str, tuple[str, ...]]
) -> dict[str, list[State]]:
    results = session.transact(
        database,
        [
            {"op": "select", "table": table, "where": [], "columns": ["_uuid", *columns]}
            for table, columns in tables.items()
        ],
    )
    return {
        table: [{key: _value(cell) for key, cell in row.items()} for row in result["rows"]]
        for table, result in zip(tables, results, strict=True)
    }


def _value(cell: Any) -> Any:  # noqa: ANN401 -- JSON
    """A cell as the recordings have it."""
    match cell:
        case ["uuid", str(uuid)]:
            return uuid
        case ["map", list(pairs)]:
            return dict(pairs)
        case ["set", list(members)]:
            return [_value(each) for each in members]
    return cell
