"""What every zone will advertise once the file is applied, and whence. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from icplan.kinds.common import zones
from icplan.kinds.common.transit_switches import undeclared
from icplan.kinds.common.withheld import by_others, entries, planned_denials
from icplan.kinds.route_exchange import WITHHELD
from icplan.ovn.cluster import JOIN, Cluster, Subnet
from icplan.ovn.overlaps import Overlaps
from icplan.ovn.prefix import Prefixes, normal, ordered
from icplan.ovn.routes import Candidate, candidates
from icplan.ovn.subnets import is_prefix, resolve
from icplan.planning.rules.contract import Seen

_UNDERLAY, _ELSEWHERE = ", underlay", ", not on the router"
REGISTERED = "registered route"
"""Where a prefix of a zone that is not looked at is from: the IC southbound database."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A prefix that a zone offers to the others.

    Attributes:
        zone: the zone's name.
        declared: its entry in the file; None when it has none.
        planned: the zone is looked at and can be changed; else only its registered routes are
            known, and nothing of it is written.
        source: where the prefix is from, in words.
        nexthop: of a static route; else empty.
    """

    zone: str
    prefix: str
    source: str
    declared: zones.DeclaredZone | None
    planned: bool
    nexthop: str = ""

    @property
    def rank(self) -> tuple[bool, str]:
        """The order in which zones are named; those that the file does not name come first."""
        return self.declared is not None, self.zone

    @property
    def shown(self) -> str:
        """Whose it is and where it is from."""
        return f"of {self.zone} ({self.source})"


def by_prefix(offers: Iterable[Offer]) -> Overlaps[Offer]:
    """The offers by their prefixes; what a zone has twice counts once."""
    once: dict[tuple[str, str], Offer] = {}
    for one in offers:
        once.setdefault((one.prefix, one.zone), one)
    return Overlaps(((one.prefix, one) for one in once.values()), lambda one: one.rank)


def offers(seen: Seen) -> Iterator[Offer]:
    """What zones that advertise will offer, as far as anything tells it.

    By a zone's own database; by its Subnets where only they can be seen; by its registered routes
    where nothing of it can be. A zone that leaves takes its routes along.
    """
    registered = _registered(seen)
    looked_at = {zone.name: zone for zone in zones.seen(seen.view)}
    clusters = {zone.name: zone for zone in zones.clusters(seen.view)}
    for zone in zones.declared(seen.spec):
        if not zone.present or not zone.automatic(seen.spec):
            continue
        cluster = clusters.get(zone.name)
        if zone.name in looked_at:
            found = _by_database(seen, looked_at[zone.name], cluster)
        elif cluster is not None:
            found = _by_subnets(seen, cluster)
        else:
            found = iter(registered.get(zone.name, ()))
        for one in found:
            yield Offer(zone.name, one.prefix, one.source, zone, planned=True, nexthop=one.nexthop)
    yield from _of_others(seen, registered)


def of_others(seen: Seen) -> Iterator[Offer]:
    """What zones that are left out, and such as the file does not name, advertise today."""
    return _of_others(seen, _registered(seen))


def _of_others(seen: Seen, registered: Mapping[str, list[Candidate]]) -> Iterator[Offer]:
    for zone in zones.left_out(seen.spec):
        for one in registered.get(zone.name, ()):
            yield Offer(zone.name, one.prefix, one.source, zone, planned=False)
    for name in undeclared(seen.view):
        for one in registered.get(name, ()):
            yield Offer(name, one.prefix, one.source, None, planned=False)


def _registered(seen: Seen) -> Mapping[str, list[Candidate]]:
    """The prefixes that zones advertise today, by zone; what they withhold is not seen."""
    ic = seen.facts.ic_southbound
    found: dict[str, set[str]] = {}
    for route in ic.routes if ic else ():
        if is_prefix(route.prefix):
            found.setdefault(route.zone, set()).add(route.prefix)
    return {
        zone: [Candidate(prefix, REGISTERED) for prefix in ordered(prefixes)]
        for zone, prefixes in found.items()
    }


def _by_database(
    seen: Seen, zone: zones.SeenZone, cluster: zones.SeenCluster | None
) -> Iterator[Candidate]:
    if zone.router is None:
        return
    names = subnet_names(cluster.cluster) if cluster else {}
    denylist = zone.northbound.denylist.having(_denied(seen, zone, cluster))
    for one in candidates(zone.northbound, zone.router):
        if not denylist.denies(one.prefix):
            name = "" if one.nexthop else names.get(one.prefix, "")
            yield Candidate(one.prefix, f"Subnet {name}" if name else one.source, one.nexthop)


def _denied(seen: Seen, zone: zones.SeenZone, cluster: zones.SeenCluster | None) -> tuple[str, ...]:
    """What a zone will keep to itself once the file is applied, as far as there is a reason."""
    if zone.declared.kube_ovn:
        own = zone.northbound.denylist.entries
        return own if cluster is None else planned_denials(seen.view, cluster)
    if zone.router is None:
        return ()
    withheld, _ = resolve(zone.northbound, zone.router, zone.declared.zone.withhold)
    # What this file has withheld so far is withheld no more unless it still says so.
    recorded = zone.northbound.external_ids.get(WITHHELD, "").split(",")
    ours = {normal(one) for one in recorded if one}
    foreign = (one for one in zone.northbound.denylist.entries if one and normal(one) not in ours)
    return (*foreign, *withheld)


def _by_subnets(seen: Seen, zone: zones.SeenCluster) -> Iterator[Candidate]:
    """Where the databases may not be looked at, the Subnets tell nearly as much."""
    denied = Prefixes(planned_denials(seen.view, zone))
    for subnet in zone.cluster.subnets:
        for block in subnet.blocks if subnet.interconnected else ():
            if is_prefix(block) and not denied.contain(block):
                yield Candidate(block, f"Subnet {subnet.name}")


def subnet_names(cluster: Cluster) -> Mapping[str, str]:
    """The names of a cluster's interconnected Subnets by their prefixes."""
    return {
        block: one.name for one in cluster.subnets if one.interconnected for block in one.blocks
    }


@dataclass(frozen=True, slots=True)
class Hidden:
    """A Subnet's block that its zone does not advertise.

    Attributes:
        why: why not, in words that follow the Subnet's name.
        declared: the file withholds it.
    """

    block: str
    subnet: Subnet
    why: str
    declared: bool


def hidden(seen: Seen, zone: zones.SeenCluster, offered: Prefixes) -> Iterator[Hidden]:
    """What a cluster has and keeps to itself: every Subnet but those that it advertises.

    Args:
        seen: the file and the facts.
        zone: the cluster.
        offered: what it advertises.
    """
    ours = {one.name for one in entries(zone.cluster, zone.declared.zone.withhold)[0]}
    withheld = ours | {one.name for one in by_others(seen.view, zone)}
    for subnet in zone.cluster.subnets:
        if subnet.name == JOIN:
            why = ""
        elif not subnet.interconnected:
            why = f", of VPC {subnet.vpc}"
        elif subnet.name in withheld:
            why = ", withheld"
        else:
            why = _UNDERLAY if subnet.vlan else _ELSEWHERE
        for block in subnet.blocks:
            advertised = offered.contain(block) and why in {_UNDERLAY, _ELSEWHERE}
            if is_prefix(block) and not advertised:
                yield Hidden(block, subnet, why, subnet.name in ours)
