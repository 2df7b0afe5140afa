"""A process that gives a cluster's pods their networks: scheduler and CNI plugin in one.

Not Kube-OVN's own. For pods that no host's network serves and nobody has put on a node: each gets
an address in its Subnet, a network namespace on the zone's last host, and what makes its commands
run in there; then it is put on that host's node. It says what it gave by Kube-OVN's annotations.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.background import serve
from icplan.lab.kubernetes.client import ApiClient
from icplan.lab.kubernetes.kwok import NAMESPACE_VARIABLE
from icplan.lab.kubernetes.objects import KWOK
from icplan.lab.lab import Lab
from icplan.lab.namespace_fabric import NamespaceFabric
from icplan.lab.numbering import ethernet_address, pod_addresses
from icplan.lab.state import Pod
from icplan.lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from icplan.lab.kubernetes.client import Json
    from icplan.lab.zone import Zone

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.3
_PODS = "/api/v1/pods"
_ANNOTATION = "ovn.kubernetes.io"
_USUAL = "ovn-default"
# Behind the addresses and the numbers of the pods that the lab itself makes.
_FIRST = 100


class PodNetwork:
    """The networks of one cluster's pods."""

    def __init__(self, client: ApiClient, zone: Zone, fabric: NamespaceFabric) -> None:
        self._client = client
        self._zone = zone
        self._fabric = fabric
        self._numbers = itertools.count(_FIRST)
        self._pods: dict[str, tuple[Json, Pod]] = {}

    def look(self) -> None:
        """Do once what is to be done.

        Raises:
            IcplanError: the API server does not answer, or a pod cannot have its network.
        """
        found = {each["metadata"]["uid"]: each for each in self._client.list(_PODS)}
        for uid in [*self._pods.keys() - found.keys()]:
            self._remove(uid)
        for uid, each in found.items():
            spec = each["spec"]
            if uid not in self._pods and not spec.get("hostNetwork") and "nodeName" not in spec:
                self._add(uid, each)

    def _add(self, uid: str, body: Json) -> None:
        metadata = body["metadata"]
        name, namespace = metadata["name"], metadata["namespace"]
        subnet = metadata.get("annotations", {}).get(f"{_ANNOTATION}/logical_switch", _USUAL)
        host, number = self._zone.state.hosts[-1], next(self._numbers)
        gateways = self._zone.subnet_gateways(subnet)
        addresses, via = pod_addresses(gateways, number)
        zone = self._zone.name
        mac = ethernet_address(zone, "pod", namespace, name)
        pod = Pod(f"{zone}/{name}", zone, host.name, subnet, mac, addresses, via, number)
        plain = [each.partition("/")[0] for each in addresses]
        self._zone.nbctl(
            *("lsp-add", subnet, pod.port),
            *("--", "lsp-set-addresses", pod.port, " ".join([mac, *plain])),
        )
        self._fabric.add_pod(self._zone, host, pod)
        self._pods[uid] = (body, pod)
        wait_until(
            lambda: self._zone.nbctl("lsp-get-up", pod.port).strip() == "up",
            f"port of pod {pod.name} comes up",
        )
        local = {"envs": [{"name": NAMESPACE_VARIABLE, "value": self._fabric.pod_namespace(pod)}]}
        execution = {
            "apiVersion": KWOK,
            "kind": "Exec",
            "metadata": {"name": name},
            "spec": {"execs": [{"local": local}]},
        }
        self._client.create(f"/apis/{KWOK}/namespaces/{namespace}/execs", execution)
        given = {
            f"{_ANNOTATION}/allocated": "true",
            f"{_ANNOTATION}/ip_address": ",".join(plain),
            f"{_ANNOTATION}/logical_switch": subnet,
            f"{_ANNOTATION}/mac_address": mac,
        }
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        self._client.patch(path, {"metadata": {"annotations": given}})
        target = {"apiVersion": "v1", "kind": "Node", "name": host.name}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
        self._client.create(f"{path}/binding", binding | {"target": target})
        _log.info("pod %s/%s has %s", namespace, name, ", ".join(plain))

    def _remove(self, uid: str) -> None:
        body, pod = self._pods.pop(uid)
        name, namespace = body["metadata"]["name"], body["metadata"]["namespace"]
        self._fabric.remove_pod(self._zone, self._zone.hosts[pod.host], pod)
        self._zone.nbctl("--if-exists", "lsp-del", pod.port)
        with contextlib.suppress(IcplanError):
            self._client.delete(f"/apis/{KWOK}/namespaces/{namespace}/execs/{name}")
        _log.info("pod %s/%s is gone", namespace, name)


def _prepare() -> Callable[[], None]:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    kubeconfig, directory, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    client, zone = ApiClient.from_kubeconfig(kubeconfig), Lab.attach(directory).zones[name]
    network = PodNetwork(client, zone, NamespaceFabric(directory))

    def work() -> None:
        while True:
            # The API server may be down for a test, and a pod gone again: the next round sees it.
            try:
                network.look()
            except IcplanError as error:
                _log.warning("%s", error)
            time.sleep(_PAUSE_SECONDS)

    return work


if __name__ == "__main__":
    serve(_prepare)
