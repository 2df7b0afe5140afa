"""What interconnection cannot do is found before anything is written, with its cure."""

from __future__ import annotations

import pytest

from icplan.lab import Lab
from icplan.lab.kubernetes.cluster import DEPLOYMENTS, SUBNETS, VPCS
from icplan.lab.kubernetes.objects import vpc
from tests.real import rows
from tests.real.conftest import Icplan
from tests.real.kube_ovn.looks import CONFIG, api

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

CONTROLLER = f"{DEPLOYMENTS}/ovn-ic-controller"
REORDERED = "[az1-gw2, az1-gw1]"


def written(lab: Lab) -> dict[str, object]:
    """What icplan writes, each with its version; others' daemons may be at work meanwhile."""
    found: dict[str, object] = {
        f"{zone}{path}": api(lab, zone).get(path)["metadata"]
        for zone in lab.clusters
        for path in (CONFIG, f"{SUBNETS}/ovn-default")
    }
    for zone in lab.zones.values():
        found[zone.name] = rows.mentions(zone.nbctl, rows.NORTHBOUND, "icplan")
    found["ic"] = rows.tables(lab.ic.nbctl, rows.IC_NORTHBOUND)
    return found


def refused(lab: Lab, icplan: Icplan, *told: str) -> None:
    """Plan and apply say why not, and nothing is written."""
    icplan.edit("[az1-gw1, az1-gw2]", REORDERED)
    try:
        before = written(lab)
        plan = icplan("plan")
        said = " ".join(plan.out.split())
        assert plan.exit == 4, said
        for text in told:
            assert text in said, said
        assert icplan("apply", "--auto-approve").exit == 4
        assert written(lab) == before
    finally:
        icplan.edit(REORDERED, "[az1-gw1, az1-gw2]")


def test_addresses_that_are_translated(lab: Lab, icplan: Icplan) -> None:
    az1 = lab.zones["az1"]
    for kind, inside in (("snat", "10.16.0.0/16"), ("dnat_and_snat", "10.16.0.9")):
        az1.nbctl("lr-nat-add", "ovn-cluster", kind, "198.51.100.7", inside)
        try:
            refused(
                lab,
                icplan,
                f"IC017 az1 {icplan.file}",
                f"router ovn-cluster of az1 translates addresses: {kind} {inside} to 198.51.100.7",
                "ovn-nbctl --no-leader-only lr-nat-list ovn-cluster` shows them",
            )
        finally:
            az1.nbctl("lr-nat-del", "ovn-cluster")


def test_a_host_name_of_two_zones(lab: Lab, icplan: Icplan) -> None:
    cluster = lab.clusters["az2"].cluster
    cluster.add_node("az1-gw2", "172.31.2.99")
    try:
        message = "az1-gw2 is a gateway of az1 and a Node of az2"
        refused(lab, icplan, message, "cure: Rename one of the two hosts, or name another gateway")
    finally:
        cluster.remove_node("az1-gw2")


def test_subnets_of_a_custom_vpc(lab: Lab, icplan: Icplan) -> None:
    cluster = lab.clusters["az1"].cluster
    cluster.api.create(VPCS, vpc("blue"))
    cluster.add_subnet("blue-net", ["10.200.0.0/24"], ["10.200.0.1"], vpc="blue")
    gateways = "gatewayNodes: [az1-gw1, az1-gw2]"
    message = "Subnet blue-net (10.200.0.0/24) is of VPC blue, and only the default VPC is"
    try:
        for entry in ("blue-net", "10.200.0.0/16"):
            named = f"withhold: [{entry}]"
            icplan.edit(gateways, f"{named}\n    {gateways}")
            refused(lab, icplan, "IC045 az1", f"{entry} of az1 cannot be interconnected", message)
            icplan.edit(f"{named}\n    {gateways}", gateways)
        # What the controller would deny because of it is told, too.
        cluster.add_subnet("blue-copy", ["10.17.9.0/24"], ["10.17.9.1"], vpc="blue")
        refused(
            lab,
            icplan,
            "10.17.0.0/16 of az2 (Subnet ovn-default) overlaps 10.17.9.0/24 of az1 (Subnet "
            "blue-copy, of VPC blue): its controller (v1.17.0) denies it, and az1 does not reach",
        )
    finally:
        cluster.remove_subnet("blue-net")
        cluster.api.delete(f"{VPCS}/blue")
        if cluster.api.get_if_exists(f"{SUBNETS}/blue-copy") is not None:
            cluster.remove_subnet("blue-copy")


def test_without_enable_ic(lab: Lab, icplan: Icplan) -> None:
    zone = lab.clusters["az1"]
    zone.stop_controller()
    there = zone.cluster.api.get(CONTROLLER)
    zone.cluster.api.delete(CONTROLLER)
    try:
        refused(
            lab,
            icplan,
            "there is no Deployment kube-system/ovn-ic-controller: ENABLE_IC is off in that",
            "cure: Set ENABLE_IC=true in the installation of Kube-OVN in az1",
        )
    finally:
        kept = {key: there[key] for key in ("apiVersion", "kind", "spec")}
        labels = {key: there["metadata"][key] for key in ("name", "labels", "namespace")}
        zone.cluster.api.create(DEPLOYMENTS, kept | {"metadata": labels})
        zone.start_controller()
