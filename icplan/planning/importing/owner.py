"""Whose objects are there: the owner mark that the file gets. Reads marks, and sets none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_core import PydanticCustomError

from icplan.core.address import IC
from icplan.core.words import FEW, listed
from icplan.kinds import route_exchange
from icplan.kinds.common.contract import MARK
from icplan.kinds.common.ic_server import titled
from icplan.kinds.common.transit_switches import switch_address
from icplan.ovn.cluster import CONFIG, NAMESPACE, OWNER, Cluster
from icplan.ovn.facts import Facts
from icplan.planning.importing.asked import Unsaid
from icplan.spec import texts

NOBODY = "imported"
"""The file's name when nobody has marked anything and none was asked for."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The file's name.

    Attributes:
        name: the owner mark.
        note: where it is from.
        unsaid: whose else objects are.
    """

    name: str
    note: str
    unsaid: tuple[Unsaid, ...]


def owner(asked: str, facts: Facts) -> Owner:
    """The mark that was asked for, else the one that most objects bear, else a name for nobody's.

    Args:
        asked: what the user wants; empty: what is there.
        facts: what was seen.
    """
    marked: dict[str, list[tuple[str, str]]] = {}
    for site, thing, mark in _marks(facts):
        marked.setdefault(mark, []).append((site, thing))
    good = [one for one in marked if _is_name(one)]
    found = min(good, key=lambda one: (-len(marked[one]), one), default="")
    name = asked or found or NOBODY
    if name == found:
        note = "The owner mark: what icplan has written here before bears it."
    else:
        note = "The owner mark on everything icplan writes. Nothing bears it yet."
    unsaid = tuple(
        Unsaid(
            min(site for site, _ in things),
            listed(sorted(thing for _, thing in things), FEW),
            f"the mark says that this belongs to the file named {mark}, not to {name}",
            f"import with --name {mark}, or remove the mark if that file is gone for good",
            near="metadata",
        )
        for mark, things in sorted(marked.items())
        if mark != name
    )
    return Owner(name, note, unsaid)


def _is_name(mark: str) -> bool:
    try:
        texts.name(mark)
    except PydanticCustomError:
        return False
    return True


def _marks(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """The site, the name and the mark of everything that bears one."""
    for site, cluster in facts.clusters.items():
        for thing, mark in _annotated(site, cluster):
            yield site, thing, mark
    for row in facts.ic_northbound.transit_switches if facts.ic_northbound else ():
        if MARK in row.external_ids:
            yield IC, str(switch_address(row.name)), row.external_ids[MARK]
    for site, seen in facts.northbound.items():
        for key in (MARK, route_exchange.MARK):
            if key in seen.external_ids:
                yield site, f"NB_Global of {site}", seen.external_ids[key]
        for port in seen.switch_ports.values():
            if MARK in port.external_ids:
                yield site, f"port {port.name} of {site}", port.external_ids[MARK]


def _annotated(site: str, cluster: Cluster) -> Iterator[tuple[str, str]]:
    config, server = cluster.config, cluster.ic_server
    objects = {f"Subnet {one.name} of {site}": one.annotations for one in cluster.subnets}
    if config is not None:
        objects[f"ConfigMap {NAMESPACE}/{CONFIG} of {site}"] = config.annotations
    if server is not None:
        objects[titled(site)] = server.annotations
    for thing, found in objects.items():
        if OWNER in found:
            yield thing, found[OWNER]
