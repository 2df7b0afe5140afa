"""Zones with older controllers leave in one run, and what each has learned goes by and by."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, wait_until
from tests.real.conftest import Icplan
from tests.real.kube_ovn.looks import learned, older

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

NOTHING = "No changes. What is there is what the file says.\n"
STAYS = "10.18.0.0/16"
"""What the plain zone advertises until the end."""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Two clusters, and a plain zone from which they learn what nobody takes back."""
    options = LabOptions(
        zones=("az1", "az2", "az3"),
        plain=("az3",),
        kubernetes=True,
        play_ovn_controller=True,
        play_kube_ovn=True,
        collisions=False,
    )
    with (
        tempfile.TemporaryDirectory(prefix="icp-") as parent,
        Lab(Path(parent).resolve() / "lab", options) as lab,
    ):
        yield lab


def test_two_leave_and_one_apply_is_enough(lab: Lab, short_path: Path) -> None:
    icplan = Icplan(short_path, lab.interconnect_file)
    icplan.apply()
    with older(lab, "az1"), older(lab, "az2"):
        wait_until(lambda: icplan("verify").exit == 0, "all of them are interconnected")
        for zone, other in (("az1", "10.17."), ("az2", "10.16.")):
            assert STAYS in learned(lab, zone)
            assert any(one.startswith(other) for one in learned(lab, zone))
            gateways = f"gatewayNodes: [{zone}-gw1, {zone}-gw2]"
            icplan.edit(gateways, f"{gateways}\n    state: absent")
        icplan.edit(
            "availabilityZones:", "limits: {deletions: 4, disruptedZones: 2}\navailabilityZones:"
        )
        assert icplan.changes() == {
            f"{zone}/{kind}": "delete"
            for zone in ("az1", "az2")
            for kind in ("ic-config", "learned-routes")
        }
        icplan.apply()
        assert learned(lab, "az1") == set()
        assert learned(lab, "az2") == set()
        assert icplan("plan").out == NOTHING
        assert icplan("verify").exit == 0
