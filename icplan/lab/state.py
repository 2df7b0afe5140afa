"""What a lab remembers in its lab.json, and the options it was made with. Starts nothing."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from icplan.errors import IcplanError

FILE = "lab.json"
_VERSION = 1


class Mode(StrEnum):
    """What a lab has besides its databases and their daemons."""

    CONTROL_PLANE = "control-plane"
    """No packets: chassis are rows made by hand."""
    NAMESPACES = "network-namespaces"
    """Hosts and pods in network namespaces with real Geneve tunnels; needs root."""
    UNPRIVILEGED = "unprivileged"
    """Hosts with dummy network devices, pods that are processes; needs no privilege."""


class Family(StrEnum):
    """The address families of the zones' subnets."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DUAL = "dual"


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What a lab is made of.

    Attributes:
        zones: the names of the availability zones.
        mode: what the lab has besides databases.
        family: the address families of the subnets.
        members: how many members the IC databases have: 1, or 3 for a raft.
        tls: whether the zones' databases speak TLS with certificates made on the spot.
        router: the name of each zone's router.
        gateways: hosts of each zone that are marked ovn-is-interconn.
        workers: further hosts of each zone, where its pods live.
        play_ovn_controller: in control-plane mode, whether each zone starts with a process that
            binds gateway ports to chassis as ovn-controller would.
        kubernetes: whether the zones are Kubernetes clusters that look like Kube-OVN's.
        plain: the zones that are plain OVN all the same.
        kube_ovn: the version of Kube-OVN that the clusters' Deployments name.
        play_kube_ovn: whether each cluster starts with the stand-in for Kube-OVN's
            interconnection controller, in the generation of that version.
        collisions: whether two zones' stand-ins may draw the same address, as real ones do.
        ic_cluster: the cluster that is to run the IC databases: there are none until it has
            Kube-OVN's Deployment for them, and then one on each of its masters, of which there
            are as many as `members` says.
    """

    zones: tuple[str, ...] = ("az1", "az2")
    mode: Mode = Mode.CONTROL_PLANE
    family: Family = Family.IPV4
    members: int = 1
    tls: bool = False
    router: str = "router"
    gateways: int = 2
    workers: int = 1
    play_ovn_controller: bool = False
    kubernetes: bool = False
    plain: tuple[str, ...] = ()
    kube_ovn: str = "v1.17.0"
    play_kube_ovn: bool = False
    collisions: bool = True
    ic_cluster: str = ""


@dataclass(frozen=True, slots=True)
class IcPorts:
    """The TCP ports of the IC databases; the raft ports are unused when there is one member."""

    northbound: int
    southbound: int
    northbound_raft: int
    southbound_raft: int


@dataclass(frozen=True, slots=True)
class ClusterPorts:
    """The TCP ports of a zone that is a Kubernetes cluster."""

    etcd: int
    api: int
    kubelet: int


@dataclass(frozen=True, slots=True)
class Host:
    """A host of a zone.

    Attributes:
        name: its host name, as gatewayNodes names it.
        chassis: the name of its Chassis row, different from the host name on purpose.
        address: its tunnel address.
        number: its number within the zone, from 1.
    """

    name: str
    chassis: str
    address: str
    number: int


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod: an end point that answers pings.

    Attributes:
        name: zone and name within it ("az1/pods").
        zone: its zone.
        host: the host it lives on.
        subnet: the subnet it is in.
        mac: its Ethernet address.
        addresses: its addresses with prefix length ("10.16.0.2/16").
        gateways: its default gateways, one for each address.
        number: its number within the zone, from 1.
    """

    name: str
    zone: str
    host: str
    subnet: str
    mac: str
    addresses: tuple[str, ...]
    gateways: tuple[str, ...]
    number: int

    @property
    def port(self) -> str:
        """The name of its logical switch port."""
        return self.name.replace("/", "-")

    def address(self, version: int) -> str | None:
        """Its IPv4 or IPv6 address without prefix length; none if it has no such address."""
        for each in self.addresses:
            if (":" in each) == (version == 6):
                return each.partition("/")[0]
        return None


@dataclass(slots=True)
class ZoneState:
    """What is remembered of a zone: its number, its ports, its hosts and its pods.

    The ports of its cluster are there when it is one.
    """

    name: str
    index: int
    northbound_port: int
    southbound_port: int
    hosts: list[Host] = field(default_factory=list)
    pods: list[Pod] = field(default_factory=list)
    cluster: ClusterPorts | None = None


@dataclass(slots=True)
class LabState:
    """All that a later process needs to use a lab; ending it needs only the folder.

    The IC databases' hosts are the first addresses of the network 127.0.0, or of `ic_network`.
    """

    options: LabOptions
    ic_ports: IcPorts
    zones: list[ZoneState] = field(default_factory=list)
    ic_network: str = "127.0.0"
    version: int = _VERSION

    def write(self, directory: Path) -> None:
        """Write lab.json as a whole: a reader sees the old one or the new one."""
        new = directory / f"{FILE}.new"
        new.write_text(json.dumps(asdict(self), indent=2) + "\n")
        new.replace(directory / FILE)

    @classmethod
    def read(cls, directory: Path) -> LabState:
        """Read lab.json.

        Raises:
            IcplanError: there is none, or it is not complete, as after a crash half way.
        """
        path = directory / FILE
        try:
            return _decode(json.loads(path.read_text()))
        except FileNotFoundError as error:
            raise IcplanError(
                "lab", place=str(directory), cause="there is no lab here", cure="icplan lab up"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise IcplanError(
                "state of the lab",
                place=str(path),
                cause=f"cannot be read: {error!r}",
                cure="end it with icplan lab down and start it again",
            ) from error


def default_directory() -> Path:
    """The folder of the lab of this user when none is named."""
    base = os.environ.get("XDG_RUNTIME_DIR") or os.environ.get("TMPDIR") or "/tmp"
    return Path(base) / f"icplan-lab-{os.getuid()}"


def _decode(data: dict[str, Any]) -> LabState:
    if data["version"] != _VERSION:
        raise ValueError(f"version {data['version']}, not {_VERSION}")
    options = data["options"]
    return LabState(
        LabOptions(
            **options
            | {
                "zones": tuple(options["zones"]),
                "plain": tuple(options["plain"]),
                "mode": Mode(options["mode"]),
                "family": Family(options["family"]),
            }
        ),
        IcPorts(**data["ic_ports"]),
        [
            ZoneState(
                **zone
                | {
                    "hosts": [Host(**host) for host in zone["hosts"]],
                    "pods": [_decode_pod(pod) for pod in zone["pods"]],
                    "cluster": ClusterPorts(**zone["cluster"]) if zone["cluster"] else None,
                }
            )
            for zone in data["zones"]
        ],
        data["ic_network"],
    )


def _decode_pod(pod: dict[str, Any]) -> Pod:
    return Pod(**pod | {"addresses": tuple(pod["addresses"]), "gateways": tuple(pod["gateways"])})
