"""Who serves a zone's ports today, and who will once its gateways change. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.gateways import replaced
from icplan.ovn.attachment import of_router


@dataclass(frozen=True, slots=True)
class Standing:
    """Who serves a zone's ports on the transit switches, as its own database tells it.

    Attributes:
        serving: the host by transit switch; without those that nobody is known to serve.
        silent: the hosts that serve nothing where they come before one that does. Their tunnels
            do not answer (BFD), or their ovn-controller has not claimed the port.
    """

    serving: Mapping[str, str]
    silent: frozenset[str]


def standing(view: View, name: str) -> Standing:
    """Who serves a zone's ports today; nothing is known of a zone that was not seen."""
    if view.facts.zone_unseen(name) is not None:
        return Standing({}, frozenset())
    zone = zones.find(view, name)
    north, south = zone.northbound, zone.southbound
    serving: dict[str, str] = {}
    silent: set[str] = set()
    switches = sorted({one.transit_switch for one in north.switches if one.transit_switch})
    for switch in switches:
        for found in of_router(north, switch, zone.declared.router)[:1]:
            bound = south.serving.get(found.router_port.name, "")
            places = {row.chassis: row.priority for row in found.gateways}
            # OVN does not look at the order of a port that has a group.
            if bound not in places or found.router_port.ha_chassis_group:
                continue
            serving[switch] = south.host_of(bound) or bound
            before = (row for row in found.gateways if row.priority > places[bound])
            silent |= {host for row in before if (host := south.host_of(row.chassis))}
    return Standing(serving, frozenset(silent - {*serving.values()}))


@dataclass(frozen=True, slots=True)
class Succession:
    """What another list of gateways does to a zone's port on one transit switch.

    Attributes:
        switch: the transit switch.
        old: who serves it today; empty when nobody is known to.
        new: who will serve it; empty when nobody is known to.
        instead_of: the first gateway of today, in whose place `old` serves; empty when it is that.
        after: the gateways afterwards, in order.
        silent: those of them that do not answer today.
        untried: those of them of which nobody knows whether they answer.
        goes: `old` is no gateway afterwards.
    """

    switch: str
    old: str
    new: str
    instead_of: str
    after: tuple[str, ...]
    silent: tuple[str, ...]
    untried: tuple[str, ...]
    goes: bool

    @property
    def lost(self) -> bool:
        """Whether the only gateway that serves is taken away, and none is known to follow it."""
        return bool(self.old) and not self.new

    @property
    def stands_by(self) -> bool:
        """Whether a gateway that is not the first one follows the one that goes.

        Told to go it hands over at once (measured: 0.1 to 0.2 s, with a dead first gateway).
        """
        return self.goes and bool(self.new) and self.after[0] in self.silent

    def sentence(self, zone: str, named: str) -> str:
        """What becomes of a port that its first gateway does not serve; empty for any other.

        Args:
            zone: the zone.
            named: how the port is called: the transit switch; nothing where it is the only one.
        """
        serves = f"{self.old} serves{_after(named)}{_after(self.instead_of, 'in the place of ')}"
        if self.lost:
            return f"{serves}, and goes: {self._why_lost(zone)}"
        if not self.instead_of:
            return ""
        if self.stands_by:
            return f"{serves}, and goes: {self.new} takes over"
        if self.new != self.old:
            return ""
        if self.after[0] == self.old:
            return f"{serves} already, and becomes the {'first' if self.after[1:] else 'only one'}"
        return f"{self.old} goes on serving{_after(named)} in the place of {self.after[0]}"

    def _why_lost(self, zone: str) -> str:
        whys = []
        if self.silent:
            whys.append(f"{_listed(self.silent)} {'do' if self.silent[1:] else 'does'} not answer")
        if self.untried:
            whys.append(f"nobody knows yet whether {_listed(self.untried)} will")
        one = len(self.silent) + len(self.untried) == 1
        until = "it does" if one else "one of them does"
        return f"{', and '.join(whys)}; {zone} is cut off until {until}"


def succession(
    now: Standing, switch: str, before: tuple[str, ...], after: tuple[str, ...]
) -> Succession:
    """What becomes of a zone's port on a transit switch.

    A gateway that stands by is taken for one that answers, as in any change of gateways, unless
    one behind it serves in its place. One that is new there has proven nothing: it follows the
    one that serves only where that stays until then.

    Args:
        now: who serves today.
        switch: the transit switch.
        before: the gateways of today in the order in which they are to serve it.
        after: those of afterwards; not empty.
    """
    told = now.serving.get(switch, "")
    old = told or (before[0] if before else "")
    instead_of = before[0] if told and before and before[0] in now.silent else ""
    answering = tuple(host for host in after if host not in now.silent)
    untried = tuple(host for host in answering if host not in before)
    goes = bool(told) and told not in after
    # Where no gateway stays, the old ones go once a new one serves.
    known = not goes or not before or replaced(before, after) or len(untried) < len(answering)
    new = answering[0] if answering and known else ""
    if not new and not told:
        new = after[0]
    return Succession(
        switch,
        old,
        new,
        instead_of,
        after,
        tuple(host for host in after if host in now.silent),
        untried,
        goes,
    )


def _after(name: str, words: str = "") -> str:
    return f" {words}{name}" if name else ""


def _listed(names: tuple[str, ...]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} and {last}" if rest else last
