"""What becomes of a pair of zones for good: who still leads to whom once all is done. Pure.

Packets need a way there and one back. What happens on the way to the end is told by the effects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property

from icplan.core.address import Address
from icplan.core.change import Change, Effect, Impact
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.registered import owners
from icplan.kinds.common.routed import pairs
from icplan.ovn.prefix import Prefixes
from icplan.planning import by_hand
from icplan.planning.reachability import Reachability

ANYTHING = ("0.0.0.0/0", "::/0")
"""What a route of the file leads to of which nobody knows what it means."""


class Outcome(StrEnum):
    """What becomes of a pair that suffers an outage, the worst first."""

    CUT_OFF = "cut off for good"
    ONE_WAY = "one way only, without answers"
    """One of the two has no route to the other any more."""
    REDUCED = "interrupted, some subnets lost"
    INTERRUPTED = "interrupted"
    SUBNETS_LOST = "some subnets lost"


SEVERITY = tuple(Outcome)


class Prospect:
    """The pairs of zones before a plan and after it.

    Args:
        view: the file and the facts.
        changes: those of the plan.
        told: their effects, by change.
        today: who reaches whom.
    """

    def __init__(
        self,
        view: View,
        changes: Sequence[Change],
        told: Mapping[Address, Sequence[Effect]],
        today: Reachability,
    ) -> None:
        self._view = view
        self._changes = changes
        self._today = today
        denied: dict[str, list[str]] = {}
        out: set[str] = set()
        self._more: dict[str, list[str]] = {}
        for effects in told.values():
            for one in effects:
                self._more.setdefault(one.zone, []).extend(one.offers)
                if one.leaves and one.impact is Impact.OUTAGE:
                    out.add(one.zone)
                # An effect towards certain zones is of routes by hand, which nobody withholds.
                if one.impact is Impact.OUTAGE and one.prefixes and not one.towards:
                    denied.setdefault(one.zone, []).extend(one.prefixes)
        self._out = frozenset(out)
        self._denied = {zone: Prefixes(prefixes) for zone, prefixes in denied.items()}

    def outcome(self, zone: str, peer: str, outages: Sequence[Effect]) -> Outcome:
        """What becomes of a pair, by the outages of one of its zones that concern the other.

        A route by hand that somebody must rewrite counts as one that stays: apply waits for it.
        """
        ways = ((zone, peer), (peer, zone))
        leaves = {zone, peer} & self._leaving
        stays = [self._stays(*way) for way in ways]
        lost = any(
            not there and self._today.reached(*way) for way, there in zip(ways, stays, strict=True)
        )
        if leaves or (lost and not any(stays)):
            return Outcome.CUT_OFF
        if lost:
            return Outcome.ONE_WAY
        return self._passing(outages, any(self._shrinks(*way) for way in ways))

    def unseen(self, zone: str, outages: Sequence[Effect]) -> Outcome:
        """What becomes of a zone's pairs when nobody knows which those are."""
        others = [one.name for one in zones.declared(self._view.spec) if one.name != zone]
        kept = any(self._stays(zone, one) and self._stays(one, zone) for one in others)
        ends = any(one.by_file for one in outages) and not kept
        if ends or zone in self._leaving:
            return Outcome.CUT_OFF
        return self._passing(outages, shrinks=False)

    def _passing(self, outages: Sequence[Effect], shrinks: bool) -> Outcome:
        if all(one.prefixes for one in outages):
            return Outcome.SUBNETS_LOST
        return Outcome.REDUCED if shrinks else Outcome.INTERRUPTED

    def _stays(self, source: str, target: str) -> bool:
        """Whether something leads from a zone to another one in the end."""
        if {source, target} & self._leaving:
            return False
        if self._learns(source, target):
            denied = self._denied_between(source, target)
            offered = (*self._today.offered.get(target, ()), *self._more.get(target, ()))
            if not offered or not all(_contain(denied, one) for one in offered):
                return True
        return bool(self._by_file.get((source, target)) or self._kept.get((source, target)))

    def _shrinks(self, source: str, target: str) -> bool:
        """Whether a zone reaches something of another one today, and not in the end."""
        denied = self._denied_between(source, target)
        learns = self._learns(source, target)
        if learns and not denied:
            return False
        way = (source, target)
        led = Prefixes((*self._by_file.get(way, ()), *self._kept.get(way, ())))
        return any(
            not led.contain(one) and not (learns and not _contain(denied, one))
            for one in self._today.reached(*way)
        )

    def _denied_between(self, source: str, target: str) -> tuple[Prefixes, ...]:
        """What one of two zones withholds from the other, or does not learn of it, from now on."""
        return tuple(self._denied[one] for one in (source, target) if one in self._denied)

    def _learns(self, source: str, target: str) -> bool:
        return {source, target} <= self._exchanging

    @cached_property
    def _leaving(self) -> frozenset[str]:
        """The zones that are in no interconnection in the end."""
        spec = self._view.spec
        absent = {one.name for one in zones.declared(spec) if not one.present}
        return self._out.union(zones.gone(spec), absent)

    @cached_property
    def _exchanging(self) -> frozenset[str]:
        """The zones that advertise and learn routes in the end.

        What the plan does not touch does what it does today.
        """
        spec, facts = self._view.spec, self._view.facts
        there = {
            one.name: one.present and one.automatic(spec)
            for one in zones.declared(spec)
            if (facts.unplannable if one.kube_ovn else facts.zone_unseen)(one.name) is None
        }
        untouched = self._today.switches.keys() - there.keys() - self._leaving
        return frozenset(untouched | {name for name, exchanges in there.items() if exchanges})

    @cached_property
    def _by_file(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """What the file routes, from zone to zone; of a zone that is left out, whatever it says."""
        spec = self._view.spec
        found = {
            (one.source.name, one.target.name): (*one.prefixes, *(ANYTHING if one.open else ()))
            for one in pairs(self._view)
        }
        for route in spec.interconnect.routes:
            if route.from_ in spec.without:
                found[route.from_, route.to] = ANYTHING
        return found

    @cached_property
    def _kept(self) -> Mapping[tuple[str, str], list[str]]:
        """What routes by hand lead to, from zone to zone, that the plan does not touch."""
        known = owners(self._view.facts)
        found: dict[tuple[str, str], list[str]] = {}
        for site, prefix, hop in by_hand.untouched(self._view.facts, self._changes):
            for owner in known.get(hop, set()) - {site}:
                found.setdefault((site, owner), []).append(prefix)
        return found


def _contain(several: Sequence[Prefixes], prefix: str) -> bool:
    return any(one.contain(prefix) for one in several)
