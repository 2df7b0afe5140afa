"""The way between two subnets: where it ends in recorded states, and what is said about it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path

import pytest

from icplan.errors import UsageError
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Missing
from icplan.planning.path.chain import way
from icplan.planning.path.ends import Named, parse_both, queries
from icplan.planning.path.links import Direction, Link, State, Way
from icplan.planning.plan import Plan
from icplan.render.paint import Paint
from icplan.render.path import path_document, path_text
from icplan.run.verify import verify
from tests.planning.altered import Case, Json
from tests.test_cases import CASES, FOLDER, plan_of

CLUSTERS = "ic_config/nothing-to-do"
BY_HAND = "ic_config/with-a-route-by-hand"
PLAIN = "start/nothing-to-do"
NORTH = "OVN_Northbound"
SOUTH = "ic/OVN_IC_Southbound"
ENDS = ("az1/ovn-default", "az2/ovn-default")


def walked(made: Plan, *ends: str) -> Way:
    source, target = ends or ENDS
    return way(made, parse_both(made.view.spec, source, target))


def ends_at(found: Direction) -> tuple[str, str, str]:
    """The broken link's claim, its reason and its cure."""
    assert found.broken is not None
    assert isinstance(found.broken.verdict, Missing)
    return found.broken.claim, found.broken.verdict.why, found.broken.verdict.cure


def states(found: Direction) -> set[State]:
    return {link.state for link in found.links}


# What is whole


@pytest.mark.parametrize(
    ("case", "ends"),
    [
        (CLUSTERS, ("az1/ovn-default", "az2/ovn-default")),
        (CLUSTERS, ("az1/office", "az2/10.17.3.0/24")),
        (PLAIN, ("az1/10.16.0.0/16", "az2/10.117.0.0/24")),
        ("start/mixed-nothing-to-do", ("az1/ovn-default", "az2/10.17.0.0/16")),
        ("families/dual-stack-nothing-to-do", ("az1/10.16.0.0/16", "az2/10.17.0.0/16")),
        ("families/ipv6-nothing-to-do", ("az1/fd00:10:16::/64", "az2/fd00:10:17::/64")),
    ],
)
def test_a_way_that_holds(case: str, ends: tuple[str, str]) -> None:
    found = walked(plan_of(FOLDER / case), *ends)
    assert [states(one) for one in found.directions] == [{State.HELD}, {State.HELD}]
    assert first_break(found) is None


def first_break(found: Way) -> tuple[Direction, Link, Missing] | None:
    """Where traffic between the two ends first ends."""
    for one in found.directions:
        if one.broken is not None and isinstance(one.broken.verdict, Missing):
            return one, one.broken, one.broken.verdict
    return None


def test_where_verify_misses_nothing_only_what_is_kept_back_ends_a_way() -> None:
    looked_at = 0
    for case in CASES:
        made = plan_of(case)
        report = verify(made)
        if report.missing or report.drift or report.unseen:
            continue
        present = [zone for zone in zones.declared(made.view.spec) if zone.present]
        for one, other in combinations(present, 2):
            for named in pairs_of(made, one, other):
                for found in way(made, named).directions:
                    looked_at += 1
                    assert not found.unseen, (case, found)
                    for link in (*found.flawed, *filter(None, [found.broken])):
                        claim = link.claim
                        kept = ("withholds nothing", "no other route", "has a route to")
                        assert any(words in claim for words in kept), (case, link)
                        assert "no other route" not in claim or "overlap" in case.name, case
                        assert "has a route to" not in claim or found.by_hand, case
    assert looked_at > 100


def pairs_of(
    made: Plan, one: zones.DeclaredZone, other: zones.DeclaredZone
) -> list[tuple[Named, Named]]:
    """All subnets of two clusters with each other; of plain zones what they offer."""
    found = [subnets_of(made, zone) for zone in (one, other)]
    return [(Named(one, a), Named(other, b)) for a in found[0] for b in found[1] if same(a, b)]


