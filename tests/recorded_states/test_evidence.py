"""What apply would wait for is there once the real controller has reacted, and not before.

The evidence is that of the plan for an edit; it is looked for in the state that the controller
left after the edit, and in the state before it with the edit alone.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from icplan.ovn.facts import Facts
from tests.recorded_states.edits import ASKED, name
from tests.recorded_states.files import declaring
from tests.recorded_states.planned import facts, missing_in, plan_for
from tests.recorded_states.recording import NEW, OLD, Pair, around
from tests.recorded_states.test_as_declared import NOT_SERVED

asked_pair = pytest.mark.parametrize("pair", ASKED, ids=name)


@asked_pair
def test_the_evidence_is_there_once_the_controller_has_reacted(pair: Pair) -> None:
    before, after = pair
    made = plan_for(before, after)
    found = missing_in(made, facts(after, declaring(after, before)))
    # The same address in both zones, and the standstill: apply would stop there, and rightly.
    assert found.keys() == NOT_SERVED.get((after.controller, after.number), {}).keys()


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


def _mixed(joined: Facts, alone: Facts) -> Facts:
    north = {**joined.northbound, "az2": alone.northbound["az2"]}
    return replace(joined, northbound=north)
