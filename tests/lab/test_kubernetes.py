"""Zones that are Kubernetes clusters: a real API server with Kube-OVN's objects, and real exec."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.errors import IcplanError
from icplan.lab import Lab, LabOptions, Mode, operations, wait_until
from icplan.lab.kubernetes import ApiError, Cluster, KubernetesZone, Workload, tools
from icplan.lab.kubernetes.cluster import CONFIG_MAPS, DEPLOYMENTS, NODES, PODS, SUBNETS
from icplan.lab.kubernetes.objects import is_ready
from tests.lab.conftest import processes_mentioning

# One group, so one worker: a second lab of clusters at the same time would only be slower.
pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

LIST_DATABASES = b'{"method":"list_dbs","params":[],"id":1}'


@pytest.fixture(scope="module", autouse=True)
def programs(request: pytest.FixtureRequest) -> None:
    """Where they must be built first, say so: that takes up to twenty minutes."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        tools.find_all()


@pytest.fixture(scope="module")
def zone() -> Iterator[KubernetesZone]:
    """A zone that the tests share; each leaves it as it found it."""
    with tempfile.TemporaryDirectory(prefix="icl-") as parent:
        directory = Path(parent).resolve() / "lab"
        with Lab(directory, LabOptions(zones=("az1",), kubernetes=True)) as lab:
            yield lab.clusters["az1"]
        assert processes_mentioning(directory) == []
        assert list(Path(parent).iterdir()) == []


@pytest.fixture
def cluster(zone: KubernetesZone) -> Cluster:
    return zone.cluster


def central(cluster: Cluster) -> str:
    """The pod that leads the northbound database."""
    (pod,) = cluster.pods("ovn-nb-leader=true")
    return str(pod["metadata"]["name"])


# What is in a cluster


def test_nodes_are_ready_and_have_their_own_addresses(cluster: Cluster) -> None:
    nodes = {node["metadata"]["name"]: node for node in cluster.api.list(NODES)}
    assert sorted(nodes) == ["az1-gw1", "az1-gw2", "az1-w1"]
    assert all(is_ready(node) for node in nodes.values())
    addresses = nodes["az1-gw2"]["status"]["addresses"]
    assert {"type": "InternalIP", "address": "172.31.1.12"} in addresses


def test_kube_ovn_runs_as_deployments_say(cluster: Cluster) -> None:
    deployments = {each["metadata"]["name"]: each for each in cluster.api.list(DEPLOYMENTS)}
    assert sorted(deployments) == ["kube-ovn-controller", "ovn-central", "ovn-ic-controller"]
    for deployment in deployments.values():
        status = deployment["status"]
        assert (status["replicas"], status["availableReplicas"]) == (1, 1)
        assert status["observedGeneration"] == deployment["metadata"]["generation"]
    (container,) = deployments["kube-ovn-controller"]["spec"]["template"]["spec"]["containers"]
    assert "--service-cluster-ip-range=10.96.0.0/12" in container["args"]
    (pod,) = cluster.pods("app=ovn-ic-controller")
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["containerStatuses"][0]["image"].endswith(":v1.17.0")
    assert pod["status"]["podIP"].startswith("172.31.1.")
    assert cluster.pods("ovn-sb-leader=true") == cluster.pods("ovn-nb-leader=true")


def test_subnets_and_router_are_as_kube_ovn_makes_them(zone: KubernetesZone) -> None:
    subnets = {each["metadata"]["name"]: each["spec"] for each in zone.cluster.api.list(SUBNETS)}
    assert subnets["join"] == {
        "cidrBlock": "100.64.0.0/16",
        "gateway": "100.64.0.1",
        "protocol": "IPv4",
        "vpc": "ovn-cluster",
    }
    assert subnets["ovn-default"]["cidrBlock"] == "10.16.0.0/16"
    assert zone.subnet_gateways("ovn-default") == ("10.16.0.1/16",)
    ports = zone.nbctl("lrp-list", "ovn-cluster")
    assert "ovn-cluster-join" in ports
    assert zone.nbctl("lsp-get-type", "join-ovn-cluster").strip() == "router"

    zone.add_subnet("no-advertise", "10.99.0.1/24")
    assert zone.cluster.api.get(f"{SUBNETS}/no-advertise")["spec"]["cidrBlock"] == "10.99.0.0/24"
    zone.remove_subnet("no-advertise")
    assert zone.cluster.api.get_if_exists(f"{SUBNETS}/no-advertise") is None
    assert "no-advertise" not in zone.nbctl("ls-list")


def test_nothing_of_the_interconnection_is_there(zone: KubernetesZone) -> None:
    assert zone.nbctl("get", "NB_Global", ".", "name").strip() == '""'
    assert "true" not in zone.sbctl("--bare", "--columns=other_config", "list", "Chassis")
    assert not (zone.directory / "ovn-ic.pid").exists()
    assert zone.cluster.api.get_if_exists(f"{CONFIG_MAPS}/ovn-ic-config") is None


