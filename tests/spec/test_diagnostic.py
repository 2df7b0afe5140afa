from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icplan.core.origin import Origin
from icplan.errors import Exit, IcplanError
from icplan.spec.diagnostic import WIDTH, Diagnostic, FileError, escape, excerpt, quoted, report


def at(line: int, column: int, end_line: int, end_column: int) -> Origin:
    return Origin("f", line, column, end_line, end_column)


def test_the_offending_text_is_underlined() -> None:
    assert excerpt(["a: 1", "b: wrong"], at(2, 4, 2, 9)) == "b: wrong\n   ^^^^^"


def test_a_span_without_width_gets_one_mark() -> None:
    assert excerpt(["ab"], at(1, 2, 1, 2)) == "ab\n ^"
    assert excerpt(["ab"], at(1, 3, 1, 3)) == "ab\n  ^"


def test_a_span_over_several_lines_is_underlined_on_the_first() -> None:
    assert excerpt(["- a: 1  ", "  b: 2"], at(1, 3, 2, 7)) == "- a: 1\n  ^^^^"


def test_tabs_and_control_characters_do_not_move_the_marks() -> None:
    assert excerpt(["a:\tb"], at(1, 4, 1, 5)) == "a:    b\n      ^"
    assert excerpt(["\x1b[31m: b"], at(1, 8, 1, 9)) == "\\x1b[31m: b\n          ^"


def test_wide_and_combining_characters_take_the_columns_they_take() -> None:
    assert excerpt(["区域: b"], at(1, 5, 1, 6)) == "区域: b\n      ^"
    assert excerpt(["e\u0301: b"], at(1, 5, 1, 6)) == "e\u0301: b\n   ^"


def test_text_direction_cannot_be_turned() -> None:
    assert excerpt(["a: \u202eb"], at(1, 4, 1, 6)) == "a: \\u202eb\n   ^^^^^^^"


def test_a_line_as_wide_as_allowed_is_shown_whole_and_a_wider_one_is_cut() -> None:
    line = "x" * WIDTH
    assert excerpt([line], at(1, 100, 1, 101)).splitlines()[0] == line
    shown, marks = excerpt([line + "y"], at(1, 100, 1, 101)).splitlines()
    assert shown.startswith("…")
    assert len(shown) <= WIDTH + 2
    assert marks.index("^") < len(shown)


def test_a_place_that_has_no_line_has_no_picture() -> None:
    assert excerpt([], at(1, 1, 1, 2)) == ""
    assert excerpt(["a"], at(2, 1, 2, 2)) == ""
    assert excerpt([""], at(1, 1, 1, 1)) == ""


@given(
    line=st.text(max_size=400),
    start=st.integers(1, 410),
    width=st.integers(0, 410),
)
def test_a_picture_is_two_narrow_printable_lines(line: str, start: int, width: int) -> None:
    line = line.replace("\n", " ").replace("\r", " ")
    picture = excerpt([line], at(1, start, 1, start + width))
    if not line:
        assert picture == ""
        return
    shown, marks = picture.split("\n")
    assert shown.isprintable()
    assert set(marks) <= {" ", "^"}
    assert "^" in marks
    # One escape may straddle the edge.
    assert len(marks) <= WIDTH + 12


@given(st.text())
def test_escaped_text_is_printable(text: str) -> None:
    assert escape(text).isprintable()
    assert quoted(text).isprintable()


def test_long_values_are_not_repeated_in_full() -> None:
    assert len(quoted("x" * 10_000)) < 70


def test_a_file_error_sorts_and_is_an_error_of_icplan() -> None:
    first = Diagnostic("IC121", at(1, 1, 1, 2), "first", "Do this.")
    second = Diagnostic("IC101", at(2, 1, 2, 2), "second", "Do that.")
    error = FileError("f", [second, first, second], ["a", "b"])
    assert error.diagnostics == (first, second)
    assert isinstance(error, IcplanError)
    assert error.exit is Exit.FAILED
    assert "2 problems" in str(error)
    assert report(error) == (
        "f:1:1: IC121 first\n    a\n    ^\n  Do this.\n"
        "\nf:2:1: IC101 second\n    b\n    ^\n  Do that.\n"
    )


def test_the_name_of_the_file_cannot_write_to_the_terminal() -> None:
    error = FileError("\x1b[2J", [Diagnostic("IC1", Origin("\x1b", 1, 1, 1, 1), "m", "c")])
    assert "\x1b" not in str(error) + report(error)


def test_a_file_error_has_problems() -> None:
    with pytest.raises(IndexError):
        FileError("f", [])
