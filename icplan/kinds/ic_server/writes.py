"""How a change of the Deployment is carried out. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Action, Change
from icplan.core.io import Operation
from icplan.core.kubernetes import (
    CreateObject,
    DeleteObject,
    Expected,
    FieldChange,
    PatchFields,
    Tree,
    at,
    list_at,
)
from icplan.core.value import plain
from icplan.kinds.common.contract import Check, Guard, Step, Verdict, View
from icplan.kinds.common.evidence import in_ic, verdict
from icplan.kinds.common.ic_server import deployed, deployment_address
from icplan.kinds.ic_server.manifest import manifest
from icplan.kinds.ic_server.state import IMAGE, REPLICAS
from icplan.ovn import interconnect
from icplan.ovn.cluster import (
    IC_SERVER,
    MEMBERS,
    OWNER,
    SWITCH_NUMBER,
    Deployment,
    deployment_resource,
)
from icplan.ovn.interconnect import IcSouthbound

ANNOTATION = ("metadata", "annotations", OWNER)


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write; it is taken away only once nobody is registered in its databases."""
    guards = (_nobody_left(),) if change.action is Action.DELETE else ()
    return (Step(_operation(change, view), guards),)


def _operation(change: Change, view: View) -> Operation:
    zone = deployed(view)
    if zone is None:
        raise AssertionError("a change in a cluster that was not seen")
    resource, found = deployment_resource(zone.name, IC_SERVER), zone.cluster.ic_server
    if change.action is Action.CREATE:
        wanted = {name: _text(change, name) for name in (IMAGE, MEMBERS, SWITCH_NUMBER)}
        members = tuple(wanted[MEMBERS].split(","))
        body = manifest(view.owner, wanted[IMAGE], members, wanted[SWITCH_NUMBER])
        return CreateObject(resource, body)
    if found is None:
        raise AssertionError("a change of a Deployment that was not seen")
    if change.action is Action.DELETE:
        return DeleteObject(resource, found.uid, (Expected(ANNOTATION, view.owner),))
    mark = FieldChange(ANNOTATION, found.annotations.get(OWNER), view.owner)
    return PatchFields(resource, found.uid, (*_fields(change, found), mark))


def _fields(change: Change, found: Deployment) -> Iterator[FieldChange]:
    """What differs, and nothing else of the pods' template: all else would be a rollout, too."""
    path = found.container_path
    name = (*path, "name")
    known = at(found.body, name)
    yield FieldChange(name, known, known)
    if IMAGE in change.differing:
        where = (*path, "image")
        yield FieldChange(where, at(found.body, where), _text(change, IMAGE))
    if REPLICAS in change.differing:
        where = ("spec", "replicas")
        yield FieldChange(where, at(found.body, where), int(_text(change, REPLICAS)))
    if MEMBERS in change.differing:
        yield from _variable(found, _text(change, MEMBERS))


def _variable(found: Deployment, wanted: str) -> Iterator[FieldChange]:
    environment = (*found.container_path, "env")
    place = found.place_in_environment(MEMBERS)
    if place is not None:
        entry = (*environment, str(place))
        yield FieldChange((*entry, "name"), MEMBERS, MEMBERS)
        yield FieldChange((*entry, "value"), at(found.body, (*entry, "value")), wanted)
        return
    new: Tree = {"name": MEMBERS, "value": wanted}
    if at(found.body, environment) is None:
        yield FieldChange(environment, None, [new])
        return
    end = str(len(list_at(found.body, *environment)))
    yield FieldChange((*environment, end), None, new)


def _text(change: Change, name: str) -> str:
    return str(plain(change.after or {}, name))


def _nobody_left() -> Guard:
    def test(ic: IcSouthbound) -> Verdict:
        return verdict(
            not ic.zones,
            f"{', '.join(ic.zones)} would be left without IC databases: still registered",
            "take every zone out first",
        )

    claim = "no zone is registered any more"
    needs = frozenset({deployment_address()})
    return Guard(interconnect.queries(), Check(deployment_address(), claim, needs, in_ic(test)))
