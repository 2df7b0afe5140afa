"""The whole way between two subnets, there and back, out of a plan's facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.words import REPAIRED
from icplan.kinds.common.contract import Verdict
from icplan.kinds.common.evidence import verdict
from icplan.ovn.facts import NOT_ASKED
from icplan.planning.path import offering, taking
from icplan.planning.path.ends import End, Named, in_common, resolve
from icplan.planning.path.leg import Leg, evidence
from icplan.planning.path.links import (
    Direction,
    Link,
    Probe,
    Way,
    aside,
    over_switches,
    walk,
)
from icplan.planning.plan import Plan


def way(plan: Plan, ends: tuple[Named, Named]) -> Way:
    """Both directions between two ends.

    Raises:
        UsageError: a zone was read and has no such subnet, or the two have no family in common.
    """
    first, second = (resolve(plan.view, one) for one in ends)
    of_first, of_second = in_common(first, second)
    return Way(
        direction(plan, first, second, of_second),
        direction(plan, second, first, of_first),
    )


def direction(
    plan: Plan,
    source: End,
    target: End,
    prefixes: tuple[str, ...],
    *,
    thorough: bool = True,
) -> Direction:
    """The links of one direction.

    Args:
        plan: the file, and what was seen.
        source: where packets come from.
        target: where they go to.
        prefixes: of the target.
        thorough: also what no packet depends on; of thousands of zones it is much to look at.
    """
    leg = Leg(plan, source, target, prefixes)
    links = _unresolved(target) or walk(_probes(leg, thorough=thorough))
    return Direction(source, target, prefixes, leg.by_hand, links)


def _unresolved(target: End) -> tuple[Link, ...]:
    """The one link there is when the subnet's prefixes are not known."""
    if target.unseen is None:
        return ()
    return (Link(f"{target.zone.name} has a subnet {target.text}", target.unseen),)


def _probes(leg: Leg, *, thorough: bool) -> Iterator[Probe]:
    """From what the far zone was told to what the near zone does with its packets."""
    yield over_switches(
        "the interconnection has its transit switch", leg.switches, lambda one: _switch(leg, one)
    )
    yield from offering.probes(leg)
    yield from taking.probes(leg)
    for end in (leg.target, leg.source) if thorough else ():
        count, test = evidence(leg, end)
        yield aside(f"the other {count} pieces of evidence of {end.zone.name} are there", test)


def _switch(leg: Leg, name: str) -> Verdict:
    unseen, ic = leg.facts.ic_unseen(), leg.facts.ic_northbound
    if unseen is not None or ic is None:
        return unseen or NOT_ASKED
    there = any(one.name == name for one in ic.transit_switches)
    return verdict(there, f"there is no transit switch {name}", REPAIRED)
