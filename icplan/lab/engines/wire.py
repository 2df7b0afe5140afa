"""The network that joins engine hosts and the machine: one bridge, one address for each host.

The bridge lies in a namespace of its own, so that no packet filter of the machine sees what hosts
say to each other. The machine has one cable to it.
"""

from __future__ import annotations

import ipaddress
import random
import re
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.namespaces import namespace_name, why_no_namespaces
from icplan.lab.programs import run

if TYPE_CHECKING:
    from pathlib import Path

# For measuring networks (RFC 2544): routed nowhere, and taken by nobody's engine or cluster.
_RANGE = ipaddress.IPv4Network("198.18.0.0/15")
_LENGTH = 28
MOST_HOSTS = 2 ** (32 - _LENGTH) - 3
"""How many hosts one wire has addresses for."""


class Wire:
    """A small network of a lab.

    Args:
        directory: the lab's folder.
        lab: the lab's id, as its namespaces have it.
    """

    def __init__(self, directory: Path, lab: str) -> None:
        self._directory = directory
        self._lab = lab
        self._bridge = namespace_name(lab, "wire")
        # Linux allows 15 characters for the name of a network device.
        self._cable = f"icl-{lab}"
        self._network: ipaddress.IPv4Network | None = None

    def start(self) -> None:
        """Make the bridge and the machine's cable to it.

        Raises:
            IcplanError: this user cannot make network namespaces, or no addresses are free.
        """
        if reason := why_no_namespaces():
            raise IcplanError(
                "hosts for container engines",
                cause=reason,
                cure="run as root",
            )
        self._ip("netns", "add", self._bridge)
        self._ip("-n", self._bridge, "link", "add", "br0", "type", "bridge")
        self._ip("-n", self._bridge, "link", "set", "br0", "up")
        self._ip(
            *("link", "add", self._cable, "type", "veth"),
            *("peer", "name", "machine", "netns", self._bridge),
        )
        self._ip("-n", self._bridge, "link", "set", "machine", "master", "br0", "up")
        self._ip("link", "set", self._cable, "up")
        self._network = self._claim_addresses()

    def add_host(self, number: int, namespace: str) -> str:
        """Make a host's network namespace with a cable to the bridge.

        Args:
            number: the host's number, from 1.
            namespace: the name of the namespace.

        Returns:
            The host's address.

        Raises:
            IcplanError: it is beyond `MOST_HOSTS`.
        """
        assert self._network is not None
        if number > MOST_HOSTS:
            raise IcplanError(
                f"host {number} on the wire",
                place=str(self._network),
                cause=f"it has addresses for {MOST_HOSTS} hosts",
                cure="ask for fewer hosts",
            )
        address, cable = str(self._network[number + 1]), f"host{number}"
        self._ip("netns", "add", namespace)
        self._ip("-n", namespace, "link", "set", "lo", "up")
        self._ip(
            *("link", "add", "eth0", "netns", namespace, "type", "veth"),
            *("peer", "name", cable, "netns", self._bridge),
        )
        self._ip("-n", self._bridge, "link", "set", cable, "master", "br0", "up")
        self._ip("-n", namespace, "addr", "add", f"{address}/{_LENGTH}", "dev", "eth0")
        self._ip("-n", namespace, "link", "set", "eth0", "up")
        return address

    def plug(self, number: int, *, connected: bool) -> None:
        """Connect a host's cable or cut it."""
        state = "up" if connected else "down"
        self._ip("-n", self._bridge, "link", "set", f"host{number}", state)

    def stop(self) -> None:
        """Remove the machine's cable; it also goes with the bridge's namespace."""
        if self._cable in self._ip("-br", "link", "show"):
            self._ip("link", "del", self._cable)

    def _claim_addresses(self) -> ipaddress.IPv4Network:
        """Give the machine's cable the first address of a network that nobody here uses."""
        networks = list(_RANGE.subnets(new_prefix=_LENGTH))
        for _ in range(100):
            network = random.choice(networks)
            if self._taken(network):
                continue
            address = f"{network[1]}/{_LENGTH}"
            self._ip("addr", "add", address, "dev", self._cable)
            # Another lab may have chosen the same in this moment: then both choose anew.
            if len(self._taken(network)) == 1:
                return network
            self._ip("addr", "del", address, "dev", self._cable)
        raise IcplanError(
            "addresses for the hosts of container engines",
            place=str(_RANGE),
            cause="a hundred tries found none that is free",
            cure="end other labs first (icplan lab down)",
        )

    def _taken(self, network: ipaddress.IPv4Network) -> list[str]:
        """The addresses and routes of this machine that overlap a network."""
        addresses = re.findall(r" inet (\S+)", self._ip("-4", "-o", "addr", "show"))
        routes = re.findall(r"^(\d\S*) ", self._ip("-4", "route", "show"), re.MULTILINE)
        own = {str(network)}
        found = [*addresses, *(route for route in routes if route not in own)]
        return [one for one in found if ipaddress.ip_interface(one).network.overlaps(network)]

    def _ip(self, *arguments: str) -> str:
        return run(["ip", *arguments], run_directory=self._directory, thing="wire of the hosts")
