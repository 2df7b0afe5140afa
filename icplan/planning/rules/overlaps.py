"""Rules about addresses that two zones have. Nothing about who carries them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from icplan.core.address import IC
from icplan.core.words import FEW, listed
from icplan.kinds.common import zones
from icplan.kinds.common.controller import described, may_be
from icplan.ovn.cluster import JOIN
from icplan.ovn.generation import Generation
from icplan.ovn.overlaps import Group, Overlaps
from icplan.ovn.prefix import Prefixes, inside
from icplan.planning.rules.contract import Finding, Seen
from icplan.planning.rules.offered import Hidden, Offer, by_prefix, hidden, offers
from icplan.planning.rules.routes import by_hand, transit_subnets


def _offers(seen: Seen) -> list[Offer]:
    """All offers; routes by hand to other zones have a rule of their own, which nobody waives."""
    transit = transit_subnets(seen)
    return [one for one in offers(seen) if not by_hand(one, transit)]


def advertised_overlap(seen: Seen) -> Iterator[Finding]:
    """Two zones advertise overlapping prefixes.

    OVN learns them without a word. With equal prefixes the winner is undefined; a more specific
    one of another zone takes local traffic away; a newer Kube-OVN controller denies both, so that
    the zone that learns first is silently cut off (measured). Of a zone that is left out, or that
    is registered without being in the file, the routes tell that it has registered. Withhold one
    of the two, let one of the zones have its routes by hand, or accept it.
    """
    for inner, outer in by_prefix(_offers(seen)).nested():
        if inner is outer:
            yield from _findings(seen, inner, inner)
        else:
            yield from _findings(seen, inner, outer)
            yield from _findings(seen, outer, inner)


def _findings(seen: Seen, mine: Group[Offer], theirs: Group[Offer]) -> Iterator[Finding]:
    """One for each zone that comes after some of those on the other side: there it is waived."""
    planned = tuple(one for one in theirs.owners if one.planned)
    for one in mine.owners:
        # Two zones that this file does not change are not its business.
        others = theirs.owners if one.planned else planned
        before = bisect_left(others, one.rank, key=lambda other: other.rank)
        if one.declared is not None and before:
            yield Finding(
                one.zone,
                f"{mine.prefix} {one.shown} overlaps {theirs.prefix} {_whose(others[:before])}",
                _cure(seen, one, others[before - 1], mine.prefix, theirs.prefix),
                one.declared.origin(seen.spec, "name"),
            )


def _whose(found: Sequence[Offer]) -> str:
    """Whose a prefix is: some of the zones by name, the others by their number."""
    return listed([one.shown for one in found], FEW)


def _cure(seen: Seen, one: Offer, other: Offer, mine: str, theirs: str) -> str:
    """What to write, and where; of what is not planned nothing can be withheld here."""
    places = [
        f"{prefix} in {offer.zone}"
        for offer, prefix, rest in ((one, mine, theirs), (other, theirs, mine))
        if offer.planned and not _in_vain(seen, offer.zone, prefix, rest)
    ]
    first = f"Withhold {' or '.join(places)} (`withhold`)" if places else "Renumber one of the two"
    return (
        f"{first}, let one of the zones have `routePolicy: manual`, or accept the rule with a "
        "reason."
    )


def _in_vain(seen: Seen, zone: str, prefix: str, other: str) -> bool:
    """Whether a controller goes on denying the other prefix although this one is withheld.

    A newer one compares with withheld Subnets, too; what lies inside one is denied anyway.
    """
    cluster = seen.facts.clusters.get(zone)
    newer = cluster is not None and may_be(cluster, Generation.NEW)
    return newer and not inside(other, prefix)


def hidden_overlap(seen: Seen) -> Iterator[Finding]:
    """A zone advertises what overlaps a Subnet that a cluster has and does not advertise.

    A newer Kube-OVN controller compares what it learns with all Subnets of its cluster, be they
    withheld, underlay, of a custom VPC, or the join Subnet (read in its source), and denies what
    overlaps: the cluster never reaches it, and only the controller's log says so. An older one
    denies what lies in the join Subnet. Withhold the prefix in the other zone, give one of the
    two other addresses, or accept that they do not reach each other.
    """
    found = _offers(seen)
    index = by_prefix(found)
    own: dict[str, list[str]] = {}
    for one in found:
        own.setdefault(one.zone, []).append(one.prefix)
    for zone in zones.clusters(seen.view):
        if not zone.declared.present or not zone.declared.automatic(seen.spec):
            continue
        for block in hidden(seen, zone, Prefixes(own.get(zone.name, ()))):
            yield from _denied(seen, zone, block, index)


def _denied(
    seen: Seen, zone: zones.SeenCluster, mine: Hidden, index: Overlaps[Offer]
) -> Iterator[Finding]:
    compares = may_be(zone.cluster, Generation.NEW)
    for group in index.touching(mine.block):
        theirs = [one for one in group.owners if one.zone != zone.name]
        contained = inside(group.prefix, mine.block)
        # What the file itself withholds here, it does not want from elsewhere either.
        meant = mine.declared and contained
        listed = mine.subnet.name == JOIN and contained
        if not theirs or meant or not (compares or listed):
            continue
        will = "denies" if listed or zone.cluster.generation is Generation.NEW else "may deny"
        yield Finding(
            zone.name,
            f"{group.prefix} {_whose(theirs)} overlaps {mine.block} of {zone.name} (Subnet "
            f"{mine.subnet.name}{mine.why}): {described(zone.cluster)} {will} it, and "
            f"{zone.name} does not reach it",
            f"Withhold {group.prefix} in {theirs[0].zone}, give one of the two other addresses, "
            "or accept the rule with a reason.",
            zone.declared.origin(seen.spec, "name"),
        )


def service_overlap(seen: Seen) -> Iterator[Finding]:
    """A zone advertises a prefix that overlaps a cluster's service addresses.

    In that cluster a service address may lead to another zone's pod, or a pod of the other zone
    be taken for a service. Withhold the subnet, or accept the rule where the addresses in use
    are apart.
    """
    clusters: dict[str, list[zones.SeenCluster]] = {}
    for zone in zones.clusters(seen.view):
        for block in zone.cluster.service_blocks if zone.declared.present else ():
            clusters.setdefault(block, []).append(zone)
    index = by_prefix(_offers(seen))
    for block in sorted(clusters):
        for group in index.touching(block):
            for one in group.owners:
                yield from _services(seen, one, block, clusters[block])


def _services(
    seen: Seen, one: Offer, block: str, clusters: Sequence[zones.SeenCluster]
) -> Iterator[Finding]:
    if one.planned and one.declared is not None:
        names = [zone.name for zone in clusters]
        yield Finding(
            one.zone,
            f"{one.prefix} {one.shown} overlaps {block}, the service addresses of "
            f"{listed(names, FEW)}",
            f"Withhold {one.prefix} in {one.zone}, or accept the rule with a reason.",
            one.declared.origin(seen.spec, "name"),
        )
        return
    for zone in clusters:
        yield Finding(
            zone.name,
            f"{one.prefix} {one.shown} overlaps {block}, the service addresses of {zone.name}",
            f"Let {one.zone} withhold it, or accept the rule with a reason.",
            zone.declared.origin(seen.spec, "name"),
        )


def join_overlap(seen: Seen) -> Iterator[Finding]:
    """The join subnets of several zones overlap.

    They are not advertised, so nothing breaks; yet a packet from a Node to another zone's pod
    bears an address that both zones have, and its answer is lost. Give the clusters different
    join subnets when they are built.
    """
    joins = Overlaps(
        (
            (block, zone.name)
            for zone in zones.clusters(seen.view)
            if zone.declared.present
            for subnet in zone.cluster.subnets
            if subnet.name == JOIN
            for block in subnet.blocks
        ),
        lambda name: (name,),
    )
    concerned = {
        (zone, group.prefix)
        for inner, outer in joins.nested()
        if len({*inner.owners, *outer.owners}) > 1
        for group in (inner, outer)
        for zone in group.owners
    }
    if concerned:
        named = sorted(concerned)
        blocks = [f"{block} of {zone}" for zone, block in named]
        yield Finding(
            IC,
            f"the join subnets overlap: {listed(blocks, FEW * 2)}",
            "Nothing to do now: Nodes themselves cannot reach pods of the other zones.",
        )


def node_overlap(seen: Seen) -> Iterator[Finding]:
    """A zone advertises a prefix in which Nodes of another zone have their addresses.

    In that other zone such an address means its own Node; whatever has it in the zone that
    advertises cannot be reached from there. Tunnels between gateways do not go this way and are
    not concerned. Withhold the prefix where it is not needed, or leave it if nobody calls these
    addresses.
    """
    index = by_prefix(_offers(seen))
    for zone in zones.clusters(seen.view):
        if not zone.declared.present or not zone.declared.automatic(seen.spec):
            continue
        hit: dict[str, tuple[Group[Offer], list[str]]] = {}
        for node in zone.cluster.nodes:
            for address in node.addresses:
                for group in index.touching(address):
                    if any(one.zone != zone.name for one in group.owners):
                        found = hit.setdefault(group.prefix, (group, []))
                        found[1].append(f"{address} of {node.name}")
        for group, nodes in hit.values():
            theirs = [one for one in group.owners if one.zone != zone.name]
            yield Finding(
                zone.name,
                f"{group.prefix} {_whose(theirs)} contains addresses of Nodes of {zone.name}: "
                f"{listed(nodes, FEW)}",
                f"Withhold {group.prefix} in {theirs[0].zone}, unless nobody in {zone.name} calls "
                "these addresses there.",
                zone.declared.origin(seen.spec, "name"),
            )
