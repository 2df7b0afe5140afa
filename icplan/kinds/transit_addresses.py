"""Addresses that two Kube-OVN zones have both drawn on a transit switch, and their cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from icplan.core.address import Address
from icplan.core.change import Change, Effect
from icplan.core.io import Query
from icplan.core.state import Declared, Desired, Observed, Present
from icplan.core.value import known, plain
from icplan.kinds.common import transit_evidence, zones
from icplan.kinds.common.contract import Check, Kind, Step, View
from icplan.kinds.common.controller import ADDRESSES_KIND, REBUILD_SECONDS, needs
from icplan.kinds.common.cures import (
    addresses_address,
    cures_all,
    cut_off,
    shared_addresses,
    switched_on,
)
from icplan.kinds.common.cycle import off_and_on
from icplan.kinds.common.transit_switches import needed
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

NAME = ADDRESSES_KIND
SHARED = "shared"
TRIES = 5
"""A zone draws one of 128 addresses of a /24: with 20 zones the fifth try fails too in one of
14,000 cases (computed)."""


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the interconnection databases are read for the transit switches."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """Nobody else has an address of the zone."""
    return {
        addresses_address(zone.name): Declared(known(**{SHARED: ()}), zone.origin(view.spec))
        for zone in zones.kube_ovn(view.spec)
        if switched_on(view, zone.name)
    }


def observed(view: View) -> dict[Address, Observed]:
    """The addresses that the zone is to give up."""
    states: dict[Address, Observed] = {}
    for zone in zones.kube_ovn(view.spec):
        if switched_on(view, zone.name):
            unseen = view.facts.unplannable(zone.name) or view.facts.ic_unseen()
            shared = tuple(map(str, shared_addresses(view, zone.name)))
            states[addresses_address(zone.name)] = unseen or Present(
                known(**{SHARED: shared}), view.owner
            )
    return states


def effects(change: Change, view: View) -> Iterator[Effect]:
    """Until it has another address, each of the two learns the other's routes through itself."""
    zone = change.address.site
    shared = plain(change.before or {}, SHARED)
    listed = ", ".join(shared) if isinstance(shared, tuple) else ""
    yield cut_off(
        view,
        zone,
        f"{zone} has drawn an address that another zone has ({listed}), and the two do not reach "
        f"each other: {zone} is switched off and on again until it draws another one, at most "
        f"{TRIES} times; each time it is cut off from all other zones for {REBUILD_SECONDS}",
    )


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """Off and on, until nobody else has its addresses."""
    zone = change.address.site
    if cures_all(view, zone) != NAME:
        return ()
    off, on = off_and_on(view, zone)
    fresh, alone = tuple(_published(view, zone)), tuple(_unique(view, zone))
    result: list[Step] = []
    for number in range(TRIES):
        result.append(replace(off, unless=alone, skips=1) if number else off)
        result.append(replace(on, awaits=fresh))
    return tuple(result)


def _switches(view: View) -> tuple[str, ...]:
    return view.spec.interconnect.transit_switches.names


def _published(view: View, zone: str) -> Iterator[Check]:
    for switch in _switches(view):
        yield transit_evidence.published(addresses_address(zone), zone, switch, needs(zone))


def _unique(view: View, zone: str) -> Iterator[Check]:
    for switch in _switches(view):
        cure = (
            "icplan plan shows the cure: one of the two is switched off and on again, and its "
            "controller draws another address"
        )
        own = addresses_address(zone)
        yield transit_evidence.unique(own, zone, switch, needs(zone) | needed(switch), cure)


def checks(view: View) -> Iterator[Check]:
    """Nobody else has the zone's address on a switch."""
    for zone in zones.kube_ovn(view.spec):
        if zone.present:
            yield from _unique(view, zone.name)


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
