"""OVSDB by exec in a pod, through a real API server, to real databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from icplan.backends.failures import DatabaseForbidden, DatabaseUnreadable, Stale
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.kubernetes.tunnel import Tunnel
from icplan.backends.ovsdb import Client
from icplan.core.io import (
    IC_NORTHBOUND,
    IC_SOUTHBOUND,
    NORTHBOUND,
    SOUTHBOUND,
    Database,
    Field,
    Insert,
    Precondition,
    Query,
    SetKeys,
    Transaction,
    includes,
)
from icplan.lab import wait_until
from icplan.lab.kubernetes import ApiClient, Cluster, KubernetesZone, Workload
from icplan.lab.kubernetes.cluster import DEPLOYMENTS, PODS
from tests.backends.kubernetes.conftest import access
from tests.lab.conftest import processes_mentioning
from tests.ovsdb import AZ1

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

NAME = [Query(AZ1, "NB_Global", ("name", "options"))]


@contextmanager
def client(tunnel: Tunnel, name: str = NORTHBOUND, seconds: float = 20.0) -> Iterator[Client]:
    client = Client(Database("az1", name), [tunnel], seconds)
    try:
        yield client
    finally:
        client.close()


def failing(tunnel: Tunnel, seconds: float = 3.0) -> str:
    start = time.monotonic()
    with client(tunnel, seconds=seconds) as one, pytest.raises(DatabaseUnreadable) as caught:
        one.read(NAME)
    assert time.monotonic() - start < 15.0
    assert caught.value.thing == "northbound database of az1"
    forbidden = "not permitted" in caught.value.cause
    assert isinstance(caught.value, DatabaseForbidden) == forbidden
    assert "-l ovn-nb-leader=true -o name) -- " in caught.value.cure
    for bad in ("\n", "Error", "websocket", "object at 0x"):
        assert bad not in str(caught.value)
    return caught.value.cause


@pytest.fixture
def tunnel(objects: Objects) -> Tunnel:
    return Tunnel.to_leader(objects, NORTHBOUND)


@pytest.mark.parametrize(("name", "table"), [(NORTHBOUND, "NB_Global"), (SOUTHBOUND, "SB_Global")])
def test_the_zones_databases_are_read(objects: Objects, name: str, table: str) -> None:
    database = Database("az1", name)
    with client(Tunnel.to_leader(objects, name), name) as one:
        assert len(one.read([Query(database, table, ("options",))])[table]) == 1
        assert len(one.read([Query(database, table, ("options",))])[table]) == 1


def test_a_guarded_write_is_committed_or_refused(tunnel: Tunnel, zone: KubernetesZone) -> None:
    field = Field("external_ids", "probe")
    precondition = Precondition("NB_Global", "NB_Global", (), ((field, None),))
    write = Transaction(
        AZ1, (precondition,), (SetKeys("NB_Global", (), "external_ids", {"probe": "1"}),)
    )
    with client(tunnel) as one:
        one.write(write)
        assert zone.nbctl("get", "NB_Global", ".", "external_ids:probe").strip() == '"1"'
        with pytest.raises(Stale, match='plan saw nothing, but "1" is there now'):
            one.write(write)
    zone.nbctl("remove", "NB_Global", ".", "external_ids", "probe")


def test_much_is_written_and_read(tunnel: Tunnel, zone: KubernetesZone) -> None:
    # More than one frame, each way: 0.86 MB written, 1.5 MB read.
    columns = {"external_ids": {"probe": "much", "text": "x" * 700}}
    rows = [Insert("Address_Set", {"name": f"probe{n}", **columns}, f"r{n}") for n in range(1100)]
    query = Query(
        AZ1, "Address_Set", ("name", "external_ids"), (includes("external_ids", probe="much"),)
    )
    with client(tunnel) as one:
        one.write(Transaction(AZ1, (), tuple(rows)))
        found = one.read([query, Query(AZ1, "Address_Set", ("addresses", "external_ids"))])
    assert len(found["Address_Set"]) == 1100
    zone.nbctl("destroy", "Address_Set", *(f"probe{n}" for n in range(1100)))


def test_an_address_is_reached_through_the_zone(objects: Objects, zone: KubernetesZone) -> None:
    host, _, port = zone.northbound.network.removeprefix("tcp:").rpartition(":")
    with client(Tunnel.through(objects, host, int(port))) as one:
        assert one.read(NAME)["NB_Global"]
    # It is nobody for another pod, too: none is waited for.
    cause = failing(Tunnel.through(objects, "127.0.0.1", 9), seconds=60.0)
    assert "cannot be connected from Pod kube-system/ovn-central-" in cause
    assert "refused" in cause


def test_the_command_ends_with_the_connection(tunnel: Tunnel, zone: KubernetesZone) -> None:
    with client(tunnel) as one:
        assert one.read(NAME)
        assert any("ncat" in each for each in processes_mentioning(zone.run_directory))
    wait_until(lambda: not processes_mentioning(zone.run_directory / "ovnnb"), "ncat ends")


def test_a_pod_without_ncat(tunnel: Tunnel, cluster: Cluster) -> None:
    cluster.kwok.remove_program("ncat")
    try:
        cause = failing(tunnel)
    finally:
        cluster.kwok.restore_program("ncat")
    assert "needs ncat, which the image of Pod kube-system/ovn-central-" in cause


def test_a_database_that_is_not_there(objects: Objects, zone: KubernetesZone) -> None:
    link = zone.run_directory / "ovnnb_db.sock"
    target = link.readlink()
    link.unlink()
    try:
        cause = failing(Tunnel.to_leader(objects, NORTHBOUND))
    finally:
        link.symlink_to(target)
    assert "cannot be connected from Pod" in cause
    assert "no such file or directory" in cause.lower()


def test_no_pod_leads(tunnel: Tunnel, cluster: Cluster) -> None:
    cluster.scale("ovn-central", 0)
    try:
        cause = failing(tunnel)
    finally:
        cluster.scale("ovn-central", 1)
    assert cause == f"{tunnel} has no running pod with the label ovn-nb-leader=true"


def test_a_pod_that_goes_away_is_followed(
    tunnel: Tunnel, cluster: Cluster, zone: KubernetesZone
) -> None:
    (before,) = cluster.pods("ovn-nb-leader=true")
    with client(tunnel) as one:
        assert one.read(NAME)
        cluster.api.delete(f"{PODS}/{before['metadata']['name']}")
        wait_until(lambda: cluster.pods("ovn-nb-leader=true") not in ([], [before]), "one leads")
        assert one.read(NAME)
        # The kubelet that was, hung up: what was said to the old connection is lost.
        cluster.kwok.stop()
        cluster.kwok.start()
        assert one.read(NAME)
    assert zone.nbctl("get", "NB_Global", ".", "name")


def test_a_leader_that_moves_is_followed(objects: Objects, cluster: Cluster) -> None:
    labels = ("ovn-ic-nb-leader", "ovn-ic-sb-leader")
    cluster.add_workload(Workload("ovn-ic-server", "v1.17.0", replicas=3, leaders=labels))
    cluster.wait_for_workload("ovn-ic-server")
    try:
        for name in (IC_NORTHBOUND, IC_SOUTHBOUND):
            table = "IC_NB_Global" if name == IC_NORTHBOUND else "IC_SB_Global"
            label = labels[name == IC_SOUTHBOUND]
            with client(Tunnel.to_leader(objects, name), name) as one:
                one.read([Query(Database("az1", name), table, ("options",))])
                (first,) = cluster.pods(f"{label}=true")
                others = [each["metadata"]["name"] for each in cluster.pods("app=ovn-ic-server")]
                others.remove(first["metadata"]["name"])
                cluster.move_leader(label, others[0])
                one.close()
                one.read([Query(Database("az1", name), table, ("options",))])
    finally:
        cluster.scale("ovn-ic-server", 0)
        cluster.api.delete(f"{DEPLOYMENTS}/ovn-ic-server")


@pytest.fixture
def looker(cluster: Cluster, api: ApiClient) -> Iterator[Objects]:
    """Who may read pods, and not exec."""
    group = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "see"}
    subjects = [{"kind": "User", "name": "planner"}]
    binding: dict[str, Any] = {"metadata": {"name": "see"}, "roleRef": reference}
    api.create(f"{group}/clusterroles", {"metadata": {"name": "see"}, "rules": rules})
    api.create(f"{group}/clusterrolebindings", binding | {"subjects": subjects})
    planner = cluster.as_user("planner")
    wait_until(_may(lambda: planner.list(PODS)), "the role is in force")
    yield Objects(access(cluster.kubeconfig("planner")))
    api.delete(f"{group}/clusterrolebindings/see")
    api.delete(f"{group}/clusterroles/see")


def _may(act: Callable[[], object]) -> Callable[[], bool]:
    def tried() -> bool:
        try:
            return bool(act())
        except Exception:  # noqa: BLE001
            return False

    return tried


def test_who_may_not_exec_is_not_permitted(looker: Objects) -> None:
    cause = failing(Tunnel.to_leader(looker, NORTHBOUND))
    assert "exec in Pod kube-system/ovn-central-" in cause
    assert 'not permitted: User "planner" cannot' in cause
    assert 'resource "pods/exec"' in cause


def test_who_may_not_see_pods_is_not_permitted(cluster: Cluster) -> None:
    objects = Objects(access(cluster.kubeconfig("stranger")))
    cause = failing(Tunnel.to_leader(objects, NORTHBOUND))
    assert 'Pods in kube-system of az1: not permitted: User "stranger" cannot list' in cause


def test_an_api_server_that_freezes_is_told_in_time(tunnel: Tunnel, cluster: Cluster) -> None:
    with client(tunnel, seconds=6.0) as one:
        assert one.read(NAME)
        cluster.server.freeze()
        try:
            with pytest.raises(DatabaseUnreadable, match="gave no whole answer within"):
                one.read(NAME)
            assert "gave no whole answer within" in failing(tunnel, 6.0)
        finally:
            cluster.server.thaw()
        assert one.read(NAME)
