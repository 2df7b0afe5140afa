"""The switches that ovn-ic has copied into a zone: taken away where everything is taken apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from icplan.core.address import Address
from icplan.core.change import Change, Effect, Impact, Reason
from icplan.core.io import (
    NORTHBOUND,
    Database,
    Delete,
    Field,
    Operation,
    Precondition,
    Query,
    Transaction,
    equals,
)
from icplan.core.state import DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import known
from icplan.kinds.common import zones
from icplan.kinds.common.contract import MARK, Check, Kind, Step, Verdict, View
from icplan.kinds.common.evidence import in_zone, verdict
from icplan.kinds.common.residue import name_when_out, switched_off, switched_off_guard
from icplan.ovn.attachment import of_router
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import Northbound, Switch
from icplan.spec.load import Spec

NAME = "switch"
COPY_OF = "interconn-ts"


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the zones' switches are read for their ports."""
    return ()


def _left(view: View) -> dict[Address, tuple[zones.SeenZone, Switch]]:
    """The copies that stay in zones that are out.

    Without a name ovn-ic idles, and keeps them with the other zones' ports on them; of a Kube-OVN
    zone its controller takes them away when it is switched off (measured). One on which somebody
    has put a port of his own is left alone.
    """
    return {
        Address(zone.name, NAME, switch.name): (zone, switch)
        for zone, switch in _copies(view)
        if not _used(zone, switch, view.owner)
    }


def kept(view: View) -> Iterator[tuple[zones.SeenZone, Switch]]:
    """The copies that are left alone."""
    return ((zone, switch) for zone, switch in _copies(view) if _used(zone, switch, view.owner))


def _copies(view: View) -> Iterator[tuple[zones.SeenZone, Switch]]:
    for zone in zones.seen(view) if view.spec.destroyed else ():
        if zone.declared.kube_ovn and not _off(view, zone.name):
            continue
        for switch in zone.northbound.switches:
            if switch.transit_switch:
                yield zone, switch


def _off(view: View, zone: str) -> bool:
    return view.facts.unplannable(zone) is None and switched_off(view, zone)


def _used(zone: zones.SeenZone, switch: Switch, owner: str) -> bool:
    """Whether anything hangs on a switch but other zones' ports, and the zone's own."""
    seen = zone.northbound
    own = {
        one.switch_port.uuid for one in of_router(seen, switch.transit_switch, zone.declared.router)
    }
    return any(
        uuid not in seen.switch_ports
        or (
            seen.switch_ports[uuid].type != "remote"
            and seen.switch_ports[uuid].external_ids.get(MARK) != owner
        )
        for uuid in switch.ports - own
    )


def desired(view: View) -> dict[Address, Desired]:
    """Nothing of what everybody shared is left."""
    origin = view.spec.origin("transitSwitches")
    return {address: DeclaredAbsent(origin, Reason.DESTROYED) for address in _left(view)}


def observed(view: View) -> dict[Address, Observed]:
    """The copies."""
    return {
        address: Present(known(copy_of=switch.transit_switch), None)
        for address, (_, switch) in _left(view).items()
    }


def effects(change: Change, _view: View) -> Iterator[Effect]:
    """Nobody's traffic passes it any more."""
    zone = change.address.site
    sentence = f"ovn-ic made it, and leaves it in place once {zone} has no name any more"
    yield Effect(zone, Impact.NONE, sentence)


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write."""
    kube_ovn = change.address.site in view.facts.clusters
    guards = (switched_off_guard(change.address.site),) if kube_ovn else ()
    return (Step(operation(change, view), guards),)


def operation(change: Change, view: View) -> Operation:
    """The switch with all that is on it, while the zone has no name under which it comes back."""
    zone, switch = _left(view)[change.address]
    seen, where = zone.northbound, (equals("_uuid", switch.uuid),)
    preconditions = (
        Precondition(
            f"NB_Global of {zone.name}",
            "NB_Global",
            (equals("_uuid", seen.global_uuid),),
            ((Field("name"), name_when_out(view, zone)),),
        ),
        Precondition(
            f"Logical_Switch {switch.name}",
            "Logical_Switch",
            where,
            (
                (Field("name"), switch.name),
                (Field("other_config", COPY_OF), switch.transit_switch),
            ),
        ),
    )
    return Transaction(
        Database(zone.name, NORTHBOUND), preconditions, (Delete("Logical_Switch", where),)
    )


def checks(view: View) -> Iterator[Check]:
    """It is gone, and does not come back."""
    for address, (zone, switch) in _left(view).items():
        yield Check(
            address,
            f"{zone.name} has no switch {switch.name} any more",
            frozenset({address}),
            in_zone(zone.name, partial(_gone, address)),
        )


def _gone(address: Address, seen: Northbound) -> Verdict:
    return verdict(
        all(one.name != address.name or not one.transit_switch for one in seen.switches),
        f"{address.site} still has the switch {address.name}",
        f"see whether an ovn-ic runs in {address.site} that still has a name, and run icplan "
        "destroy again",
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
