"""Unites the effects of single changes over the whole plan: who is cut off from whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from icplan.core.address import Address
from icplan.core.change import Change, Effect, Impact
from icplan.kinds import kind_of
from icplan.kinds.common.contract import View
from icplan.planning.by_hand import ByHand
from icplan.planning.prospect import SEVERITY, Outcome, Prospect
from icplan.planning.reachability import Reachability


@dataclass(frozen=True, slots=True)
class PairGroup:
    """A zone against all zones with the same outcome; pairs are never listed one by one.

    Attributes:
        zone: the zone whose changes cause it.
        peers: the zones that it reaches today, as far as its changes concern them.
        outcome: what becomes of these pairs.
    """

    zone: str
    peers: tuple[str, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Consequences:
    """What users will feel.

    Attributes:
        effects: by change; an outage of a zone that reaches nobody today is none.
        harmed: the changes that interrupt a zone, whether or not anybody feels it today, by zone.
        groups: the pairs that suffer an outage, by zone, the worst outcome first.
        disrupted: the zones with an outage.
        pairs_hit: how many pairs suffer one.
        pairs: how many pairs there are today.
    """

    effects: Mapping[Address, tuple[Effect, ...]]
    harmed: Mapping[str, tuple[Change, ...]]
    groups: tuple[PairGroup, ...]
    disrupted: tuple[str, ...]
    pairs_hit: int
    pairs: int

    @property
    def disruptive(self) -> frozenset[Address]:
        """The changes that somebody feels."""
        return frozenset(
            address
            for address, effects in self.effects.items()
            if any(effect.impact is Impact.OUTAGE for effect in effects)
        )


def consequences(
    changes: Sequence[Change],
    view: View,
    reachability: Reachability,
    wave_of: Mapping[Address, int],
) -> Consequences:
    """What all changes together do, in their own zones and in others."""
    by_hand = ByHand(view, changes, wave_of)
    told: dict[Address, tuple[Effect, ...]] = {}
    for change in changes:
        own = tuple(by_hand.told(change, tuple(kind_of(change.address.kind).effects(change, view))))
        told[change.address] = (*own, *by_hand.broken(own))
    effects = {
        address: tuple(_felt(effect, reachability) for effect in own)
        for address, own in told.items()
    }
    worst: dict[str, list[Effect]] = {}
    for own in effects.values():
        for effect in own:
            if effect.impact is Impact.OUTAGE:
                worst.setdefault(effect.zone, []).append(effect)
    prospect = Prospect(view, changes, told, reachability)
    groups = tuple(
        group
        for zone, outages in sorted(worst.items())
        for group in _groups(zone, outages, reachability.peers(zone), prospect)
    )
    hit = {frozenset({group.zone, peer}) for group in groups for peer in group.peers}
    return Consequences(
        effects,
        _harmed(changes, told),
        groups,
        tuple(sorted(worst)),
        len(hit),
        reachability.pairs(),
    )


def _harmed(
    changes: Sequence[Change], told: Mapping[Address, tuple[Effect, ...]]
) -> dict[str, tuple[Change, ...]]:
    harmed: dict[str, dict[Address, Change]] = {}
    for change in changes:
        for effect in told[change.address]:
            if effect.impact is not Impact.NONE:
                harmed.setdefault(effect.zone, {})[change.address] = change
    return {zone: tuple(by.values()) for zone, by in sorted(harmed.items())}


def _felt(effect: Effect, reachability: Reachability) -> Effect:
    """Nobody feels the outage of a zone that is known to reach nobody."""
    unfelt = reachability.known and not reachability.peers(effect.zone)
    if effect.impact is Impact.NONE or not unfelt:
        return effect
    sentence = f"{effect.sentence} (it reaches no other zone today)"
    return replace(effect, impact=Impact.NONE, sentence=sentence)


def _groups(
    zone: str, outages: Sequence[Effect], reached: Sequence[str], prospect: Prospect
) -> Iterator[PairGroup]:
    """Those of the zones that one reaches which its outages are about, by what becomes of them."""
    found: dict[Outcome, list[str]] = {}
    for peer in reached:
        concerned = [one for one in outages if not one.towards or peer in one.towards]
        if concerned:
            found.setdefault(prospect.outcome(zone, peer, concerned), []).append(peer)
    for outcome in SEVERITY:
        if outcome in found:
            yield PairGroup(zone, tuple(found[outcome]), outcome)
    if not found:
        yield PairGroup(zone, (), prospect.unseen(zone, outages))
