"""Rules about which IC databases the zones use. Nothing about what these hold."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.kinds.common import zones
from icplan.kinds.common.controller import CONFIG_KIND
from icplan.kinds.common.ic_server import deployed_in
from icplan.kinds.common.places import declared_place, place_of
from icplan.kinds.common.refounding import interconnected
from icplan.kinds.ic_server.manifest import DATA
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


def founded_anew(seen: Seen) -> Iterator[Finding]:
    """Zones are interconnected, and the IC databases that the plan founds are new and empty.

    There have been databases: these zones use them. Either they are lost, with all that they held,
    or they are elsewhere: files in another folder, or on another host. While they are away traffic
    goes on as it was; once there are empty ones, the zones take what those hold. Look for the old
    files first, in backups, too.
    """
    signs = interconnected(seen.view)
    if not signs:
        return
    place = declared_place(seen.spec)
    kept = f" unless {DATA} there has kept the old ones" if deployed_in(seen.spec) else ""
    yield Finding(
        IC,
        f"there are no IC databases at {place}, and zones are interconnected "
        f"({'; '.join(signs[name] for name in sorted(signs))}): new ones begin empty{kept}, and "
        "what others than the zones of the file had there is lost",
        "If the old files are elsewhere or in a backup, bring them back first: "
        "ovn_ic_nb_db.db and ovn_ic_sb_db.db.",
        seen.spec.origin("icDatabase", "deployment"),
    )
