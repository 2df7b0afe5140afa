"""IP prefixes as OVN writes and compares them. No routing decisions here."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1 << 17)
def network(text: str) -> Network:
    """The network of a prefix that may have host bits, or of a single address.

    Learned and advertised routes keep host bits, such as 10.17.0.1/16 (domain facts section 4,
    measured), so prefixes are normalised before they are compared.

    The same few prefixes are compared over and over, so they are remembered.

    Raises:
        ValueError: the text is neither.
    """
    return ipaddress.ip_network(text.strip(), strict=False)


def normal(text: str) -> str:
    """The canonical form of a prefix; text that is none comes back as it is."""
    try:
        return str(network(text))
    except ValueError:
        return text


def sort_key(prefix: str) -> tuple[int, int, int, str]:
    """Orders prefixes by family, address and length, and whatever else by its text."""
    try:
        parsed = network(prefix)
    except ValueError:
        return (99, 0, 0, prefix)
    return (parsed.version, int(parsed.network_address), parsed.prefixlen, "")


def ordered(prefixes: Iterable[str]) -> tuple[str, ...]:
    """Distinct prefixes in their order."""
    return tuple(sorted(set(prefixes), key=sort_key))


def inside(prefix: str, container: str) -> bool:
    """Whether a prefix lies inside another, or equals it; false across families."""
    try:
        inner, outer = network(prefix), network(container)
    except ValueError:
        return False
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False


def overlap(one: str, other: str) -> bool:
    """Whether two prefixes share an address; one of two overlapping prefixes contains the other."""
    return inside(one, other) or inside(other, one)


def family(prefix: str) -> int:
    """4 or 6."""
    return network(prefix).version
