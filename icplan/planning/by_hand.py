"""Routes that people made by hand, and what of them leads nowhere after a plan. Writes none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from icplan.core.change import Effect, Impact
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.registered import addresses
from icplan.kinds.common.transit_address import bare
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import StaticRoute
from icplan.ovn.prefix import ordered


def routes(facts: Facts) -> Iterator[tuple[str, StaticRoute]]:
    """Each zone's static routes that ovn-ic did not make."""
    for zone, seen in sorted(facts.northbound.items()):
        for route in seen.static_routes.values():
            if not route.learned:
                yield zone, route


class ByHand:
    """The routes by hand of a view, to be asked what breaks them.

    Args:
        view: the file and the facts.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._declared = {one.name for one in view.spec.interconnect.availability_zones}
        self._by_hop: dict[str, dict[str, list[str]]] = {}
        for zone, route in routes(view.facts):
            of_hop = self._by_hop.setdefault(bare(route.nexthop), {})
            of_hop.setdefault(zone, []).append(route.prefix)

    def broken(self, effects: Sequence[Effect]) -> Iterator[Effect]:
        """What the zones lose whose routes by hand lead to addresses that are given up.

        Such routes survive whatever becomes of the zone that they lead to, and its address does
        not (domain facts section 7, recorded): nobody but their author puts them right.
        """
        for effect in effects:
            for address in effect.gives_up:
                for zone, prefixes in sorted(self._by_hop.get(address, {}).items()):
                    if zone != effect.zone:
                        yield self._lost(zone, ordered(prefixes), address, effect.zone)
            if effect.gives_up:
                yield from self._left_out(effect)

    def _lost(self, zone: str, prefixes: tuple[str, ...], address: str, owner: str) -> Effect:
        listed = ", ".join(prefixes[:3])
        listed += f" and {len(prefixes) - 3} more" if len(prefixes) > 3 else ""
        lead, are = ("leads", "it is") if len(prefixes) == 1 else ("lead", "they are")
        # Of a zone that is not in the file it is not known whether it is rebuilt.
        keeps = "does not keep" if owner in self._declared else "may not keep"
        return Effect(
            zone,
            Impact.OUTAGE,
            f"{listed} by hand in {zone} over {address} of {owner} {lead} nowhere until {are} "
            f"rewritten: {owner} {keeps} that address",
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
