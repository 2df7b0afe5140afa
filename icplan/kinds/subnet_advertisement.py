"""Which Subnets of a Kube-OVN zone are withheld: `disableInterConnection`, and no other field."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.change import Change, Effect, Impact, Reason
from icplan.core.io import Operation, Query
from icplan.core.kubernetes import FieldChange, PatchFields, Tree
from icplan.core.state import Declared, Desired, Observed, Present
from icplan.core.value import Known, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Kind, Step, View
from icplan.kinds.common.controller import config_address, controller_cure, guard
from icplan.kinds.common.evidence import in_ic, verdict
from icplan.kinds.common.withheld import entries
from icplan.ovn.cluster import OWNER, Subnet, subnet_resource
from icplan.ovn.facts import Facts
from icplan.ovn.interconnect import IcSouthbound
from icplan.ovn.prefix import inside
from icplan.spec.load import Spec

NAME = "subnet"
FIELD = "disableInterConnection"
ANNOTATION = ("metadata", "annotations", OWNER)
OWNER_SHOWN = "owner"
"""Shown only when our mark is taken off a Subnet that is not withheld any more."""


def address(zone: str, subnet: str) -> Address:
    """The address of a Subnet."""
    return Address(zone, NAME, subnet)


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the clusters are read for their ConfigMaps."""
    return ()


def _minded(view: View) -> Iterator[zones.SeenCluster]:
    return (one for one in zones.clusters(view) if view.facts.unplannable(one.name) is None)


def _withheld(zone: zones.SeenCluster) -> tuple[Subnet, ...]:
    """The Subnets that are to be withheld; a zone that leaves withholds none any more."""
    if not zone.declared.present:
        return ()
    return entries(zone.cluster, zone.declared.zone.withhold)[0]


def desired(view: View) -> dict[Address, Desired]:
    """What the file withholds is withheld; what it withheld before is given back."""
    wanted: dict[Address, Desired] = {}
    for zone in _minded(view):
        declared = zone.declared
        withheld = _withheld(zone)
        origin = declared.origin(view.spec, "withhold")
        for subnet in zone.cluster.subnets:
            if subnet in withheld:
                wanted[address(zone.name, subnet.name)] = Declared({FIELD: Known(True)}, origin)
            elif subnet.annotations.get(OWNER) == view.owner:
                free = {FIELD: Known(False), OWNER_SHOWN: Known("")}
                leaving = not declared.present
                wanted[address(zone.name, subnet.name)] = Declared(free, origin, leaving)
    return wanted


def observed(view: View) -> dict[Address, Observed]:
    """The Subnets that are withheld or were; all others are nobody's concern."""
    states: dict[Address, Observed] = {}
    for zone in _minded(view):
        declared = _withheld(zone)
        for subnet in zone.cluster.subnets:
            owner = subnet.annotations.get(OWNER)
            if owner is None and not subnet.withheld:
                if subnet in declared:
                    # Nobody has claimed the field of this Subnet, so it is free to be ours.
                    free = Present({FIELD: Known(False)}, view.owner)
                    states[address(zone.name, subnet.name)] = free
                continue
            attributes = {FIELD: Known(bool(subnet.withheld))}
            attributes |= {OWNER_SHOWN: Known(owner)} if owner else {}
            states[address(zone.name, subnet.name)] = Present(attributes, owner)
    return states


def effects(change: Change, view: View) -> Iterator[Effect]:
    """What the other zones lose or get back."""
    zone = zones.find_cluster(view, change.address.site)
    subnet = zone.cluster.subnet(change.address.name)
    if subnet is None or FIELD not in change.differing:
        return
    blocks = ", ".join(subnet.blocks)
    if plain(change.after or {}, FIELD) is True:
        advertised = _advertised(view, zone.name, subnet)
        sentence = f"the other zones lose {blocks} of {zone.name}, within seconds"
        if not advertised:
            sentence = f"{blocks} of {zone.name} is not advertised to the other zones"
        impact = Impact.OUTAGE if advertised else Impact.NONE
        yield Effect(zone.name, impact, sentence, subnet.blocks)
    elif change.reason is Reason.LEAVING:
        sentence = f"nobody learns {blocks}: {zone.name} has left the interconnection by then"
        yield Effect(zone.name, Impact.NONE, sentence, subnet.blocks)
    else:
        sentence = f"{blocks} of {zone.name} may be advertised to the other zones again"
        yield Effect(zone.name, Impact.NONE, sentence, subnet.blocks, offers=subnet.blocks)


def _advertised(view: View, zone: str, subnet: Subnet) -> bool:
    ic = view.facts.ic_southbound
    return ic is None or any(
        one.zone == zone and any(inside(one.prefix, block) for block in subnet.blocks)
        for one in ic.routes
    )


def operation(change: Change, view: View) -> Operation:
    """One field and our mark, of an object that is somebody else's."""
    zone = zones.find_cluster(view, change.address.site)
    subnet = zone.cluster.subnet(change.address.name)
    if subnet is None:
        raise AssertionError("a change of a Subnet that was not seen")
    withhold = change.after is not None and plain(change.after, FIELD) is True
    before: Tree = subnet.withheld
    after: Tree = True if withhold else False if subnet.withheld else subnet.withheld
    return PatchFields(
        subnet_resource(zone.name, subnet.name),
        subnet.uid,
        (
            FieldChange(("spec", FIELD), before, after),
            FieldChange(
                ANNOTATION, subnet.annotations.get(OWNER), view.owner if withhold else None
            ),
        ),
    )


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write; of a zone that is interconnected only while its controller would follow it."""
    zone = change.address.site
    joined = view.facts.clusters[zone].config is not None
    guards = () if takes_away(change) or not joined else (guard(view.spec, zone),)
    return (Step(operation(change, view), guards),)


def takes_away(change: Change) -> bool:
    """Whether a Subnet is given back because its zone leaves.

    Before the zone is out, its controller would advertise it (docs/facts.md section 3: an older
    one within a round).
    """
    return change.reason is Reason.LEAVING


def checks(view: View) -> Iterator[Check]:
    """What is withheld is not advertised."""
    for zone in zones.clusters(view):
        for subnet in _withheld(zone):
            yield _hidden(view.spec, zone.name, subnet)


def _hidden(spec: Spec, zone: str, subnet: Subnet) -> Check:
    def advertised(ic: IcSouthbound) -> bool:
        return any(
            one.zone == zone and any(inside(one.prefix, block) for block in subnet.blocks)
            for one in ic.routes
        )

    return Check(
        address(zone, subnet.name),
        f"{subnet.name} of {zone} is not advertised",
        frozenset({address(zone, subnet.name), config_address(zone)}),
        in_ic(
            lambda ic: verdict(
                not advertised(ic),
                f"{zone} advertises {', '.join(subnet.blocks)}, which it should withhold",
                controller_cure(spec, zone),
            )
        ),
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks, takes_away=takes_away)
