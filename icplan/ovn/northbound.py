"""A zone's northbound database as facts: routers, ports, routes and the global row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from icplan.core.io import NORTHBOUND, Condition, Database, Query, Row, Tables, equals
from icplan.ovn.denylist import Denylist, is_loose
from icplan.ovn.prefix import normal, sort_key
from icplan.ovn.rows import number, pairs, text, texts

ADVERTISE = "ic-route-adv"
LEARN = "ic-route-learn"
LEARNED_FROM = "ic-learned-route"
"""The key by which ovn-ic knows the routes that it made (docs/facts.md section 4)."""
BLACKLIST = "ic-route-blacklist"
DENYLIST = "ic-route-denylist"
"""OVN 24.09 and later read the blacklist only without this one (docs/facts.md section 9)."""

ALLOW, DROP, REROUTE = "allow", "drop", "reroute"
"""The actions of a policy: the routes decide, the packet is lost, or it goes elsewhere."""

_TO_PREFIX = re.compile(r"ip[46]\.dst *== *([0-9a-fA-F.:/]+)")


@dataclass(frozen=True, slots=True)
class RouterPort:
    """A Logical_Router_Port; `gateway_chassis` are uuids."""

    uuid: str
    name: str
    enabled: bool
    mac: str
    networks: tuple[str, ...]
    gateway_chassis: tuple[str, ...]
    ha_chassis_group: str
    external_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SwitchPort:
    """A Logical_Switch_Port: of type router or remote, or of a name that icplan would give."""

    uuid: str
    name: str
    enabled: bool
    type: str
    addresses: tuple[str, ...]
    router_port: str
    external_ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Router:
    """A Logical_Router; ports, routes, NAT rules and policies are uuids."""

    uuid: str
    name: str
    ports: frozenset[str]
    static_routes: frozenset[str]
    nat: frozenset[str]
    policies: frozenset[str]
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Switch:
    """A Logical_Switch; `transit_switch` is the name that ovn-ic recorded, else empty."""

    uuid: str
    name: str
    transit_switch: str
    ports: frozenset[str]
    acls: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StaticRoute:
    """A Logical_Router_Static_Route; `prefix` is normalised, `policy` is dst-ip or src-ip.

    Attributes:
        learned_from: the uuid of the Route row in the IC southbound database that ovn-ic made it
            from; empty for a route of somebody else.
        origin: its `options:origin`, at which Kube-OVN's controller looks (docs/facts.md section
            4); None when it has no such key.
        external_ids: of those that ovn-ic did not make.
        written: the prefix as the row has it.
        table: empty for <main>.
        output_port: the router port by which it leaves; empty for the one that its next hop is at.
    """

    uuid: str
    prefix: str
    nexthop: str
    policy: str
    learned_from: str
    origin: str | None = None
    external_ids: Mapping[str, str] = field(default_factory=dict)
    written: str = ""
    table: str = ""
    output_port: str = ""

    @property
    def learned(self) -> bool:
        """Whether ovn-ic made it."""
        return bool(self.learned_from)


@dataclass(frozen=True, slots=True)
class GatewayChassis:
    """A Gateway_Chassis row of a router port."""

    uuid: str
    name: str
    chassis: str
    priority: int


@dataclass(frozen=True, slots=True)
class NatRule:
    """A NAT row: `snat`, `dnat` or `dnat_and_snat`."""

    uuid: str
    type: str
    external_ip: str
    logical_ip: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A Logical_Router_Policy: they come before all routes.

    Attributes:
        priority: of those that match a packet the highest decides.
        nexthops: where a reroute leads.
        of_kube_ovn: whether Kube-OVN's controllers made it.
    """

    uuid: str
    match: str
    action: str
    priority: int = 0
    nexthops: tuple[str, ...] = ()
    of_kube_ovn: bool = False

    @property
    def closes(self) -> bool:
        """Whether the routes are not asked about what it matches."""
        return self.action in {DROP, REROUTE}

    @property
    def allowed(self) -> str | None:
        """The prefix to which it lets all traffic pass; None when it does something else."""
        found = _TO_PREFIX.fullmatch(self.match.strip())
        return normal(found[1]) if found and self.action == ALLOW else None


