"""The only way from the databases to a snapshot. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from icplan.backends.databases import Databases
from icplan.backends.failures import DatabaseUnreadable
from icplan.core.io import Database, Query, Snapshot, Tables, Unreadable
from icplan.kinds import KINDS
from icplan.ovn.facts import decode
from icplan.spec.load import Spec

MOST_AT_ONCE = 64


def observe(databases: Databases, spec: Spec) -> Snapshot:
    """Everything that the kinds want to see.

    What they want to see in addition, once they know what there is, is read a second time.
    """
    first = tuple(query for kind in KINDS for query in kind.queries(spec, None))
    snapshot = read(databases, first)
    facts = decode(snapshot)
    asked = set(first)
    second = [
        query
        for kind in KINDS
        for query in kind.queries(spec, facts)
        if query not in asked and query.database not in facts.unseen
    ]
    return _united(snapshot, read(databases, second)) if second else snapshot


def read(databases: Databases, wanted: Iterable[Query]) -> Snapshot:
    """Reads all databases at once; one that cannot be read is unreadable, with its cause."""
    by_database: dict[Database, list[Query]] = {}
    for query in wanted:
        by_database.setdefault(query.database, []).append(query)

    def ask(database: Database) -> Tables | Unreadable:
        try:
            return databases.client(database).read(by_database[database])
        except DatabaseUnreadable as error:
            return Unreadable(error.cause, error.cure)

    with ThreadPoolExecutor(max(1, min(MOST_AT_ONCE, len(by_database)))) as pool:
        contents = pool.map(ask, by_database)
        found = dict(zip(by_database, contents, strict=True))
    return Snapshot(datetime.now(UTC).isoformat(timespec="seconds"), found)


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
    return Snapshot(first.observed_at, databases)
