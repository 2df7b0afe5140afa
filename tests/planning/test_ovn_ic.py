"""What is said of zones' ovn-ic: one that seems not to run, one that knows an earlier cluster."""

from __future__ import annotations

from icplan.core.address import Address
from icplan.kinds.common.contract import Check, Missing
from icplan.kinds.common.evidence import ovn_ic_cure
from icplan.planning.plan import Plan
from tests.planning.altered import Case

STOPPED, RAFT = "rules/IC079-ovn-ic-stopped", "ic_database/raft-first-plan"


def codes(plan: Plan) -> dict[str, str]:
    return {one.code: one.at for one in plan.verdicts}


def check(plan: Plan, claim: str) -> Check:
    (found,) = (one for one in plan.checks if one.claim.startswith(claim))
    return found


def test_a_cure_names_what_ovn_ic_has_and_what_its_log_says() -> None:
    cure = ovn_ic_cure("az1")
    assert "`ovn-appctl -t ovn-ic status`" in cure
    # ovn-ic 23.03.1 has no such command (its list-commands).
    assert "connection-status" not in cure
    assert "`stale data`" in cure
    assert "restart ovn-ic" in cure


def test_a_port_waits_for_the_switch_that_it_is_on() -> None:
    plan = Case(STOPPED).plan()
    (wave,) = plan.waves
    assert [one.claim for one in wave.requires] == ["ovn-ic of az1 has made the switch ts"]
    found = wave.requires[0].holds(plan.view.facts)
    assert isinstance(found, Missing)
    assert found.why == "az1 has no switch for the transit switch ts"
    assert not plan.refused


def test_who_has_the_switch_waits_for_nothing() -> None:
    for case in ("transit_port/drift-deleted", "start/first-plan", "start/a-third-zone-joins"):
        assert not any(wave.requires for wave in Case(case).plan().waves), case


def test_only_who_bears_its_name_should_have_the_switch() -> None:
    assert codes(Case(STOPPED).plan())["IC079"] == "az1"
    case = Case(STOPPED)
    (row,) = case.rows("az1/OVN_Northbound", "NB_Global")
    row["name"] = ""
    plan = case.plan()
    assert "IC079" not in codes(plan)
    # Its name is written first, and then the switch is awaited.
    assert plan.waves[0].changes[0].address == Address("az1", "name")
    assert "ovn-ic of az1 has made the switch ts" in [one.claim for one in plan.waves[0].awaits]
    assert not any(wave.requires for wave in plan.waves)


def test_databases_that_begin_as_a_cluster_may_need_ovn_ic_restarted() -> None:
    plan = Case(RAFT).plan()
    assert codes(plan)["IC080"] == "ic"
    for claim in ("az1 is registered", "ovn-ic of az1 has made the switch ts"):
        found = check(plan, claim)
        assert found.operator, claim
        verdict = found.holds(plan.view.facts)
        assert isinstance(verdict, Missing)
        assert verdict.cure.startswith("restart ovn-ic of az1 if ")
        assert "`stale data`" in verdict.cure


def test_one_server_alone_is_remembered_by_nobody() -> None:
    for case in ("ic_database/first-plan", "ic_database/raft-as-declared", "start/first-plan"):
        plan = Case(case).plan()
        assert "IC080" not in codes(plan), case
        assert not check(plan, "az1 is registered").operator, case


def test_clusters_start_their_ovn_ic_anew() -> None:
    plan = Case("ic_server/first-plan-of-three").plan()
    assert plan.view.facts.ic_absent
    assert "IC080" not in codes(plan)
    assert not any(one.operator for one in plan.checks)
