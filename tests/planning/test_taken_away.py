"""Policies and others' routes that take packets away: what rules, verify and the way say of it."""

from __future__ import annotations

import pytest

from icplan.core.ping import Echo
from icplan.kinds.common.contract import Missing
from icplan.ovn.northbound import Policy
from icplan.ovn.policies import Flow, Grip, grip, taken
from icplan.planning import probes
from icplan.planning.path.chain import way
from icplan.planning.path.ends import parse_both
from icplan.planning.path.links import State, Way
from icplan.planning.plan import Plan
from icplan.run.verify import verify
from tests.planning.recorded_case import Altered, Json

AUTO, MANUAL = "ic_config/nothing-to-do", "manual_route/clusters-nothing-to-do"
PLAIN, PLAIN_MANUAL = "start/nothing-to-do", "manual_route/nothing-to-do"
NORTH = "az1/OVN_Northbound"
FLOW = Flow("10.16.0.0/16", "10.17.0.0/16")


def policy(match: str, action: str = "drop", priority: int = 1000, *hops: str) -> Policy:
    return Policy(match, match, action, priority, hops)


# What a match is about


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("ip4.dst == 10.17.0.0/16", Grip.WHOLE),
        ("ip4.dst==10.17.0.1/16", Grip.WHOLE),
        ("ip4 && ip4.dst == {10.99.0.0/16, 10.0.0.0/8}", Grip.WHOLE),
        ("ip4.src == 10.16.0.0/16 && ip4.dst == 10.17.0.0/16", Grip.WHOLE),
        ("ip4.src == 10.16.0.0/16", Grip.WHOLE),
        ("1", Grip.WHOLE),
        ("ip4.dst == 10.17.5.0/24", Grip.PART),
        ("ip4.src == 10.16.0.7 && ip4.dst == 10.17.0.0/16", Grip.PART),
        ("ip4.dst == 10.17.0.0/16 && tcp.dst == 80", Grip.MAYBE),
        ("ip4.dst == $others", Grip.MAYBE),
        ("ip4.dst == 10.99.0.0/16 || ip4.src == 10.16.0.0/16", Grip.MAYBE),
        ("!(ip4.dst == 10.99.0.0/16)", Grip.MAYBE),
        ("!ip6", Grip.MAYBE),
        ("ip6 || tcp", Grip.MAYBE),
        ("ip4.dst == $others || ip4.src == 10.16.0.0/16", Grip.MAYBE),
        ("ip4.dst != 10.99.0.0/16", Grip.WHOLE),
        ("ip4.dst != 10.17.5.0/24", Grip.PART),
        ("ip4.dst != {10.99.0.0/16, 10.0.0.0/8}", Grip.NONE),
        ("ip6.dst == fd00::/8 || ip6.src == fd00::/8", Grip.NONE),
        ("ip4.dst == 10.99.0.0/16", Grip.NONE),
        ("ip4.dst == 10.99.0.0/16 && tcp.dst == 80", Grip.NONE),
        ("ip4.src == 10.99.0.0/16", Grip.NONE),
        ("ip6.dst == fd00::/8", Grip.NONE),
        ("ip6", Grip.NONE),
    ],
)
def test_how_much_of_a_flow_a_match_is_about(match: str, expected: Grip) -> None:
    assert grip(policy(match), FLOW) is expected


def test_a_set_of_kube_ovn_s_own_names_its_own_cluster() -> None:
    match = "ip4.dst == $u2o_exclude_ip.office.ip4 && ip4.src == 10.16.0.0/16"
    own = Policy("", match, "reroute", 31000, ("10.16.0.1",), of_kube_ovn=True)
    assert grip(own, FLOW) is Grip.NONE


def found_of(*policies: Policy) -> list[tuple[int, bool]]:
    found = taken(policies, ["10.16.0.0/16"], ["10.17.0.0/16"], {"169.254.100.9"})
    return [(one.policy.priority, one.certain) for one in found]


def test_of_policies_that_match_the_highest_decides() -> None:
    drop, part = policy("ip4.dst == 10.17.0.0/16"), policy("ip4.dst == 10.17.5.0/24")
    assert found_of(drop) == [(1000, True)]
    assert found_of(part) == [(1000, False)]
    assert found_of(drop, policy("ip4.dst == 10.0.0.0/8", "allow", 1001)) == []
    assert found_of(drop, policy("ip4.dst == 10.0.0.0/8", "allow", 999)) == [(1000, True)]
    # Of two that are equal nobody says which.
    assert found_of(drop, policy("ip4.dst == 10.0.0.0/8", "allow", 1000)) == [(1000, False)]
    # A part of it may pass, the rest is lost.
    assert found_of(drop, policy("ip4.dst == 10.17.5.0/24", "allow", 1001)) == [(1000, True)]
    # What is lost already is taken by nobody else.
    assert found_of(drop, policy("1", "drop", 5)) == [(1000, True)]


