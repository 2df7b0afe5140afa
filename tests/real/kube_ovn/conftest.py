"""Two clusters with Kube-OVN, and icplan on them with nothing but a kubeconfig."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, Mode
from tests.real.conftest import Icplan, demand_namespaces


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two clusters with a controller each; every test leaves it to the next one to mend it."""
    with tempfile.TemporaryDirectory(prefix="icp-") as parent:
        # One rebuild in a hundred would end with equal addresses, which is a story of its own.
        options = LabOptions(
            kubernetes=True, play_ovn_controller=True, play_kube_ovn=True, collisions=False
        )
        with Lab(Path(parent).resolve() / "lab", options) as lab:
            lab.zones["az1"].add_subnet("office", "10.116.0.1/24")
            yield lab


@contextmanager
def with_packets() -> Iterator[Lab]:
    """Two clusters with packets: pods in network namespaces, real Geneve between the hosts."""
    demand_namespaces()
    with tempfile.TemporaryDirectory(prefix="icp-") as parent:
        options = LabOptions(
            mode=Mode.NAMESPACES, kubernetes=True, play_kube_ovn=True, collisions=False
        )
        with Lab(Path(parent).resolve() / "lab", options) as lab:
            yield lab


@pytest.fixture
def icplan(lab: Lab, short_path: Path) -> Icplan:
    """icplan with a copy of the lab's file, and everything as that file says."""
    for zone in lab.clusters.values():
        if not zone.controller_running():
            zone.start_controller()
    file = short_path / "interconnect.yaml"
    text = lab.interconnect_file.read_text()
    file.write_text(text.replace(lab.kubeconfig.name, str(lab.kubeconfig)))
    icplan = Icplan(short_path, file)
    icplan.apply()
    if lab.options.mode is not Mode.CONTROL_PLANE:
        # A port's tunnel key may have changed since its gateway claimed it (docs/facts.md
        # section 9).
        for each in lab.zones.values():
            for host in each.gateway_hosts:
                each.hypervisor(host).recompute()
    return icplan
