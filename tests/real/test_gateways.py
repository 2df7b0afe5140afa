"""Gateways in traffic: who takes over when one dies, and what a change of their order costs."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from icplan.lab import Lab, Zone, wait_until
from icplan.lab.ping import RunningPing
from tests.real.conftest import Icplan

pytestmark = pytest.mark.real

GAP_SECONDS = 4.0
"""After which the standby has taken over: OVN's BFD asks every second and gives up after three."""
ANNOUNCED_SECONDS = 1.0
"""What a plan says of a gateway that is changed in place: "a gap below 1 s"."""
BEGINS, BFD_SECONDS = "a gap of 1 to 2 s, as BFD begins", 2.0
"""And of a single gateway that gets its first standby."""


@dataclass
class Watch:
    """Pings across the zones, and how slow this machine was meanwhile.

    Attributes:
        across: the pings that are judged.
        within: pings that meet no gateway: their gaps are the machine's.
        slowest: the longest time in seconds that the daemons of the other zone took to carry out
            nothing at all.
    """

    lab: Lab
    across: RunningPing
    within: RunningPing
    slowest: float = 0.0

    def resumes(self, what: str) -> None:
        """Waits for ten more answers."""
        before = self.across.answers
        wait_until(lambda: self._measured() and self.across.answers > before + 10, what)

    def _measured(self) -> bool:
        start = time.monotonic()
        self.lab.zones["az2"].nbctl("--wait=hv", "sync")
        self.slowest = max(self.slowest, time.monotonic() - start)
        return True

    def gap(self, allowed: float) -> float:
        """The longest time without an answer, in seconds; it must not be beyond what is allowed.

        A machine that others use, too, is given what it took longer for everything else. Without
        a gateway that takes over the gap would have no end.
        """
        gap = self.across.stop().longest_gap_seconds
        assert gap < allowed + self.patience
        return gap

    @property
    def patience(self) -> float:
        """What this machine must be given, in seconds; it ends the pings."""
        self.across.stop()
        return self.within.stop().longest_gap_seconds + 10 * self.slowest


@contextmanager
def watching(lab: Lab) -> Iterator[Watch]:
    lab.wait_for_ping("az1/pods", "az2/pods")
    lab.wait_for_ping("az2/pods", "az2/office")
    with (
        lab.pinging("az1/pods", "az2/pods", interval=0.1) as across,
        lab.pinging("az2/pods", "az2/office", interval=0.1) as within,
    ):
        wait_until(lambda: across.answers > 5, "pings are answered")
        yield Watch(lab, across, within)


def served(icplan: Icplan) -> tuple[str, str, list[str]]:
    """Who serves az1 on ts by the IC database and by its own, and in which order they should."""
    zones = icplan("status", "--json").json()["zones"]
    assert isinstance(zones, list)
    (port,) = (port for zone in zones if zone["name"] == "az1" for port in zone["ports"])
    return port["gateway"], port["bound"], port["order"]


def _power(zone: Zone) -> Callable[[], None]:
    """The host dies: whatever forwards there, and whatever would tell."""
    host = zone.hypervisor("az1-gw1")
    host.controller.stop(signal.SIGKILL)
    host.switch.stop(signal.SIGKILL)

    def back() -> None:
        zone.restart_switch("az1-gw1")
        host.start_controller()

    return back


def _switch(zone: Zone) -> Callable[[], None]:
    """Only the forwarding dies; ovn-controller lives, and gives the port up."""
    zone.hypervisor("az1-gw1").switch.stop(signal.SIGKILL)
    return lambda: zone.restart_switch("az1-gw1")


def _cable(zone: Zone) -> Callable[[], None]:
    """The host lives and is alone."""
    zone.plug("az1-gw1", connected=False)
    return lambda: zone.plug("az1-gw1", connected=True)


BOTH = ["az1-gw1", "az1-gw2"]


