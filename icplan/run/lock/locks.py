"""One apply at a time: a lock in each place that is written, kept alive, taken over when dead.

Who holds it is written in the place itself; whether the holder still lives is judged by this
observer's own clock, from the moment at which the value last changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from types import TracebackType
from typing import Self

from icplan.backends.databases import Databases
from icplan.backends.failures import WriteRefused
from icplan.backends.ovsdb import Receipt
from icplan.core.address import IC
from icplan.core.io import IC_NORTHBOUND, NORTHBOUND, Database
from icplan.errors import IcplanError
from icplan.ovn.cluster import LOCK_VALUE
from icplan.ovn.facts import Facts
from icplan.run.lock.holder import BEAT_SECONDS, KEY, LOOK_SECONDS, Holder, Locked, LockLost
from icplan.run.lock.lease import LeasePlace
from icplan.run.lock.place import Place, Sign
from icplan.run.lock.row import RowPlace
from icplan.run.stopping import never


def holders(facts: Facts) -> dict[str, Holder]:
    """The locks that a snapshot shows, by site."""
    found = {
        zone: northbound.external_ids[KEY]
        for zone, northbound in facts.northbound.items()
        if KEY in northbound.external_ids
    }
    found |= {
        zone: cluster.lock[LOCK_VALUE]
        for zone, cluster in facts.clusters.items()
        if cluster.lock is not None and LOCK_VALUE in cluster.lock
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
        # The global lock first, then the zones by name: two runs never wait for each other.
        self._sites = sorted(sites, key=lambda one: (one != IC, one))
        self._databases = databases
        self._watch = _Watch(note, safe_point)
        self._note = note
        self._held: dict[str, Place] = {}
        self._beats: dict[str, tuple[threading.Event, threading.Thread]] = {}
        self._lost = threading.Event()
        self._numbers = 0

    def __enter__(self) -> Self:
        try:
            for site in self._sites:
                self.join(site)
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

    def join(self, site: str) -> None:
        """Takes one more lock, of a place that was not there before; nothing when it is held.

        Raises:
            Locked: somebody else is at work.
        """
        if site in self._held:
            return
        place = place_of(self._databases, site)
        self._held[site] = place
        _acquire(place, self.holder, self._watch)
        over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(place.again(), over), daemon=True)
        self._beats[site] = (over, thread)
        thread.start()

    def leave(self, site: str) -> None:
        """Releases one lock, before the place where it lies is taken away."""
        if (beating := self._beats.pop(site, None)) is not None:
            over, thread = beating
            over.set()
            thread.join()
        if (place := self._held.pop(site, None)) is not None:
            self._remove(place)

    def require_held(self, site: str) -> None:
        """Lets a write to a site pass; where there is no place for a lock, those held stand in.

        Raises:
            LockLost: one of the locks is gone.
        """
        if self._lost.is_set():
            held = self._held.get(site) or next(iter(self._held.values()))
            raise LockLost(held.title)

    def receipt(self, database: Database) -> Receipt | None:
        """The receipt for the next write to a database; None when its lock lies elsewhere.

        Raises:
            LockLost: one of the locks is gone.
        """
        self.require_held(database.site)
        place = self._held[database.site]
        if not isinstance(place, RowPlace) or place.database != database:
            return None
        self._numbers += 1
        return place.receipt(self.holder.value, f"{self.holder.nonce}-{self._numbers}")

    def _beat(self, place: Place, over: threading.Event) -> None:
        """Keeps one lock alive; each has a thread, as a silent server would hold up the others.

        While the server is out of reach nothing can be said: others take the lock over after
        the ttl, and the next write finds that out.
        """
        beats = 0
        with closing(place):
            while not over.wait(BEAT_SECONDS) and not self._lost.is_set():
                beats += 1
                try:
                    place.beat(self.holder.value, beats)
                except WriteRefused:
                    self._lost.set()
                except IcplanError:
                    continue

    def _release(self) -> None:
        # All of them are told to end before any of them is waited for.
        for over, _ in self._beats.values():
            over.set()
        for site in reversed([*self._held]):
            self.leave(site)

    def _remove(self, place: Place) -> None:
        try:
            if not place.remove(self.holder.value):
                self._note(
                    f"the {place.title} is not ours any more: somebody removed it or took it over"
                )
        except IcplanError as error:
            self._note(f"the {place.title} could not be released: {error.cause}")


def place_of(databases: Databases, site: str) -> Place:
    """Where a site's lock lies: in its cluster, else in its database."""
    if site in databases.clusters:
        return LeasePlace(site, databases.clusters[site])
    database = Database(IC, IC_NORTHBOUND) if site == IC else Database(site, NORTHBOUND)
    return RowPlace(databases, database, databases.client(database))


class _Watch:
    """Watches somebody else's lock for a sign of life.

    A run that is dead in one place is dead in all: its other locks need no watching.
    """

    def __init__(self, note: Callable[[str], None], safe_point: Callable[[], None]) -> None:
        self.note = note
        self.safe_point = safe_point
        self._dead: set[str] = set()
        self._watched: tuple[str, str] | None = None
        self._beat: str | None = None
        self._since = 0.0

    def dead(self, value: str, beat: str | None, title: str) -> bool:
        """Whether its holder is dead; false while that is not known.

        Raises:
            Locked: it is alive.
        """
        if value in self._dead:
            return True
        holder = Holder.read(value)
        now = time.monotonic()
        if self._watched != (title, value):
            self._watched, self._beat, self._since = (title, value), beat, now
            self.note(
                f"the {title} is held by {holder.holder}; watching whether "
                f"that is alive, {holder.ttl:g} s at most"
            )
        elif beat != self._beat:
            raise Locked(title, holder)
        elif now - self._since > holder.ttl:
            self._dead.add(value)
            self.note(f"took the locks over from {holder.holder}, which is dead")
        return value in self._dead


def _acquire(place: Place, mine: Holder, watch: _Watch) -> None:
    while True:
        watch.safe_point()
        sign: Sign = place.look()
        if sign.value == mine.value:
            return  # the answer to our own write was lost
        if sign.value is not None and not watch.dead(sign.value, sign.beat, place.title):
            time.sleep(LOOK_SECONDS)
        elif place.take(mine, sign):
            return


def release(
    databases: Databases, sites: Sequence[str], nonce: str
) -> tuple[dict[str, Holder], tuple[IcplanError, ...]]:
    """Removes the locks of a run by its nonce, wherever they can be reached.

    Returns:
        What was removed, by site, and what could not be reached.
    """
    removed: dict[str, Holder] = {}
    failed: list[IcplanError] = []
    for site in sites:
        place = place_of(databases, site)
        try:
            value = place.look().value
            if value is None or Holder.read(value).nonce != nonce:
                continue
            if place.remove(value):
                removed[site] = Holder.read(value)
        except IcplanError as error:
            failed.append(error)
    return removed, tuple(failed)
