"""What a change of the ConfigMap does, by the controller's generation (domain facts section 3)."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.value import Attributes, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ENABLE, REBUILD_SECONDS, described
from icplan.kinds.common.gateways import rotated
from icplan.ovn.cluster import CONTROLLER, Cluster
from icplan.ovn.generation import Generation

PLACE = frozenset({"ic-db-host", "ic-nb-port", "ic-sb-port"})
"""The keys that say where the IC databases are."""


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
            Generation.OLD: "; the routes that it learned stay behind in it",
            Generation.UNKNOWN: "; the routes that it learned may stay behind in it",
        }.get(zone.cluster.generation, "")
        yield Effect(
            name,
            Impact.OUTAGE,
            f"{controller} takes {name} out: its routes leave the other zones within seconds"
            + left,
            leaves=True,
        )
    elif not enabled(change.before):
        auto = _text(change.after, "auto-route") == "true"
        routes = "it and the other zones learn each other's subnets" if auto else "no routes yet"
        yield Effect(
            name, Impact.NONE, f"{name} joins: {controller} makes its ports and addresses; {routes}"
        )
    elif {*change.differing} == {"gw-nodes"}:
        yield _gateways(name, change, zone.cluster, view.spec.interconnect.transit_switches.names)
    elif change.differing:
        yield _rebuild(name, change, zone.cluster)


def _gateways(zone: str, change: Change, cluster: Cluster, switches: tuple[str, ...]) -> Effect:
    rebuilt = (
        f"{zone} is cut off for {REBUILD_SECONDS} while it takes the interconnection down and "
        "builds it again, with new addresses"
    )
    match cluster.generation:
        case Generation.OLD:
            why = f"{described(cluster)} cannot change gateways in place: {rebuilt}"
            return Effect(zone, Impact.OUTAGE, why)
        case Generation.UNKNOWN:
            why = (
                f"{described(cluster)} may be older than 1.15.24 or 1.16.3 and unable to change "
                f"gateways in place: then {rebuilt}"
            )
            return Effect(zone, Impact.OUTAGE, why)
    return _in_place(zone, _nodes(change.before), _nodes(change.after), switches)


def _in_place(
    zone: str, before: tuple[str, ...], after: tuple[str, ...], switches: tuple[str, ...]
) -> Effect:
    """Each switch begins with another gateway, so one of them may move while the first stays."""
    # By name, as the controller counts them when it rotates (domain facts section 4).
    active = {
        switch: (rotated(before, place)[:1], rotated(after, place)[0])
        for place, switch in enumerate(sorted(switches))
    }
    moved = {switch: (old, new) for switch, (old, new) in active.items() if old != (new,)}
    names = list(dict.fromkeys(new for _, new in active.values()))
    if before and moved:
        what = ", ".join(
            f"{new} takes {f'{switch} ' if len(active) > 1 else ''}over from {old[0]}"
            for switch, (old, new) in moved.items()
        )
        sentence = f"changed in place: {what}, a gap below 1 s; addresses are kept"
        return Effect(zone, Impact.BRIEF, sentence)
    verb = ("stays", "stay") if before else ("becomes", "become")
    what = f"{', '.join(names)} {verb[len(names) > 1]} active"
    return Effect(zone, Impact.NONE, f"changed in place: {what}, addresses are kept")


def _rebuild(zone: str, change: Change, cluster: Cluster) -> Effect:
    differing = {*change.differing}
    how = "switches the interconnection off and on again" if differing & PLACE else "rebuilds it"
    sentence = (
        f"{zone} is cut off from all other zones while {described(cluster)} {how}, about "
        f"{REBUILD_SECONDS}; its addresses on the transit switches change"
    )
    leaves = "auto-route" in differing and _text(change.after, "auto-route") != "true"
    if leaves:
        sentence += "; afterwards it exchanges no routes"
    if "az-name" in differing:
        sentence += f"; it registers anew as {_text(change.after, 'az-name')}"
    if differing & PLACE:
        name = cluster.controller.name if cluster.controller else CONTROLLER
        sentence += (
            "; if the old IC database does not answer, it stays cut off until the pod of "
            f"{name} is restarted"
        )
    return Effect(zone, Impact.OUTAGE, sentence, leaves=leaves)


def _nodes(attributes: Attributes | None) -> tuple[str, ...]:
    """The gateways, the active one first; none where somebody has emptied the list."""
    names = (name.strip() for name in _text(attributes, "gw-nodes").split(","))
    return tuple(name for name in names if name)


def _text(attributes: Attributes | None, key: str) -> str:
    return str(plain(attributes, key)) if attributes and key in attributes else ""
