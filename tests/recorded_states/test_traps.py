"""The traps that the recordings went into: what icplan says of each of them."""

from __future__ import annotations

import pytest

from icplan.core.change import Action, Impact
from icplan.core.value import Known
from icplan.planning.plan import Plan
from tests.recorded_states import happened
from tests.recorded_states.files import FIRST, declaring
from tests.recorded_states.planned import (
    OURS,
    announced,
    codes,
    differing,
    facts,
    missing_in,
    missing_now,
    plan,
    plan_for,
)
from tests.recorded_states.recording import CONTROLLERS, NEW, OLD, STEPS, Step, around
from tests.recorded_states.snapshots import Marks

both = pytest.mark.parametrize("controller", CONTROLLERS)
SUBNET = "az1/subnet/no-advertise"
HIDDEN = "10.199.0.0/16"
WITHHOLD = ("withhold: [no-advertise]",)
OUR_SUBNET = Marks(OURS.owner, subnets=("no-advertise",))


def advertised(step: Step, prefix: str) -> bool:
    return any(row["ip_prefix"] == prefix for row in step.state["icSouthbound"]["Route"])


def waived(step: Step, rule: str, zone: str) -> Plan:
    """The plan for a state as it is declared, with a finding accepted."""
    waiver = f"accept:\n  - {{rule: {rule}, at: {zone}, reason: a test}}\n"
    return plan(step, declaring(step) + waiver)


# A key that no controller knows (step 7)


@both
def test_an_unknown_key_is_taken_out_unless_it_is_accepted(controller: str) -> None:
    before, after = around(controller, 8)
    made = plan_for(before, after)
    assert differing(made) == {"az1/ic-config": {"other-keys"}}
    assert "IC036" in codes(made) - codes(made, refusing=True)
    kept = plan(before, declaring(before))
    assert differing(kept) == {}
    (verdict,) = (one for one in kept.verdicts if one.code == "IC036")
    assert verdict.waived == "as recorded"
    assert verdict.message.endswith("and stays there")


# Withheld Subnets and sticky denials (steps 21 to 24)


@both
def test_a_subnet_that_others_withhold_is_shown_and_left_alone(controller: str) -> None:
    made = plan(STEPS[controller][21], declaring(STEPS[controller][21]))
    assert differing(made) == {}
    (verdict,) = (one for one in made.verdicts if one.code == "IC046")
    assert f"Subnet no-advertise of az1 ({HIDDEN}) is withheld" in verdict.message


@both
def test_a_subnet_that_is_withheld_as_declared_is_adopted(controller: str) -> None:
    step = STEPS[controller][21]
    assert not advertised(step, "10.199.0.1/16")
    made = plan(step, declaring(step, more=WITHHOLD))
    assert [(str(one.address), one.action) for one in made.changes] == [(SUBNET, Action.ADOPT)]
    assert differing(made) == {}
    assert "IC046" not in codes(made)
    kept = plan(step, declaring(step, more=WITHHOLD), OUR_SUBNET)
    assert not kept.changes
    assert missing_now(kept) == {}


@both
def test_a_withheld_subnet_that_somebody_gives_back_is_drift(controller: str) -> None:
    step = STEPS[controller][22]
    made = plan(step, declaring(step, more=WITHHOLD), OUR_SUBNET)
    assert differing(made) == {SUBNET: {"disableInterConnection"}}
    said, shown = announced(made)["az1"], advertised(step, "10.199.0.1/16")
    # A newer controller goes on denying it: nobody loses what nobody has.
    assert shown == (controller == OLD)
    assert (said.impact is Impact.OUTAGE) == shown
    assert said.says(f"the other zones lose {HIDDEN}") == shown
    claim = "no-advertise of az1 is not advertised"
    assert (claim in missing_now(made)) == shown


@both
def test_giving_a_subnet_back_takes_the_cure_along(controller: str) -> None:
    step = STEPS[controller][21]
    made = plan(step, declaring(step), OUR_SUBNET)
    cured = {"az1/denylist": {"stale-entries"}} if controller == NEW else {}
    assert differing(made) == {SUBNET: {"disableInterConnection", "owner"}} | cured
    # Recorded: without the cure a newer controller keeps it to itself, an older one does not.
    assert advertised(STEPS[controller][22], "10.199.0.1/16") == (not cured)
    assert advertised(STEPS[controller][23], "10.199.0.1/16")


