"""Kube-OVN zones: who does the controller's work, what is written for whom, what stays behind."""

from __future__ import annotations

import pytest

from icplan.core.change import Action, Change, Reason
from icplan.core.kubernetes import DeleteObject, Expected, ReplaceData
from icplan.kinds import CHAIN, KINDS, kind_of
from icplan.kinds.common.contract import Held, Missing, Step
from icplan.planning.plan import Plan
from icplan.run.verify import verify
from tests.planning.altered import Case, said

CONTROLLER, OLDER = "ovn-ic-controller", "kube-ovn-controller"
REORDERED = "ic_config/gateways-reordered"
LEAVING = "subnet_advertisement/leaving"
ABSENT = ("gatewayNodes: [az1-gw1, az1-gw2]", "gatewayNodes: [az1-gw1, az1-gw2]\n    state: absent")


def steps(made: Plan, change: Change) -> tuple[Step, ...]:
    return kind_of(change.address.kind).steps(change, made.view)


def changes(made: Plan) -> list[str]:
    return [str(one.address) for one in made.changes]


# Who does the controller's work


@pytest.mark.parametrize("version", ["v1.17.0", "v1.11.0", "v1.11.16-debug"])
def test_without_its_own_deployment_nobody_does_the_work_from_1_11_on(version: str) -> None:
    case = Case(REORDERED).remove("az1", "Deployment", CONTROLLER).version("az1", OLDER, version)
    made = case.plan()
    ((message, cure),) = said(made, "IC038")
    assert made.refused
    assert f"there is no Deployment kube-system/{CONTROLLER}" in message
    assert f"ENABLE_IC is off in that cluster's Kube-OVN ({version})" in message
    assert cure.startswith("Set ENABLE_IC=true in the installation of Kube-OVN in az1")
    assert f"`kubectl --context az1 -n kube-system get deployment {CONTROLLER}`" in cure
    assert made.view.facts.clusters["az1"].version == version


def test_of_an_unknown_version_it_is_not_taken_for_the_controller() -> None:
    case = Case(REORDERED).remove("az1", "Deployment", CONTROLLER).version("az1", OLDER, "latest")
    ((message, _),) = said(case.plan(), "IC038")
    assert f"unless it is older than 1.11, which the image of {OLDER} does not tell" in message


def test_without_any_deployment_nothing_is_said_of_a_version() -> None:
    case = Case(REORDERED)
    for name in (CONTROLLER, OLDER):
        case.remove("az1", "Deployment", name)
    ((message, _),) = said(case.plan(), "IC038")
    assert message.endswith(f"there is no Deployment kube-system/{CONTROLLER}")


@pytest.mark.parametrize(
    ("wanted", "available", "trouble"),
    [
        (1, 1, ""),
        (3, 3, ""),
        (3, 1, ""),
        (3, 0, "has no available replica"),
        (0, 0, "has no available replica"),
    ],
)
def test_before_1_11_one_of_several_replicas_is_enough(
    wanted: int, available: int, trouble: str
) -> None:
    case = Case(REORDERED).remove("az1", "Deployment", CONTROLLER)
    case.version("az1", OLDER, "v1.10.9").replicas("az1", OLDER, wanted, available)
    made = case.plan()
    (change,) = made.changes
    (step,) = steps(made, change)
    verdicts = [guard.check.holds(made.view.facts) for guard in step.guards]
    if not trouble:
        assert said(made, "IC038") == []
        assert verdicts == [Held()]
        return
    ((message, cure),) = said(made, "IC038")
    assert message.endswith(f"Deployment kube-system/{OLDER} {trouble}")
    # One more would not start either.
    told = f"logs deployment/{OLDER} --tail=50" if wanted else f"scale deployment/{OLDER} "
    assert told in cure
    assert CONTROLLER not in cure
    (verdict,) = verdicts
    assert isinstance(verdict, Missing)
    assert verdict.cure[1:] in cure


