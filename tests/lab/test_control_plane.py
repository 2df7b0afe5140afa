"""Labs without packets: what is in them, what is not, and that nothing of them is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from icplan.cli.main import run
from icplan.errors import IcplanError
from icplan.lab import Family, Lab, LabOptions, operations, programs, wait_until
from icplan.lab.daemons import end_all
from tests.lab.conftest import Interconnect, processes_mentioning

pytestmark = pytest.mark.real

PLAYING = LabOptions(play_ovn_controller=True)


def test_two_zones_come_up_without_what_icplan_makes(directory: Path) -> None:
    with Lab(directory) as lab:
        assert lab.ic.nbctl("ts-list") == ""
        for zone in lab.zones.values():
            assert zone.nbctl("get", "NB_Global", ".", "name").strip() == '""'
            assert "ic-route" not in zone.nbctl("get", "NB_Global", ".", "options")
            assert zone.nbctl("list", "Gateway_Chassis") == ""
            assert all(daemon.running() for daemon in zone.daemons)
        interconn = lab.zones["az1"].sbctl(
            *("--bare", "--columns=hostname", "find", "Chassis"),
            "other_config:is-interconn=true",
        )
        assert sorted(interconn.split()) == ["az1-gw1", "az1-gw2"]
        assert processes_mentioning(directory)


def test_the_file_for_icplan_names_the_zones(directory: Path) -> None:
    with Lab(directory) as lab:
        text = lab.interconnect_file.read_text()
        for zone in lab.zones.values():
            assert f"northbound: [{zone.northbound.network}]" in text
            assert f"gatewayNodes: [{zone.name}-gw1, {zone.name}-gw2]" in text
        assert f"northboundPort: {lab.ic.ports.northbound}" in text
        assert 'withhold: ["10.116.0.0/24"]' in text


@pytest.mark.parametrize("family", Family)
def test_zones_interconnected_by_hand_learn_each_other(
    directory: Path, interconnect: Interconnect, family: Family
) -> None:
    with Lab(directory, LabOptions(family=family, play_ovn_controller=True)) as lab:
        interconnect(lab)
        expected = {
            Family.IPV4: ["10.16.0.0/16"],
            Family.IPV6: ["fd00:10:16::/64"],
            Family.DUAL: ["10.16.0.0/16", "fd00:10:16::/64"],
        }[family]
        az2 = lab.zones["az2"]
        wait_until(
            lambda: all(each in az2.nbctl("lr-route-list", az2.router) for each in expected),
            f"az2 learns {expected}",
        )


def test_the_played_controller_follows_chassis(directory: Path, interconnect: Interconnect) -> None:
    with Lab(directory, PLAYING) as lab:
        interconnect(lab)
        az1 = lab.zones["az1"]
        wait_until(lambda: _bound(lab) == "chassis-az1-gw1", "first gateway is active")
        az1.remove_chassis("chassis-az1-gw1")
        wait_until(lambda: _bound(lab) == "chassis-az1-gw2", "second gateway takes over")
        az1.add_chassis("chassis-az1-gw1", "az1-gw1", "172.31.1.11")
        wait_until(lambda: _bound(lab) == "chassis-az1-gw1", "first gateway is back")
        az1.stop_playing()
        az1.bind_gateway("az1-ts", "chassis-az1-gw2")
        assert _bound(lab) == "chassis-az1-gw2"


def _bound(lab: Lab) -> str:
    """The chassis of az1's gateway port."""
    zone = lab.zones["az1"]
    find = ("--bare", "--columns=chassis", "find", "Port_Binding", "logical_port=cr-az1-ts")
    uuid = zone.sbctl(*find).strip()
    return zone.sbctl("--bare", "get", "Chassis", uuid, "name").strip() if uuid else ""


def test_marks_subnets_zones_and_ovn_ic_can_be_changed(
    directory: Path, interconnect: Interconnect
) -> None:
    with Lab(directory, PLAYING) as lab:
        interconnect(lab)
        az1, az2 = lab.zones["az1"], lab.zones["az2"]

        def gateways() -> str:
            return lab.ic.sbctl("--bare", "--columns=name", "list", "Gateway")

        wait_until(lambda: "chassis-az1-gw2" in gateways(), "gateway is registered")
        az1.mark_interconn("az1-gw2", False)
        wait_until(lambda: "chassis-az1-gw2" not in gateways(), "gateway is gone")

        az2.stop_ovn_ic()
        az1.add_subnet("more", "10.99.0.1/24")
        wait_until(lambda: "10.99.0" in lab.ic.sbctl("list", "Route"), "az1 advertises")
        assert "10.99.0" not in az2.nbctl("lr-route-list", az2.router)
        az2.start_ovn_ic()
        wait_until(lambda: "10.99.0" in az2.nbctl("lr-route-list", az2.router), "az2 catches up")
        az1.remove_subnet("more")
        wait_until(lambda: "10.99.0" not in az2.nbctl("lr-route-list", az2.router), "az2 forgets")

        lab.add_zone("az3")
        assert set(Lab.attach(directory).zones) == {"az1", "az2", "az3"}
        assert "10.18.0.1/16" in lab.zones["az3"].subnet_gateways("pods")
        lab.remove_zone("az2")
        assert not (directory / "az2").exists()
        assert "az2" in lab.ic.sbctl("list", "Availability_Zone"), "its rows stay behind"


