"""Looks at clusters and their databases with other tools than icplan's own, and makes them old."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from icplan.lab import Lab
from icplan.lab.kubernetes import ApiClient
from icplan.lab.kubernetes.cluster import CONFIG_MAPS, SUBNETS

CONFIG = f"{CONFIG_MAPS}/ovn-ic-config"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/icplan"
OFFICE = f"{SUBNETS}/office"
CONTROLLER = "ovn-ic-controller"
NEW, OLD = "v1.17.0", "v1.15.23"


@contextmanager
def older(lab: Lab, zone: str, version: str = OLD) -> Iterator[None]:
    """An older controller runs in a zone; with it the zone has been rebuilt."""
    one = lab.clusters[zone]
    one.cluster.set_version(CONTROLLER, version)
    one.start_controller("old")
    try:
        yield
    finally:
        one.cluster.set_version(CONTROLLER, NEW)
        one.start_controller()


def api(lab: Lab, zone: str = "az1") -> ApiClient:
    return lab.clusters[zone].cluster.api


def data(lab: Lab, zone: str = "az1") -> dict[str, str]:
    return dict(api(lab, zone).get(CONFIG)["data"])


def addresses(lab: Lab, *switches: str) -> dict[str, str]:
    """The addresses of the zones on their transit switches, by zone and switch."""
    found = {}
    for name, zone in lab.zones.items():
        for switch in switches or ("ts",):
            port = f"{name}-{switch}"
            found[port] = zone.nbctl("--if-exists", "get", "Logical_Router_Port", port, "networks")
    return found


def ports(lab: Lab) -> dict[str, str]:
    """The rows of the zones' ports: they are other ones after a rebuild."""
    return {
        name: zone.nbctl("get", "Logical_Router_Port", f"{name}-ts", "_uuid")
        for name, zone in lab.zones.items()
    }


def learned(lab: Lab, zone: str) -> set[str]:
    lines = lab.zones[zone].nbctl("lr-route-list", "ovn-cluster").splitlines()
    return {line.split()[0] for line in lines if "(learned)" in line}