def subnets_of(made: Plan, zone: zones.DeclaredZone) -> list[str]:
    ic = made.view.facts.ic_southbound
    if zone.name in made.view.facts.clusters:
        return [one.name for one in made.view.facts.clusters[zone.name].subnets]
    return sorted({one.prefix for one in (ic.routes if ic else ()) if one.zone == zone.name})


def same(one: str, other: str) -> bool:
    prefixes = "/" in one and "/" in other
    return not prefixes or (":" in one) == (":" in other)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_every_recorded_state_can_be_walked_and_shown(case: Path) -> None:
    made = plan_of(case)
    present = [zone for zone in zones.declared(made.view.spec) if zone.present]
    for one, other in combinations(present, 2):
        for named in pairs_of(made, one, other)[:2]:
            found = way(made, named)
            text, document = path_text(found, None, Paint()), path_document(made, found, None)
            broken = [link for side in found.directions for link in side.links if not link.verdict]
            assert text.count("  ENDS ") == sum(
                side.broken is not None for side in found.directions
            )
            assert bool(broken) <= (first_break(found) is not None)
            assert document["format_version"] == "1.0"


# Each kind of break


def unnamed(case: Case) -> None:
    """Its controller is at a standstill: nothing of the ConfigMap has come into its database."""
    case.rows(f"az2/{NORTH}", "NB_Global")[0]["name"] = ""


def no_port(case: Case) -> None:
    case.rows(SOUTH, "Port_Binding")[:] = [
        row for row in case.rows(SOUTH, "Port_Binding") if row["logical_port"] != "ts-az2"
    ]


def no_gateway(case: Case) -> None:
    for row in case.rows(SOUTH, "Port_Binding"):
        if row["logical_port"] == "ts-az2":
            row["gateway"] = ""


def one_address(case: Case) -> None:
    rows = {row["logical_port"]: row for row in case.rows(SOUTH, "Port_Binding")}
    rows["ts-az2"]["address"] = rows["ts-az1"]["address"]


def nothing_advertised(case: Case) -> None:
    case.rows(f"az2/{NORTH}", "NB_Global")[0]["options"].pop("ic-route-adv")


def withheld_by_somebody(case: Case) -> None:
    case.object("az2", "Subnet", "ovn-default")["spec"]["disableInterConnection"] = True


def denied_for_ever(case: Case) -> None:
    options = case.rows(f"az2/{NORTH}", "NB_Global")[0]["options"]
    options["ic-route-blacklist"] = f"10.17.0.0/16,{options['ic-route-blacklist']}"


def not_published(case: Case) -> None:
    case.rows(SOUTH, "Route")[:] = [
        row for row in case.rows(SOUTH, "Route") if not str(row["ip_prefix"]).startswith("10.17.")
    ]


def nothing_learned(case: Case) -> None:
    case.rows(f"az1/{NORTH}", "NB_Global")[0]["options"].pop("ic-route-learn")


def refused(case: Case) -> None:
    options = case.rows(f"az1/{NORTH}", "NB_Global")[0]["options"]
    options["ic-route-blacklist"] = f"10.17.0.0/16,{options['ic-route-blacklist']}"


def no_route(case: Case) -> None:
    routes = case.rows(f"az1/{NORTH}", "Logical_Router_Static_Route")
    routes[:] = [row for row in routes if not str(row["ip_prefix"]).startswith("10.17.")]


def no_policy(case: Case) -> None:
    case.rows(f"az1/{NORTH}", "Logical_Router_Policy").clear()


def own_network(case: Case) -> None:
    ports = case.rows(f"az1/{NORTH}", "Logical_Router_Port")
    port = next(row for row in ports if row["name"].endswith("-office"))
    port["networks"] = [*port["networks"], "10.17.0.1/16"]


def no_switch(case: Case) -> None:
    case.rows("ic/OVN_IC_Northbound", "Transit_Switch").clear()


def named(case: Case, zone: str, table: str, name: str) -> Json:
    (row,) = (one for one in case.rows(f"{zone}/{NORTH}", table) if one["name"] == name)
    return row


def router_off(case: Case) -> None:
    named(case, "az2", "Logical_Router", "ovn-cluster")["enabled"] = False


