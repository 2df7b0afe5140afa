"""What a plan says becomes of a pair of zones for good: packets need a way there and one back."""

from __future__ import annotations

import pytest

from icplan.planning.plan import Plan
from icplan.planning.prospect import Outcome
from tests.planning.recorded_case import Altered, Json, outages

# Three zones that advertise; routes between az1 and az2 are to take over, of one subnet each.
THREE = "manual_route/three-from-automatic"
# Two clusters of which each has two subnets that it advertises, and routes to one of them.
CLUSTERS = "manual_route/clusters-from-automatic"
MANUAL = "manual_route/nothing-to-do"
THERE = "  - {from: az1, to: az2, subnets: [pods]}\n"
BACK = "  - {from: az2, to: az1, subnets: [10.16.0.0/16]}\n"
ALL_THERE = "  - {from: az1, to: az2, subnets: [pods, office]}\n"
ALL_BACK = "  - {from: az2, to: az1, subnets: [pods, office]}\n"
ROUTE = "Logical_Router_Static_Route"

Groups = list[tuple[str, tuple[str, ...], Outcome]]


def groups(made: Plan) -> Groups:
    return [(one.zone, one.peers, one.outcome) for one in made.consequences.groups]


def outcome(made: Plan, zone: str, peer: str) -> Outcome | None:
    """What becomes of a pair by the changes of one of the two."""
    found = [of for who, peers, of in groups(made) if who == zone and peer in peers]
    assert len(found) <= 1
    return found[0] if found else None


def typed(altered: Altered, zone: str, prefix: str, hop: str) -> Altered:
    """Somebody made a route."""
    path = f"{zone}/OVN_Northbound"
    row: Json = {"_uuid": f"{prefix} over {hop}", "ip_prefix": prefix, "nexthop": hop}
    row |= {"external_ids": {}, "options": {}, "policy": None, "route_table": ""}
    altered.rows(path, ROUTE).append(row)
    (router,) = (one for one in altered.rows(path, "Logical_Router") if one["name"] == "router")
    router["static_routes"].append(row["_uuid"])
    return altered


def address(altered: Altered, zone: str) -> str:
    ports = altered.rows(f"{zone}/OVN_Northbound", "Logical_Router_Port")
    (network,) = next(one["networks"] for one in ports if one["name"] == f"{zone}-ts")
    return str(network).partition("/")[0]


# From automatic to manual


@pytest.mark.parametrize(
    ("routes", "of_pair"),
    [
        ("", Outcome.CUT_OFF),
        (THERE, Outcome.ONE_WAY),
        (BACK, Outcome.ONE_WAY),
        (THERE + BACK, Outcome.REDUCED),
        (ALL_THERE + BACK, Outcome.REDUCED),
        (ALL_THERE + ALL_BACK, Outcome.INTERRUPTED),
    ],
)
def test_a_pair_is_interrupted_only_if_the_file_routes_both_ways(
    routes: str, of_pair: Outcome
) -> None:
    altered = Altered(THREE).says("routes:\n" + THERE + BACK, f"routes:\n{routes}")
    if not routes:
        altered.says("routes:\n", "")
    made = altered.plan()
    assert outcome(made, "az1", "az2") == outcome(made, "az2", "az1") == of_pair
    for one, other in (("az1", "az3"), ("az2", "az3"), ("az3", "az1"), ("az3", "az2")):
        assert outcome(made, one, other) is Outcome.CUT_OFF
    assert made.consequences.disrupted == ("az1", "az2", "az3")
    assert (made.consequences.pairs_hit, made.consequences.pairs) == (3, 3)


def test_the_worst_comes_first_and_a_zone_stands_once_for_each_outcome() -> None:
    assert groups(Altered(THREE).plan()) == [
        ("az1", ("az3",), Outcome.CUT_OFF),
        ("az1", ("az2",), Outcome.REDUCED),
        ("az2", ("az3",), Outcome.CUT_OFF),
        ("az2", ("az1",), Outcome.REDUCED),
        ("az3", ("az1", "az2"), Outcome.CUT_OFF),
    ]


def without_az3(altered: Altered) -> Altered:
    """The file does not speak of it any more; it is registered still."""
    start, end = altered.text.index("  - name: az3"), altered.text.index("routes:")
    altered.text = altered.text[:start] + altered.text[end:]
    for database in ("Northbound", "Southbound"):
        del altered.snapshot["databases"][f"az3/OVN_{database}"]
    return altered


def test_a_zone_outside_of_the_file_advertises_on_and_nobody_learns_it() -> None:
    made = without_az3(Altered(THREE)).plan()
    assert outcome(made, "az1", "az3") is Outcome.CUT_OFF
    assert outcome(made, "az1", "az2") is Outcome.REDUCED
    stays = without_az3(Altered(THREE)).says("routePolicy: manual\n", "").plan()
    assert groups(stays) == []


def test_a_zone_that_is_left_out_does_what_it_does() -> None:
    made = Altered(THREE).plan("az3")
    assert outcome(made, "az1", "az3") is Outcome.CUT_OFF
    # Whether it has the route of the file is not known: it is taken at its word.
    back = "  - {from: az3, to: az1, subnets: [pods]}\n"
    one_way = Altered(THREE).says(BACK, BACK + back).plan("az3")
    assert outcome(one_way, "az1", "az3") is Outcome.ONE_WAY
    there = "  - {from: az1, to: az3, subnets: [10.18.0.0/16, 10.118.0.0/24]}\n"
    both = Altered(THREE).says(BACK, BACK + back + there).plan("az3")
    assert outcome(both, "az1", "az3") is Outcome.INTERRUPTED


