"""Routes over transit switches that ovn-ic did not make, and what a plan breaks of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from icplan.core.address import Address
from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.value import Known
from icplan.core.words import FEW, listed
from icplan.kinds import manual_route
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.registered import addresses
from icplan.kinds.common.transit_address import bare
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import StaticRoute
from icplan.ovn.prefix import ordered


def routes(facts: Facts) -> Iterator[tuple[str, StaticRoute]]:
    """Each zone's static routes that ovn-ic did not make, those of the file included."""
    for zone, seen in sorted(facts.northbound.items()):
        for route in seen.static_routes.values():
            if not route.learned:
                yield zone, route


def moved(change: Change) -> tuple[str, str, str] | None:
    """Zone, prefix and next hop of a route that a change takes from where it leads; or None."""
    hop = (change.before or {}).get(manual_route.HOP)
    if change.address.kind != manual_route.NAME or not isinstance(hop, Known):
        return None
    return change.address.site, manual_route.place(change.address)[0], str(hop.value)


def untouched(facts: Facts, changes: Sequence[Change]) -> Iterator[tuple[str, str, str]]:
    """Zone, prefix and next hop of each of those routes that no change is about."""
    changed = {moved(change) for change in changes}
    for zone, route in routes(facts):
        found = (zone, route.prefix, bare(route.nexthop))
        if found not in changed:
            yield found


class ByHand:
    """The routes of a view that people made, and those of the file, to be asked what breaks them.

    Args:
        view: the file and the facts.
        changes: those of a plan: what it changes of routes is no matter for a person.
        wave_of: the numbers of their waves.
    """

    def __init__(
        self, view: View, changes: Sequence[Change], wave_of: Mapping[Address, int]
    ) -> None:
        self._view = view
        self._wave_of = wave_of
        self._declared = {one.name for one in view.spec.interconnect.availability_zones}
        self._by_hop: dict[str, dict[str, list[str]]] = {}
        self._ours: dict[str, list[Change]] = {}
        self._made: dict[str, list[Address]] = {}
        for change in changes:
            if change.address.kind == manual_route.NAME and change.action is Action.CREATE:
                target = (change.after or {}).get(manual_route.TO)
                ends = {change.address.site, str(target.value) if isinstance(target, Known) else ""}
                for zone in ends:
                    self._made.setdefault(zone, []).append(change.address)
            if (route := moved(change)) is not None:
                self._ours.setdefault(route[2], []).append(change)
        for zone, prefix, hop in untouched(view.facts, changes):
            self._by_hop.setdefault(hop, {}).setdefault(zone, []).append(prefix)

    def told(self, change: Change, effects: Sequence[Effect]) -> Iterator[Effect]:
        """The effects of a change, with the waves in which routes of the file put them right.

        What only a few packets feel that follow learned routes cuts such a route off for that long.
        """
        for effect in effects:
            sentence, impact = effect.sentence, effect.impact
            if rewritten := self._led_there(effect, self._wave_of[change.address]):
                sentence += f", so {self._listed(rewritten)} rewritten in {self._when(rewritten)}"
                impact = Impact.OUTAGE
            if gone := self._led_there(effect, self._wave_of[change.address], to_go=True):
                sentence += f", so {self._listed(gone)} of no use until {self._when(gone)}"
                impact = Impact.OUTAGE
            if effect.by_file and (made := self._made.get(effect.zone)):
                sentence += f"; {self._listed(made)} made in {self._when(made)}"
            yield replace(effect, sentence=sentence, impact=impact)

    def _led_there(self, effect: Effect, wave: int, *, to_go: bool = False) -> list[Address]:
        """Routes that lead to what a zone gives up in a wave, and are rewritten or go later on."""
        return sorted(
            change.address
            for address in effect.gives_up
            for change in self._ours.get(address, ())
            if change.address.site != effect.zone
            and (change.action is Action.DELETE) is to_go
            and manual_route.HOP in change.differing
            and (self._wave_of[change.address] > wave or not to_go)
        )

    def _listed(self, routes: Sequence[Address]) -> str:
        more = f" and {len(routes) - 1} more are" if routes[1:] else " is"
        return f"{routes[0]}{more}"

    def _when(self, routes: Sequence[Address]) -> str:
        waves = sorted({self._wave_of[one] for one in routes})
        if len(waves) == 1:
            return f"wave {waves[0]}"
        return f"waves {waves[0]} {'to' if waves[2:] else 'and'} {waves[-1]}"

    def broken(self, effects: Sequence[Effect]) -> Iterator[Effect]:
        """What the zones lose whose routes by hand lead to addresses that are given up.

        Such routes survive whatever becomes of the zone that they lead to, and its address does
        not (docs/facts.md section 7, recorded): nobody but their author puts them right.
        """
        for effect in effects:
            for address in effect.gives_up:
                for zone, prefixes in sorted(self._by_hop.get(address, {}).items()):
                    if zone != effect.zone:
                        yield self._lost(zone, ordered(prefixes), address, effect.zone)
            if effect.gives_up:
                yield from self._left_out(effect)

    def _lost(self, zone: str, prefixes: tuple[str, ...], address: str, owner: str) -> Effect:
        lead, are = ("leads", "it is") if len(prefixes) == 1 else ("lead", "they are")
        # Of a zone that is not in the file it is not known whether it is rebuilt.
        keeps = "does not keep" if owner in self._declared else "may not keep"
        return Effect(
            zone,
            Impact.OUTAGE,
            f"{listed(prefixes, FEW)} by hand in {zone} over {address} of {owner} {lead} nowhere "
            f"until {are} rewritten: {owner} {keeps} that address",
            prefixes,
            towards=(owner,),
        )

    def _left_out(self, effect: Effect) -> Iterator[Effect]:
        """Zones that are not looked at, and that have no routes but such."""
        for zone in zones.left_out(self._view.spec):
            if zone.name == effect.zone or zone.automatic(self._view.spec):
                continue
            if addresses(self._view, zone.name):
                yield Effect(
                    zone.name,
                    Impact.OUTAGE,
                    f"{zone.name}, which is left out, has no routes but those made by hand: what "
                    f"leads over {', '.join(effect.gives_up)} of {effect.zone} leads nowhere until "
                    f"it is rewritten: {effect.zone} does not keep its addresses",
                    towards=(effect.zone,),
                )
