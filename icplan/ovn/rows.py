"""Reads typed columns out of decoded rows. The one place that knows how a datum looks."""

from __future__ import annotations

from collections.abc import Mapping

from icplan.core.io import Datum, Row


def text(row: Row, column: str) -> str:
    """A string; empty when the column is absent or an unset optional."""
    value = row.get(column)
    if isinstance(value, tuple):
        value = value[0] if value else None
    return "" if value is None or isinstance(value, Mapping) else str(value)


def number(row: Row, column: str) -> int:
    """An integer; 0 when the column is absent."""
    value = row.get(column)
    return value if isinstance(value, int) else 0


def texts(row: Row, column: str) -> tuple[str, ...]:
    """The elements of a set, sorted; a scalar counts as a set of one."""
    value: Datum = row.get(column)
    if value is None or isinstance(value, Mapping):
        return ()
    if isinstance(value, tuple):
        return tuple(sorted(str(element) for element in value))
    return (str(value),)


def pairs(row: Row, column: str) -> Mapping[str, str]:
    """A map, with its keys in order."""
    value = row.get(column)
    return dict(sorted(value.items())) if isinstance(value, Mapping) else {}
