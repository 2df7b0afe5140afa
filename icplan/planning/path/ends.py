"""The two ends of a way, by what the file and the clusters know of them. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from icplan.core.io import Query, Unreadable
from icplan.errors import UsageError
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.ovn import northbound
from icplan.ovn.prefix import family, inside, ordered
from icplan.ovn.routes import candidates
from icplan.ovn.subnets import is_prefix, named
from icplan.spec.diagnostic import escape, quoted
from icplan.spec.load import Spec
from icplan.spec.texts import split_endpoint

_MOST_LISTED = 12
_FORM = "az1/ovn-default or az1/10.16.0.0/16, for example"


@dataclass(frozen=True, slots=True)
class End:
    """A subnet of a zone.

    Attributes:
        zone: the zone.
        text: how the user named the subnet: by name or as CIDR.
        subnet: the name of the subnet that it is or lies in; empty when it has none.
        prefixes: what is to be reached: one prefix for each address family.
        unseen: why the prefixes are not known.
    """

    zone: zones.DeclaredZone
    text: str
    subnet: str = ""
    prefixes: tuple[str, ...] = ()
    unseen: Unreadable | None = None

    def __str__(self) -> str:
        """As the user named it: "az1/ovn-default"."""
        return f"{self.zone.name}/{self.text}"


@dataclass(frozen=True, slots=True)
class Named:
    """An end as the command line has it, whose zone the file declares."""

    zone: zones.DeclaredZone
    subnet: str


def parse(spec: Spec, text: str) -> Named:
    """An end by its text; the zone must be one that is to be interconnected.

    Raises:
        UsageError: it is none, or there is no such zone.
    """
    try:
        end = split_endpoint(text)
    except PydanticCustomError as error:
        context = error.context or {}
        cure = f"name one subnet: {_FORM}" if "/" not in text else str(context["cure"])
        raise UsageError(f"end {quoted(text)}", cause=str(context["message"]), cure=cure) from None
    declared = {zone.name: zone for zone in zones.declared(spec) if zone.present}
    if end.zone is None or end.subnet is None:
        one = end.zone or next(iter(declared), "az1")
        raise UsageError(
            f"end {text}",
            cause="a way leads from one subnet to one other",
            cure=f"name one subnet: {one}/NAME or {one}/CIDR",
        )
    if end.zone not in declared:
        raise UsageError(
            f"end {text}",
            place=escape(spec.document.file),
            cause=_why_not(spec, end.zone),
            cure=f"name one of {', '.join(declared)}" if declared else "there is no such zone",
        )
    return Named(declared[end.zone], end.subnet)


def parse_both(spec: Spec, source: str, target: str) -> tuple[Named, Named]:
    """Two ends in two zones.

    Raises:
        UsageError: one of them is none, or both are in the same zone.
    """
    ends = parse(spec, source), parse(spec, target)
    if ends[0].zone.name == ends[1].zone.name:
        raise UsageError(
            f"ends {source} and {target}",
            cause=f"both are in {ends[0].zone.name}: what is between them crosses no other zone",
            cure="name subnets of two zones",
        )
    return ends


def _why_not(spec: Spec, name: str) -> str:
    if name in spec.without:
        return f"{name} is left out: nothing of it is looked at"
    if any(zone.name == name for zone in spec.interconnect.availability_zones):
        return f"the file takes {name} out of the interconnection"
    return f"there is no availability zone {name}"


def queries(ends: tuple[Named, Named]) -> Iterator[Query]:
    """What must be read besides: the names of plain zones' subnets are those of their switches."""
    for end in ends:
        if not end.zone.kube_ovn:
            yield from northbound.queries(end.zone.name, switch_names=True)


def resolve(view: View, end: Named) -> End:
    """What an end means in its zone.

    Raises:
        UsageError: the zone was read, and has no such subnet.
    """
    name = end.zone.name
    # A subnet of a cluster is its Subnet; that of a plain zone is what its router has a port in.
    unseen = view.facts.cluster_unseen(name) if end.zone.kube_ovn else view.facts.zone_unseen(name)
    if unseen is not None:
        known = (end.subnet,) if is_prefix(end.subnet) else ()
        return End(end.zone, end.subnet, prefixes=known, unseen=None if known else unseen)
    there = _subnets(view, end.zone)
    if not is_prefix(end.subnet):
        if end.subnet not in there:
            raise _unknown(end, there)
        return End(end.zone, end.subnet, end.subnet, there[end.subnet])
    for subnet, blocks in there.items():
        if any(inside(end.subnet, block) for block in blocks):
            return End(end.zone, end.subnet, subnet, (end.subnet,))
    # Without a router there are no subnets, and a link says so.
    routers = _routed(view, end.zone)
    if routers is None or any(inside(end.subnet, one) for one in routers):
        return End(end.zone, end.subnet, "", (end.subnet,))
    raise _unknown(end, there)


def in_common(one: End, other: End) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prefixes of each end of those address families that both have.

    Raises:
        UsageError: they have none in common.
    """
    both = {family(prefix) for prefix in one.prefixes} & {family(p) for p in other.prefixes}
    if one.prefixes and other.prefixes and not both:
        raise UsageError(
            f"ends {one} and {other}",
            cause="one has IPv4 only, the other one IPv6 only: nothing can pass between them",
            cure="name two subnets of one address family",
        )
    if not one.prefixes or not other.prefixes:
        return one.prefixes, other.prefixes
    first, second = (
        tuple(prefix for prefix in end.prefixes if family(prefix) in both) for end in (one, other)
    )
    return first, second


def _subnets(view: View, zone: zones.DeclaredZone) -> dict[str, tuple[str, ...]]:
    """A zone's subnets by name."""
    if zone.kube_ovn:
        cluster = view.facts.clusters[zone.name]
        return {one.name: one.blocks for one in cluster.subnets if one.blocks}
    seen = view.facts.northbound[zone.name]
    return {
        switch.name: found
        for router in seen.routers_named(zone.router)
        for switch in seen.switches
        if not switch.transit_switch and (found := named(seen, router, switch.name))
    }


def _routed(view: View, zone: zones.DeclaredZone) -> tuple[str, ...] | None:
    """What a zone's router offers, whether a subnet of it has a name or not; None without one."""
    seen = view.facts.northbound.get(zone.name)
    routers = seen.routers_named(zone.router) if seen is not None else ()
    if seen is None or not routers:
        return () if zone.kube_ovn else None
    return ordered(one.prefix for router in routers for one in candidates(seen, router))


def _unknown(end: Named, there: dict[str, tuple[str, ...]]) -> UsageError:
    listed = [f"{name} ({', '.join(there[name])})" for name in sorted(there)]
    more = len(listed) - _MOST_LISTED
    shown = ", ".join(listed[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
    what = "subnet with" if is_prefix(end.subnet) else "subnet"
    return UsageError(
        f"end {end.zone.name}/{end.subnet}",
        cause=f"{end.zone.name} has no {what} {end.subnet}",
        cure=f"name one of its subnets: {shown}"
        if listed
        else f"it has none: is its router {end.zone.router} there? icplan plan tells",
    )
