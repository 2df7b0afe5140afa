"""What a manual route's change does to traffic. What breaks the route is told by what does it."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action, Change, Effect, Impact, Reason
from icplan.core.value import Attributes, Known, Later
from icplan.kinds.common import zones
from icplan.kinds.common.contract import MARK, View
from icplan.kinds.manual_route.state import HOP, SWITCH, TO, place


def effects(change: Change, view: View) -> Iterator[Effect]:
    """A prefix is reached, by another way, or no longer."""
    zone = change.address.site
    prefix, switch = place(change.address)
    over = f" over {switch}" if switch else ""
    before, after = (_text(one, TO) for one in (change.before, change.after))
    if change.action is Action.DELETE:
        yield _loss(change, view, prefix, switch)
    elif change.before is None or change.after is None:
        sentence = f"{zone} reaches {prefix} of {after}{over}"
        yield Effect(zone, Impact.NONE, sentence, (prefix,), towards=(after,))
    elif before and before != after:
        sentence = f"what {zone} sends to {prefix}{over} goes to {after} instead of {before}"
        yield Effect(zone, Impact.BRIEF, sentence, (prefix,), towards=(before, after))
    elif HOP in change.differing:
        hop = _text(change.after, HOP)
        by = "the address that it has then" if isinstance(change.after.get(HOP), Later) else hop
        sentence = f"{zone} reaches {prefix} of {after}{over} by {by}"
        yield Effect(zone, Impact.NONE, sentence, (prefix,), towards=(after,))


def _loss(change: Change, view: View, prefix: str, switch: str) -> Effect:
    zone, target = change.address.site, _text(change.before, TO)
    of = f"{prefix} of {target}" if target else prefix
    towards = (target,) if target else ()
    if change.reason is Reason.ADVERTISED:
        until = "any more" if _never_learned(view, target) else "until it has learned it"
        sentence = (
            f"{zone} does not reach {of} {until}: a route by hand must be gone before its zone "
            "advertises"
        )
        return Effect(zone, Impact.OUTAGE, sentence, (prefix,), towards=towards)
    if not switch:
        sentence = f"{zone} has a route to {of} once too often, or one that somebody altered"
        return Effect(zone, Impact.NONE, sentence, (prefix,), towards=towards)
    others = _other_ways(change, view, prefix, switch)
    if others:
        sentence = f"{zone} reaches {of} over {others}; flows over {switch} move there"
        return Effect(zone, Impact.BRIEF, sentence, (prefix,), towards=towards)
    sentence = f"{zone} does not reach {of} any more"
    return Effect(zone, Impact.OUTAGE, sentence, (prefix,), leaves=False, towards=towards)


def _never_learned(view: View, target: str) -> bool:
    """Whether a zone is known not to advertise anything once the plan is carried out."""
    there = {one.name: one for one in zones.declared(view.spec)}
    zone = there.get(target)
    return zone is not None and not (zone.present and zone.automatic(view.spec))


def _other_ways(change: Change, view: View, prefix: str, switch: str) -> str:
    """The switches that stay, of a route over one that does not."""
    names = view.spec.interconnect.transit_switches.names
    zone = zones.find(view, change.address.site)
    if switch in names or zone.router is None:
        return ""
    there = {
        one.external_ids.get(SWITCH, "")
        for one in zone.northbound.routes_to(zone.router, prefix)
        if one.external_ids.get(MARK) == view.owner
    }
    return ", ".join(name for name in names if name in there)


def _text(attributes: Attributes | None, name: str) -> str:
    match (attributes or {}).get(name):
        case Known(str(value)):
            return value
        case Later(reference=reference):
            return reference
    return ""