@pytest.mark.parametrize("death", [_power, _switch, _cable])
def test_the_standby_takes_over_and_the_first_comes_back(
    packets: Lab, short_path: Path, death: Callable[[Zone], Callable[[], None]]
) -> None:
    icplan = Icplan(short_path, packets.interconnect_file)
    icplan.apply()
    with watching(packets) as watch:
        back = death(packets.zones["az1"])
        wait_until(lambda: watch.across.requests > watch.across.answers + 5, "traffic stops")
        watch.resumes("the standby takes over")
    watch.gap(GAP_SECONDS)

    wait_until(lambda: served(icplan) == ("az1-gw2", "az1-gw2", BOTH), "status tells who serves")
    assert "az1-gw2 in the place of az1-gw1" in icplan("status").out
    verified = icplan("verify")
    assert verified.exit == 6
    said = " ".join(verified.out.split())
    assert "az1-gw2 serves ts for az1 in the place of az1-gw1, its first gateway: its tun" in said
    # It is no drift, and what else is to be done is not held up by it.
    assert icplan.changes() == {}

    back()
    wait_until(lambda: served(icplan)[:2] == ("az1-gw1", "az1-gw1"), "the first one is back")
    wait_until(lambda: icplan("verify").exit == 0, "everything is as it was")


def test_what_no_gateway_dies_of(packets: Lab, short_path: Path) -> None:
    """What has been set up goes on forwarding without ovn-controller; BFD sees nothing."""
    icplan = Icplan(short_path, packets.interconnect_file)
    icplan.apply()
    host = packets.zones["az1"].hypervisor("az1-gw1")
    with watching(packets) as watch:
        host.controller.stop(signal.SIGKILL)
        watch.resumes("traffic goes on")
        watch.resumes("traffic goes on")
    watch.gap(ANNOUNCED_SECONDS)
    assert served(icplan)[0] == "az1-gw1"
    host.start_controller()

    # Told to end for good it gives its port up at once, without any BFD.
    with watching(packets) as watch:
        host.stop_controller()
        wait_until(lambda: served(icplan)[:2] == ("az1-gw2", "az1-gw2"), "the standby serves")
        watch.resumes("the standby serves")
    watch.gap(ANNOUNCED_SECONDS)
    checks = icplan("verify", "--json").json()["checks"]
    assert isinstance(checks, list)
    missing = " ".join(one["why"] for one in checks if one["result"] == "missing")
    assert "az1-gw1 has no chassis in its zone any more" in missing


def change(
    icplan: Icplan,
    lab: Lab,
    before: str,
    after: str,
    told: str,
    allowed: float = ANNOUNCED_SECONDS,
) -> None:
    """Applies another order of gateways in traffic; the longest gap is what the plan announces."""
    icplan.edit(f"gatewayNodes: [{before}]", f"gatewayNodes: [{after}]")
    plan = " ".join(icplan("plan").out.split())
    assert told in plan, plan
    assert "No zone disrupted." in plan
    with watching(lab) as watch:
        icplan.apply()
        watch.resumes("traffic goes on")
    watch.gap(allowed)
    first = after.partition(",")[0]
    assert served(icplan) == (first, first, after.split(", "))
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0


def test_changes_of_gateways_cost_what_the_plan_says(packets: Lab, short_path: Path) -> None:
    icplan = Icplan(short_path, packets.interconnect_file)
    icplan.apply()
    packets.zones["az1"].add_host("az1-gw3", interconn=True)
    one, two, three = "az1-gw1", "az1-gw2", "az1-gw3"

    change(icplan, packets, f"{one}, {two}", f"{one}, {two}, {three}", f"{one} stays active on ts")
    over = f"{three} takes ts over from {one}: a gap below 1 s"
    change(icplan, packets, f"{one}, {two}, {three}", f"{three}, {one}, {two}", over)
    # Drained: the active one is taken out.
    over = f"{one} takes ts over from {three}: a gap below 1 s"
    change(icplan, packets, f"{three}, {one}, {two}", f"{one}, {two}", over)
    change(icplan, packets, f"{one}, {two}", one, f"{one} stays active on ts")

    # The last one is replaced: refused, or the new one first.
    icplan.edit(f"gatewayNodes: [{one}]", f"gatewayNodes: [{three}]")
    refused = icplan("apply", "--auto-approve")
    assert refused.exit == 4
    assert f"all gateways on ts are replaced: {one} by {three}" in refused.out + refused.err
    icplan.edit(f"gatewayNodes: [{three}]", f"gatewayNodes: [{one}]")
    accept(icplan)
    last = f"{three} takes ts over from {one}: {BEGINS}; the old gateways go once it serves"
    change(icplan, packets, one, three, last, BFD_SECONDS)
    # A single gateway gets a standby: from then on both are watched.
    change(icplan, packets, three, f"{three}, {two}", f"standby: {BEGINS}", BFD_SECONDS)


def accept(icplan: Icplan) -> None:
    waiver = 'accept: [{rule: IC020, at: az1, reason: "the old hosts go"}]\n'
    icplan.file.write_text(icplan.file.read_text() + waiver)


