"""What a Kube-OVN zone's controller denies for no reason any more, and its cure."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.change import Change, Effect
from icplan.core.io import Query
from icplan.core.state import Declared, Desired, Observed, Present
from icplan.core.value import known, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Held, Kind, Missing, Step, Verdict, View
from icplan.kinds.common.controller import DENYLIST_KIND, REBUILD_SECONDS, described, needs
from icplan.kinds.common.cures import cures_all, cut_off, denylist_address, stale, switched_on
from icplan.kinds.common.cycle import off_and_on
from icplan.kinds.common.waivers import OVERLAP, STALE_DENIAL, accepted, overlap_place
from icplan.kinds.common.withheld import overlap_denials, stale_denials
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec

NAME = DENYLIST_KIND
STALE = "stale-entries"


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: all that it looks at is read for the ConfigMaps."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """Nothing is denied without a reason, unless the file accepts that it stays so."""
    return {
        denylist_address(zone.name): Declared(
            known(**{STALE: ()}), zone.origin(view.spec, "withhold")
        )
        for zone in _minded(view)
        if switched_on(view, zone.name)
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
        if switched_on(view, zone.name):
            states[denylist_address(zone.name)] = view.facts.zone_unseen(zone.name) or Present(
                known(**{STALE: stale(view, zone.name)}), view.owner
            )
    return states


def effects(change: Change, view: View) -> Iterator[Effect]:
    """The cure is an outage: only switching the zone off and on makes its controller forget."""
    zone = zones.find_cluster(view, change.address.site)
    entries = plain(change.before or {}, STALE)
    listed = ", ".join(entries) if isinstance(entries, tuple) else ""
    yield cut_off(
        view,
        zone.name,
        f"{described(zone.cluster)} keeps denying {listed} without a reason until the "
        f"interconnection is switched off and on again: {zone.name} is cut off for "
        f"{REBUILD_SECONDS}, and its addresses change",
    )


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """Off, until the controller has taken everything down, and on again."""
    zone = change.address.site
    return off_and_on(view, zone) if cures_all(view, zone) == NAME else ()


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
        if denied := stale_denials(view, zone):
            return Missing(
                f"{zone} denies {', '.join(denied)}, which nothing withholds any more",
                "run icplan plan: it shows the cure, which switches the zone off and on again",
            )
        if overlaps := overlap_denials(view, zone):
            entries = dict.fromkeys(one.entry for one in overlaps)
            causes = dict.fromkeys(f"{one.prefix} of {one.zone}" for one in overlaps)
            places = sorted({overlap_place(spec, zone, one.zone) for one in overlaps})
            return Missing(
                f"{zone} denies {', '.join(entries)} because of an overlap with "
                f"{', '.join(causes)}",
                "take one of the two away or withhold it, then run icplan plan: it shows how the "
                f"controller is made to forget; or accept {OVERLAP} at {', '.join(places)}",
            )
        return Held()

    return Check(
        denylist_address(zone),
        f"{zone} denies nothing without a reason",
        needs(zone),
        test,
    )


KIND = Kind(NAME, False, queries, desired, observed, effects, steps, checks, afterwards=True)
