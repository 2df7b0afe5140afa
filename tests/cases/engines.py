"""Records the cases in which icplan runs the IC databases, from real engines.

Hosts have addresses that are drawn anew for every lab; the cases show them as 192.168.65.3 and on.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from icplan.backends.access import endpoints, engines, members
from icplan.backends.databases import Databases
from icplan.core.address import IC
from icplan.core.io import Database
from icplan.lab import Lab, LabOptions, wait_until
from icplan.lab.daemons import Daemon
from icplan.lab.engines import Behaviour, Engines
from icplan.lab.engines.host import EngineHost
from icplan.spec.load import Spec, read
from tests.cases.files import file, zone
from tests.cases.world import World

OLD, TODAY = "kubeovn/kube-ovn:v1.7.1", "kubeovn/kube-ovn:v1.14.0"
NEWER, UNKNOWN = "kubeovn/kube-ovn:v1.14.1", "kubeovn/kube-ovn:latest"
IMAGES = {OLD: Behaviour.OLD, TODAY: Behaviour.TODAY, NEWER: Behaviour.TODAY}
SHOWN = ("192.168.65.3", "192.168.65.4", "192.168.65.5")
AZ1, AZ2 = zone(1), zone(2)


class EngineWorld(World):
    """A lab whose zones dial databases that run on hosts of their own."""

    def __init__(self, lab: Lab, hosts: Engines, only: str) -> None:
        super().__init__(lab, only)
        self.engines = hosts
        self.hosts = sorted(hosts.hosts.values(), key=lambda one: one.address)
        self._addresses = dict(zip(SHOWN, (one.address for one in self.hosts), strict=False))
        for one in lab.zones.values():
            self._dial(one.name)

    def _dial(self, name: str) -> None:
        one = self.lab.zones[name]
        one.stop_ovn_ic()
        north, south = (
            ",".join(f"tcp:{host.address}:{port}" for host in self.hosts) for port in (6645, 6646)
        )
        local = (f"--ovnnb-db={one.northbound.unix}", f"--ovnsb-db={one.southbound.unix}")
        remotes = (f"--ic-nb-db={north}", f"--ic-sb-db={south}")
        one._ovn_ic = Daemon("ovn-ic", one.directory, "ovn-ic", (*local, *remotes))
        one.start_ovn_ic()

    def restart(self, host: EngineHost) -> None:
        """A host's container runs again, and answers."""
        host.docker("start", "ovn-ic-db")

    def _spec(self, text: str) -> Spec:
        for shown, real in self._addresses.items():
            text = text.replace(shown, real)
        return read(text.encode(), "interconnect.yaml")

    def _databases(
        self,
        spec: Spec,
        reach: Mapping[str, str],
        dead: Sequence[Database | str] = (),
        files: Mapping[str, Path] | None = None,
    ) -> Databases:
        zones = super()._databases(spec, reach, dead, files).endpoints
        found = {one: servers for one, servers in zones.items() if one.site != IC}
        direct = {one: all_ for one, all_ in endpoints(spec, {}).items() if one.site == IC}
        return Databases(
            found | direct, 5.0, members=members(spec, {}), engines=engines(spec, 20.0)
        )

    def _settled(
        self,
        spec: Spec,
        dead: Sequence[Database | str],
        reach: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> bytes:
        text = super()._settled(spec, dead, reach, files).decode()
        for shown, real in self._addresses.items():
            text = text.replace(real, shown)
        return text.encode()


@contextmanager
def world(only: str, count: int = 1) -> Iterator[EngineWorld]:
    """Hosts with all images, and two zones."""
    options = LabOptions(zones=("az1", "az2"), play_ovn_controller=True)
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        Engines(Path(parent) / "e", [f"h{number + 1}" for number in range(count)]) as hosts,
        Lab(Path(parent) / "l", options) as lab,
    ):
        for image, behaviour in IMAGES.items():
            hosts.load(image, behaviour)
        os.environ["PATH"] = f"{hosts.start_ssh().programs}:{os.environ['PATH']}"
        yield EngineWorld(lab, hosts, only)


def deployed(
    image: str = TODAY,
    *,
    runtime: str = "docker",
    count: int = 1,
    owner: str = "prod",
    switches: str = "1",
) -> str:
    """A file that wants the databases on so many hosts."""
    hosts = SHOWN[:count]
    reached = ", ".join(f"{one}: ssh://root@{one}" for one in hosts)
    deployment = f"runtime: {runtime}, image: {image}, engines: {{{reached}}}"
    return file(
        AZ1, AZ2, hosts=", ".join(hosts), deployment=deployment, owner=owner, switches=switches
    )


BASE = deployed()
ENGINES = ", engines: {192.168.65.3: ssh://root@192.168.65.3}"
MOUNTED = tuple(
    f"--mount=type=bind,src=/{each},dst=/{each},options=rbind:rw"
    for each in ("etc/ovn", "var/run/ovn", "var/log/ovn")
)
DOCUMENTED = (
    *("--network=host", "--privileged", "--env", "ENABLE_OVN_LEADER_CHECK=false"),
    *("-v", "/etc/ovn/:/etc/ovn", "-v", "/var/run/ovn:/var/run/ovn"),
    *("-v", "/var/log/ovn:/var/log/ovn", TODAY, "bash", "start-ic-db.sh"),
)


_LOGS_AND_SOCKETS = ("-v", "/var/run/ovn:/var/run/ovn", "-v", "/var/log/ovn:/var/log/ovn")
BESIDES = ("--restart=always", "--env", "TZ=UTC", "-v", "/var/backups:/backups")


