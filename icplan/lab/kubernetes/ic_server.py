"""A process that does what the pod of Kube-OVN's Deployment ovn-ic-server does; not the real one.

It holds the lab's IC databases up as long as that pod lives, restarts them when another pod takes
its place, and keeps as many transit switches as the pod was told by TS_NUM, as its leader does.
In a lab that has no IC databases but by that Deployment, it runs a member for each pod instead.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.background import serve
from icplan.lab.ic_databases import IcDatabases
from icplan.lab.kubernetes.client import ApiClient
from icplan.lab.kubernetes.ic_members import IcMembers, protocol
from icplan.lab.kubernetes.objects import NAMESPACE, Workload, is_ready
from icplan.lab.standin.switch_keeper import DEPLOYMENT, SwitchKeeper
from icplan.lab.state import LabState

if TYPE_CHECKING:
    from collections.abc import Callable

    from icplan.lab.kubernetes.client import Json

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.3
_PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def workload(version: str, switches: int, node: str, address: str) -> Workload:
    """The Deployment, with one pod.

    Args:
        version: of Kube-OVN.
        switches: how many transit switches it keeps.
        node: where its pod runs.
        address: of that node.
    """
    return Workload(
        DEPLOYMENT,
        version,
        ("/kube-ovn/start-ic-db.sh",),
        {"ENABLE_SSL": "false", "TS_NUM": str(switches), "NODE_IPS": address},
        leaders=("ovn-ic-nb-leader", "ovn-ic-sb-leader"),
        nodes=(node,),
    )


class IcServer:
    """The IC databases' life with a pod."""

    def __init__(self, client: ApiClient, databases: IcDatabases) -> None:
        """Begin with databases that run already: whose pod that is, the first look finds out."""
        self._client = client
        self._databases = databases
        self._pod: str | None = None

    def look(self) -> None:
        """Do once what is to be done.

        Raises:
            IcplanError: the API server does not answer, or a database did not start.
        """
        ready = [each for each in self._pods() if is_ready(each)]
        name = ready[0]["metadata"]["name"] if ready else ""
        if self._pod not in (None, name):
            self._restart(run=bool(ready))
        self._pod = name
        if ready:
            self._keep(ready[0])

    def _pods(self) -> list[Json]:
        found = self._client.list(_PODS, labels=f"app={DEPLOYMENT}")
        return [each for each in found if "deletionTimestamp" not in each["metadata"]]

    def _restart(self, *, run: bool) -> None:
        _log.info("the databases end%s", " and start again" if run else "")
        for server in self._databases.servers:
            server.daemon.stop()
        for server in self._databases.servers if run else ():
            server.start()

    def _keep(self, pod: Json) -> None:
        entries = pod["spec"]["containers"][0].get("env", ())
        told = {each["name"]: each.get("value", "") for each in entries}
        keeper = SwitchKeeper(self._databases.northbound.network, protocol(pod))
        try:
            count = int(told.get("TS_NUM", ""))
        except ValueError as error:
            _log.warning("TS_NUM is no number, no switch is made: %s", error)
            return
        keeper.keep(count)


def _prepare() -> Callable[[], None]:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    kubeconfig, directory = map(Path, sys.argv[1:3])
    state = LabState.read(directory)
    databases = IcDatabases(directory, state.options.members, state.ic_ports, state.ic_network)
    kind = IcMembers if state.options.ic_cluster else IcServer
    server = kind(ApiClient.from_kubeconfig(kubeconfig), databases)

    def work() -> None:
        while True:
            # The API server may be down for a test: the next round sees what is.
            with contextlib.suppress(IcplanError):
                server.look()
            time.sleep(_PAUSE_SECONDS)

    return work


if __name__ == "__main__":
    serve(_prepare)
