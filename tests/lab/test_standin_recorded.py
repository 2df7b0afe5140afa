"""The stand-in goes through the recorded edits and ends each step as the real controller did."""

from __future__ import annotations

import itertools
import json
import random
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from icplan.lab import StandaloneDatabases, wait_until
from icplan.lab.standin import NEW, OLD, Generation
from tests.lab import recorded_edits
from tests.lab.recorded_state import ZONES, Facts, Normalizer
from tests.lab.standin_zones import StandinZones

pytestmark = pytest.mark.real
RECORDED = Path(__file__).parents[1] / "recorded"
STEP_SECONDS = 40.0
# Rounds after an edit before a step may end, so that a state which is equal before anybody has
# reacted does not count; and how many equal looks end it.
LEAST_ROUNDS, EQUAL_LOOKS = 2, 2
# In this step both real controllers drew the same address by chance; here they are made to.
COLLISIONS = {("1.15.23", 11)}


class Draws:
    """Random numbers, no address twice in a run, except where a collision is asked for."""

    def __init__(self) -> None:
        self._random = random.Random(4)
        self._used: set[int] = set()
        self._both = threading.Barrier(len(ZONES), timeout=STEP_SECONDS)
        self._ready: Callable[[], object] | None = None

    def collide(self, ready: Callable[[], object] | None) -> None:
        """Let each zone's next address be the same one.

        Each has looked by then for addresses that are taken, and has not seen the other's.

        Args:
            ready: returns when both can make their ports: one that failed would draw again, and
                alone. None ends the collisions.
        """
        self._ready = ready

    def __call__(self, below: int) -> int:
        if below != 128:
            return self._random.randrange(below)
        if self._ready is not None:
            self._both.wait()
            self._ready()
            return 127
        number = self._random.choice([each for each in range(128) if each not in self._used])
        self._used = {*self._used, number} if len(self._used) < 126 else {number}
        return number


@pytest.mark.parametrize(
    ("name", "generation"), [("1.17-dev", NEW), ("1.15.23", OLD)], ids=["new", "old"]
)
def test_every_recorded_step_ends_as_with_the_real_controller(
    directory: Path, name: str, generation: Generation
) -> None:
    draws = Draws()
    recording, here = Normalizer(), Normalizer()
    differing = []
    with StandaloneDatabases(directory) as databases:
        zones = StandinZones(databases, generation, draws)
        try:
            for line in (RECORDED / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
                step = json.loads(line)
                expected = recording.step(step["state"], ends=True)
                collide = (name, step["step"]) in COLLISIONS
                draws.collide(partial(_await_switch, zones) if collide else None)
                recorded_edits.do(zones, step["edit"])
                found = _reach(zones, here, expected, together=collide)
                here.step(zones.state(), ends=True)
                if found != expected:
                    differing.append(_report(step["step"], step["edit"], expected, found))
        finally:
            zones.close()
    assert not differing, "\n".join([f"{len(differing)} of the steps differ:", *differing])


def _await_switch(zones: StandinZones) -> None:
    for name, zone in zones.zones.items():
        nbctl = zone.databases.nbctl
        wait_until(partial(_has_switch, nbctl), f"ovn-ic makes ts in {name}")


def _has_switch(nbctl: Callable[..., str]) -> bool:
    return "(ts)" in nbctl("ls-list")


def _reach(zones: StandinZones, here: Normalizer, expected: Facts, *, together: bool) -> Facts:
    """Go on until the state is the expected one, or until the time is over; the last state."""
    deadline = time.monotonic() + STEP_SECONDS
    equal = 0
    for rounds in itertools.count(1):
        zones.round(together=together)
        found = here.step(zones.state(), ends=False)
        equal = equal + 1 if found == expected else 0
        if (rounds >= LEAST_ROUNDS and equal >= EQUAL_LOOKS) or time.monotonic() > deadline:
            return found
    raise AssertionError


def _report(number: int, edit: str, expected: Facts, found: Facts) -> str:
    lines = [f"step {number}: {edit}"]
    lines += [f"  expected  {line}" for line in sorted(expected - found)]
    lines += [f"  found     {line}" for line in sorted(found - expected)]
    return "\n".join(lines)
