"""IC databases that a cluster runs: Kube-OVN's Deployment, made, changed and taken away by icplan.

Real raft servers; a stand-in plays what runs in the Deployment's pods (`icplan.lab.kubernetes`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from icplan.cli.planning import open_databases
from icplan.core.change import Action
from icplan.errors import Exit, IcplanError
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Held
from icplan.lab import Lab, LabOptions, wait_until
from icplan.lab.kubernetes.client import Json
from icplan.lab.kubernetes.cluster import CONFIG_MAPS, DEPLOYMENTS
from icplan.planning.plan import make_plan
from icplan.run.apply import Waits, apply
from icplan.run.observe import observe
from icplan.run.runlog import RunLog
from icplan.spec.load import read
from tests.cases.world import _Silent
from tests.real.conftest import Icplan, kill_at_write
from tests.roles import grant, token_file

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]
CONFIG = f"{CONFIG_MAPS}/ovn-ic-config"
SERVER = f"{DEPLOYMENTS}/ovn-ic-server"
IMAGE = "docker.io/kubeovn/kube-ovn:v1.17.0"
NEWER = "docker.io/kubeovn/kube-ovn:v1.17.1"
LABEL = "kube-ovn/role"


@contextmanager
def deployable(directory: Path, members: int = 1) -> Iterator[Lab]:
    """Two clusters, and no IC databases until the first of them has a Deployment for them."""
    options = LabOptions(
        kubernetes=True,
        play_ovn_controller=True,
        play_kube_ovn=True,
        collisions=False,
        members=members,
        ic_cluster="az1",
    )
    with Lab(directory / "lab", options) as lab:
        deployment = f"  deployment: {{runtime: kubernetes, zone: az1, image: '{IMAGE}'}}\n"
        text = lab.interconnect_file.read_text()
        text = text.replace("icDatabase:\n", f"icDatabase:\n{deployment}")
        limits = "limits: {disruptedZones: 2, deletions: 3}\n"
        lab.interconnect_file.write_text(text.replace("icDatabase:\n", f"{limits}icDatabase:\n"))
        yield lab


@pytest.fixture
def lab(short_path: Path) -> Iterator[Lab]:
    with deployable(short_path) as lab:
        yield lab


@pytest.fixture
def raft(short_path: Path) -> Iterator[Lab]:
    with deployable(short_path, members=3) as lab:
        yield lab


def server(lab: Lab) -> Json:
    return lab.clusters["az1"].cluster.api.get(SERVER)


def environment(lab: Lab) -> dict[str, str]:
    (container,) = server(lab)["spec"]["template"]["spec"]["containers"]
    return {one["name"]: str(one.get("value", "")) for one in container["env"]}


def pods(lab: Lab) -> set[str]:
    found = lab.clusters["az1"].cluster.pods("app=ovn-ic-server")
    return {one["metadata"]["name"] for one in found}


def listed(lab: Lab, table: str) -> set[str]:
    """The names in a table of the IC databases; none while these do not answer."""
    try:
        tool = lab.ic.nbctl if table == "Transit_Switch" else lab.ic.sbctl
        return set(tool("--bare", "--columns=name", "list", table).split())
    except IcplanError:
        return set()


def port(lab: Lab, zone: str, switch: str = "ts") -> str:
    columns = ("--bare", "--columns=networks", "find", "Logical_Router_Port")
    return lab.zones[zone].nbctl(*columns, f"name={zone}-{switch}").strip()


def learned(lab: Lab, zone: str) -> str:
    return lab.zones[zone].nbctl("lr-route-list", "ovn-cluster")


def running(lab: Lab) -> list[bool]:
    return [lab.ic.running(number) for number, _ in enumerate(lab.ic.hosts, start=1)]


def test_a_cluster_runs_the_databases_from_nothing(lab: Lab, icplan: Icplan) -> None:
    assert running(lab) == [False]
    icplan.edit("count: 1", "count: 2")
    plan = icplan("plan")
    assert plan.exit == 0, plan.out + plan.err
    assert "TS_NUM 2 makes the transit switches ts, ts1" in " ".join(plan.out.split())
    creates = {"ic/deployment": "create", "az1/ic-config": "create", "az2/ic-config": "create"}
    assert icplan.changes() == creates

    done = icplan.apply()
    assert "3 of 3 changes written, all evidence seen" in done.out
    assert "Unable to open stream" not in done.err
    assert listed(lab, "Transit_Switch") == {"ts", "ts1"}
    assert "icplan=" not in lab.ic.nbctl("list", "Transit_Switch")
    assert listed(lab, "Availability_Zone") == {"az1", "az2"}
    assert "10.17.0.0/16" in learned(lab, "az1")
    assert "10.16.0.0/16" in learned(lab, "az2")
    assert icplan("verify").exit == 0
    assert icplan("plan", "--detailed-exitcode").exit == 0
    assert server(lab)["metadata"]["annotations"]["icplan/owner"] == "lab"
    assert server(lab)["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "icplan"

    # Another image: the pods are others, and nobody has felt it.
    before, places = pods(lab), [port(lab, "az1"), port(lab, "az2")]
    icplan.edit(IMAGE, NEWER)
    assert icplan.changes() == {"ic/deployment": "update"}
    assert "no zone learns anything meanwhile" in " ".join(icplan("plan").out.split())
    icplan.apply()
    assert len(pods(lab)) == 1
    assert not pods(lab) & before
    assert listed(lab, "Availability_Zone") == {"az1", "az2"}
    assert [port(lab, "az1"), port(lab, "az2")] == places
    assert icplan("verify").exit == 0
    assert icplan.changes() == {}

    # Another number of switches is a variable of it, as where somebody else has deployed it.
    icplan.edit("count: 2", "count: 1")
    assert icplan.changes() == {"ic/switch-count": "update"}
    icplan.apply()
    assert environment(lab)["TS_NUM"] == "1"
    assert listed(lab, "Transit_Switch") == {"ts"}
    assert icplan.changes() == {}

    # Its mark is lost, and somebody has told it other members: both come back.
    api = lab.clusters["az1"].cluster.api
    api.patch(SERVER, {"metadata": {"annotations": {"icplan/owner": None}}})
    assert icplan.changes() == {"ic/deployment": "adopt"}
    pods_before = pods(lab)
    icplan.apply()
    assert pods(lab) == pods_before
    api.patch(SERVER, {"metadata": {"annotations": {"icplan/owner": "stage"}}})
    assert icplan("plan").exit == Exit.REFUSED
    api.patch(SERVER, {"metadata": {"annotations": {"icplan/owner": "lab"}}})
    assert icplan.changes() == {}


def test_it_is_deleted_by_hand_and_comes_back_with_what_it_held(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    lab.clusters["az1"].cluster.api.delete(SERVER)
    wait_until(lambda: not any(running(lab)), "the databases end with the pod")
    assert icplan.changes() == {"ic/deployment": "create"}
    icplan.apply()
    assert listed(lab, "Availability_Zone") == {"az1", "az2"}
    assert icplan("verify").exit == 0
    assert icplan.changes() == {}


def test_three_members_by_the_role_alone_and_one_by_one(raft: Lab, short_path: Path) -> None:
    lab, icplan = raft, Icplan(short_path, raft.interconnect_file)
    icplan.edit("icDatabase:\n", "icDatabase:\n  reach: {through: az1}\n")
    for name, zone in lab.clusters.items():
        grant(zone.cluster)
        mine = token_file(zone.cluster, short_path / f"{name}.json", "icplan-apply")
        there = f"context: {name}, kubeconfig: {lab.kubeconfig.name}"
        icplan.edit(there, f"context: {name}, kubeconfig: {mine}")
    wait_until(lambda: icplan("plan").exit == 0, "the role icplan-apply is in force")
    icplan.apply()
    assert running(lab) == [True, True, True]
    assert lab.ic.leader() is not None
    assert icplan("verify").exit == 0
    assert icplan.changes() == {}

    icplan.edit(IMAGE, NEWER)
    fewest, over = [3], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            fewest.append(sum(running(lab)))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        before = pods(lab)
        icplan.apply()
    finally:
        over.set()
        watching.join()
    assert not pods(lab) & before
    assert min(fewest) == 2
    assert icplan("verify").exit == 0
    assert icplan.changes() == {}


def test_members_are_added(raft: Lab, short_path: Path) -> None:
    lab, icplan = raft, Icplan(short_path, raft.interconnect_file)
    cluster, hosts = lab.clusters["az1"].cluster, lab.ic.hosts
    for number in (2, 3):
        cluster.set_node_label(f"az1-m{number}", LABEL, None)
    icplan.edit(", ".join(hosts), hosts[0])
    icplan.apply()
    assert running(lab) == [True, False, False]

    # In another order in the file: who is there first stays first, and others join by it.
    icplan.edit(f"hosts: [{hosts[0]}]", f"hosts: [{hosts[2]}, {hosts[0]}, {hosts[1]}]")
    refused = icplan("plan")
    assert refused.exit == Exit.REFUSED
    assert f"{hosts[2]} is the address of none" in " ".join(refused.out.split())
    for number in (2, 3):
        cluster.set_node_label(f"az1-m{number}", LABEL, "master")
    assert icplan.changes()["ic/deployment"] == "update"
    icplan.apply()
    assert environment(lab)["NODE_IPS"] == f"{hosts[0]},{hosts[2]},{hosts[1]}"
    assert running(lab) == [True, True, True]
    assert listed(lab, "Availability_Zone") == {"az1", "az2"}
    assert icplan("verify").exit == 0
    assert icplan.changes() == {}

    # With the one that begins first gone, the others have what it had.
    lab.ic.kill_member(1)
    wait_until(lambda: lab.ic.leader() in {2, 3}, "another member leads")
    assert listed(lab, "Availability_Zone") == {"az1", "az2"}


def test_killed_at_each_write_it_comes_to_the_same_end(lab: Lab, icplan: Icplan) -> None:
    for number in (1, 2, 3):
        kill_at_write(icplan, number)
        # What was killed right after its write may just be starting.
        wait_until(lambda: icplan("plan").exit == 0, "the databases are there, or not yet made")
        icplan.apply()
        assert icplan("verify").exit == 0
        assert icplan.changes() == {}
        for zone in lab.clusters.values():
            zone.cluster.api.delete(CONFIG)
        wait_until(lambda: not listed(lab, "Availability_Zone"), "nobody is registered")
        lab.clusters["az1"].cluster.api.delete(SERVER)
        wait_until(lambda: not any(running(lab)) and not pods(lab), "nothing runs any more")
        lab.ic.forget_member(1)


def test_nothing_is_planned_for_what_its_cluster_hides(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit("count: 1", "count: 2")
    without = icplan("plan", "--without", "az1")
    assert without.exit == Exit.FAILED
    told = " ".join(without.out.split())
    assert (
        "how many transit switches Deployment kube-system/ovn-ic-server of az1 makes is not "
        "known: az1 is left out"
    ) in told
    api = lab.clusters["az1"].cluster.server
    api.server.stop()
    try:
        unseen = icplan("plan")
        assert unseen.exit == Exit.FAILED
        assert "ic/switch-count" in unseen.out
        assert icplan("apply", "--auto-approve", "--timeout", "3").exit == Exit.FAILED
    finally:
        api.server.start()
        api.wait_until_ready()
    assert environment(lab)["TS_NUM"] == "1"
    assert listed(lab, "Transit_Switch") == {"ts"}


def test_it_goes_once_nobody_is_registered_any_more(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    text = icplan.file.read_text()
    spec = replace(read(text.encode(), str(icplan.file)), destroyed=True)
    with open_databases(spec, 20.0) as databases:
        plan = make_plan(spec, observe(databases, spec))
        (change,) = (one for one in plan.changes if str(one.address) == "ic/deployment")
        assert change.action is Action.DELETE
        assert plan.changes[-1] is change
        (step,) = kind_of("deployment").steps(change, plan.view)
        (guard,) = step.guards
        assert not isinstance(guard.check.holds(plan.view.facts), Held)

    text = text.replace("gatewayNodes:", "state: absent\n    gatewayNodes:")
    icplan.file.write_text(text)
    icplan.apply()
    assert listed(lab, "Availability_Zone") == set()
    spec = replace(read(text.encode(), str(icplan.file)), destroyed=True)
    with open_databases(spec, 20.0) as databases:
        plan = make_plan(spec, observe(databases, spec))
        assert [str(one.address) for one in plan.changes] == ["ic/deployment"]
        assert not plan.refused
        (effect,) = plan.consequences.effects[plan.changes[0].address]
        assert f"their files stay on {lab.ic.hosts[0]}" in effect.sentence
        with RunLog(icplan.directory / "destroyed.jsonl") as log:
            report = apply(plan, databases, log, _Silent(), Waits(machine=30.0, operator=0.0))
        assert report.exit == Exit.DONE, report
        assert make_plan(spec, observe(databases, spec)).changes == ()
    assert lab.clusters["az1"].cluster.api.get_if_exists(SERVER) is None
    assert not pods(lab)
    wait_until(lambda: not any(running(lab)), "the databases have ended")
    assert all(one.file.exists() for one in lab.ic.servers)
