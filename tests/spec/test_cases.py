"""Every folder below cases/ is a file and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.spec.codes import Code
from icplan.spec.diagnostic import FileError, report
from icplan.spec.load import load, read
from icplan.spec.source import LARGEST, MOST_NODES, parse

CASES = sorted((Path(__file__).parent / "cases").iterdir())
# Too large to be kept as files: see the two tests that make them.
MADE_HERE = {Code.TOO_LARGE, Code.TOO_MANY_NODES}
START = b"apiVersion: icplan/v1\n"


def problems(data: bytes) -> FileError:
    with pytest.raises(FileError) as caught:
        read(data, "interconnect.yaml")
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_diagnostics_are_as_reviewed(case: Path) -> None:
    error = problems((case / "interconnect.yaml").read_bytes())
    assert report(error) == (case / "diagnostics.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_parse_and_load_find_nothing_that_read_does_not(case: Path) -> None:
    data = (case / "interconnect.yaml").read_bytes()
    with pytest.raises(FileError) as caught:
        load(parse(data, "interconnect.yaml"))
    assert set(caught.value.diagnostics) <= set(problems(data).diagnostics)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_diagnostics_are_sorted_complete_and_on_one_line(case: Path) -> None:
    error = problems((case / "interconnect.yaml").read_bytes())
    places = [(one.origin, one.code) for one in error.diagnostics]
    assert places == sorted(places)
    assert len(set(error.diagnostics)) == len(error.diagnostics)
    for one in error.diagnostics:
        assert one.message
        assert one.cure.endswith((".", "`"))
        assert "\n" not in one.message + one.cure
        assert all(character.isprintable() for character in one.message + one.cure)


def test_every_code_has_a_case() -> None:
    seen = {
        line.split()[1]
        for case in CASES
        for line in (case / "diagnostics.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith("interconnect.yaml:")
    }
    assert seen == set(Code) - MADE_HERE


def test_codes_are_above_the_planning_rules_and_explained() -> None:
    assert [str(code) for code in Code] == sorted(code.value for code in Code)
    for code in Code:
        assert "IC101" <= code.value <= "IC199"
        assert code.headline[0].islower() or code.headline.startswith("YAML")
        assert code.explanation.endswith(".")


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    full = START + b"#" * (LARGEST - len(START))
    assert Code.TOO_LARGE not in {one.code for one in problems(full).diagnostics}
    error = problems(full + b"#")
    assert [one.code for one in error.diagnostics] == [Code.TOO_LARGE]
    assert "4,194,305 bytes" in error.diagnostics[0].message


def test_as_many_nodes_as_allowed_are_read_and_one_more_is_not() -> None:
    # The mapping, two keys, one value, the list: five nodes besides the elements.
    elements = b"[" + b"0," * (MOST_NODES - 5) + b"]"
    within = problems(START + b"routes: " + elements)
    assert Code.TOO_MANY_NODES not in {one.code for one in within.diagnostics}
    beyond = problems(START + b"routes: [0," + elements[1:])
    assert [one.code for one in beyond.diagnostics] == [Code.TOO_MANY_NODES]


@pytest.mark.parametrize("depth", [63, 64, 500, 20_000])
@pytest.mark.parametrize("brackets", [b"[]", b"{}"])
def test_depth_is_limited_and_never_exhausts_the_stack(depth: int, brackets: bytes) -> None:
    opening = b"[" if brackets == b"[]" else b"{a: "
    text = b"x: " + opening * depth + brackets[1:] * depth
    codes = {one.code for one in problems(text).diagnostics}
    # The mapping at the top is the first level.
    assert (Code.TOO_DEEP in codes) == (depth > 63)


def test_an_alias_bomb_is_never_expanded() -> None:
    rows = ["a0: &a0 [x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 60)]
    codes = {one.code for one in problems("\n".join(rows).encode()).diagnostics}
    assert Code.ANCHOR in codes


def test_control_characters_are_counted_out_and_not_listed_for_ever() -> None:
    error = problems(b"a: 1\n" + b"\x01\n" * 5000)
    assert len(error.diagnostics) == 21
    assert "more such characters" in error.diagnostics[-1].message
