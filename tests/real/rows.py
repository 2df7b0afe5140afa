"""Looks at database rows with OVN's own tools, so that icplan's client is not its own witness."""

from __future__ import annotations

import json
from collections.abc import Callable

Ctl = Callable[..., str]

# What daemons count or fill in by themselves.
_RESTLESS = {
    "nb_cfg",
    "sb_cfg",
    "hv_cfg",
    "nb_cfg_timestamp",
    "sb_cfg_timestamp",
    "hv_cfg_timestamp",
    "up",
    "dynamic_addresses",
    "status",
    "is_connected",
}

NORTHBOUND = (
    "NB_Global",
    "Logical_Switch",
    "Logical_Switch_Port",
    "Logical_Router",
    "Logical_Router_Port",
    "Logical_Router_Static_Route",
    "Logical_Router_Policy",
    "NAT",
    "Gateway_Chassis",
    "Address_Set",
)
IC_NORTHBOUND = ("IC_NB_Global", "Transit_Switch")
IC_SOUTHBOUND = ("Availability_Zone", "Gateway", "Encap", "Port_Binding", "Route")


def table(ctl: Ctl, name: str) -> dict[str, dict[str, object]]:
    """The rows of a table by uuid."""
    raw = json.loads(ctl("--format=json", "list", name))
    rows = {}
    for values in raw["data"]:
        row = dict(zip(raw["headings"], values, strict=True))
        rows[row["_uuid"][1]] = {key: value for key, value in row.items() if key not in _RESTLESS}
    return rows


def tables(ctl: Ctl, names: tuple[str, ...]) -> dict[str, dict[str, dict[str, object]]]:
    """Several tables."""
    return {name: table(ctl, name) for name in names}


def shape(ctl: Ctl, names: tuple[str, ...]) -> dict[str, list[str]]:
    """The content of tables without anything that is drawn anew each time."""
    import re

    uuid = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
    drawn = re.compile(r'\["(mac_prefix|svc_monitor_mac|max_tunid)", "[^"]*"\]')
    result = {}
    for name in names:
        rows = []
        for row in table(ctl, name).values():
            text = json.dumps({k: v for k, v in row.items() if k != "_uuid"}, sort_keys=True)
            rows.append(drawn.sub("drawn", uuid.sub("uuid", text)))
        result[name] = sorted(rows)
    return result


def mentions(ctl: Ctl, names: tuple[str, ...], text: str) -> list[str]:
    """The rows that contain a text anywhere."""
    return [
        f"{name}: {row}"
        for name in names
        for row in table(ctl, name).values()
        if text in json.dumps(row)
    ]
