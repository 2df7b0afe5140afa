"""A zone's denylist as ovn-ic applies it, in both directions. Plans nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from icplan.ovn.prefix import Prefixes, network

FIXED_IPV6 = (24, 3)
"""The first OVN whose ovn-ic compares IPv6 prefixes with all entries' bits.

Before, an IPv6 entry denies every IPv6 prefix that is at least as long (measured with 23.03.1;
the repair was proposed to OVN at the end of 2023).
"""


@dataclass(frozen=True)
class Denylist:
    """The entries in their order, empty ones included.

    Attributes:
        loose_ipv6: this zone's ovn-ic denies too much, as versions before 24.03 do.
    """

    entries: tuple[str, ...]
    loose_ipv6: bool

    @property
    def effective(self) -> tuple[str, ...]:
        """The entries in front of an empty one: up to OVN 25.03 that ends the list (measured)."""
        if "" not in self.entries:
            return self.entries
        return self.entries[: self.entries.index("")]

    def having(self, entries: Iterable[str]) -> Denylist:
        """A denylist of the same zone with other entries."""
        return Denylist(tuple(entries), self.loose_ipv6)

    def denies(self, prefix: str) -> bool:
        """Whether a prefix is neither advertised nor learned: it lies inside an entry."""
        return self._prefixes.contain(prefix) or self._loosely(prefix)

    def denies_by_mistake(self, prefix: str) -> bool:
        """Whether only the fault of an old version denies it."""
        return self._loosely(prefix) and not self._prefixes.contain(prefix)

    @cached_property
    def _prefixes(self) -> Prefixes:
        return Prefixes(self.effective)

    @cached_property
    def _shortest_ipv6(self) -> int | None:
        lengths = (_ipv6_length(entry) for entry in self.effective)
        return min((one for one in lengths if one is not None), default=None)

    def _loosely(self, prefix: str) -> bool:
        length = _ipv6_length(prefix) if self.loose_ipv6 else None
        shortest = self._shortest_ipv6
        return length is not None and shortest is not None and length >= shortest


def _ipv6_length(prefix: str) -> int | None:
    try:
        parsed = network(prefix)
    except ValueError:
        return None
    return parsed.prefixlen if parsed.version == 6 else None


def is_loose(version: str) -> bool:
    """Whether a version of OVN ("23.03.1-20.27.0-70.6") denies too much; unknown: it may."""
    parts = version.split(".")[:2]
    if len(parts) < 2 or not all(part.isdigit() for part in parts):
        return True
    return (int(parts[0]), int(parts[1])) < FIXED_IPV6
