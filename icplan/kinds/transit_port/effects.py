"""What a change of a transit port does to traffic, seen from its zone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.value import Attributes, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.gateways import BFD_GAP, begins_bfd, replaced
from icplan.kinds.common.succession import standing, succession
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.transit_evidence import sharing
from icplan.kinds.transit_port.state import EQUAL, GONE, GROUP
from icplan.ovn.attachment import attachments
from icplan.ovn.prefix import family, normal, ordered
from icplan.ovn.routes import advertised


def effects(change: Change, view: View) -> Iterator[Effect]:
    """What a port's change does to traffic; the gaps were measured with OVN 23.03.1."""
    zone, switch = change.address.site, change.address.name
    if change.action is Action.DELETE:
        yield _loss(change, view)
        return
    if change.before is None:
        yield _gain(zone, switch, view)
        return
    differing, given_up = set(change.differing), _given_up(change)
    if "router" in differing and (effect := _other_router(change, view)):
        yield effect
    if differing & {"router", "router-port", "switch-port"}:
        yield Effect(
            zone,
            Impact.OUTAGE,
            f"the port on {switch} is made anew: {zone} is cut off for 1 to 5 s",
            gives_up=given_up,
        )
    elif effect := _leaves_subnet(change, view):
        yield replace(effect, gives_up=given_up)
    elif differing & {"networks", "mac"}:
        yield Effect(
            zone,
            Impact.BRIEF,
            f"the other zones learn {zone}'s new {_new(differing)} on {switch}: a gap below 1 s"
            + _rivals(change, view),
            gives_up=given_up,
        )
    if "enabled" in differing and not differing & {"router", "router-port", "switch-port"}:
        yield Effect(zone, Impact.NONE, f"the port on {switch} carries traffic again")
    if "gateways" in differing and plain(change.after or {}, "gateways"):
        yield _gateway_effect(change, view)


def _given_up(change: Change) -> tuple[str, ...]:
    """The addresses that a port has before a change and not after it."""
    before, after = (
        {bare(network) for network in _networks(one)} for one in (change.before, change.after)
    )
    return tuple(sorted(before - after))


def _networks(attributes: Attributes | None) -> tuple[str, ...]:
    value = plain(attributes, "networks") if attributes else ()
    return value if isinstance(value, tuple) else ()


def _new(differing: set[str]) -> str:
    names = {"networks": "address", "mac": "MAC"}
    return " and ".join(word for name, word in names.items() if name in differing)


def _other_router(change: Change, view: View) -> Effect | None:
    """What the other zones lose for good when another router is connected."""
    zone = zones.find(view, change.address.site)
    before = zone.northbound.routers_named(str(plain(change.before or {}, "router")))
    if len(before) != 1 or zone.router is None:
        return None
    kept = advertised(zone.northbound, zone.router)
    lost = ordered({*advertised(zone.northbound, before[0])} - {*kept})
    if not lost:
        return None
    return Effect(
        zone.name,
        Impact.OUTAGE,
        f"the other zones lose {', '.join(lost)} of {zone.name} for good: "
        f"{zone.router.name} does not have them",
        lost,
    )


def _leaves_subnet(change: Change, view: View) -> Effect | None:
    """What becomes of a zone that leaves a subnet in which others are; None when none are.

    A next hop outside of a zone's own subnet is no way for it.
    """
    before, after = (plain(one or {}, "networks") for one in (change.before, change.after))
    ic = view.facts.ic_southbound
    if ic is None or not isinstance(before, tuple) or not isinstance(after, tuple):
        return None
    zone, switch = change.address.site, change.address.name
    left = {normal(one) for one in before} - {normal(one) for one in after}
    others = ", ".join(
        port.zone
        for port in ic.ports
        if port.zone != zone
        and port.transit_switch == switch
        and left & {normal(one) for one in port.networks}
    )
    if not others:
        return None
    if {family(one) for one in left} <= {family(one) for one in after}:
        sentence = f"{zone} moves to another subnet on {switch}: it is cut off from {others} until "
        return Effect(zone, Impact.OUTAGE, f"{sentence}both are there")
    subnets = ordered(left)
    if not _uses(view, zone, {family(one) for one in left}):
        sentence = f"{zone} gives {', '.join(subnets)} on {switch} up; nothing uses that family"
        return Effect(zone, Impact.NONE, sentence)
    sentence = f"{zone} gives {', '.join(subnets)} on {switch} up: what it exchanges with {others} "
    return Effect(zone, Impact.OUTAGE, f"{sentence}there ends", subnets)


