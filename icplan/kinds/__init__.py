"""The registry of kinds, in the order in which they build on each other; deletes run backwards."""

from __future__ import annotations

from icplan.kinds import (
    dangling_port,
    denylist,
    ic_config,
    ic_database,
    ic_server,
    learned_route,
    lost_port,
    manual_route,
    route_exchange,
    stale_zone,
    subnet_advertisement,
    switch_copy,
    switch_count,
    transit_addresses,
    transit_port,
    transit_switch,
    zone_name,
)
from icplan.kinds.common.contract import Kind

_FIRST = (
    ic_database.KIND,
    ic_server.KIND,
    stale_zone.KIND,
    dangling_port.KIND,
    switch_count.KIND,
    transit_switch.KIND,
    switch_copy.KIND,
    learned_route.KIND,
    zone_name.KIND,
    transit_port.KIND,
    route_exchange.KIND,
)
_LAST = (
    denylist.KIND,
    transit_addresses.KIND,
    lost_port.KIND,
    manual_route.KIND,
)

KINDS: tuple[Kind, ...] = (*_FIRST, subnet_advertisement.KIND, ic_config.KIND, *_LAST)
"""All kinds; a kind comes after those that it needs."""

CHAIN: tuple[Kind, ...] = (*_FIRST, ic_config.KIND, subnet_advertisement.KIND, *_LAST)
"""All kinds in the order of their evidence: what is missing of one explains what is missing of
those that follow. A Subnet is marked before its zone joins; yet only a zone that has joined can
withhold it."""


def kind_of(name: str) -> Kind:
    """The kind that an address names.

    Raises:
        KeyError: there is none.
    """
    return {kind.name: kind for kind in KINDS}[name]
