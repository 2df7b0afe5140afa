"""Which address and MAC a plain OVN zone's port gets on a transit switch. Pure arithmetic."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Collection, Sequence
from functools import lru_cache

from icplan.ovn.prefix import Network, network


def subnets(text: str) -> tuple[Network, ...]:
    """The subnets of a transit switch: one, or with dual stack two separated by a comma."""
    return tuple(network(one) for one in text.split(","))


def capacity(subnet: Network) -> int:
    """How many zones fit into the upper half of a subnet.

    Kube-OVN draws its zones' addresses from the lower half (docs/facts.md section 4), so the upper
    one is ours; the broadcast address is nobody's.
    """
    return subnet.num_addresses // 2 - (1 if subnet.version == 4 else 0)


def mac(zone: str, switch: str) -> str:
    """A locally administered MAC that depends on nothing but the two names."""
    digest = hashlib.sha256(f"{zone}/{switch}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def choose(zone: str, subnet: Network, taken: Collection[str]) -> str | None:
    """The zone's address in the upper half, with its length; None when all of them are taken.

    The place follows from the zone's name; on a clash it is the next free one.

    Args:
        zone: the zone's name.
        subnet: the transit switch's subnet.
        taken: addresses that others have, without lengths.
    """
    places = capacity(subnet)
    if places < 1:
        return None
    digest = hashlib.sha256(zone.encode()).digest()
    start = int.from_bytes(digest[:8], "big") % places
    first = int(subnet.network_address) + subnet.num_addresses // 2
    make = ipaddress.IPv4Address if subnet.version == 4 else ipaddress.IPv6Address
    # One more than there are taken addresses cannot all be taken; never the whole of a /112.
    for step in range(min(places, len(taken) + 1)):
        address = str(make(first + (start + step) % places))
        if address not in taken:
            return f"{address}/{subnet.prefixlen}"
    return None


def fits(one: str, subnet: Network) -> bool:
    """Whether an address with length belongs to a subnet and has the subnet's length."""
    try:
        interface = ipaddress.ip_interface(one)
    except ValueError:
        return False
    return interface.network == subnet


def keep_or_choose(
    zone: str, subnet: Network, current: Sequence[str], taken: Collection[str]
) -> str | None:
    """The current address when it is good and nobody else has it, else a new one."""
    for one in current:
        if fits(one, subnet) and bare(one) not in taken:
            return one
    return choose(zone, subnet, taken)


@lru_cache(maxsize=1 << 14)
def bare(one: str) -> str:
    """An address in canonical form without its length; text that is none as it is."""
    try:
        return str(ipaddress.ip_interface(one).ip)
    except ValueError:
        return one