def router_port_off(case: Case) -> None:
    named(case, "az2", "Logical_Router_Port", "az2-ts")["enabled"] = False


def switch_port_off(case: Case) -> None:
    named(case, "az1", "Logical_Switch_Port", "ts-az1")["enabled"] = False


def halves_apart(case: Case) -> None:
    named(case, "az2", "Logical_Switch_Port", "ts-az2")["options"].pop("router-port")


def subnet_port_off(case: Case) -> None:
    named(case, "az2", "Logical_Router_Port", "ovn-cluster-ovn-default")["enabled"] = False


def subnet_switch_port_off(case: Case) -> None:
    port = "ovn-default-ovn-cluster"
    named(case, "az1", "Logical_Switch_Port", port)["enabled"] = False


def copy_off(case: Case) -> None:
    named(case, "az1", "Logical_Switch_Port", "ts-az2")["enabled"] = False


def no_copy(case: Case) -> None:
    rows = case.rows(f"az1/{NORTH}", "Logical_Switch_Port")
    rows[:] = [row for row in rows if row["name"] != "ts-az2"]


def other_network(case: Case) -> None:
    named(case, "az1", "Logical_Router_Port", "az1-ts")["networks"] = ["10.99.0.1/24"]


def other_output(case: Case) -> None:
    for row in case.rows(f"az1/{NORTH}", "Logical_Router_Static_Route"):
        row["output_port"] = "ovn-cluster-office"


def no_config(case: Case) -> None:
    """As its controller leaves it behind."""
    case.remove("az2", "ConfigMap", "ovn-ic-config")
    for name in ("az1", "az2"):
        rows = case.rows(f"{name}/{NORTH}", "Logical_Switch_Port")
        rows[:] = [row for row in rows if row["name"] != "ts-az2"]
    no_port(case)


def config_off(case: Case) -> None:
    body = case.object("az2", "ConfigMap", "ovn-ic-config")
    no_config(case)
    body["data"]["enable-ic"] = "false"
    for query in case.snapshot["objects"]:
        if (query["site"], query["kind"]) == ("az2", "ConfigMap"):
            query["found"] = [body]


def told_not_to_advertise(case: Case) -> None:
    nothing_advertised(case)
    case.object("az2", "ConfigMap", "ovn-ic-config")["data"]["auto-route"] = "false"


def controller_away(case: Case) -> None:
    nothing_advertised(case)
    case.replicas("az2", "ovn-ic-controller", 0, 0)


