"""One zone's Kubernetes cluster: API server, kubelet, and the objects of a cluster with Kube-OVN.

The Subnets here are objects only; their switches in the northbound database are the zone's.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

from icplan.lab.daemons import Daemon
from icplan.lab.kubernetes import objects, tools, users
from icplan.lab.kubernetes.api_server import ApiServer
from icplan.lab.kubernetes.exec_stream import ExecStream, run_in_container
from icplan.lab.kubernetes.kwok import Kwok
from icplan.lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from icplan.lab.kubernetes.client import ApiClient, Json
    from icplan.lab.kubernetes.exec_stream import ExecResult
    from icplan.lab.state import ClusterPorts

NODES = "/api/v1/nodes"
SUBNETS = "/apis/kubeovn.io/v1/subnets"
VPCS = "/apis/kubeovn.io/v1/vpcs"
CONFIG_MAPS = f"/api/v1/namespaces/{objects.NAMESPACE}/configmaps"
PODS = f"/api/v1/namespaces/{objects.NAMESPACE}/pods"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{objects.NAMESPACE}/deployments"
EXECS = f"/apis/{objects.KWOK}/execs"
"""What kwok runs in which pod, where pods are network namespaces."""
_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_LOOPBACK = "127.0.0.1"


class Cluster:
    """A cluster.

    Attributes:
        name: the zone's name, and that of the context in its kubeconfig files.
        directory: the folder of its files.
        server: its etcd and API server.
        kwok: what plays its kubelet.
    """

    def __init__(
        self,
        name: str,
        directory: Path,
        ports: ClusterPorts,
        announce: Callable[[str], None] = tools.to_standard_error,
    ) -> None:
        self.name = name
        self.directory = directory
        self.server = ApiServer(name, directory, ports, announce)
        self.kwok = Kwok(directory, ports.kubelet, announce)

    # Bringing it up

    def begin(self) -> None:
        """Start etcd and the API server; `finish` waits for them."""
        self.server.create()

    def finish(
        self, run_directory: Path, pod_cidrs: Sequence[str], *, networks: bool = False
    ) -> None:
        """Complete what `begin` began: a kubelet, controllers, Kube-OVN's kinds and its Vpc.

        Args:
            run_directory: what OVN_RUNDIR is in its pods.
            pod_cidrs: where its pods get their addresses.
            networks: whether pods are network namespaces, in which their commands run.
        """
        self.server.wait_until_ready()
        for plural, kind in (("subnets", "Subnet"), ("vpcs", "Vpc")):
            self.api.create(_CRDS, objects.custom_resource(plural, kind))
        if networks:
            execs = objects.custom_resource("execs", "Exec", objects.KWOK, "Namespaced")
            self.api.create(_CRDS, execs)
            wait_until(partial(self._serves, EXECS), f"API serves {EXECS}", place=self.name)
        certificates = self.server.certificates
        self.kwok.create(
            self.kubeconfig(), certificates, run_directory, pod_cidrs, networks=networks
        )
        self.controllers.start()
        for path in (SUBNETS, VPCS):
            wait_until(partial(self._serves, path), f"API serves {path}", place=self.name)
        self.api.create(VPCS, objects.vpc(objects.ROUTER))

    def _serves(self, path: str) -> bool:
        return self.api.get_if_exists(path) is not None

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """All its processes, in the order of their start."""
        return self.server.etcd, self.server.server, self.kwok.daemon, self.controllers

    @property
    def controllers(self) -> Daemon:
        """The process that does what the controller manager would."""
        kubeconfig = str(self.kubeconfig())
        module = "icplan.lab.kubernetes.deployments"
        arguments = ("-P", "-m", module, kubeconfig)
        return Daemon("deployments", self.directory, sys.executable, arguments)

    # Users

    @property
    def api(self) -> ApiClient:
        """The API as its admin."""
        return self.server.client()

    def as_user(self, user: str) -> ApiClient:
        """The API as another user: applier, planner or stranger, who have no roles at first.

        Raises:
            IcplanError: there is no such user.
        """
        return self.server.client(user)

    def kubeconfig(self, user: str = users.ADMIN) -> Path:
        """The kubeconfig file of a user, with the zone's name as its context.

        Raises:
            IcplanError: there is no such user.
        """
        return self.server.kubeconfig(user)

    # Nodes, Subnets, Deployments

    def add_node(self, name: str, *addresses: str) -> None:
        """Make a Node and return when it is Ready.

        Args:
            name: its name.
            addresses: its InternalIPs.
        """
        self.api.create(NODES, objects.node(name, addresses, (_LOOPBACK, self.kwok.port)))
        wait_until(
            lambda: objects.is_ready(self.api.get(f"{NODES}/{name}")),
            f"node {name} is Ready",
            place=self.name,
        )

    def set_node_label(self, name: str, key: str, value: str | None) -> None:
        """Give a Node a label, or take it away."""
        self.api.patch(f"{NODES}/{name}", {"metadata": {"labels": {key: value}}})

    def remove_node(self, name: str) -> None:
        """Delete a Node."""
        self.api.delete(f"{NODES}/{name}")

    def add_subnet(
        self, name: str, cidrs: Sequence[str], gateways: Sequence[str], **more: object
    ) -> None:
        """Make a Subnet of the default VPC.

        Args:
            name: its name.
            cidrs: one network for each address family.
            gateways: the router's address in each.
            more: further keys of its spec, such as disableInterConnection=True.
        """
        self.api.create(SUBNETS, objects.subnet(name, cidrs, gateways, **more))

    def remove_subnet(self, name: str) -> None:
        """Delete a Subnet."""
        self.api.delete(f"{SUBNETS}/{name}")

    def install_kube_ovn(self, version: str, first_node: str) -> None:
        """Make Kube-OVN's Deployments and return when their pods are ready."""
        for workload in objects.kube_ovn(version, first_node):
            self.add_workload(workload)
        for workload in objects.kube_ovn(version, first_node):
            self.wait_for_workload(workload.name)

    def add_workload(self, workload: objects.Workload) -> None:
        """Make a Deployment in kube-system; its pods come up by themselves."""
        self.api.create(DEPLOYMENTS, workload.deployment())

    def wait_for_workload(self, name: str) -> None:
        """Return when a Deployment has as many available pods as it wants, and leaders."""
        wait_until(lambda: self._complete(name), f"Deployment {name} is available", place=self.name)

    def scale(self, name: str, replicas: int) -> None:
        """Change a Deployment's number of pods and return when it is so."""
        self.api.patch(f"{DEPLOYMENTS}/{name}", {"spec": {"replicas": replicas}})
        self.wait_for_workload(name)

    def set_version(self, name: str, version: str) -> None:
        """Give a Deployment another image tag and return when its pods are replaced."""
        path = "/spec/template/spec/containers/0/image"
        image = self.api.get(f"{DEPLOYMENTS}/{name}")["spec"]["template"]["spec"]["containers"][0]
        value = f"{image['image'].rpartition(':')[0]}:{version}"
        change = [{"op": "replace", "path": path, "value": value}]
        self.api.patch(f"{DEPLOYMENTS}/{name}", change)
        self.wait_for_workload(name)

    def pods(self, labels: str) -> list[Json]:
        """The pods of kube-system that match a selector, such as "app=ovn-central"."""
        return self.api.list(PODS, labels=labels)

    def move_leader(self, label: str, pod: str) -> None:
        """Give a leader's label, such as ovn-nb-leader, to a pod and take it from the others."""
        for each in self.pods(label):
            if each["metadata"]["name"] != pod:
                self._set_label(each["metadata"]["name"], label, None)
        self._set_label(pod, label, "true")

    def _set_label(self, pod: str, label: str, value: str | None) -> None:
        self.api.patch(f"{PODS}/{pod}", {"metadata": {"labels": {label: value}}})

    def _complete(self, name: str) -> bool:
        deployment = self.api.get(f"{DEPLOYMENTS}/{name}")
        metadata, spec, status = (deployment.get(key, {}) for key in ("metadata", "spec", "status"))
        leaders = metadata.get("annotations", {}).get(objects.LEADERS, "")
        counts = ("replicas", "updatedReplicas", "availableReplicas")
        return (
            status.get("observedGeneration") == metadata["generation"]
            and all(status.get(count, 0) == spec["replicas"] for count in counts)
            and (not spec["replicas"] or all(map(self.pods, filter(None, leaders.split(",")))))
        )

    # Commands in pods

    def exec(
        self,
        pod: str,
        command: Sequence[str],
        given: bytes = b"",
        *,
        container: str = "",
        user: str = users.ADMIN,
    ) -> ExecResult:
        """Run a command in a pod of kube-system, to its end.

        Args:
            pod: the pod's name.
            command: the program and its arguments.
            given: its standard input, which ends after that.
            container: the container; by default the pod's first.
            user: who asks.

        Raises:
            ApiError: the server refused.
            IcplanError: the server cannot be reached, or the stream broke.
        """
        container = container or self._container(pod)
        client = self.as_user(user)
        return run_in_container(client, objects.NAMESPACE, pod, container, command, given)

    def exec_stream(self, pod: str, command: Sequence[str], *, container: str = "") -> ExecStream:
        """Start a command in a pod of kube-system and speak with it."""
        container = container or self._container(pod)
        return ExecStream(self.api, objects.NAMESPACE, pod, container, command)

    def _container(self, pod: str) -> str:
        containers = self.api.get(f"{PODS}/{pod}")["spec"]["containers"]
        return str(containers[0]["name"])

    # Taking it down

    def stop(self) -> None:
        """End all its processes."""
        for daemon in reversed(self.daemons):
            daemon.stop()
