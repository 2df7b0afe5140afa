"""IP prefixes as OVN writes and compares them. No routing decisions here."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left
from collections.abc import Iterable
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=1 << 17)
def network(text: str) -> Network:
    """The network of a prefix that may have host bits, or of a single address.

    Learned and advertised routes keep host bits, such as 10.17.0.1/16 (docs/facts.md section 4,
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


def collapsed(prefixes: Iterable[str]) -> tuple[str, ...]:
    """As few prefixes of one family as mean the same addresses, in order.

    Raises:
        ValueError: one of them is no prefix, or they are of both families.
    """
    found = list(map(network, prefixes))
    four = [one for one in found if isinstance(one, ipaddress.IPv4Network)]
    six = [one for one in found if isinstance(one, ipaddress.IPv6Network)]
    if four and six:
        raise ValueError(", ".join(map(str, found)))
    fewer = ipaddress.collapse_addresses(four) if four else ipaddress.collapse_addresses(six)
    return ordered(map(str, fewer))


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


class Prefixes:
    """Many prefixes that many others are compared with: no comparison looks at all of them.

    Text that is no prefix counts for nothing, as with `inside`.

    Args:
        prefixes: with host bits or without, in any order.
    """

    def __init__(self, prefixes: Iterable[str]) -> None:
        # By family and length the first addresses, and by family all of them in order.
        self._firsts: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
        for prefix in prefixes:
            if (parsed := _parsed(prefix)) is not None:
                of_length = self._firsts[parsed.version].setdefault(parsed.prefixlen, set())
                of_length.add(int(parsed.network_address))
        self._ordered = {
            version: sorted(set().union(*by_length.values()))
            for version, by_length in self._firsts.items()
        }

    def contain(self, prefix: str) -> bool:
        """Whether a prefix lies inside one of them."""
        parsed = _parsed(prefix)
        if parsed is None:
            return False
        first, bits = int(parsed.network_address), parsed.max_prefixlen
        return any(
            length <= parsed.prefixlen and first >> (bits - length) << (bits - length) in firsts
            for length, firsts in self._firsts[parsed.version].items()
        )

    def touch(self, prefix: str) -> bool:
        """Whether a prefix overlaps one of them: it lies inside one, or one inside it."""
        parsed = _parsed(prefix)
        if parsed is None:
            return False
        firsts = self._ordered[parsed.version]
        place = bisect_left(firsts, int(parsed.network_address))
        # Prefixes are disjoint or nested: one that begins in this one lies inside it.
        begins = place < len(firsts) and firsts[place] <= int(parsed.broadcast_address)
        return begins or self.contain(prefix)


def _parsed(prefix: str) -> Network | None:
    try:
        return network(prefix)
    except ValueError:
        return None
