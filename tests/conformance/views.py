"""What is looked at: the rows of both zones and of the IC databases, and labels, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from icplan.lab.jsonrpc import OvsdbSession

Rows = list[dict[str, Any]]
ROUTER = "ovn-cluster"

NORTHBOUND = {
    "NB_Global": ("name", "options"),
    "Logical_Router": ("name", "ports", "static_routes", "policies"),
    "Logical_Router_Port": ("name", "mac", "networks", "gateway_chassis"),
    "Logical_Router_Static_Route": ("ip_prefix", "nexthop", "options", "external_ids"),
    "Logical_Router_Policy": ("priority", "match", "action"),
    "Logical_Switch": ("name", "ports"),
    "Logical_Switch_Port": ("name", "type", "addresses", "options"),
    "Gateway_Chassis": ("chassis_name", "priority"),
}
SOUTHBOUND = {"Chassis": ("name", "hostname", "other_config")}
IC_NORTHBOUND = {"Transit_Switch": ("name", "external_ids")}
IC_SOUTHBOUND = {
    "Availability_Zone": ("name",),
    "Gateway": ("availability_zone", "hostname"),
    "Port_Binding": ("availability_zone", "logical_port", "address"),
    "Route": ("availability_zone", "ip_prefix", "nexthop"),
}


@dataclass(frozen=True, slots=True)
class RouterPort:
    """A zone's router port on a transit switch.

    Attributes:
        name: its name.
        router: the router it is on.
        networks: its addresses with prefix length.
        mac: its Ethernet address.
        gateways: priority and host of its gateways, the active one first.
    """

    name: str
    router: str
    networks: tuple[str, ...]
    mac: str
    gateways: tuple[tuple[int, str], ...]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its addresses without prefix length."""
        return tuple(each.partition("/")[0] for each in self.networks)


@dataclass(frozen=True, slots=True)
class SwitchPort:
    """A port on a transit switch, as one zone's northbound database has it."""

    switch: str
    type: str
    addresses: tuple[str, ...]
    router_port: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """A static route; `learned` is its `ic-learned-route`, `origin` its option of that name."""

    uuid: str
    router: str
    prefix: str
    next_hop: str
    origin: str | None
    learned: str | None


@dataclass(frozen=True, slots=True)
class ZoneView:
    """One zone.

    Attributes:
        name: NB_Global.name.
        options: the interconnection's options of NB_Global.
        ports: the router ports on transit switches, by switch.
        switches: the transit switches that its northbound database has.
        switch_ports: the ports on them, by name.
        routes: the static routes of all routers.
        policies: priority, match and action of the policies of all routers.
        labels: the value of the gateway label of each Node; none without it.
        internal_ips: the InternalIP of each Node.
    """

    name: str
    options: Mapping[str, str]
    ports: Mapping[str, RouterPort]
    switches: frozenset[str]
    switch_ports: Mapping[str, SwitchPort]
    routes: tuple[Route, ...]
    policies: tuple[tuple[int, str, str], ...]
    labels: Mapping[str, str | None]
    internal_ips: Mapping[str, str]

    @property
    def denied(self) -> set[str] | None:
        """The entries of ic-route-blacklist; none when there is no such option."""
        text = self.options.get("ic-route-blacklist")
        return None if text is None else set(text.split(","))

    def learned(self) -> list[Route]:
        """The routes that ovn-ic has learned."""
        return [route for route in self.routes if route.learned is not None]

    def unlearned(self, prefix: str) -> list[Route]:
        """The routes to a prefix that somebody has written."""
        return [each for each in self.routes if each.learned is None and each.prefix == prefix]


@dataclass(frozen=True, slots=True)
class View:
    """Everything at one moment.

    Attributes:
        zones: the zones, by the name that the test gives them.
        switches: external_ids of the rows of Transit_Switch, by name.
        registered: the uuids of the rows of Availability_Zone, by name.
        gateways: zone and host name of the rows of Gateway.
        bound: zone and name of the rows of Port_Binding.
        advertised: zone, prefix and uuid of the rows of Route.
        fresh_draws: whether a port that is drawn anew certainly has another address.
    """

    zones: Mapping[str, ZoneView]
    switches: Mapping[str, Mapping[str, str]]
    registered: Mapping[str, str]
    gateways: frozenset[tuple[str, str]]
    bound: frozenset[tuple[str, str]]
    advertised: frozenset[tuple[str, str, str]]
    fresh_draws: bool


def read(session: OvsdbSession, database: str, tables: Mapping[str, Iterable[str]]) -> Any:  # noqa: ANN401 -- rows by table
    """Some columns of some tables, in one transaction; cells as Python has them."""
    operations = [
        {"op": "select", "table": table, "where": [], "columns": ["_uuid", *columns]}
        for table, columns in tables.items()
    ]
    results = session.transact(database, operations)
    return {
        table: [{key: _value(cell) for key, cell in row.items()} for row in result["rows"]]
        for table, result in zip(tables, results, strict=True)
    }


