"""Rules about whose objects are whose, and about objects that are not there to be owned."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.state import Present
from icplan.kinds.common import zones
from icplan.ovn.attachment import of_router
from icplan.planning.rules.contract import Finding, Seen


def foreign_mark(seen: Seen) -> Iterator[Finding]:
    """An object that the file declares bears the mark of another owner.

    Two files would fight over it. Take it out of one of them; if the other one is gone for good,
    remove the mark `icplan` from the object's external_ids.
    """
    for address in sorted(seen.desired):
        match seen.observed.get(address):
            case Present(_, owner) if owner is not None and owner != seen.view.owner:
                yield Finding(
                    address.site,
                    f"{address} belongs to the file named {owner}",
                    "Take it out of one of the two files, or remove the mark.",
                    seen.desired[address].origin,
                )


def several_ports(seen: Seen) -> Iterator[Finding]:
    """The router of a zone has more than one port on a transit switch.

    It is not clear which one is the zone's, and both would be advertised. Delete all but one.
    """
    for zone in zones.seen_plain(seen.view):
        for switch in seen.spec.interconnect.transit_switches.names:
            found = of_router(zone.northbound, switch, zone.declared.router)
            if len(found) > 1:
                names = ", ".join(one.switch_port.name for one in found)
                yield Finding(
                    zone.name,
                    f"router {zone.declared.router} has {len(found)} ports on {switch}: {names}",
                    "Delete all but one: ovn-nbctl lsp-del NAME -- lrp-del NAME",
                    zone.declared.origin(seen.spec, "router"),
                )


def router_missing(seen: Seen) -> Iterator[Finding]:
    """The declared router is not there, or there are several of that name.

    Routers are found by name, and names are not unique in OVN. Correct the name, or rename one.
    """
    for zone in zones.seen(seen.view):
        if not zone.declared.present:
            continue
        name = zone.declared.router
        count = len(zone.northbound.routers_named(name))
        if count == 1:
            continue
        names = ", ".join(sorted({one.name for one in zone.northbound.routers})) or "none"
        yield Finding(
            zone.name,
            f"{zone.name} has no router {name} (there are: {names})"
            if count == 0
            else f"{zone.name} has {count} routers named {name}",
            "Correct the name." if count == 0 else "Rename all but one of them.",
            zone.declared.origin(seen.spec, "router"),
        )


def undeclared_zone(seen: Seen) -> Iterator[Finding]:
    """A zone is registered in the interconnection databases, but not in the file.

    Dropping an entry from the file removes nothing. Declare it, with `state: absent` to take it
    out or with `state: gone` if its cluster no longer exists.
    """
    declared = {zone.name for zone in seen.spec.interconnect.availability_zones}
    registered = seen.facts.ic_southbound.zones if seen.facts.ic_southbound else ()
    # Under its other name a cluster that is renamed is no other zone: its controller takes that
    # name's rows away (domain facts section 3).
    clusters = [one for one in zones.seen(seen.view) if one.declared.kube_ovn]
    declared |= {one.northbound.name for one in clusters if one.northbound.name}
    for name in sorted({*registered} - declared):
        yield Finding(
            IC,
            f"{name or 'a zone without a name'} is registered, but not in the file",
            f"Declare {name or 'it'}, or take it out with `state: absent` or `state: gone`.",
        )