BREAKS: list[tuple[Callable[[Case], None], str, str, str]] = [
    (no_switch, "the interconnection has its transit switch", "no transit switch ts", "apply"),
    (unnamed, "az2 bears its name", "has the name nobody", "the controller of az2"),
    (no_port, "the port of az2 is known to the others", "no port on ts", "ovn-ic runs in az2"),
    (no_gateway, "a gateway of az2 serves it", "no gateway of az2", "az2-gw1, az2-gw2"),
    (one_address, "nobody else has the address of az2", "az2 and az1 have", "icplan plan"),
    (nothing_advertised, "az2 advertises routes", "no ic-route-adv=true", "controller of az2"),
    (
        withheld_by_somebody,
        "az2 withholds nothing of 10.17.0.0/16",
        "somebody withholds ovn-default of az2",
        "kubectl --context az2 patch subnet ovn-default",
    ),
    (
        denied_for_ever,
        "az2 withholds nothing of 10.17.0.0/16",
        "keeps denying 10.17.0.0/16, which nothing withholds any more",
        "which switches az2 off and on again",
    ),
    (
        not_published,
        "10.17.0.0/16 of az2 stands in the IC southbound database",
        "az2 does not advertise 10.17.0.0/16 on ts",
        "ovn-ic runs in az2",
    ),
    (nothing_learned, "az1 learns routes", "no ic-route-learn=true", "controller of az1"),
    (
        refused,
        "az1 does not refuse 10.17.0.0/16",
        "az1 does not learn 10.17.0.0/16: ic-route-blacklist of az1 denies 10.17.0.0/16",
        "controller of az1",
    ),
    (
        no_route,
        "az1 has a route to 10.17.0.0/16 over az2",
        "az1 has not learned 10.17.0.0/16 of az2 on ts",
        "ovn-ic runs in az1",
    ),
    (
        own_network,
        "no other route of az1 takes 10.17.0.0/16",
        "the own network 10.17.0.0/16",
        "renumber",
    ),
    (
        no_policy,
        "a policy of az1 lets 10.17.0.0/16 pass",
        "no policy of priority 29500 in az1 lets traffic to 10.17.0.0/16 pass",
        "the controller of az1",
    ),
    (
        router_off,
        "router ovn-cluster of az2 leads to 10.17.0.0/16",
        "router ovn-cluster of az2 is switched off",
        "ovn-nbctl --no-leader-only set logical_router ovn-cluster enabled=true",
    ),
    (
        router_port_off,
        "the port of az2 on each transit switch is whole and switched on",
        "router port az2-ts of az2 is switched off",
        "ovn-nbctl --no-leader-only lrp-set-enabled az2-ts enabled`",
    ),
    (
        switch_port_off,
        "the port of az1 on each transit switch is whole and switched on",
        "port ts-az1 of az1 on ts is switched off",
        "ovn-nbctl --no-leader-only lsp-set-enabled ts-az1 enabled`",
    ),
    (
        halves_apart,
        "the port of az2 on each transit switch is whole and switched on",
        "az2 has no port between ovn-cluster and ts",
        "the controller of az2",
    ),
    (
        subnet_port_off,
        "router ovn-cluster of az2 leads to 10.17.0.0/16",
        "router port ovn-cluster-ovn-default of az2, which leads to 10.17.0.0/16, is switched off",
        "ovn-nbctl --no-leader-only lrp-set-enabled ovn-cluster-ovn-default enabled`",
    ),
    (
        subnet_switch_port_off,
        "router ovn-cluster of az1 leads to az1/ovn-default",
        "port ovn-default-ovn-cluster of az1, which leads to 10.16.0.0/16, is switched off",
        "ovn-nbctl --no-leader-only lsp-set-enabled ovn-default-ovn-cluster enabled`",
    ),
    (
        copy_off,
        "the port of az2 is a neighbour of that of az1",
        "az1 sends nothing to port ts-az2",
        "ovn-nbctl --no-leader-only lsp-set-enabled ts-az2 enabled`",
    ),
    (
        no_copy,
        "the port of az2 is a neighbour of that of az1",
        "az1 has not made a port on its ts for 169.254.100.",
        "ovn-ic runs in az1",
    ),
    (
        other_network,
        "the port of az2 is a neighbour of that of az1",
        "is in none of the networks that az1 has on ts (10.99.0.1/24)",
        "switch az1 off and on again",
    ),
    (
        other_output,
        "az1 has a route to 10.17.0.0/16 over az2",
        "leaves by ovn-cluster-office, which is not its port on ts",
        "ovn-nbctl --no-leader-only clear logical_router_static_route ",
    ),
    (
        no_config,
        "the ConfigMap of az2 interconnects it",
        "az2 has no ConfigMap kube-system/ovn-ic-config",
        "icplan apply repairs it",
    ),
    (
        config_off,
        "the ConfigMap of az2 interconnects it",
        'enable-ic of ConfigMap kube-system/ovn-ic-config of az2 is "false", not "true"',
        "icplan apply repairs it",
    ),
    (
        told_not_to_advertise,
        "az2 advertises routes",
        "no ic-route-adv=true",
        "icplan apply repairs it",
    ),
    (
        controller_away,
        "az2 advertises routes",
        "no ic-route-adv=true",
        "scale deployment/ovn-ic-controller --replicas=1",
    ),
]


@pytest.mark.parametrize(
    ("damage", "claim", "why", "cure"), BREAKS, ids=[one[0].__name__ for one in BREAKS]
)
def test_each_break_is_named_with_its_cure(
    damage: Callable[[Case], None], claim: str, why: str, cure: str
) -> None:
    case = Case(CLUSTERS)
    damage(case)
    found = walked(case.plan()).there
    where = ends_at(found)
    assert where[0] == claim
    assert why in where[1]
    assert cure in where[2]
    # Everything up to there was looked at, and nothing behind it.
    place = found.links.index(found.broken) if found.broken else 0
    assert {link.state for link in found.links[place + 1 :]} == {State.NOT_CHECKED}
    assert State.UNSEEN not in states(found)


