"""Many prefixes of many owners, and which of them overlap. Nothing is compared with everything."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from icplan.ovn.prefix import Network, inside, network

Owner = TypeVar("Owner")


@dataclass(frozen=True, slots=True)
class Group(Generic[Owner]):
    """One prefix, without host bits, and all who have it."""

    prefix: str
    owners: tuple[Owner, ...]


class Overlaps(Generic[Owner]):
    """Prefixes by owner. Prefixes are disjoint or nested, which all of this rests on.

    Args:
        owned: prefixes, with host bits or without, and who has them; text that is no prefix
            counts for nothing.
        rank: the order of the owners of one prefix.
    """

    def __init__(
        self, owned: Iterable[tuple[str, Owner]], rank: Callable[[Owner], tuple[object, ...]]
    ) -> None:
        found: dict[Network, list[Owner]] = {}
        for prefix, owner in owned:
            if (parsed := _parsed(prefix)) is not None:
                found.setdefault(parsed, []).append(owner)
        self._groups = [
            (one, Group(str(one), tuple(sorted(found[one], key=rank))))
            for one in sorted(found, key=_order)
        ]
        self._keys = [_order(one) for one, _ in self._groups]
        self._at = {key: group for key, (_, group) in zip(self._keys, self._groups, strict=True)}
        self._lengths = sorted({(one.version, one.prefixlen) for one in found})

    def nested(self) -> Iterator[tuple[Group[Owner], Group[Owner]]]:
        """Every two groups that overlap: the inner one, then the outer; each with itself, too."""
        # In their order those around the current one form a stack.
        around: list[Group[Owner]] = []
        for _, group in self._groups:
            while around and not inside(group.prefix, around[-1].prefix):
                around.pop()
            around.append(group)
            yield from ((group, outer) for outer in around)

    def touching(self, prefix: str) -> Iterator[Group[Owner]]:
        """The groups that overlap a prefix: those around it, itself, those inside it."""
        parsed = _parsed(prefix)
        if parsed is None:
            return
        first, bits = int(parsed.network_address), parsed.max_prefixlen
        for version, length in self._lengths:
            if version == parsed.version and length <= parsed.prefixlen:
                start = first >> (bits - length) << (bits - length)
                if (group := self._at.get((version, start, length))) is not None:
                    yield group
        last = int(parsed.broadcast_address)
        place = bisect_left(self._keys, (parsed.version, first, parsed.prefixlen + 1))
        while place < len(self._keys):
            if self._keys[place][:2] > (parsed.version, last):
                return
            yield self._groups[place][1]
            place += 1


def _order(one: Network) -> tuple[int, int, int]:
    return one.version, int(one.network_address), one.prefixlen


def _parsed(prefix: str) -> Network | None:
    try:
        return network(prefix)
    except ValueError:
        return None
