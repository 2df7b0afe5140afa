"""Databases without daemons, for tests of many cases: zones' NB and SB, IC NB and IC SB.

No northd and no ovn-ic run here: rows stay as they were written.
"""

from __future__ import annotations

import itertools
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from icplan.lab import folder
from icplan.lab.ic_databases import IcDatabases, choose_ic_ports
from icplan.lab.jsonrpc import OvsdbSession
from icplan.lab.ports import reserve_port
from icplan.lab.startable import Startable
from icplan.lab.state import LabOptions, LabState, ZoneState
from icplan.lab.zone_databases import ZoneDatabases


class StandaloneDatabases(Startable):
    """The databases of some zones and of their interconnection, and nothing else.

    Attributes:
        directory: the folder that holds everything; must be new or empty.
        zones: the zones' databases by zone name.
        ic: the interconnection databases.
    """

    def __init__(self, directory: Path, zones: tuple[str, ...] = ("az1", "az2")) -> None:
        self.directory = directory.resolve()
        self.zones: dict[str, ZoneDatabases] = {}
        self._names = zones
        self._sessions: list[tuple[OvsdbSession, str, list[dict[str, Any]]]] = []

    def start(self) -> None:
        """Make the databases and start their servers.

        Raises:
            IcplanError: something failed; what was started is ended again.
        """
        folder.claim(self.directory)
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the servers and remove the folder; may be called twice."""
        for session, _, _ in self._sessions:
            session.close()
        self._sessions = []
        folder.remove(self.directory)

    def reset(self) -> None:
        """Empty all databases, one transaction each, and write the global rows of the zones anew.

        The IC databases are left without any row, as they are before their first client.
        """
        for session, database, operations in self._sessions:
            session.transact(database, operations)

    def _start(self) -> None:
        with ExitStack() as stack:
            ports = choose_ic_ports(1, stack)
            state = LabState(LabOptions(zones=self._names), ports)
            for index, name in enumerate(self._names, start=1):
                northbound = stack.enter_context(reserve_port()).number
                southbound = stack.enter_context(reserve_port()).number
                state.zones.append(ZoneState(name, index, northbound, southbound))
            state.write(self.directory)
            self.ic = IcDatabases(self.directory, 1, ports)
            self.ic.create()
            for zone in state.zones:
                databases = ZoneDatabases(self.directory, zone)
                databases.create_databases()
                self.zones[zone.name] = databases
        servers = itertools.chain(
            self.ic.servers, *(databases.servers for databases in self.zones.values())
        )
        for server in servers:
            session = OvsdbSession(server.socket)
            schema = session.schema(server.schema.database)
            empty: list[dict[str, Any]] = [
                {"op": "delete", "table": table, "where": []} for table in schema["tables"]
            ]
            empty += [
                {"op": "insert", "table": table, "row": {}} for table in server.schema.singletons
            ]
            self._sessions.append((session, server.schema.database, empty))
