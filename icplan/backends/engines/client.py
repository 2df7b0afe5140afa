"""One engine of a host: what is there, and guarded writes. What they mean is not known here."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from icplan.backends.deadline import Deadline
from icplan.backends.engines.containerd import Containerd
from icplan.backends.engines.docker import Docker
from icplan.backends.engines.failures import CommandFailed, EngineUnreadable
from icplan.backends.engines.files import existing
from icplan.backends.engines.others import Others
from icplan.backends.engines.road import Here, OverSsh, Road
from icplan.backends.engines.runtime import Runtime
from icplan.backends.engines.writing import Writer
from icplan.core.engines import Engine, EngineWrite, HostState, InspectHost

_CONTROL = {
    "OVN_IC_Northbound": "/var/run/ovn/ovn_ic_nb_db.ctl",
    "OVN_IC_Southbound": "/var/run/ovn/ovn_ic_sb_db.ctl",
}
_MEMBER = re.compile(r" at (?:tcp|ssl):(\[[^\]]+\]|[^:)]+):[0-9]+\)")
_UNIX = "unix://"


class EngineClient:
    """An engine, asked and told by its command line.

    Args:
        engine: which one.
        seconds: how long one reading may take.
    """

    def __init__(self, engine: Engine, seconds: float) -> None:
        self.engine = engine
        self._seconds = seconds
        local = not engine.where or engine.where.startswith(_UNIX)
        self._road: Road = Here() if local else OverSsh(engine.where)
        socket = engine.where.removeprefix(_UNIX) if local else ""
        runtime = Docker if engine.runtime == "docker" else Containerd
        self._runtime: Runtime = runtime(self._road, socket)
        self._others = Others(engine, self._runtime, self._road)

    def inspect(self, query: InspectHost) -> HostState:
        """What a host has.

        Raises:
            EngineUnreadable: it cannot be said.
        """
        deadline = Deadline.after(self._seconds)
        try:
            self._others.require_here()
            container = self._runtime.inspect(query.name, query.variables, deadline)
            if container is not None and container.running:
                members = {
                    name: found
                    for name in query.clustered
                    if (found := self._members(query.name, name, deadline))
                }
                container = replace(container, members=members)
            files = existing(self._road, query.files, deadline)
            if container is not None and container.running:
                return HostState(container, files)
            listening = self._others.listening(query.ports, deadline)
            elsewhere = self._runtime.elsewhere(query.name, deadline)
            return HostState(container, files, listening, elsewhere)
        except CommandFailed as error:
            raise EngineUnreadable(self.engine, error) from error

    def _members(self, name: str, database: str, deadline: Deadline) -> tuple[str, ...]:
        """The addresses of a database's raft members; none when its server does not answer."""
        asked = ("ovs-appctl", "--timeout=5", "-t", _CONTROL[database], "cluster/status", database)
        done = self._runtime.execute(name, asked, deadline)
        if done.code != 0:
            return ()
        _, _, listed = done.out.partition("\nServers:")
        return tuple(sorted({_address(one.strip("[]")) for one in _MEMBER.findall(listed)}))

    def write(self, operation: EngineWrite) -> None:
        """Does an operation while what it expects is there.

        Raises:
            WriteRefused: something else is there, or the engine does nothing of it.
            EngineWritePartly: a part of it was done.
            EngineWriteUnknown: nobody could say in time what became of it.
        """
        Writer(self.engine, self._runtime, self._road, self._others, self._seconds).write(operation)


def _address(text: str) -> str:
    """An address as it is written shortest; a name, which others may have used, as it stands."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text
