"""Hosts with dummy network devices, pods that are processes: real frames with no privilege."""

from __future__ import annotations

import json
import socket
import sys
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.daemons import Daemon
from icplan.lab.hypervisor import BRIDGE, Hypervisor
from icplan.lab.ping import PingEvent, RunningPing
from icplan.lab.programs import run
from icplan.lab.servers import OPEN_VSWITCH, DatabaseServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from icplan.lab.state import Host, Pod
    from icplan.lab.zone import Zone

_OPTIONS = ("--enable-dummy=system",)
_BRIDGE = "underlay"


class DummyFabric:
    """An Open vSwitch as underlay switch; cables are unix sockets between dummy devices."""

    def __init__(self, directory: Path) -> None:
        self._root = directory
        self._directory = directory / "underlay"
        self._database = DatabaseServer("db", self._directory, OPEN_VSWITCH)
        self._switch = Daemon(
            "switch", self._directory, "ovs-vswitchd", (self._database.remote.unix, *_OPTIONS)
        )

    def start(self) -> None:
        """Start the underlay switch."""
        self._database.create()
        self._database.start()
        self._vsctl("--no-wait", "init")
        self._switch.start()
        self._vsctl("add-br", _BRIDGE)

    def add_host(self, zone: Zone, host: Host, *, interconn: bool) -> None:
        """Start Open vSwitch and ovn-controller with a cable to the underlay switch."""
        self.plug(zone, host, connected=True)
        hypervisor = self.hypervisor(zone, host)
        hypervisor.start_switch(interconn=interconn)
        hypervisor.vsctl(
            *("add-port", BRIDGE, "eth0", "--", "set", "Interface", "eth0", "type=dummy"),
            f'options:stream="unix:{self._cable(zone, host)}"',
        )
        self._address(zone, host)
        hypervisor.start_controller()

    def remove_host(self, zone: Zone, host: Host) -> None:
        """End the host's daemons and remove its port on the underlay switch."""
        self.hypervisor(zone, host).stop()
        self._vsctl("--if-exists", "del-port", _BRIDGE, self._port(zone, host))

    def mark_interconn(self, zone: Zone, host: Host, interconn: bool) -> None:
        """Set or clear ovn-is-interconn on a host."""
        self.hypervisor(zone, host).mark_interconn(interconn)

    def plug(self, zone: Zone, host: Host, *, connected: bool) -> None:
        """Make or remove the host's port on the underlay switch."""
        port = self._port(zone, host)
        if not connected:
            self._vsctl("--if-exists", "del-port", _BRIDGE, port)
            return
        self._vsctl(
            *("--may-exist", "add-port", _BRIDGE, port),
            *("--", "set", "Interface", port, "type=dummy"),
            f'options:pstream="punix:{self._cable(zone, host)}"',
        )

    def hypervisor(self, zone: Zone, host: Host) -> Hypervisor:
        """A host's daemons."""
        return Hypervisor(zone, host, "dummy", _OPTIONS)

    def restart_switch(self, zone: Zone, host: Host) -> None:
        """Start a host's ovs-vswitchd, which was killed, again."""
        self.hypervisor(zone, host).switch.start()
        self._address(zone, host)

    def _address(self, zone: Zone, host: Host) -> None:
        """What the kernel knows elsewhere: the tunnel address and the way to the others."""
        hypervisor, address = self.hypervisor(zone, host), f"{host.address}/16"
        hypervisor.appctl("netdev-dummy/ip4addr", BRIDGE, address)
        hypervisor.appctl("ovs/route/add", address, BRIDGE)

    def add_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Start the pod's process and make its port on the host's integration bridge."""
        port = f"pod{pod.number}"
        hypervisor = self.hypervisor(zone, host)
        hypervisor.vsctl(
            *("add-port", "br-int", port, "--", "set", "Interface", port, "type=dummy"),
            f"external_ids:iface-id={pod.port}",
            f'options:pstream="punix:{self._device(pod)}"',
        )
        self._pod(pod).start()

    def remove_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """End the pod's process and remove its port on the host."""
        self._pod(pod).stop()
        self._pod(pod).control.unlink(missing_ok=True)
        self.hypervisor(zone, host).vsctl("del-port", "br-int", f"pod{pod.number}")

    def ping(self, pod: Pod, address: str, interval: float) -> RunningPing:
        """Ask the pod's process to ping."""
        return _PodPing(pod, address, interval, self._pod(pod))

    def _pod(self, pod: Pod) -> Daemon:
        return Daemon(
            f"pod{pod.number}",
            self._root / pod.zone / pod.host,
            sys.executable,
            (
                *("-P", "-m", "icplan.lab.dummy_pod", str(self._device(pod)), pod.mac),
                *(",".join(pod.addresses), ",".join(pod.gateways)),
            ),
        )

    def _device(self, pod: Pod) -> Path:
        return self._root / pod.zone / pod.host / f"pod{pod.number}.sock"

    def _port(self, zone: Zone, host: Host) -> str:
        return f"z{zone.state.index}-h{host.number}"

    def _cable(self, zone: Zone, host: Host) -> Path:
        return self._directory / f"{self._port(zone, host)}.sock"

    def _vsctl(self, *arguments: str) -> None:
        run(
            ["ovs-vsctl", "--timeout=60", f"--db={self._database.remote.unix}", *arguments],
            run_directory=self._directory,
            thing="underlay of the lab",
        )


class _PodPing(RunningPing):
    """Pings by a pod's process, followed over its control socket."""

    def __init__(self, pod: Pod, address: str, interval: float, process: Daemon) -> None:
        thing = f"ping from {pod.name} to {address}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(process.control))
            request = {"address": address, "interval": interval}
            self._socket.sendall(f"{json.dumps(request)}\n".encode())
        except OSError as error:
            self._socket.close()
            raise IcplanError(
                thing,
                place=str(process.control),
                cause=f"{error}\n{process.log_tail()}".strip(),
                cure="the pod's process may have ended: start the lab again",
            ) from error
        super().__init__(thing, self._read())

    def _read(self) -> Iterator[PingEvent]:
        with self._socket.makefile() as lines:
            for line in lines:
                if line.startswith("!"):
                    raise ValueError(line[1:].strip())
                sequence, _, answered = line.partition(" ")
                yield PingEvent(int(sequence), float(answered) if answered else None)

    def _close(self) -> None:
        # A close alone does not wake the thread that reads.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
