"""The objects of a cluster with Kube-OVN, as data. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from icplan.lab.kubernetes.api_server import KUBELET_ADDRESS_TYPE, SERVICE_CIDR

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from icplan.lab.kubernetes.client import Json

NAMESPACE = "kube-system"
KUBE_OVN = "kubeovn.io/v1"
KWOK = "kwok.x-k8s.io/v1alpha1"
"""Group and version of kwok's own kinds."""
ROUTER = "ovn-cluster"
"""The default VPC and its router."""
LEADERS = "lab.icplan/leaders"
"""Annotation of a Deployment: the labels that one of its pods holds, as Kube-OVN's leaders do."""
NODES = "lab.icplan/nodes"
"""Annotation of a Deployment: the nodes its pods are put on; when it is absent, its nodeSelector
decides."""
PROBED = "lab.icplan/probed"
"""Annotation of a pod with a readiness probe: who plays its program says when it is ready."""
MASTER = ("kube-ovn/role", "master")
"""The label of the nodes that run Kube-OVN's databases."""

_PRESERVE = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
_REPOSITORY = "docker.io/kubeovn/kube-ovn"


def custom_resource(plural: str, kind: str, api: str = KUBE_OVN, scope: str = "Cluster") -> Json:
    """A CustomResourceDefinition, of Kube-OVN by default, with any fields."""
    group, _, version = api.partition("/")
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {
                "plural": plural,
                "singular": kind.lower(),
                "kind": kind,
                "listKind": f"{kind}List",
            },
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": _PRESERVE, "status": _PRESERVE},
                        }
                    },
                }
            ],
        },
    }


def subnet(name: str, cidrs: Sequence[str], gateways: Sequence[str], **more: object) -> Json:
    """A Subnet of the default VPC.

    Args:
        name: its name, and that of its logical switch.
        cidrs: one network for each address family.
        gateways: the router's address in each.
        more: further keys of its spec.
    """
    protocols = ["IPv6" if ":" in each else "IPv4" for each in cidrs]
    return {
        "apiVersion": KUBE_OVN,
        "kind": "Subnet",
        "metadata": {"name": name},
        "spec": {
            "cidrBlock": ",".join(cidrs),
            "gateway": ",".join(gateways),
            "protocol": protocols[0] if len(protocols) == 1 else "Dual",
            "vpc": ROUTER,
            **more,
        },
    }


def vpc(name: str) -> Json:
    """A Vpc."""
    return {"apiVersion": KUBE_OVN, "kind": "Vpc", "metadata": {"name": name}, "spec": {}}


def node(name: str, addresses: Sequence[str], kubelet: tuple[str, int]) -> Json:
    """A Node as a kubelet registers it.

    Args:
        name: its name.
        addresses: its InternalIPs.
        kubelet: the address and the port where the API server reaches its kubelet.
    """
    listed = [{"type": "InternalIP", "address": address} for address in addresses]
    more = [("Hostname", name), (KUBELET_ADDRESS_TYPE, kubelet[0])]
    listed += [{"type": kind, "address": address} for kind, address in more]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"},
        },
        "spec": {},
        "status": {
            "addresses": listed,
            "daemonEndpoints": {"kubeletEndpoint": {"Port": kubelet[1]}},
        },
    }


@dataclass(frozen=True, slots=True)
class Workload:
    """What a Deployment of Kube-OVN runs; all of them use their hosts' network.

    Attributes:
        name: the Deployment's name, the value of its label app and its container's name.
        version: the image's tag.
        arguments: its container's arguments.
        environment: its container's environment.
        replicas: how many pods.
        leaders: labels with value "true" that one of its pods holds.
        nodes: where its pods run; anywhere when empty.
    """

    name: str
    version: str
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] | None = None
    replicas: int = 1
    leaders: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()

    def deployment(self) -> Json:
        """The Deployment."""
        labels = {"app": self.name}
        annotations = {LEADERS: ",".join(self.leaders), NODES: ",".join(self.nodes)}
        environment = [{"name": k, "value": v} for k, v in (self.environment or {}).items()]
        container = {
            "name": self.name,
            "image": f"{_REPOSITORY}:{self.version}",
            "args": list(self.arguments),
            "env": environment,
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": self.name,
                "namespace": NAMESPACE,
                "labels": labels,
                "annotations": {key: value for key, value in annotations.items() if value},
            },
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"hostNetwork": True, "containers": [container]},
                },
            },
        }


