"""Routes of the file: what they mean, where they lead, and what a plan does about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from icplan.backends.codec import ColumnType, encode
from icplan.core import snapshot as snapshots
from icplan.core.address import Address
from icplan.core.change import Action, Change
from icplan.core.io import Insert, Transaction, Update, settled
from icplan.core.value import Known, Later
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Held, Missing, Step
from icplan.ovn.facts import decode
from icplan.planning.digest import digest
from icplan.planning.plan import Plan
from icplan.run.verify import verify
from tests.planning.recorded_case import Altered, Json, codes, outages

PLAIN = "manual_route/nothing-to-do"
CLUSTERS = "manual_route/clusters-nothing-to-do"
OLDER = "manual_route/clusters-gateways-older"
THERE = Address("az1", "route", "10.17.0.0/16@ts")
BACK = Address("az2", "route", "10.16.0.0/16@ts")
ROUTE = "Logical_Router_Static_Route"


def change(made: Plan, address: Address) -> Change:
    (found,) = (one for one in made.changes if one.address == address)
    return found


def changes(made: Plan) -> dict[str, Action]:
    return {str(one.address): one.action for one in made.changes}


def step(made: Plan, address: Address) -> Step:
    (found,) = kind_of(address.kind).steps(change(made, address), made.view)
    return found


def route(altered: Altered, zone: str) -> Json:
    """The row of ours in a zone."""
    found = altered.rows(f"{zone}/OVN_Northbound", ROUTE)
    (row,) = (one for one in found if "icplan" in one["external_ids"])
    return row


def add(altered: Altered, zone: str, **columns: object) -> Json:
    """A further row beside ours."""
    row = route(altered, zone) | {"_uuid": f"row {len(columns)}"} | columns
    path = f"{zone}/OVN_Northbound"
    altered.rows(path, ROUTE).append(row)
    for router in altered.rows(path, "Logical_Router"):
        if router["name"] in {"router", "ovn-cluster"}:
            router["static_routes"].append(row["_uuid"])
    return row


# What is only known later


def test_a_zone_that_draws_anew_has_its_address_later() -> None:
    made = Altered(OLDER).plan()
    hop = (change(made, THERE).after or {})["next-hop"]
    assert hop == Later(
        "address of ts-az2 on ts", Address("az2", "ic-config"), "in 169.254.100.0/24 and unique"
    )
    order = [str(one.address) for one in made.changes]
    assert order == ["az2/ic-config", str(THERE)]
    assert made.consequences.disrupted == ("az2",)


def test_one_that_has_no_port_yet_is_waited_for_although_nothing_is_planned_there() -> None:
    altered = Altered(CLUSTERS)
    route(altered, "az1")["nexthop"] = "169.254.100.77"
    for table in ("Logical_Router_Port", "Logical_Switch_Port"):
        altered.rows("az2/OVN_Northbound", table).clear()
    ports = altered.rows("ic/OVN_IC_Southbound", "Port_Binding")
    ports[:] = [one for one in ports if one["logical_port"] != "ts-az2"]
    made = altered.plan()
    assert changes(made) == {str(THERE): Action.UPDATE}
    hop = (change(made, THERE).after or {})["next-hop"]
    assert isinstance(hop, Later)
    assert hop.source == Address("az2", "ic-config")


def test_a_write_that_is_not_settled_cannot_be_sent() -> None:
    found = step(Altered(OLDER).plan(), THERE)
    (resolution,) = found.resolutions
    with pytest.raises(KeyError):
        settled(found.operation, {})
    sent = settled(found.operation, {resolution.later: "169.254.100.55"})
    assert isinstance(sent, Transaction)
    hops = [one.columns["nexthop"] for one in sent.writes if isinstance(one, Update)]
    assert hops == ["169.254.100.55"]
    with pytest.raises(ValueError, match="not known yet: address of ts-az2 on ts"):
        encode(resolution.later, ColumnType("string", None, optional=False, many=False))


def no_port(altered: Altered) -> None:
    ports = altered.rows("ic/OVN_IC_Southbound", "Port_Binding")
    ports[:] = [one for one in ports if one["logical_port"] != "ts-az2"]


def stale(altered: Altered) -> None:
    for port in altered.rows("az2/OVN_Northbound", "Logical_Router_Port"):
        if port["name"] == "az2-ts":
            port["networks"] = ["169.254.100.99/24"]


def moved(altered: Altered, address: str) -> None:
    for port in altered.rows("ic/OVN_IC_Southbound", "Port_Binding"):
        if port["logical_port"] == "ts-az2":
            port["address"] = f"02:00:00:00:00:16 {address}/24"
    for port in altered.rows("az2/OVN_Northbound", "Logical_Router_Port"):
        if port["name"] == "az2-ts":
            port["networks"] = [f"{address}/24"]


@pytest.mark.parametrize(
    ("alter", "found"),
    [
        (lambda _: None, "169.254.100.22"),
        (lambda altered: moved(altered, "169.254.100.99"), "169.254.100.99"),
        (no_port, "az2 has no port on ts yet; until then az1 does not reach 10.17.0.0/16 of az2"),
        (stale, "az2 has 169.254.100.99 on ts itself, and has published 169.254.100.22; until"),
        (lambda altered: moved(altered, "10.9.9.9"), "10.9.9.9 of az2 on ts is outside of 169."),
        (
            lambda altered: moved(altered, "169.254.100.21"),
            "az2 and az1 have the same address on ts: 169.254.100.21; until then az1 does not",
        ),
    ],
    ids=["as it was", "another one", "no port", "not published yet", "outside", "not unique"],
)
def test_what_is_found_is_what_the_plan_says_of_it(
    alter: Callable[[Altered], None], found: str
) -> None:
    (resolution,) = step(Altered(OLDER).plan(), THERE).resolutions
    altered = Altered(OLDER)
    alter(altered)
    facts = decode(snapshots.decode(orjson.dumps(altered.snapshot)))
    value = resolution.find(facts)
    if isinstance(value, Missing):
        assert value.why.startswith(found)
        assert value.cure
    else:
        assert value == found


def test_the_digest_holds_the_reference_and_no_address_that_was_drawn() -> None:
    fresh = Altered("manual_route/clusters-first-plan").plan()
    known = replace(
        fresh,
        waves=tuple(
            replace(
                wave,
                changes=tuple(
                    replace(one, after={**(one.after or {}), "next-hop": Known("169.254.100.9")})
                    if one.address == THERE
                    else one
                    for one in wave.changes
                ),
            )
            for wave in fresh.waves
        ),
    )
    assert digest(known) != digest(fresh)
    hop = (change(fresh, THERE).after or {})["next-hop"]
    assert isinstance(hop, Later)
    assert "169.254.100." not in hop.reference


# What is there


def test_a_name_that_means_nothing_keeps_what_is_there() -> None:
    made = Altered(PLAIN).says("subnets: [pods]", "subnets: [podz]").plan()
    assert "IC062" in codes(made)
    assert changes(made) == {}


def test_kube_ovn_s_own_routes_are_not_adopted() -> None:
    altered = Altered(CLUSTERS)
    route(altered, "az1")["external_ids"] = {"vendor": "kube-ovn"}
    made = altered.plan()
    assert changes(made) == {}
    assert "IC012" not in codes(made)
    (verdict,) = (one for one in made.verdicts if one.code == "IC089")
    assert verdict.refuses
    assert verdict.origin is not None
    assert "Vpc ovn-cluster of az1 has the route to 10.17.0.0/16 of az2" in verdict.message
    assert "kubectl --context az1 edit vpc ovn-cluster" in verdict.cure
    assert "IC066" not in codes(made)
    assert [one.why for _, one in verify(made).missing] == [
        "in az1 the route to 10.17.0.0/16 of az2 over ts is not this file's"
    ]


def test_a_route_of_the_vpc_beside_ours_is_no_matter() -> None:
    altered = Altered(CLUSTERS)
    add(altered, "az1", external_ids={"vendor": "kube-ovn"}, ip_prefix="10.17.0.1/16")
    made = altered.plan()
    assert changes(made) == {}
    assert not made.refused


def test_a_route_of_the_vpc_that_leads_elsewhere_is_not_cured_in_the_database() -> None:
    altered = Altered(CLUSTERS)
    add(altered, "az1", external_ids={"vendor": "kube-ovn"}, nexthop="10.116.0.9")
    (verdict,) = (one for one in altered.plan().verdicts if one.code == "IC066")
    assert "deletes every other route to that prefix" in verdict.message
    assert "kubectl --context az1 edit vpc ovn-cluster" in verdict.cure
    assert "ovn-nbctl" not in verdict.cure


def test_a_route_of_the_vpc_to_where_the_other_zone_is_today() -> None:
    """It is drawn anew there, and only of the file's own the next hop would follow."""
    altered = Altered(OLDER)
    route(altered, "az1")["external_ids"] = {"vendor": "kube-ovn"}
    made = altered.plan()
    assert "IC089" in codes(made)
    assert str(THERE) not in changes(made)


