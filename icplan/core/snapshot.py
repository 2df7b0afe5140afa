"""Snapshots as JSON: what was observed, to be kept, compared and planned against offline."""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from icplan.core.io import Database, Datum, Row, Snapshot, Tables, Unreadable

FORMAT_VERSION = "1.0"


def encode(snapshot: Snapshot) -> bytes:
    """The JSON of a snapshot; rows and columns are in a stable order."""
    databases = {
        str(database): {"unreadable": {"cause": content.cause, "cure": content.cure}}
        if isinstance(content, Unreadable)
        else {"tables": {table: _ordered(rows) for table, rows in content.items()}}
        for database, content in snapshot.databases.items()
    }
    return orjson.dumps(
        {
            "format_version": FORMAT_VERSION,
            "observedAt": snapshot.observed_at,
            "databases": databases,
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
    )


def _ordered(rows: tuple[Row, ...]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row.get("_uuid")))


def decode(data: bytes) -> Snapshot:
    """A snapshot out of its JSON.

    Raises:
        ValueError: it is none.
    """
    raw = orjson.loads(data)
    if not isinstance(raw, dict) or not isinstance(raw.get("databases"), dict):
        raise ValueError("not a snapshot")
    databases: dict[Database, Tables | Unreadable] = {}
    for path, content in raw["databases"].items():
        site, _, name = path.rpartition("/")
        if "unreadable" in content:
            why = content["unreadable"]
            databases[Database(site, name)] = Unreadable(str(why["cause"]), str(why["cure"]))
        else:
            databases[Database(site, name)] = {
                table: tuple(
                    {column: _datum(value) for column, value in row.items()} for row in rows
                )
                for table, rows in content["tables"].items()
            }
    return Snapshot(str(raw["observedAt"]), databases)


def _datum(value: object) -> Datum:
    if isinstance(value, list):
        return tuple(_datum(one) for one in value)
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ValueError(f"not a column's value: {value!r}")