SWITCHED_OFF = [router_off, router_port_off, switch_port_off, copy_off]


@pytest.mark.parametrize("damage", SWITCHED_OFF, ids=[one.__name__ for one in SWITCHED_OFF])
def test_what_is_switched_off_is_missed_without_ends_as_well(
    damage: Callable[[Case], None],
) -> None:
    assert not verify(Case(CLUSTERS).plan()).missing
    case = Case(CLUSTERS)
    damage(case)
    (found,) = verify(case.plan()).missing
    assert found[0].claim in {
        "what az1 has on ts is switched on",
        "what az2 has on ts is switched on",
    }
    assert found[1] == broken(walked(case.plan()).there)


def broken(found: Direction) -> Missing:
    assert found.broken is not None
    assert isinstance(found.broken.verdict, Missing)
    return found.broken.verdict


def test_the_port_of_a_plain_zone_is_switched_on_by_a_plan() -> None:
    case = Case(PLAIN)
    named(case, "az2", "Logical_Router_Port", "az2-ts")["enabled"] = False
    claim, why, cure = ends_at(walked(case.plan(), "az1/10.16.0.0/16", "az2/10.17.0.0/16").there)
    assert claim == "the port of az2 on each transit switch is whole and switched on"
    assert "router port az2-ts of az2 is switched off" in why
    assert "icplan apply" in cure


def test_the_router_of_a_plain_zone_is_switched_on_by_its_owner() -> None:
    case = Case(PLAIN)
    named(case, "az2", "Logical_Router", "router")["enabled"] = False
    found = walked(case.plan(), "az1/10.16.0.0/16", "az2/10.17.0.0/16").there
    assert "set logical_router router enabled=true" in ends_at(found)[2]


@pytest.mark.parametrize("off", [False, True])
def test_ports_that_are_left_carry_packets_whatever_the_configmap_says(*, off: bool) -> None:
    case = Case(CLUSTERS)
    if off:
        # Any text but "false" leaves an enabled zone enabled.
        case.object("az2", "ConfigMap", "ovn-ic-config")["data"]["enable-ic"] = "False"
    else:
        case.remove("az2", "ConfigMap", "ovn-ic-config")
    found = walked(case.plan())
    assert first_break(found) is None
    assert "the ConfigMap of az2 interconnects it" in {one.claim for one in found.there.flawed}


def test_what_filters_packets_is_a_flaw() -> None:
    case = Case(CLUSTERS)
    named(case, "az1", "Logical_Switch", "ts")["acls"] = ["00000000-0000-4000-8000-000000000001"]
    found = walked(case.plan())
    assert first_break(found) is None
    for one in found.directions:
        (flaw,) = one.flawed
        assert isinstance(flaw.verdict, Missing)
        assert "switch ts of az1 has 1 ACL" in flaw.verdict.why
        assert "ovn-nbctl --no-leader-only acl-list ts`" in flaw.verdict.cure


def test_nobody_can_answer_the_join_subnet() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    found = walked(made, "az1/join", "az2/ovn-default")
    assert found.there.broken is None
    assert "az1 never advertises its join subnet" in ends_at(found.back)[1]
    text = path_text(found, None, Paint())
    assert "az1/join -> az2/ovn-default: all 34 links hold, and no answer of az2 comes back\n" in (
        text
    )
    document = path_document(made, found, None)
    directions: Json = document["directions"]
    assert [one["answered"] for one in directions] == [False, True]


def test_the_cure_of_an_address_without_a_length_can_be_pasted() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    with pytest.raises(UsageError) as raised:
        walked(made, "az1/10.16.0.5", "az2/ovn-default")
    (advised,) = re.findall(r"such as (\S+)\.", raised.value.cure)
    assert advised == "10.16.0.5/32"
    assert first_break(walked(made, f"az1/{advised}", "az2/ovn-default")) is None


