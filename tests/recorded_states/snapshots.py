"""A recorded state as the snapshot that icplan would have taken of it: its queries, answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from icplan.core.address import IC
from icplan.core.engines import AskMember, InspectHost
from icplan.core.io import (
    IC_NORTHBOUND,
    IC_SOUTHBOUND,
    SOUTHBOUND,
    AnyQuery,
    Condition,
    Database,
    Datum,
    Query,
    Row,
    Snapshot,
    Tables,
    Unreadable,
)
from icplan.core.kubernetes import Body, GetObject, ObjectQuery
from icplan.kinds import KINDS
from icplan.ovn.facts import decode
from icplan.spec.load import Spec
from icplan.spec.model import KubeOvnZone
from tests.recorded_states import supplied
from tests.recorded_states.recording import Json, Step, many

SETS = {
    *("ports", "static_routes", "nat", "policies", "acls", "nexthops"),
    *("networks", "gateway_chassis", "addresses", "encaps"),
}
"""The columns that hold sets; in every other one an empty list is an optional that is not set."""
NOBODY_ANSWERS = Unreadable("nobody answers", "start the IC databases")


@dataclass(frozen=True)
class Marks:
    """What icplan has marked as its own by the time that the state is looked at.

    Labels and annotations do nothing (docs/facts.md section 2, recorded: step 9).

    Attributes:
        owner: the mark on ConfigMaps and transit switches; empty: on none of them.
        subnets: the Subnets that bear it, too.
        strangers: the transit switches that do not.
    """

    owner: str = ""
    subnets: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """A recorded state that can be asked.

    Attributes:
        step: the state.
        spec: the file; the context of a zone's access is the recorded zone.
        marks: what icplan has marked.
        tag: the tag of the controllers' images; empty: that of the controller that was recorded.
    """

    step: Step
    spec: Spec
    marks: Marks = field(default_factory=Marks)
    tag: str = ""

    @property
    def recorded(self) -> dict[str, str]:
        """The recorded zones by the names that the file gives them."""
        return recorded_zones(self.spec)

    def rows(self, query: Query) -> list[Json]:
        """All rows of the table that a query names, as recorded or supplied."""
        database, table = query.database, query.table
        if table in supplied.NOT_RECORDED:
            return supplied.NOT_RECORDED[table]
        if database.name == IC_NORTHBOUND:
            return [self._switch(row) for row in self.step.state["icNorthbound"][table]]
        if database.name == IC_SOUTHBOUND:
            return list(self.step.state["icSouthbound"][table])
        zone = self.recorded[database.site]
        if database.name == SOUTHBOUND:
            return supplied.southbound(zone)[table]
        defaults = supplied.DEFAULTS.get(table, {})
        rows = [defaults | row for row in self.step.rows(zone, table)]
        if table == "NB_Global":
            version = {"northd_internal_version": supplied.OVN_VERSION}
            rows = [row | {"options": row["options"] | version} for row in rows]
        return rows

    def _switch(self, row: Json) -> Json:
        owner, strangers = self.marks.owner, self.marks.strangers
        mark = {"icplan": owner} if owner and row["name"] not in strangers else {}
        return row | {"external_ids": row["external_ids"] | mark}

    def objects(self, query: ObjectQuery) -> list[Json]:
        """The objects that a query asks for."""
        collection = query.resource.collection if isinstance(query, GetObject) else query.collection
        found = self._collection(collection.kind, self.recorded[collection.site])
        if isinstance(query, GetObject):
            found = [one for one in found if one["metadata"]["name"] == query.resource.name]
        return found

    def _collection(self, kind: str, zone: str) -> list[Json]:
        state, marks = self.step.state[zone], self.marks
        match kind:
            case "ConfigMap" if state["configMap"] is not None:
                metadata = _metadata("ovn-ic-config", zone, marks.owner)
                return [{"metadata": metadata, "data": state["configMap"]}]
            case "Node":
                return [supplied.node(host, label) for host, label in state["nodes"].items()]
            case "Subnet":
                return [
                    {
                        "metadata": _metadata(name, zone, marks.owner * (name in marks.subnets)),
                        "spec": spec,
                    }
                    for name, spec in state["subnets"].items()
                ]
            case "Deployment":
                tag = self.tag or supplied.IMAGE_TAGS[self.step.controller]
                return [supplied.controller(zone, tag)]
        return []


def recorded_zones(spec: Spec) -> dict[str, str]:
    """The recorded zones by the names that a file gives them."""
    return {
        zone.name: zone.kubernetes.context or zone.name
        for zone in spec.interconnect.availability_zones
        if isinstance(zone, KubeOvnZone)
    }


def _metadata(name: str, zone: str, mark: str) -> Json:
    annotations = {"icplan/owner": mark} if mark else {}
    return {"name": name, "uid": f"{name} of {zone}", "annotations": annotations}


def snapshot(source: Source) -> Snapshot:
    """What `icplan.run.observe` would have read, in its two rounds."""
    first = [query for kind in KINDS for query in kind.queries(source.spec, None)]
    facts = decode(_read(source, first))
    second = [query for kind in KINDS for query in kind.queries(source.spec, facts)]
    return _read(source, [*first, *(one for one in second if isinstance(one, Query))])


def _read(source: Source, queries: Iterable[AnyQuery]) -> Snapshot:
    tables: dict[Database, dict[str, dict[str, Row]]] = {}
    objects: dict[ObjectQuery, tuple[Body, ...] | Unreadable] = {}
    for query in queries:
        if isinstance(query, InspectHost | AskMember):
            continue  # the recording knows nothing of what the databases run on
        if not isinstance(query, Query):
            objects[query] = tuple(source.objects(query))
            continue
        rows = tables.setdefault(query.database, {}).setdefault(query.table, {})
        for row in source.rows(query):
            if all(_holds(row, clause) for clause in query.where):
                cells = {name: _datum(name, row[name]) for name in query.columns}
                rows[row["_uuid"]] = {"_uuid": row["_uuid"], **cells}
    databases: dict[Database, Tables | Unreadable] = {
        database: {table: tuple(rows.values()) for table, rows in found.items()}
        for database, found in tables.items()
    }
    if source.spec.interconnect.ic_database.hosts != (supplied.IC_HOST,):
        ic = (Database(IC, name) for name in (IC_NORTHBOUND, IC_SOUTHBOUND))
        databases |= dict.fromkeys(ic, NOBODY_ANSWERS)
    return Snapshot(supplied.OBSERVED_AT, databases, objects)


def _holds(row: Mapping[str, Json], clause: Condition) -> bool:
    """A clause of a query, as a server would decide it."""
    match clause.function:
        case "==":
            return bool(row[clause.column] == clause.value)
        case ">=":
            return bool(row[clause.column] >= clause.value)
        case _:
            raise AssertionError(f"nobody can answer {clause} yet")


def _datum(column: str, value: Json) -> Datum:
    """A recorded cell as the OVSDB client decodes one."""
    datum: Datum = value
    if column in SETS:
        datum = tuple(sorted(many(value)))
    elif isinstance(value, list):
        (datum,) = value or [None]
    return datum
