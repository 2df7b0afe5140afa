"""A cluster that runs the IC databases: what is made, what is written, and what is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeAlias

import orjson
import pytest

from icplan.core import snapshot as snapshots
from icplan.core.change import Action, Change
from icplan.core.io import Snapshot
from icplan.core.kubernetes import CreateObject, DeleteObject, FieldChange, PatchFields, Tree, at
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Held, Missing, Step, Verdict
from icplan.kinds.ic_server.manifest import manifest
from icplan.ovn.facts import decode
from icplan.planning.plan import Plan, make_plan
from icplan.run.apply import _locked
from icplan.run.verify import verify
from icplan.spec.load import read
from tests.planning.altered import Case, said

# What orjson gives back.
Json: TypeAlias = Any

CONTAINER = ("spec", "template", "spec", "containers", "0")
MARK = ("metadata", "annotations", "icplan/owner")


def changes(made: Plan) -> dict[str, str]:
    return {str(one.address): one.action.value for one in made.changes}


def change_of(made: Plan, address: str) -> Change:
    (found,) = (one for one in made.changes if str(one.address) == address)
    return found


def step_of(made: Plan, address: str) -> Step:
    change = change_of(made, address)
    (step,) = kind_of(change.address.kind).steps(change, made.view)
    return step


def environment(case: Case) -> list[Json]:
    found = case.object("az1", "Deployment", "ovn-ic-server")
    variables: list[Json] = found["spec"]["template"]["spec"]["containers"][0]["env"]
    return variables


def told(case: Case, name: str, value: str) -> Case:
    (entry,) = (one for one in environment(case) if one["name"] == name)
    entry["value"] = value
    return case


# The new object


def test_the_pods_run_where_and_as_the_image_wants_it() -> None:
    body = manifest("prod", "kube-ovn:v1", ("10.0.0.1", "10.0.0.2", "10.0.0.3"), "2")
    assert at(body, MARK) == "prod"
    assert at(body, ("spec", "replicas")) == 3
    rolling: Tree = {"maxSurge": 0, "maxUnavailable": 1}
    assert at(body, ("spec", "strategy", "rollingUpdate")) == rolling
    pod = ("spec", "template", "spec")
    assert at(body, (*pod, "hostNetwork")) is True
    assert at(body, (*pod, "nodeSelector", "kube-ovn/role")) == "master"
    (apart,) = orjson.loads(orjson.dumps(at(body, (*pod, "affinity", "podAntiAffinity")))).values()
    assert apart[0]["topologyKey"] == "kubernetes.io/hostname"
    selected = at(body, ("spec", "selector", "matchLabels"))
    assert isinstance(selected, dict)
    labels = at(body, ("spec", "template", "metadata", "labels"))
    assert isinstance(labels, dict)
    assert selected.items() <= labels.items()
    variables: Json = at(body, (*CONTAINER, "env"))
    set_here = {one["name"]: one["value"] for one in variables if "value" in one}
    assert set_here == {
        "ENABLE_SSL": "false",
        "OVN_LEADER_PROBE_INTERVAL": "5",
        "TS_NUM": "2",
        "NODE_IPS": "10.0.0.1,10.0.0.2,10.0.0.3",
    }
    assert {one["name"] for one in variables} - {*set_here} == {
        *("POD_IP", "POD_IPS", "POD_NAME", "POD_NAMESPACE"),
    }
    for probe in ("readinessProbe", "livenessProbe"):
        command: Json = at(body, (*CONTAINER, probe, "exec", "command"))
        assert command[-1] == "/kube-ovn/ovn-ic-healthcheck.sh"
    mounts: Json = at(body, (*CONTAINER, "volumeMounts"))
    hosts: Json = at(body, (*pod, "volumes"))
    path = {one["name"]: one["hostPath"]["path"] for one in hosts}
    assert {one["mountPath"]: path[one["name"]] for one in mounts}["/etc/ovn"] == "/etc/origin/ovn"


def test_it_is_made_with_what_the_file_says() -> None:
    made = Case("ic_server/first-plan").plan()
    assert changes(made) == {
        "ic/deployment": "create",
        "az1/ic-config": "create",
        "az2/ic-config": "create",
    }
    write = step_of(made, "ic/deployment").operation
    assert isinstance(write, CreateObject)
    image = "docker.io/kubeovn/kube-ovn:v1.17.0"
    assert write.body == manifest("prod", image, ("198.51.100.1",), "2")
    # There is no place yet for the global lock.
    assert _locked(made) == ["az1", "az2"]


def test_somebody_elses_silence_is_no_absence() -> None:
    case = Case("ic_server/first-plan")
    assert case.plan().view.facts.ic_absent
    case.text = case.text.replace(
        case.text[case.text.index("deployment:") : case.text.index("hosts:")], ""
    )
    other = case.plan()
    assert not other.view.facts.ic_absent
    assert other.unseen


# What is there


def test_a_comma_behind_the_last_member_is_no_difference() -> None:
    case = told(Case("ic_server/as-declared"), "NODE_IPS", "198.51.100.1, ")
    assert changes(case.plan()) == {}


def test_members_stay_in_their_order_whatever_the_file_has() -> None:
    case = Case("ic_server/as-declared-of-three")
    case.edit(
        "198.51.100.1, 198.51.100.2, 198.51.100.3", "198.51.100.3, 198.51.100.2, 198.51.100.1"
    )
    assert "ic/deployment" not in changes(case.plan())


def test_only_what_differs_is_written() -> None:
    write = step_of(Case("ic_server/another-image").plan(), "ic/deployment").operation
    assert isinstance(write, PatchFields)
    image = "docker.io/kubeovn/kube-ovn:v1.17."
    assert write.changes == (
        FieldChange((*CONTAINER, "name"), "ovn-ic-server", "ovn-ic-server"),
        FieldChange((*CONTAINER, "image"), f"{image}0", f"{image}1"),
        FieldChange(MARK, "prod", "prod"),
    )
    write = step_of(Case("ic_server/members-added").plan(), "ic/deployment").operation
    assert isinstance(write, PatchFields)
    paths = {one.path[-1]: (one.before, one.after) for one in write.changes}
    assert paths["replicas"] == (1, 3)
    assert paths["value"] == ("198.51.100.1", "198.51.100.1,198.51.100.2,198.51.100.3")
    # Its mark alone is no rollout: nothing of the pods' template is touched.
    write = step_of(Case("ic_server/unmarked").plan(), "ic/deployment").operation
    assert isinstance(write, PatchFields)
    assert [one.path for one in write.changes if one.before != one.after] == [MARK]


def test_two_changes_of_one_object_do_not_stand_in_each_others_way() -> None:
    made = Case("ic_server/unmarked-and-other").plan()
    first, second = (
        step_of(made, address).operation for address in ("ic/deployment", "ic/switch-count")
    )
    assert isinstance(first, PatchFields)
    assert isinstance(second, PatchFields)
    assert first.changes[-1] == FieldChange(MARK, None, "prod")
    assert second.changes[-1] == FieldChange(MARK, "prod", "prod")
    assert {one.path for one in first.changes} & {one.path for one in second.changes} == {MARK}


def test_members_without_a_variable_get_one() -> None:
    case = Case("ic_server/as-declared")
    variables = environment(case)
    variables[:] = [one for one in variables if one["name"] != "NODE_IPS"]
    write = step_of(case.plan(), "ic/deployment").operation
    assert isinstance(write, PatchFields)
    new = {"name": "NODE_IPS", "value": "198.51.100.1"}
    path = (*CONTAINER, "env", str(len(variables)))
    assert FieldChange(path, None, new) in write.changes


@pytest.mark.parametrize("address", ["2001:db8::7", "192.0.2.7"])
def test_a_pod_listens_at_what_its_node_lists_first(address: str) -> None:
    case = Case("ic_server/as-declared").edit("hosts: [198.51.100.1]", f'hosts: ["{address}"]')
    node = case.object("az1", "Node", "az1-m1")
    node["status"]["addresses"].append({"type": "InternalIP", "address": address})
    ((message, cure),) = said(case.plan(), "IC096")
    assert f"{address} is not what az1-m1 lists first: that is 198.51.100.1" in message
    assert "hosts: [198.51.100.1]" in cure


def test_no_more_than_half_of_the_members_are_replaced() -> None:
    case = Case("ic_server/member-replaced")
    assert said(case.plan(), "IC098") == []
    case.remove("az1", "Node", "az1-m2")
    ((message, cure),) = said(case.plan(), "IC098")
    assert "only 198.51.100.1 would stay" in message
    # No label brings the other Node back.
    assert "`kubectl --context az1 label node az1-m3 kube-ovn/role=master`" in cure
    case.remove("az1", "Node", "az1-m3")
    ((_, cure),) = said(case.plan(), "IC098")
    assert "`kubectl --context az1 -n kube-system delete deployment ovn-ic-server`" in cure


# What cannot be seen


@pytest.mark.parametrize("zone", ["az1", "az2"])
def test_switches_as_declared_are_no_trouble_without_a_zone(zone: str) -> None:
    case = Case("ic_server/as-declared")
    spec = replace(read(case.text.encode(), "interconnect.yaml"), without=frozenset({zone}))
    made = make_plan(spec, snapshots.decode(orjson.dumps(case.snapshot)))
    assert changes(made) == {}
    assert not made.unclear


def test_the_databases_are_silent_since_the_pods_do_not_run() -> None:
    case = Case("ic_server/databases-silent").replicas("az1", "ovn-ic-server", 1, 0)
    made = case.plan()
    assert changes(made) == {}
    (why,) = made.unclear.values()
    assert "it has 0 of 1 replicas available" in why.cause
    image = "ovn-ic-server=docker.io/kubeovn/kube-ovn:v1.17.1"
    assert f"set image deployment/ovn-ic-server {image}" in why.cure
    case.edit("v1.17.1", "v1.17.0")
    (why,) = case.plan().unclear.values()
    assert "see why its pods in az1 do not run: `kubectl --context az1 " in why.cure


# Evidence


def verdicts(case: Case) -> dict[str, Verdict]:
    made = case.plan()
    seen = decode(snapshots.decode(orjson.dumps(case.snapshot)))
    return {
        one.claim: one.holds(seen) for one in made.checks if str(one.address) == "ic/deployment"
    }


def test_the_evidence_is_that_pods_run_lead_and_answer() -> None:
    case = Case("ic_server/as-declared")
    assert all(isinstance(one, Held) for one in verdicts(case).values())
    pod = case.object("az1", "Pod", "ovn-ic-server-5d8c7b9f64-az1-m1")
    pod["metadata"]["labels"]["ovn-ic-sb-leader"] = "false"
    case.replicas("az1", "ovn-ic-server", 1, 0)
    missing = [one for one in verdicts(case).values() if isinstance(one, Missing)]
    assert [one.why for one in missing] == [
        "Deployment kube-system/ovn-ic-server of az1: it has 0 of 1 replicas available",
        "no pod of Deployment kube-system/ovn-ic-server of az1 has the label ovn-ic-sb-leader=true",
    ]


def test_databases_that_are_not_there_are_no_evidence() -> None:
    made = Case("ic_server/first-plan").plan()
    report = verify(made)
    (check, broken), *_ = report.first_broken()
    assert str(check.address) == "ic/deployment"
    assert broken.why == "Deployment kube-system/ovn-ic-server of az1: it is not there"
    assert "icplan apply" in broken.cure
    assert "there are no IC databases" in {why.why for _, why in report.missing}


def test_a_new_deployment_is_waited_for_before_anything_else_is_written() -> None:
    made = Case("ic_server/first-plan").plan()
    first = made.waves[0]
    assert [str(one.address) for one in first.changes] == ["ic/deployment"]
    claims = [one.claim for one in first.awaits]
    assert "the transit switches are ts, ts1" in claims
    assert "its pods lead both IC databases" in claims


# The end


def destroyed(case: Case) -> Plan:
    spec = replace(read(case.text.encode(), "interconnect.yaml"), destroyed=True)
    return make_plan(spec, snapshots.decode(orjson.dumps(case.snapshot)))


def test_it_is_deleted_last_and_only_when_nobody_is_registered() -> None:
    case = Case("ic_server/as-declared")
    made = destroyed(case)
    change = change_of(made, "ic/deployment")
    assert change.action is Action.DELETE
    assert made.waves[-1].title == "the IC databases"
    assert "ic/switch-count" not in changes(made)
    step = step_of(made, "ic/deployment")
    assert isinstance(step.operation, DeleteObject)
    assert step.operation.uid
    (guard,) = step.guards
    seen = snapshots.decode(orjson.dumps(case.snapshot))
    verdict = guard.check.holds(decode(seen))
    assert isinstance(verdict, Missing)
    assert "az1, az2 would be left without IC databases" in verdict.why
    case.rows("ic/OVN_IC_Southbound", "Availability_Zone").clear()
    seen = snapshots.decode(orjson.dumps(case.snapshot))
    only = {one: found for one, found in seen.databases.items() if one.site == "ic"}
    assert isinstance(guard.check.holds(decode(Snapshot(seen.observed_at, only))), Held)


def test_hosts_that_are_no_masters_any_more_do_not_keep_it() -> None:
    case = Case("ic_server/as-declared").edit("hosts: [198.51.100.1]", "hosts: [198.51.100.9]")
    assert said(case.plan(), "IC096")
    made = destroyed(case)
    assert said(made, "IC096") == []
    assert "ic/deployment" in changes(made)


def test_somebody_elses_deployment_is_not_deleted() -> None:
    assert "ic/deployment" not in changes(destroyed(Case("ic_server/unmarked")))


def test_what_the_file_declares_no_more_is_not_deleted() -> None:
    assert changes(Case("ic_server/declared-no-more").plan()) == {}