@dataclass(frozen=True)
class Northbound:
    """What is known of one northbound database; `global_uuid` is empty when it has no NB_Global.

    Attributes:
        other_tables: routes of other tables than <main>, which are neither advertised nor learned
            nor ours.
    """

    global_uuid: str
    name: str
    options: Mapping[str, str]
    external_ids: Mapping[str, str]
    routers: tuple[Router, ...]
    router_ports: Mapping[str, RouterPort] = field(repr=False)
    switches: tuple[Switch, ...] = field(repr=False)
    switch_ports: Mapping[str, SwitchPort] = field(repr=False)
    static_routes: Mapping[str, StaticRoute] = field(repr=False)
    gateway_chassis: Mapping[str, GatewayChassis] = field(repr=False)
    nat: Mapping[str, NatRule] = field(repr=False)
    policies: tuple[Policy, ...] = field(default=(), repr=False)
    other_tables: tuple[StaticRoute, ...] = field(default=(), repr=False)

    @property
    def version(self) -> str:
        """OVN's version, as ovn-northd leaves it ("23.03.1-20.27.0-70.6"); empty if unknown."""
        return self.options.get("northd_internal_version", "")

    @cached_property
    def denylist(self) -> Denylist:
        """What the zone neither advertises nor learns."""
        value = self.options.get(BLACKLIST, "")
        entries = tuple(entry.strip() for entry in value.split(",")) if value else ()
        return Denylist(entries, is_loose(self.version))

    def routers_named(self, name: str) -> tuple[Router, ...]:
        """Router names are not unique in OVN, so there may be several."""
        return tuple(router for router in self.routers if router.name == name)

    def transit(self, name: str) -> Switch | None:
        """The switch that ovn-ic made for a transit switch; None until it has."""
        return next((switch for switch in self.switches if switch.transit_switch == name), None)

    def ports_of(self, router: Router) -> tuple[RouterPort, ...]:
        """A router's ports by name."""
        found = (self.router_ports[uuid] for uuid in router.ports if uuid in self.router_ports)
        return tuple(sorted(found, key=lambda port: port.name))

    def routes_of(self, router: Router) -> tuple[StaticRoute, ...]:
        """A router's static routes, by prefix and next hop."""
        routes = self.static_routes
        found = (routes[uuid] for uuid in router.static_routes if uuid in routes)
        return tuple(sorted(found, key=lambda route: (sort_key(route.prefix), route.nexthop)))

    def routes_to(self, router: Router, prefix: str) -> tuple[StaticRoute, ...]:
        """A router's routes with exactly that prefix, but for learned ones, by next hop."""
        found = (one for one in self.routes_with(prefix) if one.uuid in router.static_routes)
        return tuple(sorted(found, key=lambda one: (one.nexthop, one.uuid)))

    def routes_with(self, prefix: str) -> tuple[StaticRoute, ...]:
        """All routers' routes with exactly that prefix, but for learned ones."""
        return self._by_prefix.get(prefix, ())

    @cached_property
    def _by_prefix(self) -> Mapping[str, tuple[StaticRoute, ...]]:
        found: dict[str, list[StaticRoute]] = {}
        for route in self.static_routes.values():
            if not route.learned:
                found.setdefault(route.prefix, []).append(route)
        return {prefix: tuple(routes) for prefix, routes in found.items()}

    def policies_of(self, router: Router) -> tuple[Policy, ...]:
        """Those of a router's policies that were asked for, by what they match."""
        found = (one for one in self.policies if one.uuid in router.policies)
        return tuple(sorted(found, key=lambda one: (one.match, one.action)))

    def attachments(self, switch: Switch, router: Router) -> tuple[SwitchPort, ...]:
        """The ports of a switch that lead to a router, by name."""
        names = {port.name for port in self.ports_of(router)}
        found = (self.switch_ports[uuid] for uuid in switch.ports if uuid in self.switch_ports)
        return tuple(
            sorted(
                (port for port in found if port.type == "router" and port.router_port in names),
                key=lambda port: port.name,
            )
        )

    def router_port(self, name: str) -> RouterPort | None:
        """The router port of that name; names are unique in a northbound database."""
        return next((port for port in self.router_ports.values() if port.name == name), None)

    def gateways_of(self, port: RouterPort) -> tuple[GatewayChassis, ...]:
        """A port's gateway chassis, the active one first."""
        found = (
            self.gateway_chassis[uuid]
            for uuid in port.gateway_chassis
            if uuid in self.gateway_chassis
        )
        return tuple(sorted(found, key=lambda row: (-row.priority, row.name)))


ALLOW_PRIORITY = 29500
"""At which Kube-OVN's controller lets traffic to other zones pass (docs/facts.md section 4)."""


def policy_queries(zone: str, *, kube_ovn: bool) -> tuple[Query, ...]:
    """What must be read to know what passes the router's policies.

    Kube-OVN makes one for each subnet and node below the priority at which it lets traffic to other
    zones pass: what cannot come before that is not read.
    """
    columns = ("match", "action", "priority", "nexthop", "nexthops", "external_ids")
    where = (Condition("priority", ">=", ALLOW_PRIORITY),) if kube_ovn else ()
    return (Query(Database(zone, NORTHBOUND), "Logical_Router_Policy", columns, where),)


