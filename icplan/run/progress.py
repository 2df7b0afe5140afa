"""What a run tells while it goes on. How it looks is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from icplan.core.change import Change
from icplan.core.io import Unreadable
from icplan.kinds.common.contract import Check, Missing
from icplan.planning.waves import Wave


class Progress(Protocol):
    """Told of every step, in order."""

    def wave(self, wave: Wave, total: int) -> None:
        """A wave begins."""

    def writing(self, change: Change) -> None:
        """A write is about to be sent."""

    def written(self, change: Change) -> None:
        """The database has taken it."""

    def waiting(
        self, pending: Sequence[tuple[Check, Missing | Unreadable]], seconds: float
    ) -> None:
        """Evidence is still missing after so many seconds."""

    def seen(self, checks: int, *, beforehand: bool = False) -> None:
        """All evidence of a wave has been seen; `beforehand`: before its first write."""

    def note(self, text: str) -> None:
        """Something else worth knowing."""
