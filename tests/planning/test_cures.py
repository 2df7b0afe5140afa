"""Cures that depend on what is really wrong, and stay on one screen."""

from __future__ import annotations

import re
import shlex

import pytest

from icplan.kinds.common.contract import Missing
from icplan.planning.plan import Plan
from icplan.render.document import plan_document
from icplan.render.paint import Paint
from icplan.render.text import plan_text
from tests.planning.recorded_case import Altered, Json

CLUSTERS = "ic_config/nothing-to-do"
PLAIN = "manual_route/nothing-to-do"
TWO = "ic_config/two-switches"
RESTART = "`kubectl --context az1 -n kube-system rollout restart deployment/ovn-ic-controller`"
OFF = 'patch configmap ovn-ic-config --type merge -p \'{"data":{"enable-ic":"false"}}\'`'
LOG = "`kubectl --context az1 -n kube-system logs deployment/ovn-ic-controller --tail=50`"


def cure(made: Plan, claim: str) -> str:
    """What a piece of evidence that is missing tells to do."""
    (check,) = (one for one in made.checks if one.claim == claim and one.since is None)
    found = check.holds(made.view.facts)
    assert isinstance(found, Missing)
    return found.cure


def told(made: Plan, code: str) -> tuple[str, str]:
    """A rule's only finding."""
    ((message, what),) = ((one.message, one.cure) for one in made.verdicts if one.code == code)
    return message, what


def taken(case: Altered, zone: str, table: str, name: re.Pattern[str]) -> None:
    """Rows of a northbound database are not there."""
    rows = case.rows(f"{zone}/OVN_Northbound", table)
    kept = [one for one in rows if not name.fullmatch(one["name"])]
    assert len(kept) < len(rows)
    rows[:] = kept


def controller(case: Altered, zone: str) -> Json:
    """A zone's interconnection controller."""
    (found,) = (
        one
        for one in case.objects(zone, "Deployment")
        if one["metadata"]["name"] == "ovn-ic-controller"
    )
    return found


def test_without_any_port_the_controller_may_be_at_a_standstill() -> None:
    case = Altered(CLUSTERS)
    taken(case, "az1", "Logical_Switch", re.compile("ts"))
    found = cure(case.plan(), "az1 has its port on ts")
    assert LOG in found
    assert found.endswith(f"restart it: {RESTART}")


def test_who_does_not_run_is_not_restarted() -> None:
    case = Altered(CLUSTERS)
    taken(case, "az1", "Logical_Switch", re.compile("ts"))
    deployment = controller(case, "az1")
    deployment["spec"]["replicas"] = 0
    deployment["status"] |= {"replicas": 0, "updatedReplicas": 0}
    deployment["status"].pop("availableReplicas")
    found = cure(case.plan(), "az1 has its port on ts")
    assert RESTART not in found
    assert "scale deployment/ovn-ic-controller --replicas=1" in found


def test_who_was_told_something_else_is_told_first() -> None:
    case = Altered(CLUSTERS)
    taken(case, "az1", "Logical_Switch", re.compile("ts"))
    case.config("az1")["enable-ic"] = "false"
    found = cure(case.plan(), "az1 has its port on ts")
    assert found == "icplan plan shows the difference, icplan apply repairs it"


def test_half_a_port_has_a_cure_in_the_plan() -> None:
    """The switch was deleted and made anew without the port (docs/facts.md section 5)."""
    case = Altered("lost_port/lost")
    made = case.plan()
    missing = [
        one
        for one in made.checks
        if re.fullmatch("az[12] has its port on ts1?", one.claim)
        and isinstance(one.holds(made.view.facts), Missing)
    ]
    assert missing
    for check in missing:
        found = check.holds(made.view.facts)
        assert isinstance(found, Missing)
        assert found.cure == "icplan plan shows the difference, icplan apply repairs it"


