"""Rules about names that must be unique or must exist. Nothing about addresses."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.commands import shown
from icplan.core.words import listed, nearest
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import MARK
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, PlainOvnZone


def duplicate_zone(spec: Spec) -> Iterator[Finding]:
    """Two availability zones have the same name.

    OVN knows a zone by its name alone: two with one name delete each other's rows in the
    interconnection databases for ever. Give each its own.
    """
    seen: dict[str, int] = {}
    for index, zone in enumerate(spec.interconnect.availability_zones):
        if zone.name in seen:
            first = spec.origin("availabilityZones", seen[zone.name], "name")
            yield Finding(
                zone.name,
                f"the name {zone.name} is taken by the zone at line {first.line}",
                "Give one of the two another name.",
                spec.origin("availabilityZones", index, "name"),
            )
        seen.setdefault(zone.name, index)


def zone_named_as_declared_router(spec: Spec) -> Iterator[Finding]:
    """A zone has the name of a router.

    The ports between them would get names that mean two things. Rename the zone.
    """
    declared = spec.interconnect.availability_zones
    routers = {one.router for one in declared if isinstance(one, PlainOvnZone)}
    for index, zone in enumerate(declared):
        if zone.name in routers:
            yield Finding(
                zone.name,
                f"{zone.name} is also the name of a router",
                "Give the zone another name: ports are named after both.",
                spec.origin("availabilityZones", index, "name"),
            )


def zone_named_as_router(seen: Seen) -> Iterator[Finding]:
    """A zone has the name of a router that exists in one of the zones.

    The ports between them would get names that mean two things. Rename the zone.
    """
    names = {one.name: one for one in zones.declared(seen.spec)}
    for site, northbound in sorted(seen.facts.northbound.items()):
        for router in northbound.routers:
            zone = names.get(router.name)
            if zone is not None and zone.router != router.name:
                yield Finding(
                    zone.name,
                    f"{zone.name} is also the name of a router in {site}",
                    "Give the zone another name.",
                    zone.origin(seen.spec, "name"),
                )


def repeated_gateway(spec: Spec) -> Iterator[Finding]:
    """A gateway's host name appears twice.

    Every zone's gateways enter the databases of all other zones under their host names, and
    Kube-OVN from 1.14 on deletes every chassis of a name that it sees twice, the local one
    included. Host names of gateways must be unique over all zones.
    """
    first: dict[str, tuple[str, int]] = {}
    for index, zone in enumerate(spec.interconnect.availability_zones):
        if isinstance(zone, GoneZone):
            continue
        for position, host in enumerate(zone.gateway_nodes):
            origin = spec.origin("availabilityZones", index, "gatewayNodes", position)
            if host in first:
                name, line = first[host]
                yield Finding(
                    zone.name,
                    f"{host} is already a gateway of {name}, line {line}",
                    "Rename one of the two hosts, or name another gateway.",
                    origin,
                )
            first.setdefault(host, (zone.name, origin.line))


def unknown_zone(spec: Spec) -> Iterator[Finding]:
    """Something refers to a zone that the file does not declare.

    Correct the name, or add the zone to `availabilityZones`.
    """
    names = {zone.name for zone in spec.interconnect.availability_zones}
    for name, path in _references(spec):
        if name not in names:
            yield Finding(
                name,
                f"there is no availability zone {name}",
                f"Write one of {listed(nearest(name, names))}, or add the zone.",
                spec.origin(*path),
            )


def _references(spec: Spec) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Every name of a zone outside `availabilityZones`, and its place."""
    interconnect = spec.interconnect
    for index, route in enumerate(interconnect.routes):
        yield route.from_, ("routes", index, "from")
        yield route.to, ("routes", index, "to")
    for index, expectation in enumerate(interconnect.expect):
        for key, end in zip(("from", "to"), expectation.ends, strict=True):
            if end.zone is not None:
                yield end.zone, ("expect", index, key)
    for index, waiver in enumerate(interconnect.accept):
        if waiver.at != IC:
            yield waiver.at, ("accept", index, "at")
    if interconnect.limits.canary is not None:
        yield interconnect.limits.canary, ("limits", "canary")
    database = interconnect.ic_database
    if database.reach is not None:
        yield database.reach.through, ("icDatabase", "reach", "through")
    if database.deployment is not None and database.deployment.zone is not None:
        yield database.deployment.zone, ("icDatabase", "deployment", "zone")


