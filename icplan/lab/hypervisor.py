"""One host of a zone: its Open vSwitch and its ovn-controller. Does not know how it is cabled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from icplan.lab.daemons import Daemon
from icplan.lab.programs import run
from icplan.lab.servers import OPEN_VSWITCH, DatabaseServer
from icplan.lab.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from icplan.lab.state import Host
    from icplan.lab.zone import Zone

BRIDGE = "br-phy"
"""The bridge that holds the host's tunnel address and its underlay cable."""


@dataclass(frozen=True, slots=True)
class Hypervisor:
    """A host.

    Attributes:
        zone: the zone it belongs to.
        host: its name, chassis and addresses.
        datapath: Open vSwitch's datapath type: netdev (userspace) or dummy.
        switch_options: the options of its ovs-vswitchd.
        namespace: the network namespace of its daemons; empty means the caller's.
    """

    zone: Zone
    host: Host
    datapath: str
    switch_options: tuple[str, ...]
    namespace: str = ""

    @property
    def directory(self) -> Path:
        """The folder of its files."""
        return self.zone.directory / self.host.name

    @property
    def switch(self) -> Daemon:
        """Its ovs-vswitchd."""
        return Daemon(
            "switch",
            self.directory,
            "ovs-vswitchd",
            (self._database.remote.unix, *self.switch_options),
            self.namespace,
        )

    @property
    def controller(self) -> Daemon:
        """Its ovn-controller; that of OVN 23.03 does not know the option --unixctl."""
        return Daemon(
            "ovn-controller",
            self.directory,
            "ovn-controller",
            (self._database.remote.unix,),
            self.namespace,
            names_control=False,
        )

    @property
    def _database(self) -> DatabaseServer:
        return DatabaseServer("db", self.directory, OPEN_VSWITCH, namespace=self.namespace)

    def start_switch(self, *, interconn: bool) -> None:
        """Start Open vSwitch with its two bridges, configured for ovn-controller."""
        self._database.create()
        self._database.start()
        settings = {
            "system-id": self.host.chassis,
            "hostname": self.host.name,
            "ovn-remote": self.zone.southbound.unix,
            "ovn-encap-type": "geneve",
            "ovn-encap-ip": self.host.address,
            "ovn-bridge-datapath-type": self.datapath,
            "ovn-is-interconn": "true" if interconn else "false",
            "ovn-openflow-probe-interval": "0",
        }
        quoted = [f'external_ids:{key}="{value}"' for key, value in settings.items()]
        self.vsctl("--no-wait", "init", "--", "set", "Open_vSwitch", ".", *quoted)
        self.switch.start()
        # A fixed MAC: by default it follows the bridge's ports, and peers keep the old one in
        # their tunnel neighbour cache for 15 minutes.
        octets = [int(octet) for octet in self.host.address.split(".")]
        mac = "02:bb:" + ":".join(f"{octet:02x}" for octet in octets)
        self.vsctl(
            *("add-br", BRIDGE),
            *("--", "set", "Bridge", BRIDGE, f"datapath_type={self.datapath}"),
            f'other_config:hwaddr="{mac}"',
            *("--", "add-br", "br-int"),
            *("--", "set", "Bridge", "br-int", f"datapath_type={self.datapath}"),
            "fail_mode=secure",
        )

    def start_controller(self) -> None:
        """Start ovn-controller and return when its Chassis row is there."""
        self.controller.start()
        self.zone.sbctl("wait-until", "Chassis", self.host.chassis)

    def mark_interconn(self, interconn: bool) -> None:
        """Set or clear ovn-is-interconn and return when the Chassis row says so."""
        value = "true" if interconn else "false"
        self.vsctl("set", "Open_vSwitch", ".", f"external_ids:ovn-is-interconn={value}")
        expected = f"other_config:is-interconn={value}"
        self.zone.sbctl("wait-until", "Chassis", self.host.chassis, expected)

    def stop_controller(self) -> None:
        """End ovn-controller as for good: on return its Chassis row is gone."""
        controller = self.controller
        if controller.running():
            # Only this deletes the row; SIGTERM leaves it, seen with OVN 23.03.
            pid = controller.pidfile.read_text().strip()
            control = str(self.directory / f"ovn-controller.{pid}.ctl")
            self._appctl(control, "exit")
            wait_until(lambda: not controller.running(), f"ovn-controller of {self.host.name} ends")

    def recompute(self) -> None:
        """Let ovn-controller make all of its flows anew."""
        pid = self.controller.pidfile.read_text().strip()
        self._appctl(str(self.directory / f"ovn-controller.{pid}.ctl"), "inc-engine/recompute")

    def stop(self) -> None:
        """End its daemons as for good: on return its Chassis row is gone."""
        self.stop_controller()
        for daemon in (self.switch, self._database.daemon):
            daemon.stop()

    def vsctl(self, *arguments: str) -> str:
        """Run ovs-vsctl on this host and return its output."""
        return run(
            ["ovs-vsctl", "--timeout=60", f"--db={self._database.remote.unix}", *arguments],
            run_directory=self.directory,
            thing=f"Open vSwitch of {self.host.name}",
        )

    def appctl(self, *arguments: str) -> str:
        """Run ovs-appctl on this host's ovs-vswitchd and return its output."""
        return self._appctl(str(self.switch.control), *arguments)

    def _appctl(self, control: str, *arguments: str) -> str:
        return run(
            ["ovs-appctl", "-t", control, *arguments],
            run_directory=self.directory,
            thing=f"Open vSwitch of {self.host.name}",
        )
