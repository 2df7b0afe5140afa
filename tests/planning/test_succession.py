"""Who serves today, and what a plan that takes that gateway away says, and that it is refused."""

from __future__ import annotations

import pytest

from icplan.core.change import Impact
from icplan.planning.plan import Plan
from icplan.render.paint import Paint
from icplan.render.reports import verify_document, verify_text
from icplan.run.verify import verify
from tests.planning.altered import Case

JOINED = {"plain": "start/nothing-to-do", "cluster": "ic_config/nothing-to-do"}
kinds = pytest.mark.parametrize("kind", JOINED)
BOTH = "[az1-gw1, az1-gw2]"
INSTEAD = "in the place of az1-gw1"


def serve(case: Case, host: str, port: str = "az1-ts") -> Case:
    """Another gateway serves a port of az1, as its own database tells it."""
    (chassis,) = (
        one["_uuid"]
        for one in case.rows("az1/OVN_Southbound", "Chassis")
        if one["hostname"] == host
    )
    (binding,) = (
        one
        for one in case.rows("az1/OVN_Southbound", "Port_Binding")
        if one["logical_port"] == f"cr-{port}"
    )
    binding["chassis"] = chassis
    return case


def told(made: Plan) -> tuple[Impact, str]:
    """The worst that a plan says about az1's gateways, and all that it says of them."""
    found = [one for change in made.changes for one in made.consequences.effects[change.address]]
    return max(one.impact for one in found), "; ".join(one.sentence for one in found)


def refused(made: Plan) -> list[str]:
    """The findings about gateways that serve and go."""
    return [one.message for one in made.verdicts if one.code == "IC084" and one.refuses]


def hosts(*names: str) -> str:
    return f"[{', '.join(f'az1-{name}' for name in names)}]"


@kinds
@pytest.mark.parametrize("after", [("gw1",), ("gw1", "w1"), ("w1", "gw1")])
def test_nothing_known_to_answer_follows_the_one_that_goes(
    kind: str, after: tuple[str, ...]
) -> None:
    made = serve(Case(JOINED[kind]).edit(BOTH, hosts(*after)), "az1-gw2").plan()
    impact, words = told(made)
    assert impact is Impact.OUTAGE
    assert f"{INSTEAD}, and goes: az1-gw1 does not answer" in words
    assert ("nobody knows yet whether az1-w1 will" in words) is ("w1" in after)
    (message,) = refused(made)
    assert message.startswith(f"az1-gw2 serves ts {INSTEAD}, and goes: ")


@kinds
@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (("gw2", "gw1"), f"{INSTEAD} already, and becomes the first"),
        (("gw2",), f"{INSTEAD} already, and becomes the only one"),
        (("gw1", "gw2", "w1"), "az1-gw2 goes on serving"),
    ],
)
def test_the_one_that_serves_stays(kind: str, after: tuple[str, ...], expected: str) -> None:
    made = serve(Case(JOINED[kind]).edit(BOTH, hosts(*after)), "az1-gw2").plan()
    impact, words = told(made)
    assert impact is Impact.NONE
    assert expected in words
    assert refused(made) == []


@kinds
@pytest.mark.parametrize("after", [("w1", "gw2"), ("w1", "gw1", "gw2"), ("gw1", "w1", "gw2")])
def test_a_new_one_takes_over_while_the_one_that_serves_stays_behind_it(
    kind: str, after: tuple[str, ...]
) -> None:
    made = serve(Case(JOINED[kind]).edit(BOTH, hosts(*after)), "az1-gw2").plan()
    impact, words = told(made)
    assert impact is Impact.BRIEF
    assert "az1-w1 takes " in words
    assert "over from az1-gw2" in words
    assert refused(made) == []


@kinds
def test_where_no_gateway_stays_the_new_ones_prove_themselves_first(kind: str) -> None:
    made = serve(Case(JOINED[kind]).edit(BOTH, hosts("w1")), "az1-gw2").plan()
    impact, words = told(made)
    assert impact is Impact.BRIEF
    assert "over from az1-gw2" in words
    assert refused(made) == []
    assert [one.code for one in made.verdicts if one.refuses and one.code != "IC005"] == ["IC020"]


