"""Which zones are pinged, what ping prints, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icplan.cli.probes import commands
from icplan.core.io import Unreadable
from icplan.core.ping import (
    Echo,
    Flavor,
    PathMtu,
    Sized,
    echo_command,
    flavor,
    measure,
    read_echo,
    read_sized,
    refused,
    sized_command,
)
from icplan.errors import UsageError
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Held, Missing
from icplan.planning import probes
from icplan.planning.path.chain import way
from icplan.planning.path.ends import parse_both
from icplan.planning.path.links import Way
from icplan.planning.plan import Plan
from icplan.render.paint import Paint
from icplan.render.ping import ping_document, ping_text
from icplan.run.ping import PingReport
from tests.planning.altered import Case
from tests.test_cases import FOLDER, plan_of

CLUSTERS = "ic_config/nothing-to-do"
some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
NAMES = st.integers(0, 40).map(lambda count: [f"az{number:02}" for number in range(count)])


# Pairs


@some
@given(NAMES)
def test_enough_pairs_are_all_pairs_and_none_twice(names: list[str]) -> None:
    found = probes.pairs(names, 10_000)
    assert sorted(found) == sorted(combinations(sorted(names), 2))
    assert len(found) == probes.all_pairs(len(names))


@some
@given(NAMES, st.integers(1, 50))
def test_few_pairs_touch_as_many_zones_as_they_can(names: list[str], most: int) -> None:
    found = probes.pairs(names, most)
    touched = {name for pair in found for name in pair}
    assert len(found) == min(most, probes.all_pairs(len(names)))
    if len(names) > 1:
        assert len(touched) == min(2 * most, len(names))


def test_a_thousand_zones_do_not_make_half_a_million_pairs_first() -> None:
    names = [f"az{number:04}" for number in range(1000)]
    found = probes.pairs(names, 500)
    assert len({name for pair in found for name in pair}) == 1000


# What ping prints


IPUTILS = """PING 10.17.0.2 (10.17.0.2) 56(84) bytes of data.
64 bytes from 10.17.0.2: icmp_seq=1 ttl=62 time=1.03 ms

--- 10.17.0.2 ping statistics ---
5 packets transmitted, 4 received, 20% packet loss, time 804ms
rtt min/avg/max/mdev = 1.030/1.824/3.511/0.887 ms
"""
BUSYBOX = """PING 10.17.0.2 (10.17.0.2): 56 data bytes