def test_a_break_in_one_direction_leaves_the_other_one_whole() -> None:
    case = Case(CLUSTERS)
    no_policy(case)
    found = walked(case.plan())
    assert found.there.broken is not None
    assert states(found.back) == {State.HELD}


def test_what_the_file_withholds_is_named_by_its_line() -> None:
    made = plan_of(FOLDER / "subnet_advertisement" / "withhold-as-declared")
    _, why, cure = ends_at(walked(made, "az2/ovn-default", "az1/office").there)
    assert "the file withholds office of az1 (interconnect.yaml:" in why
    assert "take it out of `withhold`" in cure


def test_a_plain_zone_that_withholds() -> None:
    made = plan_of(FOLDER / "route_exchange" / "withhold-as-declared")
    _, why, _ = ends_at(walked(made, "az2/10.17.0.0/16", "az1/10.116.0.0/24").there)
    assert "the file withholds 10.116.0.0/24 of az1 (interconnect.yaml:" in why


def test_a_denial_that_the_file_accepts_says_so() -> None:
    made = plan_of(FOLDER / "denylist" / "stale-accepted")
    _, _, cure = ends_at(walked(made, "az2/ovn-default", "az1/office").there)
    assert "take that out of `accept`" in cure


def test_a_narrower_route_takes_a_part_only() -> None:
    made = plan_of(FOLDER / "waivers" / "overlap")
    found = walked(made, "az2/10.17.0.0/16", "az1/10.16.0.0/16").there
    assert found.broken is None
    (flaw,) = found.flawed
    assert isinstance(flaw.verdict, Missing)
    assert "takes the part 10.16.5.0/24 of 10.16.0.0/16" in flaw.verdict.why


def test_drift_that_stops_no_packet_is_a_flaw() -> None:
    made = plan_of(FOLDER / "ic_config" / "drift-gateways")
    found = walked(made)
    flaws = {link.claim for one in found.directions for link in one.flawed}
    assert any("as the file declares it" in claim for claim in flaws)
    assert first_break(found) is None


# Zones whose routes are made by hand


def test_a_manual_zone_without_a_route() -> None:
    found = walked(plan_of(FOLDER / BY_HAND)).there
    assert found.by_hand
    _, why, cure = ends_at(found)
    assert "az2 exchanges no routes (routePolicy: manual), and az1 has no route by hand" in why
    assert "{from: az1, to: az2, subnets: [ovn-default]}" in cure


def by_hand(hop: str | None = None) -> Case:
    """Both zones manual, and a route from az1 to az2."""
    case = Case(CLUSTERS)
    for zone in ("az1", "az2"):
        case.edit(f"  - name: {zone}\n", f"  - name: {zone}\n    routePolicy: manual\n")
        for row in case.rows(f"{zone}/{NORTH}", "Logical_Router_Static_Route"):
            row["external_ids"] = {}
            row["nexthop"] = hop or row["nexthop"]
    return case


def test_a_route_by_hand_and_its_policy() -> None:
    found = walked(by_hand().plan()).there
    assert found.by_hand
    assert found.broken is None


def test_a_route_by_hand_without_a_policy_is_told_how_to_get_one() -> None:
    case = by_hand()
    no_policy(case)
    _, why, cure = ends_at(walked(case.plan()).there)
    assert "no policy of priority 29500" in why
    assert "options:origin=static" in cure


def test_a_route_by_hand_to_an_address_that_nobody_has() -> None:
    _, why, cure = ends_at(walked(by_hand("169.254.100.99").plan()).there)
    assert "goes by hand to 169.254.100.99, which no zone has" in why
    assert "`lr-route-add` with the address of az2 (today 169.254.100." in cure


# What could not be looked at


def test_what_cannot_be_seen_is_not_taken_for_broken() -> None:
    found = walked(Case(CLUSTERS).lose(f"az1/{NORTH}").plan()).there
    assert found.broken is None
    assert "az1 bears its name" in {link.claim for link in found.unseen}


