"""The OVN side on real databases and a real ovn-ic. Decides nothing; writes what it is told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from icplan.errors import IcplanError
from icplan.lab.daemons import Daemon
from icplan.lab.jsonrpc import OvsdbSession
from icplan.lab.standin.decisions import owned_router_port, owned_switch_port
from icplan.lab.standin.failures import RoundFailed
from icplan.lab.standin.ovsdb_values import (
    Row,
    delete,
    map_of,
    mutate,
    named,
    select,
    set_of,
    to_dict,
    to_list,
    to_optional,
    uuid,
    uuids,
)
from icplan.lab.standin.values import (
    LEARNED,
    POLICY_PRIORITY,
    ROUTER,
    SWITCH_PREFIX,
    VENDOR,
    Policy,
    Route,
    TransitPort,
    TransitSwitch,
)

_NORTHBOUND = "OVN_Northbound"
_SOUTHBOUND = "OVN_Southbound"
_IC_NORTHBOUND = "OVN_IC_Northbound"
_IC_SOUTHBOUND = "OVN_IC_Southbound"
_FIRST_PRIORITY = 100


class OvnDatabases:
    """One zone's databases, and the ovn-ic that this controller runs.

    An ovn-ic that an earlier controller left behind in the same folder is ended: with the real
    one, both live in one container, and end together.
    """

    def __init__(self, northbound: str, southbound: str, directory: Path) -> None:
        """Open nothing yet: sessions are made when they are needed, and anew after a failure.

        Args:
            northbound: where the zone's NB is, as OVN writes it ("unix:…", "tcp:…").
            southbound: where its SB is.
            directory: the folder for the files of ovn-ic.
        """
        self._addresses = {_NORTHBOUND: northbound, _SOUTHBOUND: southbound}
        self._sessions: dict[str, OvsdbSession] = {}
        self._directory = directory.resolve()
        self._ovn_ic = self._daemon("", "")
        self._ovn_ic.stop()

    def close(self) -> None:
        """End ovn-ic and the sessions, as the end of the pod does."""
        self._ovn_ic.stop()
        for session in self._sessions.values():
            session.close()
        self._sessions = {}

    # The northbound database

    def set_zone_name(self, name: str) -> None:
        """Write NB_Global.name."""
        self._set_global({"name": name})

    def global_options(self) -> Mapping[str, str]:
        """Read NB_Global.options."""
        (row,) = self._select(_NORTHBOUND, "NB_Global", "options")
        return to_dict(row["options"])

    def set_global_options(self, options: Mapping[str, str]) -> None:
        """Write NB_Global.options, unless they are so already."""
        if self.global_options() != options:
            self._set_global({"options": map_of(options)})

    def routes(self) -> list[Route]:
        """The static routes of all routers."""
        rows = {
            row["_uuid"][1]: row
            for row in self._select(
                _NORTHBOUND,
                "Logical_Router_Static_Route",
                *("ip_prefix", "options", "external_ids", "route_table", "policy"),
            )
        }
        return [
            Route(
                router=router["name"],
                uuid=each,
                table=rows[each]["route_table"],
                prefix=rows[each]["ip_prefix"],
                origin=to_dict(rows[each]["options"]).get("origin"),
                learned=LEARNED in to_dict(rows[each]["external_ids"]),
                policy=to_optional(rows[each]["policy"]),
            )
            for router in self._select(_NORTHBOUND, "Logical_Router", "name", "static_routes")
            for each in to_list(router["static_routes"])
            if each in rows
        ]

    def delete_routes(self, routes: Collection[Route]) -> None:
        """Delete static routes."""
        self._transact(
            _NORTHBOUND,
            [
                {
                    "op": "mutate",
                    "table": "Logical_Router",
                    "where": [["static_routes", "includes", uuid(route.uuid)]],
                    "mutations": [["static_routes", "delete", uuid(route.uuid)]],
                }
                for route in routes
            ],
        )

    def policies(self) -> list[Policy]:
        """The policies of priority 29500 on the default router."""
        own = set(to_list(self._router("policies")["policies"]))
        rows = self._transact(
            _NORTHBOUND,
            [
                select(
                    "Logical_Router_Policy",
                    ("match", "external_ids"),
                    [["priority", "==", POLICY_PRIORITY]],
                )
            ],
        )[0]["rows"]
        return [
            Policy(row["_uuid"][1], row["match"], to_dict(row["external_ids"]).get("origin"))
            for row in rows
            if row["_uuid"][1] in own
        ]

    def add_policy(self, match: str, origin: str) -> None:
        """Add an allow policy of priority 29500 to the default router."""
        row = {
            "priority": POLICY_PRIORITY,
            "match": match,
            "action": "allow",
            "external_ids": map_of({"origin": origin} | VENDOR),
        }
        self._transact(
            _NORTHBOUND,
            [
                _insert("Logical_Router_Policy", row, "policy"),
                mutate(
                    "Logical_Router",
                    self._router()["_uuid"][1],
                    "policies",
                    "insert",
                    named("policy"),
                ),
            ],
        )

    def delete_policies(self, policies: Collection[Policy]) -> None:
        """Delete policies of the default router."""
        if policies:
            members = uuids(policy.uuid for policy in policies)
            router = self._router()["_uuid"][1]
            self._transact(
                _NORTHBOUND, [mutate("Logical_Router", router, "policies", "delete", members)]
            )

    def has_switch_port(self, name: str) -> bool:
        """Whether a logical switch port of that name exists."""
        return bool(self._named(_NORTHBOUND, "Logical_Switch_Port", name))

    def remote_addresses(self) -> set[str]:
        """The addresses of the remote ports, one string for each port that has exactly one."""
        found = set()
        for row in self._select(_NORTHBOUND, "Logical_Switch_Port", "type", "addresses"):
            if row["type"] == "remote" and (addresses := to_list(row["addresses"])):
                words = addresses[0].split()
                if len(words) == 2:  # an Ethernet address and exactly one more
                    found.add(words[1])
        return found

    def create_port(self, port: TransitPort) -> None:
        """Make a port on a transit switch; fails while ovn-ic has not made the switch."""
        switches = self._named(_NORTHBOUND, "Logical_Switch", port.switch)
        if not switches:
            # ovn-ic makes it, as soon as it reaches the IC databases.
            raise RoundFailed(f"port {port.name}", f"logical switch {port.switch} is not there")
        switch_port = {
            "name": port.name,
            "type": "router",
            "addresses": "router",
            "options": map_of({"router-port": port.router_port}),
            "external_ids": map_of({"ls": port.switch} | VENDOR),
        }
        router_port = {
            "name": port.router_port,
            "mac": port.mac,
            "networks": set_of(port.networks),
            "external_ids": map_of({"lr": ROUTER} | VENDOR),
            "gateway_chassis": set_of(named(f"gateway{n}") for n in range(len(port.chassis))),
        }
        self._transact(
            _NORTHBOUND,
            [
                _insert("Logical_Switch_Port", switch_port, "switch_port"),
                mutate(
                    "Logical_Switch",
                    switches[0]["_uuid"][1],
                    "ports",
                    "insert",
                    named("switch_port"),
                ),
                *(
                    _insert("Gateway_Chassis", _gateway(port.router_port, name, n), f"gateway{n}")
                    for n, name in enumerate(port.chassis)
                ),
                _insert("Logical_Router_Port", router_port, "router_port"),
                mutate(
                    "Logical_Router",
                    self._router()["_uuid"][1],
                    "ports",
                    "insert",
                    named("router_port"),
                ),
            ],
        )

    def set_gateways(self, router_port: str, chassis: Sequence[str]) -> None:
        """Make the Gateway_Chassis of a router port exactly these, with priorities from 100."""
        ports = self._named(_NORTHBOUND, "Logical_Router_Port", router_port, "gateway_chassis")
        if not ports:
            raise RoundFailed(f"router port {router_port}", "is not there")
        own = set(to_list(ports[0]["gateway_chassis"]))
        there = {
            row["chassis_name"]: row
            for row in self._select(_NORTHBOUND, "Gateway_Chassis", "chassis_name", "priority")
            if row["_uuid"][1] in own
        }
        port = ports[0]["_uuid"][1]
        stale = uuids(there[name]["_uuid"][1] for name in there if name not in chassis)
        operations = [mutate("Logical_Router_Port", port, "gateway_chassis", "delete", stale)]
        for number, name in enumerate(chassis):
            row = _gateway(router_port, name, number)
            if name in there:
                where = [["_uuid", "==", there[name]["_uuid"]]]
                change = {"priority": row["priority"]}
                operations.append(
                    {"op": "update", "table": "Gateway_Chassis", "where": where, "row": change}
                )
            else:
                new = f"gateway{number}"
                operations += [
                    _insert("Gateway_Chassis", row, new),
                    mutate("Logical_Router_Port", port, "gateway_chassis", "insert", named(new)),
                ]
        self._transact(_NORTHBOUND, operations)

    def delete_transit_ports(self, zone: str) -> None:
        """Delete a zone's ports on transit switches, and the switches that had one."""
        switches = {
            owned_switch_port(row["name"], zone, SWITCH_PREFIX)
            for row in self._select(_NORTHBOUND, "Logical_Switch_Port", "name")
        }
        operations = [
            delete("Logical_Switch", row["_uuid"][1])
            for row in self._select(_NORTHBOUND, "Logical_Switch", "name")
            if row["name"] in switches
        ]
        for row in self._select(_NORTHBOUND, "Logical_Router_Port", "name"):
            if owned_router_port(row["name"], zone, SWITCH_PREFIX):
                operations.append(
                    {
                        "op": "mutate",
                        "table": "Logical_Router",
                        "where": [["ports", "includes", row["_uuid"]]],
                        "mutations": [["ports", "delete", row["_uuid"]]],
                    }
                )
        self._transact(_NORTHBOUND, operations)

    # The southbound database

    def chassis_of(self, hostname: str) -> str:
        """The name of the only chassis with a host name; fails when there is none, or two."""
        rows = self._chassis(hostname)
        if len(rows) != 1:
            raise RoundFailed(
                f"gateway node {hostname}", f"{len(rows)} chassis have this host name, not one"
            )
        return str(rows[0]["name"])

    def mark_interconn(self, hostname: str, *, marked: bool) -> None:
        """Set other_config:is-interconn of a host's chassis, as its ovn-controller would."""
        wanted = "true" if marked else "false"
        for row in self._chassis(hostname):
            other_config = to_dict(row["other_config"])
            if other_config.get("is-interconn") == wanted:
                continue
            changed = map_of(other_config | {"is-interconn": wanted})
            self._transact(
                _SOUTHBOUND,
                [
                    {
                        "op": "update",
                        "table": "Chassis",
                        "where": [["_uuid", "==", row["_uuid"]]],
                        "row": {"other_config": changed},
                    }
                ],
            )

    # The IC databases

    def transit_switches(self, address: str) -> list[TransitSwitch]:
        """The transit switches with `external_ids:vendor=kube-ovn`; others are not seen."""
        with OvsdbSession.at(address) as session:
            operation = select("Transit_Switch", ("name", "external_ids"))
            rows = session.transact(_IC_NORTHBOUND, [operation])[0]["rows"]
        found = []
        for row in sorted(rows, key=lambda row: str(row["_uuid"][1])):
            marks = to_dict(row["external_ids"])
            if marks.get("vendor") == VENDOR["vendor"]:
                found.append(TransitSwitch(row["name"], marks.get("subnet", "")))
        return found

    def delete_zone_rows(self, address: str, zone: str) -> None:
        """Delete a zone and its gateways, port bindings and routes from IC SB at an address."""
        with OvsdbSession.at(address) as session:
            where = [["name", "==", zone]]
            operation = select("Availability_Zone", (), where)
            for row in session.transact(_IC_SOUTHBOUND, [operation])[0]["rows"]:
                owned = [["availability_zone", "==", row["_uuid"]]]
                operations: list[Row] = [
                    {"op": "delete", "table": table, "where": owned}
                    for table in ("Port_Binding", "Gateway", "Route")
                ]
                operations.append(delete("Availability_Zone", row["_uuid"][1]))
                session.transact(_IC_SOUTHBOUND, operations)

    # ovn-ic

    def start_ovn_ic(self, northbound: str, southbound: str) -> None:
        """Start ovn-ic with addresses of the IC databases; one that runs keeps those it has."""
        if not self._ovn_ic.running():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._ovn_ic = self._daemon(northbound, southbound)
            self._ovn_ic.start()

    def stop_ovn_ic(self) -> None:
        """End ovn-ic, if it runs."""
        self._ovn_ic.stop()

    def _daemon(self, northbound: str, southbound: str) -> Daemon:
        arguments = (
            f"--ovnnb-db={self._addresses[_NORTHBOUND]}",
            f"--ovnsb-db={self._addresses[_SOUTHBOUND]}",
            f"--ic-nb-db={northbound}",
            f"--ic-sb-db={southbound}",
        )
        return Daemon("ovn-ic", self._directory, "ovn-ic", arguments)

    # Rows

    def _router(self, *columns: str) -> Row:
        rows = self._named(_NORTHBOUND, "Logical_Router", ROUTER, *columns)
        if len(rows) != 1:
            raise RoundFailed(f"router {ROUTER}", f"{len(rows)} routers have this name")
        return rows[0]

    def _chassis(self, hostname: str) -> list[Row]:
        operation = select("Chassis", ("name", "other_config"), [["hostname", "==", hostname]])
        return list(self._transact(_SOUTHBOUND, [operation])[0]["rows"])

    def _set_global(self, row: Row) -> None:
        self._transact(
            _NORTHBOUND, [{"op": "update", "table": "NB_Global", "where": [], "row": row}]
        )

    def _select(self, database: str, table: str, *columns: str) -> list[Row]:
        return list(self._transact(database, [select(table, columns)])[0]["rows"])

    def _named(self, database: str, table: str, name: str, *columns: str) -> list[Row]:
        operation = select(table, columns, [["name", "==", name]])
        return list(self._transact(database, [operation])[0]["rows"])

    def _transact(self, database: str, operations: list[Row]) -> list[Any]:
        if not operations:
            return []
        if database not in self._sessions:
            self._sessions[database] = OvsdbSession.at(self._addresses[database])
        try:
            return self._sessions[database].transact(database, operations)
        except IcplanError:
            self._sessions.pop(database).close()
            raise


def _insert(table: str, row: Row, name: str) -> Row:
    return {"op": "insert", "table": table, "row": row, "uuid-name": name}


def _gateway(router_port: str, chassis: str, number: int) -> Row:
    return {
        "name": f"{router_port}-{chassis}",
        "chassis_name": chassis,
        "priority": _FIRST_PRIORITY - number,
        "external_ids": map_of({"lrp": router_port}),
    }
