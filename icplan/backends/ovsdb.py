"""One OVSDB database: finds the server that leads, reads rows, writes while preconditions hold."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from icplan.backends.attempts import in_order
from icplan.backends.codec import ColumnType, Schema, decode_rows, read_schema
from icplan.backends.deadline import Deadline
from icplan.backends.failures import (
    ConnectionFailed,
    DatabaseForbidden,
    DatabaseUnreadable,
    Stale,
    WriteRefused,
    WriteUncertain,
)
from icplan.backends.jsonrpc import GARBAGE, Json, Session
from icplan.backends.operations import UnknownColumn, operation, precondition, selects, unchanged
from icplan.backends.streams import Server
from icplan.core.io import (
    Database,
    Datum,
    Field,
    Precondition,
    Query,
    Row,
    SetKeys,
    Tables,
    Transaction,
    Write,
    equals,
    title,
)

ATTEMPTS = 5
"""How often a write is tried against rows that change in fields which are not ours."""

LOCK = "icplan's lock"
"""The subject of the precondition that our lock is still there."""

_PAUSE_SECONDS = 0.2

MINORITY_SECONDS = 5.0
"""How long a reader waits for a leader while most members cannot be connected at all.

They elect nobody; but one that is being restarted is back by then."""


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

    @property
    def lock(self) -> Precondition:
        """That the lock is still there."""
        key, value = self.held
        fields = ((Field(self.column, key), value),)
        return Precondition(LOCK, self.table, (equals("_uuid", self.uuid),), fields)

    @property
    def write(self) -> Write:
        """Leaves the number."""
        where = (equals("_uuid", self.uuid),)
        return SetKeys(self.table, where, self.column, {self.key: self.number})

    def left_in(self, rows: Sequence[Row]) -> bool:
        """Whether the number is there."""
        return any(_field(row, Field(self.column, self.key)) == self.number for row in rows)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session with a server that holds the database and leads it."""

    session: Session
    server: Server
    schema: Schema
    clustered: bool


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
        self, database: Database, endpoints: Sequence[Server], seconds: float = 20.0
    ) -> None:
        self.database = database
        self.seconds = seconds
        self._endpoints = tuple(endpoints)
        self._session: Session | None = None
        self._server = ""
        self._clustered = False
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
            session = self._connected(deadline, hasty=True)
            wanted = selects(queries, self._schema)
            try:
                answers = self._transact(session, [select for _, _, select in wanted], deadline)
                return _unite(
                    [
                        (table, _decoded(answer, columns))
                        for (table, columns, _), answer in zip(wanted, answers, strict=False)
                    ]
                )
            except ConnectionFailed as error:
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
        except Stale as error:
            # While our lock is there, the receipt tells; else it may have been us who changed it.
            knows = receipt is not None and error.subject != LOCK
            if knows or not progress.unanswered:
                raise
            raise WriteUncertain(self.database, error) from error
        except (WriteRefused, DatabaseUnreadable) as error:
            if not progress.unanswered:
                raise
            raise WriteUncertain(self.database, error) from error
        except UnknownColumn as error:
            raise WriteRefused(
                title(self.database),
                place=self._place,
                cause=f"its schema has {error}",
                cure="its OVN is too old for what the file asks for, or not the one you mean",
            ) from error

    def _write(
        self, transaction: Transaction, receipt: Receipt | None, progress: _Progress
    ) -> None:
        deadline = Deadline.after(self.seconds)
        attempts = 0
        while attempts < ATTEMPTS:
            session = self._connected(deadline, patient=progress.unanswered)
            try:
                waits = self._guards(session, transaction, receipt, deadline)
                if waits is None:
                    return
                writes = [*transaction.writes, *([receipt.write] if receipt else [])]
                operations = waits + [operation(write, self._schema) for write in writes]
                earlier, progress.unanswered = progress.unanswered, True
                answers = self._transact(session, operations, deadline)
            except ConnectionFailed as error:
                self._lost(error, deadline)
                continue
            # Without a receipt the answer to a repetition says nothing of the first try.
            progress.unanswered = earlier and receipt is None
            if self._committed(answers, len(waits)):
                return
            attempts += 1
        raise WriteRefused(
            title(self.database),
            place=self._place,
            cause=f"the rows changed under our hands {ATTEMPTS} times in a row",
            cure="find out what writes there so often, then run `icplan apply` again",
        )

    def _guards(
        self,
        session: Session,
        transaction: Transaction,
        receipt: Receipt | None,
        deadline: Deadline,
    ) -> list[Json] | None:
        """Compares what is there with what is expected; the `wait`s that freeze what was read.

        The lock's row is one of them, and each write changes it by its receipt: of a write and
        its repetition only one can ever be done, even if the first is still on its way. None:
        the receipt is there, so an earlier attempt was done.
        """
        conditions = [*([receipt.lock] if receipt else []), *transaction.preconditions]
        asked = [precondition(one, self._schema) for one in conditions]
        answers = self._transact(session, [select for _, select in asked], deadline)
        waits: list[Json] = []
        for condition, (columns, select), answer in zip(conditions, asked, answers, strict=False):
            raw: list[Json] = [dict(row) for row in _rows(answer) if isinstance(row, dict)]
            rows = _decoded(answer, columns)
            if receipt is not None and condition.subject == LOCK and receipt.left_in(rows):
                return None
            self._compare(condition, rows)
            waits.append(unchanged(select, raw))
        return waits

    def _compare(self, condition: Precondition, rows: Sequence[Row]) -> None:
        if condition.or_none and not rows:
            return
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

    def _connected(
        self, deadline: Deadline, *, patient: bool = False, hasty: bool = False
    ) -> Session:
        """A session with the server that may be written to.

        Args:
            deadline: when the search ends.
            patient: also wait for a single server that is not there.
            hasty: do not wait to the end for a cluster that cannot elect anybody.
        """
        if self._session is not None and self._still_leads(self._session, deadline):
            return self._session
        failures: dict[Server, ConnectionFailed] = {}
        minority: Deadline | None = None
        while True:
            begun = Deadline.after(MINORITY_SECONDS)
            away: set[Server] = set()
            found = in_order(
                [partial(self._open, one, deadline, away) for one in self._endpoints],
                lambda unwanted: unwanted.session.close(),
            )
            with closing(found):
                for endpoint, one in zip(self._endpoints, found, strict=False):
                    if isinstance(one, _Opened):
                        return self._use(one)
                    # One that had no time left says nothing about its server.
                    if endpoint not in failures or not deadline.passed:
                        failures[endpoint] = one
            # A single server that refuses has said its word; a cluster may be electing a leader.
            fixed = not any(one.moves for one in self._endpoints)
            hopeless = len(self._endpoints) == 1 and (fixed or bool(away)) and not patient
            minority = (minority or begun) if hasty and self._minority(len(away)) else None
            hopeless = hopeless or (minority is not None and minority.passed)
            if deadline.passed or hopeless or all(one.lasting for one in failures.values()):
                forbidden = failures and all(one.forbidden for one in failures.values())
                kind = DatabaseForbidden if forbidden else DatabaseUnreadable
                causes = {str(one): str(why) for one, why in failures.items()}
                unreadable = self._unreadable(causes, kind)
                unreadable.refused = len(failures) == len(self._endpoints) and all(
                    one.refused for one in failures.values()
                )
                raise unreadable
            time.sleep(min(_PAUSE_SECONDS, deadline.left))

    def _minority(self, away: int) -> bool:
        """Whether too few members can be connected to elect a leader.

        A list of an even number is not all of a cluster: somebody else may count with them.
        """
        count = len(self._endpoints)
        needed = count // 2 + 1 if count % 2 else 1
        return count - away < needed

    def _open(self, endpoint: Server, deadline: Deadline, away: set[Server]) -> _Opened:
        """A session with one server; also from another thread, so that nothing of it is kept here.

        Args:
            endpoint: the server.
            deadline: when the search ends.
            away: gets the server when no connection comes about, and it is always the same one.
        """
        share = self._share(deadline)
        try:
            session = Session(endpoint.connect(share))
        except ConnectionFailed:
            if not endpoint.moves:
                away.add(endpoint)
            raise
        try:
            schema, clustered = self._introduce(session, share)
        except BaseException as error:
            session.close()
            # Through a pod it is heard only now.
            if isinstance(error, ConnectionFailed) and error.refused:
                away.add(endpoint)
            raise
        return _Opened(session, endpoint, schema, clustered)

    def _use(self, one: _Opened) -> Session:
        self._session, self._server = one.session, str(one.server)
        self._schema, self._clustered = one.schema, one.clustered
        return one.session

    def _still_leads(self, session: Session, deadline: Deadline) -> bool:
        """A follower answers, too, with what it knew when it was last told."""
        if self._clustered:
            try:
                self._require_leader(session, self._share(deadline))
            except ConnectionFailed:
                self.close()
                return False
        return True

    def _share(self, deadline: Deadline) -> Deadline:
        """A server that is silent must leave time for the others."""
        return deadline.within(self.seconds / len(self._endpoints))

    def _introduce(self, session: Session, deadline: Deadline) -> tuple[Schema, bool]:
        """Checks that the server holds the database and leads it.

        Returns:
            The schema, and whether the database is a cluster's.
        """
        name = self.database.name
        names = session.call("list_dbs", [], deadline)
        if not isinstance(names, list):
            raise ConnectionFailed(GARBAGE, lasting=True)
        if name not in names:
            held = ", ".join(str(one) for one in names)
            raise ConnectionFailed(f"has no database {name} (it has: {held})", lasting=True)
        clustered = "_Server" in names and self._require_leader(session, deadline)
        try:
            return read_schema(session.call("get_schema", [name], deadline)), clustered
        except ValueError as error:
            raise ConnectionFailed(GARBAGE, lasting=True) from error

    def _require_leader(self, session: Session, deadline: Deadline) -> bool:
        """Lets a server pass that leads, or stands alone; whether it is a member of a cluster."""
        select: Json = {
            "op": "select",
            "table": "Database",
            "where": [["name", "==", self.database.name]],
            "columns": ["model", "connected", "leader"],
        }
        rows = _rows(self._transact(session, [select], deadline, database="_Server")[0])
        row = rows[0] if rows else None
        if not isinstance(row, dict) or row.get("model") != "clustered":
            return False
        if not row.get("connected"):
            raise ConnectionFailed("is cut off from its cluster (no quorum)")
        if not row.get("leader"):
            raise ConnectionFailed("does not lead its cluster")
        return True

    def _transact(
        self,
        session: Session,
        operations: Sequence[Json],
        deadline: Deadline,
        database: str | None = None,
    ) -> list[Json]:
        """One answer for each operation, and one more when the commit failed."""
        answers = session.call("transact", [database or self.database.name, *operations], deadline)
        if not isinstance(answers, list) or len(answers) < len(operations):
            raise ConnectionFailed(GARBAGE, lasting=True)
        return answers

    def _lost(self, error: ConnectionFailed, deadline: Deadline) -> None:
        """Drops the session; raises when there is no time for another try, or no hope."""
        self.close()
        if deadline.passed or error.lasting:
            raise self._unreadable({self._server: str(error)}) from error
        time.sleep(min(_PAUSE_SECONDS, deadline.left))

    def _unreadable(
        self,
        failures: Mapping[str, str],
        kind: type[DatabaseUnreadable] = DatabaseUnreadable,
    ) -> DatabaseUnreadable:
        causes = [f"{place} {cause}" for place, cause in sorted(failures.items())]
        return kind(
            self.database,
            self._place,
            "; ".join(causes) or "no server",
            self._endpoints[0].cure,
        )


def _field(row: Row, field: Field) -> Datum:
    value = row.get(field.column)
    if field.key is None:
        return value
    return value.get(field.key) if isinstance(value, Mapping) else None


def _rows(answer: Json) -> list[Json]:
    """The rows of a `select`'s answer."""
    if isinstance(answer, dict) and isinstance(rows := answer.get("rows"), list):
        return rows
    if isinstance(answer, dict) and "error" in answer:
        details = answer.get("details", "")
        raise ConnectionFailed(f"refused to be read: {answer['error']}: {details}", lasting=True)
    raise ConnectionFailed(GARBAGE, lasting=True)


def _decoded(answer: Json, columns: Mapping[str, ColumnType]) -> tuple[Row, ...]:
    try:
        return decode_rows(_rows(answer), columns)
    except ValueError as error:
        raise ConnectionFailed(GARBAGE, lasting=True) from error


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