@pytest.mark.parametrize(("wanted", "available"), [(0, 0), (2, 2)])
def test_of_its_own_deployment_exactly_one_must_run(wanted: int, available: int) -> None:
    ((message, cure),) = said(
        Case(REORDERED).replicas("az1", CONTROLLER, wanted, available).plan(), "IC038"
    )
    assert f"has {available} available replicas, not one" in message
    assert f"scale deployment/{CONTROLLER} --replicas=1" in cure


def test_a_rollout_is_waited_for() -> None:
    case = Case(REORDERED)
    case.object("az1", "Deployment", CONTROLLER)["status"]["updatedReplicas"] = 0
    ((message, cure),) = said(case.plan(), "IC038")
    assert "is in the middle of a rollout" in message
    assert f"`kubectl --context az1 -n kube-system rollout status deployment/{CONTROLLER}`" in cure


# A ConfigMap without data, and objects that are being deleted


@pytest.mark.parametrize("data", [None, {}], ids=["no data", "empty"])
def test_a_config_map_without_data_can_be_written_and_deleted(data: object) -> None:
    nothing = Expected(("data",), None)
    for leaves in (False, True):
        case = Case("ic_config/nothing-to-do")
        if leaves:
            case.edit(*ABSENT).edit("transitSwitches", "limits: {deletions: 1}\ntransitSwitches")
        config = case.object("az1", "ConfigMap", "ovn-ic-config")
        del config["data"]
        if data is not None:
            config["data"] = data
        made = case.plan()
        (change,) = made.changes
        first, *_, last = (step.operation for step in (*steps(made, change),) * 2)
        assert isinstance(first, ReplaceData)
        assert nothing in first.expected
        assert isinstance(last, DeleteObject if leaves else ReplaceData)


def test_what_is_being_deleted_is_there_as_it_is_for_the_controller() -> None:
    case = Case("subnet_advertisement/withhold-as-declared")
    stamp = {"deletionTimestamp": "2026-06-01T11:59:00Z", "finalizers": ["a/b"]}
    for kind, name in (
        ("ConfigMap", "ovn-ic-config"),
        ("Node", "az1-gw2"),
        ("Subnet", "office"),
    ):
        case.object("az1", kind, name)["metadata"] |= stamp
    made = case.plan()
    # Not made anew, which the API server would refuse; and neither missed nor given up.
    assert not made.changes
    assert not made.refused
    cluster = made.view.facts.clusters["az1"]
    assert cluster.config is not None
    assert cluster.node("az1-gw2") is not None
    assert cluster.subnet("office") is not None


# The chain of evidence


def test_the_chain_holds_every_kind_once() -> None:
    assert sorted(one.name for one in CHAIN) == sorted(one.name for one in KINDS)


def broken(case: Case) -> dict[tuple[str, str], str]:
    """By zone, and peer, the claim that verify shows as the first one that is missing."""
    first = verify(case.plan()).first_broken()
    return {(check.address.site, check.peer): check.claim for check, _ in first}


def advertised(case: Case) -> Case:
    """The Subnet that is to be withheld is advertised."""
    routes = case.rows("ic/OVN_IC_Southbound", "Route")
    (mine,) = (one for one in routes if one["ip_prefix"] == "10.16.0.1/16")
    routes.append(mine | {"_uuid": "00000000-0000-0000-0000-000000000001"})
    routes[-1]["ip_prefix"] = "10.116.0.1/24"
    return case


def test_a_dead_controller_is_told_before_what_it_does_not_do() -> None:
    declared = "subnet_advertisement/withhold-as-declared"
    assert broken(advertised(Case(declared)))["az1", ""] == "office of az1 is not advertised"
    case = advertised(Case(declared)).replicas("az1", CONTROLLER, 0, 0)
    assert broken(case) == {("az1", ""): "the controller of az1 runs"}


def test_a_config_map_that_differs_is_told_before_what_comes_of_it() -> None:
    case = advertised(Case("subnet_advertisement/withhold-as-declared"))
    case.object("az1", "ConfigMap", "ovn-ic-config")["data"]["ic-db-host"] = "127.0.0.9"
    assert broken(case) == {("az1", ""): "the ConfigMap of az1 is as declared"}


