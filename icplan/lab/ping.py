"""A series of pings and what came of it. Knows neither packets nor the modes of the lab."""

from __future__ import annotations

import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from icplan.errors import IcplanError

_LATE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PingResult:
    """What came of a series of pings.

    Attributes:
        sent: requests sent.
        received: answers received, at most a second after the series ended.
        longest_gap_seconds: the longest time without an answer, where the start and the end of
            the series count as answers; so never much less than the interval of the requests.
    """

    sent: int
    received: int
    longest_gap_seconds: float

    @property
    def ok(self) -> bool:
        """Whether every request was answered."""
        return 0 < self.sent == self.received


class PingEvent(NamedTuple):
    """A request is known to be sent, or its answer has come.

    Attributes:
        sequence: the request's number, from 1.
        answered: seconds since the epoch when its answer came; none while there is none.
    """

    sequence: int
    answered: float | None


class RunningPing(ABC):
    """A series of pings under way; a thread follows what its source tells."""

    def __init__(self, thing: str, events: Iterable[PingEvent]) -> None:
        self._thing = thing
        self._start = time.time()
        self._events = events
        self._requests = 0
        self._answers: dict[int, float] = {}
        self._trouble = ""
        self._result: PingResult | None = None
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def requests(self) -> int:
        """How many requests are known to be sent so far.

        Raises:
            IcplanError: the source has failed.
        """
        if self._trouble and self._result is None:
            raise IcplanError(self._thing, cause=self._trouble, cure="see the lab's logs")
        return self._requests

    @property
    def answers(self) -> int:
        """How many answers have come so far."""
        return len(self._answers)

    def stop(self) -> PingResult:
        """End the series and return its result; may be called again for the same result.

        Requests under way get one more second for their answer; those sent meanwhile do not
        count.
        """
        if self._result is None:
            end, counted = time.time(), self._requests
            while time.time() < end + _LATE_SECONDS and self._missing(counted):
                time.sleep(0.01)
            self._close()
            self._thread.join()
            answers = [at for number, at in self._answers.items() if number <= counted]
            gap = longest_gap(self._start, answers, end)
            self._result = PingResult(counted, len(answers), gap)
        return self._result

    @abstractmethod
    def _close(self) -> None:
        """End the source, so that its events come to an end."""

    def _missing(self, counted: int) -> bool:
        return sum(number <= counted for number in list(self._answers)) < counted

    def _follow(self) -> None:
        try:
            for sequence, answered in self._events:
                self._requests = max(self._requests, sequence)
                if answered is not None:
                    self._answers.setdefault(sequence, answered)
        except (OSError, ValueError) as error:
            self._trouble = str(error)
        else:
            self._trouble = "the pings have ended by themselves"


def longest_gap(start: float, answers: Iterable[float], end: float) -> float:
    """The longest time without an answer between start and end, all in seconds."""
    inside = sorted(min(max(at, start), end) for at in answers)
    times = [start, *inside, end]
    return max(after - before for before, after in itertools.pairwise(times))
