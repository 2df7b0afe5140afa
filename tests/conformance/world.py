"""Two zones and their IC databases, whoever controls them: reading, waiting, beginning anew."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from icplan.lab import ZoneDatabases, wait_until
from icplan.lab.daemons import Daemon
from icplan.lab.ic_databases import IcDatabases
from icplan.lab.jsonrpc import OvsdbSession
from icplan.lab.waiting import POLL_SECONDS
from tests.conformance import views
from tests.conformance.views import ROUTER, View

Spec = dict[str, Any]
Config = dict[str, str]
BASE_NETWORKS = ("ovn-default", "join")
_NORTHBOUND, _SOUTHBOUND = "OVN_Northbound", "OVN_Southbound"
_IC_NORTHBOUND, _IC_SOUTHBOUND = "OVN_IC_Northbound", "OVN_IC_Southbound"


class ZoneUnderTest(ABC):
    """One zone: its databases, its Kubernetes objects, and a controller that may run or not.

    Attributes:
        name: what the test calls it; the az-name that it begins with.
        databases: its northbound and southbound database.
    """

    def __init__(self, databases: ZoneDatabases, ovn_ic_directory: Path) -> None:
        self.name = databases.name
        self.databases = databases
        self._ovn_ic = Daemon("ovn-ic", ovn_ic_directory, "ovn-ic", ())
        self.northbound = OvsdbSession.at(databases.northbound.unix)
        self.southbound = OvsdbSession.at(databases.southbound.unix)
        self._hosts = self._local_chassis()

    def close(self) -> None:
        """End the sessions and the controller."""
        self.stop_controller()
        self.northbound.close()
        self.southbound.close()

    # The Kubernetes side

    @abstractmethod
    def config_map(self) -> Config | None:
        """The data of the ConfigMap; none when there is no ConfigMap."""

    @abstractmethod
    def write_config_map(self, data: Config | None) -> None:
        """Create the ConfigMap, replace its data, or delete it (none)."""

    @abstractmethod
    def annotate_config_map(self) -> None:
        """Give the ConfigMap a label and an annotation that it did not have."""

    @abstractmethod
    def subnets(self) -> Mapping[str, Spec]:
        """The specs of the Subnets by name."""

    @abstractmethod
    def write_subnet(self, name: str, spec: Spec | None) -> None:
        """Create a Subnet, replace its spec, or delete it (none)."""

    @abstractmethod
    def labels(self) -> Mapping[str, str | None]:
        """The value of the gateway label of each Node."""

    @abstractmethod
    def clear_labels(self) -> None:
        """Take the gateway labels off."""

    @abstractmethod
    def internal_ips(self) -> Mapping[str, str]:
        """The InternalIP of each Node."""

    # The controller

    @property
    @abstractmethod
    def controlled(self) -> bool:
        """Whether a controller runs."""

    @abstractmethod
    def start_controller(self) -> None:
        """Start a controller that remembers nothing."""

    @abstractmethod
    def stop_controller(self) -> None:
        """End the controller and the ovn-ic that it has started, as the end of its pod does."""

    @abstractmethod
    def nudge(self) -> None:
        """Let a controller that does not go by itself do one round."""

    # OVN

    def rows(self, tables: Mapping[str, tuple[str, ...]]) -> Any:  # noqa: ANN401 -- rows by table
        """Rows of the northbound database."""
        return views.read(self.northbound, _NORTHBOUND, tables)

    def chassis(self) -> list[dict[str, Any]]:
        """The rows of Chassis, remote ones included."""
        rows = views.read(self.southbound, _SOUTHBOUND, views.SOUTHBOUND)["Chassis"]
        return list(rows)

    def ovn_ic_runs(self) -> bool:
        """Whether its ovn-ic is a living process."""
        return self._ovn_ic.running()

    @property
    def beacon(self) -> str:
        """Name and host name of a chassis that comes and goes."""
        return f"beacon-{self.name}"

    def light_beacon(self) -> None:
        """Add the beacon, a gateway."""
        # The zones are az1 and az2.
        encap = {"type": "geneve", "ip": f"192.0.2.{self.name[-1]}", "chassis_name": self.beacon}
        row = {
            "name": self.beacon,
            "hostname": self.beacon,
            "encaps": ["named-uuid", "encap"],
            "other_config": ["map", [["is-interconn", "true"]]],
        }
        operations = [
            {"op": "insert", "table": "Encap", "row": encap, "uuid-name": "encap"},
            {"op": "insert", "table": "Chassis", "row": row},
        ]
        self.southbound.transact(_SOUTHBOUND, operations)

    def end_beacon(self) -> None:
        """Remove the beacon."""
        where = [["name", "==", self.beacon]]
        self.southbound.transact(
            _SOUTHBOUND, [{"op": "delete", "table": "Chassis", "where": where}]
        )

    def mark_chassis(self, marks: Mapping[str, bool]) -> None:
        """Write is-interconn of hosts, as kube-ovn-cni and ovn-controller do."""
        for host, marked in marks.items():
            value = "true" if marked else "false"
            chassis = next(each["name"] for each in self.chassis() if each["hostname"] == host)
            self.databases.sbctl("set", "Chassis", chassis, f"other_config:is-interconn={value}")

    def reset(self) -> None:
        """Bring databases and objects to where no interconnection was; nothing runs meanwhile."""
        self.write_config_map(None)
        for name in set(self.subnets()) - {*BASE_NETWORKS}:
            self.write_subnet(name, None)
        self.clear_labels()
        self.northbound.transact(_NORTHBOUND, self._emptied_northbound())
        self._restore_chassis()

    def _emptied_northbound(self) -> list[dict[str, Any]]:
        rows = self.rows(views.NORTHBOUND)
        kept = {f"{ROUTER}-{name}" for name in BASE_NETWORKS}
        ports = [
            ["uuid", row["_uuid"]] for row in rows["Logical_Router_Port"] if row["name"] in kept
        ]
        (only,) = rows["NB_Global"]
        options = [
            [key, text] for key, text in only["options"].items() if not key.startswith("ic-")
        ]
        nothing: list[Any] = ["set", []]
        empty = {"ports": ["set", ports], "static_routes": nothing, "policies": nothing}
        operations: list[dict[str, Any]] = [
            {
                "op": "update",
                "table": "NB_Global",
                "where": [],
                "row": {"name": "", "options": ["map", options]},
            },
            {
                "op": "update",
                "table": "Logical_Router",
                "where": [["name", "==", ROUTER]],
                "row": empty,
            },
            {"op": "delete", "table": "Logical_Router", "where": [["name", "!=", ROUTER]]},
        ]
        return operations + [
            {
                "op": "delete",
                "table": "Logical_Switch",
                "where": [["_uuid", "==", ["uuid", row["_uuid"]]]],
            }
            for row in rows["Logical_Switch"]
            if row["name"] not in BASE_NETWORKS
        ]

    def _local_chassis(self) -> dict[str, str]:
        """Name and tunnel address of each host's Chassis row."""
        tables = {"Chassis": ("name", "hostname"), "Encap": ("chassis_name", "ip")}
        rows = views.read(self.southbound, _SOUTHBOUND, tables)
        addresses = {row["chassis_name"]: row["ip"] for row in rows["Encap"]}
        return {row["name"]: addresses[row["name"]] for row in rows["Chassis"]}

    def _restore_chassis(self) -> None:
        """Remove what ovn-ic or a case has added, add what a case has removed, mark all."""
        there = {row["name"]: row for row in self.chassis()}
        for name in there.keys() - self._hosts.keys():
            self.databases.sbctl("chassis-del", name)
        for name, address in self._hosts.items():
            host, row = name.removeprefix("chassis-"), there.get(name)
            if row is None:
                self.databases.sbctl("chassis-add", name, "geneve", address)
            elif (row["hostname"], row["other_config"].get("is-interconn")) == (host, "true"):
                continue
            self.databases.sbctl(
                *("set", "Chassis", name, f"hostname={host}", "other_config:is-interconn=true")
            )


