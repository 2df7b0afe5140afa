"""A lab that icplan itself brings into the states which cases are recorded in."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from icplan.backends.databases import Databases
from icplan.backends.kubernetes.configuration import Access
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.kubernetes.tunnel import Tunnel
from icplan.backends.streams import Endpoint, Server
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
    source_of,
)
from icplan.core.kubernetes import Collection, ObjectQuery
from icplan.kinds.common.contract import Check, Missing
from icplan.lab import Lab, Zone
from icplan.lab.kubernetes import Cluster
from icplan.planning.plan import make_plan
from icplan.planning.waves import Wave
from icplan.run.apply import Waits, apply
from icplan.run.observe import observe
from icplan.run.runlog import RunLog
from icplan.spec.destroyed import destroyed
from icplan.spec.left_out import leave_out
from icplan.spec.load import Spec, read
from icplan.spec.model import KubeOvnZone, Remote
from tests.cases.stable import stable

CASES = Path(__file__).parent
_NETWORK = "198.51.100."
"""Where cases have the masters that run the IC databases; in the lab it is drawn."""
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

    def cluster(self, number: int = 1) -> Cluster:
        """The cluster of the lab's zone az<number>."""
        return self.lab.clusters[f"az{number}"].cluster

    @staticmethod
    def databases(name: str) -> tuple[Database, Database]:
        """Those of a zone."""
        return Database(name, NORTHBOUND), Database(name, SOUTHBOUND)

    def nbctl(self, *arguments: str, zone: int = 1) -> str:
        """ovn-nbctl in a zone, as an operator would use it by hand."""
        return self.zone(zone).nbctl(*arguments)

    def case(
        self,
        path: str,
        text: str,
        *,
        dead: Sequence[Database | str] = (),
        reach: Mapping[str, str] | None = None,
        files: Mapping[str, Path] | None = None,
        without: Sequence[str] = (),
        destroy: bool = False,
    ) -> None:
        """Records a case: this file against what there is now.

        Args:
            path: topic and name of the case.
            text: its file.
            dead: databases and zones' clusters that nobody answers for.
            reach: which zone of the lab the file means by a name that the lab does not have.
            files: zones' kubeconfig files, for databases by exec; else they are looked at directly.
            without: zones that are left out.
            destroy: everything is to be taken apart.
        """
        if not path.startswith(self._only):
            return
        spec = leave_out(self._spec(text), without)
        spec = destroyed(spec) if destroy else spec
        folder = CASES / path
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "interconnect.yaml").write_text(text)
        options = "".join(f"--without {zone}\n" for zone in without)
        options += "--destroy\n" if destroy else ""
        if options:
            (folder / "options.txt").write_text(options)
        (folder / "snapshot.json").write_bytes(self._settled(spec, dead, reach or {}, files or {}))
        print(path)  # noqa: T201 - a script's progress

    def apply(self, text: str, *, stops: bool = False, destroy: bool = False) -> None:
        """Makes it so, with icplan; `stops`: it is expected to wait for an operator in vain."""
        spec = self._spec(text)
        spec = destroyed(spec) if destroy else spec
        with self._databases(spec, {}) as databases:
            plan = make_plan(spec, observe(databases, spec))
            if plan.refused:
                raise AssertionError([one.message for one in plan.verdicts if one.refuses])
            waits = Waits(machine=30.0, operator=0.0 if stops else 30.0)
            with RunLog(self.lab.directory / "run.jsonl") as log:
                report = apply(plan, databases, log, _Silent(), waits)
        if bool(report.missing) is not stops or report.error:
            raise AssertionError(report.missing or report.error)

    @property
    def _network(self) -> str:
        return self.lab.ic.hosts[0].removesuffix("1")

    @property
    def _ports(self) -> dict[str, str]:
        ports = self.lab.ic.ports
        return {str(ports.northbound): "6645", str(ports.southbound): "6646"}

    def _spec(self, text: str) -> Spec:
        """The file, with the addresses and ports of the lab's IC databases; ovn-ic is told them."""
        ports = self.lab.ic.ports
        text = text.replace(_NETWORK, self._network)
        if "Port: " in text:
            return read(text.encode(), "interconnect.yaml")
        there = f"], northboundPort: {ports.northbound}, southboundPort: {ports.southbound}}}"
        return read(
            re.sub(r"(icDatabase: .*)\]\}", rf"\1{there}", text).encode(), "interconnect.yaml"
        )

    def _databases(
        self,
        spec: Spec,
        reach: Mapping[str, str],
        dead: Sequence[Database | str] = (),
        files: Mapping[str, Path] | None = None,
    ) -> Databases:
        ic = self.lab.ic
        clusters = self._clusters(spec, reach, dead, files or {})
        endpoints: dict[Database, tuple[Server, ...]] = {
            Database(IC, IC_NORTHBOUND): _unix(ic.northbound.unix),
            Database(IC, IC_SOUTHBOUND): _unix(ic.southbound.unix),
        }
        for zone in spec.interconnect.availability_zones:
            seen = self.lab.zones.get(reach.get(zone.name, zone.name))
            for name in (NORTHBOUND, SOUTHBOUND):
                database = Database(zone.name, name)
                if files and zone.name in clusters:
                    endpoints[database] = (Tunnel.to_leader(clusters[zone.name], name),)
                    continue
                remote = seen and (seen.northbound if name == NORTHBOUND else seen.southbound)
                endpoints[database] = _unix(remote.unix) if remote else (_CLOSED,)
        closed = (one for one in dead if isinstance(one, Database))
        return Databases(endpoints | dict.fromkeys(closed, (_CLOSED,)), clusters=clusters)

    def _clusters(
        self,
        spec: Spec,
        reach: Mapping[str, str],
        dead: Sequence[Database | str],
        files: Mapping[str, Path],
    ) -> dict[str, Objects]:
        found = {}
        for zone in spec.interconnect.availability_zones:
            if isinstance(zone, KubeOvnZone):
                seen = self.lab.clusters[reach.get(zone.name, zone.name)]
                file = files.get(zone.name) or seen.cluster.kubeconfig()
                if zone.name in dead:
                    file = self._unanswered(file)
                found[zone.name] = Objects(Access(zone.name, seen.name, file))
        return found

    def _unanswered(self, kubeconfig: Path) -> Path:
        """A kubeconfig that leads where nobody answers."""
        other = self.lab.directory / "unanswered.json"
        text = re.sub(r"https://[^\"]+", f"https://{_CLOSED.remote.host}:9", kubeconfig.read_text())
        other.write_text(text)
        return other

    def _settled(
        self,
        spec: Spec,
        dead: Sequence[Database | str],
        reach: Mapping[str, str],
        files: Mapping[str, Path],
    ) -> bytes:
        """What is there once the daemons have come to rest: the same in four looks in a row."""
        looks: list[bytes] = []
        with self._databases(spec, reach, dead, files) as databases:
            while len(looks) < 4 or len({*looks[-4:]}) > 1:
                if len(looks) > 200:
                    raise AssertionError("it does not come to rest")
                seen = _as_in_the_file(spec, observe(databases, spec))
                drawn = {self._network: _NETWORK} if self.lab.options.ic_cluster else {}
                looks.append(stable(seen, self._ports, drawn))
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
    for number, zone in enumerate(interconnect.availability_zones, start=1):
        snapshot = _cluster_placed(snapshot, zone.name, f"https://192.0.2.{10 + number}:6443")
    databases = {
        database: _placed(content, str(_CLOSED), places[database])
        if isinstance(content, Unreadable)
        else content
        for database, content in snapshot.databases.items()
    }
    return replace(snapshot, databases=databases)


