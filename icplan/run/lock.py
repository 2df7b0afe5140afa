"""One apply at a time: a lock in each database that is written, kept alive, taken over when dead.

Who holds it is written in the database itself; whether the holder still lives is judged by this
observer's own clock, from the moment at which the value last changed.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import orjson

from icplan.backends.databases import Databases
from icplan.backends.failures import Stale, WriteRefused, WriteUncertain
from icplan.backends.ovsdb import LOCK, Client, Receipt
from icplan.core.address import IC
from icplan.core.io import (
    IC_NORTHBOUND,
    NORTHBOUND,
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
from icplan.errors import Exit, IcplanError
from icplan.ovn.facts import Facts
from icplan.ovn.rows import pairs, text
from icplan.run.stopping import never

KEY = "icplan-lock"
BEAT = "icplan-lock-beat"
RECEIPT = "icplan-lock-receipt"
TTL_SECONDS = 20.0
BEAT_SECONDS = 4.0
LOOK_SECONDS = 0.5
LONGEST_TTL_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Holder:
    """What a lock says.

    Attributes:
        holder: user, host and process.
        purpose: what for: "apply prod".
        ttl: seconds without a beat after which it counts as dead.
        nonce: tells this lock from all others; `icplan unlock` takes it.
    """

    holder: str
    purpose: str
    ttl: float
    nonce: str

    @classmethod
    def mine(cls, purpose: str) -> Holder:
        """A lock of this process."""
        where = f"{_user()}@{socket.gethostname()} (process {os.getpid()})"
        return cls(where, purpose, TTL_SECONDS, secrets.token_hex(4))

    @classmethod
    def read(cls, value: str) -> Holder:
        """What a value says; one that nobody of us wrote is held by "unknown"."""
        with suppress(KeyError, TypeError, ValueError):
            raw = orjson.loads(value)
            ttl = float(raw["ttl"])
            if 0 < ttl <= LONGEST_TTL_SECONDS:
                return cls(str(raw["holder"]), str(raw["purpose"]), ttl, str(raw["nonce"]))
        nonce = hashlib.sha256(value.encode()).hexdigest()[:8]
        return cls("unknown", value[:40], TTL_SECONDS, nonce)

    @property
    def value(self) -> str:
        """The lock as it is stored."""
        return orjson.dumps(
            {
                "holder": self.holder,
                "purpose": self.purpose,
                "ttl": self.ttl,
                "nonce": self.nonce,
            }
        ).decode()

    def __str__(self) -> str:
        """For messages."""
        return f"{self.holder}, {self.purpose}, nonce {self.nonce}"


class Locked(IcplanError):
    """Somebody else holds a lock and is alive."""

    exit = Exit.LOCKED

    def __init__(self, database: Database, holder: Holder) -> None:
        super().__init__(
            f"lock of the {title(database)}",
            cause=f"held by {holder.holder} for: {holder.purpose}",
            cure="wait until that is done; if you know that it hangs: "
            f"icplan unlock {holder.nonce}",
        )
        self.holder = holder


class LockLost(WriteRefused):
    """Our own lock is gone: somebody unlocked it, or took us for dead."""

    def __init__(self, place: str) -> None:
        super().__init__(
            LOCK,
            place=place,
            cause="somebody removed it while we were working",
            cure="find out who else works here, then run `icplan apply` again: it converges",
        )


def holders(facts: Facts) -> dict[str, Holder]:
    """The locks that a snapshot shows, by site."""
    found = {
        zone: northbound.external_ids[KEY]
        for zone, northbound in facts.northbound.items()
        if KEY in northbound.external_ids
    }
    if facts.ic_northbound is not None and KEY in facts.ic_northbound.external_ids:
        found[IC] = facts.ic_northbound.external_ids[KEY]
    return {site: Holder.read(value) for site, value in sorted(found.items())}


class Locks:
    """The locks of one run. A context manager: leaving it releases them.

    Args:
        databases: the clients.
        sites: `ic` and the zones that will be written.
        purpose: what for.
        note: told when it has to wait.
        safe_point: called while it waits; may raise to stop the waiting.
    """

    def __init__(
        self,
        databases: Databases,
        sites: Sequence[str],
        purpose: str,
        note: Callable[[str], None] = lambda _: None,
        safe_point: Callable[[], None] = never,
    ) -> None:
        self.holder = Holder.mine(purpose)
        self._databases = databases
        # The global lock first, then the zones by name: two runs never wait for each other.
        self._targets = [
            locked_database(site) for site in sorted(sites, key=lambda one: (one != IC, one))
        ]
        self._note = note
        self._safe_point = safe_point
        self._held: dict[Database, _Place] = {}
        self._stop = threading.Event()
        self._lost = threading.Event()
        self._threads: list[threading.Thread] = []
        self._numbers = 0

    def __enter__(self) -> Self:
        watch = _Watch(self._note, self._safe_point)
        try:
            for target in self._targets:
                client = self._databases.client(target)
                place = self._held[target] = _acquire(client, target, self.holder, watch)
                thread = threading.Thread(target=self._beat, args=(place,), daemon=True)
                self._threads.append(thread)
                thread.start()
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._release()

    def receipt(self, database: Database) -> Receipt:
        """The receipt for the next write to a database.

        Raises:
            LockLost: the lock is gone.
        """
        if self._lost.is_set():
            raise LockLost(title(database))
        place = self._held[database]
        self._numbers += 1
        return Receipt(
            place.table,
            place.uuid,
            "external_ids",
            (KEY, self.holder.value),
            RECEIPT,
            f"{self.holder.nonce}-{self._numbers}",
        )

    def _beat(self, place: _Place) -> None:
        """Keeps one lock alive; each has a thread, as a silent database would hold up the others.

        While the database is out of reach nothing can be said: others take the lock over after
        the ttl, and the next write finds that out.
        """
        beats = 0
        with closing(self._databases.fresh_client(place.database)) as client:
            while not self._stop.wait(BEAT_SECONDS) and not self._lost.is_set():
                beats += 1
                try:
                    client.write(_keys(place, self.holder.value, {BEAT: str(beats)}))
                except Stale:
                    self._lost.set()
                except IcplanError:
                    continue

    def _release(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for database, place in reversed(self._held.items()):
            client = self._databases.client(database)
            what = f"the lock of the {title(database)}"
            try:
                if not _remove(client, place, self.holder.value):
                    self._note(f"{what} is not ours any more: somebody removed it or took it over")
            except IcplanError as error:
                self._note(f"{what} could not be released: {error.cause}")
        self._held.clear()


@dataclass(frozen=True, slots=True)
class _Place:
    """The row that holds a lock."""

    database: Database
    table: str
    uuid: str


def locked_database(site: str) -> Database:
    """The database that holds a site's lock."""
    return Database(IC, IC_NORTHBOUND) if site == IC else Database(site, NORTHBOUND)


