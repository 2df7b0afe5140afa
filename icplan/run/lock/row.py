"""A lock in the global row of an OVSDB database."""

from __future__ import annotations

from icplan.backends.databases import Databases
from icplan.backends.failures import Stale, WriteUncertain
from icplan.backends.ovsdb import LOCK, Client, Receipt
from icplan.core.io import (
    IC_NORTHBOUND,
    Database,
    Field,
    Insert,
    Precondition,
    Query,
    Row,
    SetKeys,
    Transaction,
    equals,
    title,
)
from icplan.ovn.rows import pairs, text
from icplan.run.lock.holder import BEAT, KEY, RECEIPT, Holder
from icplan.run.lock.place import Sign


class RowPlace:
    """The global row of one database."""

    def __init__(self, databases: Databases, database: Database, client: Client) -> None:
        self.database = database
        self._databases = databases
        self._client = client
        self._table = "IC_NB_Global" if database.name == IC_NORTHBOUND else "NB_Global"
        self._uuid = ""

    @property
    def title(self) -> str:
        """For messages."""
        return f"lock of the {title(self.database)}"

    def look(self) -> Sign:
        """What the row says; a fresh database has no global row."""
        row = self._row() or {}
        self._uuid = text(row, "_uuid")
        ids = pairs(row, "external_ids")
        return Sign(ids.get(KEY), ids.get(BEAT))

    def take(self, mine: Holder, seen: Sign) -> bool:
        """Leaves our lock while the row says what was seen."""
        if not self._uuid:
            # Whoever makes it, the next look finds it.
            self._try(self._first_row())
            return False
        where = (equals("_uuid", self._uuid),)
        fields = (
            (Field("external_ids", KEY), seen.value),
            (Field("external_ids", BEAT), seen.beat),
        )
        as_seen = Precondition(self.title, self._table, where, fields)
        keys: dict[str, str | None] = {KEY: mine.value, BEAT: "0", RECEIPT: None}
        write = SetKeys(self._table, where, "external_ids", keys)
        return self._try(Transaction(self.database, (as_seen,), (write,)))

    def beat(self, value: str, number: int) -> None:
        """Counts on."""
        self._client.write(self._keys(value, {BEAT: str(number)}))

    def remove(self, value: str) -> bool:
        """Removes a lock; false when another one is there, or none."""
        row = self._row()
        if row is None:
            return False
        self._uuid = text(row, "_uuid")
        try:
            self._client.write(self._keys(value, dict.fromkeys((KEY, BEAT, RECEIPT))))
        except Stale:
            return False
        except WriteUncertain:
            row = self._row()
            return row is None or pairs(row, "external_ids").get(KEY) != value
        return True

    def receipt(self, value: str, number: str) -> Receipt:
        """What the next write to this database leaves beside the lock."""
        return Receipt(self._table, self._uuid, "external_ids", (KEY, value), RECEIPT, number)

    def again(self) -> RowPlace:
        """The same row over another connection."""
        place = RowPlace(
            self._databases, self.database, self._databases.fresh_client(self.database)
        )
        place._uuid = self._uuid
        return place

    def close(self) -> None:
        """Ends the connection."""
        self._client.close()

    def _row(self) -> Row | None:
        query = Query(self.database, self._table, ("external_ids",))
        rows = self._client.read([query]).get(self._table, ())
        return rows[0] if rows else None

    def _first_row(self) -> Transaction:
        subject = f"{self._table} of the {title(self.database)}"
        none = Precondition(subject, self._table, (), rows=0)
        row = Insert(self._table, {"external_ids": {}}, "global_row")
        return Transaction(self.database, (none,), (row,))

    def _keys(self, lock: str, keys: dict[str, str | None]) -> Transaction:
        """A write beside a lock, refused when it is not there any more."""
        where = (equals("_uuid", self._uuid),)
        held = Precondition(LOCK, self._table, where, ((Field("external_ids", KEY), lock),))
        write = SetKeys(self._table, where, "external_ids", keys)
        return Transaction(self.database, (held,), (write,))

    def _try(self, transaction: Transaction) -> bool:
        """Whether it was certainly done; when not, the caller looks again."""
        try:
            self._client.write(transaction)
        except (Stale, WriteUncertain):
            return False
        return True
