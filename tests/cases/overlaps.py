"""The cases of addresses, host names and Subnets of several zones that do not go together."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icplan.lab import Family, Lab, LabOptions
from icplan.lab.kubernetes.cluster import VPCS
from icplan.lab.kubernetes.objects import vpc
from tests.cases.files import cluster, file, zone
from tests.cases.world import World
from tests.roles import grant, token_file

PLAIN = file(zone(1), zone(2))
CLUSTERS = file(cluster(1), cluster(2))


@contextmanager
def world(only: str, options: LabOptions) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        Lab(Path(parent) / "lab", options) as lab,
    ):
        yield World(lab, only)


def families(only: str) -> None:
    """A prefix of az2 inside one of az1, before anything is written, in each family."""
    both = ("10.16.5.1/24", "fd00:10:16:0:8000::1/65")
    copies = {Family.IPV6: both[1:], Family.DUAL: both}
    for family, copy in copies.items():
        name = "dual-stack" if family is Family.DUAL else str(family)
        with world(only, LabOptions(family=family, play_ovn_controller=True)) as w:
            w.zone(2).add_subnet("copy", *copy)
            switches = f"{{count: 1, family: {family}}}"
            w.case(f"rules/IC018-{name}", file(zone(1), zone(2), switches=switches))
            if family is Family.DUAL:
                withheld = zone(2, "withhold: [10.16.5.0/24]")
                w.case("rules/IC018-half-withheld", file(zone(1), withheld, switches=switches))


def plain(only: str) -> None:
    """Static routes, and zones of which only what they registered is known."""
    with world(only, LabOptions(play_ovn_controller=True)) as w:
        w.zone(2).nbctl("lr-route-add", "router", "10.16.9.0/24", "10.17.0.77")
        w.case("rules/IC018-static-route", PLAIN)
        w.zone(2).nbctl("lr-route-del", "router", "10.16.9.0/24")
        w.apply(PLAIN)
        w.zone(1).add_subnet("copy", "10.17.5.1/24")
        w.case("rules/IC018-undeclared-zone", file(zone(1)))
        w.zone(1).remove_subnet("copy")
        w.zone(2).add_host("twin", interconn=True)
        w.zone(2).sbctl("set", "Chassis", "chassis-twin", "hostname=az1-gw2")
        w.case("rules/IC047-undeclared-zone", file(zone(1)))


def clusters(only: str) -> None:
    """Clusters that are about to join, and what their controllers would deny."""
    options = LabOptions(
        kubernetes=True, play_ovn_controller=True, play_kube_ovn=True, collisions=False
    )
    with world(only, options) as w:
        other = w.cluster(2)
        w.zone(2).add_subnet("copy", "10.16.5.1/24")
        w.case("rules/IC018-of-clusters", CLUSTERS)
        w.case("rules/IC085-withheld-is-no-cure", file(cluster(1), cluster(2, "withhold: [copy]")))
        files = {}
        for number in (1, 2):
            grant(w.cluster(number))
            kubeconfig = w.lab.directory / f"planner{number}.json"
            files[f"az{number}"] = token_file(w.cluster(number), kubeconfig, "icplan-plan")
        w.case("rules/IC018-seen-by-subnets-alone", CLUSTERS, files=files)
        w.zone(2).remove_subnet("copy")

        other.api.create(VPCS, vpc("blue"))
        other.add_subnet("blue-net", ["10.16.7.0/24"], ["10.16.7.1"], vpc="blue")
        w.case("rules/IC085-custom-vpc", CLUSTERS)
        other.set_version("ovn-ic-controller", "v1.15.23")
        w.case("rules/IC088-joining", CLUSTERS)
        other.set_version("ovn-ic-controller", "v1.17.0")
        w.case("rules/IC045-custom-vpc", file(cluster(1), cluster(2, "withhold: [blue-net]")))
        named = (
            "routes: [{from: az1, to: az2, subnets: [blue-net]}]\n"
            "expect: [{from: az1/ovn-default, to: az2/blue-net, reachable: true}]\n"
        )
        w.case("rules/IC087-custom-vpc", CLUSTERS + named)
        other.remove_subnet("blue-net")

        w.zone(2).add_subnet("wide", "100.64.8.1/24")
        w.case("rules/IC085-in-the-join-subnet", CLUSTERS)
        w.zone(2).remove_subnet("wide")
        w.zone(2).add_subnet("wide", "172.31.0.1/21")
        w.case("rules/IC086-nodes", CLUSTERS)
        w.zone(2).remove_subnet("wide")
        w.nbctl("lr-nat-add", "ovn-cluster", "dnat_and_snat", "198.51.100.7", "10.16.0.9")
        w.case("rules/IC017-of-a-cluster", CLUSTERS)
        w.nbctl("lr-nat-del", "ovn-cluster")


def fewer_switches(only: str) -> None:
    """Every cluster is rebuilt at once, whichever way the number of switches changes."""
    options = LabOptions(
        kubernetes=True, play_ovn_controller=True, play_kube_ovn=True, collisions=False
    )
    with world(only, options) as w:
        limits = "disruptedZones: 2, deletions: 1"
        w.apply(file(cluster(1), cluster(2), switches="2", limits=limits))
        w.case("ic_config/two-switches-to-one", file(cluster(1), cluster(2), limits=limits))
        w.case("limits/one-zone-at-a-time", file(cluster(1), cluster(2), limits="deletions: 1"))


def dual_stack_clusters(only: str) -> None:
    """The join Subnet is on every cluster's denylist, and has an IPv6 half."""
    options = LabOptions(
        family=Family.DUAL, kubernetes=True, play_ovn_controller=True, play_kube_ovn=True
    )
    with world(only, options) as w:
        switches = "{count: 1, family: dual}"
        w.case("rules/IC033-of-clusters", file(cluster(1), cluster(2), switches=switches))


def mixed(only: str) -> None:
    """A plain zone has what a cluster uses for its services."""
    options = LabOptions(
        zones=("az1", "az2"),
        kubernetes=True,
        plain=("az2",),
        play_ovn_controller=True,
        play_kube_ovn=True,
    )
    with world(only, options) as w:
        w.zone(2).add_subnet("copy", "10.100.0.1/24")
        w.case("rules/IC042-of-a-plain-zone", file(cluster(1), zone(2)))


def main(only: str) -> None:
    for scenes in (families, plain, clusters, fewer_switches, dual_stack_clusters, mixed):
        scenes(only)
