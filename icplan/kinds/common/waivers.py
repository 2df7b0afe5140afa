"""Whether the file accepts what a rule finds, as far as it changes what a kind wants."""

from __future__ import annotations

from icplan.kinds.common.contract import View

OVERLAP = "IC018"
"""Two zones advertise overlapping prefixes; it is waived at the zone whose name comes last."""
UNKNOWN_KEY = "IC036"
"""A key in the ConfigMap that the controller does not know."""
STALE_DENIAL = "IC037"
"""A prefix that stays denied although nothing withholds it any more."""


def accepted(view: View, rule: str, zone: str) -> bool:
    """Whether a waiver of a rule holds at a zone on the day of the snapshot."""
    today = view.facts.observed_at[:10]
    return any(
        waiver.rule == rule
        and waiver.at == zone
        and (waiver.until is None or waiver.until.isoformat() >= today)
        for waiver in view.spec.interconnect.accept
    )
