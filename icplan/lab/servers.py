"""One ovsdb-server with one database: its file, its addresses, its process. Knows no rows."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.daemons import Daemon
from icplan.lab.programs import find_schema, run

if TYPE_CHECKING:
    from pathlib import Path

    from icplan.lab.certificates import Certificates


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of database.

    Attributes:
        database: its name in the protocol.
        file: its schema file.
        singletons: tables that hold exactly one row in a database that is in use.
    """

    database: str
    file: str
    singletons: tuple[str, ...] = ()


NORTHBOUND = Schema("OVN_Northbound", "ovn-nb.ovsschema", ("NB_Global",))
SOUTHBOUND = Schema("OVN_Southbound", "ovn-sb.ovsschema", ("SB_Global",))
# No singletons: a new IC database has no global row until its first client writes one.
IC_NORTHBOUND = Schema("OVN_IC_Northbound", "ovn-ic-nb.ovsschema")
IC_SOUTHBOUND = Schema("OVN_IC_Southbound", "ovn-ic-sb.ovsschema")
OPEN_VSWITCH = Schema("Open_vSwitch", "vswitch.ovsschema")


@dataclass(frozen=True, slots=True)
class Remote:
    """How a database is reached.

    Attributes:
        network: over TCP or TLS, as OVN writes it ("tcp:127.0.0.1:20001"; a raft database lists
            all its members, separated by commas).
        unix: over unix sockets ("unix:/run/…/nb.sock").
    """

    network: str
    unix: str


@dataclass(frozen=True, slots=True)
class RaftAddress:
    """Where a raft member speaks to the others: its own address and the founder's."""

    own: str
    founder: str


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """An ovsdb-server that serves one database on a unix socket and perhaps on the network.

    Attributes:
        name: the stem of its files ("nb").
        directory: the folder of its files.
        schema: the kind of database.
        host: the loopback address it listens on.
        port: the TCP port; 0 means unix socket only.
        tls: present when the network address is TLS.
        raft: present when it is a member of a raft cluster.
        namespace: the network namespace it runs in; empty means the caller's.
    """

    name: str
    directory: Path
    schema: Schema
    host: str = "127.0.0.1"
    port: int = 0
    tls: Certificates | None = None
    raft: RaftAddress | None = None
    namespace: str = ""

    @property
    def socket(self) -> Path:
        """The unix socket it listens on."""
        return self.directory / f"{self.name}.sock"

    @property
    def remote(self) -> Remote:
        """How clients reach it."""
        scheme = "ssl" if self.tls else "tcp"
        return Remote(f"{scheme}:{self.host}:{self.port}", f"unix:{self.socket}")

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        network: tuple[str, ...] = ()
        if self.port:
            scheme = "pssl" if self.tls else "ptcp"
            network = (f"--remote={scheme}:{self.port}:{self.host}",)
        if self.tls:
            network += self.tls.server_options
        return Daemon(
            self.name,
            self.directory,
            "ovsdb-server",
            (f"--remote=punix:{self.socket}", *network, str(self.file)),
            self.namespace,
        )

    @property
    def file(self) -> Path:
        """The database's file."""
        return self.directory / f"{self.name}.db"

    def create(self) -> None:
        """Make the empty database file: standalone, the first of a raft cluster, or one joining."""
        self.directory.mkdir(parents=True, exist_ok=True)
        schema = find_schema(self.schema.file)
        if self.raft is None:
            arguments = ["create", str(self.file), schema]
        elif self.raft.own == self.raft.founder:
            arguments = ["create-cluster", str(self.file), schema, self.raft.own]
        else:
            both = (self.raft.own, self.raft.founder)
            arguments = ["join-cluster", str(self.file), self.schema.database, *both]
        run(
            ["ovsdb-tool", *arguments],
            run_directory=self.directory,
            thing=f"database {self.schema.database}",
        )

    def start(self) -> None:
        """Start the process.

        Raises:
            IcplanError: it did not start, or it does not listen on its port.
        """
        self.daemon.start()
        if not self.port:
            return
        # ovsdb-server only logs that it cannot listen and runs on without the address.
        if "listen failed" in self.daemon.log_tail():
            raise self.daemon.failed(f"cannot listen on {self.host}:{self.port}")
        try:
            socket.create_connection((self.host, self.port), timeout=10).close()
        except OSError as error:
            raise IcplanError(
                f"database {self.schema.database} of the lab",
                place=f"{self.host}:{self.port}",
                cause=str(error),
                cure="see the server's log beside its socket",
            ) from error
