"""Queries, preconditions and writes as OVSDB operations (RFC 7047 section 5.2). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from icplan.backends.codec import ColumnType, Schema, encode, encode_condition
from icplan.backends.jsonrpc import Json
from icplan.core.io import (
    Condition,
    Datum,
    Delete,
    Insert,
    Link,
    NewRow,
    Precondition,
    Query,
    SetKeys,
    Update,
    Write,
)
from icplan.core.value import Later


class UnknownColumn(Exception):
    """The server's schema does not have what a write needs."""


def selects(
    queries: Sequence[Query], schema: Schema
) -> list[tuple[str, Mapping[str, ColumnType], Json]]:
    """The `select`s that the schema allows, with table and columns.

    One unknown name would fail them all. What is unknown has no rows, or no value.
    """
    found: list[tuple[str, Mapping[str, ColumnType], Json]] = []
    for query in queries:
        known = schema.get(query.table, {})
        if not known or any(one.column not in known for one in query.where):
            continue
        columns = {name: known[name] for name in ("_uuid", *query.columns) if name in known}
        select = _on(schema, query.table, query.where) | {"op": "select", "columns": list(columns)}
        found.append((query.table, columns, select))
    return found


def precondition(
    condition: Precondition, schema: Schema
) -> tuple[Mapping[str, ColumnType], dict[str, Json]]:
    """The `select` of the rows that a precondition is about, with its columns.

    Raises:
        UnknownColumn: the schema does not have them.
    """
    base = _on(schema, condition.table, condition.where)
    known = schema[condition.table]
    names = sorted({"_uuid", *(one.column for one, _ in condition.fields)})
    columns = {name: known[name] for name in names if name in known}
    return columns, base | {"op": "select", "columns": list(columns)}


def unchanged(select: Mapping[str, Json], rows: Json) -> Json:
    """The `wait` that lets a transaction happen only if a `select` would still give these rows."""
    return {**select, "op": "wait", "timeout": 0, "until": "==", "rows": rows}


def operation(write: Write, schema: Schema) -> Json:
    """A write.

    Raises:
        UnknownColumn: the schema does not have what it writes.
    """
    if isinstance(write, Insert):
        row = _row(schema, write.table, write.columns)
        row |= _row(schema, write.table, write.links or {})
        return {"op": "insert", "table": write.table, "row": row, "uuid-name": write.name}
    base = _on(schema, write.table, write.where)
    match write:
        case Update():
            return base | {"op": "update", "row": _row(schema, write.table, write.columns)}
        case Delete():
            return base | {"op": "delete"}
        case SetKeys():
            column = _column(schema, write.table, write.column)
            # `insert` leaves a key that is there as it is, so all of them are taken out first.
            mutations: list[Json] = [[write.column, "delete", ["set", [*sorted(write.keys)]]]]
            pairs = {key: value for key, value in write.keys.items() if value is not None}
            if pairs:
                mutations.append([write.column, "insert", encode(pairs, column)])
            return base | {"op": "mutate", "mutations": mutations}
        case Link():
            column = _column(schema, write.table, write.column)
            mutations = []
            if write.remove:
                mutations.append([write.column, "delete", encode(write.remove, column)])
            if write.add:
                mutations.append([write.column, "insert", encode(write.add, column)])
            return base | {"op": "mutate", "mutations": mutations}


def _on(schema: Schema, table: str, where: Sequence[Condition]) -> dict[str, Json]:
    clauses: list[Json] = [
        encode_condition(one, _column(schema, table, one.column)) for one in where
    ]
    if table not in schema:
        raise UnknownColumn(f"no table {table}")
    return {"table": table, "where": clauses}


def _row(
    schema: Schema,
    table: str,
    values: Mapping[str, Datum | Later] | Mapping[str, tuple[NewRow, ...]],
) -> dict[str, Json]:
    return {name: encode(value, _column(schema, table, name)) for name, value in values.items()}


def _column(schema: Schema, table: str, name: str) -> ColumnType:
    try:
        return schema[table][name]
    except KeyError as error:
        raise UnknownColumn(
            f"no column {name} in table {table}" if table in schema else f"no table {table}"
        ) from error
