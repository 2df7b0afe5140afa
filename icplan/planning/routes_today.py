"""The routes of the file as they are today: where they lead, and whether they do. Plans nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.core.io import Unreadable
from icplan.core.state import Absent, Declared, Desired, Observed, Present
from icplan.core.value import Attributes, Known
from icplan.kinds import manual_route
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.registered import owners
from icplan.ovn.prefix import sort_key


@dataclass(frozen=True, slots=True)
class RouteToday:
    """A route that the file asks for, or that bears its mark.

    Attributes:
        zone: the zone that has it, or should.
        prefix: what it leads to.
        to: the zone whose prefix that is; empty where nobody says.
        switch: the transit switch that it leads over; empty of a row that is there once too often.
        next_hop: where it leads today; empty when it is not there, or nobody could look.
        trouble: why it does not serve; empty when it does.
        seen: whether somebody could look.
    """

    zone: str
    prefix: str
    to: str
    switch: str
    next_hop: str
    trouble: str
    seen: bool

    @property
    def live(self) -> bool | None:
        """Whether packets are led to the zone; None when nobody could look."""
        return not self.trouble if self.seen else None


def routes_today(view: View) -> tuple[RouteToday, ...]:
    """All of them, by zone, prefix and switch."""
    wanted, there = manual_route.desired(view), manual_route.observed(view)
    holders, passed = owners(view.facts), _passed(view)
    found = [
        _route(one.site, *manual_route.place(one), wanted.get(one), state, holders, passed)
        for one, state in there.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.zone, sort_key(one.prefix), one.switch)))


def _route(
    zone: str,
    prefix: str,
    switch: str,
    wanted: Desired | None,
    state: Observed,
    holders: Mapping[str, set[str]],
    passed: Mapping[str, set[str]],
) -> RouteToday:
    meant = wanted.attributes if isinstance(wanted, Declared) else {}
    there = state.attributes if isinstance(state, Present) else {}
    to = _text(meant, manual_route.TO) or _text(there, manual_route.TO)
    hop = _text(there, manual_route.HOP)
    if isinstance(state, Unreadable):
        trouble = "unseen"
    elif isinstance(state, Absent):
        trouble = "not there"
    elif manual_route.POLICY in there:
        trouble = "matches where packets come from"
    else:
        trouble = _trouble(to, prefix, hop, holders, passed.get(zone))
    return RouteToday(zone, prefix, to, switch, hop, trouble, not isinstance(state, Unreadable))


def _text(attributes: Attributes, key: str) -> str:
    value = attributes.get(key)
    return str(value.value) if isinstance(value, Known) else ""


def _trouble(
    to: str, prefix: str, hop: str, holders: Mapping[str, set[str]], passed: set[str] | None
) -> str:
    held = sorted(holders.get(hop, ()))
    if not held:
        return "nobody has that address"
    if to not in held:
        return f"it is the address of {' and '.join(held)}"
    if passed is not None and prefix not in passed:
        return "no policy lets it pass"
    return ""


def _passed(view: View) -> dict[str, set[str]]:
    """What policies let pass in Kube-OVN zones, whose own ones would send it elsewhere."""
    return {
        zone.name: {
            policy.allowed
            for router in view.facts.northbound[zone.name].routers_named(zone.router)
            for policy in view.facts.northbound[zone.name].policies_of(router)
            if policy.allowed is not None
        }
        for zone in zones.declared(view.spec)
        if zone.kube_ovn and zone.name in view.facts.northbound
    }
