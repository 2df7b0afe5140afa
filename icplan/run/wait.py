"""Waits for evidence, and says why it still waits. Writes nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from icplan.backends.databases import Databases
from icplan.backends.failures import DatabaseUnreadable
from icplan.backends.monitor import Monitor
from icplan.core.address import IC
from icplan.core.io import AnyQuery, Database, Query, Tables, Unreadable
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.ovn.facts import Facts, decode
from icplan.run.observe import read

Pending = tuple[Check, Missing | Unreadable]

POLL_SECONDS = 0.5
TELL_SECONDS = 2.0


class Evidence:
    """The latest facts: the zones are asked, the interconnection's databases are followed.

    Those that are reached through a zone's cluster are asked, too.

    Args:
        databases: the clients.
        wanted: what to read.
    """

    def __init__(self, databases: Databases, wanted: Iterable[AnyQuery]) -> None:
        queries = tuple(wanted)
        self._databases = databases
        followed = {
            query.database
            for query in queries
            if isinstance(query, Query)
            and query.database.site == IC
            and Monitor.follows(databases.endpoints[query.database])
        }
        self._asked = [
            query
            for query in queries
            if not isinstance(query, Query) or query.database not in followed
        ]
        self._woken = threading.Event()
        shared = sorted(followed)
        self._monitors = [Monitor(one, databases.endpoints[one], self._woken) for one in shared]
        self._started = False

    def facts(self) -> Facts:
        """What is so now."""
        snapshot = read(self._databases, self._asked)
        contents: dict[Database, Tables | Unreadable] = dict(snapshot.databases)
        try:
            if not self._started:
                # At once: a cluster without a leader costs one deadline, not two.
                with ThreadPoolExecutor(max(1, len(self._monitors))) as pool:
                    list(pool.map(Monitor.start, self._monitors))
                self._started = True
            contents |= {monitor.database: monitor.tables() for monitor in self._monitors}
        except DatabaseUnreadable as error:
            unreadable = Unreadable(error.cause, error.cure)
            contents |= {monitor.database: unreadable for monitor in self._monitors}
        return decode(replace(snapshot, databases=contents))

    def pause(self, seconds: float) -> None:
        """Until something changes in the interconnection databases, or the time is over."""
        self._woken.wait(seconds)
        self._woken.clear()

    def close(self) -> None:
        """Ends the connections."""
        for monitor in self._monitors:
            monitor.stop()


def await_evidence(
    checks: Sequence[Check],
    evidence: Evidence,
    seconds: float,
    operator_seconds: float,
    tell: Callable[[Sequence[Pending], float], None],
    safe_point: Callable[[], None],
) -> tuple[Pending, ...]:
    """Waits until all checks hold; gives those that do not when the time is over.

    What must last is watched as long as it must; what cannot come any more ends the waiting.

    Args:
        checks: what must hold.
        evidence: where it is seen.
        seconds: how long machines may take.
        operator_seconds: how long a person may take.
        tell: told every two seconds what is still missing.
        safe_point: called in every round; may raise to stop the waiting.
    """
    start = time.monotonic()
    told = start
    watch = _Watch()
    while True:
        safe_point()
        facts = evidence.facts()
        verdicts = [(check, check.holds(facts)) for check in checks]
        pending = [(check, one) for check, one in verdicts if not isinstance(one, Held)]
        # What else is missing was cut short by this, and says nothing.
        final = [(check, one) for check, one in pending if isinstance(one, Missing) and one.final]
        if final:
            return tuple(final)
        now = time.monotonic()
        watched = watch.still(verdicts, now)
        if not pending and not watched:
            return ()
        # What follows from a person's step can only be there after it.
        limit = operator_seconds if any(check.operator for check, _ in pending) else seconds
        if pending and now - start > limit:
            return tuple(pending)
        if now - told > TELL_SECONDS:
            tell(pending or watched, now - start)
            told = now
        evidence.pause(POLL_SECONDS)


class _Watch:
    """Since when those checks have held that must go on holding for a while."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def still(self, verdicts: Sequence[tuple[Check, Verdict]], now: float) -> list[Pending]:
        """Those that hold, and have not held long enough."""
        found: list[Pending] = []
        for place, (check, verdict) in enumerate(verdicts):
            if not isinstance(verdict, Held):
                self._since.pop(place, None)
                continue
            lasts = max(check.lasts, verdict.lasts)
            if lasts and now - self._since.setdefault(place, now) < lasts:
                why = f"{check.claim}; watching for {lasts:.0f} s whether that stays so"
                found.append((check, Missing(why, "wait")))
        return found