def queries(
    zone: str, transit_switches: Iterable[str] = (), *, switch_names: bool = False
) -> tuple[Query, ...]:
    """What must be read of a zone's northbound database.

    Args:
        zone: the availability zone.
        transit_switches: the transit switches whose ports are wanted.
        switch_names: read all switches, to find subnets by the name of their switch.
    """
    database = Database(zone, NORTHBOUND)

    def rows(table: str, *columns: str, where: tuple[Condition, ...] = ()) -> Query:
        return Query(database, table, columns, where)

    names = tuple(transit_switches)
    switch_columns = ("name", "other_config", "ports", "acls")
    switches = (
        [rows("Logical_Switch", *switch_columns)]
        if switch_names
        else [
            rows("Logical_Switch", *switch_columns, where=(equals("name", name),)) for name in names
        ]
    )
    port_columns = ("name", "enabled", "type", "addresses", "options", "external_ids")
    return (
        rows("NB_Global", "name", "options", "external_ids"),
        rows("Logical_Router", "name", "enabled", "ports", "static_routes", "nat", "policies"),
        rows(
            "Logical_Router_Port",
            "name", "enabled", "mac", "networks",
            "gateway_chassis", "ha_chassis_group", "external_ids",
        ),
        rows("Gateway_Chassis", "name", "chassis_name", "priority"),
        rows(
            "Logical_Router_Static_Route",
            "ip_prefix", "nexthop", "policy", "route_table", "output_port", "options",
            "external_ids",
        ),
        rows("NAT", "type", "external_ip", "logical_ip"),
        # A switch may hold thousands of pods' ports; only these two types matter here.
        rows("Logical_Switch_Port", *port_columns, where=(equals("type", "router"),)),
        rows("Logical_Switch_Port", *port_columns, where=(equals("type", "remote"),)),
        # And those that have a name which icplan would give: names are unique.
        *(
            rows("Logical_Switch_Port", *port_columns, where=(equals("name", f"{name}-{zone}"),))
            for name in names
        ),
        *switches,
    )  # fmt: skip


def decode(tables: Tables) -> Northbound:
    """Rows to facts. Missing tables count as empty: the query did not ask for them."""
    whole = tables.get("NB_Global", ())
    row = whole[0] if whole else {}
    routes = tables.get("Logical_Router_Static_Route", ())
    return Northbound(
        global_uuid=text(row, "_uuid"),
        name=text(row, "name"),
        options=pairs(row, "options"),
        external_ids=pairs(row, "external_ids"),
        routers=tuple(
            sorted(
                (
                    Router(
                        text(row, "_uuid"),
                        text(row, "name"),
                        frozenset(texts(row, "ports")),
                        frozenset(texts(row, "static_routes")),
                        frozenset(texts(row, "nat")),
                        frozenset(texts(row, "policies")),
                        row.get("enabled") is not False,
                    )
                    for row in tables.get("Logical_Router", ())
                ),
                key=lambda router: (router.name, router.uuid),
            )
        ),
        router_ports={
            text(row, "_uuid"): RouterPort(
                text(row, "_uuid"),
                text(row, "name"),
                row.get("enabled") is not False,
                text(row, "mac"),
                texts(row, "networks"),
                texts(row, "gateway_chassis"),
                text(row, "ha_chassis_group"),
                pairs(row, "external_ids"),
            )
            for row in tables.get("Logical_Router_Port", ())
        },
        switches=tuple(
            sorted(
                (
                    Switch(
                        text(row, "_uuid"),
                        text(row, "name"),
                        pairs(row, "other_config").get("interconn-ts", ""),
                        frozenset(texts(row, "ports")),
                        frozenset(texts(row, "acls")),
                    )
                    for row in tables.get("Logical_Switch", ())
                ),
                key=lambda switch: (switch.name, switch.uuid),
            )
        ),
        switch_ports={
            text(row, "_uuid"): SwitchPort(
                text(row, "_uuid"),
                text(row, "name"),
                row.get("enabled") is not False,
                text(row, "type"),
                texts(row, "addresses"),
                pairs(row, "options").get("router-port", ""),
                pairs(row, "external_ids"),
            )
            for row in tables.get("Logical_Switch_Port", ())
        },
        static_routes={
            text(row, "_uuid"): _route(row) for row in routes if not text(row, "route_table")
        },
        gateway_chassis={
            text(row, "_uuid"): GatewayChassis(
                text(row, "_uuid"),
                text(row, "name"),
                text(row, "chassis_name"),
                number(row, "priority"),
            )
            for row in tables.get("Gateway_Chassis", ())
        },
        nat={
            text(row, "_uuid"): NatRule(
                text(row, "_uuid"),
                text(row, "type"),
                text(row, "external_ip"),
                text(row, "logical_ip"),
            )
            for row in tables.get("NAT", ())
        },
        policies=tuple(
            Policy(
                text(row, "_uuid"),
                text(row, "match"),
                text(row, "action"),
                number(row, "priority"),
                tuple(sorted({*texts(row, "nexthops"), *filter(None, [text(row, "nexthop")])})),
                pairs(row, "external_ids").get("vendor") == "kube-ovn",
            )
            for row in tables.get("Logical_Router_Policy", ())
        ),
        other_tables=tuple(_route(row) for row in routes if text(row, "route_table")),
    )


def _route(row: Row) -> StaticRoute:
    external_ids = pairs(row, "external_ids")
    learned_from = external_ids.get(LEARNED_FROM, "")
    return StaticRoute(
        text(row, "_uuid"),
        normal(text(row, "ip_prefix")),
        text(row, "nexthop"),
        text(row, "policy") or "dst-ip",
        learned_from,
        pairs(row, "options").get("origin"),
        {} if learned_from else external_ids,
        text(row, "ip_prefix"),
        text(row, "route_table"),
        text(row, "output_port"),
    )
