"""All zones on one page, from the facts. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypedDict

from icplan.core.words import listed
from icplan.kinds.common import zones
from icplan.kinds.common.controller import trouble
from icplan.kinds.common.transit_address import bare
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import Cluster
from icplan.ovn.facts import Facts
from icplan.ovn.interconnect import Gateway, IcSouthbound, PortBinding
from icplan.ovn.northbound import Northbound
from icplan.ovn.prefix import ordered
from icplan.ovn.routes import candidates
from icplan.planning.plan import Plan
from icplan.planning.routes_today import RouteToday, routes_today
from icplan.render.document import FORMAT_VERSION, UnreadableDocument
from icplan.render.paint import Paint, escape
from icplan.render.sources import subjects


class GatewayStatus(TypedDict):
    """A gateway that the zone offers; `serves` are the switches that it is active on."""

    host: str
    chassis: str
    tunnel_ips: list[str]
    serves: list[str]


class PortStatus(TypedDict):
    """A zone's port on a transit switch, and who serves it.

    `gateway` is the host that serves it, as all zones see it in the IC southbound database, or
    empty; `bound` is the one to which the zone's own southbound database has bound it. `order` are
    its gateways as they are configured: the first one is to be active. The last two are empty
    where the zone's databases were not looked at.
    """

    switch: str
    port: str
    networks: list[str]
    gateway: str
    bound: str
    order: list[str]


class LearnedStatus(TypedDict):
    """What a zone has learned from another."""

    zone: str
    prefixes: list[str]


class RouteStatus(TypedDict):
    """A route of the file, or of an earlier one; `trouble` says why it does not serve.

    `live` is null where nobody could look. `next_hop` is empty where the route is not there, and
    `switch` where a row is there once too often.
    """

    to: str
    prefix: str
    switch: str
    next_hop: str
    live: bool | None
    trouble: str


class ControllerStatus(TypedDict):
    """A Kube-OVN zone's controller; `trouble` says why it does not run, and is empty if it does."""

    version: str
    generation: str
    trouble: str


class ZoneStatus(TypedDict):
    """One zone; `registered` is null when the IC southbound database could not be seen.

    `controller` is null in plain OVN zones, and where the cluster could not be seen. What a zone
    that is left out has learned was not looked at.
    """

    name: str
    declared: str
    left_out: bool
    registered: bool | None
    controller: ControllerStatus | None
    gateways: list[GatewayStatus]
    ports: list[PortStatus]
    advertises: list[str]
    withholds: list[str]
    learned: list[LearnedStatus]
    routes: list[RouteStatus]


class StatusDocument(TypedDict):
    """Everything; `transit_switches` is null when they could not be seen."""

    format_version: str
    owner: str
    transit_switches: list[str] | None
    zones: list[ZoneStatus]
    unreadable: list[UnreadableDocument]
    changes: int


def status_document(plan: Plan) -> StatusDocument:
    """What there is now, and how many changes the file asks for."""
    facts = plan.view.facts
    ic = facts.ic_southbound
    spec = plan.view.spec
    states = {one.name: one.state.value for one in spec.interconnect.availability_zones}
    declared = {one.name: one for one in zones.declared(spec)}
    north = facts.ic_northbound
    # Those that the plan only starts are among them.
    lost = {one: why for one, why in facts.unseen.items() if not why.forbidden}
    routes: dict[str, list[RouteToday]] = {}
    for one in routes_today(plan.view):
        routes.setdefault(one.zone, []).append(one)
    return {
        "format_version": FORMAT_VERSION,
        "owner": plan.owner,
        "transit_switches": [one.name for one in north.transit_switches] if north else None,
        "zones": [
            _zone(
                name,
                states.get(name, "not in the file"),
                declared.get(name),
                facts,
                ic,
                routes.get(name, []),
                left_out=name in spec.without,
            )
            for name in sorted({*declared, *spec.without, *(ic.zones if ic else ())})
        ],
        "unreadable": [
            {"subject": subject, "cause": one.cause, "cure": one.cure}
            for subject, one in (*subjects(lost), *subjects(plan.not_permitted))
        ],
        "changes": len(plan.changes),
    }


