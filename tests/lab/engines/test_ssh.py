"""Engines over SSH: a real sshd on the host, a client that never looks into ~/.ssh."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from icplan.lab.engines import EngineHost, Engines, Ssh
from tests.lab.engines.conftest import CTR, NAME, OLD, start, wait_for_switch

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("engines")]


@pytest.fixture(scope="module")
def ssh(engines: Engines) -> Ssh:
    return engines.start_ssh(2222)


def run(ssh: Ssh, *command: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = ssh.environment() | {"HOME": str(home)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_docker_and_ctr_are_reached_by_ssh(ssh: Ssh, host: EngineHost, tmp_path: Path) -> None:
    start(host, OLD)
    wait_for_switch([host])
    url = ssh.url(host)
    assert url == f"ssh://root@{host.address}:2222"
    listed = run(ssh, "docker", "-H", url, "ps", "--format", "{{.Names}}", home=tmp_path)
    assert (listed.returncode, listed.stdout) == (0, f"{NAME}\n"), listed.stderr
    there = run(ssh, "ssh", url, "docker ps --format '{{.Names}}'; hostname", home=tmp_path)
    assert there.stdout == f"{NAME}\nh1\n", there.stderr
    host.docker("rm", "--force", NAME)
    command = f"ctr {CTR} docker.io/{OLD} {NAME} bash start-ic-db.sh"
    started = run(ssh, "ssh", url, command, home=tmp_path)
    assert started.returncode == 0, started.stderr
    wait_for_switch([host])
    assert NAME in run(ssh, "ssh", url, "ctr tasks list --quiet", home=tmp_path).stdout
    assert list(tmp_path.iterdir()) == []


def test_strangers_are_refused(ssh: Ssh, host: EngineHost, tmp_path: Path) -> None:
    # Without the lab's settings there is neither the host's key nor the user's.
    plain = ("ssh", "-F", "/dev/null", "-o", "BatchMode=yes", ssh.url(host), "true")
    hostile = tmp_path / "known_hosts"
    unknown = (f"-oUserKnownHostsFile={hostile}", "-oStrictHostKeyChecking=accept-new")
    refused = run(ssh, "/usr/bin/ssh", *unknown, *plain[1:], home=tmp_path)
    assert refused.returncode == 255
    assert "Permission denied" in refused.stderr
    changed = ssh.directory / "known_hosts"
    before = changed.read_text()
    try:
        changed.write_text("")
        unproven = run(ssh, "ssh", ssh.url(host), "true", home=tmp_path)
    finally:
        changed.write_text(before)
    assert unproven.returncode == 255
    assert "Host key verification failed" in unproven.stderr


def test_a_server_that_is_gone_and_back(ssh: Ssh, host: EngineHost, tmp_path: Path) -> None:
    ssh.stop_server(host)
    refused = run(ssh, "docker", "-H", ssh.url(host), "ps", home=tmp_path)
    assert refused.returncode != 0
    ssh.start_server(host)
    again = run(ssh, "docker", "-H", ssh.url(host), "ps", home=tmp_path)
    assert again.returncode == 0, again.stderr
