"""Gateways of clusters: added, removed, re-ordered, drained, replaced, by both generations."""

from __future__ import annotations

import json

import pytest

from icplan.lab import Lab
from tests.real.conftest import Icplan
from tests.real.kube_ovn.looks import addresses, data, ports

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

CONTROLLER = "ovn-ic-controller"
NEW, OLD = "v1.17.0", "v1.15.23"
WAIVER = 'accept: [{rule: IC020, at: az1, reason: "the old hosts go"}]\n'


def edit(icplan: Icplan, before: str, after: str) -> str:
    """Another list of az1's gateways, and what the plan says of it."""
    icplan.edit(f"gatewayNodes: [{before}]", f"gatewayNodes: [{after}]")
    return " ".join(icplan("plan").out.split())


def writes(icplan: Icplan) -> int:
    """Applies, and tells in how many writes."""
    log = icplan.directory / "run.jsonl"
    log.unlink(missing_ok=True)
    done = icplan("apply", "--auto-approve", "--run-log", str(log))
    assert done.exit == 0, done.out + done.err
    return sum(json.loads(line)["event"] == "write" for line in log.read_text().splitlines())


def order(lab: Lab) -> list[str]:
    """The gateways of az1 on ts, as ovn-nbctl shows them."""
    lines = lab.zones["az1"].nbctl("lrp-get-gateway-chassis", "az1-ts").splitlines()
    return [line.split()[0].removeprefix("az1-ts-chassis-") for line in lines]


def served(icplan: Icplan) -> str:
    """Who serves az1 on ts."""
    zones = icplan("status", "--json").json()["zones"]
    assert isinstance(zones, list)
    (port,) = (port for zone in zones if zone["name"] == "az1" for port in zone["ports"])
    assert port["gateway"] == port["bound"]
    gateway: str = port["gateway"]
    return gateway


def test_in_place_with_a_new_controller(lab: Lab, icplan: Icplan) -> None:
    there = ports(lab), addresses(lab)
    one, two, three = "az1-gw1", "az1-gw2", "az1-w1"
    for before, after, told in (
        (f"{one}, {two}", f"{one}, {two}, {three}", f"{one} stays active"),
        (f"{one}, {two}, {three}", f"{three}, {one}, {two}", f"{three} takes over from {one}, a"),
        (f"{three}, {one}, {two}", f"{one}, {two}", f"{one} takes over from {three}, a gap below"),
        (f"{one}, {two}", one, f"{one} stays active"),
    ):
        said = edit(icplan, before, after)
        assert f"changed in place: {told}" in said
        assert "No zone disrupted." in said
        assert writes(icplan) == 1
        assert order(lab) == after.split(", ")
        assert served(icplan) == order(lab)[0]
        assert icplan("verify").exit == 0

    said = edit(icplan, one, f"{two}, {three}")
    assert f"IC020 az1 {icplan.file}" in said
    icplan.file.write_text(icplan.file.read_text() + WAIVER)
    said = " ".join(icplan("plan").out.split())
    assert (
        f"{two} takes over from {one}, a gap of 1 to 2 s, as BFD begins; the old ones go once"
        in said
    )
    assert writes(icplan) == 2
    assert data(lab)["gw-nodes"] == f"{two},{three}"
    assert order(lab) == [two, three]
    assert served(icplan) == two
    assert (ports(lab), addresses(lab)) == there
    assert icplan("verify").exit == 0


def test_replaced_at_once_with_an_old_controller(lab: Lab, icplan: Icplan) -> None:
    """It rebuilds the zone at each change, so that there is one change only."""
    zone = lab.clusters["az1"]
    zone.cluster.set_version(CONTROLLER, OLD)
    zone.start_controller("old")
    try:
        there = ports(lab)
        said = edit(icplan, "az1-gw1, az1-gw2", "az1-w1")
        assert "its controller (v1.15.23) cannot change gateways in place" in said
        icplan.file.write_text(icplan.file.read_text() + WAIVER)
        assert "1 zone disrupted" in icplan("plan").out
        assert writes(icplan) == 1
        assert order(lab) == ["az1-w1"]
        assert ports(lab)["az1"] != there["az1"]
        assert icplan("verify").exit == 0
    finally:
        zone.cluster.set_version(CONTROLLER, NEW)
        zone.start_controller()