@pytest.mark.parametrize(("number", "zone"), [(22, "az1"), (26, "az2"), (29, "az1")])
def test_a_sticky_denial_is_cured_or_accepted(number: int, zone: str) -> None:
    step = STEPS[NEW][number]
    made = plan(step, declaring(step))
    assert differing(made) == {f"{zone}/denylist": {"stale-entries"}}
    assert "IC037" in codes(made) - codes(made, refusing=True)
    kept = waived(step, "IC037", zone)
    assert differing(kept) == {}
    assert missing_now(kept) == {}
    (verdict,) = (one for one in kept.verdicts if one.code == "IC037")
    assert verdict.message.endswith(f"stays denied until {zone} is switched off and on again")


def test_an_older_controller_forgets_what_it_denied() -> None:
    for number in (22, 26, 29):
        made = plan(STEPS[OLD][number], declaring(STEPS[OLD][number]))
        assert "IC037" not in codes(made)
        assert not made.changes


# Routes by hand where a zone advertises, or is to advertise again (steps 25 and 32 to 34)


@both
@pytest.mark.parametrize(
    ("number", "prefix", "owner"),
    [
        (25, "10.17.5.0/24", "az2"),
        (32, "10.17.0.0/16", "az2"),
        # az2 was rebuilt since: the address is nobody's, and the route no less advertised.
        (34, "10.17.0.0/16", ""),
    ],
)
def test_a_route_by_hand_in_a_zone_that_advertises_is_refused_whatever_is_accepted(
    controller: str, number: int, prefix: str, owner: str
) -> None:
    step = STEPS[controller][number]
    (hop,) = {
        one["nexthop"]
        for one in step.rows("az1", "Logical_Router_Static_Route")
        if one["ip_prefix"] == prefix
    }
    made = plan(step, FIRST)
    assert "IC059" in codes(made, refusing=True)
    assert "IC018" not in codes(made)
    (verdict,) = (one for one in made.verdicts if one.code == "IC059")
    to = f"{owner} ({hop})" if owner else f"{hop}, which no zone has now"
    assert verdict.at == "az1"
    assert verdict.message.startswith(f"{prefix} of az1 is a route by hand to {to}, and az1 adv")
    assert f"ovn-nbctl --no-leader-only lr-route-del ovn-cluster {prefix} {hop}" in verdict.cure
    assert "routePolicy: manual" in verdict.cure
    # Where nothing is advertised by itself it harms nobody.
    assert "IC059" not in codes(plan(step, declaring(STEPS[controller][32])))
    for rule in ("IC018", "IC059"):
        waiver = f"accept:\n  - {{rule: {rule}, at: az1, reason: a test}}\n"
        assert "IC059" in codes(plan(step, FIRST + waiver), refusing=True)


# Overlaps (step 28)


@both
def test_an_overlap_is_refused_and_verify_tells_who_is_cut_off(controller: str) -> None:
    step = STEPS[controller][28]
    made = plan(step, declaring(step))
    assert codes(made, refusing=True) == {"IC018"}
    # Only a newer controller denies; an older one learns both without a word.
    found = missing_now(made)
    assert bool(found) == (controller == NEW)
    assert all(one.cure.endswith("or accept IC018 at az2") for one in found.values())
    accepted = waived(step, "IC018", "az2")
    assert not accepted.refused
    assert missing_now(accepted) == {}


# Transit switches (steps 10 and 11)


@both
def test_a_switch_of_somebody_else_is_left_alone_and_waited_for_by_nobody(controller: str) -> None:
    two, one = around(controller, 11)
    made = plan(two, declaring(one), Marks(OURS.owner, strangers=("ts1",)))
    assert not made.changes
    assert missing_now(made) == {}
    assert not [check for check in made.checks if "rebuilt" in check.claim]


@both
def test_our_switch_that_is_not_declared_any_more_is_deleted(controller: str) -> None:
    made = plan_for(*around(controller, 11))
    assert differing(made) == {"ic/transit-switch/ts1": {"delete"}}
    assert [check.claim for check in made.checks if "rebuilt" in check.claim] == [
        "the controller of az1 has rebuilt its ports for ts1",
        "the controller of az2 has rebuilt its ports for ts1",
    ]


