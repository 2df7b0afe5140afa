"""Which zones reach each other today, by what they registered. Predicts nothing."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.ovn.facts import Facts


@dataclass(frozen=True, slots=True)
class Reachability:
    """The transit switches that each zone is on; two zones on one switch are a pair.

    Attributes:
        switches: by zone.
        known: whether the interconnection databases were read at all.
    """

    switches: dict[str, frozenset[str]]
    known: bool = True

    def peers(self, zone: str) -> tuple[str, ...]:
        """The zones that a zone shares a switch with, by name."""
        mine = self.switches.get(zone, frozenset())
        return tuple(
            other for other, theirs in self.switches.items() if other != zone and mine & theirs
        )

    def pairs(self) -> int:
        """How many pairs there are."""
        return sum(len(self.peers(zone)) for zone in self.switches) // 2


def today(facts: Facts) -> Reachability:
    """The pairs of today. A zone counts when it has published a port and advertises routes."""
    ic = facts.ic_southbound
    if ic is None:
        return Reachability({}, known=False)
    advertising = {route.zone for route in ic.routes}
    switches: dict[str, set[str]] = {}
    for port in ic.ports:
        if port.zone in advertising:
            switches.setdefault(port.zone, set()).add(port.transit_switch)
    return Reachability({zone: frozenset(switches[zone]) for zone in sorted(switches)})
