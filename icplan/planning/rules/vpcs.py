"""Rules about custom VPCs, which are never interconnected. Nothing about the default one."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action
from icplan.core.origin import Origin
from icplan.core.words import FEW, listed
from icplan.kinds.common import zones
from icplan.kinds.common.controller import CONFIG_KIND
from icplan.kinds.ic_config.effects import enabled
from icplan.ovn.cluster import ROUTER, Cluster, Subnet
from icplan.ovn.prefix import overlap
from icplan.ovn.subnets import is_prefix
from icplan.planning.rules.contract import Finding, Seen

NOT_THERE = (
    f"Name Subnets of VPC {ROUTER}; a Subnet belongs to one VPC for good, so that one which must "
    "be reached from other zones is to be made anew in that one."
)


def of_other_vpcs(cluster: Cluster, entry: str) -> tuple[Subnet, ...]:
    """The Subnets of custom VPCs that an entry of the file means: a name, or a CIDR."""
    return tuple(
        one
        for one in cluster.subnets
        if not one.interconnected
        and (
            any(overlap(block, entry) for block in one.blocks)
            if is_prefix(entry)
            else one.name == entry
        )
    )


def in_another_vpc(zone: str, entry: str, found: tuple[Subnet, ...]) -> str:
    """That what the file names is not interconnected."""
    there = listed([_shown(one) for one in found], FEW)
    return f"{entry} of {zone} cannot be interconnected: {there}, and only the default VPC is"


def _shown(one: Subnet) -> str:
    return f"Subnet {one.name} ({', '.join(one.blocks)}) is of VPC {one.vpc}"


def named(seen: Seen) -> Iterator[Finding]:
    """A route or an expectation names a Subnet of a custom VPC.

    Kube-OVN interconnects the default VPC alone: no other zone can ever reach that Subnet, and it
    reaches none. Name a Subnet of the default VPC.
    """
    clusters = {zone.name: zone for zone in zones.clusters(seen.view)}
    for name, entry, origin in _named(seen):
        zone = clusters.get(name)
        if zone is not None and (found := _not_interconnected(zone, entry)):
            yield Finding(name, in_another_vpc(name, entry, found), NOT_THERE, origin)


def tells(seen: Seen, zone: str, entry: str) -> bool:
    """Whether this rule says of an entry of the file why it cannot be followed."""
    clusters = (one for one in zones.clusters(seen.view) if one.name == zone)
    return any(_not_interconnected(one, entry) for one in clusters)


def _not_interconnected(zone: zones.SeenCluster, entry: str) -> tuple[Subnet, ...]:
    """The Subnets of custom VPCs that an entry means, if it means none of the default VPC."""
    if not zone.declared.present or _interconnected(zone.cluster, entry):
        return ()
    return of_other_vpcs(zone.cluster, entry)


def _interconnected(cluster: Cluster, entry: str) -> bool:
    """Whether the entry means something of the default VPC; two VPCs may have one CIDR."""
    return any(
        one.interconnected
        and (one.name == entry or any(is_prefix(entry) and overlap(b, entry) for b in one.blocks))
        for one in cluster.subnets
    )


def _named(seen: Seen) -> Iterator[tuple[str, str, Origin]]:
    """Zone, subnet and place of what routes and expectations name."""
    interconnect = seen.spec.interconnect
    for index, route in enumerate(interconnect.routes):
        for place, entry in enumerate(route.subnets):
            yield route.to, entry, seen.spec.origin("routes", index, "subnets", place)
    for index, expectation in enumerate(interconnect.expect):
        for key, end in zip(("from", "to"), expectation.ends, strict=True):
            if expectation.reachable and end.zone is not None and end.subnet is not None:
                yield end.zone, end.subnet, seen.spec.origin("expect", index, key)


def stay_out(seen: Seen) -> Iterator[Finding]:
    """A cluster that joins has Subnets in custom VPCs.

    They are not interconnected: only what is in the default VPC is (told once, when the zone
    joins). Move what must be reachable to Subnets of the default VPC.
    """
    joining = {
        one.address.site
        for one in seen.changes
        if one.address.kind == CONFIG_KIND
        and one.action is not Action.DELETE
        and enabled(one.after)
        and not enabled(one.before)
    }
    for zone in zones.clusters(seen.view):
        found = [one for one in zone.cluster.subnets if not one.interconnected]
        if zone.name in joining and found:
            there = listed([_shown(one) for one in found], FEW)
            yield Finding(
                zone.name,
                f"not all Subnets of {zone.name} are interconnected: {there}",
                "Nothing to do, unless other zones shall reach them: only the default VPC is "
                "interconnected.",
                zone.declared.origin(seen.spec, "name"),
            )
