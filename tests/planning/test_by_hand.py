"""Routes that people made by hand: what takes an address away says whom that cuts off."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from icplan.core.change import Impact
from icplan.kinds.common.contract import Held, Missing
from icplan.planning.plan import Plan
from icplan.planning.verdicts import LIMIT, PROTECTED, WITHOUT
from icplan.run.verify import verify
from tests.planning.recorded_case import Altered, Json, codes, effects, outages

# az2 is manual and reaches az1 by 10.16.0.0/16 over 169.254.100.21.
CASE = "ic_config/with-a-route-by-hand"
LOST = (
    "10.16.0.0/16 by hand in az2 over 169.254.100.21 of az1 leads nowhere until it is rewritten: "
    "az1 does not keep that address"
)
AZ1 = "gatewayNodes: [az1-gw1, az1-gw2]"
TURNED = "gatewayNodes: [az1-gw2, az1-gw1]"


def gateways(tag: str) -> Altered:
    return Altered(CASE).says(AZ1, TURNED).tag("az1", tag)


def unknown_key() -> Altered:
    altered = Altered(CASE)
    altered.config("az1")["gw-node"] = "az1-gw1"
    return altered


def denied() -> Altered:
    """az1's controller denies its office for no reason any more."""
    altered = Altered(CASE)
    (row,) = altered.rows("az1/OVN_Northbound", "NB_Global")
    row["options"]["ic-route-blacklist"] += ",10.116.0.0/24"
    return altered


READDRESSED: dict[str, Callable[[], Altered]] = {
    "gateways, older": lambda: gateways("v1.15.23"),
    "gateways, unknown": lambda: gateways("latest"),
    "an unknown key": unknown_key,
    "no routes any more": lambda: Altered(CASE).says(AZ1, f"{AZ1}\n    routePolicy: manual"),
    "another database": lambda: Altered(CASE).says("hosts: [127.0.0.1]", "hosts: [127.0.0.2]"),
    "another switch": lambda: Altered(CASE).says("transitSwitches: 1", "transitSwitches: 2"),
    "a sticky denial": denied,
}


def groups(made: Plan) -> list[tuple[str, tuple[str, ...], str]]:
    return [(one.zone, one.peers, one.outcome) for one in made.consequences.groups]


@pytest.mark.parametrize("change", READDRESSED.values(), ids=READDRESSED)
def test_whatever_gives_a_zone_other_addresses_breaks_routes_to_it(
    change: Callable[[], Altered],
) -> None:
    made = change().plan()
    assert LOST in outages(made, "az2")
    assert made.consequences.disrupted == ("az1", "az2")
    assert LIMIT in codes(made)
    protected = change().says("  - name: az2\n", "  - name: az2\n    protected: true\n").plan()
    assert PROTECTED in codes(protected)


def test_only_the_pair_is_hit() -> None:
    made = unknown_key().plan()
    assert groups(made) == [
        ("az1", ("az2",), "interrupted"),
        ("az2", ("az1",), "some subnets lost"),
    ]
    (one,) = (one for one in effects(made, "az2") if one.impact is Impact.OUTAGE)
    assert one.prefixes == ("10.16.0.0/16",)


def test_gateways_that_change_in_place_keep_the_address() -> None:
    assert outages(gateways("v1.17.0").plan()) == []


def test_what_was_never_read_is_feared_where_nothing_but_routes_by_hand_can_be() -> None:
    made = unknown_key().plan("az2")
    (verdict,) = (one for one in made.verdicts if one.code == WITHOUT)
    assert verdict.at == "az2"
    told = [one.sentence for one in effects(made, "az2")]
    assert "what leads over 169.254.100.21 of az1 leads nowhere until it is rewritten" in told[0]
    automatic = unknown_key().says("    routePolicy: manual\n", "")
    assert WITHOUT not in codes(automatic.plan("az2"))
    unregistered = unknown_key()
    unregistered.rows("ic/OVN_IC_Southbound", "Port_Binding").clear()
    assert WITHOUT not in codes(unregistered.plan("az2"))


def test_of_a_zone_that_is_not_in_the_file_it_may_be_so() -> None:
    altered = Altered(CASE).says("transitSwitches: 1", "transitSwitches: 2")
    start = altered.text.index("  - name: az1")
    altered.text = altered.text[:start] + altered.text[altered.text.index("  - name: az2") :]
    for database in ("Northbound", "Southbound"):
        del altered.snapshot["databases"][f"az1/OVN_{database}"]
    assert LOST.replace("does not", "may not") in outages(altered.plan(), "az2")


