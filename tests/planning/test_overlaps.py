"""Denials because of overlaps: what is about to be withheld elsewhere is no reason any more."""

from __future__ import annotations

import pytest

from icplan.kinds.common.withheld import overlap_denials, stale_denials
from icplan.planning.plan import Plan
from tests.planning.recorded_case import Altered

CASES = {"az1": "denylist/withheld-in-az1-for-az2", "az2": "denylist/withheld-in-az2-for-az1"}
PREFIX = "10.118.0.0/24"


def waves(made: Plan) -> list[list[str]]:
    return [[str(change.address) for change in wave.changes] for wave in made.waves]


@pytest.mark.parametrize("withholds", CASES)
@pytest.mark.parametrize("at_once", [1, 2])
def test_the_cure_is_planned_at_once_and_made_afterwards(withholds: str, at_once: int) -> None:
    denies = {"az1": "az2", "az2": "az1"}[withholds]
    altered = Altered(CASES[withholds]).says("limits: {", f"limits: {{zonesAtOnce: {at_once}, ")
    made = altered.plan()
    assert stale_denials(made.view, denies) == (PREFIX,)
    assert overlap_denials(made.view, denies) == ()
    assert waves(made) == [[f"{withholds}/subnet/copy"], [f"{denies}/denylist"]]


@pytest.mark.parametrize("withholds", CASES)
def test_what_is_not_withheld_is_a_reason(withholds: str) -> None:
    denies = {"az1": "az2", "az2": "az1"}[withholds]
    made = Altered(CASES[withholds]).says("    withhold: [copy]\n", "").plan()
    assert stale_denials(made.view, denies) == ()
    (one,) = overlap_denials(made.view, denies)
    assert (one.entry, one.zone, one.prefix) == (PREFIX, withholds, PREFIX)


def test_a_cure_in_the_zone_that_changes_alone_needs_no_wave_of_its_own() -> None:
    made = Altered("subnet_advertisement/withhold-taken-back").plan()
    assert waves(made) == [["az1/subnet/office", "az1/denylist"]]


def test_what_a_plain_zone_is_about_to_withhold_is_no_reason_either() -> None:
    altered = Altered("start/mixed-nothing-to-do")
    (row,) = altered.rows("az1/OVN_Northbound", "NB_Global")
    row["options"]["ic-route-blacklist"] += ",10.16.5.0/24"
    (port,) = (
        one
        for one in altered.rows("az2/OVN_Northbound", "Logical_Router_Port")
        if "10.17.0.1/16" in one["networks"]
    )
    port["networks"].append("10.16.5.1/24")
    route = dict(
        next(
            one
            for one in altered.rows("ic/OVN_IC_Southbound", "Route")
            if one["ip_prefix"].startswith("10.17.")
        )
    )
    altered.rows("ic/OVN_IC_Southbound", "Route").append(
        route | {"_uuid": "copy", "ip_prefix": "10.16.5.1/24"}
    )
    made = altered.plan()
    assert stale_denials(made.view, "az1") == ()
    assert [one.zone for one in overlap_denials(made.view, "az1")] == [
        "az2",
    ]
    altered.says("    router: router\n", "    router: router\n    withhold: [10.16.5.0/24]\n")
    made = altered.plan()
    assert stale_denials(made.view, "az1") == ("10.16.5.0/24",)
    assert waves(made) == [["az2/route-exchange"], ["az1/denylist"]]
