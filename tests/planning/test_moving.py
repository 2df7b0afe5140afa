"""Zones that move to other IC databases: whom they reach today, and whom not on the way."""

from __future__ import annotations

import pytest

from icplan.core.change import Action
from icplan.core.io import NORTHBOUND, Database, Unreadable
from icplan.kinds.common.places import Place, place_of
from icplan.planning.reachability import today
from icplan.planning.verdicts import LIMIT, PROTECTED
from tests.planning.recorded_case import Altered, codes, effects, outages

MOVE = "ic_config/other-database"
APART = "it stays cut off from az2 until all have moved to 127.0.0.2 (ports 6645 and 6646)"


def moved_to_fresh() -> Altered:
    """The file names databases in which nobody has registered anything yet."""
    fresh = Altered(MOVE)
    return fresh.emptied("ic/OVN_IC_Northbound").emptied("ic/OVN_IC_Southbound")


def test_zones_reach_each_other_by_the_databases_that_they_use() -> None:
    made = moved_to_fresh().plan()
    assert made.consequences.disrupted == ("az1", "az2")
    assert (made.consequences.pairs_hit, made.consequences.pairs) == (1, 1)
    assert codes(made) == {LIMIT}
    (one,) = outages(made, "az1")
    assert APART in one


def test_a_protected_zone_does_not_move() -> None:
    made = moved_to_fresh().says("  - name: az1\n", "  - name: az1\n    protected: true\n").plan()
    assert codes(made) == {LIMIT, PROTECTED}


def test_switches_in_a_fresh_database_disturb_nobody_who_does_not_look_at_it() -> None:
    made = moved_to_fresh().plan()
    (switch,) = (one for one in made.changes if one.action is Action.CREATE)
    assert str(switch.address) == "ic/transit-switch/ts"
    assert not made.consequences.effects[switch.address]
    # Whoever is registered there may use it under another address.
    same = Altered(MOVE)
    same.rows("ic/OVN_IC_Northbound", "Transit_Switch").clear()
    (switch,) = (one for one in same.plan().changes if one.action is Action.CREATE)
    assert {one.zone for one in same.plan().consequences.effects[switch.address]} == {"az1", "az2"}


def test_a_zone_that_learned_nothing_reaches_nobody() -> None:
    alone = moved_to_fresh()
    for zone in ("az1", "az2"):
        alone.rows(f"{zone}/OVN_Northbound", "Logical_Router_Static_Route").clear()
    made = alone.plan()
    assert made.consequences.disrupted == ()
    assert all("(it reaches no other zone today)" in one.sentence for one in effects(made))


def test_what_is_not_seen_is_not_taken_for_nobody() -> None:
    unseen = moved_to_fresh()
    why = {"cause": "forbidden", "cure": "ask", "forbidden": True}
    unseen.snapshot["databases"]["az2/OVN_Northbound"] = {"unreadable": why}
    made = unseen.plan()
    assert isinstance(made.not_permitted[Database("az2", NORTHBOUND)], Unreadable)
    assert not today(made.view).known
    assert made.consequences.disrupted == ("az1", "az2")


def test_a_zone_that_moved_before_does_not_reach_those_that_have_not() -> None:
    half = moved_to_fresh()
    half.config("az1")["ic-db-host"] = "127.0.0.2"
    # Its controller is there already, and its own database says nothing of the others any more.
    for table in ("Logical_Router_Static_Route", "Logical_Switch_Port"):
        half.rows("az1/OVN_Northbound", table).clear()
    made = half.plan()
    assert [str(one.address) for one in made.changes] == ["ic/transit-switch/ts", "az2/ic-config"]
    assert not any("stays cut off from" in one.sentence for one in effects(made))


@pytest.mark.parametrize(
    "hosts",
    ["127.0.0.1, 127.0.0.3, 127.0.0.4", "127.0.0.3, 127.0.0.1, 127.0.0.4"],
    ids=["first", "another"],
)
def test_more_servers_are_the_same_database(hosts: str) -> None:
    made = Altered(MOVE).says("127.0.0.2", hosts).plan()
    assert made.consequences.disrupted == ("az1", "az2")
    assert not any("stays cut off from" in one for one in outages(made))
    # Yet who is left out would know fewer of them than the others.
    assert "IC056" in codes(Altered(MOVE).says("127.0.0.2", hosts).plan("az2"))


def test_the_order_of_hosts_is_no_other_place() -> None:
    three = "127.0.0.1, 127.0.0.3, 127.0.0.4"
    turned = Altered("ic_config/nothing-to-do").says("127.0.0.1", three)
    for zone in ("az1", "az2"):
        turned.config(zone)["ic-db-host"] = "127.0.0.4,127.0.0.1, 127.0.0.3"
    made = turned.plan("az2")
    assert made.changes
    assert "IC056" not in codes(made)


def test_other_ports_are_another_place() -> None:
    other = Altered("ic_config/nothing-to-do").says(
        "hosts: [127.0.0.1]", "hosts: [127.0.0.1], northboundPort: 7645, southboundPort: 7646"
    )
    (one,) = outages(other.plan(), "az1")
    assert "cut off from az2 until all have moved to 127.0.0.1 (ports 7645 and 7646)" in one
    assert "IC056" in codes(other.plan("az2"))


def test_whoever_is_not_moved_along_is_named() -> None:
    made = moved_to_fresh().plan("az2")
    (one,) = outages(made, "az1")
    assert "from az2, which this plan does not move, it is cut off for good" in one
    assert "IC056" in codes(made)
    # Known by az1's own database: az2 is not looked at.
    (group,) = made.consequences.groups
    assert (group.peers, group.outcome) == (("az2",), "cut off for good")
    (first, second) = moved_to_fresh().plan().consequences.groups
    assert (first.outcome, second.outcome) == ("interrupted", "interrupted")


def test_a_plain_zone_is_moved_by_its_operator() -> None:
    mixed = Altered("start/mixed-nothing-to-do").says("127.0.0.1", "127.0.0.2")
    mixed.emptied("ic/OVN_IC_Northbound").emptied("ic/OVN_IC_Southbound")
    (one,) = outages(mixed.plan(), "az1")
    assert APART in one


def test_a_drifted_place_is_put_right_unless_a_zone_would_be_left_behind() -> None:
    drifted = Altered("ic_config/nothing-to-do")
    drifted.config("az1")["ic-db-host"] = "127.0.0.9"
    assert "IC056" not in codes(drifted.plan())
    assert "IC056" in codes(drifted.plan("az2"))
    assert "IC056" not in codes(drifted.plan("az1"))


def test_whoever_belongs_to_others_is_left_behind_too() -> None:
    foreign = Altered(MOVE)
    (body,) = foreign.objects("az2", "ConfigMap")
    body["metadata"]["annotations"]["icplan/owner"] = "stage"
    made = foreign.plan()
    assert {"IC012", "IC056"} <= codes(made)
    (verdict,) = (one for one in made.verdicts if one.code == "IC056")
    assert (verdict.at, verdict.refuses) == ("az2", True)
    assert "az2, which is not to be changed, would stay where it is" in verdict.message


def test_places() -> None:
    data = {"ic-db-host": "10.0.0.1, fd00:0::2,", "ic-nb-port": "6645", "ic-sb-port": "6646"}
    place = place_of(data)
    assert place == Place(frozenset({"10.0.0.1", "fd00::2"}), "6645", "6646")
    assert place.shares(place_of(data | {"ic-db-host": "fd00::2"}))
    assert not place.shares(place_of(data | {"ic-nb-port": "6640"}))
    assert not place_of({}).shares(place_of({}))
