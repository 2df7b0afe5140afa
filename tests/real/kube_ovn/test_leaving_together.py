"""Zones with older controllers leave in one run, and what each has learned goes by and by."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, wait_until
from tests.real.conftest import Icplan
from tests.real.kube_ovn.looks import CONFIG, addresses, api, learned, older

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

PODS = "10.16.0.0/16"
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


def address(lab: Lab) -> str:
    """That of az1 on the transit switch."""
    return addresses(lab)["az1-ts"].strip('[]"\n').partition("/")[0]


def port(lab: Lab) -> str:
    """The row of az1's port there: it is another one after a rebuild, and for a while none."""
    row = ("Logical_Router_Port", "az1-ts", "_uuid")
    return lab.zones["az1"].nbctl("--if-exists", "get", *row).strip()


def hops(lab: Lab, zone: str, prefix: str) -> set[str]:
    """By which next hops a zone has learned a prefix."""
    rows = lab.zones[zone].nbctl(
        *("--data=bare", "--no-heading", "--format=csv", "--columns=ip_prefix,nexthop"),
        *("find", "Logical_Router_Static_Route", "external_ids:ic-learned-route!=none"),
    )
    found = (one.split(",") for one in rows.splitlines() if one)
    return {
        hop for written, hop in found if ip_network(written, strict=False) == ip_network(prefix)
    }


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


def test_one_leaves_and_another_one_is_rebuilt_before(lab: Lab, short_path: Path) -> None:
    icplan = Icplan(short_path, lab.interconnect_file)
    icplan.apply()
    with older(lab, "az2"):
        wait_until(lambda: icplan("verify").exit == 0, "all of them are interconnected")
        # A key that nobody knows: taking it out again rebuilds az1, which draws another address.
        first = port(lab)
        api(lab).patch(CONFIG, {"data": {"stray": "1"}})
        wait_until(lambda: port(lab) not in {first, ""}, "its controller has seen the key")
        wait_until(lambda: hops(lab, "az2", PODS) == {address(lab)}, "az2 has learned it anew")
        gateways = "gatewayNodes: [az2-gw1, az2-gw2]"
        icplan.edit(gateways, f"{gateways}\n    state: absent")
        icplan.edit(
            "availabilityZones:", "limits: {deletions: 2, disruptedZones: 2}\navailabilityZones:"
        )
        assert icplan.changes() == {
            "az1/ic-config": "update",
            "az2/ic-config": "delete",
            "az2/learned-routes": "delete",
        }
        said = " ".join(icplan("plan").out.split())
        assert "az1 draws other addresses before: its routes are then taken away with" in said
        second = port(lab)
        icplan.apply()
        assert port(lab) != second
        assert learned(lab, "az2") == set()
        assert icplan("plan").out == NOTHING
        assert icplan("verify").exit == 0
