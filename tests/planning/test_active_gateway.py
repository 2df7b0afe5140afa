"""Who serves a port and who should: told by status and verify, announced by plans."""

from __future__ import annotations

import pytest

from icplan.core.kubernetes import ReplaceData
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Held, Missing
from icplan.planning.plan import Plan
from icplan.render.paint import Paint
from icplan.render.status import status_document, status_text
from icplan.run.verify import verify
from tests.planning.altered import Case

JOINED = {"plain": "start/nothing-to-do", "cluster": "ic_config/nothing-to-do"}
kinds = pytest.mark.parametrize("kind", JOINED)


def _served(case: Case, *, bound: bool) -> Case:
    """az1-gw2 serves ts for az1 as all zones see it; by az1's own database only if `bound`."""
    (port,) = (
        one
        for one in case.rows("ic/OVN_IC_Southbound", "Port_Binding")
        if one["logical_port"] == "ts-az1"
    )
    port["gateway"] = "chassis-az1-gw2"
    (chassis,) = (
        one["_uuid"]
        for one in case.rows("az1/OVN_Southbound", "Chassis")
        if one["name"] == "chassis-az1-gw2"
    )
    for one in case.rows("az1/OVN_Southbound", "Port_Binding"):
        if bound and one["logical_port"] == "cr-az1-ts":
            one["chassis"] = chassis
    return case


def _missing(made: Plan) -> list[tuple[str, str]]:
    results = verify(made).results
    return [(one.why, one.cure) for _, one in results if isinstance(one, Missing)]


@kinds
def test_the_standby_serves(kind: str) -> None:
    made = _served(Case(JOINED[kind]), bound=True).plan()
    assert made.changes == ()
    ((why, cure),) = _missing(made)
    assert why == (
        "az1-gw2 serves ts for az1 in the place of az1-gw1, its first gateway: its tunnels do not "
        "answer (BFD), or its ovn-controller has not claimed the port"
    )
    assert cure.endswith("it takes over again by itself")
    document = status_document(made)
    (port,) = document["zones"][0]["ports"]
    assert (port["gateway"], port["bound"]) == ("az1-gw2", "az1-gw2")
    assert port["order"] == ["az1-gw1", "az1-gw2"]
    text = status_text(document, Paint())
    assert "az1-gw2 in the place of az1-gw1\n" in text
    assert "active on ts\n" in text


@kinds
def test_a_standby_that_serves_is_watched_by_apply(kind: str) -> None:
    """A new port may be handed over to the first gateway, and nobody serves it in between."""
    claim = "a gateway serves the port of az1 on ts"
    for case, lasts in ((Case(JOINED[kind]), 0.0), (_served(Case(JOINED[kind]), bound=True), 2.0)):
        made = case.plan()
        (found,) = (one for one in made.checks if one.claim == claim)
        assert found.holds(made.view.facts) == Held(lasts)


@kinds
def test_the_first_one_is_back_and_the_others_do_not_know_yet(kind: str) -> None:
    made = _served(Case(JOINED[kind]), bound=False).plan()
    ((why, _),) = _missing(made)
    assert "az1-gw1 has taken over, and the IC southbound database does not say so yet" in why
    text = status_text(status_document(made), Paint())
    assert "az1-gw2 in the place of az1-gw1; the zone itself says az1-gw1\n" in text


def test_a_first_gateway_that_is_not_marked_is_told_so() -> None:
    case = _served(Case(JOINED["plain"]), bound=True)
    for one in case.rows("az1/OVN_Southbound", "Chassis"):
        if one["hostname"] == "az1-gw1":
            one["other_config"]["is-interconn"] = "false"
    whys = [why for why, _ in _missing(case.plan())]
    assert any("az1-gw1 is not marked as an interconnection gateway" in why for why in whys)


@kinds
def test_what_has_failed_holds_no_other_change_up(kind: str) -> None:
    """Only a plan that makes another gateway the first one waits for it."""
    claim = "the first gateway of az1 serves its port on ts"
    case = _served(Case(JOINED[kind]), bound=True)
    case.edit("[az1-gw1, az1-gw2]", "[az1-gw1]")
    assert claim not in [one.claim for wave in case.plan().waves for one in wave.awaits]
    case = Case(JOINED[kind]).edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    assert claim in [one.claim for wave in case.plan().waves for one in wave.awaits]


def test_clusters_replace_all_gateways_in_two_steps_where_that_is_no_outage() -> None:
    for version, expected in (
        ("v1.17.0", ["az1-w1,az1-gw1,az1-gw2", "az1-w1"]),
        ("v1.15.23", ["az1-w1"]),
        ("latest", ["az1-w1"]),
    ):
        case = Case("rules/IC020-of-a-cluster").version("az1", "ovn-ic-controller", version)
        made = case.plan()
        (change,) = made.changes
        steps = kind_of(change.address.kind).steps(change, made.view)
        written = []
        for step in steps:
            assert isinstance(step.operation, ReplaceData)
            written.append(step.operation.data["gw-nodes"])
        assert written == expected, version
        assert [bool(step.awaits) for step in steps] == [True, False][-len(steps) :]
        assert all(step.guards for step in steps)
