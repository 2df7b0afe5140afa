"""What a Kube-OVN zone's controller denies for no reason any more, and its cure."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.change import Change, Effect, Impact
from icplan.core.io import Query
from icplan.core.state import Declared, Desired, Observed, Present
from icplan.core.value import known, plain
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import data, kept
from icplan.kinds.common.contract import Check, Held, Kind, Missing, Step, Verdict, View
from icplan.kinds.common.controller import (
    ENABLE,
    REBUILD_SECONDS,
    config_address,
    described,
    guard,
    replaced,
    taken_down,
)
from icplan.kinds.common.waivers import OVERLAP, STALE_DENIAL, accepted
from icplan.kinds.common.withheld import overlap_denials, stale_denials
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

NAME = "denylist"
STALE = "stale-entries"


def address(zone: str) -> Address:
    """The address of a zone's denylist."""
    return Address(zone, NAME)


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: all that it looks at is read for the ConfigMaps."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """Nothing is denied without a reason, unless the file accepts that it stays so."""
    return {
        address(zone.name): Declared(known(**{STALE: ()}), zone.origin(view.spec, "withhold"))
        for zone in _minded(view)
    }


def _minded(view: View) -> Iterator[zones.DeclaredZone]:
    return (
        zone
        for zone in zones.kube_ovn(view.spec)
        if zone.present and not accepted(view, STALE_DENIAL, zone.name)
    )


def observed(view: View) -> dict[Address, Observed]:
    """What is denied without a reason."""
    states: dict[Address, Observed] = {}
    for zone in _minded(view):
        unseen = view.facts.cluster_unseen(zone.name) or view.facts.zone_unseen(zone.name)
        states[address(zone.name)] = unseen or Present(
            known(**{STALE: stale_denials(view, zone.name)}), view.owner
        )
    return states


def effects(change: Change, view: View) -> Iterator[Effect]:
    """The cure is an outage: only switching the zone off and on makes its controller forget."""
    zone = zones.find_cluster(view, change.address.site)
    entries = plain(change.before or {}, STALE)
    listed = ", ".join(entries) if isinstance(entries, tuple) else ""
    yield Effect(
        zone.name,
        Impact.OUTAGE,
        f"{described(zone.cluster)} keeps denying {listed} without a reason until the "
        f"interconnection is switched off and on again: {zone.name} is cut off for "
        f"{REBUILD_SECONDS}, and its addresses change",
    )


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """Off, until the controller has taken everything down, and on again."""
    zone = zones.find_cluster(view, change.address.site)
    found = zone.cluster.config
    if found is None:
        raise AssertionError("a denylist without a ConfigMap")
    on = {**kept(view, zone.name, found), **data(view.spec, zone.declared)}
    off = on | {ENABLE: "false"}
    guards, owner = (guard(zone.name),), view.owner
    first = replaced(zone.name, found, on, off, mark=owner, owner=owner)
    second = replaced(zone.name, found, off, on, mark=owner, owner=owner)
    return (Step(first, guards, (taken_down(zone.name),)), Step(second, guards))


def checks(view: View) -> Iterator[Check]:
    """No controller denies what it has no reason to deny."""
    for zone in _minded(view):
        yield _forgotten(view.spec, zone.name)


def _forgotten(spec: Spec, zone: str) -> Check:
    def test(facts: Facts) -> Verdict:
        unseen = facts.cluster_unseen(zone) or facts.zone_unseen(zone)
        if unseen is not None:
            return unseen
        view = View(spec, facts)
        if stale := stale_denials(view, zone):
            return Missing(
                f"{zone} denies {', '.join(stale)}, which nothing withholds any more",
                "run icplan plan: it shows the cure, which switches the zone off and on again",
            )
        if overlaps := overlap_denials(view, zone):
            entries = dict.fromkeys(one.entry for one in overlaps)
            causes = dict.fromkeys(f"{one.prefix} of {one.zone}" for one in overlaps)
            places = sorted({max(zone, one.zone) for one in overlaps})
            return Missing(
                f"{zone} denies {', '.join(entries)} because of an overlap with "
                f"{', '.join(causes)}",
                "take one of the two away or withhold it, then run icplan plan: it shows how the "
                f"controller is made to forget; or accept {OVERLAP} at {', '.join(places)}",
            )
        return Held()

    return Check(
        address(zone),
        f"{zone} denies nothing without a reason",
        frozenset({address(zone), config_address(zone)}),
        test,
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks)
