"""Whether the file accepts what a rule finds, as far as it changes what a kind wants."""

from __future__ import annotations

from icplan.kinds.common.contract import View
from icplan.spec.load import Spec

OVERLAP = "IC018"
"""Two zones advertise overlapping prefixes; where it is waived, `overlap_place` says."""
UNKNOWN_KEY = "IC036"
"""A key in the ConfigMap that the controller does not know."""
STALE_DENIAL = "IC037"
"""A prefix that stays denied although nothing withholds it any more."""
ANOTHER_WAY = "IC066"
"""Somebody's route leads elsewhere what a route of the file leads, or a part of it."""


def overlap_place(spec: Spec, *names: str) -> str:
    """At which of the zones an overlap of theirs is waived: the last one by name.

    Only a zone of the file can have a waiver: one that is registered without being in it has none.
    """
    declared = {one.name for one in spec.interconnect.availability_zones}
    return max(names, key=lambda name: (name in declared, name))


def accepted(view: View, rule: str, zone: str) -> bool:
    """Whether a waiver of a rule holds at a zone on the day of the snapshot."""
    today = view.facts.observed_at[:10]
    return any(
        waiver.rule == rule
        and waiver.at == zone
        and (waiver.until is None or waiver.until.isoformat() >= today)
        for waiver in view.spec.interconnect.accept
    )
