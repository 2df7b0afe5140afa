"""The name under which a plain OVN zone registers: NB_Global.name, and nothing else of it."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.commands import shown
from icplan.core.io import (
    NORTHBOUND,
    Database,
    Field,
    Operation,
    Precondition,
    Query,
    SetKeys,
    Transaction,
    Unreadable,
    Update,
    equals,
)
from icplan.core.state import Absent, Declared, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import known, plain
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import MARK, Check, Kind, View, one_step
from icplan.kinds.common.evidence import in_ic, ovn_ic_cure, verdict
from icplan.kinds.common.ovn_ic import RestartStep, restart_step
from icplan.kinds.common.routed import routed_texts
from icplan.ovn import northbound
from icplan.ovn.facts import Facts
from icplan.ovn.subnets import is_prefix
from icplan.spec.load import Spec

NAME = "name"


def address(zone: str) -> Address:
    """The address of a zone's name."""
    return Address(zone, NAME)


def queries(spec: Spec, facts: Facts | None) -> Iterator[Query]:
    """The zones' northbound databases, with the switches of all transit switches that exist."""
    switches = {*spec.interconnect.transit_switches.names}
    if facts is not None and facts.ic_northbound is not None:
        switches |= {one.name for one in facts.ic_northbound.transit_switches}
    for one in zones.plain(spec):
        texts = (*one.zone.withhold, *routed_texts(spec, one.name))
        by_name = any(not is_prefix(text) for text in texts)
        yield from northbound.queries(one.name, sorted(switches), switch_names=by_name)


def desired(view: View) -> dict[Address, Desired]:
    """Every present zone bears its name; a zone to be taken out loses it, if it is its own."""
    wanted: dict[Address, Desired] = {}
    for zone in zones.plain(view.spec):
        origin = zone.origin(view.spec, "name")
        if zone.present:
            wanted[address(zone.name)] = Declared(known(name=zone.name), origin)
        elif (seen := view.facts.northbound.get(zone.name)) and seen.name == zone.name:
            wanted[address(zone.name)] = DeclaredAbsent(origin)
    return wanted


def observed(view: View) -> dict[Address, Observed]:
    """The names that the databases hold."""
    states: dict[Address, Observed] = {}
    for zone in zones.plain(view.spec):
        unseen = view.facts.zone_unseen(zone.name)
        if unseen is not None:
            states[address(zone.name)] = unseen
            continue
        seen = view.facts.northbound[zone.name]
        mark = seen.external_ids.get(MARK)
        if not seen.global_uuid:
            states[address(zone.name)] = Unreadable(
                "its northbound database has no NB_Global row yet",
                "start ovn-northd there, or make it: "
                f"{shown(ovn(view.spec, zone, 'ovn-nbctl', 'init'))}",
            )
        elif seen.name or mark:
            states[address(zone.name)] = Present(known(name=seen.name), mark)
        else:
            states[address(zone.name)] = Absent()
    return states


def effects(change: Change, _view: View) -> Iterator[Effect]:
    """Registering harms nobody; leaving ends with it, when all traffic has been taken away."""
    zone = change.address.site
    if change.action is Action.DELETE:
        sentence = f"{zone} is no longer registered; its traffic ended before"
    elif change.differing:
        sentence = f"{zone} registers with the other zones; no traffic changes yet"
    else:
        return
    yield Effect(zone, Impact.NONE, sentence)


def operation(change: Change, view: View) -> Operation:
    """The write of the name and its mark."""
    zone = change.address.site
    seen = view.facts.northbound[zone]
    where = (equals("_uuid", seen.global_uuid),)
    precondition = Precondition(
        f"NB_Global of {zone}",
        "NB_Global",
        where,
        (
            (Field("name"), seen.name),
            (Field("external_ids", MARK), seen.external_ids.get(MARK)),
        ),
    )
    name, mark = ("", None)
    if change.after is not None:
        name, mark = str(plain(change.after, "name")), view.owner
    return Transaction(
        Database(zone, NORTHBOUND),
        (precondition,),
        (
            Update("NB_Global", where, {"name": name}),
            SetKeys("NB_Global", where, "external_ids", {MARK: mark}),
        ),
    )


def checks(view: View) -> Iterator[Check]:
    """Each zone is registered in the IC southbound database, or no longer."""
    for zone in zones.plain(view.spec):
        if zone.present:
            yield _registered(zone.name, restart_step(view, zone))
        else:
            yield _unregistered(zone.name)


def _registered(zone: str, step: RestartStep) -> Check:
    return Check(
        address(zone),
        f"{zone} is registered{step.claim}",
        frozenset({address(zone)}),
        in_ic(
            lambda ic: verdict(
                zone in ic.zones,
                f"{zone} is not registered in the IC southbound database",
                step.cure,
            )
        ),
        operator=step.needed,
    )


def _unregistered(zone: str) -> Check:
    return Check(
        address(zone),
        f"{zone} is no longer registered",
        frozenset({address(zone)}),
        in_ic(
            lambda ic: verdict(
                zone not in ic.zones,
                f"{zone} is still registered in the IC southbound database",
                ovn_ic_cure(zone),
            )
        ),
    )


KIND = Kind(NAME, True, queries, desired, observed, effects, one_step(operation), checks)
