"""States in which the ConfigMaps say what the file says: nothing to alter, all evidence there.

The file is the one that declares the state's own ConfigMaps. One kind of evidence is left out, as
no recording can show it: `supplied.NOT_JUDGED`.
"""

from __future__ import annotations

import pytest

from icplan.core.change import Action
from icplan.run.verify import verify
from tests.recorded_states import supplied
from tests.recorded_states.edits import NOT_DECLARABLE
from tests.recorded_states.files import NotDeclarable, declaring
from tests.recorded_states.planned import codes, differing, missing_now, plan
from tests.recorded_states.recording import EVERY_STEP, NEW, OLD, STEPS, ZONES, Step, around
from tests.recorded_states.snapshots import Marks

TO_ALTER: dict[tuple[str, int], dict[str, set[str]]] = {
    # Nobody has made the switch yet.
    **{(one, 0): {"ic/transit-switch/ts": {"create"}} for one in (OLD, NEW)},
    # Switched off, and declared absent: the ConfigMap itself is to go, too.
    (NEW, 15): {"az1/ic-config": {"delete"}},
    (OLD, 15): {"az1/ic-config": {"delete"}, "az1/learned-routes": {"delete"}},
    # It has left, and an older controller has left behind what it had learned.
    (OLD, 19): {"az1/learned-routes": {"delete"}},
    # Both zones drew the same address, and the cure of that.
    (OLD, 11): {"az2/transit-addresses": {"shared"}},
    # The cure of what a newer controller never forgets.
    (NEW, 22): {"az1/denylist": {"stale-entries"}},
    (NEW, 26): {"az2/denylist": {"stale-entries"}},
    (NEW, 29): {"az1/denylist": {"stale-entries"}},
}
"""What a plan alters although the ConfigMaps are as declared."""

SAME_ADDRESS = "have the same address on ts: 169.254.100.47"
STANDSTILL = {
    "ovn-ic of az1 has made the switch ts": "az1 has no switch for the transit switch ts",
    "gateway az1-gw1 of az1 is offered to the other zones": "az1-gw1 is no gateway of az1",
    "az1 has its port on ts": "az1 has no port on ts",
    "the gateways of az1 on ts are in order": "az1 has no port on ts",
    "the port of az1 on ts is published": "az1 has no port on ts",
    "az2 has learned the subnets of az1": "az1 has no port on ts",
}
NO_REASON = "{} denies nothing without a reason"
NOT_SERVED: dict[tuple[str, int], dict[str, str]] = {
    # Both zones drew the same address.
    (OLD, 11): {
        "nobody else has the address of az1 on ts": f"az1 and az2 {SAME_ADDRESS}",
        "nobody else has the address of az2 on ts": f"az2 and az1 {SAME_ADDRESS}",
    },
    # The controller is at a standstill; an older one has left its learned routes.
    (OLD, 38): STANDSTILL,
    (NEW, 38): STANDSTILL
    | {"az1 has learned the subnets of az2": "az1 has not learned 10.17.0.0/16 of az2 on ts"},
    # Denied, and by whom nobody has said: silently, but for a line in the controller's log.
    (NEW, 22): {NO_REASON.format("az1"): "10.199.0.0/16, which nothing withholds any more"},
    (NEW, 25): {
        NO_REASON.format("az2"): "az2 denies 10.17.0.0/16, 10.17.5.0/24 because of an overlap with "
        "10.17.5.0/24 of az1"
    },
    (NEW, 26): {
        NO_REASON.format("az2"): "10.17.0.0/16, 10.17.5.0/24, which nothing withholds any more"
    },
    (NEW, 28): {
        NO_REASON.format("az1"): "10.50.0.0/16 because of an overlap with 10.50.0.0/16 of az2"
    },
    (NEW, 29): {NO_REASON.format("az1"): "10.50.0.0/16, which nothing withholds any more"},
}
"""The claims that verify finds missing, each with a part of its reason: apply waits for them."""

RESIDUE = {
    "az1 holds no learned route any more": "router ovn-cluster still has what it learned: "
    "10.17.0.0/16 via 169.254.100."
}
LEFT_BEHIND: dict[tuple[str, int], dict[str, str]] = {(OLD, 15): RESIDUE, (OLD, 19): RESIDUE}
"""Likewise; a change of its own takes that away."""

RULES: dict[int, set[str]] = {
    5: {"IC068"},
    7: {"IC036"},
    21: {"IC046"},
    25: {"IC059"},
    28: {"IC018"},
    **{number: {"IC036"} for number in (34, 35, 36, 38, 39)},
}
"""What the rules say, but that a zone has only one gateway; of newer ones that deny, IC037, too."""

DECLARABLE = [step for step in EVERY_STEP if step.number not in NOT_DECLARABLE]
declarable_step = pytest.mark.parametrize("step", DECLARABLE, ids=lambda step: step.name)


def key(step: Step) -> tuple[str, int]:
    return step.controller, step.number


@declarable_step
def test_nothing_is_altered(step: Step) -> None:
    assert differing(plan(step, declaring(step))) == TO_ALTER.get(key(step), {})


@declarable_step
def test_what_nobody_has_marked_yet_is_adopted_as_it_is(step: Step) -> None:
    made = plan(step, declaring(step), Marks())
    adopted = {str(one.address): one for one in made.changes if one.action is Action.ADOPT}
    there = {
        f"ic/transit-switch/{row['name']}" for row in step.state["icNorthbound"]["Transit_Switch"]
    }
    for zone in ZONES:
        config = step.config(zone)
        if config is not None and config["enable-ic"] == "true":
            there.add(f"{config['az-name']}/ic-config")
    assert {*adopted} == there
    assert not any(one.differing for one in adopted.values())
    altered = {str(one.address) for one in made.changes} - {*adopted}
    assert altered == TO_ALTER.get(key(step), {}).keys()
    assert not any(made.consequences.effects[one.address] for one in adopted.values())


@declarable_step
def test_all_evidence_is_there(step: Step) -> None:
    found = missing_now(plan(step, declaring(step)))
    wanted = NOT_SERVED.get(key(step), {}) | LEFT_BEHIND.get(key(step), {})
    assert found.keys() == wanted.keys()
    for claim, part in wanted.items():
        assert part in found[claim].why, claim


@declarable_step
def test_what_the_rules_say(step: Step) -> None:
    cured = {"IC037"} if "denylist" in str(TO_ALTER.get(key(step))) else set()
    assert codes(plan(step, declaring(step))) - {"IC021"} == RULES.get(step.number, set()) | cured


@pytest.mark.parametrize("number", NOT_DECLARABLE)
@pytest.mark.parametrize("controller", [OLD, NEW])
def test_what_no_file_can_declare(controller: str, number: int) -> None:
    before, after = around(controller, number)
    with pytest.raises(NotDeclarable, match=NOT_DECLARABLE[number]):
        declaring(after, before)


def test_what_is_not_judged_is_looked_at_by_verify() -> None:
    step = STEPS[NEW][1]
    claims = {check.claim for check, _ in verify(plan(step, declaring(step))).missing}
    assert claims == {f"{start}{zone} on ts" for start in supplied.NOT_JUDGED for zone in ZONES}
