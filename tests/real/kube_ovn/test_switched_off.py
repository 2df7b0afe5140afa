"""What somebody switches off in the databases: packets stop, and verify says why and what helps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from icplan.lab import Lab, wait_until
from tests.real.conftest import Icplan, Result
from tests.real.kube_ovn.conftest import with_packets
from tests.real.kube_ovn.looks import CONFIG, api

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

PODS = "/api/v1/namespaces/default/pods"
ENDS = ("az1/ovn-default", "az2/ovn-default")
ROUTE = "logical_router_static_route"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two clusters with packets, and a pod in each."""
    with with_packets() as lab:
        for name in lab.clusters:
            containers = [{"name": "web", "image": "web"}]
            body = {"metadata": {"name": "web"}, "spec": {"containers": containers}}
            api(lab, name).create(PODS, body)
        for name in lab.clusters:
            wait_until(partial(running, lab, name), f"the pod of {name} runs")
        yield lab


def running(lab: Lab, zone: str) -> bool:
    status = api(lab, zone).get(f"{PODS}/web").get("status", {})
    return bool(status.get("phase") == "Running" and status.get("podIP"))


def routes(lab: Lab, zone: str) -> list[str]:
    """The rows of a zone's routes: of the one that it learns."""
    return lab.zones[zone].nbctl("--bare", "--columns=_uuid", "list", ROUTE).split()


def learned_once(lab: Lab, zone: str) -> bool:
    """Whether that route is there once; while a router is off, ovn-ic 23.03.1 makes it again and
    again, thousands of times a minute, and leaves them all (measured)."""
    if len(routes(lab, zone)) > 1:
        lab.zones[zone].nbctl("lr-route-del", "ovn-cluster")
    return len(routes(lab, zone)) == 1


def silent(done: Result) -> bool:
    """Whether nobody has answered, in either direction."""
    document: Any = done.json()
    return {one["result"] for one in document["ping"]["pings"]} == {"silent"}


def named(done: Result, zone: str) -> tuple[str, str, str]:
    """The claim at which a way ends in a zone, the reason, and the cure."""
    document: Any = done.json()
    ends = [one["ends_at"] for one in document["directions"] if one["ends_at"]]
    return next(
        ((one["claim"], one["why"], one["cure"]) for one in ends if zone in one["why"]),
        ("", "", ""),
    )


def pasted(cure: str) -> list[str]:
    """The words behind ovn-nbctl in the command that a cure has in it."""
    command = re.findall(r"`([^`]+)`", cure)[0]
    words = shlex.split(command)
    return [one for one in words[words.index("ovn-nbctl") + 1 :] if one != "--no-leader-only"]


# What somebody types, in which zone, what verify says of it, and whether verify without ends does.
DAMAGES = [
    ("az2", "lrp-set-enabled az2-ts disabled", "router port az2-ts of az2 is switched off", True),
    ("az1", "lsp-set-enabled ts-az1 disabled", "port ts-az1 of az1 on ts is switched off", True),
    (
        "az1",
        "set logical_router ovn-cluster enabled=false",
        "router ovn-cluster of az1 is switched off",
        True,
    ),
    ("az1", "lsp-set-enabled ts-az2 disabled", "az1 sends nothing to port ts-az2", True),
    (
        "az1",
        "lrp-set-enabled ovn-cluster-ovn-default disabled",
        "router port ovn-cluster-ovn-default of az1, which leads to 10.16.0.0/16, is switched off",
        False,
    ),
    (
        "az1",
        "lsp-set-enabled ovn-default-ovn-cluster disabled",
        "port ovn-default-ovn-cluster of az1, which leads to 10.16.0.0/16, is switched off",
        False,
    ),
    (
        "az1",
        f"set {ROUTE} ROUTE output_port=ovn-cluster-ovn-default",
        "leaves by ovn-cluster-ovn-default, which is not its port on ts",
        False,
    ),
]