@pytest.mark.parametrize(
    ("tag", "restarts", "cycles"),
    [("v1.17.0", True, False), ("v1.15.23", False, True), ("latest", True, True)],
)
def test_what_brings_gateways_in_order_depends_on_the_controller(
    tag: str, restarts: bool, cycles: bool
) -> None:
    case = Altered(CLUSTERS).tag("az1", tag)
    for row in case.rows("az1/OVN_Northbound", "Gateway_Chassis"):
        row["priority"] = 200 - row["priority"]
    found = cure(case.plan(), "the gateways of az1 on ts are in order")
    assert LOG in found
    assert (RESTART in found) is restarts
    assert (OFF in found) is cycles


REROUTED = "rules/IC065-rerouted"


def policies(case: Altered, priority: int) -> Altered:
    """The first policy of az1 reroutes everything, with that priority; the other one is away."""
    rows = case.rows("az1/OVN_Northbound", "Logical_Router_Policy")
    del rows[1:]
    rows[0] |= {"match": 'inport == "router-pods"', "priority": priority}
    (router,) = case.rows("az1/OVN_Northbound", "Logical_Router")
    router["policies"] = [rows[0]["_uuid"]]
    return case


def test_all_that_is_rerouted_is_let_pass_by_one_command() -> None:
    case = policies(Altered(REROUTED), 29000)
    case.says("subnets: [pods]", "subnets: [pods, office]")
    message, what = told(case.plan(), "IC065")
    assert "10.17.0.0/16, 10.117.0.0/24, before" in message
    _, command = re.findall("`([^`]+)`", what)
    assert shlex.split(command)[2:] == [
        *("lr-policy-add", "router", "29001"),
        *("ip4.dst == {10.17.0.0/16, 10.117.0.0/24}", "allow"),
    ]


def test_of_many_some_are_told_and_all_are_let_pass() -> None:
    case = policies(Altered(REROUTED), 29000)
    (port,) = (
        one
        for one in case.rows("az2/OVN_Northbound", "Logical_Router_Port")
        if one["name"] == "router-office"
    )
    port["networks"] = [f"10.117.{2 * number}.1/24" for number in range(20)]
    case.says("subnets: [pods]", "subnets: [pods, office]")
    message, what = told(case.plan(), "IC065")
    assert " and 16 more, before" in message
    for number in range(20):
        assert f"10.117.{2 * number}.0/24" in what
    port["networks"] = [f"10.117.{number}.1/24" for number in range(16)]
    _, what = told(case.plan(), "IC065")
    assert "{10.17.0.0/16, 10.117.0.0/20}" in what


def test_nothing_comes_before_the_highest_priority() -> None:
    _, what = told(policies(Altered(REROUTED), 32767).plan(), "IC065")
    assert "lr-policy-del router 32767" in what
    assert "lr-policy-add" not in what


@pytest.mark.parametrize("hosts", [["192.168.65.3"], ["192.168.65.3", "192.168.65.4"]])
def test_nobody_is_told_to_leave_who_is_not_counted(hosts: list[str]) -> None:
    """The only member of a cluster takes an address that it does not know for its own."""
    case = Altered("rules/IC093-lost-member")
    found = [one["found"]["container"] for one in case.snapshot["hosts"] if one["found"]]
    for container in filter(None, found):
        container["members"]["OVN_IC_Southbound"] = hosts
    _, what = told(case.plan(), "IC093")
    assert "cluster/kick OVN_IC_Northbound 'tcp:[192.168.65.5]:6647'`" in what
    assert "OVN_IC_Southbound" not in what
    for container in filter(None, found):
        container["members"] = {}
    _, what = told(case.plan(), "IC093")
    assert "cluster/kick" not in what
    assert "ssh root@192.168.65.3 'tail -n 50 /var/log/ovn/" in what


def test_a_limit_says_which_number_it_needs() -> None:
    case = Altered("limits/disrupted-zones")
    _, what = told(case.plan(), "limit")
    assert "write `disruptedZones: 2` in `limits`" in what
    case.says("limits: {", "limits: {disruptedZones: 2, ")
    assert "limit" not in {one.code for one in case.plan().verdicts}


def test_every_command_of_a_cure_is_shown_whole() -> None:
    document = plan_document(policies(Altered(REROUTED), 29000).plan())
    (verdict,) = (one for one in document["verdicts"] if one["code"] == "IC065")
    for command in re.findall("`[^`]+`", verdict["cure"]):
        assert command in plan_text(document, Paint())