def _table(database: Database) -> str:
    return "IC_NB_Global" if database.name == IC_NORTHBOUND else "NB_Global"


def _keys(place: _Place, lock: str, keys: dict[str, str | None]) -> Transaction:
    """A write beside a lock, refused when it is not there any more."""
    where = (equals("_uuid", place.uuid),)
    held = Precondition(LOCK, place.table, where, ((Field("external_ids", KEY), lock),))
    return Transaction(
        place.database, (held,), (SetKeys(place.table, where, "external_ids", keys),)
    )


def _global_row(client: Client, database: Database) -> Row | None:
    table = _table(database)
    rows = client.read([Query(database, table, ("external_ids",))]).get(table, ())
    return rows[0] if rows else None


class _Watch:
    """Watches somebody else's lock for a sign of life.

    A run that is dead in one database is dead in all: its other locks need no watching.
    """

    def __init__(self, note: Callable[[str], None], safe_point: Callable[[], None]) -> None:
        self.note = note
        self.safe_point = safe_point
        self._dead: set[str] = set()
        self._watched: tuple[Database, str] | None = None
        self._beat: str | None = None
        self._since = 0.0

    def dead(self, value: str, beat: str | None, database: Database) -> bool:
        """Whether its holder is dead; false while that is not known.

        Raises:
            Locked: it is alive.
        """
        if value in self._dead:
            return True
        holder = Holder.read(value)
        now = time.monotonic()
        if self._watched != (database, value):
            self._watched, self._beat, self._since = (database, value), beat, now
            self.note(
                f"the lock of the {title(database)} is held by {holder.holder}; watching whether "
                f"that is alive, {holder.ttl:g} s at most"
            )
        elif beat != self._beat:
            raise Locked(database, holder)
        elif now - self._since > holder.ttl:
            self._dead.add(value)
            self.note(f"took the locks over from {holder.holder}, which is dead")
        return value in self._dead