@pytest.mark.parametrize(
    ("zone", "typed", "why", "everywhere"), DAMAGES, ids=[one[1] for one in DAMAGES]
)
def test_what_is_switched_off_is_named_and_its_cure_helps(
    lab: Lab, icplan: Icplan, zone: str, typed: str, why: str, *, everywhere: bool
) -> None:
    nbctl = lab.zones[zone].nbctl
    (route,) = routes(lab, zone)
    nbctl(*typed.replace("ROUTE", route).split())
    cure: list[str] = []
    try:
        wait_until(
            lambda: silent(icplan("verify", *ENDS, "--ping", "--count", "2", "--json")),
            "no packet passes any more",
        )
        done = icplan("verify", *ENDS, "--json")
        assert done.exit == 6, done.out + done.err
        found = named(done, zone)
        assert why in found[1], done.out
        cure = pasted(found[2])
        plain = icplan("verify")
        assert plain.exit == (6 if everywhere else 0), plain.out
        assert (why in plain.out) == everywhere
        nbctl(*cure)
        wait_until(lambda: icplan("verify", *ENDS, "--ping").exit == 0, "packets pass again")
        wait_until(lambda: learned_once(lab, zone), "its route is there once")
    finally:
        if not cure:
            lab.clusters[zone].start_controller()


def test_a_port_in_a_network_of_its_own(lab: Lab, icplan: Icplan) -> None:
    nbctl = lab.zones["az1"].nbctl
    networks = nbctl("get", "logical_router_port", "az1-ts", "networks").strip()
    nbctl("set", "logical_router_port", "az1-ts", "networks=10.99.0.1/24")
    try:
        wait_until(
            lambda: silent(icplan("verify", *ENDS, "--ping", "--count", "2", "--json")),
            "no packet passes any more",
        )
        done = icplan("verify", *ENDS, "--json")
        assert "the port of az2 is a neighbour of that of az1" in done.out
        assert "is in none of the networks that az1 has on ts (10.99.0.1/24)" in done.out
    finally:
        nbctl("set", "logical_router_port", "az1-ts", f"networks={networks}")
        wait_until(lambda: icplan("verify", *ENDS, "--ping").exit == 0, "packets pass again")


def test_what_filters_packets_is_a_flaw(lab: Lab, icplan: Icplan) -> None:
    nbctl = lab.zones["az1"].nbctl
    nbctl("acl-add", "ts", "to-lport", "1000", "ip4", "drop")
    try:
        wait_until(
            lambda: silent(icplan("verify", *ENDS, "--ping", "--count", "2", "--json")),
            "no packet passes any more",
        )
        done = icplan("verify", *ENDS)
        assert "  flawed  az1 lets all packets over its transit switch\n" in done.out
        assert "switch ts of az1 has 1 ACL" in done.out
    finally:
        nbctl("acl-del", "ts")
        wait_until(lambda: icplan("verify", *ENDS, "--ping").exit == 0, "packets pass again")


@pytest.mark.parametrize(
    "typed",
    ["lsp-set-addresses ts-az1", "lsp-set-port-security ts-az1 02:00:00:00:00:99"],
)
def test_what_stops_no_packet_is_not_named(lab: Lab, icplan: Icplan, typed: str) -> None:
    nbctl = lab.zones["az1"].nbctl
    nbctl("--wait=hv", *typed.split())
    try:
        done = icplan("verify", *ENDS, "--ping")
        assert done.exit == 0, done.out
        assert "flawed" not in done.out
    finally:
        nbctl("lsp-set-addresses", "ts-az1", "router")
        nbctl("lsp-set-port-security", "ts-az1")


def test_a_configmap_that_is_gone_ends_the_way(lab: Lab, icplan: Icplan) -> None:
    api(lab, "az2").delete(CONFIG)
    wait_until(lambda: "ts-az2" not in lab.zones["az2"].nbctl("show"), "az2 is out")
    done = icplan("verify", *ENDS)
    assert done.exit == 6, done.out + done.err
    assert "  ENDS    the ConfigMap of az2 interconnects it\n" in done.out
    assert "cause: az2 has no ConfigMap kube-system/ovn-ic-config: its controller" in done.out
    assert "logs deployment" not in done.out
    icplan.apply()
    assert icplan("verify", *ENDS).exit == 0
