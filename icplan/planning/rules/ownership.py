"""Rules about whose objects are whose, and about objects that are not there to be owned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from icplan.core.address import IC
from icplan.core.commands import shown
from icplan.core.engines import LABEL
from icplan.core.state import Present
from icplan.core.words import FEW, listed, there_are
from icplan.kinds import (
    ic_config,
    ic_server,
    manual_route,
    route_exchange,
    subnet_advertisement,
    switch_count,
)
from icplan.kinds.common import zones
from icplan.kinds.common.commands import in_namespace, ovn
from icplan.kinds.common.contract import MARK
from icplan.kinds.common.deployment import DATABASE_KIND
from icplan.kinds.common.residue import learned
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import BEFORE_1_11, OWNER
from icplan.planning.rules.contract import Finding, Seen

_KUBERNETES = {one.KIND.name for one in (ic_config, ic_server, subnet_advertisement, switch_count)}
"""The kinds whose objects bear their mark as an annotation."""


def foreign_mark(seen: Seen) -> Iterator[Finding]:
    """An object that the file declares bears the mark of another owner.

    Two files would fight over it. Take it out of one of them; if the other one is gone for good,
    remove the mark: the annotation `icplan/owner` of a ConfigMap, Subnet or Deployment, the label
    of that name of a container, else `icplan` (of the route exchange `icplan-routes`) in the row's
    external_ids.
    """
    # Of what no file made a rule of its own speaks.
    nobody_s = {None, seen.view.owner, manual_route.KUBE_OVN}
    for address in sorted(seen.desired):
        match seen.observed.get(address):
            case Present(_, owner) if owner not in nobody_s:
                yield Finding(
                    address.site,
                    f"{address} belongs to the file named {owner}",
                    "Take it out of one of the two files; if the other one is gone for good, "
                    f"remove the mark: {_mark(address.kind)}.",
                    seen.desired[address].origin,
                )


def _mark(kind: str) -> str:
    """Where the mark of such an object stands."""
    if kind in _KUBERNETES:
        return f"its annotation {OWNER}"
    if kind == DATABASE_KIND:
        return f"start a container without its label {LABEL}"
    key = route_exchange.MARK if kind == route_exchange.NAME else MARK
    return f"{key} in its external_ids"


def several_ports(seen: Seen) -> Iterator[Finding]:
    """The router of a zone has more than one port on a transit switch.

    It is not clear which one is the zone's, and both would be advertised. Delete all but one.
    """
    for zone in zones.seen_plain(seen.view):
        for switch in seen.spec.interconnect.transit_switches.names:
            found = of_router(zone.northbound, switch, zone.declared.router)
            if len(found) > 1:
                names = ", ".join(one.switch_port.name for one in found)
                pairs = ((one.switch_port.name, one.router_port.name) for one in found)
                deletions = "; ".join(
                    f"{port}: {shown(_deletion(seen, zone, port, router))}"
                    for port, router in pairs
                )
                yield Finding(
                    zone.name,
                    f"router {zone.declared.router} has {len(found)} ports on {switch}: {names}",
                    f"Delete all but one; {deletions}.",
                    zone.declared.origin(seen.spec, "router"),
                )


def _deletion(seen: Seen, zone: zones.SeenZone, port: str, router: str) -> str:
    return ovn(seen.spec, zone.declared, "ovn-nbctl", "lsp-del", port, "--", "lrp-del", router)


def router_missing(seen: Seen) -> Iterator[Finding]:
    """The declared router is not there, or there are several of that name.

    Routers are found by name, and names are not unique in OVN. Correct the name, or rename one. A
    cluster's is ovn-cluster, that of the default VPC, which Kube-OVN makes itself: without it,
    Kube-OVN is not running there, or the databases are another cluster's.
    """
    for zone in zones.seen(seen.view):
        if not zone.declared.present:
            continue
        name = zone.declared.router
        count = len(zone.northbound.routers_named(name))
        if count == 1:
            continue
        names = [one.name for one in zone.northbound.routers]
        yield Finding(
            zone.name,
            f"{zone.name} has no router {name} ({there_are(name, names)})"
            if count == 0
            else f"{zone.name} has {count} routers named {name}",
            _router_cure(seen, zone, count),
            zone.declared.origin(seen.spec, "router" if not zone.declared.kube_ovn else "name"),
        )


def _router_cure(seen: Seen, zone: zones.SeenZone, count: int) -> str:
    if not zone.declared.kube_ovn:
        # By their names alone they could not be told apart.
        lists = shown(ovn(seen.spec, zone.declared, "ovn-nbctl", "lr-list"))
        if count:
            return f"Delete all but one by its uuid, which {lists} shows: `lr-del UUID`."
        return "Correct `router`."
    if count:
        lists = shown(ovn(seen.spec, zone.declared, "ovn-nbctl", "lr-list"))
        return f"Delete all but the one that Kube-OVN made, by its uuid, which {lists} shows."
    runs = f"{in_namespace(seen.spec, zone.name)} get deployment {BEFORE_1_11}"
    return (
        f"It is the router of the default VPC, and {BEFORE_1_11} makes it: see whether that runs "
        f"({shown(runs)}), and whether these are the databases of that cluster."
    )


def undeclared_zone(seen: Seen) -> Iterator[Finding]:
    """A zone is registered in the interconnection databases, but not in the file.

    Dropping an entry from the file removes nothing, and the others go on routing to what they have
    learned of it, be it alive or not; `verify` tells it, too. Declare it, with `state: absent` to
    take it out or with `state: gone` if its cluster no longer exists.
    """
    declared = {zone.name for zone in seen.spec.interconnect.availability_zones}
    registered = seen.facts.ic_southbound.zones if seen.facts.ic_southbound else ()
    # Under its other name a cluster that is renamed is no other zone: its controller takes that
    # name's rows away (docs/facts.md section 3).
    clusters = [one for one in zones.seen(seen.view) if one.declared.kube_ovn]
    declared |= {one.northbound.name for one in clusters if one.northbound.name}
    names = {*registered} - declared
    holders = _holders(seen, names)
    for name in sorted(names):
        yield Finding(
            IC,
            f"{name or 'a zone without a name'} is registered, but not in the file"
            + _held_by(holders.get(name, ())),
            f"Declare {name or 'it'} with its access, with `state: absent` if it is to leave; or, "
            f"if its cluster is no more, add `- {{name: {name or 'NAME'}, state: gone}}` to "
            "`availabilityZones`.",
        )


def _holders(seen: Seen, names: Set[str]) -> dict[str, list[str]]:
    """The zones that have learned routes of some zones, by the names of these."""
    ic = seen.facts.ic_southbound
    origins = {one.uuid: one.zone for one in (ic.routes if ic and names else ())}
    found: dict[str, list[str]] = {}
    for zone in zones.seen(seen.view) if origins else ():
        routes = learned(zone.northbound, zone.declared.router)
        for name in {origins.get(one.learned_from, "") for one in routes} & names:
            found.setdefault(name, []).append(zone.name)
    return found


def _held_by(holders: Sequence[str]) -> str:
    if not holders:
        return ""
    hold = "holds" if len(holders) == 1 else "hold"
    return f"; {listed(holders, FEW)} {hold} routes towards it"
