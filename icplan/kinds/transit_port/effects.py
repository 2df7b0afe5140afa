"""What a change of a transit port does to traffic, seen from its zone."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.value import plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.ovn.attachment import attachments


def effects(change: Change, view: View) -> Iterator[Effect]:
    """What a port's change does to traffic; the gaps were measured with OVN 23.03.1."""
    zone, switch = change.address.site, change.address.name
    if change.action is Action.DELETE:
        yield _loss(view, zone, switch)
        return
    if change.before is None:
        yield Effect(zone, Impact.NONE, f"{zone} gets a way to the other zones over {switch}")
        return
    differing = set(change.differing)
    if differing & {"router", "router-port", "switch-port"}:
        yield Effect(
            zone,
            Impact.OUTAGE,
            f"the port on {switch} is made anew: {zone} is cut off for 1 to 5 s",
        )
    elif differing & {"networks", "mac"}:
        yield Effect(
            zone,
            Impact.BRIEF,
            f"the other zones learn {zone}'s new {_new(differing)} on {switch}: a gap below 1 s",
        )
    if "gateways" in differing:
        yield _gateway_effect(change, zone, switch)


def _new(differing: set[str]) -> str:
    names = {"networks": "address", "mac": "MAC"}
    return " and ".join(word for name, word in names.items() if name in differing)


def _loss(view: View, zone: str, switch: str) -> Effect:
    seen = view.facts.northbound[zone]
    others = [
        name
        for name in view.spec.interconnect.transit_switches.names
        if name != switch and attachments(seen, name)
    ]
    leaving = any(not one.present and one.name == zone for one in zones.declared(view.spec))
    if others and not leaving:
        return Effect(
            zone,
            Impact.BRIEF,
            f"{zone} keeps {', '.join(others)}; flows over {switch} move there, a gap below 1 s",
        )
    return Effect(zone, Impact.OUTAGE, f"{zone} has no way to other zones any more", leaves=True)


def _gateway_effect(change: Change, zone: str, switch: str) -> Effect:
    before = plain(change.before or {}, "gateways")
    after = plain(change.after or {}, "gateways")
    active_before = before[0] if isinstance(before, tuple) and before else None
    active_after = after[0] if isinstance(after, tuple) and after else None
    if active_before == active_after:
        return Effect(
            zone, Impact.NONE, f"{active_after} stays active on {switch}; only the standby changes"
        )
    if active_before is None:
        return Effect(zone, Impact.NONE, f"{active_after} becomes active on {switch}")
    return Effect(
        zone,
        Impact.BRIEF,
        f"{active_after} takes {switch} over from {active_before}: a gap below 1 s",
    )
