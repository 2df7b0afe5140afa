"""What the Deployment is to be, and what it is. Writes nothing."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from icplan.core.change import Reason
from icplan.core.commands import shown
from icplan.core.io import Query, Unreadable
from icplan.core.kubernetes import ObjectQuery
from icplan.core.state import Absent, Declared, DeclaredAbsent, DesiredState, ObservedState, Present
from icplan.core.value import Attributes, Known
from icplan.kinds.common import zones
from icplan.kinds.common.commands import in_namespace
from icplan.kinds.common.contract import UNDECIDED, View
from icplan.kinds.common.ic_server import (
    DEPLOYMENT_KIND,
    cure,
    deployed,
    deployed_in,
    deployment_address,
    members_today,
    members_wanted,
    titled,
    trouble,
)
from icplan.ovn.cluster import (
    IC_SERVER,
    MEMBERS,
    OWNER,
    SWITCH_NUMBER,
    Deployment,
    ic_pods_query,
)
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

NAME = DEPLOYMENT_KIND
IMAGE = "image"
REPLICAS = "replicas"


def queries(spec: Spec, _facts: Facts | None) -> Iterable[Query | ObjectQuery]:
    """The pods, for their leaders; the rest of the cluster is read for its ConfigMap."""
    name = deployed_in(spec)
    return [ic_pods_query(one.name) for one in zones.kube_ovn(spec) if one.name == name]


def desired(view: View) -> DesiredState:
    """One pod on each master, as long as anything is interconnected."""
    zone = deployed(view)
    declared = view.spec.interconnect.ic_database.deployment
    if zone is None or declared is None:
        return {}
    origin = view.spec.origin("icDatabase", "deployment")
    if view.spec.destroyed:
        found = zone.cluster.ic_server
        ours = found is not None and found.annotations.get(OWNER) == view.owner
        return {deployment_address(): DeclaredAbsent(origin, Reason.DESTROYED)} if ours else {}
    masters = members_wanted(view.spec, zone.cluster)
    there = zone.cluster.ic_server is not None
    if not masters:
        return {deployment_address(): Declared(UNDECIDED, origin)} if there else {}
    attributes = _attributes(declared.image, masters, len(masters))
    if not there:
        # Once it is there, the number is another object's business: a rollout of its own.
        count = view.spec.interconnect.transit_switches.count
        attributes = {**attributes, SWITCH_NUMBER: Known(str(count))}
    return {deployment_address(): Declared(attributes, origin)}


def observed(view: View) -> ObservedState:
    """What is there; nothing is said of it while it cannot be seen what its databases hold."""
    zone = deployed(view)
    name = deployed_in(view.spec)
    if zone is None:
        unseen = view.facts.lost_clusters.get(name) if name else None
        return {deployment_address(): unseen} if unseen is not None else {}
    found = zone.cluster.ic_server
    unseen = view.facts.unplannable(zone.name) or _silent(view, zone.name, found)
    if unseen is not None:
        return {deployment_address(): unseen}
    if found is None:
        return {deployment_address(): Absent()}
    attributes = _attributes(found.image, members_today(zone.cluster), found.replicas)
    return {deployment_address(): Present(attributes, found.annotations.get(OWNER))}


def _silent(view: View, zone: str, found: Deployment | None) -> Unreadable | None:
    """Why its databases do not say what they hold, be it there or not.

    Without them nobody knows what a change would do to the zones, and there is no place for the
    lock; an image that does not run must be replaced by hand.
    """
    unseen = view.facts.ic_unseen()
    if unseen is None or unseen.forbidden:
        return None
    declared = view.spec.interconnect.ic_database.deployment
    why = trouble(found)
    if not why or found is None or declared is None:
        return unseen
    image = f"{IC_SERVER}={shlex.quote(declared.image)}"
    other = f"{in_namespace(view.spec, zone)} set image deployment/{IC_SERVER} {image}"
    return Unreadable(
        f"its databases do not answer; {titled(zone)}: {why}",
        cure(view.spec, zone)
        if found.image == declared.image
        else f"give it the file's image: {shown(other)}",
    )


def _attributes(image: str, members: tuple[str, ...], replicas: int) -> Attributes:
    return {IMAGE: Known(image), REPLICAS: Known(str(replicas)), MEMBERS: Known(",".join(members))}
