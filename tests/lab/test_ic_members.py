"""IC databases that wait for Kube-OVN's Deployment: what the stand-in for its pods does."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from icplan.errors import IcplanError
from icplan.lab import Lab, LabOptions, wait_until
from icplan.lab.kubernetes import Cluster
from icplan.lab.kubernetes.cluster import DEPLOYMENTS
from icplan.lab.kubernetes.deployments import _ending, _homes
from icplan.lab.kubernetes.objects import is_ready

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]
Json = dict[str, Any]
NAME = "ovn-ic-server"
SERVER = f"{DEPLOYMENTS}/{NAME}"


def deployment(hosts: tuple[str, ...], **variables: str) -> Json:
    """As its documentation has it, as far as the lab looks at it."""
    told = {
        "ENABLE_SSL": "false",
        "TS_NUM": "2",
        "NODE_IPS": ",".join(hosts),
        "OVN_LEADER_PROBE_INTERVAL": "5",
    } | variables
    own = {"POD_IP": "status.podIP", "POD_NAME": "metadata.name"} | {
        "POD_NAMESPACE": "metadata.namespace"
    }
    env: list[Json] = [{"name": key, "value": value} for key, value in told.items()]
    env += [
        {"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}} for key, path in own.items()
    ]
    container = {
        "name": NAME,
        "image": "kube-ovn:v1",
        "env": env,
        "readinessProbe": {"exec": {"command": ["bash", "/kube-ovn/ovn-ic-healthcheck.sh"]}},
        "volumeMounts": [{"name": "data", "mountPath": "/etc/ovn"}],
    }
    labels = {"app": NAME}
    term = {"labelSelector": {"matchLabels": labels}, "topologyKey": "kubernetes.io/hostname"}
    alone = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    return {
        "metadata": {"name": NAME, "labels": labels},
        "spec": {
            "replicas": len(hosts),
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "hostNetwork": True,
                    "nodeSelector": {"kube-ovn/role": "master"},
                    "affinity": alone,
                    "containers": [container],
                    "volumes": [{"name": "data", "hostPath": {"path": "/etc/origin/ovn"}}],
                },
            },
        },
    }


def ready(cluster: Cluster) -> set[str]:
    return {one["spec"]["nodeName"] for one in cluster.pods(f"app={NAME}") if is_ready(one)}


def led(cluster: Cluster, label: str) -> bool:
    return len(cluster.pods(f"{label}=true")) == 1


def switches(lab: Lab) -> set[str]:
    try:
        return set(lab.ic.nbctl("--bare", "--columns=name", "list", "Transit_Switch").split())
    except IcplanError:
        return set()


def test_members_come_with_pods_and_go_with_them(directory: Path) -> None:
    options = LabOptions(zones=("az1",), kubernetes=True, members=3, ic_cluster="az1")
    with Lab(directory, options) as lab:
        cluster, hosts = lab.clusters["az1"].cluster, lab.ic.hosts
        assert lab.ic.ports.northbound == 6645
        assert hosts[0].startswith("127.")
        assert hosts[0] != "127.0.0.1"
        assert not any(one.daemon.running() for one in lab.ic.servers)
        with pytest.raises(IcplanError, match="one member only"):
            lab.clusters["az1"].start_ic_server(1)

        # What the start script of the image does not get by with brings nothing up.
        cluster.api.create(DEPLOYMENTS, deployment(hosts, OVN_LEADER_PROBE_INTERVAL=""))
        log = directory / "az1" / "ic-server.log"
        wait_until(
            lambda: "stand-in: " in log.read_text() and "is not set" in log.read_text(),
            "the stand-in says what is missing",
        )
        assert not ready(cluster)
        cluster.api.delete(SERVER)
        wait_until(lambda: not cluster.pods(f"app={NAME}"), "its pods go with it")

        cluster.api.create(DEPLOYMENTS, deployment(hosts))
        wait_until(lambda: ready(cluster) == {f"az1-m{one}" for one in (1, 2, 3)}, "all are ready")
        wait_until(lambda: switches(lab) == {"ts", "ts1"}, "the leader makes the switches")
        for label in ("ovn-ic-nb-leader", "ovn-ic-sb-leader"):
            wait_until(partial(led, cluster, label), f"one pod is {label}")

        cluster.api.delete(SERVER)
        wait_until(
            lambda: not any(one.daemon.running() for one in lab.ic.servers), "they end with them"
        )
        assert all(one.file.exists() for one in lab.ic.servers)
        # Where no folder of the host is mounted, the next pod begins with nothing.
        other = deployment(hosts)
        other["spec"]["template"]["spec"]["volumes"] = [{"name": "data", "emptyDir": {}}]
        cluster.api.create(DEPLOYMENTS, other)
        wait_until(lambda: len(ready(cluster)) == 3, "all are ready again")
        wait_until(lambda: switches(lab) == {"ts", "ts1"}, "with what they held")
        cluster.api.delete(SERVER)
        wait_until(
            lambda: not any(one.file.exists() for one in lab.ic.servers), "what they held is gone"
        )


# Which pods end and where new ones go


def pod(name: str, node: str, *, is_ready: bool = True) -> Json:
    condition = {"type": "Ready", "status": "True" if is_ready else "False"}
    spec = {"nodeName": node}
    return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": [condition]}}


NODES = [
    {"metadata": {"name": f"m{one}", "labels": {"kube-ovn/role": "master"}}} for one in (1, 2, 3)
] + [{"metadata": {"name": "w1", "labels": {}}}]
THREE = deployment(("a", "b", "c"))


@pytest.mark.parametrize(
    ("current", "old", "expected"),
    [
        ([], ["m1", "m2", "m3"], ["m1"]),
        (["m1"], ["m2", "m3"], ["m2"]),
        (["-m1"], ["m2", "m3"], []),
        (["m1"], ["m2", "-m3"], ["m3"]),
        # A new one must come up first: there are fewer than wanted.
        ([], ["m1"], []),
        (["m1", "m2", "m3"], ["m4"], ["m4"]),
    ],
)
def test_pods_that_must_not_surge_end_one_by_one(
    current: list[str], old: list[str], expected: list[str]
) -> None:
    made: Callable[[str], Json] = lambda one: pod(  # noqa: E731
        one, one.lstrip("-"), is_ready=not one.startswith("-")
    )
    found = _ending(THREE, [made(one) for one in current], [made(one) for one in old])
    assert [one["spec"]["nodeName"] for one in found] == expected


def test_pods_that_must_be_alone_go_to_free_nodes_with_their_labels() -> None:
    assert _homes(THREE, [], NODES) == ["m1", "m2", "m3"]
    assert _homes(THREE, [pod("a", "m1"), pod("b", "m3")], NODES) == ["m2"]
    assert _homes(THREE, [pod(one, one) for one in ("m1", "m2", "m3")], NODES) == []
