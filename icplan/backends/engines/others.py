"""Who else runs on a host what our container would run. Looks, and changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed
from icplan.backends.engines.listeners import is_here, listening
from icplan.backends.engines.road import Here, Road
from icplan.backends.engines.runtime import Runtime
from icplan.core.engines import Engine


@dataclass(frozen=True, slots=True)
class Others:
    """What runs beside one engine.

    Attributes:
        engine: which one.
        runtime: the engine itself.
        road: the way to its host.
    """

    engine: Engine
    runtime: Runtime
    road: Road

    def require_here(self) -> None:
        """Lets the engine of this machine count only for one of this machine's addresses.

        Raises:
            CommandFailed: the host is another machine.
        """
        host = self.engine.host
        if self.engine.where or is_here(host):
            return
        raise CommandFailed(
            f"{host} is no address of this machine, and the file names no other engine for it",
            f"add `engines: {{{_entry(host)}}}` to icDatabase.deployment, or run icplan on {host}; "
            "if the socket of its engine is on this machine, name it: unix:///PATH",
        )

    def listening(self, ports: tuple[int, ...], deadline: Deadline) -> tuple[int, ...] | None:
        """Those of the ports at which somebody listens on the host; None: it cannot be seen.

        Raises:
            CommandFailed: the host does not say.
        """
        if isinstance(self.road, Here) and not is_here(self.engine.host):
            return None
        return listening(self.road, ports, deadline) if ports else ()

    def require_none(self, name: str, ports: tuple[int, ...], deadline: Deadline) -> None:
        """Lets a write pass while nobody else runs there what the container does not.

        Raises:
            CommandFailed: somebody does, or it cannot be seen.
        """
        found = self.listening(ports, deadline)
        other = self.runtime.elsewhere(name, deadline)
        if not found and not other:
            return
        at = f"somebody listens at {' and '.join(map(str, found))}: " if found else ""
        who = other or f"it is no container {name} of this {self.engine.runtime}"
        raise CommandFailed(
            f"{at}{who}",
            f"see on {self.engine.host} who it is: ss -ltnp; stop it there, or leave `deployment` "
            "out of the file: then icplan only uses it",
        )


def _entry(host: str) -> str:
    return f'"{host}": "ssh://root@[{host}]"' if ":" in host else f"{host}: ssh://root@{host}"
