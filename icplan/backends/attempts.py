"""Attempts to reach servers, in order, and beside each other once one is slow. Knows no server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from typing import Generic, TypeVar

from icplan.backends.failures import ConnectionFailed

SLOW_SECONDS = 0.5
"""A server that is there answers sooner; after that, nobody waits for one host after the other."""

Found = TypeVar("Found")


def in_order(
    tries: Sequence[Callable[[], Found]], drop: Callable[[Found], None]
) -> Generator[Found | ConnectionFailed]:
    """What each attempt comes to, in the order in which they are given.

    The next one begins when one has failed; when one is slow, all of the rest begin. Whoever wants
    no more ends the iteration, and what still comes of the others is dropped.

    Args:
        tries: each returns what it found, or raises ConnectionFailed.
        drop: what is done with something that nobody wants any more.
    """
    if len(tries) == 1:
        # Beside a single one there is nothing to do.
        try:
            yield tries[0]()
        except ConnectionFailed as error:
            yield error
        return
    running = [_Attempt(one, drop) for one in tries]
    try:
        for number, one in enumerate(running):
            one.start()
            if not one.done.wait(SLOW_SECONDS):
                for other in running[number + 1 :]:
                    other.start()
                one.done.wait()
            yield one.take()
    finally:
        for one in running:
            one.abandon()


class _Attempt(Generic[Found]):
    """One attempt, in a thread that nobody waits for at the end of the program."""

    def __init__(self, attempt: Callable[[], Found], drop: Callable[[Found], None]) -> None:
        self.done = threading.Event()
        self._attempt = attempt
        self._drop = drop
        self._lock = threading.Lock()
        self._started = False
        self._abandoned = False
        self._found: list[Found] = []
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Begins, unless it has begun."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            found = self._attempt()
        except BaseException as error:  # noqa: BLE001  (raised where it is taken)
            self._failure = error
        else:
            with self._lock:
                self._found = [found]
                unwanted = self._abandoned
            if unwanted:
                self._clear()
        finally:
            self.done.set()

    def take(self) -> Found | ConnectionFailed:
        """What it came to, which is the caller's from now on; only once it is done."""
        if isinstance(self._failure, ConnectionFailed):
            return self._failure
        if self._failure is not None:
            raise self._failure
        return self._found.pop()

    def abandon(self) -> None:
        """Nobody wants what it finds, now or later."""
        with self._lock:
            self._abandoned = True
        self._clear()

    def _clear(self) -> None:
        with self._lock:
            left, self._found = self._found, []
        for one in left:
            self._drop(one)
