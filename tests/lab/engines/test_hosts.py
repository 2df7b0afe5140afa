"""Engine hosts come up and go, beside each other, and leave nothing of themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from icplan.errors import IcplanError
from icplan.lab.engines import Behaviour, Engines
from icplan.lab.engines.wire import MOST_HOSTS
from icplan.lab.folder import lab_id
from icplan.lab.waiting import wait_until
from tests.lab.engines.conftest import (
    CTR,
    NAME,
    OLD,
    TODAY,
    WITHOUT_CHECK,
    answers,
    start,
    state,
    traces,
    wait_for_switch,
)

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("engines")]

_STARTER = """
import sys, time
from pathlib import Path
from icplan.lab.engines import Behaviour, Engines
engines = Engines(Path(sys.argv[1]), ["h1", "h2"])
engines.start()
engines.load(sys.argv[2], Behaviour.OLD)
print("ready", flush=True)
time.sleep(600)
"""


def test_hosts_have_an_own_name_network_and_folders(directory: Path) -> None:
    with Engines(directory, ["h1", "h2"]) as engines:
        h1, h2 = engines.hosts.values()
        assert h1.run("hostname").strip() == "h1"
        assert h1.docker("info", "--format", "{{.Name}}").strip() == "h1"
        assert "Server:" in h1.ctr("version")
        assert h1.address != h2.address
        # The same port on both, which each has for itself and the other reaches.
        for host in (h1, h2):
            listen = "exec ncat --listen --keep-open --sh-exec hostname 0.0.0.0 6645"
            host.start_daemon("listener", ["/bin/sh", "-c", listen])

        def said() -> str:
            return h1.run("sh", "-c", f"ncat --recv-only {h2.address} 6645 || true").strip()

        wait_until(lambda: said() == "h2", "h2 answers h1")
        h1.run("sh", "-c", "echo mine >/etc/ovn/mine && echo other >/etc/icplan-other")
        assert (h1.etc_ovn / "mine").read_text() == "mine\n"
        assert list(h2.etc_ovn.iterdir()) == []
        assert not Path("/etc/ovn/mine").exists()
        assert not Path("/etc/icplan-other").exists()
        h1.run("touch", "/var/run/ovn/socket", "/var/log/ovn/log")
        assert (h1.run_ovn / "socket").exists()
        assert (h1.log_ovn / "log").exists()
        assert not Path("/var/log/ovn/log").exists()


def test_an_engine_ends_and_starts_again(directory: Path) -> None:
    with Engines(directory) as engines:
        h1 = engines.hosts["h1"]
        engines.load(TODAY, into=["docker"])
        start(h1, TODAY, **WITHOUT_CHECK)
        wait_for_switch([h1])
        h1.stop_engine("docker")
        with pytest.raises(IcplanError, match="Cannot connect to the Docker daemon"):
            h1.docker("ps")
        h1.start_engine("docker")
        assert state(h1).startswith("exited")
        h1.docker("start", NAME)
        wait_for_switch([h1])
        # A crash: what it ran is ended by the next one, as it does not know it.
        h1.stop_engine("docker", signal.SIGKILL)
        assert answers([h1], "show")
        h1.start_engine("docker")
        assert state(h1).startswith("exited")


def test_two_labs_do_not_meet(directory: Path) -> None:
    other = Path(f"{directory}2")
    with Engines(directory) as one, Engines(other) as two:
        hosts = [one.hosts["h1"], two.hosts["h1"]]
        for engines, host in zip((one, two), hosts, strict=True):
            engines.load(OLD, Behaviour.OLD, into=["docker"])
            start(host, OLD, TS_CIDR=f"10.0.{host.address.rpartition('.')[2]}.0/24")
        subnets = [wait_for_switch([host])["subnet"] for host in hosts]
        assert subnets == [f"10.0.{host.address.rpartition('.')[2]}.0/24" for host in hosts]
        two.stop()
        assert state(hosts[0]) == "running 0"
        assert wait_for_switch([hosts[0]])


def test_a_killed_lab_is_removed_with_its_containers(directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _STARTER, str(directory), OLD], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "ready\n"
        os.kill(starter.pid, signal.SIGKILL)
    found = Engines(directory, ["h1", "h2"])
    h1, h2 = found.hosts.values()
    start(h1, OLD)
    # A name of its own: ctr keeps pipes of that name outside of the host.
    name = f"{NAME}-{lab_id(directory)}"
    h2.ctr(*CTR.split(), f"docker.io/{OLD}", name, "bash", "start-ic-db.sh")
    wait_until((h1.etc_ovn / "ovn_ic_sb_db.db").exists, "docker's databases are there")
    wait_until((h2.etc_ovn / "ovn_ic_sb_db.db").exists, "ctr's databases are there")
    assert any(name in line for line in traces(directory))
    Engines(directory).stop()
    assert not directory.exists()


def test_a_host_that_cannot_start_leaves_nothing(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "dockerd").write_text("#!/bin/sh\necho 'no room on this machine' >&2\nexit 1\n")
    (broken / "dockerd").chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken}:{os.environ['PATH']}")
    with pytest.raises(IcplanError, match="no room on this machine"):
        Engines(directory).start()
    assert not directory.exists()


def test_more_hosts_than_addresses_are_refused(directory: Path) -> None:
    engines = Engines(directory, [f"h{number}" for number in range(MOST_HOSTS + 1)])
    with pytest.raises(IcplanError, match="addresses for 13 hosts"):
        engines.start()
    assert not directory.exists()


def test_a_folder_that_is_too_deep_for_sockets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IcplanError, match="and the system allows 107"):
        Engines(tmp_path / ("e" * 60)).start()
    assert list(tmp_path.iterdir()) == []
