"""What the interconnection databases show of zones that are left out. No rule lives here."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.kinds.common import zones
from icplan.ovn.interconnect import Gateway
from icplan.ovn.prefix import ordered
from icplan.ovn.routes import Candidate
from icplan.ovn.subnets import is_prefix
from icplan.planning.rules.contract import Seen


def advertised(seen: Seen) -> Iterator[tuple[zones.DeclaredZone, Candidate]]:
    """The prefixes that they advertise; what they withhold is not seen."""
    ic = seen.facts.ic_southbound
    routes = ic.routes if ic else ()
    for zone in zones.left_out(seen.spec):
        for prefix in ordered({one.prefix for one in routes if one.zone == zone.name}):
            if is_prefix(prefix):
                yield zone, Candidate(prefix, "advertised today")


def gateways(seen: Seen) -> Iterator[tuple[zones.DeclaredZone, Gateway]]:
    """The hosts that they offer as gateways."""
    ic = seen.facts.ic_southbound
    for zone in zones.left_out(seen.spec):
        yield from ((zone, one) for one in (ic.gateways if ic else ()) if one.zone == zone.name)