class World(ABC):
    """Both zones and the IC databases.

    Attributes:
        zones: the zones by name.
        ic: the IC databases.
        fresh_draws: whether a port that is drawn anew certainly has another address.
    """

    fresh_draws = False

    def __init__(self, zones: Mapping[str, ZoneUnderTest], ic: IcDatabases) -> None:
        self.zones = zones
        self.ic = ic
        self._northbound = OvsdbSession.at(ic.northbound.unix)
        self._southbound = OvsdbSession.at(ic.southbound.unix)

    def close(self) -> None:
        """End all sessions and controllers."""
        for zone in self.zones.values():
            zone.close()
        self._northbound.close()
        self._southbound.close()

    def begin_anew(self) -> None:
        """No interconnection, no transit switch, and controllers that remember nothing."""
        for zone in self.zones.values():
            zone.stop_controller()
        for zone in self.zones.values():
            zone.reset()
        for session, database, tables in (
            (self._northbound, _IC_NORTHBOUND, [*views.IC_NORTHBOUND]),
            (self._southbound, _IC_SOUTHBOUND, [*views.IC_SOUTHBOUND, "Encap", "Datapath_Binding"]),
        ):
            empty = [{"op": "delete", "table": table, "where": []} for table in tables]
            session.transact(database, empty)
        for zone in self.zones.values():
            zone.start_controller()

    def config(self, zone: str) -> Config:
        """The ConfigMap that a zone begins with: az1 has one gateway, az2 has two."""
        return {
            "enable-ic": "true",
            "az-name": zone,
            "ic-db-host": "127.0.0.1",
            "ic-nb-port": str(self.ic.ports.northbound),
            "ic-sb-port": str(self.ic.ports.southbound),
            "gw-nodes": "az1-gw1" if zone == "az1" else "az2-gw1,az2-gw2",
            "auto-route": "true",
        }

    def look(self) -> View:
        """Everything as it is now."""
        zones = {
            name: views.zone_view(zone.rows(views.NORTHBOUND), zone.labels(), zone.internal_ips())
            for name, zone in self.zones.items()
        }
        return views.view(
            zones,
            views.read(self._northbound, _IC_NORTHBOUND, views.IC_NORTHBOUND),
            self._ic_southbound(),
            fresh_draws=self.fresh_draws,
        )

    def nudge(self) -> None:
        """Give time to all, and a round to the controllers that do not go by themselves."""
        for zone in self.zones.values():
            zone.nudge()
        time.sleep(POLL_SECONDS)

    @abstractmethod
    def go_round(self, rounds: int) -> None:
        """Return when every controller that runs has done so many rounds since the call."""

    def settle(self, rounds: int) -> None:
        """Return when each controller, then each ovn-ic, has seen what there was at the call.

        A controller tells by whole rounds. ovn-ic tells by a chassis: as a gateway it travels
        from the zone through IC SB to the peer, and away again; whatever ovn-ic had to do about
        routes and ports before, it does in the same turns of its loop.
        """
        self.go_round(rounds)
        for zone in self.zones.values():
            zone.light_beacon()
        wait_until(lambda: self._told(there=True), "the beacons have reached all")
        for zone in self.zones.values():
            zone.end_beacon()
        wait_until(lambda: self._told(there=False), "the beacons are gone everywhere")

    def _told(self, *, there: bool) -> bool:
        """Whether every ovn-ic that can know has acted; one that is not connected cannot."""
        southbound = self._ic_southbound()
        registered = {row["name"] for row in southbound["Availability_Zone"]}
        gateways = {row["hostname"] for row in southbound["Gateway"]}
        connected = [zone for zone in self.zones.values() if _connected(zone, registered)]
        beacons = {zone.beacon for zone in connected}
        known = {zone.name: {row["name"] for row in zone.chassis()} for zone in connected}
        if there:
            return beacons <= gateways and all(beacons <= each for each in known.values())
        return not beacons & gateways and not any(beacons & each for each in known.values())

    def _ic_southbound(self) -> Any:  # noqa: ANN401 -- rows by table
        return views.read(self._southbound, _IC_SOUTHBOUND, views.IC_SOUTHBOUND)


def _connected(zone: ZoneUnderTest, registered: set[str]) -> bool:
    (row,) = zone.rows({"NB_Global": ("name",)})["NB_Global"]
    return row["name"] in registered and zone.ovn_ic_runs()
