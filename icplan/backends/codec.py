"""Between OVSDB's wire form (RFC 7047 section 5.1) and plain values, by the server's schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from icplan.backends.jsonrpc import Json
from icplan.core.io import Condition, Datum, NewRow, Row
from icplan.core.value import Later

Decoder = Callable[[Json], Datum]


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type: what its elements are, and whether it is a scalar, optional, set or map."""

    key: str
    value: str | None
    optional: bool
    many: bool


Schema = Mapping[str, Mapping[str, ColumnType]]
"""Column types by table and column."""

_UUID = ColumnType("uuid", None, optional=False, many=False)


def read_schema(raw: Json) -> Schema:
    """The schema out of a `get_schema` answer.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(raw, dict) or not isinstance(tables := raw.get("tables"), dict):
        raise ValueError("not a database schema")
    schema = {}
    for name, table in tables.items():
        columns = table.get("columns") if isinstance(table, dict) else None
        if not isinstance(columns, dict):
            raise ValueError("not a database schema")
        schema[name] = {
            column: _column_type(spec.get("type") if isinstance(spec, dict) else None)
            for column, spec in columns.items()
        } | {"_uuid": _UUID}
    return schema


def _column_type(raw: Json) -> ColumnType:
    if isinstance(raw, str):
        return ColumnType(raw, None, optional=False, many=False)
    if not isinstance(raw, dict):
        raise ValueError("not a column type")
    maximum = raw.get("max", 1)
    return ColumnType(
        _base(raw.get("key")),
        _base(raw["value"]) if "value" in raw else None,
        optional=raw.get("min", 1) == 0 and maximum == 1,
        many=maximum != 1,
    )


def _base(raw: Json) -> str:
    return str(raw.get("type")) if isinstance(raw, dict) else str(raw)


def decoder(column: ColumnType) -> Decoder | None:
    """The function that decodes a column; None when the wire form is the value itself."""
    if column.value is not None:
        return _decode_texts if column.key == column.value == "string" else _decode_map
    if column.many or column.optional:
        return _decode_set if column.many else _decode_optional
    return _decode_atom if column.key == "uuid" else None


def decode_rows(raw: Json, columns: Mapping[str, ColumnType]) -> tuple[Row, ...]:
    """The rows of a `select` of these columns.

    Raises:
        ValueError: they are none.
    """
    if not isinstance(raw, list):
        raise ValueError("not a list of rows")
    decoders = [
        (name, decode)
        for name, column in columns.items()
        if (decode := decoder(column)) is not None
    ]
    try:
        for row in raw:
            # In place: a large answer is walked once and not copied.
            if not isinstance(row, dict):
                raise ValueError("not a row")
            for name, decode in decoders:
                row[name] = decode(row[name])  # type: ignore[assignment]
    except (IndexError, KeyError, TypeError) as error:
        raise ValueError("not a column's value") from error
    return tuple(raw)  # type: ignore[arg-type]


def _decode_atom(raw: Json) -> Datum:
    return raw[1] if isinstance(raw, list) else raw  # type: ignore[return-value]


def _decode_optional(raw: Json) -> Datum:
    if isinstance(raw, list) and raw[0] == "set":
        elements = raw[1]
        return _decode_atom(elements[0]) if isinstance(elements, list) and elements else None
    return _decode_atom(raw)


def _decode_set(raw: Json) -> Datum:
    if isinstance(raw, list) and raw[0] == "set" and isinstance(raw[1], list):
        return tuple(sorted((_decode_atom(one) for one in raw[1]), key=str))
    return (_decode_atom(raw),)


def _decode_texts(raw: Json) -> Datum:
    return dict(raw[1])  # type: ignore[index,arg-type]


def _decode_map(raw: Json) -> Datum:
    pairs = raw[1] if isinstance(raw, list) and len(raw) > 1 else []
    if not isinstance(pairs, list):
        raise ValueError("not a map")
    return {_text(pair[0]): _text(pair[1]) for pair in pairs}  # type: ignore[index]


def _text(raw: Json) -> str:
    """A key or a value of a map: whatever it is there, it is a text here."""
    atom = _decode_atom(raw)
    return str(atom).lower() if isinstance(atom, bool) else str(atom)


def decode_tagged(raw: Json) -> Datum:
    """A value whose type only its tag tells; an unset optional becomes an empty tuple."""
    if isinstance(raw, list) and raw and raw[0] == "map":
        return _decode_map(raw)
    return _decode_set(raw) if isinstance(raw, list) and raw[0] == "set" else _decode_atom(raw)


def encode(datum: Datum | Later | NewRow | tuple[NewRow, ...], column: ColumnType) -> Json:
    """A value in wire form.

    Raises:
        ValueError: it is not known yet.
    """
    if isinstance(datum, Later):
        raise ValueError(f"not known yet: {datum.reference}")
    if isinstance(datum, Mapping):
        value = column.value or "string"
        pairs: list[Json] = [
            [_encode_text(one, column.key), _encode_text(datum[one], value)]
            for one in sorted(datum)
        ]
        return ["map", pairs]
    if isinstance(datum, tuple):
        return ["set", [_encode_atom(one, column) for one in datum]]
    if datum is None:
        return ["set", []]
    return _encode_atom(datum, column)


def _encode_atom(datum: Datum | NewRow, column: ColumnType) -> Json:
    if isinstance(datum, NewRow):
        return ["named-uuid", datum.name]
    if column.key == "uuid":
        return ["uuid", str(datum)]
    return datum  # type: ignore[return-value]


def _encode_text(text: str, base: str) -> Json:
    """The other way round than `_text`."""
    match base:
        case "integer":
            return int(text)
        case "real":
            return float(text)
        case "boolean":
            return text == "true"
        case "uuid":
            return ["uuid", text]
        case _:
            return text


def encode_condition(condition: Condition, column: ColumnType) -> Json:
    """A clause of a `where`."""
    return [condition.column, condition.function, encode(condition.value, column)]