def test_a_way_that_ends_is_known_to_end_whatever_is_not_seen() -> None:
    case = Case(CLUSTERS).lose(f"az1/{NORTH}")
    not_published(case)
    assert ends_at(walked(case.plan()).there)[0].startswith("10.17.0.0/16 of az2 stands in")


def test_other_zones_do_not_matter() -> None:
    made = plan_of(FOLDER / "unreadable" / "one-zone")
    assert made.unseen
    found = walked(made, "az1/10.16.0.0/16", "az2/10.17.0.0/16")
    assert not any(one.unseen for one in found.directions)


# Ends


@pytest.mark.parametrize(
    ("ends", "cause", "cure"),
    [
        (("az1", "az2/ovn-default"), 'found "az1"', "name one subnet"),
        (("az1/*", "az2/ovn-default"), "from one subnet to one other", "az1/NAME"),
        (("*", "az2/ovn-default"), "from one subnet to one other", "az1/NAME"),
        (("az9/x", "az2/ovn-default"), "no availability zone az9", "name one of az1, az2"),
        (("az1/office", "az1/ovn-default"), "both are in az1", "two zones"),
        (("az1/offices", "az2/ovn-default"), "no subnet offices", "office (10.116.0.0/24)"),
        (("az1/10.9.0.0/16", "az2/ovn-default"), "no subnet with 10.9.0.0/16", "ovn-default (10."),
        (("az1/10.16.0.1/16", "az2/ovn-default"), "host bits", "10.16.0.0/16"),
    ],
)
def test_ends_that_cannot_be(ends: tuple[str, str], cause: str, cure: str) -> None:
    with pytest.raises(UsageError) as raised:
        walked(plan_of(FOLDER / CLUSTERS), *ends)
    assert cause in raised.value.cause
    assert cure in raised.value.cure


def test_a_zone_that_leaves_is_no_end() -> None:
    made = plan_of(FOLDER / "ic_config" / "leaving")
    with pytest.raises(UsageError, match="takes az2 out of the interconnection"):
        walked(made)


def test_ends_of_two_families_have_no_way() -> None:
    made = plan_of(FOLDER / "families" / "dual-stack-nothing-to-do")
    with pytest.raises(UsageError, match="IPv4 only, the other one IPv6 only"):
        walked(made, "az1/10.16.0.0/16", "az2/fd00:10:17::/64")


def test_only_plain_zones_are_read_for_the_names_of_their_subnets() -> None:
    for case, count in ((CLUSTERS, 0), (PLAIN, 2)):
        spec = plan_of(FOLDER / case).view.spec
        found = queries(parse_both(spec, "az1/pods", "az2/pods"))
        assert sum(query.table == "Logical_Switch" for query in found) == count


def test_the_screen_of_a_way_that_ends() -> None:
    case = Case(CLUSTERS)
    no_policy(case)
    text = path_text(walked(case.plan()), None, Paint())
    assert (
        "  ENDS    a policy of az1 lets 10.17.0.0/16 pass\n"
        "          cause: no policy of priority 29500 in az1 lets traffic to 10.17.0.0/16 pass: "
        "its other policies send it elsewhere\n"
        "          cure:  see why the controller of az1 has not done it: "
        "`kubectl --context az1 -n kube-system logs deployment/ovn-ic-controller --tail=50`\n"
        "  -       4 more links need that one (--json lists them)\n"
    ) in text
    assert text.endswith(
        "az1/ovn-default -> az2/ovn-default: ends at link 30 of 34: "
        "a policy of az1 lets 10.17.0.0/16 pass\n"
        "az2/ovn-default -> az1/ovn-default: all 34 links hold, and no answer of az1 comes back\n"
    )


def test_the_readme_shows_what_is_said() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (shown,) = re.findall(r"^\$ icplan verify (az1/\S+ az2/\S+)\n(.*?)^```$", readme, re.M | re.S)
    case = Case(CLUSTERS)
    no_policy(case)
    text = path_text(walked(case.plan(), *shown[0].split()), None, Paint())
    for part in shown[1].split("  ...\n"):
        assert part in text
