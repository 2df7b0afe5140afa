"""What a place is that a lock can lie in. The places live beside this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from icplan.run.lock.holder import Holder


@dataclass(frozen=True, slots=True)
class Sign:
    """What a place shows: a lock's value and its last beat, None where there is none."""

    value: str | None
    beat: str | None


class Place(Protocol):
    """Somewhere a lock can lie. Every call asks the server anew, and ends by its deadline."""

    @property
    def title(self) -> str:
        """For messages: "lock of the northbound database of az1"."""

    def look(self) -> Sign:
        """What is there now."""

    def take(self, mine: Holder, seen: Sign) -> bool:
        """Leaves our lock if what is there is still what was seen; whether it certainly did."""

    def beat(self, value: str, number: int) -> None:
        """Shows that we live; raises WriteRefused when our lock is not there any more."""

    def remove(self, value: str) -> bool:
        """Takes a lock away; false when it is not there any more."""

    def again(self) -> Place:
        """The same place over a connection of its own, for another thread."""

    def close(self) -> None:
        """Ends what `again` opened."""
