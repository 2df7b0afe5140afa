"""What a change of the ConfigMap does, by the controller's generation (docs/facts.md section 3)."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.value import Attributes, plain
from icplan.core.words import FEW, listed
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ENABLE, REBUILD_SECONDS, described
from icplan.kinds.common.cycle import ports
from icplan.kinds.common.gateways import BFD_GAP, begins_bfd, replaced, rotated
from icplan.kinds.common.places import PLACE_KEYS, declared_place, elsewhere
from icplan.kinds.common.registered import addresses
from icplan.kinds.common.succession import Succession, standing, succession
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import CONTROLLER, Cluster
from icplan.ovn.generation import Generation

PLACE = PLACE_KEYS
"""The keys that say where the IC databases are."""
AUTO = "auto-route"
GATEWAYS = "gw-nodes"


def enabled(attributes: Attributes | None) -> bool:
    """Whether the controller holds the zone interconnected by such a ConfigMap.

    Only the exact text "false" disables: any other keeps an enabled zone enabled (measured).
    """
    return bool(attributes) and _text(attributes, ENABLE) != "false"


def effects(change: Change, view: View) -> Iterator[Effect]:
    """What users of the zone feel."""
    zone = zones.find_cluster(view, change.address.site)
    name, controller = zone.name, described(zone.cluster)
    if change.action is Action.DELETE:
        left = {
            Generation.OLD: "; what it has learned stays behind, and is taken away afterwards",
            Generation.UNKNOWN: "; what it has learned may stay behind, and is taken away then",
        }.get(zone.cluster.generation, "")
        yield Effect(
            name,
            Impact.OUTAGE,
            f"{controller} takes {name} out: its routes leave the other zones within seconds"
            + left,
            leaves=True,
        )
    elif not _joined(change, view):
        auto = _text(change.after, AUTO) == "true"
        routes = "it and the other zones learn each other's subnets" if auto else "no routes yet"
        sentence = f"{name} joins: {controller} makes its ports and addresses; {routes}"
        yield Effect(name, Impact.NONE, sentence, draws=True)
    elif {*change.differing} == {GATEWAYS}:
        yield _gateways(change, view, zone.cluster)
    elif change.differing:
        yield _rebuild(change, view, zone.cluster)


def _joined(change: Change, view: View) -> bool:
    """Whether the zone is interconnected by the ConfigMap that is there.

    By any other text than the two that the controller knows an enabled zone stays enabled, and
    one that is not fails to become so (docs/facts.md section 2): its ports tell which it was.
    """
    if not enabled(change.before):
        return False
    seen = view.facts.northbound.get(change.address.site)
    return _text(change.before, ENABLE) == "true" or seen is None or bool(ports(seen))


def _gateways(change: Change, view: View, cluster: Cluster) -> Effect:
    zone, given_up = change.address.site, addresses(view, change.address.site)
    rebuilt = (
        f"{zone} is cut off for {REBUILD_SECONDS} while it takes the interconnection down and "
        "builds it again, with new addresses"
    )
    match cluster.generation:
        case Generation.OLD:
            why = f"{described(cluster)} cannot change gateways in place: {rebuilt}"
        case Generation.UNKNOWN:
            why = (
                f"{described(cluster)} may be older than 1.15.24 or 1.16.3 and unable to change "
                f"gateways in place: then {rebuilt}"
            )
        case _:
            return _in_place(change, view)
    why += _lost(change, view)
    return Effect(zone, Impact.OUTAGE, why, gives_up=given_up, draws=True)


def _successions(change: Change, view: View) -> tuple[Succession, ...]:
    """On each switch; each begins with another gateway, by name, as the controller counts them.

    docs/facts.md section 4.
    """
    now = standing(view, change.address.site)
    before, after = nodes(change.before), nodes(change.after)
    return tuple(
        succession(now, switch, rotated(before, place), rotated(after, place))
        for place, switch in enumerate(sorted(view.spec.interconnect.transit_switches.names))
    )


def _told(zone: str, one: Succession, successions: tuple[Succession, ...]) -> str:
    """What becomes of a port that its first gateway does not serve; named among several."""
    return one.sentence(zone, one.switch if len(successions) > 1 else "")


def _lost(change: Change, view: View) -> str:
    """What becomes of a zone that gives up the only gateway that serves, however it is told."""
    zone, successions = change.address.site, _successions(change, view)
    return "".join(f"; {_told(zone, one, successions)}" for one in successions if one.lost)


def _in_place(change: Change, view: View) -> Effect:
    """One of several switches may get another gateway while the first gateway stays."""
    zone, before, after = change.address.site, nodes(change.before), nodes(change.after)
    successions = _successions(change, view)
    told = [words for one in successions if (words := _told(zone, one, successions))]
    if any(one.lost for one in successions):
        return Effect(zone, Impact.OUTAGE, f"changed in place: {'; '.join(told)}")
    moved = [one for one in successions if before and one.old != one.new]
    if moved:
        what = ", ".join(
            _told(zone, one, successions)
            or f"{one.new} takes {f'{one.switch} ' if len(successions) > 1 else ''}over from "
            f"{one.old}"
            for one in moved
        )
        last = "; the old ones go once the new ones serve" if replaced(before, after) else ""
        gap = BFD_GAP if begins_bfd(before, after) else "a gap below 1 s"
        sentence = f"changed in place: {what}, {gap}{last}; addresses are kept"
        return Effect(zone, Impact.BRIEF, sentence)
    names = list(dict.fromkeys(one.new for one in successions))
    verb = ("stays", "stay") if before else ("becomes", "become")
    what = "; ".join(told) or f"{', '.join(names)} {verb[len(names) > 1]} active"
    if begins_bfd(before, after):
        sentence = f"changed in place: {what}, with its first standby: {BFD_GAP}"
        return Effect(zone, Impact.BRIEF, f"{sentence}; addresses are kept")
    return Effect(zone, Impact.NONE, f"changed in place: {what}, addresses are kept")


def _rebuild(change: Change, view: View, cluster: Cluster) -> Effect:
    zone, differing = change.address.site, {*change.differing}
    how = "switches the interconnection off and on again" if differing & PLACE else "rebuilds it"
    sentence = (
        f"{zone} is cut off from all other zones while {described(cluster)} {how}, about "
        f"{REBUILD_SECONDS}; its addresses on the transit switches change"
    )
    # Only exactly "true" advertises and learns (docs/facts.md section 2).
    before, after = (_text(one, AUTO) == "true" for one in (change.before, change.after))
    if before and not after:
        sentence += "; afterwards it exchanges no routes"
    if after and not before:
        sentence += "; afterwards it and the other zones learn each other's subnets"
    if "az-name" in differing:
        # Read in the controller's source (docs/facts.md section 3).
        sentence += (
            f"; it registers anew as {_text(change.after, 'az-name')}, after which its "
            "ovn-controllers may need `ovn-appctl -t ovn-controller inc-engine/recompute`"
        )
    if differing & PLACE:
        sentence += _apart(zone, view)
        name = cluster.controller.name if cluster.controller else CONTROLLER
        sentence += (
            "; if the old IC database does not answer, it stays cut off until the pod of "
            f"{name} is restarted"
        )
    if GATEWAYS in differing:
        sentence += _lost(change, view)
    return Effect(
        zone,
        Impact.OUTAGE,
        sentence,
        gives_up=addresses(view, zone),
        draws=True,
        by_file=before and not after,
    )


def _apart(zone: str, view: View) -> str:
    """From whom a zone that moves to another database is cut off until they have moved, too."""
    there = elsewhere(view)
    if zone not in there:
        return ""
    staying = [one.name for one in zones.left_out(view.spec) if one.kube_ovn]
    staying += [one.name for one in zones.kube_ovn(view.spec) if view.facts.unplannable(one.name)]
    others = [one.name for one in zones.kube_ovn(view.spec) if one.present and one.name in there]
    others += [one.name for one in zones.seen_plain(view) if _to_be_moved(one, view)]
    others = sorted({*others} - {zone, *staying})
    sentence = ""
    if others:
        place = declared_place(view.spec)
        sentence += f"; it stays cut off from {listed(others, FEW)} until all have moved to {place}"
    if staying:
        left = listed(sorted(staying), FEW)
        sentence += f"; from {left}, which this plan does not move, it is cut off for good"
    return sentence


def _to_be_moved(zone: zones.SeenZone, view: View) -> bool:
    """Whether a plain zone is interconnected, and not by way of the file's IC database."""
    ic = view.facts.ic_southbound
    if not zone.declared.present or (ic is not None and zone.northbound.name in ic.zones):
        return False
    switches = (one.transit_switch for one in zone.northbound.switches if one.transit_switch)
    return any(of_router(zone.northbound, one, zone.declared.router) for one in switches)


def nodes(attributes: Attributes | None) -> tuple[str, ...]:
    """The gateways, the active one first; none where somebody has emptied the list."""
    names = (name.strip() for name in _text(attributes, GATEWAYS).split(","))
    return tuple(name for name in names if name)


def _text(attributes: Attributes | None, key: str) -> str:
    return str(plain(attributes, key)) if attributes and key in attributes else ""
