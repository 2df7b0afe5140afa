"""Reading stays close to what the bare protocol takes, and plans close to what there is to plan.

Ratios within one run only: times of a machine that others use, too, say nothing.
"""

from __future__ import annotations

import pytest

from bench.plan_scale import Size, plan, seconds
from bench.read_northbound import measure
from bench.rules_scale import Size as World
from bench.rules_scale import seconds as of_rules
from bench.rules_scale import seconds_of_states


@pytest.mark.real
def test_reading_takes_little_more_than_the_bare_protocol() -> None:
    measured = measure(routes=4_000, rounds=7)
    # 0.8 and 1.2 are usual: icplan asks for fewer columns, and decodes them.
    assert measured.ratio < 3
    assert measured.icplan / measured.columns < 4


@pytest.mark.parametrize("standing", [False, True])
def test_a_plan_is_not_quadratic_in_subnets(standing: bool) -> None:
    few = seconds(Size(3, 100), standing=standing)
    many = seconds(Size(3, 1_000), standing=standing)
    assert many / few < 50, "ten times the subnets took more than fifty times as long"


@pytest.mark.parametrize("alike", [False, True], ids=["apart", "alike"])
def test_rules_are_not_quadratic_in_zones(alike: bool) -> None:
    few = of_rules(World(30, 50), alike=alike)
    many = of_rules(World(300, 50), alike=alike)
    # 10 to 13 are usual, a rule that compares each zone with each other one makes it 100.
    assert many / few < 50, "ten times the zones took more than fifty times as long"


def test_the_states_of_clusters_that_stand_are_not_cubic_in_zones() -> None:
    few = seconds_of_states(World(30, 5))
    many = seconds_of_states(World(240, 5))
    # 8 is usual; one kind that went through all zones for each pair of them made it 430.
    assert many / few < 80, "eight times the zones took more than eighty times as long"


def test_a_made_up_world_that_stands_needs_no_change() -> None:
    assert plan(Size(3, 2), standing=True).changes == ()
    assert len(plan(Size(3, 2), standing=False).changes) == 10
