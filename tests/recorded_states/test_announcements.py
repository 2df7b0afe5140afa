"""What a plan announces is what the real controllers did: for each recorded edit, both of them.

The plan is made in the state before the edit, from the file that asks for it; what happened is
read from the databases before and after it.
"""

from __future__ import annotations

import pytest

from icplan.core.change import Impact
from tests.recorded_states import happened, supplied
from tests.recorded_states.edits import (
    ASKED,
    BY_FILE,
    CURES,
    ELSEWHERE,
    NOT_ASKED,
    NOT_DECLARABLE,
    name,
)
from tests.recorded_states.files import declaring
from tests.recorded_states.planned import Announcement, announced, differing, plan, plan_for
from tests.recorded_states.recording import NEW, OLD, STEPS, ZONES, Pair, around

asked_pair = pytest.mark.parametrize("pair", ASKED, ids=name)

STANDSTILL = 38
"""Back at the right IC database the real controllers stay at a standstill: the announcement says
so, under the condition that the other one does not answer; and it did not."""


def test_every_edit_is_in_one_table() -> None:
    tables = (BY_FILE, {*NOT_DECLARABLE}, ELSEWHERE)
    numbers = [number for table in tables for number in table]
    assert sorted(numbers) == [*range(1, 40)]


@asked_pair
def test_every_zone_is_told_one_thing(pair: Pair) -> None:
    for zone, said in announced(plan_for(*pair)).items():
        assert len(said.classes) == 1, (zone, said)


@asked_pair
def test_ports_and_addresses_are_kept_or_replaced_as_announced(pair: Pair) -> None:
    announcements = announced(plan_for(*pair))
    for zone in ZONES:
        ports, said = happened.ports(*pair, zone), announcements.get(zone)
        if said is None:
            assert ports.kept, f"nothing was announced for {zone}"
        elif pair[1].number == STANDSTILL:
            assert ports.kept
            assert not ports.after
            assert said.says(
                "does not answer, it stays cut off until the pod of ovn-ic-controller is restarted"
            )
        else:
            match said.classes:
                case ["joins"]:
                    assert ports.new
                    assert not ports.before
                case ["leaves"]:
                    assert ports.gone
                case ["kept"]:
                    assert ports.kept
                    assert ports.after
                case ["rebuilt"]:
                    assert ports.new
                case other:
                    raise AssertionError(other)


@asked_pair
def test_an_outage_is_announced_for_those_who_had_one_and_for_nobody_else(pair: Pair) -> None:
    announcements = announced(plan_for(*pair))
    connected = happened.connected(pair[0])
    felt = set()
    for zone in ZONES:
        ports, said = happened.ports(*pair, zone), announcements.get(zone)
        if connected and (ports.gone or (ports.new and ports.before)):
            felt.add(zone)
        outage = said is not None and said.impact is Impact.OUTAGE
        assert outage == (zone in felt), (zone, said)
    assert bool(felt) == happened.cut(*pair)


@asked_pair
def test_the_plan_counts_the_zones_that_had_an_outage(pair: Pair) -> None:
    made = plan_for(*pair)
    outages = [zone for zone, one in announced(made).items() if one.impact is Impact.OUTAGE]
    assert len(made.consequences.disrupted) == len(outages)
    assert made.consequences.pairs_hit == happened.cut(*pair)


@pytest.mark.parametrize("number", [2, 3, 4, 13])
def test_a_newer_controller_makes_those_gateways_active_that_were_announced(number: int) -> None:
    before, after = around(NEW, number)
    was, now = (happened.active_gateways(step, "az1").get("ts") for step in (before, after))
    assert now is not None
    words = f"{now} takes over from {was}" if was else f"{now} becomes active"
    said = announced(plan_for(before, after))["az1"]
    assert said.says(f"{now} stays active" if was == now else words), said


def test_an_older_controller_is_said_to_rebuild_where_a_newer_one_does_not() -> None:
    for number in (2, 3, 4, 13):
        for controller, kept in ((NEW, True), (OLD, False)):
            before, after = around(controller, number)
            assert announced(plan_for(before, after))["az1"].kept is kept
            assert happened.ports(before, after, "az1").kept is kept


# What else a sentence claims


def claims(pair: Pair, zone: str, said: Announcement) -> dict[str, bool]:
    """Words of announcements, and whether they are true."""
    before, after = pair
    (other,) = {*ZONES} - {zone}
    now, former = ((step.config(zone) or {}).get("az-name", zone) for step in (after, before))
    stopped = happened.exchanging(before, zone) and not happened.exchanging(after, zone)
    return {
        "afterwards it exchanges no routes": stopped and not said.leaves,
        "what it has learned stays behind": said.leaves and bool(happened.learned(after, zone)),
        "its routes leave the other zones": said.leaves and not happened.ways(after, other),
        f"it registers anew as {now}": now != former
        and {now} <= happened.registered(after)
        and {former}.isdisjoint(happened.registered(after)),
        "inc-engine/recompute": now != former,
        "learn each other's subnets": not happened.exchanging(before, zone)
        and happened.exchanging(after, zone)
        and all(happened.ways(after, one) for one in ZONES),
    }


