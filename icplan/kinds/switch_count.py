"""How many transit switches Kube-OVN's Deployment makes: one variable of it, and no other field."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Change, Effect, Impact, Reason
from icplan.core.io import Operation, Query, Unreadable
from icplan.core.kubernetes import FieldChange, GetObject, PatchFields, Tree, at, list_at
from icplan.core.state import Absent, Declared, DesiredState, ObservedState, Present
from icplan.core.value import Known, plain
from icplan.core.words import REPAIRED
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Guard, Held, Kind, Missing, Step, Verdict, View
from icplan.kinds.common.evidence import in_cluster, verdict
from icplan.kinds.common.ic_server import cure, deployed_in, deployment_address, runs, titled
from icplan.kinds.common.transit_switches import (
    COUNT_KIND,
    count_address,
    numbered,
    rebuilds,
    servers,
    undisturbed,
)
from icplan.ovn.cluster import (
    IC_SERVER,
    OWNER,
    SWITCH_NUMBER,
    Cluster,
    Deployment,
    deployment_resource,
)
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.spec.load import Spec

NAME = COUNT_KIND
OWNER_SHOWN = "owner"
"""Shown only when our mark is taken off."""
_NEEDS = frozenset({count_address(), deployment_address()})
ANNOTATION = ("metadata", "annotations", OWNER)


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the clusters are read for their ConfigMaps."""
    return ()


def server(view: View) -> zones.SeenCluster | None:
    """The zone whose cluster runs the IC databases; None when there are none, or several."""
    found = servers(view)
    return found[0] if len(found) == 1 else None


def desired(view: View) -> DesiredState:
    """The Deployment makes as many switches as the file declares."""
    return undisturbed(view, _wanted(view), _found(view))[0]


def observed(view: View) -> ObservedState:
    """What the Deployment says."""
    return undisturbed(view, _wanted(view), _found(view))[1]


def _wanted(view: View) -> DesiredState:
    zone = server(view)
    if zone is None:
        return _unseen_count(view)[0]
    if zone.cluster.ic_server is None or not _there(view, zone):
        return {}
    count = str(view.spec.interconnect.transit_switches.count)
    origin = view.spec.origin("transitSwitches")
    if view.spec.destroyed:
        given_back = Declared({OWNER_SHOWN: Known("")}, origin, leaving=True)
        ours = zone.cluster.ic_server.annotations.get(OWNER) == view.owner
        return {count_address(): given_back} if ours else {}
    return {count_address(): Declared({SWITCH_NUMBER: Known(count)}, origin)}


def _found(view: View) -> ObservedState:
    zone = server(view)
    if zone is None:
        return _unseen_count(view)[1]
    if zone.cluster.ic_server is None or not _there(view, zone):
        return {}
    deployment, unseen = zone.cluster.ic_server, _unplannable(view, zone.name)
    count, owner = _count(deployment), _owner(view, deployment)
    if unseen is not None:
        return {count_address(): unseen}
    if count is None and owner is None:
        return {count_address(): Absent()}
    if view.spec.destroyed:
        # All that is ours of it is our mark.
        shown = {OWNER_SHOWN: Known(view.owner)}
        return {count_address(): Present(shown, owner)} if owner == view.owner else {}
    attributes = {} if count is None else {SWITCH_NUMBER: Known(count)}
    return {count_address(): Present(attributes, owner)}


def _there(view: View, zone: zones.SeenCluster) -> bool:
    """Whether there is a Deployment to be told a number.

    One that the file declares gets it as it is made, and goes with it; a foreign one is the
    Deployment's own address's to speak of.
    """
    if deployed_in(view.spec) is None or zone.cluster.ic_server is None:
        return zone.cluster.ic_server is not None
    foreign = zone.cluster.ic_server.annotations.get(OWNER) not in {None, view.owner}
    return not foreign and not view.spec.destroyed