def _zone(
    name: str,
    state: str,
    declared: zones.DeclaredZone | None,
    facts: Facts,
    seen_ic: IcSouthbound | None,
    routes: list[RouteToday],
    *,
    left_out: bool,
) -> ZoneStatus:
    seen = facts.northbound.get(name)
    ic = seen_ic or IcSouthbound((), (), (), ())
    ports = [port for port in ic.ports if port.zone == name]
    gateways = [one for one in ic.gateways if one.zone == name]
    return {
        "name": name,
        "declared": state,
        "left_out": left_out,
        "registered": name in ic.zones if seen_ic else None,
        "controller": _controller(facts.clusters.get(name)),
        "gateways": [_gateway(one, ports) for one in gateways],
        "ports": [_port(one, gateways, declared, facts) for one in ports],
        "advertises": list(ordered(one.prefix for one in ic.routes if one.zone == name)),
        "withholds": _withholds(declared, seen),
        "learned": _learned(declared, seen, seen_ic),
        "routes": [_route(one) for one in routes],
    }


def _route(route: RouteToday) -> RouteStatus:
    return {
        "to": route.to,
        "prefix": route.prefix,
        "switch": route.switch,
        "next_hop": route.next_hop,
        "live": route.live,
        "trouble": route.trouble,
    }


def _controller(cluster: Cluster | None) -> ControllerStatus | None:
    if cluster is None:
        return None
    return {
        "version": cluster.version,
        "generation": cluster.generation.value,
        "trouble": trouble(cluster),
    }


def _withholds(declared: zones.DeclaredZone | None, seen: Northbound | None) -> list[str]:
    """What the zone would advertise if its denylist did not keep it back."""
    if declared is None or seen is None:
        return []
    return list(
        ordered(
            one.prefix
            for router in seen.routers_named(declared.router)
            for one in candidates(seen, router)
            if seen.denylist.denies(one.prefix)
        )
    )


def _gateway(gateway: Gateway, ports: list[PortBinding]) -> GatewayStatus:
    return {
        "host": gateway.hostname,
        "chassis": gateway.name,
        "tunnel_ips": list(gateway.tunnel_ips),
        "serves": [port.transit_switch for port in ports if port.gateway == gateway.name],
    }


def _port(
    port: PortBinding,
    gateways: list[Gateway],
    declared: zones.DeclaredZone | None,
    facts: Facts,
) -> PortStatus:
    hosts = {one.name: one.hostname for one in gateways}
    bound, order = _order(port, declared, facts)
    return {
        "switch": port.transit_switch,
        "port": port.name,
        "networks": list(port.networks),
        "gateway": hosts.get(port.gateway, port.gateway),
        "bound": bound,
        "order": order,
    }


def _order(
    port: PortBinding, declared: zones.DeclaredZone | None, facts: Facts
) -> tuple[str, list[str]]:
    """Who serves a port by the zone's own databases, and its gateways in their order."""
    if declared is None or facts.zone_unseen(declared.name) is not None:
        return "", []
    north, south = facts.northbound[declared.name], facts.southbound[declared.name]
    for one in of_router(north, port.transit_switch, declared.router):
        chassis = south.serving.get(one.router_port.name, "")
        order = [south.host_of(row.chassis) or row.chassis for row in one.gateways]
        return south.host_of(chassis) or chassis, order
    return "", []


def _learned(
    declared: zones.DeclaredZone | None, seen: Northbound | None, ic: IcSouthbound | None
) -> list[LearnedStatus]:
    if declared is None or seen is None:
        return []
    owners = {
        bare(one): port.zone
        for port in (ic.ports if ic else ())
        if port.zone != declared.name
        for one in port.networks
    }
    stranger = "nobody at " if ic else ""
    found: dict[str, set[str]] = {}
    for router in seen.routers_named(declared.router):
        for route in seen.routes_of(router):
            if route.learned:
                zone = owners.get(bare(route.nexthop), f"{stranger}{route.nexthop}")
                found.setdefault(zone, set()).add(route.prefix)
    return [{"zone": zone, "prefixes": list(ordered(found[zone]))} for zone in sorted(found)]


def status_text(document: StatusDocument, paint: Paint) -> str:
    """The page."""
    return "\n".join(_lines(document, paint)) + "\n"


