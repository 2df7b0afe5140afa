"""Waiting for evidence that must last, and for what cannot come any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest

from icplan.core.address import Address
from icplan.core.io import Snapshot, Unreadable
from icplan.kinds.common.contract import Check, Held, Missing, Verdict
from icplan.ovn.facts import Facts, decode
from icplan.run import wait
from icplan.run.wait import Evidence, Pending, await_evidence

MISSING = Missing("it is not there", "wait")
FINAL = Missing("it came back", "stop it", final=True)
UNSEEN = Unreadable("gone", "look")


class Clock:
    """A clock that goes on by a second with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Played(Evidence):
    """Facts that nobody has to look for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def facts(self) -> Facts:
        return decode(Snapshot("", {}, {}))

    def pause(self, seconds: float) -> None:
        assert seconds > 0
        self._clock.now += 1.0


def check(*verdicts: Verdict, lasts: float = 0.0) -> Check:
    """A check that finds these, one after the other, and then the last one for ever."""
    left = list(verdicts)

    def holds(_: Facts) -> Verdict:
        return left.pop(0) if len(left) > 1 else left[0]

    return Check(Address("ic", "zone", "old"), "old is away", frozenset(), holds, lasts=lasts)


Waiting = Callable[[Iterable[Check]], tuple[tuple[Pending, ...], float, list[str]]]


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    clock = Clock()
    monkeypatch.setattr(wait, "time", clock)

    def run(checks: Iterable[Check]) -> tuple[tuple[Pending, ...], float, list[str]]:
        told: list[str] = []

        def tell(pending: Sequence[Pending], _: float) -> None:
            told.extend(one.why for _, one in pending if isinstance(one, Missing))

        found = await_evidence(tuple(checks), Played(clock), 60.0, 600.0, tell, lambda: None)
        return found, clock.now, told

    return run


def test_what_need_not_last_is_seen_once(waiting: Waiting) -> None:
    assert waiting([check(MISSING, Held())]) == ((), 1.0, [])


def test_what_must_last_is_watched_and_that_is_told(waiting: Waiting) -> None:
    found, seconds, told = waiting([check(Held(), lasts=15.0), check(MISSING, Held())])
    assert (found, seconds) == ((), 15.0)
    assert told
    assert {*told} == {"old is away; watching for 15 s whether that stays so"}


@pytest.mark.parametrize(
    ("verdicts", "seconds"),
    [
        ([Held(lasts=4.0)], 4.0),
        ([Held(lasts=4.0), Held()], 1.0),
        ([Held(lasts=2.0), MISSING, Held(lasts=2.0)], 4.0),
    ],
)
def test_a_verdict_may_have_to_last(
    waiting: Waiting, verdicts: list[Verdict], seconds: float
) -> None:
    assert waiting([check(*verdicts)])[:2] == ((), seconds)


def test_it_must_hold_all_the_time(waiting: Waiting) -> None:
    broken: list[Verdict] = [*[Held()] * 10, MISSING, Held()]
    assert waiting([check(*broken, lasts=15.0)])[:2] == ((), 26.0)


def test_what_could_not_be_seen_begins_anew(waiting: Waiting) -> None:
    assert waiting([check(*[Held()] * 5, UNSEEN, Held(), lasts=15.0)])[:2] == ((), 21.0)


def test_what_cannot_come_any_more_ends_the_waiting(waiting: Waiting) -> None:
    lasting = check(*[Held()] * 4, FINAL, lasts=15.0)
    found, seconds, _ = waiting([check(MISSING), lasting])
    # What else is missing was only cut short.
    assert found == ((lasting, FINAL),)
    assert seconds == 4.0


def test_what_holds_and_breaks_for_good_is_missing_in_the_end(waiting: Waiting) -> None:
    one = check(Held(), MISSING, lasts=15.0)
    found, seconds, _ = waiting([one])
    assert found == ((one, MISSING),)
    assert seconds > 60.0