def _owner(view: View, deployment: Deployment) -> str | None:
    """Our mark; on a declared Deployment it is set by another change, which comes before."""
    declared = deployed_in(view.spec) is not None
    return view.owner if declared else deployment.annotations.get(OWNER)


def _unseen_count(view: View) -> tuple[DesiredState, ObservedState]:
    """Of a declared Deployment whose cluster is not looked at: nothing, or why not.

    Nobody else could carry another number out.
    """
    name, ic = deployed_in(view.spec), view.facts.ic_northbound
    switches = view.spec.interconnect.transit_switches
    there = {one.name for one in ic.transit_switches} if ic else {*switches.names}
    if name is None or view.spec.destroyed or there == {*switches.names}:
        return {}, {}
    what = f"how many transit switches {titled(name)} makes is not known"
    unseen = view.facts.cluster_unseen(name)
    if name in view.spec.without or unseen is None:
        todo = f"plan without leaving {name} out, or leave the transit switches as they are"
        why = Unreadable(f"{what}: {name} is left out", todo)
    else:
        why = Unreadable(f"{what}: {unseen.cause}", unseen.cure, unseen.forbidden)
    wanted = Declared(
        {SWITCH_NUMBER: Known(str(switches.count))}, view.spec.origin("transitSwitches")
    )
    return {count_address(): wanted}, {count_address(): why}


def _unplannable(view: View, zone: str) -> Unreadable | None:
    """Why nothing may be planned: of the IC databases, too, must be known what they hold."""
    unseen = view.facts.ic_unseen()
    return view.facts.unplannable(zone) or (unseen if unseen and not unseen.forbidden else None)


def _count(deployment: Deployment) -> str | None:
    """The number as it stands there; without one no switch is made, and none deleted.

    The leader then fails to read it at each look (read in Kube-OVN's source).
    """
    return deployment.environment.get(SWITCH_NUMBER) or None


def effects(change: Change, view: View) -> Iterator[Effect]:
    """A new number restarts the pods, and with them the IC databases; then come the switches."""
    zone = server(view)
    if zone is not None and view.spec.destroyed:
        yield Effect(
            zone.name,
            Impact.NONE,
            f"{titled(zone.name)} goes on running the IC databases, and keeps its transit "
            "switches: it makes them itself; only icplan's mark is taken off it",
        )
        return
    if zone is None or zone.cluster.ic_server is None or SWITCH_NUMBER not in change.differing:
        return
    pods = zone.cluster.ic_server.replicas
    restarts = "its pod restarts" if pods == 1 else f"its {pods} pods restart"
    yield Effect(
        zone.name,
        Impact.NONE,
        f"{titled(zone.name)} is rolled out: {restarts}, and the IC databases are away for "
        "seconds; by itself that disturbs no traffic, but no zone learns anything meanwhile",
    )
    ic = view.facts.ic_northbound
    there = {one.name for one in ic.transit_switches} if ic else None
    if there != {*view.spec.interconnect.transit_switches.names}:
        yield from rebuilds(view)


def operation(change: Change, view: View) -> Operation:
    """One variable and our mark, of an object that is somebody else's."""
    zone = server(view)
    if zone is None or zone.cluster.ic_server is None:
        raise AssertionError("a change of a Deployment that was not seen")
    deployment = zone.cluster.ic_server
    if view.spec.destroyed:
        mark = FieldChange(ANNOTATION, deployment.annotations.get(OWNER), None)
        return PatchFields(deployment_resource(zone.name, IC_SERVER), deployment.uid, (mark,))
    wanted = str(plain(change.after or {}, SWITCH_NUMBER))
    mark = FieldChange(ANNOTATION, _owner(view, deployment), view.owner)
    return PatchFields(
        deployment_resource(zone.name, IC_SERVER),
        deployment.uid,
        (*_variable(deployment, wanted), mark),
    )


