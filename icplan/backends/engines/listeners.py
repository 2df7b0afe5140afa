"""Who listens on a host, and which addresses this machine has: out of /proc. Decides nothing."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed, last_line
from icplan.backends.engines.road import Road

# Linux has them everywhere; `ss` is a package. The second is missing without IPv6.
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_LISTEN = "0A"
_ROW = re.compile(r"\s*[0-9]+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) ")
_HEAD = "local_address"

_IPV4, _IPV6 = Path("/proc/net/fib_trie"), Path("/proc/net/if_inet6")
_LEAF = re.compile(r"\|-- (\S+)")


def listening(road: Road, ports: Iterable[int], deadline: Deadline) -> tuple[int, ...]:
    """Those of the ports at which somebody listens on a host, at whatever address.

    Raises:
        CommandFailed: it cannot be seen.
    """
    done = road.run(("env", "LC_ALL=C", "cat", *_TABLES), deadline)
    if _HEAD not in done.out:
        raise CommandFailed(
            f"it cannot be seen who listens there: {last_line(done.err)}",
            f"see why {_TABLES[0]} cannot be read there",
        )
    return among(done.out, ports)


def among(tables: str, ports: Iterable[int]) -> tuple[int, ...]:
    """Those of the ports that the kernel's tables show as listened at."""
    rows = (found for line in tables.splitlines() if (found := _ROW.match(line)))
    taken = {int(row[1], 16) for row in rows if row[2] == _LISTEN}
    return tuple(sorted(taken & {*ports}))


def is_here(address: str) -> bool:
    """Whether an IP address is one of this machine's; false where that cannot be seen."""
    wanted = ipaddress.ip_address(address)
    return wanted.is_loopback or wanted in {*_addresses()}


def _addresses() -> Iterator[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    with suppress(OSError):
        yield from ipv4(_IPV4.read_text())
    with suppress(OSError):
        for line in _IPV6.read_text().splitlines():
            yield ipaddress.IPv6Address(bytes.fromhex(line.split()[0]))


def ipv4(trie: str) -> Iterator[ipaddress.IPv4Address]:
    """The machine's own addresses in what the kernel shows of its routes."""
    leaf = ""
    for line in trie.splitlines():
        if found := _LEAF.search(line):
            leaf = found[1]
        elif line.split()[:3] == ["/32", "host", "LOCAL"]:
            yield ipaddress.IPv4Address(leaf)
