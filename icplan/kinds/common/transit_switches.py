"""Who makes the transit switches, and what a change of their set does. Declares none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from icplan.core.address import IC, Address
from icplan.core.change import Action, Effect, Impact
from icplan.core.diff import diff
from icplan.core.io import Unreadable
from icplan.core.state import DesiredState, Observed, ObservedState
from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ENABLE, REBUILD_SECONDS
from icplan.kinds.common.ic_server import deployed_in, titled
from icplan.kinds.common.places import elsewhere
from icplan.kinds.common.registered import addresses
from icplan.ovn.generation import Generation
from icplan.spec.model import KubeOvnZone

SWITCH_KIND = "transit-switch"
"""A row of the IC northbound database."""
COUNT_KIND = "switch-count"
"""How many switches Kube-OVN's Deployment makes by itself."""


def switch_address(name: str) -> Address:
    """The address of a transit switch."""
    return Address(IC, SWITCH_KIND, name)


def count_address() -> Address:
    """The address of the number of switches."""
    return Address(IC, COUNT_KIND)


def port_address(zone: str, switch: str) -> Address:
    """The address of a plain zone's port on a switch."""
    return Address(zone, "port", switch)


def needed(name: str) -> frozenset[Address]:
    """What must be done before a zone can have a switch, whoever makes it."""
    return frozenset({switch_address(name), count_address()})


def servers(view: View) -> tuple[zones.SeenCluster, ...]:
    """The zones whose clusters run the IC databases as Kube-OVN's Deployment, by name.

    It makes and deletes the switches itself, so that rows of ours would be fought over
    (docs/facts.md section 5). When the file says which cluster that is, it is that one, whether or
    not the Deployment is there yet.
    """
    if view.spec.interconnect.ic_database.deployment is not None:
        declared = deployed_in(view.spec)
        return tuple(one for one in zones.clusters(view) if one.name == declared)
    return running(view)


def running(view: View) -> tuple[zones.SeenCluster, ...]:
    """The zones whose clusters have that Deployment today, by name."""
    return tuple(one for one in zones.clusters(view) if one.cluster.ic_server is not None)


def counted(view: View) -> bool:
    """Whether the Deployment makes the switches, be its cluster seen or not."""
    return deployed_in(view.spec) is not None or bool(servers(view))


def numbered(count: int) -> tuple[str, ...]:
    """The names that Kube-OVN gives to so many switches: ts, ts1, ts2 (docs/facts.md section 5)."""
    return tuple("ts" if index == 0 else f"ts{index}" for index in range(count))


def undisturbed(
    view: View, wanted: DesiredState, states: ObservedState
) -> tuple[DesiredState, ObservedState]:
    """Both states, such that nothing is written while it is not known who makes the switches.

    What would be written is unreadable then. What is as declared and only lacks our mark is not
    declared: it may be none of ours, and there is nothing to be said about it.
    """
    unknown = _unknown(view)
    if unknown is None:
        return wanted, states
    changes = diff(wanted, states, view.owner)
    unmarked = {one.address for one in changes if one.action is Action.ADOPT and not one.differing}
    written: Mapping[Address, Observed] = {
        one.address: unknown for one in changes if one.address not in unmarked
    }
    rest = {address: one for address, one in wanted.items() if address not in unmarked}
    return rest, {**states, **written}


def _unknown(view: View) -> Unreadable | None:
    """Why it is not known whether a Kube-OVN zone runs the Deployment; None when it is."""
    if view.spec.interconnect.ic_database.deployment is not None:
        return None
    declared = view.spec.interconnect.availability_zones
    for zone in sorted(declared, key=lambda one: one.name):
        if not isinstance(zone, KubeOvnZone):
            continue
        what = f"whether there is a {titled(zone.name)}, which makes the transit switches itself"
        if zone.name in view.spec.without:
            return Unreadable(
                f"{what}, is not known: {zone.name} is left out",
                f"plan without leaving {zone.name} out, or leave the transit switches as they are",
            )
        if (unseen := view.facts.cluster_unseen(zone.name)) is not None:
            cause = f"{what}, is not known: {unseen.cause}"
            return Unreadable(cause, unseen.cure, unseen.forbidden)
    return None


def rebuilds(view: View, only: Generation | None = None) -> Iterator[Effect]:
    """Every Kube-OVN zone is rebuilt when the set of switches changes (docs/facts.md section 3).

    In plain OVN zones a switch carries traffic only through the zones' ports. Of a zone that is
    registered without being in the file it is not known which of the two it is.

    Args:
        view: the file and the facts.
        only: the generation that sees the set change; None: both do.
    """
    declared = view.spec.interconnect.availability_zones
    moving = _without_a_look(view)
    for zone in sorted(declared, key=lambda one: one.name):
        if not isinstance(zone, KubeOvnZone) or zone.name in moving:
            continue
        cluster = None if zone.name in view.spec.without else view.facts.clusters.get(zone.name)
        generation = cluster.generation if cluster else Generation.UNKNOWN
        sees = only in {None, generation} or generation is Generation.UNKNOWN
        if not sees or not _joined(view, zone.name):
            continue
        may = "is" if only in {None, generation} else "may be"
        yield Effect(
            zone.name,
            Impact.OUTAGE,
            f"{zone.name} {may} cut off from all other zones for {REBUILD_SECONDS}: its "
            "controller rebuilds the interconnection whenever the set of transit switches "
            "changes, in all Kube-OVN zones at once; its addresses change",
            gives_up=addresses(view, zone.name),
            draws=True,
        )
    for name in undeclared(view):
        yield Effect(
            name,
            Impact.OUTAGE,
            f"{name}, which is registered but not in the file, may be cut off from all other "
            f"zones for {REBUILD_SECONDS}: if it is a Kube-OVN zone, its controller rebuilds the "
            "interconnection whenever the set of transit switches changes, and its addresses "
            "change",
            gives_up=addresses(view, name),
        )


def undeclared(view: View) -> tuple[str, ...]:
    """The zones that are registered and that no entry of the file stands for, by name."""
    ic = view.facts.ic_southbound
    known = {one.name for one in view.spec.interconnect.availability_zones}
    # A zone that is being renamed is registered under its other name.
    known |= {seen.name for seen in view.facts.northbound.values()}
    return tuple(one for one in (ic.zones if ic else ()) if one and one not in known)


def _without_a_look(view: View) -> frozenset[str]:
    """The zones whose controllers look at another IC database, and see nothing of this one.

    One that is registered here may use it under another address.
    """
    ic, north = view.facts.ic_southbound, view.facts.northbound
    here = {*ic.zones} if ic else None
    return frozenset(
        zone
        for zone in elsewhere(view)
        if here is not None and zone in north and north[zone].name not in here
    )


def _joined(view: View, zone: str) -> bool:
    """Whether a zone may be interconnected today."""
    if zone in view.spec.without:
        return _registered(view, zone)
    cluster = view.facts.clusters.get(zone)
    return cluster is None or (
        cluster.config is not None and cluster.config.data.get(ENABLE) != "false"
    )


def _registered(view: View, zone: str) -> bool:
    """Whether a zone whose ConfigMap is not looked at may be registered.

    Its ConfigMap may have another name for it: then it is one that nobody else answers to.
    """
    ic = view.facts.ic_southbound
    if ic is None or zone in ic.zones:
        return True
    known = {one.name for one in view.spec.interconnect.availability_zones}
    known |= {seen.name for seen in view.facts.northbound.values()}
    return not known.issuperset(ic.zones)
