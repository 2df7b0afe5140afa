"""TCP ports for the lab's servers. Connects to nothing."""

from __future__ import annotations

import random
import socket
from typing import TYPE_CHECKING, Self

from icplan.errors import IcplanError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

# Below the usual ephemeral range (32768 and up): a port there may be taken at any moment by
# somebody's outgoing connection.
_FIRST, _LAST = 10_000, 32_767


class ReservedPort:
    """A port that no other lab can choose while it is reserved, though a server may listen on it.

    The reserving sockets are bound exclusively first and allow sharing afterwards: a later
    exclusive bind, as every lab tries it, fails, while the bind of ovsdb-server (SO_REUSEADDR)
    succeeds. That closes the gap between choosing a port and listening on it.
    """

    def __init__(self, number: int, sockets: Sequence[socket.socket]) -> None:
        self.number = number
        self._sockets = sockets

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Give the port up; its server listens by now."""
        for each in self._sockets:
            each.close()


def reserve_port(hosts: Sequence[str] = ("127.0.0.1",)) -> ReservedPort:
    """Reserve one port that is free on all the given loopback addresses.

    Raises:
        IcplanError: no free port was found.
    """
    for _ in range(1000):
        number = random.randint(_FIRST, _LAST)
        if reserved := _reserve(number, hosts):
            return reserved
    raise IcplanError(
        "a free TCP port",
        place=f"{', '.join(hosts)}, {_FIRST} to {_LAST}",
        cause="a thousand tries found none",
        cure="stop what holds them (ss -ltn lists them)",
    )


def reserve_network(numbers: Sequence[int], hosts: int) -> tuple[str, list[ReservedPort]]:
    """Reserve given ports, on the first addresses of a loopback network where all are free.

    Args:
        numbers: the ports.
        hosts: how many addresses.

    Returns:
        The network's first three numbers, "127.70.3", and what is reserved.

    Raises:
        IcplanError: no such network was found.
    """
    for _ in range(1000):
        network = f"127.{random.randint(64, 126)}.{random.randint(0, 255)}"
        addresses = [f"{network}.{number + 1}" for number in range(hosts)]
        reserved = [_reserve(number, addresses) for number in numbers]
        found = [each for each in reserved if each is not None]
        if len(found) == len(reserved):
            return network, found
        for each in found:
            each.release()
    raise IcplanError(
        "a loopback network with free TCP ports",
        place="127.64.0.0 to 127.126.255.255",
        cause="a thousand tries found none",
        cure="stop what holds them (ss -ltn lists them)",
    )


def _reserve(number: int, hosts: Sequence[str]) -> ReservedPort | None:
    sockets: list[socket.socket] = []
    for host in hosts:
        each = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sockets.append(each)
        try:
            each.bind((host, number))
        except OSError:
            for opened in sockets:
                opened.close()
            return None
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return ReservedPort(number, sockets)