def _lines(document: StatusDocument, paint: Paint) -> Iterator[str]:
    names = document["transit_switches"]
    switches = "unseen" if names is None else ", ".join(map(escape, names)) or "none"
    yield f"{paint.strong(escape(document['owner']))}   transit switches: {switches}"
    for one in document["unreadable"]:
        yield paint.bad(f"could not see the {escape(one['subject'])}: {escape(one['cause'])}")
    for zone in document["zones"]:
        yield ""
        yield from _zone_lines(zone, paint)
    yield ""
    count = document["changes"]
    changes = "1 change" if count == 1 else f"{count} changes"
    left_out = [zone["name"] for zone in document["zones"] if zone["left_out"]]
    if document["unreadable"]:
        yield f"{changes} against the file, as far as could be seen."
    elif count:
        yield paint.altered(f"{changes} against the file: icplan plan shows them.")
    elif left_out:
        yield paint.good(
            f"No changes against the file, {', '.join(map(escape, left_out))} left out."
        )
    else:
        yield paint.good("No changes against the file.")


def _zone_lines(zone: ZoneStatus, paint: Paint) -> Iterator[str]:
    words = {True: "registered", False: "not registered", None: "registration unseen"}
    state = words[zone["registered"]]
    declared = zone["declared"]
    note = "" if declared == "present" else f", {declared}"
    note += ", left out" if zone["left_out"] else ""
    yield f"{paint.strong(escape(zone['name']))}   {state}{note}"
    if zone["controller"] is not None:
        yield f"  controller  {_controller_text(zone['controller'], paint)}"
    if zone["registered"] is None:
        yield "  gateways, ports: unseen"
    for gateway in zone["gateways"]:
        serves = ", ".join(map(escape, gateway["serves"]))
        role = paint.good(f"active on {serves}") if serves else "stands by"
        tunnels = ", ".join(map(escape, gateway["tunnel_ips"]))
        yield f"  gateway     {escape(gateway['host'])}  {tunnels}  {role}"
    for port in zone["ports"]:
        served = _served(port, paint)
        networks = ", ".join(map(escape, port["networks"]))
        yield f"  {escape(port['switch']):<11} {escape(port['port'])}  {networks}  {served}"
    if zone["advertises"]:
        yield f"  advertises  {_some(zone['advertises'])}"
    if zone["withholds"]:
        yield f"  withholds   {_some(zone['withholds'])}"
    for learned in zone["learned"]:
        yield f"  learned     {_some(learned['prefixes'])} from {escape(learned['zone'])}"
    yield from _route_lines(zone["routes"], paint)


def _route_lines(routes: list[RouteStatus], paint: Paint) -> Iterator[str]:
    """Those that lead the same way in one line."""
    ways: dict[tuple[str, str, str, str], list[str]] = {}
    for one in routes:
        way = (one["to"], one["switch"], one["next_hop"], one["trouble"])
        ways.setdefault(way, []).append(one["prefix"])
    for (to, switch, hop, why), prefixes in ways.items():
        over = f" over {escape(switch)}" if switch else ""
        by = f", next hop {escape(hop)}" if hop else ""
        state = paint.bad(escape(why)) if why else paint.good("live")
        yield f"  route       {_some(prefixes)} to {escape(to) or 'nobody'}{over}{by}  {state}"


def _served(port: PortStatus, paint: Paint) -> str:
    """Who serves a port, and in whose place."""
    if not port["gateway"]:
        return paint.bad("served by nobody")
    shown, first = escape(port["gateway"]), port["order"][:1]
    if first and port["gateway"] not in first:
        shown += paint.bad(f" in the place of {escape(first[0])}")
    if port["bound"] not in {"", port["gateway"]}:
        shown += paint.bad(f"; the zone itself says {escape(port['bound'])}")
    return shown


def _controller_text(controller: ControllerStatus, paint: Paint) -> str:
    version = escape(controller["version"]) or "of unknown version"
    if controller["trouble"]:
        return f"{version}  {paint.bad(escape(controller['trouble']))}"
    return f"{version}  runs"


def _some(prefixes: list[str]) -> str:
    return listed([*map(escape, prefixes)], 6)
