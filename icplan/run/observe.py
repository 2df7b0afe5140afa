"""The only way from the databases and clusters to a snapshot. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from icplan.backends.databases import Databases
from icplan.backends.engines import EngineUnreadable
from icplan.backends.failures import DatabaseForbidden, DatabaseUnreadable
from icplan.backends.kubernetes.failures import AccessFailed, ClusterUnreadable, NotPermitted
from icplan.core.engines import AskMember, HostState, InspectHost
from icplan.core.io import (
    AnyQuery,
    Database,
    Query,
    Snapshot,
    Tables,
    Unreadable,
    site_of,
    source_of,
)
from icplan.core.kubernetes import Body, GetObject, ObjectQuery
from icplan.kinds import KINDS
from icplan.ovn.facts import decode
from icplan.spec.load import Spec

MOST_AT_ONCE = 64
MAY_EXEC = "plan with the role icplan-apply of examples/rbac: it may execute in kube-system"

Key = TypeVar("Key")
Found = TypeVar("Found")
Objects = Mapping[ObjectQuery, tuple[Body, ...] | Unreadable]


def observe(databases: Databases, spec: Spec, more: Iterable[Query] = ()) -> Snapshot:
    """Everything that the kinds want to see, and `more`.

    What they want to see in addition, once they know what there is, is read a second time.
    """
    first = (*(query for kind in KINDS for query in kind.queries(spec, None)), *more)
    snapshot = read(databases, first)
    facts = decode(snapshot)
    asked = set(first)
    second = [
        query
        for kind in KINDS
        for query in kind.queries(spec, facts)
        if isinstance(query, Query) and query not in asked and query.database not in facts.unseen
    ]
    return _united(snapshot, read(databases, second)) if second else snapshot


def read(databases: Databases, wanted: Iterable[AnyQuery]) -> Snapshot:
    """Reads everything at once; what cannot be read is unreadable, with its cause.

    The databases of a cluster that does not answer are not tried: they are reached through it.
    """
    by_database: dict[Database, list[Query]] = {}
    by_site: dict[str, dict[ObjectQuery, None]] = {}
    inspections: dict[InspectHost, None] = {}
    asked: dict[AskMember, None] = {}
    for query in wanted:
        match query:
            case Query():
                by_database.setdefault(query.database, []).append(query)
            case InspectHost():
                inspections[query] = None
            # Who was not told how the single servers are reached asks none of them.
            case AskMember(member):
                asked |= {query: None} if member in databases.members else {}
            case _:
                by_site.setdefault(site_of(source_of(query)), {})[query] = None

    def ask_cluster(site: str) -> Objects:
        return _objects(databases, site, by_site[site])

    def ask(database: Database) -> Tables | Unreadable:
        if (why := lost.get(database.site)) is not None:
            return why
        try:
            return databases.client(database).read(by_database[database])
        except DatabaseUnreadable as error:
            forbidden = isinstance(error, DatabaseForbidden)
            cure = MAY_EXEC if forbidden else error.cure
            return Unreadable(error.cause, cure, forbidden, error.refused)

    objects = _at_once(by_site, ask_cluster)
    lost = {
        site: one
        for site, found in objects.items()
        for one in found.values()
        if isinstance(one, Unreadable) and not one.forbidden
    }
    # All at once: of a cluster that has lost its majority each of these takes its whole time.
    count = len(by_database) + len(inspections) + len(asked)
    with ThreadPoolExecutor(max(1, min(MOST_AT_ONCE, count))) as pool:
        tables = {database: pool.submit(ask, database) for database in by_database}
        hosts = {query: pool.submit(_host, databases, query) for query in inspections}
        members = {query: pool.submit(databases.ask, query.member) for query in asked}
    return Snapshot(
        datetime.now(UTC).isoformat(timespec="seconds"),
        {database: one.result() for database, one in tables.items()},
        {query: bodies for found in objects.values() for query, bodies in found.items()},
        {query: one.result() for query, one in hosts.items()},
        {query: one.result() for query, one in members.items()},
    )


def _host(databases: Databases, query: InspectHost) -> HostState | Unreadable:
    try:
        return databases.engines[query.engine].inspect(query)
    except EngineUnreadable as error:
        return Unreadable(error.cause, error.cure)


def _at_once(keys: Collection[Key], ask: Callable[[Key], Found]) -> dict[Key, Found]:
    with ThreadPoolExecutor(max(1, min(MOST_AT_ONCE, len(keys)))) as pool:
        return dict(zip(keys, pool.map(ask, keys), strict=True))


def _objects(databases: Databases, site: str, queries: Iterable[ObjectQuery]) -> Objects:
    """The objects of one cluster; once it has not answered, it is not asked again."""
    client = databases.clusters[site]
    found: dict[ObjectQuery, tuple[Body, ...] | Unreadable] = {}
    lost: Unreadable | None = None
    for query in queries:
        if lost is not None:
            found[query] = lost
            continue
        try:
            if isinstance(query, GetObject):
                body = client.get(query)
                found[query] = () if body is None else (body,)
            else:
                found[query] = client.list(query)
        except NotPermitted as error:
            found[query] = Unreadable(error.cause, error.cure, forbidden=True)
        except (AccessFailed, ClusterUnreadable) as error:
            place = f" ({error.place})" if error.place else ""
            lost = found[query] = Unreadable(f"{error.cause}{place}", error.cure)
    return found


def _united(first: Snapshot, second: Snapshot) -> Snapshot:
    """The rows of both; a database that the second reading lost is unreadable."""
    databases = dict(first.databases)
    for database, more in second.databases.items():
        known = databases.get(database)
        if isinstance(more, Unreadable) or isinstance(known, Unreadable) or known is None:
            databases[database] = more
            continue
        tables = {table: {str(row["_uuid"]): row for row in rows} for table, rows in known.items()}
        for table, rows in more.items():
            tables.setdefault(table, {}).update((str(row["_uuid"]), row) for row in rows)
        databases[database] = {table: tuple(rows.values()) for table, rows in tables.items()}
    return replace(first, databases=databases)
