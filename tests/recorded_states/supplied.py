"""What icplan reads and the recordings do not hold: their fixed set-up, told in one place.

The set-up is that of `tests/recorded/README.md`, which `build_zone` of
`tests/lab/standin_zones.py` rebuilds: three fake chassis in each zone, all of them marked for
interconnection, and neither an ovn-controller nor kube-ovn-controller. So no Port_Binding says who
serves a port: see `NOT_JUDGED`. That what is supplied agrees with what was recorded is tested.
"""

from __future__ import annotations

from tests.recorded_states.recording import NEW, OLD, ZONES, Json

OBSERVED_AT = "2026-08-01T12:00:00+00:00"
"""The recordings have no clock. Only waivers look at it."""

OVN_VERSION = "23.03.1-20.27.0-70.6"
"""`NB_Global.options` was cut to the ic- options; northd of the recordings was 23.03.1."""

IC_HOST = "127.0.0.1"
"""Where the IC databases were; a file that names another host finds nobody there."""

IMAGE_TAGS = {OLD: "v1.15.23", NEW: "v1.17.0"}
"""The controllers' images. A build of a branch has no tag that tells its generation."""
NO_VERSION = "latest"

NOT_JUDGED = ("a gateway serves the port of ",)
"""The starts of claims that no recorded state can hold: without an ovn-controller nobody claims a
port, and `Port_Binding.gateway` stays empty in the IC southbound database."""

DEFAULTS: dict[str, dict[str, Json]] = {
    "Logical_Router": {"enabled": [], "nat": []},
    "Logical_Router_Policy": {"nexthop": [], "nexthops": []},
    "Logical_Router_Port": {"enabled": [], "ha_chassis_group": []},
    "Logical_Switch": {"acls": []},
    "Logical_Switch_Port": {"enabled": []},
}
"""Columns that were not recorded, as OVSDB has them when nobody sets them."""

NOT_RECORDED: dict[str, list[Json]] = {"NAT": [], "IC_NB_Global": []}
"""Tables that were not recorded: nobody translated addresses, and ovn-ic makes no IC_NB_Global."""


def hosts(zone: str) -> tuple[str, ...]:
    """The gateway hosts of a zone; each is a Node and a chassis."""
    return tuple(f"{zone}-gw{number}" for number in (1, 2, 3))


def address(host: str) -> str:
    """A host's tunnel address, and the InternalIP of its Node."""
    zone, _, number = host.partition("-gw")
    return f"192.168.42.{ZONES.index(zone) + 1}{number}"


def southbound(zone: str) -> dict[str, list[Json]]:
    """A zone's southbound database: its own chassis, and nobody who claims a port."""
    return {
        "Chassis": [
            {
                "_uuid": f"chassis row of {host}",
                "name": f"chassis-{host}",
                "hostname": host,
                "encaps": f"encap row of {host}",
                "other_config": {"is-interconn": "true"},
                "external_ids": {},
            }
            for host in hosts(zone)
        ],
        "Encap": [
            {
                "_uuid": f"encap row of {host}",
                "type": "geneve",
                "ip": address(host),
                "chassis_name": f"chassis-{host}",
            }
            for host in hosts(zone)
        ],
        "Port_Binding": [],
    }


def node(host: str, label: str | None) -> Json:
    """A Node; of it only the label was recorded."""
    labels = {} if label is None else {"ovn.kubernetes.io/ic-gw": label}
    return {
        "metadata": {"name": host, "uid": f"Node {host}", "labels": labels},
        "status": {"addresses": [{"type": "InternalIP", "address": address(host)}]},
    }


def controller(zone: str, tag: str) -> Json:
    """The Deployment of the controller, with one replica that is available."""
    name = "ovn-ic-controller"
    image = f"docker.io/kubeovn/kube-ovn:{tag}"
    return {
        "metadata": {"name": name, "uid": f"{name} of {zone}", "generation": 1},
        "spec": {
            "replicas": 1,
            "template": {"spec": {"containers": [{"name": name, "image": image}]}},
        },
        "status": {
            "observedGeneration": 1,
            "replicas": 1,
            "updatedReplicas": 1,
            "availableReplicas": 1,
        },
    }
