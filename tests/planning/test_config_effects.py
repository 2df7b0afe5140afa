"""What a changed ConfigMap, or another set of transit switches, is said to do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from icplan.core.change import Impact
from tests.planning.recorded_case import Altered, effects, outages

CASE = "ic_config/nothing-to-do"
AZ1 = "gatewayNodes: [az1-gw1, az1-gw2]"
BEGINS = "afterwards it and the other zones learn each other's subnets"
ENDS = "afterwards it exchanges no routes"

# auto-route


@pytest.mark.parametrize(
    ("before", "automatic", "said"),
    [
        ("true", False, {ENDS}),
        ("false", True, {BEGINS}),
        # Only exactly "true" advertises and learns.
        ("True", True, {BEGINS}),
        (None, True, {BEGINS}),
        ("True", False, set()),
        ("", False, set()),
        (None, False, set()),
    ],
)
def test_routes_begin_and_end_by_exactly_one_text(
    before: str | None, automatic: bool, said: set[str]
) -> None:
    altered = Altered(CASE)
    altered.config("az1").pop("auto-route")
    if before is not None:
        altered.config("az1")["auto-route"] = before
    if not automatic:
        altered.says(AZ1, f"{AZ1}\n    routePolicy: manual")
    (effect,) = effects(altered.plan(), "az1")
    assert effect.impact is Impact.OUTAGE
    assert {one for one in (BEGINS, ENDS) if one in effect.sentence} == said
    assert effect.by_file == (said == {ENDS})
    (group,) = altered.plan().consequences.groups
    # What is registered says that both advertise today, whatever the text is.
    assert group.outcome == ("interrupted" if automatic else "cut off for good")


# enable-ic


@pytest.mark.parametrize(
    ("text", "ports", "joins"),
    [
        ("false", True, True),
        ("False", True, False),
        # A first enable by such a text fails for ever, so there is nothing to take down.
        ("False", False, True),
        (None, True, False),
        (None, False, True),
    ],
)
def test_a_zone_joins_when_it_was_not_in(text: str | None, ports: bool, joins: bool) -> None:
    altered = Altered(CASE)
    config = altered.config("az1")
    config.pop("enable-ic")
    config |= {} if text is None else {"enable-ic": text}
    if not ports:
        found = altered.rows("az1/OVN_Northbound", "Logical_Router_Port")
        found[:] = [one for one in found if one["name"] != "az1-ts"]
    (effect,) = effects(altered.plan(), "az1")
    assert (" joins: " in effect.sentence) == joins
    assert (effect.impact is Impact.NONE) == joins


# az-name


def test_a_new_name_comes_with_what_ovn_controllers_may_need() -> None:
    altered = Altered(CASE)
    altered.config("az1")["az-name"] = "west"
    (one,) = outages(altered.plan(), "az1")
    assert "it registers anew as az1" in one
    assert "`ovn-appctl -t ovn-controller inc-engine/recompute`" in one


# The set of transit switches


def vendorless(tags: Mapping[str, str]) -> Altered:
    """The switch lacks its vendor, so that newer controllers do not see it."""
    altered = Altered(CASE)
    (row,) = altered.rows("ic/OVN_IC_Northbound", "Transit_Switch")
    del row["external_ids"]["vendor"]
    for zone, tag in tags.items():
        altered.tag(zone, tag)
    return altered


def told(altered: Altered, *without: str) -> dict[str, str]:
    """The zones with an outage, and whether it is certain."""
    return {
        one.zone: "may be" if "may be" in one.sentence else "is"
        for one in effects(altered.plan(*without))
        if one.impact is Impact.OUTAGE
    }


@pytest.mark.parametrize(
    ("tag", "said"),
    [("v1.17.0", {"az1": "is"}), ("v1.15.23", {}), ("latest", {"az1": "may be"})],
)
def test_a_missing_vendor_shows_a_switch_to_newer_controllers_alone(
    tag: str, said: dict[str, str]
) -> None:
    tags = {"az1": tag, "az2": "v1.15.23"}
    assert told(vendorless(tags)) == said


@pytest.mark.parametrize(
    ("tag", "said"),
    [("v1.17.0", {}), ("v1.15.23", {"az1": "is"}), ("latest", {"az1": "may be"})],
)
def test_a_switch_without_vendor_is_missed_by_older_controllers_alone(
    tag: str, said: dict[str, str]
) -> None:
    altered = Altered(CASE).tag("az1", tag).tag("az2", "v1.17.0")
    switches = altered.rows("ic/OVN_IC_Northbound", "Transit_Switch")
    extra = {"subnet": "169.254.107.0/24", "icplan": "prod"}
    switches.append({"_uuid": "seven", "name": "ts7", "external_ids": extra})
    assert told(altered) == said
    extra["vendor"] = "kube-ovn"
    assert told(altered) == {"az1": "is", "az2": "is"}


def test_who_is_registered_and_not_in_the_file_may_be_rebuilt() -> None:
    altered = Altered("transit_switch/with-an-undeclared-zone")
    assert told(altered) == {"az1": "is", "az2": "may be"}
    # One that is being renamed is no stranger.
    (row,) = altered.rows("az1/OVN_Northbound", "NB_Global")
    row["name"] = "az2"
    assert [one.zone for one in effects(altered.plan())] == ["az1"]
    # And nobody feels it when the stranger reaches nobody.
    row["name"] = "az1"
    routes = altered.rows("ic/OVN_IC_Southbound", "Route")
    routes[:] = [one for one in routes if not one["ip_prefix"].startswith("10.17.")]
    assert {*told(altered)} == set()
    assert [one.zone for one in effects(altered.plan())] == ["az1", "az2"]
