"""The lab's addresses: subnets, tunnel addresses, Ethernet addresses. Pure arithmetic."""

from __future__ import annotations

import hashlib
import ipaddress

from icplan.errors import IcplanError
from icplan.lab.state import Family

# The second octet of the office subnets, 115 + the zone's number, ends here.
MOST_ZONES = 140


def default_subnets(zone_index: int, family: Family) -> dict[str, tuple[str, ...]]:
    """The subnets of a zone by name, each as its gateway addresses with prefix length.

    Zone 1 has pods 10.16.0.1/16 and office 10.116.0.1/24; in IPv6 fd00:10:16::1/64 and
    fd00:10:116::1/64.

    Raises:
        IcplanError: the zone's number is beyond `MOST_ZONES`.
    """
    if zone_index > MOST_ZONES:
        raise IcplanError(
            f"zone number {zone_index} of the lab",
            cause=f"the lab has addresses for {MOST_ZONES} zones",
            cure="remove zones first",
        )
    subnets: dict[str, tuple[str, ...]] = {}
    for name, octet, length in (("pods", 15 + zone_index, 16), ("office", 115 + zone_index, 24)):
        ipv4 = f"10.{octet}.0.1/{length}"
        ipv6 = f"fd00:10:{octet}::1/64"
        subnets[name] = {
            Family.IPV4: (ipv4,),
            Family.IPV6: (ipv6,),
            Family.DUAL: (ipv4, ipv6),
        }[family]
    return subnets


def kube_ovn_subnets(zone_index: int, family: Family) -> dict[str, tuple[str, ...]]:
    """Kube-OVN's own two subnets of a zone by name, each as its gateway addresses.

    Zone 1 has Kube-OVN's defaults: ovn-default 10.16.0.1/16, join 100.64.0.1/16.

    Raises:
        IcplanError: the zone's number is beyond `MOST_ZONES`.
    """
    pods = default_subnets(zone_index, family)["pods"]
    octet = 63 + zone_index
    ipv4, ipv6 = f"100.{octet}.0.1/16", f"fd00:100:{octet}::1/64"
    join = {Family.IPV4: (ipv4,), Family.IPV6: (ipv6,), Family.DUAL: (ipv4, ipv6)}
    return {"ovn-default": pods, "join": join[family]}


def network_of(interface: str) -> str:
    """The network of an address with prefix length: 10.16.0.1/16 gives 10.16.0.0/16."""
    return str(ipaddress.ip_interface(interface).network)


def tunnel_address(zone_index: int, host_number: int) -> str:
    """The tunnel address of a host; all of them are in 172.31.0.0/16."""
    return f"172.31.{zone_index}.{10 + host_number}"


def pod_addresses(
    gateways: tuple[str, ...], position: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The addresses of the n-th pod of a subnet (from 1), and its gateways.

    Args:
        gateways: the subnet's gateway addresses with prefix length.
        position: 1 for the address after the gateway's.
    """
    interfaces = [ipaddress.ip_interface(each) for each in gateways]
    return (
        tuple(f"{each.ip + position}/{each.network.prefixlen}" for each in interfaces),
        tuple(str(each.ip) for each in interfaces),
    )


def ethernet_address(*owner: str) -> str:
    """A locally administered unicast Ethernet address, always the same for the same owner."""
    digest = hashlib.sha256("/".join(owner).encode()).digest()
    return "02:" + ":".join(f"{byte:02x}" for byte in digest[:5])