def _variable(deployment: Deployment, wanted: str) -> tuple[FieldChange, ...]:
    """The variable set where it stands, else behind all others; places count while names stay."""
    environment = (*deployment.container_path, "env")
    place = deployment.place_in_environment(SWITCH_NUMBER)
    if place is not None:
        entry = (*environment, str(place))
        value = (*entry, "value")
        return (
            FieldChange((*entry, "name"), SWITCH_NUMBER, SWITCH_NUMBER),
            FieldChange(value, at(deployment.body, value), wanted),
        )
    name = (*deployment.container_path, "name")
    known = at(deployment.body, name)
    entries = at(deployment.body, environment)
    new: Tree = {"name": SWITCH_NUMBER, "value": wanted}
    if entries is None:
        return (FieldChange(name, known, known), FieldChange(environment, None, [new]))
    end = str(len(list_at(deployment.body, *environment)))
    return (FieldChange(name, known, known), FieldChange((*environment, end), None, new))


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write; a new number only while somebody would follow it."""
    zone = server(view)
    rolled_out = zone is not None and SWITCH_NUMBER in change.differing
    guards = (_guard(view.spec, zone.name),) if zone is not None and rolled_out else ()
    return (Step(operation(change, view), guards),)


def _guard(spec: Spec, zone: str) -> Guard:
    return Guard((GetObject(deployment_resource(zone, IC_SERVER)),), _running(spec, zone))


def _running(spec: Spec, zone: str) -> Check:
    return Check(
        count_address(),
        f"{titled(zone)} runs",
        _NEEDS,
        runs(spec, zone),
    )


def checks(view: View) -> Iterator[Check]:
    """The Deployment runs with the number, and its leader has made that many switches."""
    zone = server(view)
    if zone is not None and not view.spec.destroyed:
        names = view.spec.interconnect.transit_switches.names
        yield _told(zone.name, str(len(names)))
        yield _running(view.spec, zone.name)
        yield _made(view.spec, zone.name, names)


def _told(zone: str, count: str) -> Check:
    def test(cluster: Cluster) -> Verdict:
        found = _count(cluster.ic_server) if cluster.ic_server else None
        return verdict(
            found == count,
            f"{titled(zone)} has {SWITCH_NUMBER} {found or 'not set'}, not {count}",
            REPAIRED,
        )

    return Check(
        count_address(),
        f"{titled(zone)} has {SWITCH_NUMBER} {count}",
        _NEEDS,
        in_cluster(zone, test),
    )


def _made(spec: Spec, zone: str, names: tuple[str, ...]) -> Check:
    def test(facts: Facts) -> Verdict:
        unseen = facts.ic_unseen()
        if unseen is not None or facts.ic_northbound is None:
            return unseen or NOT_ASKED
        there = tuple(one.name for one in facts.ic_northbound.transit_switches)
        missing = [one for one in names if one not in there]
        # One that somebody made by hand is not the Deployment's to delete.
        surplus = [one for one in numbered(len(there)) if one in there and one not in names]
        if not missing and not surplus:
            return Held()
        parts = [f"{', '.join(missing)} is missing"] if missing else []
        parts += [f"{', '.join(surplus)} is still there"] if surplus else []
        return Missing(f"{titled(zone)} keeps other switches: {'; '.join(parts)}", cure(spec, zone))

    return Check(
        count_address(),
        f"the transit switches are {', '.join(names)}",
        _NEEDS,
        test,
    )


def takes_away(change: Change) -> bool:
    """Whether there will be fewer switches, or none of ours: zones must have left them before."""
    if change.reason is Reason.LEAVING:
        return True
    if not change.before or not change.after or SWITCH_NUMBER not in change.before:
        return False
    before, after = (str(plain(one, SWITCH_NUMBER)) for one in (change.before, change.after))
    return before.isdecimal() and int(before) > int(after)


KIND = Kind(NAME, True, queries, desired, observed, effects, steps, checks, takes_away=takes_away)
