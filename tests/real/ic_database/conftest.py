"""Hosts with engines of their own, zones that dial them, and files that say so."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions
from icplan.lab.daemons import Daemon
from icplan.lab.engines import Behaviour, Engines
from icplan.lab.engines.host import EngineHost
from tests.real.conftest import Icplan, demand_namespaces

OLD, TODAY = "kubeovn/kube-ovn:v1.7.1", "kubeovn/kube-ovn:v1.14.0"
NEWER = "kubeovn/kube-ovn:v1.14.1"
IMAGES = {OLD: Behaviour.OLD, TODAY: Behaviour.TODAY, NEWER: Behaviour.TODAY}


@dataclass
class World:
    """Two plain zones, hosts with engines, and a file about both."""

    lab: Lab
    engines: Engines
    icplan: Icplan

    @property
    def hosts(self) -> list[EngineHost]:
        """In the order in which icplan starts them."""
        return sorted(self.engines.hosts.values(), key=lambda one: one.address)

    def write(self, runtime: str, image: str, *, here: bool = False, more: str = "") -> None:
        """The lab's file, with databases that icplan runs on the hosts."""
        urls = {one.address: self.engines.ssh.url(one) for one in self.hosts}
        if here:
            sockets = {one.address: one.docker_socket for one in self.hosts}
            if runtime == "containerd":
                sockets = {one.address: one.containerd_socket for one in self.hosts}
            urls = {address: f"unix://{socket}" for address, socket in sockets.items()}
        reached = ", ".join(f"{address}: {url}" for address, url in urls.items())
        zones = self.lab.interconnect_file.read_text().partition("transitSwitches:")[2]
        self.icplan.file.write_text(
            "apiVersion: icplan/v1\nkind: Interconnect\nmetadata: {name: lab}\n"
            f"icDatabase:\n  hosts: [{', '.join(urls)}]\n"
            f"  deployment: {{runtime: {runtime}, image: {image}, engines: {{{reached}}}}}\n"
            f"{more}transitSwitches:{zones}"
        )

    def paste(self, commands: Sequence[str]) -> None:
        """Runs what a cure tells, by a shell, as it stands there."""
        for command in commands:
            done = subprocess.run(
                ["sh", "-c", command],
                env=self.engines.ssh.environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert done.returncode == 0, (command, done.stdout, done.stderr)

    def sbctl(self, *arguments: str) -> str:
        """ovn-ic-sbctl on whatever leads."""
        remote = ",".join(f"tcp:{one.address}:6646" for one in self.hosts)
        return self.hosts[0].run("ovn-ic-sbctl", "--timeout=20", f"--db={remote}", *arguments)

    def nbctl(self, *arguments: str) -> str:
        """ovn-ic-nbctl on whatever leads."""
        remote = ",".join(f"tcp:{one.address}:6645" for one in self.hosts)
        return self.hosts[0].run("ovn-ic-nbctl", "--timeout=20", f"--db={remote}", *arguments)


def dial(lab: Lab, hosts: Sequence[EngineHost]) -> None:
    """The zones' ovn-ic uses the databases on these hosts."""
    remotes = {
        name: ",".join(f"tcp:{one.address}:{port}" for one in hosts)
        for name, port in (("nb", 6645), ("sb", 6646))
    }
    for zone in lab.zones.values():
        zone.stop_ovn_ic()
        zone._ovn_ic = Daemon(
            "ovn-ic",
            zone.directory,
            "ovn-ic",
            (
                f"--ovnnb-db={zone.northbound.unix}",
                f"--ovnsb-db={zone.southbound.unix}",
                f"--ic-nb-db={remotes['nb']}",
                f"--ic-sb-db={remotes['sb']}",
            ),
        )
        zone.start_ovn_ic()


@pytest.fixture
def world(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., World]]:
    """Makes a world of so many hosts."""
    demand_namespaces()
    with ExitStack() as stack:

        def make(count: int = 1, *images: str) -> World:
            names = [f"h{number}" for number in range(1, count + 1)]
            engines = stack.enter_context(Engines(short_path / "e", names))
            for image in images or (TODAY,):
                engines.load(image, IMAGES[image])
            ssh = engines.start_ssh()
            for key, value in ssh.environment().items():
                monkeypatch.setenv(key, value)
            lab = stack.enter_context(Lab(short_path / "l", LabOptions(play_ovn_controller=True)))
            icplan = Icplan(short_path, short_path / "interconnect.yaml")
            made = World(lab, engines, icplan)
            dial(lab, made.hosts)
            return made

        yield make


class IcplanThere(Icplan):
    """icplan that runs on a host itself."""

    def __init__(self, directory: Path, file: Path, host: EngineHost) -> None:
        super().__init__(directory, file)
        self._host = host

    def argv(self, command: str, *rest: str) -> list[str]:
        """The command line that enters the host."""
        return self._host.inside([*super().argv(command, *rest)])
