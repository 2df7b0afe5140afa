"""The two interconnection databases, alone or as a raft. Writes no rows of its own."""

from __future__ import annotations

import re
import signal
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from icplan.errors import IcplanError
from icplan.lab.ports import reserve_network, reserve_port
from icplan.lab.programs import run
from icplan.lab.servers import (
    IC_NORTHBOUND,
    IC_SOUTHBOUND,
    DatabaseServer,
    RaftAddress,
    Remote,
    Schema,
)
from icplan.lab.state import IcPorts
from icplan.lab.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NETWORK = "127.0.0"
DEPLOYED = IcPorts(6645, 6646, 6647, 6648)
"""Where Kube-OVN's own Deployment lets them listen; nothing sets others."""
IcDatabase = Literal["northbound", "southbound"]


class IcDatabases:
    """IC northbound and southbound: one pair of servers for each member.

    Attributes:
        hosts: the members' addresses, 127.0.0.1 first.
        ports: the ports, the same on all hosts.
        clustered: whether each is a member of a raft, and be it one of one.
    """

    def __init__(
        self, directory: Path, members: int, ports: IcPorts, network: str = _NETWORK
    ) -> None:
        self.hosts = tuple(f"{network}.{number + 1}" for number in range(members))
        self.ports = ports
        self.clustered = members > 1 or network != _NETWORK
        self._directory = directory
        self._northbound = [self._server(host, "nb", IC_NORTHBOUND) for host in self.hosts]
        self._southbound = [self._server(host, "sb", IC_SOUTHBOUND) for host in self.hosts]

    @property
    def northbound(self) -> Remote:
        """How the IC northbound database is reached, all members listed."""
        return _all(self._northbound)

    @property
    def southbound(self) -> Remote:
        """How the IC southbound database is reached, all members listed."""
        return _all(self._southbound)

    @property
    def servers(self) -> list[DatabaseServer]:
        """Every server of every member."""
        return [*self._northbound, *self._southbound]

    def create(self) -> None:
        """Make the databases and start their servers; a raft has its leaders on return."""
        for group in (self._northbound, self._southbound):
            for server in group:
                server.create()
                server.start()
                if server.raft:
                    self._wait_until_connected(server)

    def nbctl(self, *arguments: str) -> str:
        """Run ovn-ic-nbctl and return its output."""
        return self._ctl("ovn-ic-nbctl", self.northbound, arguments)

    def sbctl(self, *arguments: str) -> str:
        """Run ovn-ic-sbctl and return its output."""
        return self._ctl("ovn-ic-sbctl", self.southbound, arguments)

    def kill_member(self, member: int) -> None:
        """Kill both servers of a member (1 is 127.0.0.1), as a power cut would."""
        for server in self._member(member):
            server.daemon.stop(signal.SIGKILL)

    def start_member(self, member: int) -> None:
        """Start both servers of a killed member again, with the data they had."""
        for server in self._member(member):
            server.start()
            if server.raft:
                self._wait_until_connected(server)

    def leader(self, database: IcDatabase = "northbound") -> int | None:
        """The number of the member that leads a database; none while there is no leader.

        The two databases are two raft clusters: their leaders can differ.
        """
        group = self._northbound if database == "northbound" else self._southbound
        if not self.clustered:
            return 1 if group[0].daemon.running() else None
        for number, server in enumerate(group, start=1):
            if self.raft_status(server, "Role") == "leader":
                return number
        return None

    def start_as_told(self, member: int, hosts: Sequence[str]) -> bool:
        """Start a member as Kube-OVN's start script does; what it held is still there.

        Where there was nothing yet, the first of the hosts begins a raft unless one of them leads
        one already, and each other one joins that first one.

        Args:
            member: its number (1 is the first host).
            hosts: the members' addresses, as the script is told them.

        Returns:
            Whether it could be started: it cannot join itself.
        """
        own, first = self.hosts[member - 1], hosts[0]
        led = any(
            self.raft_status(server, "Role") == "leader"
            for server in self._northbound
            if server.host in hosts
        )
        servers = self._member(member)
        new = [server for server in servers if not server.file.exists()]
        if new and led and own == first:
            return False
        for server in new:
            port = server.raft.own.rpartition(":")[2] if server.raft else ""
            raft = RaftAddress(f"tcp:{own}:{port}", f"tcp:{first}:{port}")
            replace(server, raft=raft).create()
        for server in servers:
            server.start()
        return True

    def stop_member(self, member: int) -> None:
        """End both servers of a member; what they held stays."""
        for server in self._member(member):
            server.daemon.stop()

    def forget_member(self, member: int) -> None:
        """Remove the files of a member that does not run."""
        for server in self._member(member):
            server.file.unlink(missing_ok=True)

    def running(self, member: int) -> bool:
        """Whether both servers of a member run."""
        return all(server.daemon.running() for server in self._member(member))

    def healthy(self, member: int) -> bool:
        """What Kube-OVN's health check says of a member: no failure, and no vain candidate."""
        for server in self._member(member):
            status = self.raft_status(server, "Status")
            role = self.raft_status(server, "Role")
            if (
                status is None
                or "failed" in status
                or ("disconnected" in status and role == "candidate")
            ):
                return False
        return True

    def _member(self, member: int) -> tuple[DatabaseServer, DatabaseServer]:
        if not 1 <= member <= len(self.hosts):
            raise IcplanError(
                f"member {member} of the IC databases",
                cause=f"there are members 1 to {len(self.hosts)}",
                cure="name one of them",
            )
        return self._northbound[member - 1], self._southbound[member - 1]

    def _server(self, host: str, name: str, schema: Schema) -> DatabaseServer:
        port, raft_port = (
            (self.ports.northbound, self.ports.northbound_raft)
            if name == "nb"
            else (self.ports.southbound, self.ports.southbound_raft)
        )
        raft = None
        if self.clustered:
            raft = RaftAddress(f"tcp:{host}:{raft_port}", f"tcp:{self.hosts[0]}:{raft_port}")
        folder = self._directory / f"ic{self.hosts.index(host) + 1}"
        return DatabaseServer(name, folder, schema, host=host, port=port, raft=raft)

    def _wait_until_connected(self, server: DatabaseServer) -> None:
        wait_until(
            lambda: (
                self.raft_status(server, "Status") == "cluster member"
                and self.raft_status(server, "Leader") not in (None, "unknown")
            ),
            f"raft member of {server.schema.database} joins the cluster",
            place=server.host,
        )

    def raft_status(self, server: DatabaseServer, key: str) -> str | None:
        """A line of what a server says of its raft, such as Role; none when it says nothing."""
        if not server.daemon.running():
            return None
        try:
            status = run(
                [
                    *("ovs-appctl", "-t", str(server.daemon.control)),
                    *("cluster/status", server.schema.database),
                ],
                run_directory=server.directory,
                thing="raft status",
            )
        except IcplanError:
            return None
        found = re.search(rf"^{key}: (.*)$", status, re.MULTILINE)
        return found.group(1) if found else None

    def _ctl(self, program: str, remote: Remote, arguments: tuple[str, ...]) -> str:
        return run(
            [program, "--timeout=60", f"--db={remote.unix}", *arguments],
            run_directory=self._directory,
            thing="IC databases of the lab",
        )


def choose_ic_ports(members: int, stack: ExitStack) -> IcPorts:
    """Reserve the ports of the IC databases until the stack is closed."""
    hosts = [f"127.0.0.{number + 1}" for number in range(members)]
    numbers = [stack.enter_context(reserve_port(hosts)).number for _ in range(4)]
    return IcPorts(*numbers)


def choose_ic_network(members: int, stack: ExitStack) -> str:
    """Reserve a loopback network for deployed IC databases until the stack is closed."""
    numbers = (DEPLOYED.northbound, DEPLOYED.southbound)
    raft = (DEPLOYED.northbound_raft, DEPLOYED.southbound_raft)
    network, reserved = reserve_network((*numbers, *raft), members)
    for each in reserved:
        stack.enter_context(each)
    return network


def _all(group: list[DatabaseServer]) -> Remote:
    remotes = [server.remote for server in group]
    return Remote(
        ",".join(remote.network for remote in remotes), ",".join(each.unix for each in remotes)
    )
