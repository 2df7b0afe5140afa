"""Every case, with the stand-in in this process, or with the program that is named: README.md."""

from __future__ import annotations

import pytest

from tests.conformance.case import Case, go_through
from tests.conformance.in_process import InProcessWorld
from tests.conformance.program import named_here
from tests.conformance.rows import ROWS
from tests.conformance.table import CASES
from tests.conformance.world import World


def _parameters() -> list[object]:
    """Each case and generation; with a named program, those that it can be put to."""
    named = named_here()
    return [
        pytest.param(
            case,
            generation,
            id=f"{generation}-{case.slug}",
            marks=pytest.mark.xdist_group(f"conformance-{generation}"),
        )
        for generation in (("new", "old") if named is None else (named.generation,))
        for case in CASES
        if generation in case.generations() and not (named and case.stand_in_only)
    ]


@pytest.mark.real
@pytest.mark.parametrize(("case", "generation"), _parameters())
def test_the_controller_does_what_the_row_says(world: World, case: Case, generation: str) -> None:
    if isinstance(world, InProcessWorld):
        world.begin_as(generation)
    else:
        world.begin_anew()
    go_through(case, world, generation)


def test_every_row_has_a_case_and_every_case_a_row() -> None:
    assert {case.row for case in CASES} == ROWS.keys()
    slugs = [case.slug for case in CASES]
    assert len(slugs) == len({*slugs})


def test_every_case_expects_something_of_each_of_its_generations() -> None:
    assert all(case.expectations(each) for case in CASES for each in case.generations())