def told(icplan: Icplan, before: str, after: str) -> str:
    """Another list of az1's gateways, and what the plan says of it."""
    icplan.edit(f"gatewayNodes: [{before}]", f"gatewayNodes: [{after}]")
    return " ".join(icplan("plan").out.split())


def test_who_serves_in_the_place_of_another_is_not_taken_away_as_if_it_stood_by(
    packets: Lab, short_path: Path
) -> None:
    icplan, az1 = Icplan(short_path, packets.interconnect_file), packets.zones["az1"]
    icplan.apply()
    az1.add_host("az1-gw3", interconn=True)
    one, two, three = "az1-gw1", "az1-gw2", "az1-gw3"
    both = f"{one}, {two}"
    with watching(packets) as watch:
        az1.plug(one, connected=False)
        wait_until(lambda: served(icplan)[:2] == (two, two), "the standby serves")
        watch.resumes("the standby serves")
    instead = f"{two} serves ts in the place of {one}"

    # It goes, and nothing follows of which it is known that it answers.
    said = told(icplan, both, one)
    assert f"{instead}, and goes: {one} does not answer; az1 is cut off until it does" in said
    assert "1 zone disrupted" in said
    assert f"IC084 az1 {icplan.file}" in said
    assert icplan("apply", "--auto-approve").exit == 4
    said = told(icplan, one, f"{one}, {three}")
    assert f"{one} does not answer, and nobody knows yet whether {three} will" in said
    assert icplan("apply", "--auto-approve").exit == 4

    # It stays, or what follows it has stood by.
    said = told(icplan, f"{one}, {three}", f"{two}, {one}")
    assert f"{instead} already, and becomes the first" in said
    goes = f"{instead}, and goes: {three} takes over: a gap below 1 s"
    stays = f"{two} goes on serving ts in the place of {one}"
    for before, after, words, allowed, serves in (
        (f"{two}, {one}", f"{both}, {three}", stays, ANNOUNCED_SECONDS, two),
        (f"{both}, {three}", f"{one}, {three}", goes, ANNOUNCED_SECONDS, three),
    ):
        said = told(icplan, before, after)
        assert words in said, said
        assert "No zone disrupted." in said
        with watching(packets) as watch:
            icplan.apply()
            watch.resumes("traffic goes on")
        watch.gap(allowed)
        assert served(icplan) == (serves, serves, after.split(", "))

    # Accepted: it comes as it was said, and nothing but packets tells afterwards.
    waiver = 'accept: [{rule: IC084, at: az1, reason: "nobody needs it today"}]\n'
    icplan.file.write_text(icplan.file.read_text() + waiver)
    assert "1 zone disrupted" in told(icplan, f"{one}, {three}", one)
    with watching(packets) as watch:
        icplan.apply()
        wait_until(lambda: watch.across.requests > watch.across.answers + 20, "traffic stops")
        verified = icplan("verify")
        assert verified.exit == 0
        assert "Not known: whether the single gateway of az1 answers." in verified.out
        az1.plug(one, connected=True)
        watch.resumes("the first one is back")


def test_a_new_gateway_that_does_not_work_replaces_nobody(packets: Lab, short_path: Path) -> None:
    icplan = Icplan(short_path, packets.interconnect_file)
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw1]")
    icplan.apply()
    accept(icplan)
    icplan.edit("[az1-gw1]", "[az1-gw2]")
    az1 = packets.zones["az1"]
    host = az1.hypervisor("az1-gw2")
    host.controller.stop(signal.SIGKILL)
    host.switch.stop(signal.SIGKILL)
    with watching(packets) as watch:
        log = short_path / "stopped.jsonl"
        done = icplan("apply", "--auto-approve", "--wait", "5", "--run-log", str(log))
        assert done.exit == 3, done.out + done.err
        assert "az1 has its old and its new gateways on ts" in " ".join(done.out.split())
        watch.resumes("traffic goes on")
    watch.gap(BFD_SECONDS)
    events = [json.loads(line)["event"] for line in log.read_text().splitlines()]
    assert events.count("write") == 1

    az1.restart_switch("az1-gw2")
    host.start_controller()
    # As long as the old one serves in the place of the new one, it is not given up.
    wait_until(lambda: icplan("plan").exit == 0, "the new one has taken over")
    icplan.apply()
    wait_until(lambda: served(icplan) == ("az1-gw2", "az1-gw2", ["az1-gw2"]), "it serves")
