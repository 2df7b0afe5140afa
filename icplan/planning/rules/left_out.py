"""What the interconnection databases show of zones that are not looked at. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.kinds.common import zones
from icplan.kinds.common.transit_switches import undeclared
from icplan.ovn.interconnect import Gateway
from icplan.planning.rules.contract import Seen


def gateways(seen: Seen) -> Iterator[tuple[str, zones.DeclaredZone | None, Gateway]]:
    """The hosts that zones offer as gateways which are left out or which the file does not name.

    By name those of the file; None stands for what it does not name.
    """
    ic = seen.facts.ic_southbound
    unplanned: dict[str, zones.DeclaredZone | None] = {
        zone.name: zone for zone in zones.left_out(seen.spec)
    }
    unplanned |= dict.fromkeys(undeclared(seen.view))
    for one in ic.gateways if ic else ():
        if one.zone in unplanned:
            yield one.zone, unplanned[one.zone], one
