"""A zone that is a Kubernetes cluster with Kube-OVN: a plain zone's parts, and its cluster.

What Kube-OVN's interconnection controller does is missing until the stand-in for it runs: ovn-ic
does not run, and where no real ovn-controller does, no host is marked ovn-is-interconn. The
controller's Deployment and pod are there from the beginning.
"""

from __future__ import annotations

import re
import signal
import sys
from typing import TYPE_CHECKING, Literal

from icplan.errors import IcplanError
from icplan.lab.daemons import Daemon
from icplan.lab.kubernetes.cluster import Cluster
from icplan.lab.kubernetes.ic_server import workload
from icplan.lab.kubernetes.objects import MASTER, ROUTER
from icplan.lab.numbering import kube_ovn_subnets, network_of
from icplan.lab.state import Mode
from icplan.lab.zone import Zone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from icplan.lab.certificates import Certificates
    from icplan.lab.fabric import Fabric
    from icplan.lab.ic_databases import IcDatabases
    from icplan.lab.servers import DatabaseServer
    from icplan.lab.state import Host, LabOptions, ZoneState

Generation = Literal["new", "old"]
_CONTROLLER = "ovn-ic-controller"


class KubernetesZone(Zone):
    """A zone with a cluster.

    Attributes:
        cluster: its Kubernetes API and what is in it.
        run_directory: its databases' sockets under the names that Kube-OVN's pods know.
    """

    def __init__(
        self,
        root: Path,
        state: ZoneState,
        options: LabOptions,
        *,
        ic: IcDatabases,
        fabric: Fabric,
        tls: Certificates | None,
        save: Callable[[], None],
    ) -> None:
        super().__init__(root, state, options, ic=ic, fabric=fabric, tls=tls, save=save)
        if state.cluster is None:
            raise ValueError(f"zone {state.name} is no cluster")
        self.router = ROUTER
        self.run_directory = self.directory / "run"
        self.cluster = Cluster(self.name, self.directory / "kubernetes", state.cluster)
        self._root = root
        self._ic_servers = ic.servers
        self._ic_hosts = ic.hosts

    # Bringing it up

    def create(self) -> None:
        """Make the zone: databases, northd, router, cluster, hosts that are nodes, subnets."""
        subnets = kube_ovn_subnets(self.state.index, self._options.family)
        # The API server needs seconds to become ready: the databases are made meanwhile.
        self.cluster.begin()
        self.create_databases()
        self._link_sockets()
        self._northd.start()
        self.nbctl("lr-add", self.router)
        pod_cidrs = [network_of(gateway) for gateway in subnets["ovn-default"]]
        networks = self._options.mode is Mode.NAMESPACES
        self.cluster.finish(self.run_directory, pod_cidrs, networks=networks)
        for name, gateways in subnets.items():
            self.add_subnet(name, *gateways)
        for number in range(1, self._options.gateways + 1):
            self.add_host(f"{self.name}-gw{number}", interconn=not self._marks_gateways)
        for number in range(1, self._options.workers + 1):
            self.add_host(f"{self.name}-w{number}", interconn=False)
        if self._options.ic_cluster == self.name:
            self._add_masters()
        self.cluster.install_kube_ovn(self._options.kube_ovn, next(iter(self.hosts)))
        if networks:
            self._pod_network.start()
        if self._options.mode is not Mode.CONTROL_PLANE:
            self.add_pod("ovn-default", "ovn-default")
        elif self._options.play_ovn_controller:
            self.play_ovn_controller()
        if self._options.play_kube_ovn:
            self.start_controller()

    @property
    def _marks_gateways(self) -> bool:
        """Whether the stand-in marks gateways in their Chassis rows, by the labels of their Nodes.

        A real ovn-controller would take such a mark back: where one runs, the hosts made as
        gateways are marked from the beginning.
        """
        return self._options.mode is Mode.CONTROL_PLANE

    def _link_sockets(self) -> None:
        """Give the databases' sockets Kube-OVN's names, as its pods dial them."""
        self.run_directory.mkdir()
        northbound, southbound = self.servers
        links: dict[str, DatabaseServer] = {"ovnnb_db": northbound, "ovnsb_db": southbound}
        # The first member's, when there are several.
        for server in reversed(self._ic_servers):
            links[f"ovn_ic_{server.name}_db"] = server
        for name, server in links.items():
            (self.run_directory / f"{name}.sock").symlink_to(server.socket)

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """What must run whatever the controller does; ovn-ic is the controller's."""
        return self._nb.daemon, self._sb.daemon, self._northd, *self.cluster.daemons

    # What Kube-OVN makes for its own objects

    def add_subnet(self, name: str, *gateways: str) -> None:
        """Make a Subnet and, as kube-ovn-controller would, its switch and the router's port."""
        self.cluster.add_subnet(
            name, [network_of(each) for each in gateways], [each.split("/")[0] for each in gateways]
        )
        super().add_subnet(name, *gateways)

    def remove_subnet(self, name: str) -> None:
        """Delete a Subnet, its switch and the router's port."""
        self.cluster.remove_subnet(name)
        super().remove_subnet(name)

    def add_host(self, name: str, *, interconn: bool) -> Host:
        """Make a host that is a Ready node with its tunnel address as InternalIP."""
        host = super().add_host(name, interconn=interconn)
        self.cluster.add_node(name, host.address)
        return host

    def remove_host(self, name: str) -> None:
        """Take a host away, its Node included."""
        self.cluster.remove_node(name)
        super().remove_host(name)

    # The stand-in for the interconnection controller

    def start_controller(self, generation: Generation | None = None) -> None:
        """Let the stand-in for ovn-ic-controller run, and its pod; one that runs is restarted.

        Args:
            generation: whose behaviour it has; by default that of the lab's version of Kube-OVN.
                The Deployment keeps the version in its image: see `cluster.set_version`.

        Raises:
            IcplanError: the databases speak TLS, or it could not be started.
        """
        if self.tls:
            raise IcplanError(
                f"stand-in for {_CONTROLLER} in {self.name}",
                cause="the stand-in speaks to databases without TLS only",
                cure="use a lab without TLS",
            )
        self._controller().stop()
        self._controller(generation or generation_of(self._options.kube_ovn)).start()
        self.cluster.scale(_CONTROLLER, 1)

    def stop_controller(self) -> None:
        """End the stand-in and its pod; ovn-ic, which runs in that pod, ends too."""
        self._controller().stop()
        self.stop_ovn_ic()
        self.cluster.scale(_CONTROLLER, 0)

    def freeze_controller(self) -> None:
        """Bring the stand-in to a standstill; its pod stays as it is."""
        self._controller().send(signal.SIGSTOP)

    def thaw_controller(self) -> None:
        """Let it go on."""
        self._controller().send(signal.SIGCONT)

    def controller_running(self) -> bool:
        """Whether the stand-in runs."""
        return self._controller().running()

    def _controller(self, generation: Generation = "new") -> Daemon:
        arguments = [
            f"--generation={generation}",
            f"--kubeconfig={self.cluster.kubeconfig()}",
            f"--northbound={self.northbound.unix}",
            f"--southbound={self.southbound.unix}",
            f"--directory={self.directory}",
        ]
        if self._marks_gateways:
            arguments.append("--mark-gateways")
        if not self._options.collisions:
            arguments.append(f"--share={self.state.index}")
        return Daemon(
            "controller",
            self.directory,
            sys.executable,
            ("-P", "-m", "icplan.lab.standin", *arguments),
            names_control=False,
        )

    def lose_switches(self) -> None:
        """What the start of kube-ovn-controller does in some versions: ts1, ts2 and so on go.

        ovn-ic makes them again at once, without the zone's own port: the router's half stays.
        """
        found = self.nbctl(
            *("--bare", "--columns=name", "find", "Logical_Switch"),
            "other_config:interconn-ts!=none",
        )
        for name in found.split():
            if name != "ts":
                self.nbctl("ls-del", name)

    # The IC databases in this cluster

    def start_ic_server(self, switches: int) -> None:
        """Let this cluster run the lab's IC databases, as Kube-OVN's Deployment ovn-ic-server.

        From now on they live with its pod, and its TS_NUM says how many transit switches there
        are, whatever else makes or deletes some.

        Args:
            switches: its TS_NUM.

        Raises:
            IcplanError: the IC databases have several members or wait for another Deployment, or
                something did not start.
        """
        if self._options.members > 1 or self._options.ic_cluster:
            raise IcplanError(
                f"Deployment ovn-ic-server of {self.name}",
                cause="the lab plays its pod for one member only, which runs already",
                cure="use a lab with one member and no ic_cluster",
            )
        first = next(iter(self.hosts.values()))
        server = workload(self._options.kube_ovn, switches, first.name, first.address)
        self.cluster.add_workload(server)
        self.cluster.wait_for_workload(server.name)
        self._ic_server.start()

    def _add_masters(self) -> None:
        """Make the nodes that may run the IC databases; these run once there are pods for them."""
        for number, host in enumerate(self._ic_hosts, start=1):
            name = f"{self.name}-m{number}"
            self.cluster.add_node(name, host)
            self.cluster.set_node_label(name, *MASTER)
        self._ic_server.start()

    @property
    def _ic_server(self) -> Daemon:
        module = "icplan.lab.kubernetes.ic_server"
        arguments = ("-P", "-m", module, str(self.cluster.kubeconfig()), str(self._root))
        return Daemon("ic-server", self.directory, sys.executable, arguments)

    # Pods that are objects

    @property
    def _pod_network(self) -> Daemon:
        """What gives the cluster's pods their networks, where these are network namespaces."""
        module = "icplan.lab.kubernetes.pod_network"
        arguments = ("-P", "-m", module, str(self.cluster.kubeconfig()), str(self._root), self.name)
        return Daemon("pod-network", self.directory, sys.executable, arguments)

    # Taking it down

    def end_daemons(self) -> None:
        """End the zone's own daemons; its hosts and pods are taken away before."""
        self._pod_network.stop()
        self._ic_server.stop()
        self._controller().stop()
        self.stop_ovn_ic()
        super().end_daemons()


def generation_of(version: str) -> Generation:
    """The generation of a version of Kube-OVN: 1.15.24, 1.16.3, 1.17 and what follows are new."""
    numbers = [int(number) for number in re.findall(r"\d+", version)]
    numbers += [0] * (3 - len(numbers))
    first_new = {15: 24, 16: 3}
    if numbers[0] == 1 and numbers[1] < 17:
        old = numbers[1] not in first_new or numbers[2] < first_new[numbers[1]]
        return "old" if old else "new"
    return "new"