def without_switches(case: Case) -> Case:
    """az1's ovn-ic has not copied the transit switches."""
    for row in case.rows("az1/OVN_Northbound", "Logical_Switch"):
        row["other_config"].pop("interconn-ts", None)
    return case


def test_ovn_ic_lives_with_the_controller() -> None:
    case = without_switches(Case("ic_config/nothing-to-do")).replicas("az1", CONTROLLER, 0, 0)
    assert broken(case) == {("az1", ""): "the controller of az1 runs"}


@pytest.mark.parametrize("case", ["ic_config/nothing-to-do", "start/nothing-to-do"])
def test_a_switch_that_is_not_copied_is_a_link_in_the_chain_of_its_zone(case: str) -> None:
    altered = without_switches(Case(case))
    # What cannot hold without it, such as the port on it and what az2 learns, is not told too.
    assert broken(altered) == {("az1", ""): "ovn-ic of az1 has made the switch ts"}


# A zone that leaves gives its Subnets back last


def test_nobody_has_to_carry_out_what_is_given_back() -> None:
    made = Case(LEAVING).plan()
    assert changes(made) == ["az1/ic-config", "az1/subnet/office"]
    subnet = made.changes[1]
    assert (subnet.action, subnet.reason) == (Action.UPDATE, Reason.LEAVING)
    assert [step.guards for step in steps(made, subnet)] == [()]
    # It is the ConfigMap alone that is deleted.
    assert not said(made, "limit")


def test_a_leaving_that_was_interrupted_ends_with_what_was_left_behind_first() -> None:
    case = Case(LEAVING).remove("az1", "ConfigMap", "ovn-ic-config")
    made = case.plan()
    assert changes(made) == ["az1/ic-config", "az1/subnet/office"]
    assert not made.refused
    first, *_ = made.waves
    awaited = {check.claim: check for check in first.awaits}
    check = awaited["the controller of az1 has taken the interconnection down"]
    assert isinstance(check.holds(made.view.facts), Missing)
    # Nobody would take it away.
    case.replicas("az1", CONTROLLER, 0, 0)
    assert said(case.plan(), "IC038")


def test_a_zone_that_leaves_withholds_nothing_that_it_did_not_withhold_yet() -> None:
    case = Case(LEAVING)
    office = case.object("az1", "Subnet", "office")
    del office["metadata"]["annotations"]
    del office["spec"]["disableInterConnection"]
    assert changes(case.plan()) == ["az1/ic-config"]


def test_a_subnet_of_a_zone_that_stays_is_given_back_as_ever() -> None:
    made = Case("subnet_advertisement/withhold-taken-back").plan()
    (subnet,) = (one for one in made.changes if one.address.kind == "subnet")
    assert subnet.reason is Reason.DIFFERS
    assert all(step.guards for step in steps(made, subnet))


# Another subnet for a transit switch


OTHER = ("transitSwitches: 1", "transitSwitches: {subnets: [10.98.0.0/24]}")
DUAL = ("transitSwitches: 1", "transitSwitches: {count: 1, family: dual}")
HERE = "169.254.100.0/24"
CONVERGED = "ic_config/nothing-to-do"


def on_the_old_subnet(case: Case) -> list[str]:
    return [message for message, _ in said(case.plan(), "IC057")]


@pytest.mark.parametrize(
    ("edit", "wanted"), [(OTHER, "10.98.0.0/24"), (DUAL, f"{HERE},fe80:a9fe:64::/112")]
)
def test_ports_are_not_left_outside_of_a_switch_s_subnet(
    edit: tuple[str, str], wanted: str
) -> None:
    expected = [
        f"the port of az{zone} on ts has 169.254.100.2{zone}/24, and its controller does not move "
        f"it to {wanted}"
        for zone in (1, 2)
    ]
    assert on_the_old_subnet(Case(CONVERGED).edit(*edit)) == expected
    # Nor while the switch is nobody's yet.
    unmarked = Case(CONVERGED).edit(*edit)
    for row in unmarked.rows("ic/OVN_IC_Northbound", "Transit_Switch"):
        del row["external_ids"]["icplan"]
    assert on_the_old_subnet(unmarked) == expected


