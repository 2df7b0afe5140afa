"""What the stand-in reads of a zone, as values, and the names that Kube-OVN gives to things."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Config = Mapping[str, str]
"""The `data` of the ConfigMap."""

CONFIG_MAP = "ovn-ic-config"
NAMESPACE = "kube-system"
GATEWAY_LABEL = "ovn.kubernetes.io/ic-gw"

ROUTER = "ovn-cluster"
JOIN_SUBNET = "join"
SWITCH_PREFIX = "ts"
VENDOR = {"vendor": "kube-ovn"}

POLICY_PRIORITY = 29500
ORIGINS = ("connected", "static", "")
"""Values of a route's `options:origin` for which it gets an allow policy."""
LEARNED = "ic-learned-route"

ADVERTISE = "ic-route-adv"
LEARN = "ic-route-learn"
BLACKLIST = "ic-route-blacklist"


@dataclass(frozen=True, slots=True)
class NodeView:
    """What matters of a Node: its labels and its addresses of type InternalIP."""

    labels: Mapping[str, str] = field(default_factory=dict)
    internal_ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ZoneInputs:
    """All that the controller reads from its Kubernetes cluster.

    Attributes:
        config_map: the data of the ConfigMap; none when there is no ConfigMap.
        nodes: the Nodes by name.
        subnets: the specs of the Subnets by name.
    """

    config_map: Config | None
    nodes: Mapping[str, NodeView]
    subnets: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class TransitSwitch:
    """A row of IC NB's Transit_Switch: its name and its `external_ids:subnet`."""

    name: str
    subnet: str


@dataclass(frozen=True, slots=True)
class Route:
    """A static route of a router in the northbound database.

    Attributes:
        router: the name of the router.
        uuid: its own uuid.
        table: the route table; empty for the main one.
        prefix: as written, host bits included ("10.17.0.1/16").
        origin: its `options:origin`; none when it has no such key.
        learned: whether ovn-ic has learned it.
        policy: "src-ip", "dst-ip", or none when the column is empty.
    """

    router: str
    uuid: str
    table: str
    prefix: str
    origin: str | None
    learned: bool
    policy: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of the default router: its uuid, match and `external_ids:origin`."""

    uuid: str
    match: str
    origin: str | None


@dataclass(frozen=True, slots=True)
class TransitPort:
    """A zone's own port on a transit switch, as it is to be made.

    Attributes:
        switch: the transit switch.
        name: the name of the switch's port.
        router_port: the name of the router's port.
        networks: its addresses with prefix length.
        mac: its Ethernet address.
        chassis: the names of the gateways' chassis, the active one first.
    """

    switch: str
    name: str
    router_port: str
    networks: tuple[str, ...]
    mac: str
    chassis: tuple[str, ...]
