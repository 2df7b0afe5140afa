"""What `routes` of the file means: the prefixes that one zone is to reach in another. Writes none.

A text of `subnets` names a whole subnet of the zone that the route leads to, or is a CIDR that
contains whole ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from icplan.core.io import Unreadable
from icplan.core.origin import Origin
from icplan.core.words import listed, there_are
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.transit_address import subnets
from icplan.kinds.common.withheld import by_others, entries
from icplan.ovn.denylist import Denylist
from icplan.ovn.northbound import Router
from icplan.ovn.prefix import Prefixes, family, inside, normal, ordered, overlap
from icplan.ovn.routes import candidates
from icplan.ovn.subnets import is_prefix, named, names, resolve
from icplan.spec.load import Spec


@dataclass(frozen=True, slots=True)
class Entry:
    """One text of `subnets`, of one element of `routes`.

    Attributes:
        source: the zone that gets the routes.
        target: the zone that they lead to; it may be left out.
        text: a name or a CIDR.
        path: where it stands in the file.
    """

    source: zones.DeclaredZone
    target: zones.DeclaredZone
    text: str
    path: tuple[str | int, ...]

    def origin(self, spec: Spec) -> Origin:
        """Where it stands in the file."""
        return spec.origin(*self.path)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an entry means today.

    Attributes:
        prefixes: what is to be reached, in order; empty when that is not known.
        trouble: why it cannot be followed, in words; empty when it can, or nobody knows.
        unseen: why nobody knows.
    """

    prefixes: tuple[str, ...] = ()
    trouble: str = ""
    unseen: Unreadable | None = None


@dataclass(frozen=True, slots=True)
class Routed:
    """All that the routes of one pair of zones mean.

    Attributes:
        prefixes: with the places in the file that they come from.
        open: places of entries of which it is not known what they mean.
    """

    source: zones.DeclaredZone
    target: zones.DeclaredZone
    prefixes: dict[str, Origin] = field(default_factory=dict)
    open: list[Origin] = field(default_factory=list)


def routed_texts(spec: Spec, zone: str) -> tuple[str, ...]:
    """The names and CIDRs of a zone's subnets that routes lead to."""
    routes = spec.interconnect.routes
    return tuple(text for one in routes if one.to == zone for text in one.subnets)


def all_entries(spec: Spec) -> Iterator[Entry]:
    """Every entry between two zones that are both to be interconnected, in the file's order.

    The zone that gets the routes is none that is left out: nothing of it is written.
    """
    sources = {one.name: one for one in zones.declared(spec) if one.present}
    targets = sources | {one.name: one for one in zones.left_out(spec) if one.present}
    for index, route in enumerate(spec.interconnect.routes):
        source, target = sources.get(route.from_), targets.get(route.to)
        if source is None or target is None or route.from_ == route.to:
            continue
        for position, text in enumerate(route.subnets):
            yield Entry(source, target, text, ("routes", index, "subnets", position))