@pytest.mark.parametrize("switch", ["ts", "ts9", None])
def test_a_route_of_another_file_is_refused(switch: str | None) -> None:
    altered = Altered(PLAIN)
    marks = {"icplan": "stage"} | ({"icplan-switch": switch} if switch else {})
    route(altered, "az1")["external_ids"] = marks
    made = altered.plan()
    assert "IC012" in codes(made)
    assert changes(made) == {}


@pytest.mark.parametrize("other", [{"policy": "src-ip"}, {"route_table": "blue"}])
def test_a_row_that_is_another_route_is_not_in_the_way(other: dict[str, str]) -> None:
    altered = Altered(PLAIN)
    mine = route(altered, "az1")
    add(altered, "az1", **other, external_ids={})
    altered.rows("az1/OVN_Northbound", ROUTE).remove(mine)
    made = altered.plan()
    assert changes(made) == {str(THERE): Action.CREATE}
    operation = step(made, THERE).operation
    assert isinstance(operation, Transaction)
    # The router, none of ours, and that one.
    assert [one.rows for one in operation.preconditions] == [1, 0, 1]


def test_a_row_too_many_is_taken_away_and_the_other_one_stays() -> None:
    altered = Altered(PLAIN)
    kept = route(altered, "az1")["_uuid"]
    add(altered, "az1", nexthop="169.254.100.250")
    made = altered.plan()
    one = "az1/route/10.17.0.0/16 over 169.254.100.250"
    assert changes(made) == {one: Action.DELETE}
    (write,) = (
        write
        for found in kind_of("route").steps(made.changes[0], made.view)
        if isinstance(found.operation, Transaction)
        for write in found.operation.writes
    )
    assert getattr(write, "remove", ()) == ("row 1",)
    assert kept != "row 1"


