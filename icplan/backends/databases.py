"""The clients of all databases and clusters of a file, each made once. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from icplan.backends.engines import EngineClient
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.members import ask
from icplan.backends.ovsdb import Client
from icplan.backends.streams import Server
from icplan.core.engines import Engine, Member, MemberState
from icplan.core.io import Database


class Databases:
    """A context manager: leaving it closes all connections.

    Args:
        endpoints: the servers of each database.
        seconds: how long one request may take.
        clusters: the clients of the Kube-OVN zones' clusters, by zone.
        members: the single servers of the IC databases.
        engines: the container engines of their hosts.
    """

    def __init__(
        self,
        endpoints: Mapping[Database, Sequence[Server]],
        seconds: float = 20.0,
        clusters: Mapping[str, Objects] | None = None,
        members: Mapping[Member, Server] | None = None,
        engines: Mapping[Engine, EngineClient] | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.seconds = seconds
        self.clusters = clusters or {}
        self.members = members or {}
        self.engines = engines or {}
        self._clients = {
            database: Client(database, servers, seconds) for database, servers in endpoints.items()
        }

    def client(self, database: Database) -> Client:
        """The client of a database."""
        return self._clients[database]

    def fresh_client(self, database: Database) -> Client:
        """Another client of a database, for another thread; the caller closes it."""
        return Client(database, self.endpoints[database], self.seconds)

    def ask(self, member: Member) -> MemberState:
        """What one server of the IC databases says of itself."""
        # As long as a client of all of them gives each one.
        hosts = len({one.host for one in self.members})
        return ask(member.name, self.members[member], self.seconds / hosts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for client in self._clients.values():
            client.close()
        for cluster in self.clusters.values():
            cluster.close()