def _acquire(client: Client, database: Database, mine: Holder, watch: _Watch) -> _Place:
    while True:
        watch.safe_point()
        row = _global_row(client, database)
        if row is None:
            # A fresh database has no global row: whoever makes it, the next look finds it.
            _try(client, _first_row(database, _table(database)))
            continue
        place = _Place(database, _table(database), text(row, "_uuid"))
        ids = pairs(row, "external_ids")
        value, beat = ids.get(KEY), ids.get(BEAT)
        if value == mine.value:
            return place  # the answer to our own write was lost
        if value is not None and not watch.dead(value, beat, database):
            time.sleep(LOOK_SECONDS)
        elif _try(client, _taking(place, mine, value, beat)):
            return place


def _first_row(database: Database, table: str) -> Transaction:
    none = Precondition(f"{table} of the {title(database)}", table, (), rows=0)
    return Transaction(database, (none,), (Insert(table, {"external_ids": {}}, "global_row"),))


def _taking(place: _Place, mine: Holder, value: str | None, beat: str | None) -> Transaction:
    where = (equals("_uuid", place.uuid),)
    as_seen = Precondition(
        f"lock of the {title(place.database)}",
        place.table,
        where,
        ((Field("external_ids", KEY), value), (Field("external_ids", BEAT), beat)),
    )
    keys: dict[str, str | None] = {KEY: mine.value, BEAT: "0", RECEIPT: None}
    return Transaction(
        place.database, (as_seen,), (SetKeys(place.table, where, "external_ids", keys),)
    )


def _remove(client: Client, place: _Place, value: str) -> bool:
    """Removes a lock; false when another one is there, or none."""
    try:
        client.write(_keys(place, value, dict.fromkeys((KEY, BEAT, RECEIPT))))
    except Stale:
        return False
    except WriteUncertain:
        row = _global_row(client, place.database)
        return row is None or pairs(row, "external_ids").get(KEY) != value
    return True


def _try(client: Client, transaction: Transaction) -> bool:
    """Whether it was certainly done; when not, the caller looks again."""
    try:
        client.write(transaction)
    except (Stale, WriteUncertain):
        return False
    return True


def release(
    databases: Databases, sites: Sequence[str], nonce: str
) -> tuple[dict[str, Holder], tuple[IcplanError, ...]]:
    """Removes the locks of a run by its nonce, wherever they can be reached.

    Returns:
        What was removed, by site, and the databases that could not be reached.
    """
    removed: dict[str, Holder] = {}
    failed: list[IcplanError] = []
    for site in sites:
        database = locked_database(site)
        client = databases.client(database)
        try:
            row = _global_row(client, database)
            value = pairs(row, "external_ids").get(KEY) if row else None
            if row is None or value is None or Holder.read(value).nonce != nonce:
                continue
            if _remove(client, _Place(database, _table(database), text(row, "_uuid")), value):
                removed[site] = Holder.read(value)
        except IcplanError as error:
            failed.append(error)
    return removed, tuple(failed)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())