def test_of_two_equal_rows_one_goes() -> None:
    altered = Altered(PLAIN)
    add(altered, "az1")
    made = altered.plan()
    assert changes(made) == {"az1/route/10.17.0.0/16 over 169.254.100.247": Action.DELETE}


def test_a_route_in_another_router_is_nobody_s_concern() -> None:
    altered = Altered(PLAIN)
    row = route(altered, "az1") | {"_uuid": "theirs", "external_ids": {}}
    altered.rows("az1/OVN_Northbound", ROUTE).append(row)
    other = altered.rows("az1/OVN_Northbound", "Logical_Router")[0]
    theirs = other | {"_uuid": "other", "name": "other", "ports": [], "static_routes": ["theirs"]}
    altered.rows("az1/OVN_Northbound", "Logical_Router").append(theirs)
    assert changes(altered.plan()) == {}
    # To make one of ours there is then one such row already.
    mine = route(altered, "az1")
    altered.rows("az1/OVN_Northbound", ROUTE).remove(mine)
    made = altered.plan()
    assert changes(made) == {str(THERE): Action.CREATE}
    operation = step(made, THERE).operation
    assert isinstance(operation, Transaction)
    assert [one.rows for one in operation.preconditions] == [1, 0, 1]


# What it means


def test_a_cidr_that_contains_whole_subnets_is_one_route() -> None:
    made = Altered(PLAIN).says("subnets: [pods]", "subnets: [10.16.0.0/15]").plan()
    assert "IC064" in codes(made), "it contains az1's own"
    made = Altered(CLUSTERS).says("subnets: [ovn-default]", "subnets: [10.17.0.0/16]").plan()
    assert changes(made) == {}


def test_of_both_families_what_the_switches_carry_is_routed() -> None:
    altered = Altered("families/dual-stack-nothing-to-do")
    text = altered.text.replace("availabilityZones:", "routePolicy: manual\navailabilityZones:")
    altered.text = (
        text + "routes:\n  - {from: az1, to: az2, subnets: [10.17.0.0/16, 'fd00:10:17::/64']}\n"
    )
    made = altered.plan()
    found = {one.address.name: one for one in made.changes if one.address.kind == "route"}
    assert {*found} == {"10.17.0.0/16@ts", "fd00:10:17::/64@ts"}
    hops = {name: (one.after or {})["next-hop"] for name, one in found.items()}
    assert hops["10.17.0.0/16@ts"] == Known("169.254.100.247")
    six = hops["fd00:10:17::/64@ts"]
    assert isinstance(six, Known)
    assert str(six.value).startswith("fe80:a9fe:64::")
    assert "IC069" not in codes(made)


