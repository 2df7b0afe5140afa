"""The recorded steps, as they were recorded. Nothing is added to them here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

# What the json module gives back.
Json: TypeAlias = Any

FOLDER = Path(__file__).parents[1] / "recorded"
OLD, NEW = "1.15.23", "1.17-dev"
"""The two recordings, by the controller that made them."""
CONTROLLERS = (OLD, NEW)
ZONES = ("az1", "az2")


@dataclass(frozen=True)
class Step:
    """One line of a recording.

    Attributes:
        controller: whose recording.
        number: from 0, as recorded.
        edit: what was done just before, in words.
        state: everything that was recorded.
    """

    controller: str
    number: int
    edit: str
    state: Json

    @property
    def name(self) -> str:
        """How tests call it."""
        return f"{self.controller}-{self.number:02}"

    def config(self, zone: str) -> dict[str, str] | None:
        """The data of a zone's ConfigMap."""
        data: dict[str, str] | None = self.state[zone]["configMap"]
        return data

    def rows(self, zone: str, table: str) -> list[Json]:
        """Rows of a zone's northbound database."""
        found: list[Json] = self.state[zone]["northbound"].get(table, [])
        return found

    def having(self, zone: str, **keys: str) -> Step:
        """The same, with other values in a zone's ConfigMap; an underscore means a hyphen.

        So an edit can be asked for in another state than the one that it was recorded in.
        """
        state = deepcopy(self.state)
        config = state[zone]["configMap"] or {}
        state[zone]["configMap"] = config | {
            key.replace("_", "-"): value for key, value in keys.items()
        }
        return replace(self, state=state)

    def written(self, after: Step) -> Step:
        """The same, with the ConfigMaps and transit switches of another step: just written."""
        state = deepcopy(self.state)
        for zone in ZONES:
            state[zone]["configMap"] = after.state[zone]["configMap"]
        state["icNorthbound"] = after.state["icNorthbound"]
        return replace(self, state=state)


def many(value: Json) -> list[Json]:
    """A column with one member is recorded as that member."""
    return list(value) if isinstance(value, list) else [value]


def _read(controller: str) -> Iterator[Step]:
    for line in (FOLDER / f"{controller}.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        yield Step(controller, one["step"], one["edit"], one["state"])


STEPS: dict[str, tuple[Step, ...]] = {name: tuple(_read(name)) for name in CONTROLLERS}
EVERY_STEP = tuple(step for name in CONTROLLERS for step in STEPS[name])


Pair = tuple[Step, Step]
"""The step before an edit and the one after it."""


def around(controller: str, number: int) -> Pair:
    """The pair around the edit of the step with that number."""
    return STEPS[controller][number - 1], STEPS[controller][number]


PAIRS = tuple(around(one.controller, one.number) for one in EVERY_STEP if one.number)
"""All of them."""