--- 10.17.0.2 ping statistics ---
5 packets transmitted, 5 packets received, 0% packet loss
round-trip min/avg/max = 0.052/0.075/0.099 ms
"""
SILENT = "2 packets transmitted, 0 received, +2 errors, 100% packet loss, time 202ms\n"


@pytest.mark.parametrize(
    ("output", "echo"),
    [
        (IPUTILS, Echo(5, 4, 1.03, 1.824)),
        (BUSYBOX, Echo(5, 5, 0.052, 0.075)),
        (SILENT, Echo(2, 0)),
        ("ping: connect: Network is unreachable\n", None),
        ("", None),
    ],
)
def test_the_end_of_what_ping_prints(output: str, echo: Echo | None) -> None:
    assert read_echo(output) == echo


@pytest.mark.parametrize(
    ("output", "sized"),
    [
        (IPUTILS, Sized(passed=True)),
        (f"ping: local error: message too long, mtu=1400\n{SILENT}", Sized(False, own=1400)),
        (f"ping: local error: Message too long, mtu: 1400\n{SILENT}", Sized(False, own=1400)),
        (
            f"From 10.16.0.1 icmp_seq=1 Frag needed and DF set (mtu = 1380)\n{SILENT}",
            Sized(False, told=1380),
        ),
        (f"From fd00::1 icmp_seq=1 Packet too big: mtu=1380\n{SILENT}", Sized(False, told=1380)),
        (SILENT, Sized(passed=False)),
    ],
)
def test_what_ping_prints_of_large_packets(output: str, sized: Sized) -> None:
    assert read_sized(output) == sized


def test_which_ping_it_is() -> None:
    assert flavor("ping from iputils 20221126\n") is Flavor.IPUTILS
    assert flavor("ping utility, iputils-s20161105\n") is Flavor.IPUTILS
    assert flavor("ping: unrecognized option: V\nBusyBox v1.36.1 () multi-call binary.\n") is (
        Flavor.OTHER
    )


def test_sizes_are_those_of_whole_packets() -> None:
    assert sized_command("10.17.0.2", 4, 1400)[-2:] == ("1372", "10.17.0.2")
    assert sized_command("fd00::2", 6, 1400)[-2:] == ("1352", "fd00::2")
    assert "-M" not in echo_command(Flavor.OTHER, "10.17.0.2", 3)


def test_a_ping_that_may_not() -> None:
    assert refused("ping: socktype: SOCK_RAW\nping: socket: Operation not permitted\n")
    assert refused("ping: permission denied (are you root?)\n")
    assert not refused(IPUTILS)


# The path's MTU


def path(carries: int, own: int = 1400, *, tells: bool = False) -> Callable[[int], Sized]:
    """A path that lets packets of so many bytes pass."""

    def ask(size: int) -> Sized:
        if size > own:
            return Sized(False, own=own)
        if size <= carries:
            return Sized(True)
        return Sized(False, told=carries if tells else None)

    return ask


@some
@given(st.integers(84, 1400))
def test_the_largest_packet_that_passes_is_found_to_the_byte(carries: int) -> None:
    found = measure(path(carries), 4)
    assert found == PathMtu(1400, carries)
    assert found.hole is (carries < 1400)


@some
@given(st.integers(1281, 9000), st.integers(96, 9000))
def test_likewise_with_ipv6_and_any_interface(own: int, carries: int) -> None:
    found = measure(path(carries, own), 6)
    assert found is not None
    assert found.passes == min(own, carries)


def test_a_path_that_tells_of_its_mtu_is_no_hole() -> None:
    assert measure(path(1300, tells=True), 4) == PathMtu(1400, 1300, told=1300)
    found = measure(path(1300, tells=True), 4)
    assert found is not None
    assert not found.hole


def test_few_packets_find_it() -> None:
    asked: list[int] = []

    def ask(size: int) -> Sized:
        asked.append(size)
        return path(1382)(size)

    measure(ask, 4)
    assert len(asked) < 15


def test_an_interface_that_nobody_knows() -> None:
    def silent(_: int) -> Sized:
        return Sized(False)

    assert measure(silent, 4) is None
    assert measure(path(1300), 4, own=1500) == PathMtu(1400, 1300)


# What it means


def found(made: Plan) -> Way:
    return way(made, parse_both(made.view.spec, "az1/ovn-default", "az2/ovn-default"))


def test_no_answer_where_every_link_holds_points_to_the_tunnel() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    verdict = probes.judged(made, found(made), Echo(5, 0), None)
    assert isinstance(verdict, Missing)
    assert "between az1-gw1 (172.31.1.11) and az2-gw1 (172.31.2.11)" in verdict.cure
    assert "UDP 6081" in verdict.cure


def test_no_answer_where_a_link_is_broken_names_the_link() -> None:
    case = Case(CLUSTERS)
    case.rows("az1/OVN_Northbound", "Logical_Router_Policy").clear()
    made = case.plan()
    verdict = probes.judged(made, found(made), Echo(5, 0), None)
    assert isinstance(verdict, Missing)
    assert "no policy of priority 29500" in verdict.why
    assert "kubectl" in verdict.cure


def test_a_hole_is_named_with_its_numbers() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    verdict = probes.judged(made, found(made), Echo(5, 5), PathMtu(1400, 1382))
    assert isinstance(verdict, Missing)
    assert "packets of 1382 bytes pass, larger ones vanish" in verdict.why
    for words in ("must carry 1458 bytes", "carries 1440", "an MTU of 1382"):
        assert words in verdict.cure
    verdict = probes.judged(made, found(made), Echo(5, 5), PathMtu(1400, 0))
    assert isinstance(verdict, Missing)
    assert "only small packets pass" in verdict.why


def test_answers_of_all_sizes_are_well() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    for mtu in (None, PathMtu(1400, 1400), PathMtu(1400, 1300, told=1300)):
        assert probes.judged(made, found(made), Echo(5, 3), mtu) == Held()


# Where from


def zone(made: Plan, name: str) -> zones.DeclaredZone:
    return next(one for one in zones.declared(made.view.spec) if one.name == name)


def test_a_pod_lies_where_others_may_reach_it() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    there = probes.ground(made.view, zone(made, "az1"))
    assert there == probes.Ground("ovn-default", ("10.116.0.0/24", "10.16.0.0/16"))


def test_no_pod_lies_in_what_is_withheld() -> None:
    case = Case(CLUSTERS)
    case.object("az1", "Subnet", "ovn-default")["spec"]["disableInterConnection"] = True
    made = case.plan()
    assert probes.ground(made.view, zone(made, "az1")) == probes.Ground(
        "office", ("10.116.0.0/24",)
    )
    case.object("az1", "Subnet", "office")["spec"]["disableInterConnection"] = True
    made = case.plan()
    assert isinstance(probes.ground(made.view, zone(made, "az1")), Unreadable)


def test_pods_are_made_of_kube_ovn_s_own_image() -> None:
    made = plan_of(FOLDER / CLUSTERS)
    image = probes.image_of(made.view.facts.clusters["az1"])
    assert image == "docker.io/kubeovn/kube-ovn:v1.17.0"


def test_a_place_that_the_user_names() -> None:
    spec = plan_of(FOLDER / "start" / "nothing-to-do").view.spec
    text = "az1=10.16.0.2,fd00:10:16::2=ssh 'net 1' ip netns exec qdhcp-1"
    one = commands(spec, [text, "az2=10.17.0.2"])
    assert one["az1"].addresses == ("10.16.0.2", "fd00:10:16::2")
    assert one["az1"].prefix == ("ssh", "net 1", "ip", "netns", "exec", "qdhcp-1")
    assert one["az1"].can_ping
    assert not one["az2"].can_ping


@pytest.mark.parametrize(
    ("texts", "cause"),
    [
        (["az9=10.16.0.2=sh"], 'no availability zone "az9"'),
        (["az1=10.16.0.2=sh", "az1=10.16.0.3=sh"], "has a place to ping from already"),
        (["az1=host=sh"], "IPv4 or IPv6 address"),
        (["az1"], "empty"),
        (["az1=10.16.0.2='"], "No closing quotation"),
    ],
)
def test_a_place_that_cannot_be(texts: list[str], cause: str) -> None:
    spec = plan_of(FOLDER / "start" / "nothing-to-do").view.spec
    with pytest.raises(UsageError) as raised:
        commands(spec, texts)
    assert cause in raised.value.cause


# What is shown


def test_the_screen_has_good_ones_together_and_bad_ones_apart() -> None:
    echo, mtu = Echo(5, 5, 1.0, 2.0), PathMtu(1400, 1400)
    slow = Echo(5, 4, 1.0, 4.25)
    good = [
        probes.Pinged("az1", other, "pod default/web of az1", "10.0.0.1", Held(), one, mtu)
        for other, one in (("az2", echo), ("az3", slow))
    ]
    why = Missing("no answer from az1 to 5 pings of az2", "look")
    bad = probes.Pinged("az2", "az1", "pod default/web of az2", "10.0.0.2", why, Echo(5, 0))
    unseen = probes.Pinged("az3", "az1", "", "", probes.without_api("az3"))
    unmeant = probes.Pinged("az3", "az2", "x", "10.0.0.3", None, note="no route by hand")
    report = PingReport((*good, bad, unseen, unmeant), 3, 10)
    assert ping_text(report, Paint()) == (
        "Pings\n"
        "  az1 -> az2, az3: 9 of 10 answered, 2.0 to 4.2 ms, packets of 1400 bytes pass\n"
        "  az2 -> az1: no answer from pod default/web of az2 to 10.0.0.2\n"
        "    cause: no answer from az1 to 5 pings of az2\n"
        "    cure:  look\n"
        "  az3 -> az1: not probed\n"
        "    cause: az3 is plain OVN: there is no API by which a command could be run there\n"
        "    cure:  say where and how: --probe 'az3=ADDRESS=COMMAND', such as "
        "--probe 'az3=10.20.0.5=ip netns exec qdhcp-1'\n"
        "  az3 -> az2: not pinged, the file gives no way there\n"
        "    cause: no route by hand\n"
        "  As they should be: 2 of 5 directions. Not so: 1. Not probed: 1.\n"
        "  3 of 10 pairs of zones were pinged: --pairs 10 pings all.\n"
    )
    document = ping_document(report)
    pings = document["pings"]
    assert isinstance(pings, list)
    results = [one["result"] for one in pings if isinstance(one, dict)]
    assert results == ["answered", "answered", "silent", "not-probed", "not-expected"]
