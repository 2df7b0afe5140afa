"""The example that lets a cluster run the IC databases is planned and applied as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions
from tests.real.conftest import Icplan, short_path

__all__ = ["short_path"]
pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]
EXAMPLE = Path(__file__).parents[2] / "examples" / "ic-database-kubernetes" / "interconnect.yaml"
HOSTS = "192.168.65.11, 192.168.65.12, 192.168.65.13"


def test_it_is_planned_and_applied(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = LabOptions(
        kubernetes=True,
        play_ovn_controller=True,
        play_kube_ovn=True,
        collisions=False,
        members=3,
        ic_cluster="az1",
    )
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count(HOSTS) == 1
    with Lab(short_path / "lab", options) as lab:
        # Nothing but the addresses: contexts and nodes are the lab's, too.
        file = short_path / "interconnect.yaml"
        file.write_text(text.replace(HOSTS, ", ".join(lab.ic.hosts)), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(lab.kubeconfig))
        icplan = Icplan(short_path, file)
        assert icplan.changes() == {
            "ic/deployment": "create",
            "az1/ic-config": "create",
            "az2/ic-config": "create",
        }
        icplan.apply()
        made = lab.ic.nbctl("--bare", "--columns=name", "list", "Transit_Switch").split()
        assert sorted(made) == ["ts", "ts1"]
        assert "10.17.0.0/16" in lab.zones["az1"].nbctl("lr-route-list", "ovn-cluster")
        assert icplan("verify").exit == 0
        assert icplan.changes() == {}
