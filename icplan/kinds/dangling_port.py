"""Ports that a Kube-OVN zone's controller made under a former name, and forgot. Takes them away."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from icplan.core.address import Address
from icplan.core.change import Change, Effect, Impact, Reason
from icplan.core.io import (
    NORTHBOUND,
    Database,
    Field,
    Link,
    Operation,
    Precondition,
    Query,
    Transaction,
    equals,
)
from icplan.core.state import DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import known
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Kind, Verdict, View, one_step
from icplan.kinds.common.evidence import in_zone, verdict
from icplan.kinds.common.residue import dangling_ports
from icplan.kinds.common.transit_address import bare
from icplan.ovn.attachment import Attachment
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import Northbound
from icplan.spec.load import Spec

NAME = "dangling-port"


def _found(view: View) -> dict[Address, tuple[zones.SeenCluster, Attachment]]:
    return {
        Address(zone.name, NAME, one.switch_port.name): (zone, one)
        for zone, one in dangling_ports(view)
    }


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the zones' ports are read for their ConfigMaps."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """There is no such port."""
    return {
        address: DeclaredAbsent(zone.declared.origin(view.spec, "name"), Reason.ORPHANED)
        for address, (zone, _) in _found(view).items()
    }


def observed(view: View) -> dict[Address, Observed]:
    """Both of its ends."""
    return {
        address: Present(
            known(
                switch=one.switch.name,
                router_port=one.router_port.name,
                networks=one.router_port.networks,
            ),
            None,
        )
        for address, (_, one) in _found(view).items()
    }


def effects(change: Change, view: View) -> Iterator[Effect]:
    """Its addresses go with it; what people route there by hand is told beside it."""
    zone, one = _found(view)[change.address]
    yield Effect(
        zone.name,
        Impact.NONE,
        f"the controller of {zone.name} made it under a name that {zone.name} does not have any "
        "more, and does not look after it",
        gives_up=tuple(bare(network) for network in one.router_port.networks),
    )


def operation(change: Change, view: View) -> Operation:
    """Both ends at once: ports are no root rows, and go with the references to them."""
    zone, one = _found(view)[change.address]
    switch_port, router_port = one.switch_port, one.router_port
    seen = view.facts.northbound[zone.name]
    preconditions = (
        Precondition(
            f"NB_Global of {zone.name}",
            "NB_Global",
            (equals("_uuid", seen.global_uuid),),
            ((Field("name"), seen.name),),
        ),
        Precondition(
            f"Logical_Switch_Port {switch_port.name}",
            "Logical_Switch_Port",
            (equals("_uuid", switch_port.uuid),),
            (
                (Field("name"), switch_port.name),
                (Field("options", "router-port"), router_port.name),
            ),
        ),
        Precondition(
            f"Logical_Router_Port {router_port.name}",
            "Logical_Router_Port",
            (equals("_uuid", router_port.uuid),),
            ((Field("name"), router_port.name), (Field("networks"), router_port.networks)),
        ),
    )
    writes = (
        _unlink("Logical_Switch", one.switch.uuid, switch_port.uuid),
        _unlink("Logical_Router", one.router.uuid, router_port.uuid),
    )
    return Transaction(Database(zone.name, NORTHBOUND), preconditions, writes)


def _unlink(table: str, parent: str, port: str) -> Link:
    return Link(table, (equals("_uuid", parent),), "ports", remove=(port,))


def checks(view: View) -> Iterator[Check]:
    """It is gone."""
    for address, (zone, _) in _found(view).items():
        yield Check(
            address,
            f"{zone.name} has no port {address.name} any more",
            frozenset({address}),
            in_zone(zone.name, partial(_gone, address)),
        )


def _gone(address: Address, seen: Northbound) -> Verdict:
    return verdict(
        all(one.name != address.name for one in seen.switch_ports.values()),
        f"{address.site} still has the port {address.name}",
        "icplan plan shows it, icplan apply takes it away",
    )


KIND = Kind(
    NAME,
    prerequisite=True,
    queries=queries,
    desired=desired,
    observed=observed,
    effects=effects,
    steps=one_step(operation),
    checks=checks,
    takes_away=lambda _: False,
    residue=True,
)
