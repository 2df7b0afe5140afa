"""One engine of a host: what is there, and guarded writes. What they mean is not known here."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from icplan.backends.deadline import Deadline
from icplan.backends.engines.containerd import Containerd
from icplan.backends.engines.docker import Docker
from icplan.backends.engines.failures import (
    CommandFailed,
    EngineUnreadable,
    EngineWriteUnknown,
    last_line,
    refused,
)
from icplan.backends.engines.road import Here, OverSsh, Road
from icplan.backends.engines.runtime import Runtime
from icplan.backends.failures import WriteRefused
from icplan.core.engines import (
    Container,
    Engine,
    EngineWrite,
    HostState,
    InspectHost,
    MarkContainer,
    RemoveContainer,
    RunContainer,
)

WRITE_SECONDS = 600.0
"""An image may have to be pulled."""

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

    def inspect(self, query: InspectHost) -> HostState:
        """What a host has.

        Raises:
            EngineUnreadable: it cannot be said.
        """
        deadline = Deadline.after(self._seconds)
        try:
            container = self._runtime.inspect(query.name, query.variables, deadline)
            if container is not None and container.running:
                members = {
                    name: found
                    for name in query.clustered
                    if (found := self._members(query.name, name, deadline))
                }
                container = replace(container, members=members)
            return HostState(container, self._files(query.files, deadline))
        except CommandFailed as error:
            raise EngineUnreadable(self.engine, error) from error

    def _members(self, name: str, database: str, deadline: Deadline) -> tuple[str, ...]:
        """The addresses of a database's raft members; none when its server does not answer."""
        asked = ("ovs-appctl", "--timeout=5", "-t", _CONTROL[database], "cluster/status", database)
        done = self._runtime.execute(name, asked, deadline)
        _, _, listed = done.out.partition("\nServers:")
        found = {str(ipaddress.ip_address(one.strip("[]"))) for one in _MEMBER.findall(listed)}
        return tuple(sorted(found)) if done.code == 0 else ()

    def _files(self, files: tuple[str, ...], deadline: Deadline) -> tuple[str, ...]:
        done = self._road.run(("env", "LC_ALL=C", "ls", "-d", "--", *files), deadline)
        there = done.out.split("\n")
        absent = done.err.count("No such file or directory")
        if len([one for one in files if one in there]) + absent < len(files):
            raise CommandFailed(
                f"it cannot be seen which files there are: {last_line(done.err)}",
                "use root there, or a user who may look into that folder",
            )
        return tuple(one for one in files if one in there)

    def write(self, operation: EngineWrite) -> None:
        """Does an operation while what it expects is there.

        Raises:
            WriteRefused: something else is there, or the engine does not do it.
            EngineWriteUnknown: nobody could say in time what became of it.
        """
        deadline = Deadline.after(WRITE_SECONDS)
        try:
            match operation:
                case RunContainer():
                    self._run(operation, deadline)
                case MarkContainer(_, name, expected, owner):
                    self._require(name, expected, deadline)
                    self._runtime.mark(name, owner, deadline)
                case RemoveContainer(_, name, expected, files):
                    self._require(name, expected, deadline)
                    if expected:
                        self._runtime.remove(name, deadline)
                    self._delete(files, deadline)
        except CommandFailed as error:
            if error.unanswered:
                raise EngineWriteUnknown(self.engine, error) from error
            raise refused(self.engine, error, f"container {operation.name}") from error

    def _run(self, wanted: RunContainer, deadline: Deadline) -> None:
        # The image first: what cannot be fetched takes nothing away.
        image = self._runtime.fetch(wanted.image, deadline)
        self._require(wanted.name, wanted.replaces, deadline)
        if wanted.replaces:
            self._runtime.remove(wanted.name, deadline)
        try:
            self._runtime.run(wanted, image, deadline)
        except CommandFailed as error:
            if not error.unanswered or not self._came_about(wanted):
                raise

    def _came_about(self, wanted: RunContainer) -> bool:
        """Whether a container was started although nobody said so."""
        deadline = Deadline.after(self._seconds)
        found = self._runtime.inspect(wanted.name, (), deadline)
        return found is not None and found.id != wanted.replaces and found.owner == wanted.owner

    def _require(self, name: str, expected: str, deadline: Deadline) -> None:
        """Lets a write pass while the container is there that the plan saw, or none as then."""
        found = self._runtime.inspect(name, (), deadline)
        if (found.id if found else "") == expected:
            return
        raise WriteRefused(
            f"container {name}",
            place=str(self.engine),
            cause=f"the plan saw {_seen(expected)}, but {_now(found)} is there now",
            cure="somebody changed it meanwhile: run `icplan plan` again and read the difference",
        )

    def _delete(self, files: tuple[str, ...], deadline: Deadline) -> None:
        if not files:
            return
        done = self._road.run(("rm", "-f", "--", *files), deadline)
        if done.code != 0:
            raise CommandFailed(
                f"the files of the databases cannot be removed: {last_line(done.err)}",
                f"remove them as root: rm {' '.join(files)}",
            )


def _seen(expected: str) -> str:
    return "another one" if expected else "none"


def _now(found: Container | None) -> str:
    return f"one of {found.image}" if found else "none"
