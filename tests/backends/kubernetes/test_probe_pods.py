"""Which pods are pinged from, and which are somebody's leftovers: judged from objects alone."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from icplan.backends.kubernetes import probe_pods
from icplan.backends.kubernetes.configuration import Access
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.kubernetes.probe_pods import LABELS, MAKER, ProbePods

BLOCKS = ("10.16.0.0/16", "fd00:10:16::/64")


def pod(name: str = "web", **changes: object) -> dict[str, Any]:
    """A pod that can be pinged from, or nearly."""
    body: dict[str, Any] = {
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "sidecar"}, {"name": "web"}]},
        "status": {
            "phase": "Running",
            "podIPs": [{"ip": "10.16.0.7"}, {"ip": "fd00:10:16::7"}],
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    }
    for path, value in changes.items():
        part, _, key = path.partition("_")
        body[part][key] = value
    return body


def usable(*found: dict[str, Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    pods = ProbePods(Objects(Access("az1", "az1", Path("none"))), "default", "image", 1.0)
    return [
        (one.resource.name, one.container, one.addresses) for one in pods._usable(found, BLOCKS)
    ]


def test_a_running_pod_in_the_subnet_is_usable() -> None:
    assert usable(pod()) == [("web", "sidecar", ("10.16.0.7", "fd00:10:16::7"))]
    default = {"kubectl.kubernetes.io/default-container": "web"}
    assert usable(pod(metadata_annotations=default))[0][1] == "web"


@pytest.mark.parametrize(
    "changes",
    [
        {"spec_hostNetwork": True},
        {"status_phase": "Pending"},
        {"status_conditions": [{"type": "Ready", "status": "False"}]},
        {"status_conditions": []},
        {"status_podIPs": [{"ip": "10.17.0.7"}]},
        {"status_podIPs": [{"ip": "10.16.0.7"}, {"ip": "fd00:10:17::7"}]},
        {"status_podIPs": []},
        {"metadata_deletionTimestamp": "2026-01-01T00:00:00Z"},
        {"metadata_labels": LABELS, "metadata_name": "icplan-probe-1"},
    ],
    ids=str,
)
def test_others_are_not(changes: dict[str, Any]) -> None:
    assert usable(pod(**changes)) == []


# Leftovers


def test_the_pods_of_runs_that_live_are_left_alone() -> None:
    mine = pod(metadata_annotations={MAKER: probe_pods._maker()})
    assert not probe_pods._abandoned(mine)
    for maker in ("", "other-boot/pid:[1]/1-1", "nonsense"):
        assert not probe_pods._abandoned(pod(metadata_annotations={MAKER: maker}))
    assert not probe_pods._abandoned(pod())


def test_the_pods_of_processes_that_are_gone_are_leftovers() -> None:
    with subprocess.Popen(["true"]) as process:
        maker = f"{probe_pods._machine()}/{process.pid}-{probe_pods._started(process.pid)}"
    assert probe_pods._abandoned(pod(metadata_annotations={MAKER: maker}))


def test_a_process_that_has_the_number_of_one_that_is_gone_is_another_one() -> None:
    machine, _, process = probe_pods._maker().rpartition("/")
    pid, _, start = process.partition("-")
    assert probe_pods._abandoned(
        pod(metadata_annotations={MAKER: f"{machine}/{pid}-{int(start) - 1}"})
    )


def test_pods_that_have_ended_are_leftovers_whoever_made_them() -> None:
    for phase in ("Succeeded", "Failed"):
        assert probe_pods._abandoned(pod(status_phase=phase))


def test_only_what_bears_our_name_and_labels_is_a_probe() -> None:
    assert probe_pods._is_probe(pod("icplan-probe-1", metadata_labels=LABELS))
    assert not probe_pods._is_probe(pod("web", metadata_labels=LABELS))
    assert not probe_pods._is_probe(pod("icplan-probe-1"))


def test_why_a_pod_does_not_run() -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no\n such image"}}}
    stuck = pod(status_containerStatuses=[waiting])
    assert probe_pods._state(stuck) == ": ImagePullBackOff, no such image"
    unscheduled = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}
    assert probe_pods._state(pod(status_conditions=[unscheduled])) == ": 0/3 nodes"
    assert probe_pods._state(pod(status_phase="Pending")) == ": it is Pending"