# The API


def test_writes_are_guarded_as_by_any_api_server(cluster: Cluster) -> None:
    path = f"{CONFIG_MAPS}/probe"
    made = cluster.api.create(CONFIG_MAPS, {"metadata": {"name": "probe"}, "data": {"a": "1"}})
    try:
        cluster.api.patch(path, {"data": {"a": "2"}})
        with pytest.raises(ApiError) as conflict:
            cluster.api.replace(path, made)
        assert (conflict.value.status, conflict.value.reason) == (409, "Conflict")
        guard = [{"op": "test", "path": "/data/a", "value": "1"}]
        with pytest.raises(ApiError) as mismatch:
            cluster.api.patch(path, [*guard, {"op": "replace", "path": "/data/a", "value": "3"}])
        assert mismatch.value.status == 422
    finally:
        cluster.api.delete(path)
    with pytest.raises(ApiError) as missing:
        cluster.api.get(path)
    assert missing.value.status == 404


def test_users_may_what_their_roles_say(cluster: Cluster) -> None:
    planner = cluster.as_user("planner")
    with pytest.raises(ApiError) as refused:
        planner.list(NODES)
    assert refused.value.status == 403
    group = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["get", "list"]}]
    role = {"metadata": {"name": "look"}, "rules": rules}
    binding = {
        "metadata": {"name": "look"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "look"},
        "subjects": [{"kind": "User", "name": "planner"}],
    }
    cluster.api.create(f"{group}/clusterroles", role)
    cluster.api.create(f"{group}/clusterrolebindings", binding)
    try:
        wait_until(lambda: _may_list(cluster), "the role is in force")
        with pytest.raises(ApiError) as no_exec:
            cluster.exec(central(cluster), ["true"], user="planner")
        assert no_exec.value.status == 403
    finally:
        cluster.api.delete(f"{group}/clusterrolebindings/look")
        cluster.api.delete(f"{group}/clusterroles/look")


def _may_list(cluster: Cluster) -> bool:
    try:
        return bool(cluster.as_user("planner").list(NODES))
    except ApiError:
        return False