def members(cell: Any) -> tuple[Any, ...]:  # noqa: ANN401 -- a cell
    """The members of a column that holds a set; OVSDB writes a set of one as that one."""
    return tuple(cell) if isinstance(cell, list) else (cell,)


def zone_view(
    rows: Mapping[str, Rows], labels: Mapping[str, str | None], internal_ips: Mapping[str, str]
) -> ZoneView:
    """One zone, from the rows of its northbound database and its Nodes."""
    (row,) = rows["NB_Global"]
    ports = [_router_port(rows, each) for each in rows["Logical_Router_Port"]]
    own = {_switch_of(port.name): port for port in ports if _switch_of(port.name)}
    transit = {each["name"]: each for each in rows["Logical_Switch"] if _is_transit(each["name"])}
    switch_ports = {each["_uuid"]: each for each in rows["Logical_Switch_Port"]}
    return ZoneView(
        name=row["name"],
        options={key: text for key, text in row["options"].items() if key.startswith("ic-")},
        ports=own,
        switches=frozenset(transit),
        switch_ports={
            switch_ports[each]["name"]: _switch_port(name, switch_ports[each])
            for name, switch in transit.items()
            for each in members(switch["ports"])
        },
        routes=tuple(_routes(rows)),
        policies=tuple(
            (each["priority"], each["match"], each["action"])
            for each in rows["Logical_Router_Policy"]
        ),
        labels=labels,
        internal_ips=internal_ips,
    )


def view(
    zones: Mapping[str, ZoneView],
    northbound: Mapping[str, Rows],
    southbound: Mapping[str, Rows],
    *,
    fresh_draws: bool,
) -> View:
    """Everything, from the zones and the rows of the IC databases."""
    names = {row["_uuid"]: row["name"] for row in southbound["Availability_Zone"]}

    def owner(row: Mapping[str, Any]) -> str:
        return str(names.get(row["availability_zone"], ""))

    return View(
        zones=zones,
        switches={row["name"]: row["external_ids"] for row in northbound["Transit_Switch"]},
        registered={name: uuid for uuid, name in names.items()},
        gateways=frozenset((owner(row), row["hostname"]) for row in southbound["Gateway"]),
        bound=frozenset((owner(row), row["logical_port"]) for row in southbound["Port_Binding"]),
        advertised=frozenset(
            (owner(row), row["ip_prefix"], row["_uuid"]) for row in southbound["Route"]
        ),
        fresh_draws=fresh_draws,
    )


def _is_transit(name: str) -> bool:
    return name.removeprefix("ts").isdecimal() or name == "ts"


def _switch_of(router_port: str) -> str:
    """The transit switch in the name of a router port ("az1-ts1"), or nothing."""
    _, hyphen, switch = router_port.rpartition("-")
    return switch if hyphen and _is_transit(switch) else ""


def _router_port(rows: Mapping[str, Rows], row: Mapping[str, Any]) -> RouterPort:
    routers = [each for each in rows["Logical_Router"] if row["_uuid"] in members(each["ports"])]
    gateways = [
        (each["priority"], each["chassis_name"].removeprefix("chassis-"))
        for each in rows["Gateway_Chassis"]
        if each["_uuid"] in members(row["gateway_chassis"])
    ]
    return RouterPort(
        name=row["name"],
        router=routers[0]["name"] if routers else "",
        networks=tuple(sorted(members(row["networks"]))),
        mac=row["mac"],
        gateways=tuple(sorted(gateways, reverse=True)),
    )


def _switch_port(switch: str, row: Mapping[str, Any]) -> SwitchPort:
    addresses = members(row["addresses"])
    return SwitchPort(switch, row["type"], addresses, row["options"].get("router-port"))


def _routes(rows: Mapping[str, Rows]) -> Iterable[Route]:
    there = {row["_uuid"]: row for row in rows["Logical_Router_Static_Route"]}
    for router in rows["Logical_Router"]:
        for uuid in members(router["static_routes"]):
            row = there[uuid]
            yield Route(
                uuid=uuid,
                router=router["name"],
                prefix=row["ip_prefix"],
                next_hop=row["nexthop"],
                origin=row["options"].get("origin"),
                learned=row["external_ids"].get("ic-learned-route"),
            )


def _value(cell: Any) -> Any:  # noqa: ANN401 -- JSON
    match cell:
        case ["uuid", str(uuid)]:
            return uuid
        case ["map", list(pairs)]:
            return dict(pairs)
        case ["set", list(each)]:
            return [_value(one) for one in each]
    return cell