def _by_hand(host: EngineHost, *options: str) -> None:
    """A container of these options takes the place of the one before, and answers."""
    host.docker("rm", "-f", "ovn-ic-db")
    network = ("--network=host", "--privileged", "--env", "ENABLE_OVN_LEADER_CHECK=false")
    started = (*network, *_LOGS_AND_SOCKETS, *options, TODAY, "bash", "start-ic-db.sh")
    host.docker("run", "-d", "--name=ovn-ic-db", *started)
    wait_until(lambda: _answers(host), "the container by hand answers")


def _answers(host: EngineHost) -> bool:
    asked = ("ovsdb-client", "--timeout=2", "list-dbs", f"tcp:{host.address}:6645")
    return "OVN_IC_Northbound" in host.run("sh", "-c", f"{' '.join(asked)} 2>&1 || true")


def single(only: str) -> None:
    """One host with docker."""
    with world(only) as w:
        (host,) = w.hosts
        w.case("ic_database/first-plan", BASE)
        w.case("ic_database/first-plan-of-an-old-image", deployed(OLD))
        own = "{subnets: [10.98.0.0/24]}"
        w.case("ic_database/first-plan-with-another-subnet", deployed(OLD, switches=own))
        w.case("ic_database/first-plan-dual-stack", deployed(switches="{family: dual}"))
        w.case("rules/IC051-no-version", deployed(UNKNOWN))
        ports = BASE.replace("deployment:", "northboundPort: 16645, deployment:")
        w.case("rules/IC091-other-ports", ports)
        w.engines.ssh.stop_server(host)
        w.case("ic_database/engine-out-of-reach", BASE)
        # The engine of the machine that records is not the one of that host.
        w.case("ic_database/engine-of-another-machine", BASE.replace(ENGINES, ""))
        w.engines.ssh.start_server(host)
        w.apply(BASE)
        w.case("ic_database/as-declared", BASE)
        w.case("ic_database/other-image", deployed(NEWER))
        w.case("rules/IC012-of-a-container", deployed(owner="stage"))
        host.docker("stop", "ovn-ic-db")
        w.case("rules/IC090-stopped", BASE)
        w.case("ic_database/stopped-and-taken-apart", BASE, destroy=True)
        host.docker("rm", "ovn-ic-db")
        w.case("ic_database/container-gone", BASE)
        host.docker("run", "-d", "--name=other", *DOCUMENTED)
        wait_until(lambda: _answers(host), "the other one answers")
        w.case("rules/IC058-somebody-else", BASE)
        host.docker("rm", "-f", "other")
        host.docker("run", "-d", "--name=ovn-ic-db", *DOCUMENTED)
        wait_until(lambda: _answers(host), "the container by hand answers")
        w.case("rules/IC092-without-mark", BASE)
        w.case("ic_database/by-hand-and-different", deployed(NEWER))
        host.docker("rm", "-f", "ovn-ic-db")
        host.run("sh", "-c", "rm -f /etc/ovn/*.db")
        w.case("rules/IC081-lost", BASE)
        _by_hand(host, *BESIDES, "-v", "/etc/ovn:/etc/ovn")
        w.case("ic_database/by-hand-with-other-settings", deployed(NEWER))
        _by_hand(host, *BESIDES, "-v", "/etc/origin/ovn:/etc/ovn")
        w.case("rules/IC082-another-folder", BASE)
        _by_hand(host)
        w.case("rules/IC082-in-itself", BASE)


def containerd(only: str) -> None:
    """One host with containerd."""
    text = deployed(OLD, runtime="containerd")
    with world(only) as w:
        (host,) = w.hosts
        w.case("ic_database/containerd-first-plan", text)
        w.apply(text)
        w.case("ic_database/containerd-as-declared", text)
        host.ctr("containers", "label", "ovn-ic-db", "icplan/owner=")
        w.case("ic_database/containerd-mark-lost", text)
        host.ctr("tasks", "delete", "--force", "ovn-ic-db")
        host.ctr("containers", "delete", "ovn-ic-db")
        w.engines.load(OLD, Behaviour.OLD, namespace="k8s.io", into=["containerd"])
        host.ctr(
            *("run", "-d", "--net-host", "--privileged", *MOUNTED, f"docker.io/{OLD}"),
            *("ovn-ic-db", "bash", "start-ic-db.sh"),
            namespace="k8s.io",
        )
        wait_until(lambda: _answers(host), "the one in the other namespace answers")
        w.case("rules/IC058-in-another-namespace", text)


def raft(only: str) -> None:
    """Three hosts with docker."""
    three = deployed(count=3)
    with world(only, count=3) as w:
        w.case("ic_database/raft-first-plan", three)
        w.case("rules/IC080-a-new-cluster", three)
        w.case("rules/IC048-standalone-image", deployed(OLD, count=3))
        w.apply(three)
        w.case("ic_database/raft-as-declared", three)
        w.case("ic_database/raft-other-image", deployed(NEWER, count=3))
        w.case("rules/IC094-other-hosts", BASE)
        first, second, third = w.hosts
        third.docker("kill", "ovn-ic-db")
        w.case("ic_database/raft-member-away", three)
        second.docker("kill", "ovn-ic-db")
        w.case("ic_database/raft-quorum-lost", three)
        w.apply(three)
        third.docker("rm", "-f", "ovn-ic-db")
        third.run("sh", "-c", "rm -f /etc/ovn/*.db")
        w.case("rules/IC093-lost-member", three)
        third.docker("run", "-d", "--name=ovn-ic-db", *DOCUMENTED)
        wait_until(lambda: _answers(third), "the stranger answers")
        w.case("rules/IC040-stranger", three)
        assert first.docker("ps", "-q")


def main(only: str) -> None:
    """All of them."""
    for scene in (single, containerd, raft):
        scene(only)
