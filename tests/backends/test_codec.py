"""Values survive the way to a server and back, for every column type of the real schemas."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icplan.backends.codec import (
    ColumnType,
    Schema,
    decode_rows,
    decode_tagged,
    encode,
    read_schema,
)
from icplan.backends.jsonrpc import Json
from icplan.core.io import Datum
from icplan.lab.programs import find_schema

FILES = ("ovn-nb.ovsschema", "ovn-sb.ovsschema", "ovn-ic-nb.ovsschema", "ovn-ic-sb.ovsschema")

_ATOMS: dict[str, st.SearchStrategy[str | int | float | bool]] = {
    "string": st.text(),
    "uuid": st.uuids().map(str),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
}


def _schema(file: str) -> Schema:
    return read_schema(json.loads(Path(find_schema(file)).read_text()))


def _types() -> list[ColumnType]:
    return sorted(
        {column for file in FILES for table in _schema(file).values() for column in table.values()},
        key=repr,
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _data(column: ColumnType) -> st.SearchStrategy[Datum]:
    """What a column may hold, as icplan words it."""
    atoms = _ATOMS[column.key]
    if column.value is not None:
        return st.dictionaries(atoms.map(_text), _ATOMS[column.value].map(_text))
    if column.many:
        return st.lists(atoms, unique=True).map(lambda found: tuple(sorted(found, key=str)))
    return st.none() | atoms if column.optional else atoms


def _as_servers_word_it(wire: Json) -> Json:
    """A set of one is its element."""
    if isinstance(wire, list) and wire[0] == "set" and isinstance(wire[1], list):
        return wire[1][0] if len(wire[1]) == 1 else wire
    return wire


@pytest.mark.parametrize("column", _types(), ids=repr)
@given(data=st.data())
def test_a_value_comes_back_as_it_went(column: ColumnType, data: st.DataObject) -> None:
    datum = data.draw(_data(column))
    for wire in (encode(datum, column), _as_servers_word_it(encode(datum, column))):
        (row,) = decode_rows([{"column": wire}], {"column": column})
        assert row["column"] == datum
        assert json.loads(json.dumps(wire)) == wire


@pytest.mark.parametrize("column", _types(), ids=repr)
@given(data=st.data())
def test_tags_tell_as_much_as_the_schema_does(column: ColumnType, data: st.DataObject) -> None:
    datum = data.draw(_data(column))
    tagged = decode_tagged(_as_servers_word_it(encode(datum, column)))
    if datum is None:
        assert tagged == ()
    elif isinstance(datum, tuple) and len(datum) == 1:
        assert tagged == datum[0]
    else:
        assert tagged == datum


def test_the_schemas_hold_every_shape() -> None:
    types = _types()
    assert any(one.value == "string" for one in types)
    assert any(one.value == "integer" for one in types)
    assert any(one.many and one.key == "uuid" for one in types)
    assert any(one.optional and one.key == "uuid" for one in types)
    assert any(one.optional and one.key == "string" for one in types)


@pytest.mark.parametrize(
    "raw",
    [None, [], "schema", {}, {"tables": []}, {"tables": {"T": 1}}, {"tables": {"T": {}}}]
    + [{"tables": {"T": {"columns": {"c": wrong}}}} for wrong in (None, 1, {}, {"type": 5})],
    ids=json.dumps,
)
def test_what_is_no_schema_is_refused(raw: Json) -> None:
    with pytest.raises(ValueError, match="not a"):
        read_schema(raw)


_ANYTHING: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["set", "map", "uuid", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["column", "x"]), inner, max_size=2)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize("column", _types(), ids=repr)
@given(raw=_ANYTHING)
def test_rows_that_are_none_raise_one_error_only(column: ColumnType, raw: Json) -> None:
    answers: list[Json] = [raw, [raw], [{"column": raw}]]
    for rows in answers:
        try:
            decode_rows(rows, {"column": column})
        except ValueError:
            continue
