"""The transit switches of the IC northbound database. Nothing of any zone is written here."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC, Address
from icplan.core.change import Action, Change, Effect, Impact, Reason
from icplan.core.io import (
    IC_NORTHBOUND,
    Database,
    Delete,
    Field,
    Insert,
    Operation,
    Precondition,
    Query,
    SetKeys,
    Transaction,
    equals,
)
from icplan.core.state import Declared, DeclaredAbsent, DesiredState, ObservedState, Present
from icplan.core.value import known, plain
from icplan.kinds.common import deserted, zones
from icplan.kinds.common.contract import MARK, Check, Guard, Kind, Step, Verdict, View
from icplan.kinds.common.controller import config_address
from icplan.kinds.common.evidence import in_zone, ovn_ic_cure, verdict
from icplan.kinds.common.ovn_ic import restart_step
from icplan.kinds.common.transit_address import fits, subnets
from icplan.kinds.common.transit_switches import (
    SWITCH_KIND,
    counted,
    needed,
    numbered,
    port_address,
    rebuilds,
    switch_address,
    undisturbed,
)
from icplan.ovn import interconnect
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.generation import Generation
from icplan.spec.load import Spec

NAME = SWITCH_KIND
VENDOR = "kube-ovn"
"""Newer Kube-OVN controllers do not see a switch without it, and adding it later rebuilds every
zone (docs/facts.md section 5); so every switch gets it, whatever zones there are today."""


def address(name: str) -> Address:
    """The address of a transit switch."""
    return switch_address(name)


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """The interconnection databases as a whole; they are small."""
    return interconnect.queries()


def desired(view: View) -> DesiredState:
    """One switch for each path between the zones, unless Kube-OVN's Deployment makes them."""
    return undisturbed(view, _wanted(view), _rows(view))[0]


def observed(view: View) -> ObservedState:
    """All rows of Transit_Switch; none where they are the Deployment's business."""
    return undisturbed(view, _wanted(view), _rows(view))[1]


def _wanted(view: View) -> DesiredState:
    if counted(view):
        return {}
    switches = view.spec.interconnect.transit_switches
    origin = view.spec.origin("transitSwitches")
    if view.spec.destroyed:
        there = view.facts.ic_northbound
        rows = there.transit_switches if there else ()
        ours = {row.name for row in rows if row.external_ids.get(MARK) == view.owner}
        return {
            address(name): DeclaredAbsent(origin, Reason.DESTROYED)
            for name in {*ours, *switches.names}
        }
    return {
        address(name): Declared(known(subnet=switches.subnet_of(index), vendor=VENDOR), origin)
        for index, name in enumerate(switches.names)
    }


def _rows(view: View) -> ObservedState:
    unseen = view.facts.ic_unseen()
    if unseen is not None or view.facts.ic_northbound is None:
        return {one: unseen for one in _wanted(view) if unseen is not None}
    if counted(view):
        return {}
    return {
        address(switch.name): Present(
            known(
                subnet=switch.external_ids.get("subnet", ""),
                vendor=switch.external_ids.get("vendor", ""),
            ),
            switch.external_ids.get(MARK),
        )
        for switch in view.facts.ic_northbound.transit_switches
    }


def effects(change: Change, view: View) -> Iterator[Effect]:
    """Every Kube-OVN zone is rebuilt when the set of switches that its controller sees changes."""
    if view.spec.destroyed:
        yield Effect(IC, Impact.NONE, "no zone is registered any more by then")
        return
    yield from _stranded(change, view)
    unseen = change.before is not None and plain(change.before, "vendor") != VENDOR
    if change.action is Action.CREATE or (change.action is Action.DELETE and not unseen):
        yield from rebuilds(view)
    elif change.action is Action.DELETE:
        yield from rebuilds(view, Generation.OLD)
    elif "vendor" in change.differing:
        # To newer controllers it appears; older ones saw it all the time (docs/facts.md section 5).
        yield from rebuilds(view, Generation.NEW)