@kinds
@pytest.mark.parametrize("after", [("gw1",), ("gw2",), ("gw1", "w1"), ("gw2", "gw1")])
def test_while_the_first_one_serves_nothing_of_it_is_said(
    kind: str, after: tuple[str, ...]
) -> None:
    made = Case(JOINED[kind]).edit(BOTH, hosts(*after)).plan()
    impact, words = told(made)
    assert impact < Impact.OUTAGE
    assert "in the place of" not in words
    assert refused(made) == []


def test_two_switches_lose_the_same_gateway() -> None:
    case = Case("transit_switch/two-as-declared").edit(BOTH, hosts("gw1"))
    made = serve(case, "az1-gw2").plan()
    assert told(made)[0] is Impact.OUTAGE
    assert sorted(one.partition(":")[0] for one in refused(made)) == [
        f"az1-gw2 serves ts {INSTEAD}, and goes",
        "az1-gw2 serves ts1, and goes",
    ]
    case = Case("transit_switch/two-as-declared").edit(BOTH, hosts("gw2"))
    made = serve(case, "az1-gw2").plan()
    assert told(made)[0] is Impact.NONE
    assert refused(made) == []


def test_a_group_has_an_order_of_its_own() -> None:
    """OVN does not look at the order of the gateways of a port that has one."""
    case = serve(Case(JOINED["plain"]).edit(BOTH, hosts("gw1")), "az1-gw2")
    for one in case.rows("az1/OVN_Northbound", "Logical_Router_Port"):
        if one["name"] == "az1-ts":
            one["ha_chassis_group"] = "00000000-0000-0000-0000-0000000000aa"
    assert refused(case.plan()) == []


@pytest.mark.parametrize("version", ["v1.15.23", "latest"])
def test_a_rebuild_does_not_bring_the_dead_one_back(version: str) -> None:
    case = Case(JOINED["cluster"]).edit(BOTH, hosts("gw1"))
    made = serve(case.version("az1", "ovn-ic-controller", version), "az1-gw2").plan()
    assert "and goes: az1-gw1 does not answer; az1 is cut off until it does" in told(made)[1]
    assert len(refused(made)) == 1


@kinds
def test_verify_says_that_nobody_watches_a_single_gateway(kind: str) -> None:
    note = "Not known: whether the single gateway of az1 answers. Only packets tell"
    assert note not in verify_text(verify(Case(JOINED[kind]).plan()), Paint())
    report = verify(Case(JOINED[kind]).edit(BOTH, hosts("gw1")).plan())
    assert note in verify_text(report, Paint())
    assert verify_document(report)["unwatched"] == ["az1"]


def test_one_that_has_stood_by_follows_the_one_that_goes() -> None:
    case = Case("transit_port/gateway-added-behind-the-standby")
    rows = case.rows("az1/OVN_Northbound", "Gateway_Chassis")
    (old,) = (one for one in rows if one["name"] == "az1-ts-chassis-az1-gw2")
    third = old | {
        "_uuid": "00000000-0000-0000-0000-0000000000aa",
        "name": "az1-ts-chassis-az1-w1",
        "chassis_name": "chassis-az1-w1",
        "priority": old["priority"] - 1,
    }
    rows.append(third)
    for one in case.rows("az1/OVN_Northbound", "Logical_Router_Port"):
        if one["name"] == "az1-ts":
            one["gateway_chassis"].append(third["_uuid"])
    made = case.edit(hosts("gw1", "gw2", "w1"), hosts("gw1", "w1")).plan()
    words = f"az1-gw2 serves ts {INSTEAD}, and goes: az1-w1 takes over: a gap below 1 s"
    assert told(made) == (Impact.BRIEF, words)
    assert refused(made) == []
