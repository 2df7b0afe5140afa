"""From running zones to a file: looks, drafts, and looks again by that file. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from icplan.backends.access import clusters, endpoints
from icplan.backends.databases import Databases
from icplan.core.io import (
    Database,
    Snapshot,
    Source,
    Unreadable,
    site_of,
    source_title,
)
from icplan.core.kubernetes import GetObject
from icplan.errors import IcplanError
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.cycle import OFF
from icplan.ovn import interconnect
from icplan.ovn.cluster import config_resource, dispensable
from icplan.ovn.facts import Facts, decode
from icplan.planning.importing.asked import Asked, AskedZone
from icplan.planning.importing.entries import access_data
from icplan.planning.importing.imported import Imported, imported, named
from icplan.planning.importing.owner import NOBODY
from icplan.planning.importing.shared import database_data, ic_database
from icplan.run.observe import observe, read
from icplan.spec import load, writing
from icplan.spec.load import Spec
from icplan.spec.model import IcDatabase, Platform
from icplan.spec.source import Plain

DIRECTLY = ""
_UNKNOWN = "unknown"
"""In the place of gateways and routers until they are known; nothing is read because of it."""
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of looking.

    Attributes:
        imported: the file, and what it does not say.
        notes: what was found out on the way, in sentences.
    """

    imported: Imported
    notes: tuple[str, ...]


def look(asked: Asked, file: str, schema: str, seconds: float) -> Looked:
    """Everything that the user named, as a file.

    Args:
        asked: what the user named.
        file: where the file will be; relative paths in it count from there.
        schema: what its first line names as its schema.
        seconds: how long one database or cluster may take to answer.

    Raises:
        IcplanError: something could not be seen, or nothing of it is interconnected.
    """
    configs = _configs(asked, file, seconds)
    database = ic_database(asked, configs)
    asked, notes = _with_road(asked, configs, database, file, seconds)
    snapshot = _observed(_provisional(asked, database, file), asked, seconds)
    first = imported(asked, snapshot, file=file, schema=schema)
    # A plan of this file would read what it reads; and under these names.
    asked = named(asked, first.draft)
    again = _observed(first.spec, asked, seconds)
    left_out = first.draft.left_out
    found = imported(asked, again, file=file, schema=schema, left_out=left_out)
    return Looked(found, notes)


def _provisional(asked: Asked, database: IcDatabase, file: str) -> Spec:
    """A file that is good enough to look by."""
    where = database_data(database)
    if asked.through:
        where["reach"] = {"through": asked.through}
    data: dict[str, Plain] = {
        "apiVersion": "icplan/v1",
        "kind": "Interconnect",
        "metadata": {"name": asked.name or NOBODY},
        "icDatabase": where,
        "availabilityZones": [_provisional_zone(one) for one in asked.zones],
    }
    return load.read(writing.text(writing.Page(data)).encode(), file)


def _provisional_zone(zone: AskedZone) -> Plain:
    plain: dict[str, Plain] = {}
    if not zone.kube_ovn:
        plain = {"platform": Platform.OVN.value, "router": _UNKNOWN}
    return {"name": zone.site, **plain, **access_data(zone), "gatewayNodes": [_UNKNOWN]}


def _open(spec: Spec, seconds: float) -> Databases:
    reached = clusters(spec, seconds)
    return Databases(endpoints(spec, reached), seconds, reached)


def _configs(asked: Asked, file: str, seconds: float) -> dict[str, Mapping[str, str]]:
    """The data of the clusters' ConfigMaps, by site."""
    sites = [one.site for one in asked.zones if one.kube_ovn]
    anywhere = IcDatabase(hosts=("127.0.0.1",))
    with _open(_provisional(replace(asked, through=""), anywhere, file), seconds) as databases:
        snapshot = read(databases, [GetObject(config_resource(one)) for one in sites])
    facts = decode(snapshot)
    _require(facts.unseen.items())
    found = ((site, facts.clusters[site].config) for site in sites)
    return {site: one.data for site, one in found if one is not None}


def _with_road(
    asked: Asked,
    configs: Mapping[str, Mapping[str, str]],
    database: IcDatabase,
    file: str,
    seconds: float,
) -> tuple[Asked, tuple[str, ...]]:
    """The first road on which the IC databases answer: the one that was named, or direct, or any.

    Raises:
        IcplanError: they answer on none.
    """
    through = [site for site, one in sorted(configs.items()) if one.get(ENABLE) != OFF]
    roads = [asked.through] if asked.through else [DIRECTLY, *through]
    causes: list[str] = []
    cure = ""
    for road in roads:
        tried = replace(asked, through=road)
        with _open(_provisional(tried, database, file), seconds) as databases:
            unseen = decode(read(databases, interconnect.queries())).ic_unseen()
        if unseen is None:
            return tried, _detour(road, causes)
        causes.append(unseen.cause)
        cure = cure or unseen.cure
    raise IcplanError(
        "IC databases",
        place=", ".join(database.hosts),
        cause="; ".join(
            f"{f'through {road}' if road else 'directly'}: {cause}"
            for road, cause in zip(roads, causes, strict=True)
        ),
        cure=cure if asked.through or through else f"{cure}; or name another host with --ic",
    )


def _detour(road: str, causes: Sequence[str]) -> tuple[str, ...]:
    if not causes:
        return ()
    return (
        f"the IC databases are not reached from here: {causes[0]}; through {road} they are, and "
        "the file says so (`reach`)",
    )


def _observed(spec: Spec, asked: Asked, seconds: float) -> Snapshot:
    with _open(spec, seconds) as databases:
        snapshot = observe(databases, spec)
    facts = decode(snapshot)
    _require(_needed(facts, asked))
    return snapshot


def _needed(facts: Facts, asked: Asked) -> Iterator[tuple[Source, Unreadable]]:
    """What an import cannot do without; a cluster's databases may be forbidden to it."""
    of_clusters = {one.site for one in asked.zones if one.kube_ovn}
    for source, why in facts.unseen.items():
        site = site_of(source)
        database = isinstance(source, Database) and site in of_clusters
        optional = dispensable(source) or database
        if not (why.forbidden and optional):
            yield source, why


def _require(unseen: Iterable[tuple[Source, Unreadable]]) -> None:
    """Lets nothing pass that could not be seen: what is unreadable is not absent.

    Raises:
        IcplanError: something could not.
    """
    titles: dict[Unreadable, list[str]] = {}
    for source, why in unseen:
        titles.setdefault(why, []).append(source_title(source))
    if not titles:
        return
    listed = [", ".join(sorted(one)[:_MOST_SHOWN]) for one in titles.values()]
    first = next(iter(titles))
    rest = "; likewise could not be seen: " + "; ".join(listed[1:]) if listed[1:] else ""
    raise IcplanError(
        listed[0],
        cause=f"{first.cause}{rest}",
        cure=f"{first.cure}; nothing is imported of what cannot be seen",
    )
