"""Everything that crosses the border, as values: queries, snapshots, guarded writes. No I/O."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from icplan.core.engines import (
    AskMember,
    Engine,
    EngineQuery,
    EngineWrite,
    HostState,
    InspectHost,
    MemberState,
)
from icplan.core.kubernetes import (
    Body,
    Collection,
    GetObject,
    ObjectQuery,
    ObjectWrite,
    Resource,
)
from icplan.core.value import Later

Datum = str | int | float | bool | None | tuple["Datum", ...] | Mapping[str, str]
"""A decoded column: a scalar, None for an empty optional, a sorted tuple for a set, or a map."""

Row = Mapping[str, Datum]
Tables = Mapping[str, tuple[Row, ...]]
"""Rows by table name; each row has `_uuid`. A table or column that is not there was not asked for,
or the server's schema does not have it."""


@dataclass(frozen=True, slots=True, order=True)
class Database:
    """One OVSDB database: `site` is a zone's name or `ic`, `name` the schema's name."""

    site: str
    name: str

    def __str__(self) -> str:
        """The path used in snapshots."""
        return f"{self.site}/{self.name}"


NORTHBOUND = "OVN_Northbound"
SOUTHBOUND = "OVN_Southbound"
IC_NORTHBOUND = "OVN_IC_Northbound"
IC_SOUTHBOUND = "OVN_IC_Southbound"

TITLES: Mapping[str, str] = {
    NORTHBOUND: "northbound database",
    SOUTHBOUND: "southbound database",
    IC_NORTHBOUND: "IC northbound database",
    IC_SOUTHBOUND: "IC southbound database",
}


def title(database: Database) -> str:
    """How a database is called in front of people: "northbound database of az1"."""
    name = TITLES.get(database.name, database.name)
    return name if database.name in {IC_NORTHBOUND, IC_SOUTHBOUND} else f"{name} of {database.site}"


@dataclass(frozen=True, slots=True)
class Condition:
    """A clause of RFC 7047 section 5.1; `value` is a scalar, or a map for `includes`."""

    column: str
    function: str
    value: Datum


def equals(column: str, value: Datum) -> Condition:
    """The clause `column == value`."""
    return Condition(column, "==", value)


def includes(column: str, **pairs: str) -> Condition:
    """The clause that a map column holds these pairs; an underscore in a key means a hyphen."""
    return Condition(
        column, "includes", {key.replace("_", "-"): value for key, value in pairs.items()}
    )


@dataclass(frozen=True, slots=True)
class Query:
    """Rows to read. Several queries of one table are united by row."""

    database: Database
    table: str
    columns: tuple[str, ...]
    where: tuple[Condition, ...] = ()


AnyQuery = Query | ObjectQuery | EngineQuery
"""Something to be read."""

Source = Database | Collection | Resource | Engine
"""A place that facts come from."""


def source_title(source: Source) -> str:
    """How a source is called in front of people."""
    return title(source) if isinstance(source, Database) else str(source)


def site_of(source: Source) -> str:
    """The zone that a source belongs to, or `ic`."""
    return source.collection.site if isinstance(source, Resource) else source.site


def source_of(query: ObjectQuery) -> Collection | Resource:
    """Where the objects of a query are."""
    return query.resource if isinstance(query, GetObject) else query.collection


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A place that could not be seen; never the same as empty.

    Attributes:
        forbidden: it is there, and we are not permitted to look: not an error, but not checked.
        refused: its hosts are there, and on each of them nobody listens at its port. A time that
            is over says no such thing.
    """

    cause: str
    cure: str
    forbidden: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What everything held.

    Attributes:
        observed_at: ISO 8601 with offset, in UTC; decides whether a waiver has expired.
        databases: the rows that were asked for, or why they could not be read.
        objects: likewise the objects of Kubernetes, by query; of a single one none or one.
        hosts: likewise what is on the hosts of the IC databases.
        members: what each server of the IC databases says of itself.
    """

    observed_at: str
    databases: Mapping[Database, Tables | Unreadable]
    objects: Mapping[ObjectQuery, tuple[Body, ...] | Unreadable] = field(default_factory=dict)
    hosts: Mapping[InspectHost, HostState | Unreadable] = field(default_factory=dict)
    members: Mapping[AskMember, MemberState] = field(default_factory=dict)

    def without(self, sites: Container[str]) -> Snapshot:
        """The snapshot as if these sites had not been looked at."""
        return Snapshot(
            self.observed_at,
            {one: found for one, found in self.databases.items() if one.site not in sites},
            {
                query: found
                for query, found in self.objects.items()
                if site_of(source_of(query)) not in sites
            },
            self.hosts,
            self.members,
        )


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or one key of a map column."""

    column: str
    key: str | None = None

    def __str__(self) -> str:
        """As OVN's own tools write it: `options:ic-route-adv`."""
        return self.column if self.key is None else f"{self.column}:{self.key}"


@dataclass(frozen=True, slots=True)
class Precondition:
    """What a write expects to find.

    Attributes:
        subject: the object's name for messages.
        table: where the row is looked for.
        where: the clauses that select it.
        fields: the owned fields and their expected values, None for an absent key.
        rows: how many rows the clauses must select: 1, or 0 for an object to be created.
        or_none: none is as good, as with a row that is to be taken away.
    """

    subject: str
    table: str
    where: tuple[Condition, ...]
    fields: tuple[tuple[Field, Datum], ...] = ()
    rows: int = 1
    or_none: bool = False


@dataclass(frozen=True, slots=True)
class NewRow:
    """Refers, in the same transaction, to the row that an `Insert` makes under this name."""

    name: str


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row; `name` is what a `NewRow` of the same transaction refers to."""

    table: str
    columns: Mapping[str, Datum | Later]
    name: str
    links: Mapping[str, tuple[NewRow, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Whole columns set."""

    table: str
    where: tuple[Condition, ...]
    columns: Mapping[str, Datum | Later]


@dataclass(frozen=True, slots=True)
class SetKeys:
    """Keys of a map column set (a value) or removed (None); other keys stay."""

    table: str
    where: tuple[Condition, ...]
    column: str
    keys: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Link:
    """Rows added to a set of references (new rows), or taken out of it (`_uuid`s)."""

    table: str
    where: tuple[Condition, ...]
    column: str
    add: tuple[NewRow, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delete:
    """Rows removed."""

    table: str
    where: tuple[Condition, ...]


Write = Insert | Update | SetKeys | Link | Delete


@dataclass(frozen=True, slots=True)
class Transaction:
    """One guarded write: all of it happens while all preconditions hold, or none of it."""

    database: Database
    preconditions: tuple[Precondition, ...]
    writes: tuple[Write, ...]


Operation = Transaction | ObjectWrite | EngineWrite
"""One guarded write, to a database, to a Kubernetes API or to a container engine."""


def settled(operation: Operation, values: Mapping[Later, str]) -> Operation:
    """A write with what is known by now in the place of what was only known later.

    Raises:
        KeyError: something in it is still not known.
    """
    if not isinstance(operation, Transaction):
        return operation
    writes = tuple(_settled(write, values) for write in operation.writes)
    return replace(operation, writes=writes)


def _settled(write: Write, values: Mapping[Later, str]) -> Write:
    if not isinstance(write, Insert | Update):
        return write
    columns = {
        name: values[one] if isinstance(one, Later) else one for name, one in write.columns.items()
    }
    return replace(write, columns=columns)
