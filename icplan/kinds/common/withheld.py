"""Which Subnets of a Kube-OVN zone are withheld, and what its controller denies for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.registered import sites
from icplan.kinds.common.waivers import OVERLAP, accepted, overlap_place
from icplan.ovn.cluster import JOIN, OWNER, Cluster, Subnet
from icplan.ovn.generation import Generation
from icplan.ovn.prefix import Prefixes, inside, normal, ordered, overlap
from icplan.ovn.routes import candidates
from icplan.ovn.subnets import is_prefix, resolve


@dataclass(frozen=True, slots=True)
class Wrong:
    """An entry of `withhold` that means no whole Subnets; `cut` are those that it cuts."""

    entry: str
    cut: tuple[str, ...]


def entries(cluster: Cluster, wanted: tuple[str, ...]) -> tuple[tuple[Subnet, ...], list[Wrong]]:
    """The Subnets that entries of the file mean, by name, and the entries that cannot be served.

    Only whole Subnets can be withheld: the field is one of the Subnet.
    """
    found: dict[str, Subnet] = {}
    wrong: list[Wrong] = []
    for entry in wanted:
        if not is_prefix(entry):
            subnet = cluster.subnet(entry)
            if subnet is None or not subnet.interconnected:
                wrong.append(Wrong(entry, ()))
            else:
                found[entry] = subnet
            continue
        touched = [
            one
            for one in cluster.subnets
            if one.interconnected and any(overlap(block, entry) for block in one.blocks)
        ]
        cut = [one.name for one in touched if not all(inside(b, entry) for b in one.blocks)]
        if cut or not touched:
            wrong.append(Wrong(entry, tuple(sorted(cut))))
        else:
            found |= {one.name: one for one in touched}
    return tuple(found[name] for name in sorted(found)), wrong


def by_others(view: View, zone: zones.SeenCluster) -> tuple[Subnet, ...]:
    """The Subnets that somebody else withholds: neither declared nor marked by this file."""
    ours = {one.name for one in entries(zone.cluster, zone.declared.zone.withhold)[0]}
    return tuple(
        one
        for one in zone.cluster.subnets
        if one.withheld and one.name not in ours and one.annotations.get(OWNER) != view.owner
    )


def planned_denials(view: View, zone: zones.SeenCluster) -> tuple[str, ...]:
    """What the controller has reason to deny once the file is applied, overlaps left out.

    Withheld Subnets, the join Subnet and the Nodes' addresses (docs/facts.md section 4).
    """
    ours, _ = entries(zone.cluster, zone.declared.zone.withhold)
    withheld = (*ours, *by_others(view, zone))
    blocks = [block for one in withheld for block in one.blocks]
    blocks += [block for one in zone.cluster.subnets if one.name == JOIN for block in one.blocks]
    blocks += [normal(one) for node in zone.cluster.nodes for one in node.addresses]
    return ordered(blocks)


def stale_denials(view: View, name: str) -> tuple[str, ...]:
    """What the controller of a zone will deny for ever although it has no reason to.

    A newer controller never takes an entry off that overlaps a Subnet of its own (docs/facts.md
    section 4, measured; the recordings show it for every such entry). One that overlaps what
    another zone offers is a denial of today.
    """
    denied = _unfounded_denials(view, name)
    offered = Prefixes(prefix for _, prefix in _offered_by_others(view, name)) if denied else None
    return tuple(entry for entry in denied if offered is None or not offered.touch(entry))


@dataclass(frozen=True, slots=True)
class OverlapDenial:
    """An entry that a controller denies because of what another zone offers."""

    entry: str
    zone: str
    prefix: str


def overlap_denials(view: View, name: str) -> tuple[OverlapDenial, ...]:
    """What a newer controller denies because another zone offers something that overlaps.

    Nothing but a line in its log tells of it (docs/facts.md section 4, measured): what it denies
    is neither advertised nor learned. An overlap that the file accepts is left out.
    """
    denied = _unfounded_denials(view, name)
    offered = sorted(set(_offered_by_others(view, name))) if denied else []
    concerned = Prefixes(denied)
    causes = [one for one in offered if concerned.touch(one[1])]
    return tuple(
        OverlapDenial(entry, zone, prefix)
        for entry in denied
        for zone, prefix in causes
        if overlap(entry, prefix)
        and not accepted(view, OVERLAP, overlap_place(view.spec, name, zone))
    )


def _unfounded_denials(view: View, name: str) -> tuple[str, ...]:
    """What a newer controller denies of its own zone although nobody withholds it."""
    cluster, seen = view.facts.clusters.get(name), view.facts.northbound.get(name)
    if cluster is None or seen is None or cluster.generation is Generation.OLD:
        return ()
    zone = zones.find_cluster(view, name)
    if not zone.declared.present or not zone.declared.automatic(view.spec):
        return ()
    # Of a cluster with thousands of Nodes there are as many entries as reasons.
    reasons = Prefixes(planned_denials(view, zone))
    own = Prefixes(block for one in cluster.subnets for block in one.blocks)
    return ordered(
        entry
        for entry in map(normal, seen.denylist.effective)
        if own.touch(entry) and not reasons.contain(entry)
    )


def _offered_by_others(view: View, name: str) -> tuple[tuple[str, str], ...]:
    """Each other zone and what it offers, but for what it is about to keep to itself."""
    ic, names = view.facts.ic_southbound, sites(view.facts)
    # It is the same zone while it is registered under another name.
    mine = {name, view.facts.northbound[name].name}
    others = [one for one in zones.seen(view) if one.name != name and one.declared.present]
    kept = {zone.name: Prefixes(_denied(view, zone)) for zone in others}
    published = [
        (one.zone, one.prefix)
        for one in (ic.routes if ic else ())
        if one.zone not in mine and not _contains(kept, names.get(one.zone, one.zone), one.prefix)
    ]
    for zone in others:
        if zone.router is not None:
            published += [
                (zone.name, one.prefix)
                for one in candidates(zone.northbound, zone.router)
                if not kept[zone.name].contain(one.prefix)
            ]
    return tuple(published)


def _contains(kept: Mapping[str, Prefixes], zone: str, prefix: str) -> bool:
    return zone in kept and kept[zone].contain(prefix)


def _denied(view: View, zone: zones.SeenZone) -> Iterator[str]:
    """What a zone keeps to itself, by its databases and by what is planned."""
    yield from map(normal, zone.northbound.denylist.effective)
    if zone.name in view.facts.clusters:
        yield from planned_denials(view, zones.find_cluster(view, zone.name))
    elif zone.router is not None and not zone.declared.kube_ovn:
        yield from resolve(zone.northbound, zone.router, zone.declared.zone.withhold)[0]
