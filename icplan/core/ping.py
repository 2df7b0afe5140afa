"""Pings as values: the command lines, and what the programs print. Runs none of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

VERSION = ("ping", "-V")
"""Prints which ping it is; that of busybox takes it for a mistake and says who it is, too."""

HUGE = 65000
"""No interface takes a packet of this size unfragmented: the kernel says what it takes."""

SMALLEST = {4: 576, 6: 1280}
"""What every host must take (RFC 791, RFC 8200): where the search for the path's MTU begins."""

_HEADERS = {4: 28, 6: 48}
_INTERVAL_SECONDS = 0.2
_SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) (?:packets )?received")
_TIMES = re.compile(r"(?:rtt|round-trip)[^=]*= *([\d.]+)/([\d.]+)/")
# "ping: local error: message too long, mtu=1400"; some versions write "mtu: 1400".
_LOCAL = re.compile(r"[Mm]essage too long, mtu[=:] ?(\d+)")
# IPv4: "Frag needed and DF set (mtu = 1380)"; IPv6: "Packet too big: mtu=1380".
_TOLD = re.compile(r"(?:Frag needed and DF set|Packet too big).*?mtu ?= ?(\d+)")
_REFUSED = re.compile(r"(?i)operation not permitted|permission denied|lacking privilege")


class Flavor(Enum):
    """Which program `ping` is."""

    IPUTILS = "iputils"
    OTHER = "other"
    """That of busybox, for one: it cannot forbid fragmentation, and so cannot probe an MTU."""


def flavor(version: str) -> Flavor:
    """The program that prints this about itself."""
    return Flavor.IPUTILS if "iputils" in version else Flavor.OTHER


@dataclass(frozen=True, slots=True)
class Echo:
    """What came of a series of pings; times in milliseconds, None when the program gave none."""

    sent: int
    received: int
    fastest_ms: float | None = None
    average_ms: float | None = None

    @property
    def lost(self) -> int:
        """How many had no answer."""
        return max(0, self.sent - self.received)


def echo_command(which: Flavor, address: str, count: int) -> tuple[str, ...]:
    """The command line of a series of pings."""
    if which is Flavor.IPUTILS:
        pace = ("-n", "-i", str(_INTERVAL_SECONDS), "-W", "2")
        return ("ping", *pace, "-c", str(count), address)
    return ("ping", "-W", "2", "-c", str(count), address)


def sized_command(address: str, version: int, size: int) -> tuple[str, ...]:
    """The command line of two pings that nobody may take apart.

    Args:
        address: whom to ping.
        version: 4 or 6.
        size: of the whole packets in bytes, headers included.
    """
    payload = size - _HEADERS[version]
    limits = ("-n", "-i", str(_INTERVAL_SECONDS), "-W", "1", "-c", "2")
    return ("ping", *limits, "-M", "do", "-s", str(payload), address)


def read_echo(output: str) -> Echo | None:
    """The end of what ping prints; None when it did not come so far."""
    found = _SUMMARY.search(output)
    if found is None:
        return None
    times = _TIMES.search(output)
    fastest, average = (float(times[1]), float(times[2])) if times else (None, None)
    return Echo(int(found[1]), int(found[2]), fastest, average)


def refused(output: str) -> bool:
    """Whether the program says that it may not ping."""
    return bool(_REFUSED.search(output))


@dataclass(frozen=True, slots=True)
class Sized:
    """What came of pings of one size.

    Attributes:
        passed: an answer of that size came back.
        own: the MTU of the interface, when the kernel did not even send it.
        told: the MTU that a router on the way told of (ICMP); a sender then sends smaller ones.
    """

    passed: bool
    own: int | None = None
    told: int | None = None


def read_sized(output: str) -> Sized:
    """What ping prints of pings of one size."""
    echo, own, told = read_echo(output), _LOCAL.search(output), _TOLD.search(output)
    return Sized(
        echo is not None and echo.received > 0,
        int(own[1]) if own else None,
        int(told[1]) if told else None,
    )


@dataclass(frozen=True, slots=True)
class PathMtu:
    """Which packets pass, and come back: sizes in bytes, headers included.

    Attributes:
        own: what the sender's interface takes.
        passes: the largest that passes; 0 when none does.
        told: what a router told of; none when larger ones vanish without a word.
    """

    own: int
    passes: int
    told: int | None = None

    @property
    def hole(self) -> bool:
        """Whether packets that the sender may send vanish, and nobody tells it."""
        return self.passes < self.own and self.told is None


def measure(ask: Callable[[int], Sized], version: int, own: int | None = None) -> PathMtu | None:
    """Finds the largest packet that passes; None when the interface's MTU is not known.

    Args:
        ask: sends packets of a size.
        version: 4 or 6.
        own: the interface's MTU, if it is known otherwise.
    """
    # Like this it also knows what the kernel has learned of the path before.
    own = ask(HUGE).own or own
    if own is None:
        return None
    first = ask(own)
    if first.passed:
        return PathMtu(own, own)
    if first.told is not None:
        passed = ask(first.told).passed
        return PathMtu(own, first.told if passed else 0, first.told if passed else None)
    low = min(SMALLEST[version], own)
    if not ask(low).passed:
        low, high = 0, low
    else:
        high = own
    # `low` passes, or is nothing; `high` does not.
    smallest = _HEADERS[version]
    while high - max(low, smallest) > 1:
        middle = (max(low, smallest) + high) // 2
        if ask(middle).passed:
            low = middle
        else:
            high = middle
    return PathMtu(own, low)