def test_a_reroute_to_where_packets_should_go_takes_nothing() -> None:
    everything = "ip4.dst == 10.17.0.0/16"
    assert found_of(policy(everything, "reroute", 7, "169.254.100.9")) == []
    assert found_of(policy(everything, "reroute", 7, "10.116.0.9")) == [(7, True)]
    assert found_of(policy(everything, "reroute", 7, "10.116.0.9", "169.254.100.9")) == [(7, True)]
    passing = policy(everything, "reroute", 7, "169.254.100.9")
    assert found_of(policy("1", "drop", 5), passing) == []


def test_thousands_of_others_cost_nothing() -> None:
    nodes = [policy(f"ip4.dst == 172.16.{n // 256}.{n % 256}", "reroute") for n in range(5000)]
    prefixes = [f"10.{n // 256}.{n % 256}.0/24" for n in range(20000)]
    assert taken(nodes, ["192.168.0.0/16"], prefixes, set()) == ()


# In recorded states


def add(altered: Altered, zone: str = "az1", **columns: Json) -> None:
    """One more policy of a zone's router."""
    path = f"{zone}/OVN_Northbound"
    tables = altered.snapshot["databases"][path]["tables"]
    row = {"_uuid": "mine", "action": "drop", "match": "ip4.dst == 10.17.0.0/16", "priority": 30000}
    row |= columns
    tables.setdefault("Logical_Router_Policy", []).append(row)
    (router,) = (one for one in altered.rows(path, "Logical_Router") if one["static_routes"])
    router["policies"] = [*router.get("policies", ()), row["_uuid"]]


def walked(made: Plan) -> Way:
    source = "ovn-default" if "az1" in made.view.facts.clusters else "10.16.0.0/16"
    target = "ovn-default" if "az1" in made.view.facts.clusters else "10.17.0.0/16"
    return way(made, parse_both(made.view.spec, f"az1/{source}", f"az2/{target}"))


def missed(made: Plan) -> list[str]:
    return [one.why for _, one in verify(made).missing]


def messages(made: Plan, code: str) -> list[str]:
    return [one.message for one in made.verdicts if one.code == code]


@pytest.mark.parametrize("case", [AUTO, MANUAL, PLAIN, PLAIN_MANUAL])
@pytest.mark.parametrize(
    ("columns", "does"),
    [
        ({}, "drops what goes to 10.17.0.0/16"),
        (
            {"action": "reroute", "match": "ip4.src == 10.16.0.0/16", "nexthops": "10.16.0.9"},
            "reroutes what goes from 10.16.0.0/16 to 10.17.0.0/16",
        ),
    ],
    ids=["drop", "reroute"],
)
def test_what_is_surely_lost_is_seen_everywhere(case: str, columns: Json, does: str) -> None:
    altered = Altered(case)
    add(altered, **columns)
    made = altered.plan()
    assert any(does in one for one in messages(made, "IC065"))
    assert not made.refused
    (why,) = missed(made)
    assert "policy 30000 of router " in why
    found = walked(made)
    assert found.there.broken is not None
    assert found.there.broken.claim == "no other policy of az1 takes 10.17.0.0/16"
    assert isinstance(found.there.broken.verdict, Missing)
    assert does in found.there.broken.verdict.why
    assert "lr-policy-del " in found.there.broken.verdict.cure


@pytest.mark.parametrize("case", [AUTO, MANUAL, PLAIN, PLAIN_MANUAL])
def test_what_may_be_lost_is_told_and_not_missed(case: str) -> None:
    altered = Altered(case)
    add(altered, match="ip4.dst == 10.17.5.0/24")
    made = altered.plan()
    (message,) = messages(made, "IC065")
    assert "may drop some of what goes to 10.17.0.0/16" in message
    assert missed(made) == []
    found = walked(made)
    assert found.there.broken is None
    assert [one.claim for one in found.there.flawed] == [
        "no other policy of az1 takes 10.17.0.0/16"
    ]
    said = probes.judged(made, found, Echo(3, 0), None)
    assert isinstance(said, Missing)
    assert "it may be that policy 30000 of router " in said.why


@pytest.mark.parametrize(
    "columns",
    [
        {"match": "ip4.dst == 10.99.0.0/16"},
        {"action": "allow"},
        {"action": "reroute", "match": "ip4.dst == 172.18.0.2", "nexthops": "100.64.0.2"},
        {"action": "reroute", "match": "ip4.src == 10.99.0.0/16", "nexthops": "10.116.0.9"},
        {
            "action": "reroute",
            "match": "ip4.dst == $u2o.ip4 && ip4.src == 10.16.0.0/16",
            "external_ids": {"vendor": "kube-ovn"},
        },
    ],
)
@pytest.mark.parametrize("case", [AUTO, MANUAL])
def test_kube_ovn_s_own_policies_are_no_matter(case: str, columns: Json) -> None:
    altered = Altered(case)
    add(altered, **columns)
    made = altered.plan()
    assert messages(made, "IC065") == []
    assert missed(made) == []
    assert {link.state for one in walked(made).directions for link in one.links} == {State.HELD}