def test_only_its_own_users_get_in(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(IcplanError, match="applier, planner, stranger"):
        cluster.kubeconfig("nobody")
    config = json.loads(cluster.kubeconfig("stranger").read_text())
    config["users"][0]["user"]["token"] = "guessed"
    forged = tmp_path / "config"
    forged.write_text(json.dumps(config))
    with pytest.raises(ApiError) as unknown:
        type(cluster.api).from_kubeconfig(forged).list(NODES)
    assert unknown.value.status == 401


@pytest.mark.parametrize(("days", "status"), [(30, 200), (-1, 401)])
def test_a_client_certificate_lets_in_until_it_expires(
    cluster: Cluster, tmp_path: Path, days: int, status: int
) -> None:
    file = cluster.server.certificate_kubeconfig("operator", "system:masters", days)
    user = json.loads(file.read_text())["users"][0]["user"]
    pem = tmp_path / "client.pem"
    pem.write_bytes(b"".join(base64.b64decode(each) for each in user.values()))
    context = cluster.api.secure()
    context.load_cert_chain(pem)
    connection = http.client.HTTPSConnection(cluster.api.host, cluster.api.port, context=context)
    connection.request("GET", NODES)
    assert connection.getresponse().status == status
    connection.close()


def test_an_api_server_that_hangs_or_is_down_comes_back(cluster: Cluster) -> None:
    cluster.server.freeze()
    assert not cluster.api.ready()
    cluster.server.thaw()
    wait_until(cluster.api.ready, "it answers again")
    cluster.server.stop()
    with pytest.raises(IcplanError, match="refused"):
        cluster.api.list(NODES)
    cluster.server.start()
    assert len(cluster.api.list(NODES)) == 3


# Commands in pods


@pytest.mark.parametrize(
    ("socket", "database"),
    [
        ("ovnnb_db", "OVN_Northbound"),
        ("ovnsb_db", "OVN_Southbound"),
        ("ovn_ic_nb_db", "OVN_IC_Northbound"),
        ("ovn_ic_sb_db", "OVN_IC_Southbound"),
    ],
)
def test_databases_are_reached_by_exec(cluster: Cluster, socket: str, database: str) -> None:
    command = ["sh", "-c", f"exec ncat -U ${{OVN_RUNDIR:-/var/run/ovn}}/{socket}.sock"]
    with cluster.exec_stream(central(cluster), command) as stream:
        stream.write(LIST_DATABASES)
        assert database in json.loads(stream.read())["result"]


def test_a_command_has_input_errors_and_an_exit_code(cluster: Cluster) -> None:
    pod = central(cluster)
    done = cluster.exec(pod, ["sh", "-c", "cat; echo trouble >&2; exit 3"], b"given")
    assert (done.output, done.errors, done.code) == (b"given", b"trouble\n", 3)
    large = b"x" * 200_000
    with cluster.exec_stream(pod, ["sh", "-c", "wc -c"]) as stream:
        stream.write(large)
        stream.end_input()
        assert stream.read().strip() == str(len(large)).encode()


def test_a_command_ends_when_its_client_hangs_up(zone: KubernetesZone) -> None:
    command = ["sh", "-c", "exec ncat -U $OVN_RUNDIR/ovnnb_db.sock"]
    needle = f"{zone.run_directory}/ovnnb_db.sock"
    with zone.cluster.exec_stream(central(zone.cluster), command) as stream:
        stream.write(LIST_DATABASES)
        assert stream.read()
        assert any(needle in each for each in processes_mentioning(zone.run_directory))
    wait_until(lambda: not processes_mentioning(zone.run_directory / "ovnnb"), "ncat ends")


def test_an_image_without_ncat(cluster: Cluster) -> None:
    cluster.kwok.remove_program("ncat")
    try:
        done = cluster.exec(central(cluster), ["sh", "-c", "exec ncat -U somewhere"])
        assert done.code == 127
        assert b"not found" in done.errors
    finally:
        cluster.kwok.restore_program("ncat")


# What a controller manager would do


def test_deployments_are_scaled_and_rolled_out(cluster: Cluster) -> None:
    (before,) = cluster.pods("app=ovn-ic-controller")
    cluster.set_version("ovn-ic-controller", "v1.15.23")
    (after,) = cluster.pods("app=ovn-ic-controller")
    assert before["metadata"]["name"] != after["metadata"]["name"]
    assert after["spec"]["containers"][0]["image"].endswith(":v1.15.23")
    cluster.scale("ovn-ic-controller", 0)
    assert cluster.pods("app=ovn-ic-controller") == []
    status = cluster.api.get(f"{DEPLOYMENTS}/ovn-ic-controller")["status"]
    assert "availableReplicas" not in status
    cluster.set_version("ovn-ic-controller", "v1.17.0")
    cluster.scale("ovn-ic-controller", 1)


def test_a_deleted_pod_comes_back_and_leads_again(cluster: Cluster) -> None:
    before = central(cluster)
    cluster.api.delete(f"{PODS}/{before}")
    wait_until(lambda: len(cluster.pods("ovn-nb-leader=true")) == 1, "somebody leads")
    wait_until(lambda: central(cluster) != before, "another pod leads")


def test_a_leader_can_move(cluster: Cluster) -> None:
    leaders = ("ovn-ic-nb-leader", "ovn-ic-sb-leader")
    cluster.add_workload(
        Workload(
            "ovn-ic-server", "v1.17.0", environment={"TS_NUM": "1"}, replicas=3, leaders=leaders
        )
    )
    cluster.wait_for_workload("ovn-ic-server")
    pods = {each["metadata"]["name"]: each for each in cluster.pods("app=ovn-ic-server")}
    assert len({each["spec"]["nodeName"] for each in pods.values()}) == 3
    (first,) = cluster.pods("ovn-ic-nb-leader=true")
    other = next(name for name in pods if name != first["metadata"]["name"])
    cluster.move_leader("ovn-ic-nb-leader", other)
    (second,) = cluster.pods("ovn-ic-nb-leader=true")
    assert second["metadata"]["name"] == other
    cluster.scale("ovn-ic-server", 0)
    cluster.api.delete(f"{DEPLOYMENTS}/ovn-ic-server")


# The lab


def test_a_cluster_and_a_plain_zone_in_one_lab(directory: Path) -> None:
    options = LabOptions(zones=("az1", "stack"), kubernetes=True, plain=("stack",))
    with Lab(directory, options) as lab:
        assert list(lab.clusters) == ["az1"]
        assert lab.zones["stack"].router == "router"
        text = lab.interconnect_file.read_text()
        assert "kubernetes: {context: az1, kubeconfig: kubeconfig.yaml}" in text
        assert "router: router" in text
        contexts = json.loads(lab.kubeconfig.read_text())["contexts"]
        assert [each["name"] for each in contexts] == ["az1"]
        found = Lab.attach(directory)
        assert found.clusters["az1"].cluster.api.ready()
        assert [zone.stopped for zone in operations.describe(directory).zones] == [(), ()]
        lab.remove_zone("az1")
        assert processes_mentioning(directory / "az1") == []


def _interconnect(lab: Lab) -> None:
    """What icplan would do, by hand: a transit switch and a ConfigMap in each cluster."""
    columns = ("external_ids:vendor=kube-ovn", "external_ids:subnet=169.254.100.0/24")
    lab.ic.nbctl("ts-add", "ts", "--", "set", "Transit_Switch", "ts", *columns)
    for name, zone in lab.clusters.items():
        data = {
            "enable-ic": "true",
            "az-name": name,
            "ic-db-host": "127.0.0.1",
            "ic-nb-port": str(lab.ic.ports.northbound),
            "ic-sb-port": str(lab.ic.ports.southbound),
            "gw-nodes": f"{name}-gw1",
            "auto-route": "true",
        }
        config = {"metadata": {"name": "ovn-ic-config"}, "data": data}
        zone.cluster.api.create(CONFIG_MAPS, config)


def test_the_stand_in_interconnects_two_clusters(directory: Path) -> None:
    options = LabOptions(
        kubernetes=True, play_ovn_controller=True, play_kube_ovn=True, collisions=False
    )
    with Lab(directory, options) as lab:
        assert all(zone.controller_running() for zone in lab.clusters.values())
        _interconnect(lab)
        az1 = lab.clusters["az1"]
        wait_until(
            lambda: "10.17.0" in az1.nbctl("lr-route-list", az1.router), "az1 learns az2's subnet"
        )
        assert "100.65" not in az1.nbctl("lr-route-list", az1.router)
        az1.stop_controller()
        assert not az1.controller_running()
        assert az1.cluster.pods("app=ovn-ic-controller") == []


def test_packets_cross_between_clusters(directory: Path, packet_mode: Mode) -> None:
    options = LabOptions(kubernetes=True, mode=packet_mode, play_kube_ovn=True, collisions=False)
    with Lab(directory, options) as lab:
        _interconnect(lab)
        zones = lab.clusters.values()
        wait_until(
            lambda: all("learned" in one.nbctl("lr-route-list", one.router) for one in zones),
            "both learn routes",
        )
        # A port's tunnel key may have changed since its gateway claimed it (docs/facts.md
        # section 9).
        for name, zone in lab.clusters.items():
            zone.hypervisor(f"{name}-gw1").recompute()
        lab.wait_for_ping("az1/ovn-default", "az2/ovn-default")


_STARTER = """
import sys
from pathlib import Path
from icplan.lab import operations, LabOptions
operations.up(LabOptions(zones=("az1",), kubernetes=True), Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    "milestone", ["kubernetes/etcd.pid", "kubernetes/kube-apiserver.pid", "kubernetes/kwok.pid"]
)
def test_down_after_the_starter_was_killed_half_way(directory: Path, milestone: str) -> None:
    with subprocess.Popen([sys.executable, "-c", _STARTER, str(directory)]) as starter:
        path = directory / "az1" / milestone
        wait_until(lambda: path.exists() or starter.poll() is not None, milestone)
        starter.send_signal(signal.SIGKILL)
    assert operations.down(directory)
    assert not operations.down(directory)


def test_a_start_that_fails_leaves_nothing_and_says_why(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An API server that answers --version and then fails.
    broken = tmp_path / "kube-apiserver"
    broken.write_text('#!/bin/sh\n[ "$1" = --version ] && exit 0\necho no such flag >&2\nexit 1\n')
    broken.chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    with pytest.raises(IcplanError, match="no such flag") as caught:
        Lab(directory, LabOptions(zones=("az1",), kubernetes=True)).start()
    assert "kube-apiserver" in caught.value.thing


def test_the_ic_databases_live_with_a_pod(directory: Path) -> None:
    with Lab(directory, LabOptions(zones=("az1",), kubernetes=True)) as lab:
        az1 = lab.clusters["az1"]
        az1.start_ic_server(2)

        def switches() -> set[str]:
            try:
                found = lab.ic.nbctl("--bare", "--columns=name", "list", "Transit_Switch")
            except IcplanError:
                return set()
            return set(found.split())

        wait_until(lambda: switches() == {"ts", "ts1"}, "there are two transit switches")
        servers = [each.daemon for each in lab.ic.servers]
        before = [each.pidfile.read_text() for each in servers]
        lab.ic.nbctl("ts-del", "ts1")
        wait_until(lambda: switches() == {"ts", "ts1"}, "what was deleted is made again")
        assert [each.pidfile.read_text() for each in servers] == before
        variable = "/spec/template/spec/containers/0/env/1/value"
        change = [{"op": "replace", "path": variable, "value": "1"}]
        az1.cluster.api.patch(f"{DEPLOYMENTS}/ovn-ic-server", change)
        wait_until(lambda: switches() == {"ts"}, "one is deleted")
        assert not {each.pidfile.read_text() for each in servers} & {*before}
        az1.cluster.scale("ovn-ic-server", 0)
        wait_until(lambda: not any(each.running() for each in servers), "the databases are away")
        az1.cluster.scale("ovn-ic-server", 1)
        wait_until(lambda: switches() == {"ts"}, "they are back with what they held")
