"""Rules about which IC databases the zones use. Nothing about what these hold."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.kinds.common import zones
from icplan.kinds.common.controller import CONFIG_KIND
from icplan.kinds.common.places import declared_place, place_of
from icplan.planning.rules.contract import Finding, Seen


def left_behind(seen: Seen) -> Iterator[Finding]:
    """Some zones would move to other IC databases, and one would stay where it is.

    Hosts and ports must be the same in all zones: who uses other databases, or other members of
    them, meets nobody there. A zone that is left out or cannot be looked at is not moved along,
    and is cut off from those that are until somebody does it. Move all of them in one plan.
    """
    wanted = declared_place(seen.spec)
    configs = {
        zone.name: place_of(zone.cluster.config.data)
        for zone in zones.clusters(seen.view)
        if zone.cluster.config is not None
    }
    changed = {one.address.site for one in seen.changes if one.address.kind == CONFIG_KIND}
    moving = sorted(
        one.address.site
        for one in seen.changes
        if one.address.kind == CONFIG_KIND
        and one.before is not None
        and one.after is not None
        and configs.get(one.address.site, wanted) != wanted
    )
    if not moving:
        return
    staying = {zone.name: (zone, "is left out") for zone in zones.left_out(seen.spec)}
    for zone in zones.kube_ovn(seen.spec):
        if seen.facts.unplannable(zone.name) is not None:
            staying[zone.name] = (zone, "cannot be looked at")
        elif zone.name not in changed and configs.get(zone.name, wanted) != wanted:
            staying[zone.name] = (zone, "is not to be changed")
    for name, (zone, why) in sorted(staying.items()):
        if zone.kube_ovn:
            yield Finding(
                name,
                f"{', '.join(moving)} would move to the IC databases at {wanted}, and {name}, "
                f"which {why}, would stay where it is",
                f"Plan with {name}, or take it out of the file if it may be left behind.",
                seen.spec.origin("icDatabase", "hosts"),
            )
