"""The northbound and southbound database of one zone and their command-line tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from icplan.lab.programs import run
from icplan.lab.servers import NORTHBOUND, SOUTHBOUND, DatabaseServer, Remote

if TYPE_CHECKING:
    from icplan.lab.certificates import Certificates
    from icplan.lab.state import ZoneState


class ZoneDatabases:
    """NB and SB of a zone.

    Attributes:
        name: the zone's name.
        directory: the folder of its files.
        tls: the certificates of the databases; none when they speak plain TCP.
    """

    def __init__(self, root: Path, state: ZoneState, tls: Certificates | None = None) -> None:
        self.name = state.name
        self.directory = root / state.name
        self.tls = tls
        self._nb = DatabaseServer(
            "nb", self.directory, NORTHBOUND, port=state.northbound_port, tls=tls
        )
        self._sb = DatabaseServer(
            "sb", self.directory, SOUTHBOUND, port=state.southbound_port, tls=tls
        )

    @property
    def northbound(self) -> Remote:
        """How the northbound database is reached."""
        return self._nb.remote

    @property
    def southbound(self) -> Remote:
        """How the southbound database is reached."""
        return self._sb.remote

    @property
    def servers(self) -> tuple[DatabaseServer, DatabaseServer]:
        """The two servers, northbound first."""
        return self._nb, self._sb

    def create_databases(self) -> None:
        """Make both databases, start their servers and write the one global row of each."""
        for server in self.servers:
            server.create()
            server.start()
        self.nbctl("--no-wait", "init")
        self.sbctl("init")

    def nbctl(self, *arguments: str) -> str:
        """Run ovn-nbctl and return its output.

        Raises:
            IcplanError: the command failed.
        """
        return self._ctl("ovn-nbctl", self.northbound, arguments)

    def sbctl(self, *arguments: str) -> str:
        """Run ovn-sbctl and return its output.

        Raises:
            IcplanError: the command failed.
        """
        return self._ctl("ovn-sbctl", self.southbound, arguments)

    def _ctl(self, program: str, remote: Remote, arguments: tuple[str, ...]) -> str:
        return run(
            [program, "--timeout=60", f"--db={remote.unix}", *arguments],
            run_directory=self.directory,
            thing=f"zone {self.name} of the lab",
        )
