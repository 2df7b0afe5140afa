"""Which IC databases the ConfigMaps of Kube-OVN zones name, and which the file does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.transit_address import bare
from icplan.spec.load import Spec

HOST, NORTHBOUND_PORT, SOUTHBOUND_PORT = "ic-db-host", "ic-nb-port", "ic-sb-port"
PLACE_KEYS = frozenset({HOST, NORTHBOUND_PORT, SOUTHBOUND_PORT})
"""The keys that say where the IC databases are."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the IC databases are; the order of the hosts means nothing."""

    hosts: frozenset[str]
    northbound_port: str
    southbound_port: str

    def __str__(self) -> str:
        """Hosts and ports, as a person would say them."""
        hosts = ", ".join(sorted(self.hosts)) or "no host"
        return f"{hosts} (ports {self.northbound_port} and {self.southbound_port})"

    def shares(self, other: Place) -> bool:
        """Whether both have a server in common: then they name one database, in other words."""
        ports = (self.northbound_port, self.southbound_port)
        same = ports == (other.northbound_port, other.southbound_port)
        return same and bool(self.hosts & other.hosts)


def place_of(data: Mapping[str, str]) -> Place:
    """The place that a ConfigMap's data names; nothing has a default (docs/facts.md section 2)."""
    hosts = (one.strip() for one in data.get(HOST, "").split(","))
    return Place(
        frozenset(bare(one) for one in hosts if one),
        data.get(NORTHBOUND_PORT, ""),
        data.get(SOUTHBOUND_PORT, ""),
    )


def declared_place(spec: Spec) -> Place:
    """The place that the file names."""
    database = spec.interconnect.ic_database
    return Place(
        frozenset(map(bare, database.hosts)),
        str(database.northbound_port),
        str(database.southbound_port),
    )


def elsewhere(view: View) -> dict[str, Place]:
    """The Kube-OVN zones that use another IC database than the file's today, and which, by name.

    What the file's database shows says nothing of them. One that only gets more servers is still
    the same.
    """
    wanted, found = declared_place(view.spec), {}
    for zone in zones.clusters(view):
        config = zone.cluster.config
        if config is None or config.data.get(ENABLE) == "false":
            continue
        place = place_of(config.data)
        if not place.shares(wanted):
            found[zone.name] = place
    return found