def _stranded(change: Change, view: View) -> Iterator[Effect]:
    """Zones that are left out keep their ports as they are, whatever becomes of the switch."""
    switch, ic = change.address.name, view.facts.ic_southbound
    for zone in zones.left_out(view.spec):
        ports = [one for one in ic.ports if one.zone == zone.name] if ic else []
        there = [net for one in ports if one.transit_switch == switch for net in one.networks]
        if not there or "subnet" not in change.differing:
            continue
        if change.after is None:
            if zone.kube_ovn:
                continue  # it is rebuilt
            what = f"loses {switch}, where it still has a port"
        else:
            subnet = str(plain(change.after, "subnet"))
            outside = [one for one in there if not any(fits(one, net) for net in subnets(subnet))]
            if not outside:
                continue
            what = (
                f"keeps {', '.join(outside)} on {switch}, outside of {subnet}, and is not reached "
                "there any more"
            )
        only = all(one.transit_switch == switch for one in ports)
        impact = Impact.OUTAGE if only else Impact.BRIEF
        sentence = f"{zone.name}, which is left out, {what}"
        yield Effect(zone.name, impact, sentence, leaves=only)


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write; two where what runs the databases may have made the switch by itself meanwhile.

    The image's script makes `ts` at each start, some versions without the vendor (docs/facts.md
    section 5): then it is adopted, else it is made. Where all is taken apart, switches go only
    when nobody can need them.
    """
    if view.spec.destroyed:
        return (Step(operation(change, view), guards=(deserted.guard(),)),)
    if change.action is not Action.CREATE or not _made_by_script(change, view):
        return (Step(operation(change, view)),)
    there = _there(change.address)
    return (
        Step(operation(change, view), settles=(there,), unless=(there,)),
        Step(_adoption(change, view), guards=(_free(change.address, view.owner),)),
    )


def _made_by_script(change: Change, view: View) -> bool:
    """Whether the databases are about to be started by what makes this switch itself."""
    return view.facts.ic_absent and change.address.name == numbered(1)[0]


def _there(switch: Address) -> Check:
    def test(facts: Facts) -> Verdict:
        if facts.ic_northbound is None:
            return facts.ic_unseen() or NOT_ASKED
        names = {one.name for one in facts.ic_northbound.transit_switches}
        return verdict(switch.name in names, f"{switch.name} is not there yet", "wait")

    return Check(switch, f"{switch.name} is there", frozenset({switch}), test)


def _free(switch: Address, owner: str) -> Guard:
    """Whoever made it, it is no other owner's."""

    def test(facts: Facts) -> Verdict:
        if facts.ic_northbound is None:
            return facts.ic_unseen() or NOT_ASKED
        rows = [one for one in facts.ic_northbound.transit_switches if one.name == switch.name]
        marks = {one.external_ids.get(MARK, owner) for one in rows}
        return verdict(
            marks <= {owner},
            f"{switch} belongs to the file named {', '.join(sorted(marks))}",
            "take it out of one of the two files, then run `icplan plan` again",
        )

    check = Check(switch, f"{switch.name} is ours", frozenset({switch}), test)
    return Guard(interconnect.queries(), check)


def _adoption(change: Change, view: View) -> Operation:
    where = (equals("name", change.address.name),)
    there = Precondition(f"Transit_Switch {change.address.name}", "Transit_Switch", where)
    keys = SetKeys("Transit_Switch", where, "external_ids", _keys(change, view))
    return Transaction(Database(IC, IC_NORTHBOUND), (there,), (keys,))


def _keys(change: Change, view: View) -> dict[str, str]:
    return {MARK: view.owner} | {
        key: str(plain(change.after, key)) for key in ("subnet", "vendor") if change.after
    }


def operation(change: Change, view: View) -> Operation:
    """The write of one row."""
    name = change.address.name
    database = Database(IC, IC_NORTHBOUND)
    subject = f"Transit_Switch {name}"
    keys = _keys(change, view)
    if change.action is Action.CREATE:
        missing = Precondition(subject, "Transit_Switch", (equals("name", name),), rows=0)
        row = Insert("Transit_Switch", {"name": name, "external_ids": keys}, "transit_switch")
        return Transaction(database, (missing,), (row,))
    if view.facts.ic_northbound is None:
        raise AssertionError("a change of a switch that was not seen")
    seen = next(one for one in view.facts.ic_northbound.transit_switches if one.name == name)
    where = (equals("_uuid", seen.uuid),)
    expected = tuple(
        (Field("external_ids", key), seen.external_ids.get(key)) for key in sorted(keys)
    )
    precondition = Precondition(
        subject, "Transit_Switch", where, ((Field("name"), name), *expected)
    )
    if change.action is Action.DELETE:
        return Transaction(database, (precondition,), (Delete("Transit_Switch", where),))
    return Transaction(
        database, (precondition,), (SetKeys("Transit_Switch", where, "external_ids", keys),)
    )


def checks(view: View) -> Iterator[Check]:
    """Every zone's ovn-ic has copied each switch into its zone, and dropped those that are gone.

    It is a link in that zone's chain: the switch itself is there.
    """
    names = view.spec.interconnect.transit_switches.names
    if view.spec.destroyed:
        if not counted(view):
            yield deserted.check(view)
        return
    rows = view.facts.ic_northbound.transit_switches if view.facts.ic_northbound else ()
    marked = {row.name for row in rows if row.external_ids.get(MARK) == view.owner}
    # What the Deployment deletes by itself are the last ones of its own.
    ours = numbered(len(rows)) if counted(view) else marked
    gone = [row.name for row in rows if row.name in ours and row.name not in names]
    for zone in zones.declared(view.spec):
        if zone.present:
            own = config_address(zone.name) if zone.kube_ovn else Address(zone.name, "name")
            yield from (_copied(view, zone, name, own) for name in names)
            yield from (_removed(zone.name, name, own) for name in gone)


def _copied(view: View, zone: zones.DeclaredZone, name: str, own: Address) -> Check:
    step, seen = restart_step(view, zone), view.facts.northbound.get(zone.name)
    without = not zone.kube_ovn and seen is not None and seen.transit(name) is None
    return Check(
        own,
        f"ovn-ic of {zone.name} has made the switch {name}",
        needed(name) | {own},
        in_zone(
            zone.name,
            lambda northbound: verdict(
                northbound.transit(name) is not None,
                f"{zone.name} has no switch for the transit switch {name}",
                step.cure,
            ),
        ),
        operator=step.needed,
        before=frozenset({port_address(zone.name, name)} if without else ()),
    )


def _removed(zone: str, name: str, own: Address) -> Check:
    return Check(
        own,
        f"ovn-ic of {zone} has removed the switch {name}",
        needed(name),
        in_zone(
            zone,
            lambda northbound: verdict(
                northbound.transit(name) is None,
                f"{zone} still has a switch for the transit switch {name}",
                ovn_ic_cure(zone),
            ),
        ),
    )


KIND = Kind(NAME, True, queries, desired, observed, effects, steps, checks)
