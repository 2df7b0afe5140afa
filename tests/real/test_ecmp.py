"""Two transit switches in traffic: flows over both gateways, and more or fewer switches."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from icplan.lab import Lab, wait_until
from tests.real.conftest import Icplan
from tests.real.flows import flowing, tunnelled
from tests.real.test_gateways import ANNOUNCED_SECONDS, watching

pytestmark = pytest.mark.real

FLOWS = 40
WIDER = "az1 gets a way to the other zones over ts1; flows spread over it, a gap below 1 s"
NARROWER = "az1 keeps ts; flows over ts1 move there, a gap below 1 s"
LEAST_SHARE = 0.1
"""Of a gateway. Where none of 40 flows is more likely on one side, fewer than 4 there are seen
once in 100 million runs."""


def hops(lab: Lab, zone: str, prefix: str) -> int:
    """Over how many next hops a zone has learned a prefix."""
    lines = lab.zones[zone].nbctl("lr-route-list", "router").splitlines()
    return sum(line.split()[0] == prefix and "learned" in line for line in lines)


def shares(lab: Lab, zone: str) -> dict[str, float]:
    """How much of what the zone's pods send goes over each gateway, while flows are under way."""
    worker = f"{zone}-w1"
    before = tunnelled(lab, zone, worker)
    sent: dict[str, int] = {}

    def enough() -> bool:
        now = tunnelled(lab, zone, worker)
        sent.update({host: now[host] - before[host] for host in before})
        # Gateways' liveness is watched over the same tunnels, at some hundred bytes a second.
        return sum(sent.values()) > 200_000

    wait_until(enough, f"the switch of {worker} tells what it has sent")
    return {host: number / sum(sent.values()) for host, number in sent.items()}


def test_flows_over_both_gateways_and_over_one_when_the_other_dies(
    packets: Lab, short_path: Path
) -> None:
    icplan = Icplan(short_path, packets.interconnect_file)
    icplan.edit("count: 1", "count: 2")
    icplan.apply()
    for learner, prefix in (("az1", "10.17.0.0/16"), ("az2", "10.16.0.0/16")):
        assert hops(packets, learner, prefix) == 2
    serving = [
        f"az{one}-gw{number} 172.31.{one}.1{number} active on {switch}"
        for one in (1, 2)
        for number, switch in ((1, "ts"), (2, "ts1"))
    ]

    def told() -> bool:
        status = " ".join(icplan("status").out.split())
        return all(one in status for one in serving)

    # Until their tunnels are watched a standby may serve.
    wait_until(told, "the first gateway of each switch serves, and status says so")

    with (
        flowing(packets, "az1/pods", "az2/pods", FLOWS) as there,
        flowing(packets, "az2/pods", "az1/pods", FLOWS) as back,
    ):
        for zone in ("az1", "az2"):
            used = shares(packets, zone)
            assert {*used} >= {f"{zone}-gw1", f"{zone}-gw2"}
            for number in (1, 2):
                assert used[f"{zone}-gw{number}"] > LEAST_SHARE, used
        there.wait_for_more("all flows from az1 are answered")
        back.wait_for_more("all flows from az2 are answered")

        host = packets.zones["az1"].hypervisor("az1-gw1")
        host.controller.stop(signal.SIGKILL)
        host.switch.stop(signal.SIGKILL)
        wait_until(
            lambda: (
                "az1-gw2 172.31.1.12 active on ts, ts1" in " ".join(icplan("status").out.split())
            ),
            "az1-gw2 serves both switches",
        )
        there.wait_for_more("all flows from az1 go on")
        back.wait_for_more("all flows from az2 go on")


def test_more_and_fewer_switches_in_traffic(packets: Lab, short_path: Path) -> None:
    icplan = Icplan(short_path, packets.interconnect_file)
    icplan.edit("availabilityZones:", "limits: {deletions: 3}\navailabilityZones:")
    icplan.apply()
    for old, new, told in ((1, 2, WIDER), (2, 1, NARROWER)):
        icplan.edit(f"count: {old}", f"count: {new}")
        plan = " ".join(icplan("plan").out.split())
        assert told in plan
        assert "No zone disrupted." in plan
        with (
            flowing(packets, "az1/pods", "az2/pods", FLOWS) as across,
            watching(packets) as watch,
        ):
            icplan.apply()
            assert hops(packets, "az1", "10.17.0.0/16") == new
            across.wait_for_more(f"all flows go on over {new}")
            watch.resumes("traffic goes on")
            patience = watch.patience
        watch.gap(ANNOUNCED_SECONDS)
        # TCP asks again after 0.2 s, then after twice as long, and so on.
        assert across.longest_gap() < 2 * ANNOUNCED_SECONDS + patience
        if new == 2:
            with flowing(packets, "az1/pods", "az2/pods", FLOWS):
                used = shares(packets, "az1")
                assert min(used["az1-gw1"], used["az1-gw2"]) > LEAST_SHARE, used
        assert icplan("verify").exit == 0
