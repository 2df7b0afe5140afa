"""Servers are asked in the order of the list, and together once one of them is slow."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

import pytest

from icplan.backends.attempts import in_order
from icplan.backends.failures import ConnectionFailed
from tests.ovsdb import eventually

WAIT_SECONDS = 30.0


def asked(
    tries: Sequence[Callable[[], str]], drop: Callable[[str], None]
) -> Generator[str | ConnectionFailed]:
    yield from in_order(tries, drop)


def failing(name: str, begun: list[str]) -> Callable[[], str]:
    def attempt() -> str:
        begun.append(name)
        raise ConnectionFailed(name)

    return attempt


def test_while_they_answer_at_once_one_is_asked_after_the_other() -> None:
    begun: list[str] = []

    def second() -> str:
        begun.append("b")
        return "found b"

    def third() -> str:
        raise AssertionError("nobody needs it")

    with closing(asked([failing("a", begun), second, third], begun.append)) as found:
        first = next(found)
        assert isinstance(first, ConnectionFailed)
        assert begun == ["a"]
        assert next(found) == "found b"
    assert begun == ["a", "b"]


def test_slow_ones_are_asked_at_the_same_time_and_the_first_of_the_list_is_preferred() -> None:
    meeting = threading.Barrier(3)
    dropped: list[str] = []

    def slow(name: str) -> Callable[[], str]:
        def attempt() -> str:
            # Nobody comes through before all of them are there.
            meeting.wait(WAIT_SECONDS)
            return name

        return attempt

    with closing(asked([slow(one) for one in "abc"], dropped.append)) as found:
        assert next(found) == "a"
    eventually(lambda: sorted(dropped) == ["b", "c"], "what nobody wants is dropped")


def test_what_comes_after_the_end_is_dropped() -> None:
    end = threading.Event()
    dropped: list[str] = []

    def late() -> str:
        end.wait(WAIT_SECONDS)
        return "late"

    def slow() -> str:
        started.wait(WAIT_SECONDS)
        return "slow"

    started = threading.Event()

    def other() -> str:
        started.set()
        return late()

    with closing(asked([slow, other], dropped.append)) as found:
        assert next(found) == "slow"
    assert dropped == []
    end.set()
    eventually(lambda: dropped == ["late"], "what comes late is dropped")


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_no_failure_of_a_connection_is_not_hidden(count: int) -> None:
    def broken() -> str:
        raise KeyError("x")

    with (
        pytest.raises(KeyError),
        closing(asked([broken] * count, print)) as found,
    ):
        next(found)
