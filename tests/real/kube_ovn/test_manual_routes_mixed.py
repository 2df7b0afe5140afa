"""A cluster and a plain zone, each with routes of the file to the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions
from tests.real import rows
from tests.real.conftest import Icplan

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

TABLE = "Logical_Router_Static_Route"
ROUTES = """
routes:
  - {from: az1, to: az2, subnets: [pods]}
  - {from: az2, to: az1, subnets: [ovn-default]}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    options = LabOptions(
        kubernetes=True,
        plain=("az2",),
        play_ovn_controller=True,
        play_kube_ovn=True,
        collisions=False,
    )
    with (
        tempfile.TemporaryDirectory(prefix="icp-") as parent,
        Lab(Path(parent).resolve() / "lab", options) as lab,
    ):
        yield lab


def hops(lab: Lab, zone: str, prefix: str) -> set[str]:
    found = rows.table(lab.zones[zone].nbctl, TABLE).values()
    return {str(row["nexthop"]) for row in found if row["ip_prefix"] == prefix}


def address(lab: Lab, zone: str) -> str:
    networks = lab.zones[zone].nbctl("get", "Logical_Router_Port", f"{zone}-ts", "networks")
    return networks.strip().strip('[]"').partition("/")[0]


def test_each_reaches_the_other_whatever_the_controller_draws(lab: Lab, short_path: Path) -> None:
    icplan = Icplan(short_path, lab.interconnect_file)
    text = icplan.file.read_text()
    lines = [line for line in text.splitlines() if "withhold" not in line]
    head = "routePolicy: manual\navailabilityZones:"
    icplan.file.write_text("\n".join(lines).replace("availabilityZones:", head) + ROUTES)
    icplan.apply()
    assert hops(lab, "az1", "10.17.0.0/16") == {address(lab, "az2")}
    assert hops(lab, "az2", "10.16.0.0/16") == {address(lab, "az1")}
    assert "10.17.0.0/16" in lab.zones["az1"].nbctl("lr-policy-list", "ovn-cluster")
    assert not lab.zones["az2"].nbctl("lr-policy-list", "router").strip()
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0

    zone, was = lab.clusters["az1"], address(lab, "az1")
    zone.cluster.set_version("ovn-ic-controller", "v1.15.23")
    zone.start_controller("old")
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    planned = " ".join(icplan("plan").out.split())
    assert f'"{was}" -> (address of ts-az1 on ts, known after wave 1; ' in planned
    icplan.apply()
    assert hops(lab, "az2", "10.16.0.0/16") == {address(lab, "az1")}
    assert hops(lab, "az1", "10.17.0.0/16") == {address(lab, "az2")}
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0