def test_a_port_that_is_seen_in_the_ic_databases_alone_is_not_left_either() -> None:
    case = Case(CONVERGED).edit(*OTHER).lose("az2/OVN_Northbound")
    published = case.rows("ic/OVN_IC_Southbound", "Port_Binding")
    (network,) = (one["address"].split()[1] for one in published if one["logical_port"] == "ts-az2")
    assert f"the port of az2 on ts has {network}," in on_the_old_subnet(case)[1]


def test_where_no_port_is_left_outside_a_switch_may_become_anything() -> None:
    adopted = Case(CONVERGED)
    for row in adopted.rows("ic/OVN_IC_Northbound", "Transit_Switch"):
        del row["external_ids"]["icplan"]
    assert changes(adopted.plan()) == ["ic/transit-switch/ts"]
    assert on_the_old_subnet(adopted) == []
    created = Case("ic_config/first-plan").edit(*OTHER)
    assert "ic/transit-switch/ts" in changes(created.plan())
    assert on_the_old_subnet(created) == []
    # Nobody has joined yet.
    altered = Case("ic_config/first-plan").edit(*OTHER)
    switch = {"name": "ts", "external_ids": {"icplan": "prod", "subnet": HERE}}
    row = switch | {"_uuid": "00000000-0000-0000-0000-000000000001"}
    altered.rows("ic/OVN_IC_Northbound", "Transit_Switch")[:] = [row]
    assert "ic/transit-switch/ts" in changes(altered.plan())
    assert on_the_old_subnet(altered) == []
    # Whoever leaves needs no place on it.
    leaving = Case(CONVERGED).edit(*OTHER).edit(*ABSENT)
    assert [one for one in on_the_old_subnet(leaving) if "az1" in one] == []


# What the rules say


def test_gateways_of_a_zone_that_is_switched_off_rebuild_nothing() -> None:
    assert said(Case("rules/IC041-old-version").plan(), "IC041")
    off = Case("rules/IC041-old-version")
    off.object("az1", "ConfigMap", "ovn-ic-config")["data"]["enable-ic"] = "false"
    assert changes(off.plan()) == ["az1/ic-config"]
    assert said(off.plan(), "IC041") == []


def test_a_newer_controller_is_said_to_keep_what_others_withheld() -> None:
    for version, sticky in (("v1.17.0", True), ("v1.15.23", False), ("latest", True)):
        case = Case("rules/IC046-withheld-by-others").version("az1", CONTROLLER, version)
        ((_, cure),) = said(case.plan(), "IC046")
        assert ("switch az1 off and on" in cure) is sticky


def test_a_cluster_without_its_router_is_told_what_to_look_at() -> None:
    case = Case(CONVERGED)
    case.rows("az1/OVN_Northbound", "Logical_Router").clear()
    ((message, cure),) = said(case.plan(), "IC015")
    assert message == "az1 has no router ovn-cluster (there are: none)"
    assert f"`kubectl --context az1 -n kube-system get deployment {OLDER}`" in cure
    assert "Correct the name" not in cure
    twice = Case(CONVERGED)
    rows = twice.rows("az1/OVN_Northbound", "Logical_Router")
    rows.append(rows[0] | {"_uuid": "00000000-0000-0000-0000-000000000001", "ports": []})
    ((_, cure),) = said(twice.plan(), "IC015")
    assert cure.startswith("Delete all but the one that Kube-OVN made")


# Routes by hand


