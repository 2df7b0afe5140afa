"""How a ConfigMap is written: POST, PUT of the whole data, or DELETE. Decides nothing else."""

from __future__ import annotations

from icplan.core.change import Action, Change
from icplan.core.kubernetes import CreateObject, DeleteObject, Expected, Tree
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import data, kept
from icplan.kinds.common.contract import Check, Step, View
from icplan.kinds.common.controller import ENABLE, guard, ports, replaced, taken_down
from icplan.kinds.ic_config.effects import PLACE, enabled
from icplan.ovn.cluster import OWNER, config_resource

MANAGED_BY = "app.kubernetes.io/managed-by"


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """The writes; each only while the controller runs.

    A controller that is told another place of the IC databases still looks at the old one, and
    can come to a standstill for good (domain facts section 3): it is switched off first.
    """
    zone = zones.find_cluster(view, change.address.site)
    resource, found = config_resource(zone.name), zone.cluster.config
    guards = (guard(zone.name),)
    settles = _settles(view, zone)
    wanted = {**kept(view, zone.name, found), **data(view.spec, zone.declared)}
    if found is None:
        body: dict[str, Tree] = {
            "metadata": {"annotations": {OWNER: view.owner}, "labels": {MANAGED_BY: "icplan"}},
            "data": wanted,
        }
        return (Step(CreateObject(resource, body), guards, settles=settles),)
    before = {**found.data}
    mark = found.annotations.get(OWNER)
    if change.action is Action.DELETE:
        expected = (Expected(("data",), before), Expected(("metadata", "annotations", OWNER), mark))
        return (Step(DeleteObject(resource, found.uid, expected), guards),)
    owner = view.owner
    if PLACE & {*change.differing} and enabled(change.before):
        off = before | {ENABLE: "false"}
        first = replaced(zone.name, found, before, off, mark=mark, owner=owner)
        second = replaced(zone.name, found, off, wanted, mark=owner, owner=owner)
        return (Step(first, guards, (taken_down(zone.name),)), Step(second, guards))
    write = replaced(zone.name, found, before, wanted, mark=mark, owner=owner)
    return (Step(write, guards, settles=settles),)


def _settles(view: View, zone: zones.SeenCluster) -> tuple[Check, ...]:
    """What a controller may just be doing about a zone that was switched off a moment ago.

    Switched on again meanwhile, its old ports would be taken for the new ones. One that was
    restarted since keeps them for good (domain facts section 3), so this cannot be demanded.
    """
    found, seen = zone.cluster.config, view.facts.northbound.get(zone.name)
    off = found is None or found.data.get(ENABLE) == "false"
    return (taken_down(zone.name),) if off and seen is not None and ports(seen) else ()
