"""What a way consists of, as values: links, and the two directions. Tests nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from icplan.core.io import Unreadable
from icplan.kinds.common.contract import Held, Missing, Verdict
from icplan.planning.path.ends import End


class State(StrEnum):
    """What was found of a link."""

    HELD = "held"
    BROKEN = "broken"
    """No packet gets past it."""
    FLAWED = "flawed"
    """Not as it should be; packets may pass all the same."""
    UNSEEN = "unseen"
    """It could not be looked at."""
    NOT_CHECKED = "not-checked"
    """What comes before it is broken."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a way.

    Attributes:
        claim: what must be so, in words.
        verdict: what was found; None when what comes before it is broken.
        vital: whether no packet gets past it when it is missing.
        suspect: whether it may take packets away when it is flawed.
    """

    claim: str
    verdict: Verdict | None
    vital: bool = True
    suspect: bool = True

    @property
    def state(self) -> State:
        """What that comes to."""
        match self.verdict:
            case None:
                return State.NOT_CHECKED
            case Held():
                return State.HELD
            case Unreadable():
                return State.UNSEEN
            case Missing():
                return State.BROKEN if self.vital else State.FLAWED


Found = tuple[Verdict, bool]
"""What was found, and whether no packet gets past it when it is missing."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A link that is yet to be looked at."""

    claim: str
    test: Callable[[], Found]
    suspect: bool = True


def vital(claim: str, test: Callable[[], Verdict]) -> Probe:
    """A link without which no packet passes."""
    return Probe(claim, lambda: (test(), True))


def aside(claim: str, test: Callable[[], Verdict]) -> Probe:
    """A link that tells what may be the cause of a later one, or will be tomorrow."""
    return Probe(claim, lambda: (test(), False), suspect=False)


def over_switches(claim: str, switches: tuple[str, ...], test: Callable[[str], Verdict]) -> Probe:
    """A link that each transit switch has: traffic passes as long as one of them carries it."""

    def run() -> Found:
        found = {switch: test(switch) for switch in switches}
        missing = [one for one in found.values() if isinstance(one, Missing)]
        if missing:
            whys = "; ".join(dict.fromkeys(one.why for one in missing))
            return Missing(whys, missing[0].cure), len(missing) == len(found)
        unseen = (one for one in found.values() if isinstance(one, Unreadable))
        return next(unseen, Held()), True

    return Probe(claim, run)


def walk(probes: Iterable[Probe]) -> tuple[Link, ...]:
    """Looks at the links in order; behind a broken one nothing is looked at."""
    links: list[Link] = []
    ended = False
    for one in probes:
        if ended:
            links.append(Link(one.claim, None))
            continue
        verdict, needed = one.test()
        links.append(Link(one.claim, verdict, needed, one.suspect))
        ended = links[-1].state is State.BROKEN
    return tuple(links)


@dataclass(frozen=True, slots=True)
class Direction:
    """The way of packets from one end to the other.

    Attributes:
        source: where they come from.
        target: where they go to.
        prefixes: which of the target's prefixes they go to: of the families that both ends have.
        by_hand: whether the way is a route made by hand, as one of the zones exchanges none.
    """

    source: End
    target: End
    prefixes: tuple[str, ...]
    by_hand: bool
    links: tuple[Link, ...]

    @property
    def broken(self) -> Link | None:
        """Where it ends."""
        return self._first(State.BROKEN)

    @property
    def flawed(self) -> tuple[Link, ...]:
        """What is not as it should be."""
        return tuple(one for one in self.links if one.state is State.FLAWED)

    @property
    def unseen(self) -> tuple[Link, ...]:
        """What could not be looked at."""
        return tuple(one for one in self.links if one.state is State.UNSEEN)

    def _first(self, state: State) -> Link | None:
        return next((one for one in self.links if one.state is state), None)


@dataclass(frozen=True, slots=True)
class Way:
    """Both directions between two subnets: whatever is asked needs an answer."""

    there: Direction
    back: Direction

    @property
    def directions(self) -> tuple[Direction, Direction]:
        """There, and back."""
        return self.there, self.back
