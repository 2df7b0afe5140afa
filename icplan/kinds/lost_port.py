"""Ports of a Kube-OVN zone that somebody deleted behind its controller's back, and their cure."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.change import Change, Effect
from icplan.core.io import Query
from icplan.core.state import Declared, Desired, Observed, Present
from icplan.core.value import known, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Kind, Step, View
from icplan.kinds.common.controller import PORTS_KIND, REBUILD_SECONDS, described
from icplan.kinds.common.cures import cures_all, cut_off, lost_ports, ports_address, switched_on
from icplan.kinds.common.cycle import off_and_on
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

NAME = PORTS_KIND
LOST = "lost"


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: all that it looks at is read for the ConfigMaps."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """No port has gone."""
    return {
        ports_address(zone.name): Declared(known(**{LOST: ()}), zone.origin(view.spec))
        for zone in zones.kube_ovn(view.spec)
        if switched_on(view, zone.name)
    }


def observed(view: View) -> dict[Address, Observed]:
    """The transit switches on which it has."""
    states: dict[Address, Observed] = {}
    for zone in zones.kube_ovn(view.spec):
        if switched_on(view, zone.name):
            states[ports_address(zone.name)] = view.facts.zone_unseen(zone.name) or Present(
                known(**{LOST: lost_ports(view, zone.name)}), view.owner
            )
    return states


def effects(change: Change, view: View) -> Iterator[Effect]:
    """A controller that was told nothing new does not look whether its ports are there."""
    zone = zones.find_cluster(view, change.address.site)
    switches = plain(change.before or {}, LOST)
    listed = ", ".join(switches) if isinstance(switches, tuple) else ""
    yield cut_off(
        view,
        zone.name,
        f"{zone.name} has lost its port on {listed}, where no traffic passes since then; "
        f"{described(zone.cluster)} makes it anew when the interconnection is switched off and on "
        f"again: {zone.name} is cut off for {REBUILD_SECONDS}, and its addresses change",
    )


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """Off, until the controller has taken everything down, and on again."""
    zone = change.address.site
    return off_and_on(view, zone) if cures_all(view, zone) == NAME else ()


def checks(_view: View) -> Iterator[Check]:
    """None of its own: the ConfigMap's are about each port."""
    return iter(())


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
