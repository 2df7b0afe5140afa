"""Replicas of the interconnection databases that follow every change. Reads only.

They come through ovsdbapp, so that the evidence for a write is brought by another library than
the one that wrote.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from icplan.backends.codec import decode_tagged
from icplan.backends.failures import DatabaseUnreadable
from icplan.backends.streams import Endpoint, Server
from icplan.core.io import Database, Row, Tables

if TYPE_CHECKING:
    from ovsdbapp.backend.ovs_idl.connection import Connection

CONNECT_SECONDS = 40.0
"""A raft cluster that has lost its leader needs some seconds for another one."""


class Monitor:
    """A replica of one database.

    Args:
        database: which one.
        endpoints: its servers.
        woken: set whenever a row has changed.
    """

    def __init__(
        self, database: Database, endpoints: Sequence[Server], woken: threading.Event
    ) -> None:
        self.database = database
        self._remote = ",".join(str(one) for one in endpoints)
        self._woken = woken
        self._connection: Connection | None = None

    @staticmethod
    def follows(endpoints: Sequence[Server]) -> bool:
        """Whether these servers can be followed: the library dials addresses, and nothing else."""
        return all(isinstance(one, Endpoint) for one in endpoints)

    def start(self) -> None:
        """Connects and waits for the first content.

        Raises:
            DatabaseUnreadable: it does not come.
        """
        # These imports cost 0.2 s, and only `apply` needs them.
        from ovsdbapp.backend.ovs_idl import connection

        # What it cannot reach it logs besides raising; without a handler that goes to stderr.
        logging.getLogger("ovsdbapp").addHandler(logging.NullHandler())
        woken = self._woken

        # A class of its own for each database: ovsdbapp keeps what belongs to a connection on
        # classes.
        class Replica(connection.OvsdbIdl):  # type: ignore[misc]
            def notify(self, *_: object) -> None:
                woken.set()

        try:
            replica = Replica.from_server(self._remote, self.database.name)
            self._connection = connection.Connection(replica, CONNECT_SECONDS)
            self._connection.start()
        except Exception as error:
            raise DatabaseUnreadable(
                self.database,
                self._remote,
                str(error),
                "check that the server runs and is reachable from here",
            ) from error

    def tables(self) -> Tables:
        """All rows of this moment.

        Raises:
            DatabaseUnreadable: the connection is lost; what was seen before is no evidence.
        """
        if self._connection is None or not self._connected():
            raise DatabaseUnreadable(
                self.database,
                self._remote,
                "the connection is lost",
                "check that the server runs and is reachable from here",
            )
        # The connection's thread holds this lock while it changes rows.
        with self._connection.lock:
            return {
                name: tuple(_row(row) for row in table.rows.values())
                for name, table in self._connection.idl.tables.items()
            }

    def _connected(self) -> bool:
        session = getattr(getattr(self._connection, "idl", None), "_session", None)
        return session is not None and bool(session.is_connected())

    def stop(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.stop(timeout=5)
            self._connection = None


def _row(row: object) -> Row:
    columns: dict[str, object] = getattr(row, "_data", {})
    decoded = {
        name: decode_tagged(datum.to_json())  # type: ignore[attr-defined]
        for name, datum in columns.items()
    }
    return decoded | {"_uuid": str(getattr(row, "uuid", ""))}