def test_what_comes_in_is_looked_at_as_well() -> None:
    altered = Altered(PLAIN)
    add(altered, "az2", match="ip4.src == 10.16.0.0/16")
    found = walked(altered.plan())
    assert found.there.broken is not None
    assert found.there.broken.claim == "no policy of az2 takes what comes for 10.17.0.0/16"


def test_an_answer_without_a_way_back_is_told() -> None:
    altered = Altered(MANUAL)
    add(altered, "az2", match="ip4.dst == 10.16.0.0/16")
    made = altered.plan()
    found = walked(made)
    assert found.there.broken is None
    said = probes.judged(made, found, Echo(3, 0), None)
    assert isinstance(said, Missing)
    assert "no answer from az2 to 3 pings of az1: the answer has no way back: policy 30000" in (
        said.why
    )
    assert "UDP 6081" not in said.cure


def test_a_way_by_hand_that_the_file_makes_is_expected() -> None:
    altered = Altered(MANUAL)
    add(altered)
    made = altered.plan()
    there = walked(made).there
    assert there.by_hand
    assert there.broken is not None
    assert probes.expected(made, there)
    made = Altered(MANUAL).says("from: az1, to: az2", "from: az1, to: az1").plan()
    assert not probes.expected(made, walked(made).there)


# Others' routes


def route(altered: Altered, **columns: Json) -> None:
    """One more route of az1 that somebody made."""
    rows = altered.rows(NORTH, "Logical_Router_Static_Route")
    row = {
        "_uuid": "other", "ip_prefix": "10.17.0.0/17", "nexthop": "10.16.0.77", "policy": "",
        "route_table": "", "options": {}, "external_ids": {},
    }  # fmt: skip
    rows.append(row | columns)
    (router,) = (one for one in altered.rows(NORTH, "Logical_Router") if one["static_routes"])
    router["static_routes"] = [*router["static_routes"], "other"]


@pytest.mark.parametrize("case", [MANUAL, PLAIN_MANUAL])
@pytest.mark.parametrize("prefix", ["10.17.0.0/16", "10.17.0.0/17"])
def test_another_way_is_refused_and_missed(case: str, prefix: str) -> None:
    altered = Altered(case)
    route(altered, ip_prefix=prefix)
    made = altered.plan()
    assert made.refused
    (message,) = messages(made, "IC066")
    assert f"another route to {prefix}, over 10.16.0.77, an address of no zone" in message
    (why,) = missed(made)
    assert f"az1 has another route to {prefix}, over 10.16.0.77" in why


def test_a_route_of_the_vpc_has_the_same_cure_everywhere() -> None:
    altered = Altered(MANUAL)
    route(altered, external_ids={"vendor": "kube-ovn"})
    made = altered.plan()
    ((_, missing),) = verify(made).missing
    (verdict,) = (one for one in made.verdicts if one.code == "IC066")
    assert "`kubectl --context az1 edit vpc ovn-cluster`" in missing.cure
    assert missing.cure[1:] in verdict.cure
    assert missing.why == verdict.message


def test_a_part_of_what_was_learned_is_accepted_by_the_rule_that_refuses_it() -> None:
    altered = Altered(AUTO)
    route(altered)
    made = altered.plan()
    assert any("another route to 10.17.0.0/17" in one for one in missed(made))
    (at,) = {one.at for one in made.verdicts if one.code == "IC018"}
    altered.text += f'accept:\n  - {{rule: IC018, at: {at}, reason: "a leased line"}}\n'
    made = altered.plan()
    assert not any("another route" in one for one in missed(made))
    assert "IC026" not in {one.code for one in made.verdicts}


def test_what_lets_packets_pass_comes_before_all_that_takes_them() -> None:
    altered = Altered(PLAIN_MANUAL)
    add(altered)
    add(altered, _uuid="another", match="ip4.dst == 10.17.0.0/16 && tcp", priority=30001)
    cures = [one.cure for one in altered.plan().verdicts if one.code == "IC065"]
    assert len(cures) == 2
    assert all("lr-policy-add router 30002 " in one for one in cures)


@pytest.mark.parametrize("prefix", ["10.17.0.0/16", "10.17.0.0/17"])
def test_another_way_that_the_file_accepts_is_not_missed(prefix: str) -> None:
    altered = Altered(PLAIN_MANUAL)
    route(altered, ip_prefix=prefix)
    altered.text += 'accept:\n  - {rule: IC066, at: az1, reason: "a leased line"}\n'
    made = altered.plan()
    assert not made.refused
    assert missed(made) == []


@pytest.mark.parametrize(
    "columns",
    [{"ip_prefix": "10.0.0.0/8"}, {"policy": "src-ip"}, {"route_table": "blue"}],
)
def test_a_route_that_takes_nothing_is_no_matter(columns: Json) -> None:
    altered = Altered(PLAIN_MANUAL)
    route(altered, **columns)
    made = altered.plan()
    assert messages(made, "IC066") == []
    assert missed(made) == []