def name_taken(seen: Seen) -> Iterator[Finding]:
    """A new zone's name is registered in the interconnection databases by somebody else.

    Either another cluster bears this name, and both would delete each other's rows, or a dead
    zone of this name left its rows behind. Use another name, or remove the rows first.
    """
    ic = seen.facts.ic_southbound
    if ic is None:
        return
    for zone in zones.seen(seen.view):
        # A name that was cleared by hand is still registered with this zone's own chassis.
        chassis = {one.name for one in zone.southbound.local}
        mine = (
            zone.northbound.name == zone.name
            or zone.northbound.external_ids.get(MARK) == seen.view.owner
            or any(one.zone == zone.name and one.name in chassis for one in ic.gateways)
        )
        if zone.declared.present and not mine and zone.name in ic.zones:
            yield Finding(
                zone.name,
                f"{zone.name} is registered in the IC southbound database already, but this "
                f"zone's own name is {zone.northbound.name or 'not set'}",
                f"Choose another name. If the cluster that was called {zone.name} is no more, "
                "first remove its rows: apply a file in which it is declared with `state: gone`.",
                zone.declared.origin(seen.spec, "name"),
            )


def renamed(seen: Seen) -> Iterator[Finding]:
    """A registered zone would be renamed in place.

    ovn-ic does not follow: the new name collides with the chassis and ports of the old one, which
    stay behind, and nothing is registered any more (measured with OVN 23.03.1). Take the zone out
    under its old name first, then let it join under the new one.
    """
    registered = seen.facts.ic_southbound.zones if seen.facts.ic_southbound else ()
    for zone in zones.seen_plain(seen.view):
        current = zone.northbound.name
        if zone.declared.present and current != zone.name and current in registered:
            cure = f"declare it as {current} with `state: absent` and apply, then as {zone.name}."
            if zone.northbound.external_ids.get(MARK) == seen.view.owner:
                words = ("set", "nb_global", ".", f"name={zone.name}")
                back = shown(ovn(seen.spec, zone.declared, "ovn-nbctl", *words))
                cure = f"if it was renamed by hand, put the name back: {back}; otherwise {cure}"
            yield Finding(
                zone.name,
                f"{zone.name} is registered as {current}, and a zone cannot be renamed in place",
                f"{cure[0].upper()}{cure[1:]}",
                zone.declared.origin(seen.spec, "name"),
            )


def port_name_taken(seen: Seen) -> Iterator[Finding]:
    """A port that is to be made would get the name of one that exists.

    Port names are unique in a northbound database. Rename or delete the one that is in the way.
    """
    for change in seen.changes:
        if change.address.kind != "port" or change.after is None or change.before is not None:
            continue
        zone = change.address.site
        northbound = seen.facts.northbound[zone]
        wanted = {f"{zone}-{change.address.name}", f"{change.address.name}-{zone}"}
        existing = {port.name: "lsp-del" for port in northbound.switch_ports.values()}
        existing |= {port.name: "lrp-del" for port in northbound.router_ports.values()}
        declared = zones.find(seen.view, zone).declared
        for name in sorted(wanted & {*existing}):
            deletion = ovn(seen.spec, declared, "ovn-nbctl", existing[name], name)
            yield Finding(
                zone,
                f"a port named {name} exists in {zone}, and is not the zone's port on "
                f"{change.address.name}",
                f"If nobody needs it, delete it: {shown(deletion)}; else rename it.",
                change.origin,
            )
