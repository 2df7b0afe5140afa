"""Rules about gateway hosts and their chassis. Nothing about what they carry."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action
from icplan.core.commands import shown
from icplan.core.value import Attributes, plain
from icplan.core.words import there_are
from icplan.kinds.common import zones
from icplan.kinds.common.commands import GATEWAY_MARK, ovn
from icplan.kinds.common.gateways import rotated
from icplan.kinds.common.succession import standing, succession
from icplan.kinds.common.transit_switches import undeclared
from icplan.kinds.transit_port.state import EQUAL
from icplan.ovn.interconnect import Gateway
from icplan.ovn.southbound import Chassis
from icplan.planning.rules import left_out
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, ZoneState


def chassis_missing(seen: Seen) -> Iterator[Finding]:
    """A gateway host has no chassis in its zone, or more than one.

    A gateway is bound through its Chassis row in the southbound database, found by host name.
    Without one nothing would carry the traffic; with several it is not clear which. Start
    ovn-controller on the host, correct the name, or delete stale chassis.
    """
    for zone in zones.seen(seen.view):
        if not zone.declared.present:
            continue
        for position, host in enumerate(zone.declared.zone.gateway_nodes):
            chassis = zone.southbound.on_host(host)
            if len(chassis) == 1:
                continue
            stale = ovn(seen.spec, zone.declared, "ovn-sbctl", "chassis-del", "NAME")
            known = {one.hostname for one in zone.southbound.local}
            yield Finding(
                zone.name,
                f"{host} has no chassis in {zone.name} ({there_are(host, known)})"
                if not chassis
                else f"{host} has {len(chassis)} chassis in {zone.name}: "
                + ", ".join(one.name for one in chassis),
                f"Start ovn-controller on {host}, or correct the name."
                if not chassis
                else "Keep the one that `ovs-vsctl get open_vswitch . external_ids:system-id` "
                f"shows on {host}, and delete the others: {shown(stale)}.",
                zone.declared.origin(seen.spec, "gatewayNodes", position),
            )


def not_interconnecting(seen: Seen) -> Iterator[Finding]:
    """A gateway host is not marked as an interconnection gateway.

    ovn-ic offers only chassis with `is-interconn` to the other zones; the port of any other one
    is bound to nothing there, and traffic to it disappears. The mark is set on the host itself.
    In a Kube-OVN zone its controller sees to it.
    """
    for zone in zones.seen_plain(seen.view):
        if not zone.declared.present:
            continue
        for position, host in enumerate(zone.declared.zone.gateway_nodes):
            chassis = zone.southbound.on_host(host)
            if len(chassis) == 1 and not chassis[0].interconnection:
                yield Finding(
                    zone.name,
                    f"{host} is not marked as an interconnection gateway",
                    f"On {host}: {GATEWAY_MARK}.",
                    zone.declared.origin(seen.spec, "gatewayNodes", position),
                )


def tunnel_used_twice(seen: Seen) -> Iterator[Finding]:
    """Two zones have a chassis of the same name or with the same tunnel address.

    Both are unique keys in the interconnection databases: the second zone's gateways could not
    be registered, with no more sign than a line in ovn-ic's log.
    """
    owners: dict[tuple[str, str], str] = {}
    strangers = {*undeclared(seen.view)}
    for name, zone, chassis in _interconnecting(seen):
        keys = {("chassis name", one.name) for one in chassis}
        keys |= {("tunnel address", ip) for one in chassis for ip in one.tunnel_ips}
        for what, value in sorted(keys):
            other = owners.setdefault((what, value), name)
            key = "ovn-encap-ip" if what == "tunnel address" else "system-id"
            unchanged = {other, name} <= seen.spec.without | strangers
            if zone is not None and other != name and not unchanged:
                yield Finding(
                    zone.name,
                    f"the {what} {value} is used in {other} and in {zone.name}",
                    f"Give one of the two hosts another {what}: on it, "
                    f"`ovs-vsctl set open_vswitch . external_ids:{key}=VALUE`.",
                    zone.origin(seen.spec, "gatewayNodes"),
                )


def _interconnecting(
    seen: Seen,
) -> list[tuple[str, zones.DeclaredZone | None, list[Chassis | Gateway]]]:
    """The chassis that zones offer to the others or will offer, by the zones' names.

    In front are the zones that the file does not name: the others must give way.
    """
    found: dict[str, tuple[zones.DeclaredZone | None, list[Chassis | Gateway]]] = {}
    for name, declared, gateway in left_out.gateways(seen):
        found.setdefault(name, (declared, []))[1].append(gateway)
    for zone in zones.seen(seen.view):
        hosts = {*zone.declared.zone.gateway_nodes} if zone.declared.present else set()
        chassis = (
            one for one in zone.southbound.local if one.interconnection or one.hostname in hosts
        )
        found[zone.name] = (zone.declared, [*chassis])
    order = sorted(found, key=lambda name: (found[name][0] is not None, name))
    return [(name, *found[name]) for name in order]


def all_replaced(seen: Seen) -> Iterator[Finding]:
    """Every gateway of a zone is replaced at once.

    No gateway that carries traffic today would carry it afterwards, so a mistake in the new ones
    is an outage. Keep one of the old gateways for one apply, or accept it: then the new ones are
    added first, and the old ones go once a new one serves; only an older Kube-OVN controller,
    which rebuilds the zone at each change, is told at once.
    """
    for change in seen.changes:
        if change.action is Action.DELETE or change.before is None or change.after is None:
            continue
        before, after = _hosts(change.before), _hosts(change.after)
        if before and after and not {*before} & {*after}:
            place = (
                f"on {change.address.name}" if change.address.name else f"of {change.address.site}"
            )
            yield Finding(
                change.address.site,
                f"all gateways {place} are replaced: {', '.join(before)} by {', '.join(after)}",
                f"Keep {'one of ' if before[1:] else ''}{', '.join(before)} until the new ones "
                "have proven themselves.",
                change.origin,
            )


def serving_dropped(seen: Seen) -> Iterator[Finding]:
    """The only gateway that serves is taken away.

    Another one serves a transit switch in the place of the first gateway, whose tunnels do not
    answer. Of those that stay none is known to answer: without it the zone is cut off until one
    of them does. With a single gateway there is no BFD, and afterwards no database tells that it
    is dead. Bring the first gateway back (`icplan status` shows who serves), or keep the one that
    serves until another one does.
    """
    for change in seen.changes:
        if change.action is Action.DELETE or change.before is None or change.after is None:
            continue
        zone, before, after = change.address.site, _hosts(change.before), _hosts(change.after)
        if not after or before == after:
            continue
        now = standing(seen.view, zone)
        # A port has its gateways in the order of its own switch, a ConfigMap those of all.
        switches = [change.address.name] if change.address.name else _switches(seen.spec)
        for place, switch in enumerate(switches):
            one = succession(now, switch, rotated(before, place), rotated(after, place))
            if one.lost:
                yield Finding(
                    zone,
                    one.sentence(zone, switch),
                    f"Keep {one.old} in gatewayNodes until another one serves: `icplan status` "
                    "shows who does.",
                    change.origin,
                )


def _switches(spec: Spec) -> list[str]:
    """By name, as a controller counts them when it rotates (docs/facts.md section 4)."""
    return sorted(spec.interconnect.transit_switches.names)


def _hosts(attributes: Attributes) -> tuple[str, ...]:
    """The gateways of a port without what is said about them, or those of a ConfigMap."""
    value = plain(attributes, "gateways") if "gateways" in attributes else ()
    if "gw-nodes" in attributes:
        names = (name.strip() for name in str(plain(attributes, "gw-nodes")).split(","))
        # Somebody may have emptied it (docs/facts.md section 3): then nobody is replaced.
        value = tuple(name for name in names if name)
    hosts = value if isinstance(value, tuple) else ()
    return tuple(host.removesuffix(EQUAL) for host in hosts)


def single(spec: Spec) -> Iterator[Finding]:
    """A zone has one gateway only.

    When its host goes down, the zone is cut off until it is back. Nor does any database tell that
    it is down: gateways watch each other (BFD), and a single one is watched by nobody. Only
    traffic shows it (`icplan verify --ping`). Name a second one.
    """
    for index, zone in enumerate(spec.interconnect.availability_zones):
        if isinstance(zone, GoneZone) or zone.state is not ZoneState.PRESENT:
            continue
        if len(zone.gateway_nodes) == 1:
            yield Finding(
                zone.name,
                f"{zone.name} depends on a single gateway, {zone.gateway_nodes[0]}",
                "Name a second gateway; it stands by.",
                spec.origin("availabilityZones", index, "gatewayNodes"),
            )


def unlike_switches(spec: Spec) -> Iterator[Finding]:
    """A zone has fewer or more gateways than there are transit switches.

    Each switch begins with another gateway, so traffic is spread evenly only when there are as
    many of one as of the other. With one switch the further gateways stand by, which is fine.
    """
    count = spec.interconnect.transit_switches.count
    for index, zone in enumerate(spec.interconnect.availability_zones):
        if isinstance(zone, GoneZone) or zone.state is not ZoneState.PRESENT or count == 1:
            continue
        gateways = len(zone.gateway_nodes)
        # A single gateway has a warning of its own.
        if gateways not in {1, count}:
            yield Finding(
                zone.name,
                f"{zone.name} has {gateways} gateways for {count} transit switches",
                f"Name {count} gateways, or declare {gateways} transit switches.",
                spec.origin("availabilityZones", index, "gatewayNodes"),
            )


def crashing_version(seen: Seen) -> Iterator[Finding]:
    """This version of OVN is known to crash on what the zone's router has.

    ovn-ic 23.03 crashes when two ports of one router have the same network (measured). Remove
    one of the two, or update OVN.
    """
    for zone in zones.seen(seen.view):
        version = zone.northbound.version
        if not version.startswith("23.03.") or zone.router is None:
            continue
        first: dict[str, str] = {}
        for port in zone.northbound.ports_of(zone.router):
            for one in port.networks:
                other = first.setdefault(one, port.name)
                if other != port.name:
                    yield Finding(
                        zone.name,
                        f"{other} and {port.name} both have the network {one}, and ovn-ic of "
                        f"OVN {version.partition('-')[0]} crashes on that",
                        "Remove one of the two, or update OVN.",
                        zone.declared.origin(seen.spec, "router"),
                    )
