"""Which objects a zone's part in the interconnection consists of. Plans nothing."""

from __future__ import annotations

from icplan.core.address import Address
from icplan.kinds.common import zones
from icplan.kinds.common.controller import config_address


def exchange(zone: zones.DeclaredZone) -> Address:
    """The object that makes a zone exchange routes."""
    return config_address(zone.name) if zone.kube_ovn else Address(zone.name, "route-exchange")


def objects(zone: zones.DeclaredZone, switches: tuple[str, ...]) -> frozenset[Address]:
    """All that must be as declared before a zone can do its part."""
    if zone.kube_ovn:
        return frozenset({config_address(zone.name), Address(zone.name, "denylist")})
    ports = {Address(zone.name, "port", switch) for switch in switches}
    return frozenset({Address(zone.name, "name"), exchange(zone), *ports})
