"""Waiting for something to become true, by looking again and again. Never sleeps a fixed time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.programs import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.02


def wait_until(
    condition: Callable[[], bool], thing: str, *, place: str = "", timeout: float = TIMEOUT_SECONDS
) -> float:
    """Wait until a condition holds and return the seconds it took.

    Args:
        condition: looked at every 20 ms.
        thing: what is waited for, as the error names it ("az1 has learned 10.17.0.0/16").
        place: where it is.
        timeout: seconds after which the wait has failed.

    Raises:
        IcplanError: the condition did not hold in time.
    """
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > timeout:
            raise IcplanError(
                thing,
                place=place,
                cause=f"did not happen within {timeout:.0f} s",
                cure="see the logs in the lab's directory",
            )
        time.sleep(POLL_SECONDS)
    return time.monotonic() - start
