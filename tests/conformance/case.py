"""What a case is, and how one is gone through. Knows no case and no controller."""

from __future__ import annotations

import pprint
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.conformance.views import View
from tests.conformance.world import World

DEADLINE_SECONDS = 60.0
ROUNDS, ROUNDS_WHEN_WATCHED = 2, 10


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that is done to the objects or rows, in words and in deed."""

    words: str
    do: Callable[[World], None]


@dataclass(frozen=True, slots=True)
class Expectation:
    """Something that is to be seen; `holds` is given what was before the edit, and what is now."""

    words: str
    holds: Callable[[View, View], bool]


@dataclass(frozen=True, slots=True)
class After:
    """An edit that belongs to what is given, and what is awaited before the next."""

    edits: tuple[Edit, ...]
    until: tuple[Expectation, ...]


def after(*steps: Edit | Expectation) -> After:
    """Edits, one at once after the other, and what is awaited when they are done."""
    return After(
        tuple(each for each in steps if isinstance(each, Edit)),
        tuple(each for each in steps if isinstance(each, Expectation)),
    )


@dataclass(frozen=True, slots=True)
class Case:
    """Given objects and an edit, expect these rows.

    Attributes:
        row: the row that it is for: a key of `rows.ROWS`.
        name: what is done, in few words; unique in its row.
        given: what is there before.
        edit: what is done.
        expect: what both generations show in the end, and go on showing.
        new: what NEW shows besides.
        old: what OLD shows besides.
        only: the only generation that the row says something about; both when empty.
        watched: whether the row says that something does not happen, ever: then it is given more
            rounds to happen in.
        stand_in_only: why another controller cannot be put to it; empty when it can.
    """

    row: str
    name: str
    given: Sequence[After]
    edit: Edit
    expect: Sequence[Expectation] = ()
    new: Sequence[Expectation] = ()
    old: Sequence[Expectation] = ()
    only: str = ""
    watched: bool = False
    stand_in_only: str = ""

    @property
    def slug(self) -> str:
        """Row and name, as the id of a test."""
        return f"{self.row}-{re.sub(r'[^a-z0-9.]+', '-', self.name.lower()).strip('-')}"

    def generations(self) -> tuple[str, ...]:
        """The generations that it expects something of."""
        return (self.only,) if self.only else ("new", "old")

    def expectations(self, generation: str) -> tuple[Expectation, ...]:
        """All that a generation is to show."""
        return (*self.expect, *(self.new if generation == "new" else self.old))


def go_through(case: Case, world: World, generation: str) -> None:
    """Go through a case, in a world that was begun anew.

    Raises:
        AssertionError: it says what was expected and not seen.
    """
    before = world.look()
    for step in case.given:
        for edit in step.edits:
            edit.do(world)
        given = f"{case.slug}, given: {_listed(step.edits)}"
        before = _await(world, before, step.until, given)
    case.edit.do(world)
    rounds = ROUNDS_WHEN_WATCHED if case.watched else ROUNDS
    when = f"{case.slug}, after: {case.edit.words}"
    _await(world, before, case.expectations(generation), when, rounds)


def _await(
    world: World, before: View, expected: Sequence[Expectation], when: str, rounds: int = ROUNDS
) -> View:
    """Go on until all is as expected and stays so while everybody had their turn."""
    assert expected, f"nothing is expected {when}"
    deadline = time.monotonic() + DEADLINE_SECONDS
    while True:
        world.nudge()
        unmet = _unmet(expected, before, world.look())
        if not unmet:
            world.settle(rounds)
            now = world.look()
            unmet = _unmet(expected, before, now)
            if not unmet:
                return now
        if time.monotonic() > deadline:
            now = world.look()
            raise AssertionError(
                f"{when}\nexpected, and not seen within {DEADLINE_SECONDS:.0f} s:\n"
                f"  {_listed(unmet)}\nbefore: {_shown(before)}\nnow: {_shown(now)}"
            )


def _unmet(expected: Iterable[Expectation], before: View, now: View) -> list[Expectation]:
    return [each for each in expected if not each.holds(before, now)]


def _listed(parts: Iterable[Edit | Expectation]) -> str:
    return "\n  ".join(each.words for each in parts)


def _shown(state: View) -> str:
    return pprint.pformat(state, width=120)
