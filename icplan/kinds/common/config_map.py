"""What stands in the ConfigMap of a Kube-OVN zone. Neither reads nor writes it."""

from __future__ import annotations

from icplan.kinds.common import zones
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.waivers import UNKNOWN_KEY, accepted
from icplan.ovn.cluster import ConfigMap
from icplan.spec.load import Spec

KEYS = (
    ENABLE,
    "az-name",
    "ic-db-host",
    "ic-nb-port",
    "ic-sb-port",
    "gw-nodes",
    "auto-route",
)
"""All that the controller knows; none has a default in its code (docs/facts.md section 2)."""


def data(spec: Spec, zone: zones.DeclaredZone) -> dict[str, str]:
    """What the file wants to stand in a zone's ConfigMap."""
    database = spec.interconnect.ic_database
    values = (
        "true",
        zone.name,
        ",".join(database.hosts),
        str(database.northbound_port),
        str(database.southbound_port),
        ",".join(zone.zone.gateway_nodes),
        "true" if zone.automatic(spec) else "false",
    )
    return dict(zip(KEYS, values, strict=True))


def unknown(config: ConfigMap) -> tuple[str, ...]:
    """The keys that the controller does not know."""
    return tuple(key for key in sorted(config.data) if key not in KEYS)


def kept(view: View, zone: str, config: ConfigMap | None) -> dict[str, str]:
    """The unknown keys that stay, as the file accepts them."""
    if config is None or not accepted(view, UNKNOWN_KEY, zone):
        return {}
    return {key: config.data[key] for key in unknown(config)}