def _uses(view: View, name: str, families: set[int]) -> bool:
    """Whether a zone offers or has learned any prefix of some families."""
    zone = zones.find(view, name)
    if zone.router is None:
        return True
    learned = [one.prefix for one in zone.northbound.routes_of(zone.router) if one.learned]
    offered = advertised(zone.northbound, zone.router)
    return any(family(prefix) in families for prefix in (*learned, *offered))


def _rivals(change: Change, view: View) -> str:
    """Why an address that looks good is given up."""
    networks = plain(change.before or {}, "networks")
    if view.facts.ic_southbound is None or not isinstance(networks, tuple):
        return ""
    zone, switch = change.address.site, change.address.name
    others = sharing(view.facts.ic_southbound, zone, switch, networks)
    return f"; {', '.join(others)} has the old address, too" if others else ""


def _gain(zone: str, switch: str, view: View) -> Effect:
    """A first way harms nobody; a further one draws flows to it (measured: 0.1 to 0.3 s)."""
    sentence = f"{zone} gets a way to the other zones over {switch}"
    if not _others(zone, switch, view):
        return Effect(zone, Impact.NONE, sentence)
    return Effect(zone, Impact.BRIEF, f"{sentence}; flows spread over it, a gap below 1 s")


def _others(zone: str, switch: str, view: View) -> list[str]:
    """The other transit switches on which a zone has a port."""
    seen = view.facts.northbound[zone]
    names = view.spec.interconnect.transit_switches.names
    return [name for name in names if name != switch and attachments(seen, name)]


def _loss(change: Change, view: View) -> Effect:
    zone, switch = change.address.site, change.address.name
    others = _others(zone, switch, view)
    leaving = any(not one.present and one.name == zone for one in zones.plain(view.spec))
    if others and not leaving:
        return Effect(
            zone,
            Impact.BRIEF,
            f"{zone} keeps {', '.join(others)}; flows over {switch} move there, a gap below 1 s",
            gives_up=_given_up(change),
        )
    return Effect(zone, Impact.OUTAGE, f"{zone} has no way to other zones any more", leaves=True)


def _gateway_effect(change: Change, view: View) -> Effect:
    zone, switch = change.address.site, change.address.name
    before = plain(change.before or {}, "gateways")
    after = plain(change.after or {}, "gateways")
    names = before if isinstance(before, tuple) else ()
    wanted = after if isinstance(after, tuple) else ()
    alive = tuple(one for one in names if not one.endswith((GONE, EQUAL)))
    if GROUP in alive:
        return Effect(
            zone,
            Impact.BRIEF,
            f"{wanted[0]} becomes active on {switch} in the place of whom the HA chassis group "
            "chose: a gap below 1 s",
        )
    there = tuple(one.removesuffix(EQUAL) for one in names if not one.endswith(GONE))
    one = succession(standing(view, zone), switch, there, wanted)
    begins = begins_bfd(alive, wanted)
    told = one.sentence(zone, switch)
    if one.lost:
        return Effect(zone, Impact.OUTAGE, told)
    if not one.old:
        return Effect(zone, Impact.NONE, f"{one.new} becomes active on {switch}")
    if one.old == one.new:
        stays = f"{one.new} stays active on {switch}"
        if begins:
            return Effect(zone, Impact.BRIEF, f"{stays}, with its first standby: {BFD_GAP}")
        return Effect(zone, Impact.NONE, told or f"{stays}; only the standby changes")
    last = "; the old gateways go once it serves" if replaced(alive, wanted) else ""
    gap = BFD_GAP if begins else "a gap below 1 s"
    takes = f"{one.new} takes {switch} over from {one.old}: {gap}{last}"
    return Effect(zone, Impact.BRIEF, f"{told}: {gap}" if told and one.stands_by else takes)
