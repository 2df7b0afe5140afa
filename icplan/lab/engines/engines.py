"""Hosts with container engines of their own on one wire, and what is loaded into them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from icplan.lab import folder
from icplan.lab.engines.control_groups import remove_control_groups
from icplan.lab.engines.host import Engine, EngineHost
from icplan.lab.engines.image import Behaviour, complete_name, write_archive
from icplan.lab.engines.ssh import Ssh
from icplan.lab.engines.wire import Wire
from icplan.lab.namespaces import namespace_name
from icplan.lab.startable import Startable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_BOTH: tuple[Engine, ...] = ("containerd", "docker")


class Engines(Startable):
    """Hosts that run a containerd and a dockerd each, reachable from this machine. Needs root.

    Args:
        directory: the folder that holds everything; must be new or empty.
        names: the hosts' names.
        docker: whether they have a dockerd; it uses their containerd.

    Attributes:
        directory: the folder that holds everything; must be new or empty.
        hosts: the hosts by name.
        ssh: the way to the hosts over SSH, once it is started.
    """

    def __init__(
        self, directory: Path, names: Sequence[str] = ("h1",), *, docker: bool = True
    ) -> None:
        self.directory = directory.resolve()
        self.ssh = Ssh(self.directory / "ssh")
        self._lab = folder.lab_id(self.directory)
        self._engines: tuple[Engine, ...] = _BOTH if docker else ("containerd",)
        self._wire = Wire(self.directory, self._lab)
        self.hosts = {
            name: EngineHost(self.directory, self._lab, name, number)
            for number, name in enumerate(names, start=1)
        }

    def start(self) -> None:
        """Make the hosts and start their engines.

        Raises:
            IcplanError: something failed; what was started is ended again.
        """
        folder.check_socket_paths(self.directory, [f"{name}/run/docker" for name in self.hosts])
        folder.claim(self.directory)
        try:
            self._wire.start()
            for host in self.hosts.values():
                host.connect(self._wire)
            self._on_all(lambda host: host.start(self._engines))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the hosts and all that ran on them, and remove the folder; may be called twice.

        Needs nothing but the folder: also ends hosts that a killed process has started there.
        """
        for each in self.directory.glob("*/host.pid"):
            name = each.parent.name
            self.hosts.setdefault(name, EngineHost(self.directory, self._lab, name, 0))
        self._on_all(EngineHost.stop)
        if self.directory.exists():
            self._wire.stop()
        folder.remove(self.directory)
        remove_control_groups(namespace_name(self._lab, ""))

    def start_ssh(self, port: int = 22) -> Ssh:
        """Start an sshd on every host, and make a client that knows them."""
        self.ssh = Ssh(self.directory / "ssh", port)
        self.ssh.start(list(self.hosts.values()))
        return self.ssh

    def load(
        self,
        name: str,
        behaviour: Behaviour = Behaviour.TODAY,
        namespace: str = "default",
        into: Sequence[Engine] = _BOTH,
    ) -> None:
        """Load the stand-in for Kube-OVN's image into the engines of all hosts.

        Args:
            name: what it is called, as in the documentation: kubeovn/kube-ovn:v1.7.1.
            behaviour: whose start-ic-db.sh it follows.
            namespace: containerd's namespace that gets it; docker has no such thing.
            into: the engines that get it; one that the hosts do not have is passed over.
        """
        archive = self.directory / "image.tar"
        write_archive(archive, behaviour, (complete_name(name),))

        def load(host: EngineHost) -> None:
            if "docker" in into and "docker" in self._engines:
                host.docker("load", "--input", str(archive))
            if "containerd" in into:
                host.ctr("images", "import", str(archive), namespace=namespace)

        self._on_all(load)
        archive.unlink()

    def plug(self, name: str, *, connected: bool) -> None:
        """Connect a host's network cable or cut it."""
        self._wire.plug(self.hosts[name].number, connected=connected)

    def _on_all(self, what: Callable[[EngineHost], None]) -> None:
        """Do something on all hosts at once, and return when it is done on each."""
        with ThreadPoolExecutor(max_workers=len(self.hosts) or 1) as pool:
            for done in [pool.submit(what, host) for host in self.hosts.values()]:
                done.result()