class Reader:
    """Reads entries; what it has to know of a zone for that is gathered once.

    Args:
        view: the file and the facts.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._clusters: dict[str, _Cluster] = {}
        self._plain: dict[str, _PlainZone] = {}

    def meaning(self, entry: Entry) -> Meaning:
        """Which prefixes an entry means.

        Of a zone that cannot be looked at a CIDR is taken at its word, and a name means nothing.
        """
        view, name, text = self._view, entry.target.name, entry.text
        if name in view.spec.without:
            unseen: Unreadable | None = Unreadable(
                f"which subnet of {name} is called {text} is not known: {name} is left out",
                f"plan with {name}, or write the CIDR",
            )
        elif entry.target.kube_ovn:
            unseen = view.facts.cluster_unseen(name)
        else:
            unseen = view.facts.zone_unseen(name)
        if unseen is not None:
            return Meaning((normal(text),)) if is_prefix(text) else Meaning(unseen=unseen)
        if entry.target.kube_ovn:
            if name not in self._clusters:
                self._clusters[name] = _Cluster.of(view, zones.find_cluster(view, name))
            return self._clusters[name].meaning(text)
        zone = zones.find(view, name)
        if zone.router is None:
            return Meaning()  # a rule speaks of the router
        if name not in self._plain:
            self._plain[name] = _PlainZone.of(zone, zone.router)
        return self._plain[name].meaning(text)


@dataclass(frozen=True, slots=True)
class _Blocks:
    """What a zone has, each block with what it is called."""

    zone: str
    called: tuple[tuple[str, str], ...]
    exact: frozenset[str]

    @classmethod
    def of(cls, zone: str, called: Iterable[tuple[str, str]]) -> _Blocks:
        found = tuple(called)
        return cls(zone, found, frozenset(block for _, block in found))

    def whole(self, text: str) -> Meaning:
        """A CIDR that contains whole ones."""
        prefix = normal(text)
        # Subnets of one zone do not overlap, and there may be thousands.
        if prefix in self.exact:
            return Meaning((prefix,))
        touched = [(name, block) for name, block in self.called if overlap(block, prefix)]
        if not touched:
            there = listed(ordered(self.exact)) or "none"
            return Meaning(trouble=f"{prefix} is no subnet of {self.zone} (there are: {there})")
        cut = [f"{block} ({name})" for name, block in touched if not inside(block, prefix)]
        if cut:
            return Meaning(trouble=f"{prefix} is only a part of {', '.join(cut)} of {self.zone}")
        return Meaning((prefix,))


@dataclass(frozen=True, slots=True)
class _Cluster:
    """What must be known of a Kube-OVN zone."""

    zone: str
    named: Mapping[str, tuple[str, ...]]
    withheld: Prefixes
    blocks: _Blocks

    @classmethod
    def of(cls, view: View, zone: zones.SeenCluster) -> _Cluster:
        named = {one.name: one.blocks for one in zone.cluster.subnets if one.interconnected}
        ours, _ = entries(zone.cluster, zone.declared.zone.withhold)
        withheld = (block for one in (*ours, *by_others(view, zone)) for block in one.blocks)
        blocks = ((name, block) for name, blocks in named.items() for block in blocks)
        return cls(zone.name, named, Prefixes(withheld), _Blocks.of(zone.name, blocks))

    def meaning(self, text: str) -> Meaning:
        found = (normal(text),) if is_prefix(text) else self.named.get(text, ())
        if not found:
            there = there_are(text, self.named)
            trouble = f"{self.zone} has no Subnet {text} in its default VPC ({there})"
            return Meaning(trouble=trouble)
        if any(self.withheld.touch(one) for one in found):
            return Meaning(trouble=f"{text} of {self.zone} is withheld")
        return self.blocks.whole(text) if is_prefix(text) else Meaning(found)


@dataclass(frozen=True, slots=True)
class _PlainZone:
    """What must be known of a plain OVN zone."""

    zone: zones.SeenZone
    router: Router
    denylist: Denylist
    connected: _Blocks
    beyond: Prefixes

    @classmethod
    def of(cls, zone: zones.SeenZone, router: Router) -> _PlainZone:
        withheld, _ = resolve(zone.northbound, router, zone.declared.zone.withhold)
        denylist = zone.northbound.denylist
        offered = candidates(zone.northbound, router)
        connected = ((one.source, one.prefix) for one in offered if not one.nexthop)
        return cls(
            zone,
            router,
            denylist.having((*withheld, *denylist.effective)),
            _Blocks.of(zone.name, connected),
            Prefixes(one.prefix for one in offered if one.nexthop),
        )

    def meaning(self, text: str) -> Meaning:
        by_cidr = is_prefix(text)
        found = (normal(text),) if by_cidr else named(self.zone.northbound, self.router, text)
        if not found:
            there = there_are(text, names(self.zone.northbound, self.router))
            where = f"behind router {self.router.name} of {self.zone.name}"
            return Meaning(trouble=f"there is no switch {text} {where} ({there})")
        denied = [
            one
            for one in found
            if self.denylist.denies(one) and not self.denylist.denies_by_mistake(one)
        ]
        if denied:
            return Meaning(trouble=f"{', '.join(denied)} of {self.zone.name} is withheld")
        # What lies behind its own static routes is not cut into whole subnets.
        return (
            self.connected.whole(text)
            if by_cidr and not self.beyond.contain(text)
            else Meaning(found)
        )


def pairs(view: View) -> tuple[Routed, ...]:
    """What the file routes, by pair of zones; families that no switch carries are left out."""
    found: dict[tuple[str, str], Routed] = {}
    carried, reader = families(view.spec), Reader(view)
    for entry in all_entries(view.spec):
        key = entry.source.name, entry.target.name
        pair = found.setdefault(key, Routed(entry.source, entry.target))
        means = reader.meaning(entry)
        origin = entry.origin(view.spec)
        if not means.prefixes:
            pair.open.append(origin)
        for prefix in means.prefixes:
            if family(prefix) in carried:
                pair.prefixes.setdefault(prefix, origin)
    return tuple(found[key] for key in sorted(found))


def families(spec: Spec) -> frozenset[int]:
    """The families that the transit switches carry: 4, 6, or both; the same on each of them."""
    switches = spec.interconnect.transit_switches
    return frozenset(
        subnet.version
        for index, _ in enumerate(switches.names)
        for subnet in subnets(switches.subnet_of(index))
    )
