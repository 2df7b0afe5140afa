"""A lab that icplan itself brings into the states which cases are recorded in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from icplan.backends.databases import Databases
from icplan.backends.streams import Endpoint
from icplan.core.address import IC
from icplan.core.change import Change
from icplan.core.io import (
    IC_NORTHBOUND,
    IC_SOUTHBOUND,
    NORTHBOUND,
    SOUTHBOUND,
    Database,
    Snapshot,
    Unreadable,
)
from icplan.kinds.common.contract import Check, Missing
from icplan.lab import Lab, Zone
from icplan.planning.plan import make_plan
from icplan.planning.waves import Wave
from icplan.run.apply import Waits, apply
from icplan.run.observe import observe
from icplan.run.runlog import RunLog
from icplan.spec.load import Spec, read
from icplan.spec.model import Remote
from tests.cases.stable import stable

CASES = Path(__file__).parent
_CLOSED = Endpoint(Remote("tcp", "127.0.0.1", 9))


class World:
    """A lab, and the names under which a file speaks of it.

    Args:
        lab: a lab with control planes that play ovn-controller.
        only: the cases to write, by the start of their path; empty means all.
    """

    def __init__(self, lab: Lab, only: str = "") -> None:
        self.lab = lab
        self._only = only

    def zone(self, number: int = 1) -> Zone:
        """The lab's zone az<number>."""
        return self.lab.zones[f"az{number}"]

    def nbctl(self, *arguments: str, zone: int = 1) -> str:
        """ovn-nbctl in a zone, as an operator would use it by hand."""
        return self.zone(zone).nbctl(*arguments)

    def case(
        self,
        path: str,
        text: str,
        *,
        dead: Sequence[Database] = (),
        reach: Mapping[str, str] | None = None,
    ) -> None:
        """Records a case: this file against what there is now.

        Args:
            path: topic and name of the case.
            text: its file.
            dead: databases that nobody answers for.
            reach: which zone of the lab the file means by a name that the lab does not have.
        """
        if not path.startswith(self._only):
            return
        spec = read(text.encode(), "interconnect.yaml")
        folder = CASES / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "interconnect.yaml").write_text(text)
        (folder / "snapshot.json").write_bytes(self._settled(spec, dead, reach or {}))
        print(path)  # noqa: T201 - a script's progress

    def apply(self, text: str, *, stops: bool = False) -> None:
        """Makes it so, with icplan; `stops`: it is expected to wait for an operator in vain."""
        spec = read(text.encode(), "interconnect.yaml")
        with self._databases(spec, {}) as databases:
            plan = make_plan(spec, observe(databases, spec))
            if plan.refused:
                raise AssertionError([one.message for one in plan.verdicts if one.refuses])
            waits = Waits(machine=30.0, operator=0.0 if stops else 30.0)
            with RunLog(self.lab.directory / "run.jsonl") as log:
                report = apply(plan, databases, log, _Silent(), waits)
        if bool(report.missing) is not stops or report.error:
            raise AssertionError(report.missing or report.error)

    def _databases(
        self, spec: Spec, reach: Mapping[str, str], dead: Sequence[Database] = ()
    ) -> Databases:
        ic = self.lab.ic
        endpoints = {
            Database(IC, IC_NORTHBOUND): _unix(ic.northbound.unix),
            Database(IC, IC_SOUTHBOUND): _unix(ic.southbound.unix),
        }
        for zone in spec.interconnect.availability_zones:
            seen = self.lab.zones.get(reach.get(zone.name, zone.name))
            for name in (NORTHBOUND, SOUTHBOUND):
                database = Database(zone.name, name)
                remote = seen and (seen.northbound if name == NORTHBOUND else seen.southbound)
                endpoints[database] = _unix(remote.unix) if remote else (_CLOSED,)
        return Databases(endpoints | dict.fromkeys(dead, (_CLOSED,)))

    def _settled(self, spec: Spec, dead: Sequence[Database], reach: Mapping[str, str]) -> bytes:
        """What is there once the daemons have come to rest: the same in four looks in a row."""
        looks: list[bytes] = []
        with self._databases(spec, reach, dead) as databases:
            while len(looks) < 4 or len({*looks[-4:]}) > 1:
                if len(looks) > 200:
                    raise AssertionError("it does not come to rest")
                looks.append(stable(_as_in_the_file(spec, observe(databases, spec))))
                time.sleep(0.2)
        return looks[-1]


def _unix(paths: str) -> tuple[Endpoint, ...]:
    return tuple(
        Endpoint(Remote("unix", path=one.removeprefix("unix:"))) for one in paths.split(",")
    )


def _as_in_the_file(spec: Spec, snapshot: Snapshot) -> Snapshot:
    """The causes of what cannot be read, with the addresses that the file names."""
    interconnect = spec.interconnect
    places = {
        Database(IC, IC_NORTHBOUND): f"tcp:{interconnect.ic_database.hosts[0]}:6645",
        Database(IC, IC_SOUTHBOUND): f"tcp:{interconnect.ic_database.hosts[0]}:6646",
    }
    for number, zone in enumerate(interconnect.availability_zones, start=1):
        places[Database(zone.name, NORTHBOUND)] = f"tcp:192.0.2.{10 + number}:6641"
        places[Database(zone.name, SOUTHBOUND)] = f"tcp:192.0.2.{10 + number}:6642"
    databases = {
        database: Unreadable(
            content.cause.replace(str(_CLOSED), places[database]),
            content.cure.replace(str(_CLOSED), places[database]),
        )
        if isinstance(content, Unreadable)
        else content
        for database, content in snapshot.databases.items()
    }
    return replace(snapshot, databases=databases)


class _Silent:
    """Tells nobody."""

    def wave(self, wave: Wave, total: int) -> None: ...

    def writing(self, change: Change) -> None: ...

    def written(self, change: Change) -> None: ...

    def waiting(
        self, pending: Sequence[tuple[Check, Missing | Unreadable]], seconds: float
    ) -> None: ...

    def seen(self, checks: int, *, beforehand: bool = False) -> None: ...

    def note(self, text: str) -> None: ...