# What a plan breaks


def test_many_routes_are_told_in_one_sentence() -> None:
    altered = Altered("manual_route/other-addresses")
    altered.says("subnets: [10.16.0.0/16]", "subnets: [10.16.0.0/16, 10.116.0.0/24]")
    add(
        altered,
        "az2",
        ip_prefix="10.116.0.0/24",
        external_ids={"icplan": "prod", "icplan-switch": "ts", "icplan-to": "az1"},
    )
    (told,) = (one for one in outages(altered.plan(), "az1") if "rewritten" in one)
    assert told.endswith("so az2/route/10.116.0.0/24@ts and 1 more are rewritten in wave 3")


def test_somebody_s_own_route_to_the_same_address_is_still_told() -> None:
    altered = Altered(OLDER)
    add(altered, "az1", ip_prefix="10.99.0.0/16", external_ids={}, nexthop="169.254.100.22")
    made = altered.plan()
    (told,) = outages(made, "az1")
    assert told.startswith("10.99.0.0/16 by hand in az1 over 169.254.100.22 of az2 leads nowhere")
    assert "az1/route/10.17.0.0/16@ts is rewritten in wave 2" in " ".join(outages(made, "az2"))


def test_no_person_is_waited_for_where_the_plan_rewrites() -> None:
    for case in (OLDER, "manual_route/clusters-typed-by-hand"):
        made = Altered(case).plan()
        assert not [one for one in made.checks if "by hand" in one.claim], case


def test_what_a_zone_would_advertise_goes_before_it_does() -> None:
    for case in ("manual_route/to-automatic", "manual_route/clusters-to-automatic"):
        made = Altered(case).plan()
        for wave in made.waves:
            kinds = [one.address.kind for one in wave.changes]
            assert kinds[0] == "route", case
            assert kinds[1] in {"route-exchange", "ic-config"}, case


def test_a_new_route_waits_until_its_zone_advertises_nothing() -> None:
    for case in ("manual_route/from-automatic", "manual_route/clusters-from-automatic"):
        made = Altered(case).plan()
        claims: set[str] = set()
        for wave in made.waves:
            for one in wave.changes:
                if one.address.kind == "route":
                    zone = one.address.site
                    assert f"no route of {zone} is advertised any more" in claims, case
                    assert f"{zone} holds no learned route any more" in claims, case
            claims |= {check.claim for check in wave.awaits}


# What verify says


def test_the_first_broken_link_of_a_pair() -> None:
    report = verify(Altered(CLUSTERS).plan())
    claims = {
        check.claim: found for check, found in report.results if check.address.kind == "route"
    }
    assert {*claims} == {
        "az1 has its routes to 10.17.0.0/16 of az2",
        "az1 lets traffic to the routed subnets of az2 pass",
        "az2 has its routes to 10.16.0.0/16 of az1",
        "az2 lets traffic to the routed subnets of az1 pass",
    }
    assert {*claims.values()} == {Held()}
    altered = Altered(CLUSTERS)
    route(altered, "az1")["nexthop"] = "169.254.100.77"
    altered.rows("az1/OVN_Northbound", "Logical_Router_Policy").clear()
    first = {
        check.claim: missing
        for check, missing in verify(altered.plan()).first_broken()
        if check.address.kind == "route"
    }
    ((claim, missing),) = first.items()
    assert claim == "az1 has its routes to 10.17.0.0/16 of az2"
    assert missing.why == (
        "in az1 10.17.0.0/16 leads to 169.254.100.77, and az2 has 169.254.100.22 on ts"
    )
    assert missing.cure


def test_inserted_rows_bear_their_marks() -> None:
    operation = step(Altered("manual_route/clusters-first-plan").plan(), THERE).operation
    assert isinstance(operation, Transaction)
    (row,) = (one for one in operation.writes if isinstance(one, Insert))
    assert row.columns["options"] == {"origin": "static"}
    assert row.columns["external_ids"] == {
        "icplan": "prod",
        "icplan-switch": "ts",
        "icplan-to": "az2",
    }
    plain = step(Altered("manual_route/first-plan").plan(), THERE).operation
    assert isinstance(plain, Transaction)
    (row,) = (one for one in plain.writes if isinstance(one, Insert))
    assert "options" not in row.columns
