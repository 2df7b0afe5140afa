"""A point in time by which something must be done. Monotonic; knows nothing of what is done."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """Ends `seconds` after it was made, whatever happens to the wall clock."""

    seconds: float
    _end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """A deadline that many seconds from now."""
        return cls(seconds, time.monotonic() + seconds)

    def within(self, seconds: float) -> Deadline:
        """A deadline that many seconds from now, or this one when it comes first."""
        return Deadline.after(min(seconds, self.left))

    @property
    def left(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._end - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether no time is left."""
        return self.left <= 0.0
