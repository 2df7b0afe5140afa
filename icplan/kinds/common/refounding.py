"""Zones that are interconnected while their IC databases are to begin anew. Founds none."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Effect, Impact
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.places import declared_place, place_of
from icplan.kinds.common.residue import learned


def interconnected(view: View) -> dict[str, str]:
    """The zones that show that there have been IC databases where there are none, and by what.

    Of a Kube-OVN zone it is its ConfigMap: its name in OVN stays when it leaves, and with some
    controllers so do its learned routes (docs/facts.md section 3).
    """
    if not view.facts.ic_absent or view.spec.destroyed:
        return {}
    signs = {zone.name: _sign(view, zone) for zone in zones.declared(view.spec)}
    return {name: sign for name, sign in signs.items() if sign}


def _sign(view: View, zone: zones.DeclaredZone) -> str:
    if zone.kube_ovn:
        cluster = view.facts.clusters.get(zone.name)
        config = cluster.config if cluster else None
        if config is None or config.data.get(ENABLE) == "false":
            return ""
        named = place_of(config.data).shares(declared_place(view.spec))
        return f"the ConfigMap of {zone.name} names them" if named else ""
    seen = view.facts.northbound.get(zone.name)
    if seen is None or not seen.name:
        return ""
    if routes := len(learned(seen, zone.router)):
        return f"{zone.name} holds {routes} learned route{'s' if routes > 1 else ''}"
    copies = sorted(one.transit_switch for one in seen.switches if one.transit_switch)
    return f"{zone.name} has the switch {', '.join(copies)}" if copies else ""


def refounded(view: View) -> Iterator[Effect]:
    """What databases that begin anew do to interconnected plain zones.

    While the old ones are away everything stays as it is; ovn-ic then takes away what it does not
    find in the new ones, at the moment at which it finds them. How much that is depends on how
    early it comes: mostly nothing (measured). Of Kube-OVN zones the set of switches tells it.
    """
    shown = interconnected(view)
    for zone in zones.declared(view.spec):
        if zone.name in shown and not zone.kube_ovn:
            yield Effect(
                zone.name,
                Impact.OUTAGE,
                f"{zone.name} is interconnected, and may be cut off from all other zones: its "
                "ovn-ic takes away what it does not find in the new databases, until all zones "
                "are registered there again",
            )
