"""The stand-in image by the documented commands: what each version's start-ic-db.sh does."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from icplan.lab.engines import Behaviour, EngineHost, Engines
from icplan.lab.engines.image import complete_name, write_archive
from icplan.lab.engines.rootfs import base_layer
from icplan.lab.waiting import wait_until
from tests.lab.engines.conftest import (
    CTR,
    NAME,
    OLD,
    TODAY,
    WITHOUT_CHECK,
    answers,
    logs,
    nbctl,
    start,
    state,
    wait_for_switch,
)

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("engines")]


def listening(host: EngineHost) -> set[str]:
    """Where servers listen on the host."""
    lines = host.run("ss", "--listening", "--tcp", "--numeric", "--no-header").splitlines()
    return {line.split()[3] for line in lines if ":664" in line}


def test_the_old_image_runs_alone_on_all_addresses(host: EngineHost) -> None:
    ignored = {"NODE_IPS": host.address, "LOCAL_IP": host.address, "POD_IP": host.address}
    start(host, OLD, **ignored, PROTOCOL="ipv6")
    # No vendor: newer controllers do not see this switch.
    assert wait_for_switch([host]) == {"subnet": "169.254.100.0/24"}
    assert listening(host) == {"0.0.0.0:6645", "0.0.0.0:6646"}
    assert {"ovn_ic_nb_db.db", "ovn_ic_sb_db.db"} <= {one.name for one in host.etc_ovn.iterdir()}
    assert (host.run_ovn / "ovn_ic_nb_db.sock").is_socket()
    assert (host.log_ovn / "ovsdb-server-ic-nb.log").exists()
    nbctl([host], "ts-add", "ts1")
    host.docker("kill", NAME)
    host.docker("start", NAME)
    wait_for_switch([host])
    assert "ts1" in nbctl([host], "show")


def test_the_old_image_gives_the_subnet_to_ts_only(host: EngineHost) -> None:
    start(host, OLD, TS_CIDR="10.9.0.0/24", TS_NAME="other")
    wait_until(lambda: state(host) == "exited 1", "the container ends")
    assert 'no row "ts" in table Transit_Switch' in logs(host)


def test_todays_image_without_addresses_runs_alone(host: EngineHost) -> None:
    start(host, TODAY, **WITHOUT_CHECK)
    expected = {"subnet": "169.254.100.0/24", "vendor": "kube-ovn"}
    assert wait_for_switch([host]) == expected
    assert listening(host) == {"*:6645", "*:6646"}
    host.docker("stop", NAME)
    assert state(host) == "exited 143"
    assert not (host.run_ovn / "ovn_ic_nb_db.pid").exists()
    # It sets its switch again at each start.
    host.docker("start", NAME)
    wait_for_switch([host])
    nbctl([host], "clear", "Transit_Switch", "ts", "external_ids")
    host.docker("restart", NAME)
    assert wait_for_switch([host]) == expected


@pytest.mark.parametrize(
    ("variables", "switch", "subnet"),
    [
        ({"PROTOCOL": "ipv6"}, "ts", "fe80:a9fe:64::/112"),
        ({"PROTOCOL": "dual"}, "ts", "169.254.100.0/24,fe80:a9fe:64::/112"),
        ({"TS_NAME": "other", "TS_CIDR": "10.9.0.0/24"}, "other", "10.9.0.0/24"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_todays_image_makes_the_switch_that_is_asked_for(
    host: EngineHost, variables: dict[str, str], switch: str, subnet: str
) -> None:
    start(host, TODAY, **WITHOUT_CHECK, **variables)
    assert wait_for_switch([host], switch)["subnet"] == subnet


def test_an_image_from_before_2026_marks_nothing(engines: Engines, host: EngineHost) -> None:
    engines.load("kubeovn/kube-ovn:v1.13.0", Behaviour.UNMARKED, into=["docker"])
    start(host, "kubeovn/kube-ovn:v1.13.0", **WITHOUT_CHECK)
    assert wait_for_switch([host]) == {"subnet": "169.254.100.0/24"}


def test_todays_image_ends_without_kubernetes_and_says_success(host: EngineHost) -> None:
    start(host, TODAY)
    wait_until(lambda: state(host) == "exited 0", "the container ends")
    assert "no Kubernetes here" in logs(host)
    assert not answers([host], "show")


def test_only_the_word_true_asks_for_the_leader_check(host: EngineHost) -> None:
    start(host, TODAY, ENABLE_OVN_LEADER_CHECK="False")
    wait_for_switch([host])


@pytest.mark.parametrize(
    ("image", "namespace", "variables"),
    [(OLD, "default", {}), (TODAY, "k8s.io", WITHOUT_CHECK)],
    ids=["old", "today"],
)
def test_ctr_runs_the_documented_command(
    host: EngineHost, image: str, namespace: str, variables: dict[str, str]
) -> None:
    options = [f"--env={name}={value}" for name, value in variables.items()]
    command = (*options, complete_name(image), NAME, "bash", "start-ic-db.sh")
    host.ctr(*CTR.split(), *command, namespace=namespace)
    assert wait_for_switch([host])["subnet"] == "169.254.100.0/24"
    (_, row) = host.ctr("tasks", "list", namespace=namespace).strip().splitlines()
    assert row.split()[0::2] == [NAME, "RUNNING"]
    assert (host.etc_ovn / "ovn_ic_nb_db.db").exists()
    host.ctr("tasks", "kill", "--signal", "SIGKILL", NAME, namespace=namespace)
    wait_until(lambda: not answers([host], "show"), "the databases are gone")


def test_what_the_images_share_is_built_once(tmp_path: Path) -> None:
    base = base_layer()
    built = base.stat().st_mtime_ns
    assert base_layer() == base
    archives = [tmp_path / "one.tar", tmp_path / "two.tar"]
    for archive in archives:
        write_archive(archive, Behaviour.OLD, ("docker.io/library/one:latest",))
    assert archives[0].read_bytes() == archives[1].read_bytes()
    assert base.stat().st_mtime_ns == built
    with tarfile.open(base) as tar:
        names = set(tar.getnames())
    assert {"usr/bin/ovn-ic-nbctl", "usr/share/ovn/ovn-ic-sb.ovsschema", "var/lib/ovn"} <= names


@pytest.mark.parametrize(
    ("name", "complete"),
    [
        ("kubeovn/kube-ovn:v1.7.1", "docker.io/kubeovn/kube-ovn:v1.7.1"),
        ("kube-ovn:v1", "docker.io/library/kube-ovn:v1"),
        ("docker.io/kubeovn/kube-ovn:v1.7.1", "docker.io/kubeovn/kube-ovn:v1.7.1"),
        ("registry.example:5000/kube-ovn:v1", "registry.example:5000/kube-ovn:v1"),
    ],
)
def test_an_image_has_a_complete_name(name: str, complete: str) -> None:
    assert complete_name(name) == complete
