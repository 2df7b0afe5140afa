"""An engine host: a machine of its own for containerd and dockerd, made of namespaces. Needs root.

It has its own network, processes, host name, /etc (a copy in memory), /run and /var/log, and the
machine's other files. Its containers with --network=host have its network, and what they mount
from /etc/ovn, /var/run/ovn and /var/log/ovn is its own: the documented commands work unchanged,
on several hosts at once, beside an engine of the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from icplan.errors import IcplanError
from icplan.lab.daemons import end_all
from icplan.lab.engines import runc_wrapper
from icplan.lab.engines.control_groups import remove_control_groups
from icplan.lab.namespaces import namespace_name
from icplan.lab.programs import TIMEOUT_SECONDS, environment, find_program, run
from icplan.lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from icplan.lab.engines.wire import Wire

Engine = Literal["containerd", "docker"]

# Its tasks' pipes lie in docker's own folder.
_DOCKERS = "moby"
# What the lab's own commands get, and nobody has who works on a host.
_LAB_ONLY = {f"{one}_{kind}DIR" for one in ("OVN", "OVS") for kind in ("RUN", "LOG", "DB")}
_FIRST_PROCESS = Path(__file__).with_name("host.sh")
_CONTAINERD = """\
version = 2
root = "{folder}/containerd"
state = "{folder}/run/containerd-state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/containerd/opt"
"""


class EngineHost:
    """A host with a containerd, and perhaps a dockerd that uses it.

    Attributes:
        name: its host name.
        address: its address, reachable from the machine and from the lab's other hosts.
        directory: the folder that holds everything of it.
        number: its place on the wire, from 1.
    """

    def __init__(self, directory: Path, lab: str, name: str, number: int) -> None:
        self.name = name
        self.address = ""
        self.directory = directory / name
        self.number = number
        # Of its network namespace, and of the control group of its containers.
        self._label = namespace_name(lab, name)

    # What the machine sees of it.

    @property
    def docker_socket(self) -> Path:
        """The socket of dockerd; reachable from the machine as well as from the host."""
        return self.directory / "docker.sock"

    @property
    def docker_url(self) -> str:
        """What DOCKER_HOST or `docker -H` takes."""
        return f"unix://{self.docker_socket}"

    @property
    def containerd_socket(self) -> Path:
        """The socket of containerd, what CONTAINERD_ADDRESS or `ctr --address` takes."""
        return self.directory / "containerd.sock"

    @property
    def etc_ovn(self) -> Path:
        """Where the machine sees the host's /etc/ovn."""
        return self.directory / "etc-ovn"

    @property
    def run_ovn(self) -> Path:
        """Where the machine sees the host's /var/run/ovn."""
        return self.directory / "run" / "ovn"

    @property
    def log_ovn(self) -> Path:
        """Where the machine sees the host's /var/log/ovn."""
        return self.directory / "log" / "ovn"

    # Its life.

    def connect(self, wire: Wire) -> None:
        """Give the host its network."""
        self.address = wire.add_host(self.number, self._label)

    def start(self, engines: Sequence[Engine]) -> None:
        """Start the host, connected already, and engines on it.

        Raises:
            IcplanError: something did not start; the cause holds the end of its log.
        """
        for folder in ("bin", "containerd", "etc-ovn", "log/ovn", "memory", "run"):
            (self.directory / folder).mkdir(parents=True, exist_ok=True)
        self._write_settings()
        self._start_first_process()
        for engine in engines:
            self.start_engine(engine)

    def stop(self) -> None:
        """End everything on the host at once; what it had mounted is gone with it."""
        # An engine that does not answer any more has no say in it.
        with contextlib.suppress(IcplanError):
            self._forget_tasks()
        first = self._first_process()
        if first is None:
            return
        handle = os.pidfd_open(first)
        try:
            end_all([self._pidfile], self.directory.parent)
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            # The kernel ends the first process last: then no process of the host is left.
            if not poller.poll(TIMEOUT_SECONDS * 1000):
                raise IcplanError(
                    f"engine host {self.name} of the lab",
                    place=str(self.directory),
                    cause="its processes do not end, not even by SIGKILL",
                    cure="they hang in the kernel; end the lab again later",
                )
        finally:
            os.close(handle)
        remove_control_groups(self._label)

    def start_engine(self, engine: Engine) -> None:
        """Start dockerd or containerd, and return when it answers."""
        if engine == "containerd":
            program, socket = "containerd", self.containerd_socket
            arguments = ["--config", str(self.directory / "containerd.toml")]
            question = [find_program("ctr"), "--address", str(socket), "version"]
        else:
            program, socket = "dockerd", self.docker_socket
            arguments = ["--config-file", str(self.directory / "docker.json")]
            question = [find_program("docker"), "-H", self.docker_url, "version"]
        log = self.directory / f"{engine}.log"
        self.start_daemon(engine, [find_program(program), *arguments])

        def answers() -> bool:
            if not self.daemon_runs(engine):
                raise self._failed(f"{program} has ended", log)
            return socket.exists() and _works(question, self.directory)

        try:
            wait_until(answers, f"{program} answers", place=str(socket))
        except IcplanError as error:
            raise self._failed(str(error), log) from error

    def stop_engine(self, engine: Engine, signal_number: signal.Signals = signal.SIGTERM) -> None:
        """End dockerd or containerd, and return when it has ended.

        Containers run on without containerd and end with dockerd, as they do anywhere.
        """
        self.stop_daemon(engine, signal_number)

    # What is done on it.

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command line that runs a command on the host."""
        first = self._pid()
        return [
            *(find_program("nsenter"), "--target", str(first), "--mount", "--uts", "--net"),
            *(f"--pid=/proc/{first}/ns/pid_for_children", "--", *command),
        ]

    def run(self, *command: str) -> str:
        """Run a command on the host and return what it wrote.

        Raises:
            IcplanError: it failed.
        """
        return self._run(self._clean([find_program(command[0]), *command[1:]]))

    def docker(self, *arguments: str) -> str:
        """Run the docker command line against the host and return what it wrote."""
        # Settings of this user could name proxies, which docker hands on to containers.
        settings = str(self.directory / "docker-client")
        return self._run(["docker", "--config", settings, "-H", self.docker_url, *arguments])

    def ctr(self, *arguments: str, namespace: str = "default") -> str:
        """Run ctr against the host and return what it wrote."""
        address = str(self.containerd_socket)
        return self._run(["ctr", "--address", address, "--namespace", namespace, *arguments])

    def start_daemon(self, name: str, command: Sequence[str]) -> None:
        """Start a program that stays in the foreground, as a daemon of the host.

        Args:
            name: the stem of its pidfile, which holds its id as the host sees it, and its log.
            command: the program's path and its arguments.
        """
        log, pidfile = self.directory / f"{name}.log", self._inner_pidfile(name)
        pidfile.unlink(missing_ok=True)
        script = 'echo $$ >"$0" && log=$1 && shift && exec "$@" </dev/null >>"$log" 2>&1'
        shell = ["/bin/sh", "-c", script, str(pidfile), str(log), *command]
        path = f"PATH={self.directory / 'bin'}:{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
        self._run(self._clean([path, find_program("setsid"), "--fork", *shell]))
        wait_until(
            lambda: pidfile.exists() and pidfile.read_text() != "", f"{name} of {self.name} starts"
        )

    def stop_daemon(self, name: str, signal_number: signal.Signals = signal.SIGTERM) -> None:
        """End a daemon of the host and return when it has ended."""
        if self.daemon_runs(name):
            pid = self._inner_pidfile(name).read_text().strip()
            self.run("kill", f"-{signal_number.value}", pid)
            wait_until(lambda: not self.daemon_runs(name), f"{name} of {self.name} ends")
        self._inner_pidfile(name).unlink(missing_ok=True)

    def daemon_runs(self, name: str) -> bool:
        """Whether a daemon of the host runs."""
        try:
            pid = self._inner_pidfile(name).read_text().strip()
        except FileNotFoundError:
            return False
        try:
            state = Path(f"/proc/{self._pid()}/root/proc/{pid}/stat").read_text()
        except (OSError, IcplanError):
            return False
        return state.rpartition(")")[2].split()[0] != "Z"

    # How it is made.

    def _clean(self, command: Sequence[str]) -> list[str]:
        """The command line that runs a command on the host, where OVN's files are in /var/run."""
        unset = [f"--unset={name}" for name in environment(self.directory) if name in _LAB_ONLY]
        return self.inside([find_program("env"), *unset, *command])

    @property
    def _pidfile(self) -> Path:
        return self.directory / "host.pid"

    def _inner_pidfile(self, name: str) -> Path:
        # Not .pid: on the machine the number means another process.
        return self.directory / f"{name}.host-pid"

    def _write_settings(self) -> None:
        settings = {
            "hosts": [self.docker_url],
            "containerd": str(self.containerd_socket),
            "data-root": str(self.directory / "memory" / "docker"),
            "exec-root": str(self.directory / "run" / "docker"),
            "pidfile": str(self.directory / "run" / "docker.pid"),
            "iptables": False,
            "ip6tables": False,
            "ip-forward": False,
            "bridge": "none",
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "cgroup-parent": f"/{self._label}",
        }
        (self.directory / "docker.json").write_text(json.dumps(settings, indent=2))
        text = _CONTAINERD.format(folder=self.directory, socket=self.containerd_socket)
        (self.directory / "containerd.toml").write_text(text)
        # Both engines look for a program of this name; their documented commands name no other.
        wrapper = self.directory / "bin" / "runc"
        words = [sys.executable, "-I", runc_wrapper.__file__, find_program("runc"), self._label]
        quoted = " ".join(f"'{word}'" for word in words)
        wrapper.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n')
        wrapper.chmod(0o755)

    def _start_first_process(self) -> None:
        log, ready = self.directory / "host.log", self.directory / "ready"
        script = 'echo $$ >"$0" && log=$1 && shift && exec "$@" </dev/null >"$log" 2>&1'
        command = [
            *(find_program("setsid"), "--fork", "/bin/sh", "-c", script),
            *(str(self._pidfile), str(log)),
            *(find_program("nsenter"), f"--net=/run/netns/{self._label}"),
            *(find_program("unshare"), "--mount", "--propagation", "slave", "--uts", "--pid"),
            *("--fork", "--kill-child=KILL"),
            *("/bin/sh", str(_FIRST_PROCESS), self.name, str(self.directory)),
        ]
        self._run(command)

        def mounted() -> bool:
            if ready.exists():
                return True
            pid = self._pidfile.read_text().strip() if self._pidfile.exists() else ""
            if pid and not Path(f"/proc/{pid}").exists():
                raise self._failed("its first process has ended", log)
            return False

        wait_until(mounted, f"engine host {self.name} has its mounts", place=str(self.directory))

    def _pid(self) -> int:
        """The process that holds the host's namespaces."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self._pidfile.read_text())
            # A number that the kernel has given to somebody else meanwhile is not the host.
            if os.fsencode(self.directory) in Path(f"/proc/{pid}/cmdline").read_bytes():
                return pid
        raise IcplanError(
            f"engine host {self.name} of the lab",
            place=str(self.directory),
            cause="it does not run",
            cure="start it first",
        )

    def _first_process(self) -> int | None:
        """The host's first process as the machine sees it; none when the host does not run."""
        with contextlib.suppress(OSError, ValueError, IcplanError):
            parent = self._pid()
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text()
            return int(children.split()[0]) if children else None
        return None

    def _forget_tasks(self) -> None:
        """Delete all tasks: their pipes lie in the machine's /run, where ctr has made them."""
        if self._first_process() is None or not self.daemon_runs("containerd"):
            return
        for namespace in self.ctr("namespaces", "list", "--quiet").split():
            if namespace == _DOCKERS:
                continue
            for task in self.ctr("tasks", "list", "--quiet", namespace=namespace).split():
                self.ctr("tasks", "delete", "--force", task, namespace=namespace)

    def _run(self, command: Sequence[str]) -> str:
        return run(
            command, run_directory=self.directory, thing=f"engine host {self.name} of the lab"
        )

    def _failed(self, cause: str, log: Path) -> IcplanError:
        try:
            lines = log.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            lines = []
        return IcplanError(
            f"engine host {self.name} of the lab",
            place=str(self.directory),
            cause="\n".join([cause, *lines]),
            cure="the cause holds the end of its log; a machine under heavy load needs a retry",
        )


def _works(command: Sequence[str], directory: Path) -> bool:
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=5, check=False, env=environment(directory)
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