def test_routes_by_hand_are_ways_too() -> None:
    altered = Altered(THREE)
    one, three = address(altered, "az1"), address(altered, "az3")
    typed(altered, "az1", "10.18.0.0/16", three)
    assert outcome(altered.plan(), "az1", "az3") is Outcome.ONE_WAY
    typed(altered, "az3", "10.16.0.0/16", one)
    assert outcome(altered.plan(), "az1", "az3") is Outcome.REDUCED
    typed(altered, "az1", "10.118.0.0/24", three)
    typed(altered, "az3", "10.116.0.0/24", one)
    assert outcome(altered.plan(), "az1", "az3") is Outcome.INTERRUPTED


def test_what_the_peers_lose_is_the_zone_s_loss_too() -> None:
    altered = Altered(THREE).says("  - name: az3\n", "  - name: az3\n    state: absent\n")
    made = altered.plan()
    assert outcome(made, "az1", "az3") is outcome(made, "az3", "az1") is Outcome.CUT_OFF
    assert outcome(made, "az1", "az2") is Outcome.REDUCED


# Of clusters


def test_what_is_said_of_clusters_whose_controllers_rebuild() -> None:
    assert outcome(Altered(CLUSTERS).plan(), "az1", "az2") is Outcome.INTERRUPTED
    one_way = Altered(CLUSTERS).says("  - {from: az2, to: az1, subnets: [10.16.0.0/16]}\n", "")
    assert outcome(one_way.plan(), "az1", "az2") is Outcome.ONE_WAY
    assert outcome(one_way.plan(), "az2", "az1") is Outcome.ONE_WAY


def test_one_that_advertises_learns_nothing_of_one_that_does_not() -> None:
    made = Altered("manual_route/clusters-from-automatic-half").plan()
    assert groups(made) == [("az2", ("az1",), Outcome.ONE_WAY)]


# Routes that are taken away


def test_the_last_route_of_a_direction_is_more_than_some_subnets() -> None:
    assert groups(Altered(MANUAL).says(BACK, "").plan()) == [("az2", ("az1",), Outcome.ONE_WAY)]
    assert groups(Altered(MANUAL).says("routes:\n" + THERE + BACK, "").plan()) == [
        ("az1", ("az2",), Outcome.CUT_OFF),
        ("az2", ("az1",), Outcome.CUT_OFF),
    ]
    # Another one in its place is a way.
    office = Altered(MANUAL).says("[10.16.0.0/16]", "[10.116.0.0/24]").plan()
    assert groups(office) == [("az2", ("az1",), Outcome.SUBNETS_LOST)]


def test_what_was_one_way_only_is_not_made_worse_by_that() -> None:
    altered = Altered(MANUAL).says(BACK, "")
    path = "az2/OVN_Northbound"
    routes = altered.rows(path, ROUTE)
    routes[:] = [one for one in routes if "icplan" not in one["external_ids"]]
    for router in altered.rows(path, "Logical_Router"):
        router["static_routes"] = [one["_uuid"] for one in routes]
    assert groups(altered.plan()) == []
    moved = altered.says("transitSwitches: 1", "transitSwitches: {subnets: [100.64.0.0/24]}")
    assert {of for _, _, of in groups(moved.plan())} == {Outcome.INTERRUPTED}
    last = moved.says("routes:\n" + THERE, "")
    assert outcome(last.plan(), "az1", "az2") is Outcome.CUT_OFF


def test_a_route_that_goes_for_good_is_not_said_to_be_learned() -> None:
    (one,) = outages(Altered("rules/IC068-one-of-two").plan(), "az2")
    assert one.startswith("az2 does not reach 10.16.0.0/16 of az1 any more: ")
    told = outages(Altered("manual_route/to-automatic").plan(), "az2")
    assert any("until it has learned it" in one for one in told)


# What is withheld


def test_all_that_is_advertised_is_more_than_some_subnets() -> None:
    base = Altered("start/nothing-to-do")
    gateways = "gatewayNodes: [az1-gw1, az1-gw2]\n"
    some = Altered("start/nothing-to-do").says(
        gateways, f"{gateways}    withhold: [10.116.0.0/24]\n"
    )
    assert groups(some.plan()) == [("az1", ("az2",), Outcome.SUBNETS_LOST)]
    both = base.says(gateways, f"{gateways}    withhold: [10.116.0.0/24, 10.16.0.0/16]\n")
    assert groups(both.plan()) == [("az1", ("az2",), Outcome.ONE_WAY)]


# When nobody knows who reaches whom


@pytest.mark.parametrize(
    ("routes", "of_zone"),
    [("", Outcome.CUT_OFF), (THERE, Outcome.CUT_OFF), (THERE + BACK, Outcome.INTERRUPTED)],
)
def test_without_sight_of_the_databases_the_file_tells(routes: str, of_zone: Outcome) -> None:
    altered = Altered(THREE).says("routes:\n" + THERE + BACK, f"routes:\n{routes}")
    if not routes:
        altered.says("routes:\n", "")
    why = {"cause": "no answer", "cure": "look"}
    altered.snapshot["databases"]["ic/OVN_IC_Southbound"] = {"unreadable": why}
    made = altered.plan()
    assert groups(made) == [
        ("az1", (), of_zone),
        ("az2", (), of_zone),
        ("az3", (), Outcome.CUT_OFF),
    ]
