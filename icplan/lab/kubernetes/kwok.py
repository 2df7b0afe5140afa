"""One cluster's kwok: it plays the kubelet of every node, and runs what is executed in pods."""

from __future__ import annotations

import json
import shutil
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.lab.kubernetes import tools
from icplan.lab.kubernetes.foreground import ForegroundDaemon
from icplan.lab.programs import find_program

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from icplan.lab.certificates import Certificates

_STAGES = Path(__file__).with_name("kwok.yaml")
_HOST = "127.0.0.1"
# What a command executed in a pod finds in its PATH; a real image has these too.
_NEEDED = ("sh", "ncat")
_USUAL = ("bash", "cat", "env", "grep", "hostname", "ls", "sleep", "timeout", "true", "wc")
_OVN = ("ovn-nbctl", "ovn-sbctl", "ovn-ic-nbctl", "ovn-ic-sbctl", "ovs-appctl", "ovsdb-client")
# What shows a pod's own network, and so runs in its namespace.
_NETWORK = ("ping", "cat", "ip")
NAMESPACE_VARIABLE = "LAB_NETNS"
"""In the environment of a pod's commands: the network namespace that the pod is."""


class Kwok:
    """The process, and the folder of programs that commands in pods find.

    Attributes:
        directory: the folder of its files.
        port: where it serves as kubelet.
    """

    def __init__(self, directory: Path, port: int, announce: Callable[[str], None]) -> None:
        self.directory = directory
        self.port = port
        self._announce = announce

    def create(
        self,
        kubeconfig: Path,
        certificates: Certificates,
        run_directory: Path,
        pod_cidrs: Sequence[str],
        *,
        networks: bool = False,
    ) -> None:
        """Write its configuration and start it; ready on return.

        Args:
            kubeconfig: of a user who may do everything; the API server is ready.
            certificates: whose server certificate it shows to the API server.
            run_directory: what OVN_RUNDIR is for a command executed in any pod.
            pod_cidrs: where pods without a host's network get their addresses.
            networks: whether pods are network namespaces: then the API has objects of kind Exec
                that say which.

        Raises:
            IcplanError: a program is missing, or it did not start.
        """
        program = tools.find(tools.KWOK, self._announce)
        self._programs.mkdir()
        for name in _NEEDED:
            self.restore_program(name)
        for name in (*_USUAL, *_OVN):
            if shutil.which(name):
                self.restore_program(name)
        for name in _NETWORK if networks else ():
            self._wrap_program(name)
        envs = {"OVN_RUNDIR": str(run_directory), "PATH": str(self._programs)}
        exec_target = {"local": {"envs": [{"name": k, "value": v} for k, v in envs.items()]}}
        configuration = {
            "apiVersion": "kwok.x-k8s.io/v1alpha1",
            "kind": "ClusterExec",
            "metadata": {"name": "everywhere"},
            "spec": {"execs": [exec_target]},
        }
        (self.directory / "exec.yaml").write_text(json.dumps(configuration, indent=2) + "\n")
        # A command is looked up in kwok's own PATH, whatever is in the environment given to it.
        script = self.directory / "kwok.bin"
        script.write_text(f'#!/bin/sh\nPATH={self._programs} exec {program} "$@"\n')
        script.chmod(0o700)
        tls = certificates.directory
        arguments = (
            f"--kubeconfig={kubeconfig}",
            f"--config={_STAGES}",
            f"--config={self.directory / 'exec.yaml'}",
            "--manage-all-nodes",
            f"--node-ip={_HOST}",
            f"--node-port={self.port}",
            f"--server-address={_HOST}:{self.port}",
            f"--tls-cert-file={tls / 'server.pem'}",
            f"--tls-private-key-file={tls / 'server.key'}",
            f"--cidr={pod_cidrs[0]}",
            *(("--enable-crds=Exec",) if networks else ()),
        )
        (self.directory / "kwok.args").write_text(json.dumps(arguments))
        self.start()

    def start(self) -> None:
        """Start the process; it serves on return."""
        daemon = self.daemon
        daemon.start()
        daemon.wait_until_ready(self._listens)

    def stop(self) -> None:
        """End the process: nothing can be executed, and nodes and pods stay as they are."""
        self.daemon.stop(signal.SIGKILL)

    @property
    def daemon(self) -> ForegroundDaemon:
        """The process."""
        arguments = tuple(json.loads((self.directory / "kwok.args").read_text()))
        return ForegroundDaemon("kwok", self.directory, str(self.directory / "kwok.bin"), arguments)

    def remove_program(self, name: str) -> None:
        """Let no command in a pod find a program, as in an image that lacks it."""
        (self._programs / name).unlink()

    def restore_program(self, name: str) -> None:
        """Let commands in pods find a program of this machine."""
        (self._programs / name).symlink_to(find_program(name))

    def _wrap_program(self, name: str) -> None:
        """Let commands in pods find a program that runs in the pod's network namespace."""
        place = self._programs / name
        place.unlink(missing_ok=True)
        inside = f"${{{NAMESPACE_VARIABLE}:+{find_program('ip')} netns exec ${NAMESPACE_VARIABLE}}}"
        place.write_text(f'#!/bin/sh\nexec {inside} {find_program(name)} "$@"\n')
        place.chmod(0o700)

    def _listens(self) -> bool:
        try:
            socket.create_connection((_HOST, self.port), timeout=5).close()
        except OSError:
            return False
        return True

    @property
    def _programs(self) -> Path:
        return self.directory / "image"
