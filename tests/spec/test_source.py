from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from icplan.core.origin import Origin
from icplan.spec.codes import Code
from icplan.spec.diagnostic import FileError, report
from icplan.spec.source import Document, Plain, parse


def document(text: str) -> Document:
    return parse(text.encode(), "f")


def codes(text: str) -> list[str]:
    with pytest.raises(FileError) as caught:
        document(text)
    return [str(one.code) for one in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("nULL", "nULL"),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("Off", "Off"),
        ("y", "y"),
        ("0", 0),
        ("-12", -12),
        ("+12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("1:30", "1:30"),
        ("1.5", 1.5),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
        ("1e999", math.inf),
        ("2027-01-31", "2027-01-31"),
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("fd00::1", "fd00::1"),
        ("'010'", "010"),
        ('"true"', "true"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "\N{ARABIC-INDIC DIGIT ONE}"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: Plain) -> None:
    assert document(f"a: {text}\n").data == {"a": value}


def test_not_a_number_is_a_number() -> None:
    data = document("a: .nan").data
    assert isinstance(data, dict)
    assert isinstance(data["a"], float)
    assert math.isnan(data["a"])


@pytest.mark.parametrize("text", ["010", "-007", "00", "08", "01.5", "1" * 21, "0x" + "f" * 5000])
def test_numbers_that_readers_understand_differently(text: str) -> None:
    assert codes(f"a: {text}\n") == [Code.AMBIGUOUS_NUMBER]


def test_keys_are_text_whatever_they_look_like() -> None:
    assert document("on: 1\n1: 2\nnull: 3\ntrue: 4\n010: 5\n").data == {
        "on": 1,
        "1": 2,
        "null": 3,
        "true": 4,
        "010": 5,
    }


def test_duplicates_are_found_however_they_are_spelled() -> None:
    assert codes("a: 1\n'a': 2\n\"\\x61\": 3\n") == [Code.DUPLICATE_KEY] * 2


def test_problems_below_a_key_that_is_dropped_are_still_found() -> None:
    assert codes("a: 1\na: {b: 1, b: [*x, 010]}\n") == [
        Code.DUPLICATE_KEY,
        Code.DUPLICATE_KEY,
        Code.ANCHOR,
        Code.AMBIGUOUS_NUMBER,
    ]


def test_problems_before_a_syntax_error_are_reported_with_it() -> None:
    assert codes("a: 1\na: 2\nb: [\n") == [Code.DUPLICATE_KEY, Code.SYNTAX]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_count_the_same_whatever_ends_them(end: str) -> None:
    found = document(end.join(["a:", "  - x", "  - yy", ""]))
    assert found.origin(("a", 1)) == Origin("f", 3, 5, 3, 7)
    assert found.lines[2] == "  - yy"


def test_a_line_separator_inside_a_text_does_not_count_as_a_line() -> None:
    assert document("a: 'x\u2028y\x85z'\nb: 1\n").origin(("b",)).line == 2


def test_columns_count_characters_and_not_bytes() -> None:
    assert document("ä: {ö: ü}").origin(("ä", "ö")) == Origin("f", 1, 8, 1, 9)


def test_a_block_ends_where_its_last_value_ends() -> None:
    found = document("a:\n  b: 1   # comment\n\n\nc: |\n  text\n\nd: 1\n")
    assert found.origin(("a",)) == Origin("f", 2, 3, 2, 7)
    assert found.origin(("c",)) == Origin("f", 5, 4, 6, 7)


def test_a_value_of_no_width_is_at_its_key() -> None:
    assert document("a:\nb: 1\n").origin(("a",)) == Origin("f", 1, 1, 1, 2)


def test_one_document_may_be_marked_as_one() -> None:
    assert document("# comment\n---\na: 1\n...\n").data == {"a": 1}


@given(st.binary(max_size=200))
@example(b"\xff")
@example(b"a: \xc3")
@example(b"\xfe\xffa")
@example(b"%YAML 2.0\n---\na: 1")
@example(b"%YAML\n")
@example(b"a: !<")
@example(b'"\\x')
@example(b"? ? ? ?")
@example(b"*a : b")
@example(b"&a : b")
@example(b"&a &b c")
@example(b"- !!map\n- ! x\n")
@example(b"{? a, ? [b] : c}")
@example(b"a: '\xef\xbb\xbf'")
def test_any_bytes_are_data_or_a_file_error(data: bytes) -> None:
    read_or_reported(data)


@given(st.text(alphabet="ab:-?[]{}&*!|>%@#'\"\\ \n\t,.0~<=\ufeff\x85\u2028\U0001f600", max_size=80))
def test_any_text_is_data_or_a_file_error(text: str) -> None:
    found = read_or_reported(text.encode())
    if found is not None:
        check_places(found, found.data, ())


def read_or_reported(data: bytes) -> Document | None:
    try:
        return parse(data, "f")
    except FileError as error:
        shown = report(error)
    assert shown
    return None


def check_places(found: Document, data: Plain, path: tuple[str | int, ...]) -> None:
    """Every value has a place, inside its parent's, that is inside the text."""
    assert found.has(path)
    here, parent = found.origin(path), found.origin(path[:-1])
    assert (here.line, here.column) <= (here.end_line, here.end_column)
    assert here.end_line <= len(found.lines)
    assert (parent.line, parent.column) <= (here.line, here.column)
    assert (here.end_line, here.end_column) <= (parent.end_line, parent.end_column)
    if isinstance(data, dict):
        for key, value in data.items():
            check_places(found, value, (*path, key))
    if isinstance(data, list):
        for index, value in enumerate(data):
            check_places(found, value, (*path, index))