def test_with_two_switches_a_gateway_may_move_on_the_second_alone() -> None:
    step = STEPS[NEW][10]
    assert happened.active_gateways(step, "az2") == {"ts": "az2-gw1", "ts1": "az2-gw2"}
    file = declaring(step).replace("[az2-gw1, az2-gw2]", "[az2-gw1, az2-gw3]")
    said = announced(plan(step, file))["az2"]
    assert said.says("changed in place: az2-gw3 takes ts1 over from az2-gw2, a gap below 1 s")
    assert said.impact is Impact.BRIEF
    same = declaring(step).replace("[az2-gw1, az2-gw2]", "[az2-gw1, az2-gw2, az2-gw3]")
    said = announced(plan(step, same))["az2"]
    assert said.says("az2-gw1, az2-gw2 stay active")
    assert said.impact is Impact.NONE


def test_two_zones_with_the_same_address_are_told_the_cure() -> None:
    step = STEPS[OLD][11]
    assert happened.addresses(step, "az1") == happened.addresses(step, "az2")
    made = plan(step, declaring(step))
    assert differing(made) == {"az2/transit-addresses": {"shared"}}
    assert announced(made)["az2"].impact is Impact.OUTAGE
    for zone in ("az1", "az2"):
        found = missing_now(made)[f"nobody else has the address of {zone} on ts"]
        assert "icplan plan shows the cure" in found.cure


# Another name (steps 16 to 18)


@both
def test_a_zone_under_its_other_name_is_no_stranger(controller: str) -> None:
    for number in (17, 18):
        made = plan_for(*around(controller, number))
        assert "IC027" not in codes(made)
        assert len(made.consequences.disrupted) == 1
        assert made.consequences.pairs == 1


# The standstill (steps 37 to 39)


@both
def test_a_standstill_is_seen_by_verify_with_its_cure(controller: str) -> None:
    stuck, healed = around(controller, 39)
    made = plan(stuck, declaring(stuck))
    assert not made.changes
    found = missing_now(made)["az1 has its port on ts"]
    assert "rollout restart deployment/ovn-ic-controller" in found.cure
    assert missing_now(plan(healed, declaring(healed))) == {}


# What a zone leaves behind (steps 15 and 19)


@both
@pytest.mark.parametrize("number", [15, 19])
def test_what_an_older_controller_leaves_behind_is_announced(controller: str, number: int) -> None:
    before, after = around(controller, number)
    said = announced(plan_for(before, after))["az1"]
    left = bool(happened.learned(after, "az1"))
    assert left == (controller == OLD)
    assert said.says("what it has learned stays behind, and is taken away afterwards") == left
    assert not happened.ways(after, "az2")


@pytest.mark.parametrize("number", [15, 19])
def test_what_it_leaves_behind_is_seen_by_verify_and_taken_away(number: int) -> None:
    step = STEPS[OLD][number]
    made = plan(step, declaring(step))
    (found,) = missing_now(made).values()
    assert found.cure == "icplan plan lists it, icplan apply takes it away"
    routes = step.rows("az1", "Logical_Router_Static_Route")
    (route,) = (one for one in routes if "ic-learned-route" in one["external_ids"])
    (change,) = (one for one in made.changes if one.address.kind == "learned-routes")
    assert change.before == {"10.17.0.0/16": Known((route["nexthop"],))}
    last = made.waves[-1]
    assert last.changes == (change,)
    assert "az1 holds no learned route any more" in {check.claim for check in last.awaits}


def test_apply_waits_until_it_is_gone_whoever_takes_it_away() -> None:
    claim = "az1 holds no learned route any more"
    for controller, tag, ours in ((NEW, "", False), (OLD, "", True), (NEW, "latest", True)):
        made = plan_for(*around(controller, 19), tag=tag)
        assert any(one.address.kind == "learned-routes" for one in made.changes) is ours
        waves = [wave for wave in made.waves if claim in {one.claim for one in wave.awaits}]
        # Not before it may have been done.
        assert waves[0].number == (2 if ours else 1)


# Routes by hand instead (step 31)


@both
def test_a_zone_with_routes_by_hand_withdraws_what_it_advertised(controller: str) -> None:
    before, after = around(controller, 31)
    made = plan_for(before, after)
    file = declaring(after, before)
    claims = {f"no route of {zone} is advertised any more" for zone in ("az1", "az2")}
    claims |= {f"{zone} holds no learned route any more" for zone in ("az1", "az2")}
    assert claims <= missing_in(made, facts(before.written(after), file)).keys()
    assert not missing_in(made, facts(after, file))
