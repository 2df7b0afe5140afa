"""What hosts and pods are made of: the interface of the modes, and the mode without packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from icplan.errors import IcplanError

if TYPE_CHECKING:
    from icplan.lab.hypervisor import Hypervisor
    from icplan.lab.ping import RunningPing
    from icplan.lab.state import Host, Pod
    from icplan.lab.zone import Zone


class Fabric(Protocol):
    """Makes hosts and pods. One implementation for each mode."""

    def start(self) -> None:
        """Bring up what all hosts share: the underlay network."""

    def add_host(self, zone: Zone, host: Host, *, interconn: bool) -> None:
        """Make a host whose Chassis row appears in the zone's southbound database."""

    def remove_host(self, zone: Zone, host: Host) -> None:
        """Take a host away, its Chassis row included."""

    def mark_interconn(self, zone: Zone, host: Host, interconn: bool) -> None:
        """Set or clear ovn-is-interconn on a host."""

    def plug(self, zone: Zone, host: Host, *, connected: bool) -> None:
        """Connect or cut a host's underlay cable."""

    def hypervisor(self, zone: Zone, host: Host) -> Hypervisor:
        """A host's daemons."""

    def restart_switch(self, zone: Zone, host: Host) -> None:
        """Start a host's ovs-vswitchd, which was killed, again."""

    def add_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Make a pod on a host; its logical port exists already."""

    def remove_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Take a pod away."""

    def ping(self, pod: Pod, address: str, interval: float) -> RunningPing:
        """Start to ping an address from a pod, a request every so many seconds."""


class ControlPlaneFabric:
    """Hosts are Chassis rows made by hand; there are no pods and no packets."""

    def start(self) -> None:
        """Nothing is shared."""

    def add_host(self, zone: Zone, host: Host, *, interconn: bool) -> None:
        """Make the Chassis row."""
        zone.add_chassis(host.chassis, host.name, host.address, interconn=interconn)

    def remove_host(self, zone: Zone, host: Host) -> None:
        """Delete the Chassis row."""
        zone.remove_chassis(host.chassis)

    def mark_interconn(self, zone: Zone, host: Host, interconn: bool) -> None:
        """Set what ovn-controller would copy into the Chassis row."""
        value = "true" if interconn else "false"
        zone.sbctl("set", "Chassis", host.chassis, f"other_config:is-interconn={value}")

    def plug(self, zone: Zone, host: Host, *, connected: bool) -> None:
        """Refuse: there is no cable."""
        raise self._no_packets(f"{'connect' if connected else 'cut'} {host.name} of {zone.name}")

    def hypervisor(self, zone: Zone, host: Host) -> Hypervisor:
        """Refuse: a host is but a row."""
        raise self._no_packets(f"daemons of {host.name} of {zone.name}")

    def restart_switch(self, zone: Zone, host: Host) -> None:
        """Refuse: a host is but a row."""
        raise self._no_packets(f"ovs-vswitchd of {host.name} of {zone.name}")

    def add_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Refuse: there are no pods."""
        raise self._no_packets(f"pod {pod.name} on {host.name} of {zone.name}")

    def remove_pod(self, zone: Zone, host: Host, pod: Pod) -> None:
        """Refuse: there are no pods."""
        raise self._no_packets(f"pod {pod.name} on {host.name} of {zone.name}")

    def ping(self, pod: Pod, address: str, interval: float) -> RunningPing:
        """Refuse: there are no pods."""
        raise self._no_packets(f"ping from {pod.name} to {address} every {interval} s")

    @staticmethod
    def _no_packets(thing: str) -> IcplanError:
        return IcplanError(
            thing,
            cause="this lab has a control plane only",
            cure="start the lab in mode network-namespaces or unprivileged",
        )
