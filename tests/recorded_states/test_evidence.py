"""What apply would wait for is there once the real controller has reacted, and not before.

The evidence is that of the plan for an edit; it is looked for in the state that the controller
left after the edit, and in the state before it with the edit alone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from icplan.core.address import Address
from icplan.kinds.common.contract import Held, Missing
from icplan.ovn.facts import Facts
from tests.recorded_states import happened
from tests.recorded_states.edits import ASKED, name
from tests.recorded_states.files import declaring
from tests.recorded_states.planned import facts, missing_in, plan, plan_for
from tests.recorded_states.recording import NEW, OLD, STEPS, Pair, around
from tests.recorded_states.test_as_declared import LEFT_BEHIND, NOT_SERVED

asked_pair = pytest.mark.parametrize("pair", ASKED, ids=name)


@asked_pair
def test_the_evidence_is_there_once_the_controller_has_reacted(pair: Pair) -> None:
    before, after = pair
    made = plan_for(before, after)
    found = missing_in(made, facts(after, declaring(after, before)))
    # The same address in both zones, and the standstill: apply would stop there, and rightly. What
    # an older one leaves behind is gone once a change of its own has taken it away.
    step = (after.controller, after.number)
    assert found.keys() == {*NOT_SERVED.get(step, {}), *LEFT_BEHIND.get(step, {})}


@asked_pair
def test_the_evidence_is_not_there_before_it_has(pair: Pair) -> None:
    before, after = pair
    made = plan_for(before, after)
    assert made.changes
    assert missing_in(made, facts(before.written(after), declaring(after, before)))


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_the_evidence_looks_at_more_than_the_zone_that_is_written(controller: str) -> None:
    before, after = around(controller, 20)
    made = plan_for(before, after)
    joined = facts(after, declaring(after, before))
    alone = facts(before.written(after), declaring(after, before))
    # As if az1 had done all of its own, and az2 had not learned of it yet.
    found = missing_in(made, _mixed(joined, alone))
    assert [*found] == ["az2 has learned the subnets of az1"]


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_a_route_by_hand_is_looked_at_until_it_leads_to_somebody(controller: str) -> None:
    before, after = around(controller, 34)
    made = plan(before, declaring(before))
    (check,) = (one for one in made.checks if one.claim.startswith("every route by hand of az1"))
    assert check.operator
    assert check.address == Address("az1", "ic-config")
    # Whoever rewrites it can do so as soon as az2 has its new address.
    assert {one.site for one in check.needs} == {"az1", "az2", "ic"}
    assert check.holds(facts(before, declaring(before))) == Held()
    # Recorded: az2 was rebuilt, and drew another address.
    verdict = check.holds(facts(after, declaring(before)))
    (former,) = happened.addresses(before, "az2")
    assert isinstance(verdict, Missing)
    assert f"10.17.0.0/16 over {former}" in verdict.why
    assert f"lr-route-del ovn-cluster 10.17.0.0/16 {former}" in verdict.cure


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_without_routes_by_hand_nobody_looks_at_them(controller: str) -> None:
    for number in (31, 35):
        step = STEPS[controller][number]
        claims = [one.claim for one in plan(step, declaring(step)).checks]
        assert not [one for one in claims if "by hand" in one]


def _mixed(joined: Facts, alone: Facts) -> Facts:
    north = {**joined.northbound, "az2": alone.northbound["az2"]}
    return replace(joined, northbound=north)