def _cluster_placed(snapshot: Snapshot, zone: str, server: str) -> Snapshot:
    """The causes that name a zone's API server or its kubeconfig, as a user would see them."""

    # Pods' names end in what their Deployment draws.
    drawn = re.compile(r"(Pod [\w/-]+?)-[0-9a-f]{10}-[0-9a-z]{5}\b")

    def told(why: Unreadable) -> Unreadable:
        texts = (re.sub(r"https://127.0.0.1:\d+", server, one) for one in (why.cause, why.cure))
        cause, cure = (
            re.sub(r"/\S+/[\w.-]+\.(json|kubeconfig)", "~/.kube/config", one) for one in texts
        )
        return replace(why, cause=drawn.sub(r"\1-5d8c7b9f64-x7k2p", cause), cure=cure)

    return replace(
        snapshot,
        databases={
            database: told(one) if isinstance(one, Unreadable) and database.site == zone else one
            for database, one in snapshot.databases.items()
        },
        objects={
            query: told(one) if isinstance(one, Unreadable) and _site(query) == zone else one
            for query, one in snapshot.objects.items()
        },
    )


def _site(query: ObjectQuery) -> str:
    source = source_of(query)
    return source.site if isinstance(source, Collection) else source.collection.site


def _placed(why: Unreadable, told: str, place: str) -> Unreadable:
    return replace(why, cause=why.cause.replace(told, place), cure=why.cure.replace(told, place))


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
