"""One OVSDB database: finds the server that leads, reads rows, writes while preconditions hold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from icplan.backends.codec import (
    ColumnType,
    Schema,
    decode_rows,
    encode,
    encode_condition,
    read_schema,
)
from icplan.backends.deadline import Deadline
from icplan.backends.failures import (
    ConnectionFailed,
    DatabaseUnreadable,
    Stale,
    WriteRefused,
    WriteUncertain,
)
from icplan.backends.jsonrpc import Json, RemoteError, Session
from icplan.backends.streams import Endpoint, connect
from icplan.core.io import (
    Condition,
    Database,
    Datum,
    Delete,
    Field,
    Insert,
    Link,
    NewRow,
    Precondition,
    Query,
    Row,
    SetKeys,
    Tables,
    Transaction,
    Update,
    Write,
    equals,
    title,
)

ATTEMPTS = 5
"""How often a write is tried against rows that change in fields which are not ours."""

LOCK = "icplan's lock"
"""The subject of the precondition that our lock is still there."""

_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Receipt:
    """A key in a row of the same database in which each of our writes leaves its number.

    It answers the question that a broken connection leaves open: was the write done? The row is
    the one that holds our lock; `held` is the lock's key and value, and a write is refused when
    they are not there any more.
    """

    table: str
    uuid: str
    column: str
    held: tuple[str, str]
    key: str
    number: str


@dataclass(slots=True)
class _Progress:
    """How far a write has come; `unanswered`: it was sent, and no answer came."""

    unanswered: bool = False


class Client:
    """A database's client; connects when it is first used, and again when it must.

    Args:
        database: which database, for messages and for its schema's name.
        endpoints: its servers; of a cluster the one that leads is used, wherever it moves.
        seconds: how long one request may take, the search for the leader included.
    """

    def __init__(
        self, database: Database, endpoints: Sequence[Endpoint], seconds: float = 20.0
    ) -> None:
        self.database = database
        self.seconds = seconds
        self._endpoints = tuple(endpoints)
        self._session: Session | None = None
        self._schema: Schema = {}

    def close(self) -> None:
        """Ends the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def read(self, queries: Sequence[Query]) -> Tables:
        """Rows of one moment, decoded.

        Tables and columns that the server's schema does not know are left out.

        Raises:
            DatabaseUnreadable: no server answered properly in time.
        """
        deadline = Deadline.after(self.seconds)
        while True:
            session = self._connected(deadline)
            selects = _selects(queries, self._schema)
            operations: list[Json] = [select for _, _, select in selects]
            try:
                answers = self._transact(session, operations, deadline)
                return _unite(
                    [
                        (table, decode_rows(_rows(answer), columns))
                        for (table, columns, _), answer in zip(selects, answers, strict=False)
                    ]
                )
            except (ConnectionFailed, RemoteError, ValueError) as error:
                self._lost(error, deadline)

    def write(self, transaction: Transaction, receipt: Receipt | None = None) -> None:
        """Does a transaction while its preconditions hold, exactly once.

        The preconditions' fields are read and compared, then the server is asked to write only
        if the rows are still what was just read. If fields that are not ours changed in
        between, it is compared again.

        Raises:
            Stale: a precondition does not hold.
            WriteRefused: the database does not take it.
            WriteUncertain: it was sent, and no server said in time what became of it.
            DatabaseUnreadable: no server answered in time; nothing was sent.
        """
        progress = _Progress()
        try:
            self._write(transaction, receipt, progress)
        except DatabaseUnreadable as error:
            if not progress.unanswered:
                raise
            raise WriteUncertain(self.database, error.place, error.cause, error.cure) from error

    def _write(
        self, transaction: Transaction, receipt: Receipt | None, progress: _Progress
    ) -> None:
        deadline = Deadline.after(self.seconds)
        attempts = 0
        while attempts < ATTEMPTS:
            try:
                session = self._connected(deadline)
                if (
                    progress.unanswered
                    and receipt is not None
                    and self._received(session, receipt, deadline)
                ):
                    return
                waits = self._preconditions(session, transaction, receipt, deadline)
                operations = waits + self._writes(transaction, receipt)
                progress.unanswered = True
                answers = self._transact(session, operations, deadline)
            except (ConnectionFailed, RemoteError, ValueError) as error:
                self._lost(error, deadline)
                continue
            progress.unanswered = False
            if self._committed(answers, len(waits)):
                return
            attempts += 1
        raise WriteRefused(
            title(self.database),
            place=self._place,
            cause=f"the rows changed under our hands {ATTEMPTS} times in a row",
            cure="find out what writes there so often, then run `icplan apply` again",
        )

    def _committed(self, answers: Sequence[Json], waits: int) -> bool:
        """Whether it was done; false when a row was not what had just been read."""
        failure = _first_error(answers)
        if failure is None:
            return True
        index, error, details = failure
        if index < waits and error == "timed out":
            return False
        raise WriteRefused(
            title(self.database),
            place=self._place,
            cause=f"it refused the write: {error}: {details}",
            cure="nothing of this write was done: run `icplan plan` again",
        )

    # Connecting

    @property
    def _place(self) -> str:
        return ", ".join(str(one) for one in self._endpoints)

    def _connected(self, deadline: Deadline) -> Session:
        """A session with the server that may be written to."""
        if self._session is not None:
            return self._session
        failures: dict[str, str] = {}
        while True:
            for endpoint in self._endpoints:
                try:
                    session = Session(connect(endpoint, deadline))
                except ConnectionFailed as error:
                    failures[str(endpoint)] = str(error)
                    continue
                try:
                    self._schema = self._introduce(session, deadline)
                except ConnectionFailed as error:
                    session.close()
                    failures[str(endpoint)] = str(error)
                    continue
                self._session = session
                return session
            # A single server that refuses has said its word; a cluster may be electing a leader.
            if deadline.passed or len(self._endpoints) == 1:
                raise self._unreadable(failures)
            time.sleep(min(_PAUSE_SECONDS, deadline.left))

    def _introduce(self, session: Session, deadline: Deadline) -> Schema:
        """Checks that the server holds the database and leads it, and fetches the schema."""
        name = self.database.name
        try:
            names = session.call("list_dbs", [], deadline)
            if not isinstance(names, list) or name not in names:
                held = ", ".join(str(one) for one in names) if isinstance(names, list) else "none"
                raise ConnectionFailed(f"has no database {name} (it has: {held})")
            if "_Server" in names:
                self._require_leader(session, deadline)
            return read_schema(session.call("get_schema", [name], deadline))
        except RemoteError as error:
            raise ConnectionFailed(f"refused to describe {name}: {error}") from error
        except ValueError as error:
            raise ConnectionFailed("answers, but not as an OVSDB server does") from error

    def _require_leader(self, session: Session, deadline: Deadline) -> None:
        answers = self._transact(
            session,
            [
                {
                    "op": "select",
                    "table": "Database",
                    "where": [["name", "==", self.database.name]],
                    "columns": ["model", "connected", "leader"],
                }
            ],
            deadline,
            database="_Server",
        )
        rows = _rows(answers[0]) if answers else []
        row = rows[0] if isinstance(rows, list) and rows else None
        if not isinstance(row, dict) or row.get("model") != "clustered":
            return
        if not row.get("connected"):
            raise ConnectionFailed("is cut off from its cluster (no quorum)")
        if not row.get("leader"):
            raise ConnectionFailed("does not lead its cluster")

    def _lost(self, error: Exception, deadline: Deadline) -> None:
        """Drops the session; raises when there is no time for another try."""
        self.close()
        if deadline.passed or not isinstance(error, ConnectionFailed):
            raise self._unreadable({self._place: str(error)}) from error
        time.sleep(min(_PAUSE_SECONDS, deadline.left))

    def _unreadable(self, failures: Mapping[str, str]) -> DatabaseUnreadable:
        causes = [f"{place} {cause}" for place, cause in sorted(failures.items())]
        return DatabaseUnreadable(
            self.database,
            self._place,
            "; ".join(causes) or "no server",
            f"check the address, that the server runs, and that port is open from here: "
            f"ovsdb-client list-dbs {self._endpoints[0]}",
        )

    # Speaking

    def _transact(
        self,
        session: Session,
        operations: Sequence[Json],
        deadline: Deadline,
        database: str | None = None,
    ) -> list[Json]:
        answers = session.call("transact", [database or self.database.name, *operations], deadline)
        if not isinstance(answers, list):
            raise ConnectionFailed("answers, but not as an OVSDB server does")
        return answers

    def _where(self, table: str, where: Sequence[Condition]) -> Json:
        columns = self._schema.get(table, {})
        return [encode_condition(one, columns) for one in where]

    def _preconditions(
        self,
        session: Session,
        transaction: Transaction,
        receipt: Receipt | None,
        deadline: Deadline,
    ) -> list[Json]:
        """Compares what is there with what is expected; the `wait`s that freeze what was read."""
        conditions = [*transaction.preconditions]
        if receipt is not None:
            conditions.append(_lock_condition(receipt))
        selects: list[Json] = []
        for condition in conditions:
            columns = sorted({"_uuid", *(one.column for one, _ in condition.fields)})
            known = self._schema.get(condition.table, {})
            selects.append(
                {
                    "op": "select",
                    "table": condition.table,
                    "where": self._where(condition.table, condition.where),
                    "columns": [one for one in columns if one in known],
                }
            )
        answers = self._transact(session, selects, deadline)
        waits: list[Json] = []
        for condition, select, answer in zip(conditions, selects, answers, strict=False):
            rows = _rows(answer)
            if not isinstance(rows, list) or not isinstance(select, dict):
                raise ConnectionFailed("answers, but not as an OVSDB server does")
            raw = [dict(row) for row in rows if isinstance(row, dict)]
            decoded = decode_rows(rows, self._schema[condition.table])
            self._compare(condition, decoded)
            waits.append(
                {
                    "op": "wait",
                    "timeout": 0,
                    "table": condition.table,
                    "where": select["where"],
                    "columns": select["columns"],
                    "until": "==",
                    "rows": raw,  # type: ignore[dict-item]
                }
            )
        return waits

    def _compare(self, condition: Precondition, rows: Sequence[Row]) -> None:
        if len(rows) != condition.rows:
            counts = {0: "no such row", 1: "one row"}
            raise Stale(
                self.database,
                condition.subject,
                None,
                counts.get(condition.rows, f"{condition.rows} rows"),
                counts.get(len(rows), f"{len(rows)} rows"),
            )
        for row in rows:
            for field, expected in condition.fields:
                found = _field(row, field)
                if found != expected:
                    raise Stale(self.database, condition.subject, field, expected, found)

    def _received(self, session: Session, receipt: Receipt, deadline: Deadline) -> bool:
        """Whether the write whose answer was lost was done after all."""
        select: Json = {
            "op": "select",
            "table": receipt.table,
            "where": self._where(receipt.table, (equals("_uuid", receipt.uuid),)),
            "columns": [receipt.column],
        }
        answers = self._transact(session, [select], deadline)
        rows = decode_rows(_rows(answers[0]), self._schema[receipt.table]) if answers else ()
        return any(
            _field(row, Field(receipt.column, receipt.key)) == receipt.number for row in rows
        )

    def _writes(self, transaction: Transaction, receipt: Receipt | None) -> list[Json]:
        writes: list[Write] = [*transaction.writes]
        if receipt is not None:
            writes.append(
                SetKeys(
                    receipt.table,
                    (equals("_uuid", receipt.uuid),),
                    receipt.column,
                    {receipt.key: receipt.number},
                )
            )
        return [self._operation(write) for write in writes]

    def _operation(self, write: Write) -> Json:
        columns = self._schema.get(write.table, {})
        if isinstance(write, Insert):
            row = _encoded(write.columns, columns) | _encoded(write.links or {}, columns)
            return {"op": "insert", "table": write.table, "row": row, "uuid-name": write.name}
        base: dict[str, Json] = {
            "table": write.table,
            "where": self._where(write.table, write.where),
        }
        match write:
            case Update():
                return base | {"op": "update", "row": _encoded(write.columns, columns)}
            case Delete():
                return base | {"op": "delete"}
            case SetKeys():
                # `insert` leaves a key that is there as it is, so all of them are taken out first.
                mutations: list[Json] = [
                    [write.column, "delete", ["set", [*sorted(write.keys)]]],
                ]
                pairs = {key: value for key, value in write.keys.items() if value is not None}
                if pairs:
                    mutations.append([write.column, "insert", encode(pairs, columns[write.column])])
                return base | {"op": "mutate", "mutations": mutations}
            case Link():
                column = columns[write.column]
                mutations = []
                if write.remove:
                    mutations.append([write.column, "delete", encode(write.remove, column)])
                if write.add:
                    mutations.append([write.column, "insert", encode(write.add, column)])
                return base | {"op": "mutate", "mutations": mutations}


