"""Routes that people made by hand over transit switches, as entries of `routes`. Makes none."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from icplan.core.commands import shown
from icplan.kinds.common.transit_address import bare
from icplan.ovn.cluster import ROUTER
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import StaticRoute
from icplan.ovn.prefix import inside, ordered
from icplan.planning.importing.asked import Entry, Unsaid
from icplan.spec.source import Plain

Way = tuple[str, str]
"""From a zone, to a zone."""


@dataclass(frozen=True, slots=True)
class ByHand:
    """What there is.

    Attributes:
        data: the entries of `routes`.
        unsaid: routes that no entry says.
    """

    data: tuple[dict[str, Plain], ...]
    unsaid: tuple[Unsaid, ...]


@dataclass(slots=True)
class _Found:
    """Over which switches each prefix leads, by way."""

    ways: dict[Way, dict[str, set[str]]] = field(default_factory=dict)
    unsaid: list[Unsaid] = field(default_factory=list)


def by_hand(entries: Sequence[Entry], facts: Facts, switches: Mapping[str, str]) -> ByHand:
    """The static routes of the zones' routers whose next hops lie on transit switches.

    Args:
        entries: the zones of the file.
        facts: what was seen.
        switches: the declared transit switches with their subnets.
    """
    found = _Found()
    for one in entries:
        for route in _over_transit(one, facts, switches):
            _sort(one, route, entries, facts, found)
    ports = facts.ic_southbound.ports if facts.ic_southbound else ()
    for (start, end), prefixes in sorted(found.ways.items()):
        on = {one.transit_switch for one in ports if one.zone == end}
        for prefix in ordered(prefixes):
            if missing := sorted((on & {*switches}) - prefixes[prefix]):
                over = ", ".join(sorted(prefixes[prefix]))
                found.unsaid.append(
                    Unsaid(
                        start,
                        f"static route {prefix} to {end}",
                        f"it leads over {over} only, and the file means all transit switches that "
                        f"{end} has: {', '.join(missing)}, too",
                        "see in `icplan plan` what is added",
                    )
                )
    data: tuple[dict[str, Plain], ...] = tuple(
        {"from": start, "to": end, "subnets": [*ordered(prefixes)]}
        for (start, end), prefixes in sorted(found.ways.items())
    )
    return ByHand(data, tuple(found.unsaid))


def _over_transit(entry: Entry, facts: Facts, switches: Mapping[str, str]) -> Iterator[StaticRoute]:
    northbound = facts.northbound.get(entry.zone.site)
    if northbound is None:
        return
    subnets = [net for text in switches.values() for net in text.split(",")]
    for router in northbound.routers_named(str(entry.data.get("router", ROUTER))):
        for route in northbound.routes_of(router):
            if not route.learned and any(inside(route.nexthop, net) for net in subnets):
                yield route


def _sort(
    entry: Entry, route: StaticRoute, entries: Sequence[Entry], facts: Facts, found: _Found
) -> None:
    hop = bare(route.nexthop)
    ports = facts.ic_southbound.ports if facts.ic_southbound else ()
    owners = [one for one in ports if hop in map(bare, one.networks)]
    names = sorted({one.zone for one in owners})
    why = _why_not(entry, route, hop, names, {one.name for one in entries})
    if why is not None:
        what, cure = why
        thing = f"static route {route.prefix} via {route.nexthop}"
        found.unsaid.append(Unsaid(entry.name, thing, what, cure))
        return
    of_way = found.ways.setdefault((entry.name, names[0]), {})
    of_way.setdefault(route.prefix, set()).update(one.transit_switch for one in owners)


def _why_not(
    entry: Entry, route: StaticRoute, hop: str, names: Sequence[str], declared: set[str]
) -> tuple[str, str] | None:
    """Why no entry can say a route, and what to do; None when one can."""
    router = str(entry.data.get("router", ROUTER))
    words = ("ovn-nbctl", "lr-route-del", router, route.prefix, route.nexthop)
    delete = f"{shown(shlex.join(words))} in {entry.name}"
    if route.policy != "dst-ip":
        return "it is chosen by the source, and the file has routes by destination only", (
            "leave it, as icplan does"
        )
    if not names:
        return f"no zone has {hop}: it leads nowhere", f"delete it: {delete}"
    if len(names) > 1:
        return (
            f"{' and '.join(names)} both have {hop}",
            "let one of them get another address first: `icplan plan` shows how",
        )
    if names[0] not in declared:
        return (
            f"it leads to {names[0]}, which is not in the file",
            f"import {names[0]}, too",
        )
    if names[0] == entry.name:
        return f"{hop} is an address of {entry.name} itself", f"delete it: {delete}"
    if entry.automatic:
        return (
            f"{entry.name} exchanges routes by itself, and would advertise this one as its own",
            f"delete it: {delete}; or let {entry.name} have `routePolicy: manual`",
        )
    return None
