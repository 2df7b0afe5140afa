"""Labs with packets, in both modes: within a zone, across zones, over a cut cable."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from icplan.errors import IcplanError
from icplan.lab import Family, Lab, LabOptions, Mode, operations, wait_until
from tests.lab.conftest import Interconnect, demand

pytestmark = pytest.mark.real


def test_pods_reach_each_other_once_zones_are_interconnected(
    directory: Path, packet_mode: Mode, interconnect: Interconnect
) -> None:
    with Lab(directory, LabOptions(mode=packet_mode, family=Family.DUAL)) as lab:
        for version in (4, 6):
            assert lab.ping("az1/pods", "az1/office", version=version).ok
        isolated = lab.ping("az1/pods", "az2/pods")
        assert (isolated.sent, isolated.received) == (3, 0)

        interconnect(lab)
        for version in (4, 6):
            lab.wait_for_ping("az1/pods", "az2/office", version=version)
            assert lab.ping("az2/office", "az1/pods", version=version).ok

        # The active gateway loses its cable: the other one takes over.
        with lab.pinging("az1/pods", "az2/pods") as running:
            wait_until(lambda: running.answers > 2, "pings are answered")
            lab.zones["az1"].plug("az1-gw1", connected=False)
            wait_until(lambda: running.requests > running.answers + 5, "traffic stops")
            before = running.answers
            wait_until(lambda: running.answers > before + 5, "the other gateway takes over")
        result = running.stop()
        assert result.received < result.sent
        assert 0.5 < result.longest_gap_seconds < 60


def test_hosts_and_pods_come_and_go(directory: Path, packet_mode: Mode) -> None:
    with Lab(directory, LabOptions(zones=("az1",), mode=packet_mode, gateways=1)) as lab:
        zone = lab.zones["az1"]
        zone.add_host("az1-w2", interconn=False)
        zone.add_pod("extra", "pods", host="az1-w2")
        # The first packet between two hosts is lost to the tunnel's neighbour discovery.
        lab.wait_for_ping("az1/pods", "az1/extra")
        assert lab.ping("az1/pods", "az1/extra").ok
        zone.mark_interconn("az1-w2", True)
        zone.remove_pod("extra")
        zone.remove_host("az1-w2")
        assert "az1-w2" not in zone.sbctl("show")
        with pytest.raises(IcplanError, match="no such pod"):
            lab.ping("az1/pods", "az1/extra")
        lab.add_zone("az2")
        lab.remove_zone("az1")
        assert list(lab.pods) == ["az2/pods", "az2/office"]
        assert operations.ping("az2/pods", "az2/office", directory=directory).ok


def test_a_ping_that_cannot_be_sent_says_why(directory: Path) -> None:
    with Lab(directory, LabOptions(zones=("az1",), mode=Mode.UNPRIVILEGED, gateways=0)) as lab:
        with pytest.raises(IcplanError, match="no IPv6 address"):
            lab.ping("az1/pods", "fd00::1")
        with pytest.raises(IcplanError, match="no address family in common"):
            lab.ping("az1/pods", "az1/office", version=6)


def test_there_are_no_packets_in_a_control_plane(directory: Path) -> None:
    with Lab(directory, LabOptions(zones=("az1",))) as lab:
        with pytest.raises(IcplanError, match="this lab has no pods"):
            lab.ping("az1/pods", "az1/office")
        with pytest.raises(IcplanError, match="control plane only"):
            lab.zones["az1"].add_pod("one", "pods")


def test_down_after_the_starter_of_namespaces_was_killed(directory: Path) -> None:
    demand(Mode.NAMESPACES)
    program = (
        "import sys; from pathlib import Path; from icplan.lab import Lab, LabOptions, Mode;"
        "lab = Lab(Path(sys.argv[1]), LabOptions(mode=Mode.NAMESPACES)); lab.start()"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(directory)]) as starter:
        pidfile = directory / "az1" / "az1-gw2" / "switch.pid"
        wait_until(lambda: pidfile.exists() or starter.poll() is not None, str(pidfile))
        starter.send_signal(signal.SIGKILL)
    assert operations.down(directory)
