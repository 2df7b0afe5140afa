"""Ctrl-C and SIGTERM taken at safe points: between two writes, never in the middle of one."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""A pipeline that is cancelled sends SIGTERM."""


class Stopping:
    """A context manager: while it is open, the first signal is a wish and the second an order.

    An exception out of a signal can hit any line, also of a library that swallows it (bare
    `except:` in ovs, callbacks of weak references); a wish is only looked at where it is safe.
    """

    def __init__(self) -> None:
        self._wished = False
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def check(self) -> None:
        """A safe point.

        Raises:
            KeyboardInterrupt: somebody wishes to stop.
        """
        if self._wished:
            raise KeyboardInterrupt

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self._wished:
            signal.default_int_handler(number, frame)
        self._wished = True


def never() -> None:
    """The safe point of a run that nobody stops."""