def by_hand(case: Case, prefix: str, hop: str, **more: object) -> Case:
    """A static route of az1's router."""
    uuid = "00000000-0000-0000-0000-000000000002"
    row: dict[str, object] = {"_uuid": uuid, "ip_prefix": prefix, "nexthop": hop, "policy": None}
    row |= {"route_table": "", "external_ids": {}} | more
    case.rows("az1/OVN_Northbound", "Logical_Router_Static_Route").append(row)
    (router,) = case.rows("az1/OVN_Northbound", "Logical_Router")
    router["static_routes"].append(uuid)
    return case


def address_of(case: Case, port: str) -> str:
    published = case.rows("ic/OVN_IC_Southbound", "Port_Binding")
    (network,) = (one["address"].split()[1] for one in published if one["logical_port"] == port)
    return str(network.partition("/")[0])


@pytest.mark.parametrize("case", [CONVERGED, "start/nothing-to-do"])
def test_a_route_by_hand_is_told_apart_from_an_overlap(case: str) -> None:
    hop = address_of(Case(case), "ts-az2")
    made = by_hand(Case(case), "10.17.5.0/24", hop).plan()
    ((message, cure),) = said(made, "IC059")
    assert message.startswith(f"10.17.5.0/24 of az1 is a route by hand to az2 ({hop}), and az1 ")
    assert f"lr-route-del {'router' if case.startswith('start') else 'ovn-cluster'} " in cure
    assert "routePolicy: manual" in cure
    assert said(made, "IC018") == []
    # One that leads elsewhere is still an overlap.
    made = by_hand(Case(case), "10.17.5.0/24", "10.16.0.77").plan()
    assert said(made, "IC059") == []
    assert len(said(made, "IC018")) == 1


@pytest.mark.parametrize(
    "route",
    [
        {"prefix": "0.0.0.0/0"},
        {"policy": "src-ip"},
        {"external_ids": {"ic-learned-route": "00000000-0000-0000-0000-000000000003"}},
        {"route_table": "other"},
    ],
    ids=["default route", "by source", "learned", "in another table"],
)
def test_a_route_that_is_not_advertised_harms_nobody(route: dict[str, object]) -> None:
    hop = address_of(Case(CONVERGED), "ts-az2")
    more = {"prefix": "10.99.0.0/24"} | route
    prefix = str(more.pop("prefix"))
    assert said(by_hand(Case(CONVERGED), prefix, hop, **more).plan(), "IC059") == []


def test_a_route_by_hand_that_is_withheld_harms_nobody() -> None:
    case = Case("start/nothing-to-do")
    hop = address_of(case, "ts-az2")
    withheld = (
        "gatewayNodes: [az1-gw1, az1-gw2]",
        "gatewayNodes: [az1-gw1, az1-gw2]\n    withhold: [10.99.0.0/16]",
    )
    assert len(said(by_hand(case, "10.99.0.0/24", hop).plan(), "IC059")) == 1
    assert said(case.edit(*withheld).plan(), "IC059") == []


def test_marks_are_looked_for_where_they_are() -> None:
    made = (
        Case("subnet_advertisement/withhold-as-declared").edit("{name: prod}", "{name: x}").plan()
    )
    cures = {
        message.partition(" ")[0]: cure.rpartition(": ")[2] for message, cure in said(made, "IC012")
    }
    assert cures == {
        "az1/ic-config": "its annotation icplan/owner.",
        "az1/subnet/office": "its annotation icplan/owner.",
        "az2/ic-config": "its annotation icplan/owner.",
        "ic/transit-switch/ts": "icplan in its external_ids.",
    }
    plain = Case("start/nothing-to-do").edit("{name: prod}", "{name: x}").plan()
    ends = {message.split()[0]: cure for message, cure in said(plain, "IC012")}
    assert ends["az1/route-exchange"].endswith(": icplan-routes in its external_ids.")
    counted = Case("switch_count/as-declared").edit("{name: prod}", "{name: x}").plan()
    ends = {message.split()[0]: cure for message, cure in said(counted, "IC012")}
    assert ends["ic/switch-count"].endswith(": its annotation icplan/owner.")