def kube_ovn(version: str, first_node: str) -> tuple[Workload, ...]:
    """The Deployments of Kube-OVN that matter to an interconnection."""
    return (
        Workload(
            "ovn-central",
            version,
            ("/kube-ovn/start-db.sh",),
            leaders=("ovn-nb-leader", "ovn-sb-leader", "ovn-northd-leader"),
            nodes=(first_node,),
        ),
        Workload(
            "kube-ovn-controller",
            version,
            (
                "/kube-ovn/start-controller.sh",
                f"--cluster-router={ROUTER}",
                f"--service-cluster-ip-range={SERVICE_CIDR}",
            ),
            {"ENABLE_IC": "true"},
        ),
        Workload(
            "ovn-ic-controller",
            version,
            ("/kube-ovn/start-ic-controller.sh",),
            {"ENABLE_IC": "true"},
        ),
    )


def template_hash(deployment: Json) -> str:
    """What tells the pods of one template from those of another."""
    template = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(template.encode()).hexdigest()[:10]


def pod(deployment: Json, suffix: str, node_name: str) -> Json:
    """A pod of a Deployment, put on a node as a scheduler would."""
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    digest, template = template_hash(deployment), deployment["spec"]["template"]
    probed = any("readinessProbe" in each for each in template["spec"]["containers"])
    metadata: dict[str, Any] = {
        "name": f"{name}-{digest}-{suffix}",
        "namespace": namespace,
        "labels": template["metadata"]["labels"] | {"pod-template-hash": digest},
        "annotations": template["metadata"].get("annotations", {})
        | ({PROBED: "true"} if probed else {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": template["spec"] | {"nodeName": node_name},
    }


def deployment_status(deployment: Json, pods: Sequence[Json], now: str) -> Json:
    """The status that a controller manager would write.

    Args:
        deployment: the Deployment.
        pods: its living pods.
        now: the time for conditions that change.
    """
    wanted, digest = deployment["spec"]["replicas"], template_hash(deployment)
    ready = sum(is_ready(each) for each in pods)
    updated = sum(each["metadata"]["labels"]["pod-template-hash"] == digest for each in pods)
    complete = ready >= wanted and updated == len(pods) == wanted
    counts = {
        "replicas": len(pods),
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, wanted - ready),
    }
    old = {each["type"]: each for each in deployment.get("status", {}).get("conditions", [])}
    progress = "NewReplicaSetAvailable" if complete else "ReplicaSetUpdated"
    available = ("True", "MinimumReplicasAvailable")
    missing = ("False", "MinimumReplicasUnavailable")
    conditions = [
        _condition(old, "Available", *(available if ready >= wanted else missing), now),
        _condition(old, "Progressing", "True", progress, now),
    ]
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "conditions": conditions,
        **{key: value for key, value in counts.items() if value},
    }


def ready_conditions(*, ready: bool, now: str) -> list[Json]:
    """The conditions of a pod that runs, as its kubelet writes them after a probe."""
    states = {"Initialized": True, "PodScheduled": True, "ContainersReady": ready, "Ready": ready}
    return [
        {"type": kind, "status": str(state), "lastTransitionTime": now}
        for kind, state in states.items()
    ]


def is_ready(one: Json) -> bool:
    """Whether a pod says that it is ready."""
    conditions = one.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _condition(old: Mapping[str, Json], kind: str, status: str, reason: str, now: str) -> Json:
    before = old.get(kind)
    if before and (before["status"], before["reason"]) == (status, reason):
        return before
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": reason,
        "lastTransitionTime": now,
        "lastUpdateTime": now,
    }
