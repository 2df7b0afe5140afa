"""Hosts and pods in network namespaces: userspace Open vSwitch, real Geneve. Needs root."""

from __future__ import annotations

import re
import signal
import subprocess
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.folder import lab_id
from icplan.lab.hypervisor import BRIDGE, Hypervisor
from icplan.lab.namespaces import namespace_name, why_no_namespaces
from icplan.lab.ping import PingEvent, RunningPing
from icplan.lab.programs import environment, find_program, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from icplan.lab.state import Host, Pod
    from icplan.lab.zone import Zone

# Geneve with OVN's option takes 58 bytes of the underlay's 1500, 78 under IPv6.
_POD_MTU = "1400"
_SEQUENCE = re.compile(r"icmp_seq=(\d+)")
_ANSWER = re.compile(r"\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+)")


class NamespaceFabric:
    """An underlay bridge in a namespace of its own, one namespace for each host and each pod."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lab = lab_id(directory)
        self._underlay = self._name("underlay")

    def start(self) -> None:
        """Make the underlay: a Linux bridge in its own namespace.

        Raises:
            IcplanError: this user cannot make network namespaces here.
        """
        if reason := why_no_namespaces():
            raise IcplanError(
                "network namespaces for the lab",
                cause=reason,
                cure="run as root, or start the lab in mode unprivileged",
            )
        self._ip("netns", "add", self._underlay)
        self._without_ipv6(self._underlay)
        self._ip("-n", self._underlay, "link", "add", "br0", "type", "bridge")
        self._ip("-n", self._underlay, "link", "set", "br0", "up")

    def add_host(self, zone: Zone, host: Host, *, interconn: bool) -> None:
        """Make a namespace with a cable to the underlay, Open vSwitch and ovn-controller in it."""
        name, cable = self._host_name(zone, host), self._cable(zone, host)
        self._ip("netns", "add", name)
        self._without_ipv6(name)
        self._veth(name, "eth0", self._underlay, cable)
        self._ip("-n", self._underlay, "link", "set", cable, "master", "br0", "up")
        # The bridge below answers ARP for the tunnel address. Were the kernel to answer too, with
        # the MAC of eth0, tunnels would die with whichever answer came last.
        self._ip("-n", name, "link", "set", "eth0", "arp", "off", "up")
        hypervisor = self.hypervisor(zone, host)
        hypervisor.start_switch(interconn=interconn)
        hypervisor.vsctl("add-port", BRIDGE, "eth0")
        self._address(zone, host)
        hypervisor.start_controller()

    def remove_host(self, zone: Zone, host: Host) -> None:
        """End the host's daemons and remove its namespace."""
        self.hypervisor(zone, host).stop()
        self._ip("netns", "del", self._host_name(zone, host))

    def mark_interconn(self, zone: Zone, host: Host, interconn: bool) -> None:
        """Set or clear ovn-is-interconn on a host."""
        self.hypervisor(zone, host).mark_interconn(interconn)

    def plug(self, zone: Zone, host: Host, *, connected: bool) -> None:
        """Set the underlay's end of the host's cable up or down."""
        state = "up" if connected else "down"
        self._ip("-n", self._underlay, "link", "set", self._cable(zone, host), state)

    def hypervisor(self, zone: Zone, host: Host) -> Hypervisor:
        """A host's daemons, in its namespace."""
        return Hypervisor(zone, host, "netdev", ("--disable-system",), self._host_name(zone, host))

    def restart_switch(self, zone: Zone, host: Host) -> None:
        """Start a host's ovs-vswitchd, which was killed, again."""
        self.hypervisor(zone, host).switch.start()
        # The device of the bridge went with its process, and the address with the device.
        self._address(zone, host)

    def _address(self, zone: Zone, host: Host) -> None:
        name = self._host_name(zone, host)
        self._ip("-n", name, "addr", "replace", f"{host.address}/16", "dev", BRIDGE)
        self._ip("-n", name, "link", "set", BRIDGE, "up")

    def add_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Make a namespace with addresses and a cable to the host's integration bridge."""
        name, home, cable = self.pod_namespace(pod), self._host_name(zone, host), f"pod{pod.number}"
        self._ip("netns", "add", name)
        if pod.address(6) is None:
            self._without_ipv6(name)
        # Without it a pod does not even reach itself.
        self._ip("-n", name, "link", "set", "lo", "up")
        self._veth(name, "eth0", home, cable)
        self._ip("-n", home, "link", "set", cable, "up")
        eth0 = ("link", "set", "eth0", "address", pod.mac, "mtu", _POD_MTU, "up")
        self._ip("-n", name, *eth0)
        for address in pod.addresses:
            # Nobody else has the address, and a tentative one would lose the first pings.
            nodad = ("nodad",) if ":" in address else ()
            self._ip("-n", name, "addr", "add", address, "dev", "eth0", *nodad)
        for gateway in pod.gateways:
            self._ip("-n", name, "route", "add", "default", "via", gateway)
        self.hypervisor(zone, host).vsctl(
            *("add-port", "br-int", cable),
            *("--", "set", "Interface", cable, f"external_ids:iface-id={pod.port}"),
        )

    def remove_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Remove the pod's namespace and its port on the host."""
        self.hypervisor(zone, host).vsctl("del-port", "br-int", f"pod{pod.number}")
        self._ip("netns", "del", self.pod_namespace(pod))

    def ping(self, pod: Pod, address: str, interval: float) -> RunningPing:
        """Run ping in the pod's namespace."""
        return _ProgramPing(pod, address, interval, self.pod_namespace(pod), self._directory)

    def _veth(self, namespace: str, name: str, peer_namespace: str, peer: str) -> None:
        self._ip(
            *("link", "add", name, "netns", namespace, "type", "veth"),
            *("peer", "name", peer, "netns", peer_namespace),
        )
        # Userspace Open vSwitch does not fill in the checksums that a veth leaves for later.
        for where, what in ((namespace, name), (peer_namespace, peer)):
            self._run("ip", "netns", "exec", where, "ethtool", "-K", what, "tx", "off")

    def _without_ipv6(self, namespace: str) -> None:
        setting = "net.ipv6.conf.all.disable_ipv6=1"
        self._run("ip", "netns", "exec", namespace, "sysctl", "-qw", setting)

    def _ip(self, *arguments: str) -> None:
        self._run("ip", *arguments)

    def _run(self, *command: str) -> None:
        run(command, run_directory=self._directory, thing="network namespaces of the lab")

    def _name(self, name: str) -> str:
        return namespace_name(self._lab, name)

    def _host_name(self, zone: Zone, host: Host) -> str:
        return self._name(f"z{zone.state.index}-h{host.number}")

    def pod_namespace(self, pod: Pod) -> str:
        """The name of a pod's namespace."""
        return self._name(f"pod-{pod.port}")

    @staticmethod
    def _cable(zone: Zone, host: Host) -> str:
        """The underlay's end; Linux allows 15 characters."""
        return f"z{zone.state.index}-h{host.number}"


class _ProgramPing(RunningPing):
    """The system's ping program, followed line by line."""

    def __init__(
        self, pod: Pod, address: str, interval: float, namespace: str, directory: Path
    ) -> None:
        # Ten minutes at most: it is no daemon with a pidfile, and must end even if its starter is
        # killed. -O tells of unanswered requests, -D when answers came.
        self._process = subprocess.Popen(
            [
                *(find_program("ip"), "netns", "exec", namespace),
                *(find_program("ping"), "-n", "-O", "-D", "-w", "600", "-W", "1"),
                *("-i", str(interval), address),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(directory),
        )
        super().__init__(f"ping from {pod.name} to {address}", self._read())

    def _read(self) -> Iterator[PingEvent]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        for line in self._process.stdout:
            if answer := _ANSWER.match(line):
                yield PingEvent(int(answer.group(2)), float(answer.group(1)))
            elif sequence := _SEQUENCE.search(line):
                yield PingEvent(int(sequence.group(1)), None)
        if trouble := self._process.stderr.read().strip():
            raise ValueError(trouble)

    def _close(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