def test_two_labs_at_once(directory: Path) -> None:
    other = directory.parent / "other"
    labs = [Lab(directory), Lab(other)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(Lab.start, labs))
    try:
        labs[0].zones["az1"].nbctl("set", "NB_Global", ".", "name=first")
        assert labs[1].zones["az1"].nbctl("get", "NB_Global", ".", "name").strip() == '""'
        labs[0].stop()
        assert all(daemon.running() for daemon in labs[1].zones["az1"].daemons)
    finally:
        for lab in labs:
            lab.stop()


def test_databases_over_tls(directory: Path) -> None:
    with Lab(directory, LabOptions(zones=("az1",), tls=True)) as lab:
        remote = lab.zones["az1"].northbound.network
        assert remote.startswith("ssl:127.0.0.1:")
        files = lab.certificates
        assert files is not None
        command = [
            *("ovn-nbctl", "--timeout=20", f"--db={remote}", f"--ca-cert={files.ca}"),
            *(f"--certificate={files.client_certificate}", f"--private-key={files.client_key}"),
            "lr-list",
        ]
        assert "(router)" in programs.run(command, run_directory=directory, thing="TLS")
        assert "tls: {ca: tls/ca.pem" in lab.interconnect_file.read_text()


def test_options_that_cannot_be_are_refused(directory: Path) -> None:
    with pytest.raises(IcplanError, match="odd number"):
        Lab(directory, LabOptions(members=2)).start()
    for zones in (("az1", "az1"), ("ic1",), ("../az1",)):
        with pytest.raises(IcplanError, match="zone"):
            Lab(directory, LabOptions(zones=zones)).start()


def test_what_it_is_made_of_is_a_document_of_a_known_format(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Lab(directory, LabOptions(zones=("az1",))) as lab:
        assert run(["lab", "status", "--json", "--directory", str(directory)]) == 0
        document = json.loads(capsys.readouterr().out)
        assert document["format_version"] == "1.0"
        assert document["ic_northbound"] == lab.ic.northbound.network
        assert [zone["name"] for zone in document["zones"]] == ["az1"]


# Ending it


def test_down_is_repeatable_and_knows_only_labs(directory: Path) -> None:
    operations.up(LabOptions(zones=("az1",)), directory)
    with pytest.raises(IcplanError, match="already there"):
        Lab(directory).start()
    description = operations.describe(directory)
    assert description.stopped == ()
    assert description.zones[0].stopped == ()
    assert operations.down(directory)
    assert not operations.down(directory)
    directory.mkdir()
    (directory / "thesis.txt").write_text("precious")
    with pytest.raises(IcplanError, match="is no lab"):
        operations.down(directory)
    with pytest.raises(IcplanError, match="not empty"):
        Lab(directory).start()
    (directory / "thesis.txt").unlink()
    directory.rmdir()


_STARTER = """
import sys
from pathlib import Path
from icplan.lab import operations, LabOptions, Mode
operations.up(LabOptions(mode=Mode(sys.argv[2])), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("milestone", ["ic1/nb.pid", "az1/sb.db", "az2/northd.pid"])
def test_down_after_the_starter_was_killed_half_way(directory: Path, milestone: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(directory), "control-plane"]
    ) as starter:
        wait_until(
            lambda: (directory / milestone).exists() or starter.poll() is not None, milestone
        )
        starter.send_signal(signal.SIGKILL)
    assert operations.down(directory)
    assert not operations.down(directory)


def test_a_lab_outlives_its_starter_and_is_found_by_others(directory: Path) -> None:
    arguments = [sys.executable, "-c", _STARTER, str(directory), "control-plane"]
    subprocess.run(arguments, check=True)
    lab = Lab.attach(directory)
    lab.zones["az1"].nbctl("show")
    os.kill(int((directory / "az1" / "northd.pid").read_text()), signal.SIGKILL)
    wait_until(
        lambda: operations.describe(directory).zones[0].stopped == ("northd",),
        "the killed daemon is shown",
    )
    lab.stop()


def test_a_failing_start_leaves_nothing_and_says_why(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A missing program in the middle of the start: ovn-ic comes after databases and northd.
    monkeypatch.setattr("shutil.which", lambda name, path: _which(name, path, missing="ovn-ic"))
    with pytest.raises(IcplanError) as caught:
        Lab(directory).start()
    assert caught.value.thing == "program ovn-ic"
    assert "package ovn-ic: make packages" in caught.value.cure


def _which(name: str, path: str, *, missing: str) -> str | None:
    candidates = (f"{folder}/{name}" for folder in path.split(":") if name != missing)
    return next(filter(os.path.exists, candidates), None)


def test_a_pid_that_is_no_longer_ours_is_not_ended(directory: Path) -> None:
    directory.mkdir()
    pidfile = directory / "nb.pid"
    with subprocess.Popen(["sleep", "60"]) as stranger:
        pidfile.write_text(f"{stranger.pid}\n")
        assert end_all([pidfile], directory) == []
        assert stranger.poll() is None
        stranger.kill()
    pidfile.unlink()
    directory.rmdir()


def test_a_control_plane_comes_up_quickly(directory: Path) -> None:
    start = time.monotonic()
    with Lab(directory):
        # Half a second on two idle cores; here a bound against a lost order of magnitude.
        assert time.monotonic() - start < 10
