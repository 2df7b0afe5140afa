"""One zone of plain OVN: databases, northd, ovn-ic, a router with subnets, hosts and pods.

Never does what icplan does: no NB_Global.name, no ic-route options, no ports on transit switches,
no gateway chassis.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.daemons import Daemon
from icplan.lab.numbering import (
    default_subnets,
    ethernet_address,
    pod_addresses,
    tunnel_address,
)
from icplan.lab.state import Host, Mode, Pod
from icplan.lab.waiting import wait_until
from icplan.lab.zone_databases import ZoneDatabases

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from icplan.lab.certificates import Certificates
    from icplan.lab.fabric import Fabric
    from icplan.lab.hypervisor import Hypervisor
    from icplan.lab.ic_databases import IcDatabases
    from icplan.lab.state import LabOptions, ZoneState


class Zone(ZoneDatabases):
    """A zone of a running lab.

    Attributes:
        state: what lab.json remembers of it.
        router: the name of its router.
    """

    def __init__(
        self,
        root: Path,
        state: ZoneState,
        options: LabOptions,
        *,
        ic: IcDatabases,
        fabric: Fabric,
        tls: Certificates | None,
        save: Callable[[], None],
    ) -> None:
        super().__init__(root, state, tls)
        self.state = state
        self.router = options.router
        self._options = options
        self._fabric = fabric
        self._save = save
        local = (f"--ovnnb-db={self.northbound.unix}", f"--ovnsb-db={self.southbound.unix}")
        self._northd = Daemon("northd", self.directory, "ovn-northd", local)
        remotes = (f"--ic-nb-db={ic.northbound.network}", f"--ic-sb-db={ic.southbound.network}")
        self._ovn_ic = Daemon("ovn-ic", self.directory, "ovn-ic", (*local, *remotes))
        self._player = Daemon(
            "gateway-claims",
            self.directory,
            sys.executable,
            ("-P", "-m", "icplan.lab.gateway_claims", str(self._sb.socket)),
        )

    # Bringing it up

    def create(self) -> None:
        """Make the zone: daemons, router, subnets, hosts and, where packets flow, pods."""
        self.create_databases()
        self._northd.start()
        self.start_ovn_ic()
        self.nbctl("lr-add", self.router)
        subnets = default_subnets(self.state.index, self._options.family)
        for name, gateways in subnets.items():
            self.add_subnet(name, *gateways)
        for number in range(1, self._options.gateways + 1):
            self.add_host(f"{self.name}-gw{number}", interconn=True)
        for number in range(1, self._options.workers + 1):
            self.add_host(f"{self.name}-w{number}", interconn=False)
        if self._options.mode is Mode.CONTROL_PLANE:
            if self._options.play_ovn_controller:
                self.play_ovn_controller()
        else:
            for name in subnets:
                self.add_pod(name, name)

    def start_ovn_ic(self) -> None:
        """Start ovn-ic; it idles until NB_Global.name is set."""
        self._ovn_ic.start()

    def stop_ovn_ic(self) -> None:
        """End ovn-ic; the zone's rows in the IC databases stay."""
        self._ovn_ic.stop()

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """The zone's own daemons; its hosts have theirs."""
        return self._nb.daemon, self._sb.daemon, self._northd, self._ovn_ic

    # The router

    def add_subnet(self, name: str, *gateways: str) -> None:
        """Make a logical switch and connect it to the router.

        Args:
            name: the name of the switch.
            gateways: the router's addresses in it with prefix length, such as "10.18.0.1/16".
        """
        mac = ethernet_address(self.name, self.router, name)
        router_port, switch_port = f"{self.router}-{name}", f"{name}-{self.router}"
        self.nbctl(
            *("ls-add", name),
            *("--", "lrp-add", self.router, router_port, mac, *gateways),
            *("--", "lsp-add", name, switch_port),
            *("--", "lsp-set-type", switch_port, "router"),
            *("--", "lsp-set-addresses", switch_port, "router"),
            *("--", "lsp-set-options", switch_port, f"router-port={router_port}"),
        )

    def remove_subnet(self, name: str) -> None:
        """Delete a logical switch and the router's port in it."""
        self.nbctl("ls-del", name, "--", "lrp-del", f"{self.router}-{name}")

    def subnet_gateways(self, name: str) -> tuple[str, ...]:
        """The router's addresses in a subnet, with prefix length."""
        networks = self.nbctl(
            "--bare", "get", "Logical_Router_Port", f"{self.router}-{name}", "networks"
        )
        return tuple(networks.strip().strip("[]").replace('"', "").split(", "))

    # Hosts

    @property
    def hosts(self) -> dict[str, Host]:
        """The hosts by host name."""
        return {host.name: host for host in self.state.hosts}

    @property
    def gateway_hosts(self) -> list[str]:
        """The names of the hosts that the lab made as gateways, in order."""
        return [name for name in self.hosts if name.startswith(f"{self.name}-gw")]

    def add_host(self, name: str, *, interconn: bool) -> Host:
        """Make a host; on return its Chassis row is there.

        Args:
            name: its host name; must be new in the lab.
            interconn: whether it is marked ovn-is-interconn, as a gateway must be.
        """
        number = 1 + max((host.number for host in self.state.hosts), default=0)
        address = tunnel_address(self.state.index, number)
        host = Host(name, f"chassis-{name}", address, number)
        self.state.hosts.append(host)
        self._save()
        self._fabric.add_host(self, host, interconn=interconn)
        return host

    def remove_host(self, name: str) -> None:
        """Take a host away, its Chassis row included. Its pods stay without a host."""
        host = self.hosts[name]
        self._fabric.remove_host(self, host)
        self.state.hosts.remove(host)
        self._save()

    def mark_interconn(self, host: str, interconn: bool) -> None:
        """Set or clear ovn-is-interconn on a host, as its operator would.

        On return the host's Chassis row says so.
        """
        self._fabric.mark_interconn(self, self.hosts[host], interconn)

    def plug(self, host: str, *, connected: bool) -> None:
        """Connect or cut a host's underlay cable; only where packets flow."""
        self._fabric.plug(self, self.hosts[host], connected=connected)

    def hypervisor(self, host: str) -> Hypervisor:
        """A host's Open vSwitch and ovn-controller, to be looked at or killed."""
        return self._fabric.hypervisor(self, self.hosts[host])

    def restart_switch(self, host: str) -> None:
        """Start a host's ovs-vswitchd, which was killed, again."""
        self._fabric.restart_switch(self, self.hosts[host])

    # Chassis rows, where no ovn-controller runs

    def add_chassis(self, name: str, hostname: str, ip: str, interconn: bool = True) -> None:
        """Make a Chassis row by hand.

        Args:
            name: the chassis' name.
            hostname: the host name in the row; may repeat another's, to test for that.
            ip: the tunnel address.
            interconn: the value of other_config:is-interconn.
        """
        self.sbctl(
            *("chassis-add", name, "geneve", ip),
            *("--", "set", "Chassis", name, f"hostname={hostname}"),
            f"other_config:is-interconn={'true' if interconn else 'false'}",
        )

    def remove_chassis(self, name: str) -> None:
        """Delete a Chassis row; gateway ports bound to it lose their binding."""
        self.sbctl("chassis-del", name)

    def bind_gateway(self, port: str, chassis: str) -> None:
        """Bind a gateway port to a chassis, once, as the ovn-controller there would.

        Args:
            port: the logical router port; its southbound port cr-<port> is waited for.
            chassis: the chassis' name.
        """
        found = ("--bare", "--columns=_uuid", "find", "Port_Binding", f"logical_port=cr-{port}")
        wait_until(
            lambda: bool(self.sbctl(*found).strip()),
            f"northd makes cr-{port}",
            place=self.name,
        )
        # lsp-bind refuses a bound port.
        self.sbctl("--if-exists", "lsp-unbind", f"cr-{port}")
        self.sbctl("lsp-bind", f"cr-{port}", chassis)

    def play_ovn_controller(self) -> None:
        """Start a process that keeps every gateway port bound as ovn-controller would.

        Each cr-* port is bound to the chassis of highest priority that has a Chassis row, and
        bound anew whenever that changes. Where real ovn-controllers run this must not be used.
        """
        if self._options.mode is not Mode.CONTROL_PLANE:
            raise IcplanError(
                f"stand-in for ovn-controller in {self.name}",
                cause="real ovn-controllers run in this lab",
                cure="use it in mode control-plane only",
            )
        if not self._player.running():
            self._player.start()

    def stop_playing(self) -> None:
        """End the process of `play_ovn_controller`; the bindings stay as they are."""
        self._player.stop()

    # Pods

    @property
    def pods(self) -> dict[str, Pod]:
        """The pods by name ("az1/pods")."""
        return {pod.name: pod for pod in self.state.pods}

    def add_pod(self, name: str, subnet: str, host: str | None = None) -> Pod:
        """Make a pod; on return its port is up.

        Args:
            name: its name within the zone.
            subnet: the subnet it gets its addresses from.
            host: where it lives; the zone's last host by default, which is a worker.
        """
        home = self.state.hosts[-1] if host is None else self.hosts[host]
        position = 1 + sum(pod.subnet == subnet for pod in self.state.pods)
        addresses, gateways = pod_addresses(self.subnet_gateways(subnet), position)
        pod = Pod(
            name=f"{self.name}/{name}",
            zone=self.name,
            host=home.name,
            subnet=subnet,
            mac=ethernet_address(self.name, "pod", name),
            addresses=addresses,
            gateways=gateways,
            number=1 + max((pod.number for pod in self.state.pods), default=0),
        )
        plain = [each.partition("/")[0] for each in addresses]
        self.nbctl(
            *("lsp-add", subnet, pod.port),
            *("--", "lsp-set-addresses", pod.port, " ".join([pod.mac, *plain])),
        )
        self._fabric.add_pod(self, home, pod)
        self.state.pods.append(pod)
        self._save()
        wait_until(
            lambda: self.nbctl("lsp-get-up", pod.port).strip() == "up",
            f"port of pod {pod.name} comes up",
            place=home.name,
        )
        return pod

    def remove_pod(self, name: str) -> None:
        """Take a pod away.

        Args:
            name: its name within the zone.
        """
        pod = self.pods[f"{self.name}/{name}"]
        self._fabric.remove_pod(self, self.hosts[pod.host], pod)
        self.nbctl("lsp-del", pod.port)
        self.state.pods.remove(pod)
        self._save()

    # Taking it down

    def end_daemons(self) -> None:
        """End the zone's own daemons; its hosts and pods are taken away before."""
        for daemon in (self._player, *reversed(self.daemons)):
            daemon.stop()