@asked_pair
def test_what_is_said_besides_is_true_and_nothing_of_it_is_left_out(pair: Pair) -> None:
    for zone, said in announced(plan_for(*pair)).items():
        for words, true in claims(pair, zone, said).items():
            assert said.says(words) == true, (zone, words, said)


@asked_pair
def test_nobody_is_said_to_reach_others_who_did_not(pair: Pair) -> None:
    unfelt = "(it reaches no other zone today)"
    for said in announced(plan_for(*pair)).values():
        if said.says(unfelt):
            assert not happened.connected(pair[0])


# When the version is not known


@asked_pair
def test_of_an_unknown_version_no_milder_thing_is_announced(pair: Pair) -> None:
    known, unknown = (announced(plan_for(*pair, tag)) for tag in ("", supplied.NO_VERSION))
    assert unknown.keys() == known.keys()
    for zone, said in known.items():
        assert unknown[zone].impact >= said.impact
        assert unknown[zone].leaves == said.leaves
        assert unknown[zone].rebuilt or not said.rebuilt


@pytest.mark.parametrize("number", [2, 3, 4])
def test_of_an_unknown_version_both_harms_are_expected(number: int) -> None:
    before, after = around(NEW, number)
    said = announced(plan_for(before, after, supplied.NO_VERSION))["az1"]
    assert said.impact is Impact.OUTAGE
    assert said.says("may be older than 1.15.24 or 1.16.3")
    assert said.rebuilt


# What no file asked for


@pytest.mark.parametrize("pair", NOT_ASKED, ids=name)
def test_nothing_is_announced_for_what_others_do(pair: Pair) -> None:
    before, after = pair
    if after.number in NOT_DECLARABLE:
        return  # test_as_declared shows that there is no file
    made = plan_for(before, after)
    # The Subnet that is deleted next is still denied in az1, without a reason.
    cured = {"az1"} if (after.controller, after.number) == (NEW, 30) else set()
    assert differing(made) == {f"{zone}/denylist": {"stale-entries"} for zone in cured}
    assert announced(made).keys() == cured


# What was recorded without a file, asked for by one


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_a_rebuild_that_breaks_a_route_by_hand_is_no_small_thing(controller: str) -> None:
    before, after = around(controller, 34)
    # Recorded: az2 is rebuilt, and az1's route leads to an address that nobody has.
    assert happened.ports(before, after, "az2").new
    assert happened.cut(before, after)
    assert not happened.ways(after, "az1")
    # Asked for by a file: the other way round, the key is taken out.
    made = plan(before.having("az2", note="x"), declaring(before))
    said = announced(made)
    assert differing(made) == {"az2/ic-config": {"other-keys"}}
    assert said.keys() == {*ZONES}
    assert said["az2"].impact is Impact.OUTAGE
    assert said["az2"].rebuilt
    (address,) = happened.addresses(before, "az2")
    assert said["az1"].impact is Impact.OUTAGE
    assert said["az1"].sentences == (
        f"10.17.0.0/16 by hand in az1 over {address} of az2 leads nowhere until it is rewritten: "
        "az2 does not keep that address",
    )
    assert made.consequences.disrupted == ("az1", "az2")
    assert made.consequences.pairs_hit == 1


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_an_ic_database_where_nobody_answers_is_planned_for_nobody(controller: str) -> None:
    before, after = around(controller, 37)
    # Recorded: az1 is gone, and stays gone.
    assert happened.ports(before, after, "az1").gone
    file = declaring(before).replace("127.0.0.1", "127.0.0.9")
    made = plan(before, file)
    assert {str(one) for one in made.unseen} == {"ic/OVN_IC_Northbound", "ic/OVN_IC_Southbound"}
    said = announced(made)
    assert said.keys() == {*ZONES}
    for one in said.values():
        assert one.impact is Impact.OUTAGE
        assert one.says("if the old IC database does not answer")


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_any_other_text_than_false_keeps_a_zone_and_rebuilds_it(controller: str) -> None:
    before, after = around(controller, 14)
    # Recorded: "False" rebuilds, and does not take the zone out.
    assert happened.ports(before, after, "az1").new
    back = announced(plan(after, declaring(before)))["az1"]
    assert back.classes == ["rebuilt"]
    assert back.impact is Impact.OUTAGE
    leaving = announced(plan_for(*around(controller, 15)))["az1"]
    assert leaving.classes == ["leaves"]


@pytest.mark.parametrize("controller", [OLD, NEW])
def test_a_change_of_switches_and_of_a_config_map_is_one_outage_each(controller: str) -> None:
    made = plan_for(*around(controller, 10))
    assert made.consequences.disrupted == ("az1", "az2")
    assert [change.address.site for change in made.changes] == ["ic"]


def test_cures_are_what_was_recorded() -> None:
    for controller, number in sorted(CURES):
        made = plan_for(*around(controller, number))
        (change,) = made.changes
        assert change.address.kind == "denylist"
        assert change.address.site in STEPS[controller][number].edit
