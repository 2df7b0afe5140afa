"""All cases, in the order of the sections."""

from __future__ import annotations

from tests.conformance import changes, config_map, creations, manual_routes, transit_switches
from tests.conformance.case import Case

CASES: tuple[Case, ...] = (
    *config_map.CASES,
    *changes.CASES,
    *creations.CASES,
    *transit_switches.CASES,
    *manual_routes.CASES,
)
