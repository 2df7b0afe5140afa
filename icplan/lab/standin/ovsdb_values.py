"""OVSDB's wire forms of sets, maps and uuids (RFC 7047, 5.1), to Python's and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Row = dict[str, Any]


def to_list(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON
    """The members of a column, whether it came as a set or as one value; uuids as texts."""
    if isinstance(value, list) and value and value[0] == "set":
        return [_plain(each) for each in value[1]]
    return [_plain(value)]


def to_optional(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """The value of a column that holds at most one; none when it holds none."""
    members = to_list(value)
    return members[0] if members else None


def to_dict(value: Any) -> dict[str, str]:  # noqa: ANN401 -- JSON
    """The pairs of a column that holds a map."""
    return {str(key): str(each) for key, each in value[1]}


def map_of(pairs: Mapping[str, str]) -> list[Any]:
    """A map for writing."""
    return ["map", [[key, pairs[key]] for key in sorted(pairs)]]


def set_of(members: Iterable[Any]) -> list[Any]:
    """A set for writing."""
    return ["set", list(members)]


def uuid(text: str) -> list[str]:
    """A reference to a row that is there."""
    return ["uuid", text]


def named(name: str) -> list[str]:
    """A reference to a row that the same transaction inserts."""
    return ["named-uuid", name]


def uuids(texts: Iterable[str]) -> list[Any]:
    """References to rows that are there."""
    return set_of([uuid(text) for text in texts])


def select(table: str, columns: Iterable[str], where: Iterable[list[Any]] = ()) -> Row:
    """The operation that reads columns, and the uuid, of some rows."""
    return {
        "op": "select",
        "table": table,
        "where": list(where),
        "columns": ["_uuid", *columns],
    }


def mutate(table: str, row: str, column: str, mutator: str, value: Any) -> Row:  # noqa: ANN401
    """The operation that changes one column of one row ("insert" or "delete" some members)."""
    return {
        "op": "mutate",
        "table": table,
        "where": [["_uuid", "==", uuid(row)]],
        "mutations": [[column, mutator, value]],
    }


def delete(table: str, row: str) -> Row:
    """The operation that deletes one row."""
    return {"op": "delete", "table": table, "where": [["_uuid", "==", uuid(row)]]}


def _plain(value: Any) -> Any:  # noqa: ANN401 -- JSON
    return value[1] if isinstance(value, list) and value[:1] == ["uuid"] else value
