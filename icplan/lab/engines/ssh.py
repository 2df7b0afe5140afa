"""An sshd on engine hosts, and an ssh for this machine that uses it. Never looks into ~/.ssh."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.programs import find_program, run
from icplan.lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from icplan.lab.engines.host import EngineHost

_SERVER = """\
Port {port}
ListenAddress {address}
HostKey {folder}/host_key_{name}
AuthorizedKeysFile {folder}/user_key.pub
PidFile none
# The folder may lie in /tmp, which everybody may write.
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
# A docker context of this user must not lead elsewhere.
SetEnv DOCKER_HOST=unix:///var/run/docker.sock
"""
_CLIENT = """\
IdentityFile {folder}/user_key
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
BatchMode yes
"""


class Ssh:
    """Keys, a server on each host and a client of one lab.

    Attributes:
        directory: the folder of the keys, settings and the client.
        port: where the servers listen; each host has all ports for itself.
    """

    def __init__(self, directory: Path, port: int = 22) -> None:
        self.directory = directory
        self.port = port

    @property
    def programs(self) -> Path:
        """A folder with a program `ssh` that knows the hosts and their key; to be first in PATH."""
        return self.directory / "bin"

    def environment(self) -> dict[str, str]:
        """This process's environment, with that ssh first in PATH."""
        path = os.environ.get("PATH", os.defpath)
        return dict(os.environ) | {"PATH": f"{self.programs}{os.pathsep}{path}"}

    def url(self, host: EngineHost) -> str:
        """How the host is named: ssh://root@198.18.0.18, with the port when it is another."""
        port = "" if self.port == 22 else f":{self.port}"
        return f"ssh://root@{host.address}{port}"

    def start(self, hosts: Sequence[EngineHost]) -> None:
        """Make the keys, start a server on each host, and write the client.

        Raises:
            IcplanError: a program is missing, or a server did not start.
        """
        self.programs.mkdir(parents=True, mode=0o700)
        self._make_key("user_key")
        known = []
        for host in hosts:
            self._make_key(f"host_key_{host.name}")
            key = (self.directory / f"host_key_{host.name}.pub").read_text().strip()
            place = host.address if self.port == 22 else f"[{host.address}]:{self.port}"
            known.append(f"{place} {key}\n")
            self.start_server(host)
        (self.directory / "known_hosts").write_text("".join(known))
        (self.directory / "config").write_text(_CLIENT.format(folder=self.directory))
        client = self.programs / "ssh"
        program = find_program("ssh")
        client.write_text(f"#!/bin/sh\nexec '{program}' -F '{self.directory}/config' \"$@\"\n")
        client.chmod(0o755)

    def start_server(self, host: EngineHost) -> None:
        """Start a host's server, and return when it answers."""
        settings = self.directory / f"sshd_{host.name}.conf"
        values = {"folder": self.directory, "name": host.name, "address": host.address}
        settings.write_text(_SERVER.format(port=self.port, **values))
        # -e: its log goes where the host's other logs are.
        host.start_daemon("sshd", [find_program("sshd"), "-D", "-e", "-f", str(settings)])

        def answers() -> bool:
            if not host.daemon_runs("sshd"):
                raise IcplanError(
                    f"sshd of {host.name}",
                    place=f"{host.address}:{self.port}",
                    cause=(host.directory / "sshd.log").read_text().strip(),
                    cure="see its settings in the lab's directory",
                )
            try:
                with socket.create_connection((host.address, self.port), timeout=5) as stream:
                    return stream.recv(4) == b"SSH-"
            except OSError:
                return False

        wait_until(answers, f"sshd of {host.name} answers", place=host.address)

    def stop_server(self, host: EngineHost) -> None:
        """End a host's server; its open connections go on."""
        host.stop_daemon("sshd")

    def _make_key(self, name: str) -> None:
        run(
            [
                *("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "icplan lab"),
                *("-f", str(self.directory / name)),
            ],
            run_directory=self.directory,
            thing="keys for ssh of the lab",
        )
