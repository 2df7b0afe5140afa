"""The lab as a whole: zones, interconnection databases, hosts and pods on one machine."""

from __future__ import annotations

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Self

from icplan.errors import IcplanError
from icplan.lab import example_file, folder
from icplan.lab.certificates import Certificates
from icplan.lab.fabric import ControlPlaneFabric, Fabric
from icplan.lab.ic_databases import DEPLOYED, IcDatabases, choose_ic_network, choose_ic_ports
from icplan.lab.kubernetes import tools
from icplan.lab.kubernetes.users import join_kubeconfigs
from icplan.lab.kubernetes.zone import KubernetesZone
from icplan.lab.ports import reserve_port
from icplan.lab.startable import Startable
from icplan.lab.state import ClusterPorts, LabOptions, LabState, Mode, Pod, ZoneState
from icplan.lab.waiting import wait_until
from icplan.lab.zone import Zone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from icplan.lab.ping import PingResult, RunningPing


# Not the names of the lab's other folders.
_ZONE_NAME = re.compile(r"(?!(ic\d|tls|underlay)$)[a-z0-9][a-z0-9-]{0,30}")


class Lab(Startable):
    """A lab in one folder. A context manager: entering starts it, leaving removes it.

    Attributes:
        directory: the folder that holds everything; must be new or empty when it is started.
        options: what it is made of.
        zones: the zones by name.
        ic: the interconnection databases.
    """

    ic: IcDatabases

    def __init__(self, directory: Path, options: LabOptions | None = None) -> None:
        self.directory = directory.resolve()
        self.options = options or LabOptions()
        self.zones: dict[str, Zone] = {}
        self._state: LabState
        self._saving = threading.Lock()
        self._fabric: Fabric

    @classmethod
    def attach(cls, directory: Path) -> Self:
        """Use a lab that another process has started.

        Raises:
            IcplanError: there is no lab, or its start was interrupted.
        """
        state = LabState.read(directory)
        lab = cls(directory, state.options)
        lab._adopt(state)
        for zone in state.zones:
            lab.zones[zone.name] = lab._zone(zone)
        return lab

    def start(self) -> None:
        """Bring the lab up.

        Raises:
            IcplanError: something failed; what was started is ended again.
        """
        if self.options.members not in (1, 3, 5):
            raise IcplanError(
                f"IC databases with {self.options.members} members",
                cause="an even number survives no more failures than the odd number below it",
                cure="use 1, 3 or 5",
            )
        folder.check_socket_paths(
            self.directory,
            [f"{zone}/{zone}-gw{self.options.gateways}" for zone in self.options.zones] or ["ic1"],
        )
        if self.options.kubernetes:
            # Before anything is there to be removed: building them may take minutes.
            tools.find_all()
        folder.claim(self.directory)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything and remove the folder; may be called twice."""
        folder.remove(self.directory)
        self.zones = {}

    def add_zone(self, name: str) -> Zone:
        """Add a zone, as large as the others, and return it."""
        with ExitStack() as stack:
            zone = self._new_zone(name, stack)
            zone.create()
        self._complete([zone])
        return zone

    def remove_zone(self, name: str) -> None:
        """End a zone as a fire would: its rows in the IC databases stay behind."""
        zone = self.zones.pop(name)
        # First: it would deregister the hosts that are taken away.
        zone.stop_ovn_ic()
        for pod in list(zone.pods.values()):
            self._fabric.remove_pod(zone, zone.hosts[pod.host], pod)
        for host in list(zone.hosts.values()):
            self._fabric.remove_host(zone, host)
        zone.end_daemons()
        self._state.zones.remove(zone.state)
        self._save()
        folder.remove_tree(zone.directory)
        self._write_kubeconfig()

    @property
    def clusters(self) -> dict[str, KubernetesZone]:
        """The zones that are Kubernetes clusters, by name."""
        found = self.zones.items()
        return {name: zone for name, zone in found if isinstance(zone, KubernetesZone)}

    @property
    def kubeconfig(self) -> Path:
        """One kubeconfig with the admin's context for each cluster, named as its zone."""
        return self.directory / "kubeconfig.yaml"

    @property
    def pods(self) -> dict[str, Pod]:
        """All pods by name ("az1/pods")."""
        return {name: pod for zone in self.zones.values() for name, pod in zone.pods.items()}

    @property
    def interconnect_file(self) -> Path:
        """The ready interconnect.yaml that describes this lab's zones."""
        return self.directory / example_file.FILE

    @property
    def certificates(self) -> Certificates | None:
        """The certificates of the zones' databases; none when they speak plain TCP."""
        return Certificates(self.directory / "tls") if self.options.tls else None

    # Pings

    def ping(
        self,
        source: str,
        destination: str,
        *,
        count: int = 3,
        interval: float = 0.2,
        version: int | None = None,
    ) -> PingResult:
        """Ping a pod from a pod.

        Args:
            source: the pod that asks ("az1/pods").
            destination: the pod that answers, or an address.
            count: how many requests.
            interval: seconds between them.
            version: 4 or 6; by default the first family that both have.

        Raises:
            IcplanError: there is no such pod, or the lab has no packets.
        """
        with self.pinging(source, destination, interval=interval, version=version) as running:
            wait_until(lambda: running.requests >= count, f"{count} pings from {source} are sent")
        return running.stop()

    def wait_for_ping(
        self, source: str, destination: str, *, timeout: float = 60, version: int | None = None
    ) -> float:
        """Ping until the first answer and return the seconds it took.

        Raises:
            IcplanError: no answer came in time.
        """
        start = time.monotonic()
        with self.pinging(source, destination, interval=0.1, version=version) as running:
            wait_until(
                lambda: running.answers > 0,
                f"answer to {source} from {destination}",
                timeout=timeout,
            )
        return time.monotonic() - start

    @contextmanager
    def pinging(
        self,
        source: str,
        destination: str,
        *,
        interval: float = 0.1,
        version: int | None = None,
    ) -> Iterator[RunningPing]:
        """Ping in the background while the block runs; `stop()` gives the result, then or later.

        Args:
            source: the pod that asks ("az1/pods").
            destination: the pod that answers, or an address.
            interval: seconds between requests.
            version: 4 or 6; by default the first family that both have.
        """
        pod = self._pod(source)
        address = self._destination(pod, destination, version)
        running = self._fabric.ping(pod, address, interval)
        try:
            yield running
        finally:
            running.stop()

    def _destination(self, source: Pod, destination: str, version: int | None) -> str:
        if "/" not in destination:
            return destination
        pod = self._pod(destination)
        for each in (version,) if version else (4, 6):
            if source.address(each) and (address := pod.address(each)):
                return address
        raise IcplanError(
            f"ping from {source.name} to {destination}",
            cause="they have no address family in common",
            cure="use a lab with --family dual",
        )

    def _pod(self, name: str) -> Pod:
        pods = self.pods
        if name not in pods:
            raise IcplanError(
                f"pod {name} of the lab",
                cause="there is no such pod",
                cure=f"name one of {', '.join(pods)}" if pods else "this lab has no pods",
            )
        return pods[name]

    # Making it

    def _check_new_zone(self, name: str) -> None:
        taken = any(zone.name == name for zone in self._state.zones)
        if not _ZONE_NAME.fullmatch(name) or taken:
            raise IcplanError(
                f"zone {name!r} of the lab",
                cause="there is one already"
                if taken
                else "its name is also the name of a folder and of network devices",
                cure="use another, of lower-case letters, digits, hyphens; not ic1, tls, underlay",
            )

    def _start(self) -> None:
        options = self.options
        with ExitStack() as stack:
            self._adopt(_new_state(options, stack))
            self._save()
            self._fabric.start()
            if certificates := self.certificates:
                certificates.create()
            if not options.ic_cluster:
                self.ic.create()
        if options.kubernetes:
            self._add_zones_at_once(options.zones)
        else:
            for name in options.zones:
                self.add_zone(name)
        self.interconnect_file.write_text(example_file.text(self))

    def _add_zones_at_once(self, names: Sequence[str]) -> None:
        """Add zones that mostly wait for their API servers."""
        with ExitStack() as stack, ThreadPoolExecutor() as pool:
            zones = [self._new_zone(name, stack) for name in names]
            for created in [pool.submit(zone.create) for zone in zones]:
                created.result()
        self._complete(zones)

    def _new_zone(self, name: str, stack: ExitStack) -> Zone:
        """A zone that is remembered and not yet created; its ports are reserved by the stack."""
        self._check_new_zone(name)
        index = 1 + max((zone.index for zone in self._state.zones), default=0)
        kubernetes = self.options.kubernetes and name not in self.options.plain
        count = 5 if kubernetes else 2
        ports = [stack.enter_context(reserve_port()).number for _ in range(count)]
        cluster = ClusterPorts(*ports[2:]) if kubernetes else None
        state = ZoneState(name, index, ports[0], ports[1], cluster=cluster)
        self._state.zones.append(state)
        self._save()
        return self._zone(state)

    def _complete(self, zones: Sequence[Zone]) -> None:
        """Zones are there."""
        self.zones |= {zone.name: zone for zone in zones}
        self._write_kubeconfig()

    def _adopt(self, state: LabState) -> None:
        self._state = state
        self.ic = IcDatabases(
            self.directory, self.options.members, state.ic_ports, state.ic_network
        )
        self._fabric = self._make_fabric()

    def _make_fabric(self) -> Fabric:
        match self.options.mode:
            case Mode.CONTROL_PLANE:
                return ControlPlaneFabric()
            case Mode.NAMESPACES:
                from icplan.lab.namespace_fabric import NamespaceFabric

                return NamespaceFabric(self.directory)
            case Mode.UNPRIVILEGED:
                from icplan.lab.dummy_fabric import DummyFabric

                return DummyFabric(self.directory)

    def _zone(self, state: ZoneState) -> Zone:
        return (KubernetesZone if state.cluster else Zone)(
            self.directory,
            state,
            self.options,
            ic=self.ic,
            fabric=self._fabric,
            tls=self.certificates,
            save=self._save,
        )

    def _write_kubeconfig(self) -> None:
        if clusters := self.clusters:
            join_kubeconfigs(
                self.kubeconfig, [each.cluster.kubeconfig() for each in clusters.values()]
            )

    def _save(self) -> None:
        with self._saving:
            self._state.write(self.directory)


def _new_state(options: LabOptions, stack: ExitStack) -> LabState:
    if not options.ic_cluster:
        return LabState(options, choose_ic_ports(options.members, stack))
    network = choose_ic_network(options.members, stack)
    return LabState(options, DEPLOYED, ic_network=network)
