"""The road to a named program, gone with the stand-in's own program on a real API server."""

from __future__ import annotations

import pytest

from icplan.errors import UsageError
from tests.conformance.case import go_through
from tests.conformance.conftest import program_world
from tests.conformance.program import (
    CONTROLLER,
    GENERATION,
    NamedController,
    standin_as_named,
)
from tests.conformance.table import CASES

# Together: objects of each kind, a restart, a rebuild, and something that must not happen.
CHOSEN = (
    "2.labels-the-configmap-gets-a-label-and-an-annotation",
    "3.01-a-gateway-is-replaced-around-a-restart",
    "3.02-an-unknown-key-added",
    "4.02-a-subnet-is-withheld",
    "7.02-origin-static-makes-the-policy",
)


@pytest.mark.real
@pytest.mark.xdist_group("kubernetes")
def test_a_named_program_is_put_to_cases() -> None:
    """One test, as starting the clusters takes longer than all the cases."""
    named = NamedController.from_environment(standin_as_named("old"))
    assert named is not None
    chosen = [case for case in CASES if case.slug in CHOSEN]
    assert len(chosen) == len(CHOSEN)
    with program_world(named) as world:
        for case in chosen:
            world.begin_anew()
            go_through(case, world, named.generation)


def test_no_program_can_be_put_to_chosen_addresses() -> None:
    assert all(not each.stand_in_only for each in CASES if each.slug in CHOSEN)


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({CONTROLLER: "controller --kubeconfig={kubeconfig}"}, GENERATION),
        ({CONTROLLER: "controller", GENERATION: "new"}, "kubeconfig"),
    ],
)
def test_a_program_that_is_named_by_halves_is_refused(
    environment: dict[str, str], word: str
) -> None:
    with pytest.raises(UsageError, match=word):
        NamedController.from_environment(environment)


def test_no_program_is_named_without_the_variable() -> None:
    assert NamedController.from_environment({GENERATION: "new"}) is None