def _lock_condition(receipt: Receipt) -> Precondition:
    key, value = receipt.held
    return Precondition(
        LOCK,
        receipt.table,
        (equals("_uuid", receipt.uuid),),
        ((Field(receipt.column, key), value),),
    )


def _encoded(
    values: Mapping[str, Datum] | Mapping[str, tuple[NewRow, ...]],
    columns: Mapping[str, ColumnType],
) -> dict[str, Json]:
    return {name: encode(value, columns[name]) for name, value in values.items() if name in columns}


def _field(row: Row, field: Field) -> Datum:
    value = row.get(field.column)
    if field.key is None:
        return value
    return value.get(field.key) if isinstance(value, Mapping) else None


def _selects(
    queries: Sequence[Query], schema: Schema
) -> list[tuple[str, Mapping[str, ColumnType], Json]]:
    """The `select`s that the server's schema allows: one unknown column would fail them all."""
    selects: list[tuple[str, Mapping[str, ColumnType], Json]] = []
    for query in queries:
        known = schema.get(query.table)
        if known is None:
            continue
        columns = {name: known[name] for name in ("_uuid", *query.columns) if name in known}
        where: Json = [encode_condition(one, known) for one in query.where]
        select: Json = {
            "op": "select",
            "table": query.table,
            "where": where,
            "columns": list(columns),
        }
        selects.append((query.table, columns, select))
    return selects


def _rows(answer: Json) -> Json:
    if not isinstance(answer, dict) or "rows" not in answer:
        raise ValueError(f"the server refused to read: {answer}")
    return answer["rows"]


def _unite(parts: Sequence[tuple[str, tuple[Row, ...]]]) -> Tables:
    tables: dict[str, dict[str, Row]] = {}
    for table, rows in parts:
        tables.setdefault(table, {}).update((str(row["_uuid"]), row) for row in rows)
    return {table: tuple(rows.values()) for table, rows in tables.items()}


def _first_error(answers: Sequence[Json]) -> tuple[int, str, str] | None:
    """Index, name and details of the first failed operation; one past the last is the commit."""
    for index, answer in enumerate(answers):
        if isinstance(answer, dict) and answer.get("error") is not None:
            return index, str(answer["error"]), str(answer.get("details", ""))
    return None