def test_many_prefixes_are_one_sentence() -> None:
    altered = unknown_key()
    (router,) = altered.rows("az2/OVN_Northbound", "Logical_Router")
    routes = altered.rows("az2/OVN_Northbound", "Logical_Router_Static_Route")
    (first,) = (one for one in routes if not one["external_ids"])
    for number in (7, 5, 6):
        copy = first | {"_uuid": f"route {number}", "ip_prefix": f"10.{number}.0.0/16"}
        routes.append(copy)
        router["static_routes"].append(copy["_uuid"])
    (one,) = outages(altered.plan(), "az2")
    assert one.startswith("10.5.0.0/16, 10.6.0.0/16, 10.7.0.0/16 and 1 more by hand in az2 over ")
    assert "lead nowhere until they are rewritten" in one


# Plain zones: icplan itself gives and takes the addresses


def by_hand(altered: Altered, zone: str, prefix: str, hop: str) -> Altered:
    """Somebody made a route."""
    path = f"{zone}/OVN_Northbound"
    row: Json = {"_uuid": f"{prefix} over {hop}", "ip_prefix": prefix, "nexthop": hop}
    row |= {"external_ids": {}, "policy": None, "route_table": ""}
    altered.rows(path, "Logical_Router_Static_Route").append(row)
    (router,) = (one for one in altered.rows(path, "Logical_Router") if one["name"] == "router")
    router["static_routes"].append(row["_uuid"])
    return altered


def test_a_plain_zone_s_address_that_is_repaired_is_one_that_is_given_up() -> None:
    altered = by_hand(Altered("transit_port/drift-address"), "az2", "10.99.0.0/16", "169.254.100.9")
    made = altered.plan()
    (one,) = outages(made, "az2")
    assert one.startswith("10.99.0.0/16 by hand in az2 over 169.254.100.9 of az1 leads nowhere")
    assert groups(made) == [("az2", ("az1",), "some subnets lost")]
    kept = by_hand(Altered("transit_port/drift-mac"), "az2", "10.99.0.0/16", "169.254.100.150")
    assert outages(kept.plan()) == []


def test_a_switch_that_is_taken_away_takes_its_addresses_along() -> None:
    altered = Altered("transit_switch/two-to-one")
    ports = altered.rows("az1/OVN_Northbound", "Logical_Router_Port")
    (network,) = next(one["networks"] for one in ports if one["name"] == "az1-ts1")
    address = network.partition("/")[0]
    made = by_hand(altered, "az2", "10.99.0.0/16", address).plan()
    (one,) = outages(made, "az2")
    assert one.startswith(f"10.99.0.0/16 by hand in az2 over {address} of az1 leads nowhere")


def test_whoever_is_not_concerned_is_not_counted() -> None:
    altered = Altered("limits/one-of-three-leaves").says("    state: absent\n", "")
    ports = altered.rows("az1/OVN_Northbound", "Logical_Router_Port")
    for port in ports:
        if port["name"] == "az1-ts":
            port["networks"] = ["169.254.100.9/24"]
    made = by_hand(altered, "az3", "10.99.0.0/16", "169.254.100.9").plan()
    assert groups(made) == [("az3", ("az1",), "some subnets lost")]
    assert (made.consequences.pairs_hit, made.consequences.pairs) == (1, 3)


# What verify says


NOWHERE = "every route by hand of az2 that led nowhere was rewritten"
CLAIM = "every route by hand of az2 leads to a zone (your step: rewrite what does not)"


def test_a_route_by_hand_is_part_of_the_evidence() -> None:
    made = Altered(CASE).plan()
    (check,) = (one for one in made.checks if "by hand" in one.claim)
    assert (check.claim, check.operator) == (CLAIM, True)
    assert check.holds(made.view.facts) == Held()
    assert all(one.site in {"az1", "az2", "ic"} for one in check.needs)


@pytest.mark.parametrize(
    ("hop", "leads"),
    [
        ("169.254.100.21", True),
        ("169.254.100.99", False),
        # Its own address is no way to anybody.
        ("169.254.100.22", False),
        # Somewhere else than into a transit switch: nobody's concern.
        ("100.65.0.2", True),
    ],
)
def test_a_route_by_hand_leads_to_somebody(hop: str, leads: bool) -> None:
    altered = Altered(CASE)
    routes = altered.rows("az2/OVN_Northbound", "Logical_Router_Static_Route")
    (route,) = (one for one in routes if not one["external_ids"])
    route["nexthop"] = hop
    made = altered.plan()
    missing = {check.claim: why for check, why in verify(made).missing}
    assert (NOWHERE not in missing) == leads
    # It is no matter of a plan that found it so: apply does not wait for it.
    assert NOWHERE not in {check.claim for wave in made.waves for check in wave.awaits}
    assert CLAIM not in missing
    if not leads:
        why = missing[NOWHERE]
        assert isinstance(why, Missing)
        assert why.why.endswith(f"10.16.0.0/16 over {hop}")
        assert f"ovn-nbctl --no-leader-only lr-route-del ovn-cluster 10.16.0.0/16 {hop}" in why.cure


def test_an_apply_waits_for_its_author() -> None:
    made = unknown_key().plan()
    assert CLAIM in {check.claim for wave in made.waves for check in wave.awaits}
