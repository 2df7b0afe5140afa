"""A process that binds gateway ports to chassis as ovn-controller would, where none runs.

Reads and writes only Port_Binding.chassis and .up of chassisredirect ports, nothing else.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icplan.lab.background import serve
from icplan.lab.jsonrpc import OvsdbSession, TransactionRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

_DATABASE = "OVN_Southbound"
_EMPTY: list[Any] = ["set", []]
_COLUMNS = {
    "Port_Binding": ["_uuid", "chassis", "ha_chassis_group", "gateway_chassis"],
    "HA_Chassis_Group": ["_uuid", "ha_chassis"],
    "HA_Chassis": ["_uuid", "chassis", "priority"],
    "Gateway_Chassis": ["_uuid", "chassis", "priority"],
}


def claims(
    ports: list[dict[str, Any]],
    groups: list[dict[str, Any]],
    candidates: list[dict[str, Any]],
) -> list[tuple[str, str | None]]:
    """Which ports must be bound anew, as pairs of port uuid and chassis uuid (or none).

    Args:
        ports: the chassisredirect rows of Port_Binding.
        groups: the rows of HA_Chassis_Group.
        candidates: the rows of HA_Chassis and Gateway_Chassis; one whose chassis has no row in
            the database has no chassis.
    """
    by_uuid = {row["_uuid"][1]: row for row in candidates}
    members = {row["_uuid"][1]: _uuids(row["ha_chassis"]) for row in groups}
    changes = []
    for port in ports:
        named = _uuids(port["gateway_chassis"])
        for group in _uuids(port["ha_chassis_group"]):
            named += members.get(group, [])
        alive = [
            (-int(by_uuid[each]["priority"]), chassis)
            for each in named
            if each in by_uuid
            for chassis in _uuids(by_uuid[each]["chassis"])
        ]
        best = min(alive)[1] if alive else None
        if _uuids(port["chassis"]) != ([best] if best else []):
            changes.append((port["_uuid"][1], best))
    return changes


def _uuids(value: list[Any]) -> list[str]:
    """The uuids in a column: one reference or a set of them."""
    return [value[1]] if value[0] == "uuid" else [each[1] for each in value[1]]


def _claim(session: OvsdbSession) -> None:
    selects = [
        {
            "op": "select",
            "table": table,
            "where": [["type", "==", "chassisredirect"]] if table == "Port_Binding" else [],
            "columns": columns,
        }
        for table, columns in _COLUMNS.items()
    ]
    ports, groups, ha, gateway = (result["rows"] for result in session.transact(_DATABASE, selects))
    changes = claims(ports, groups, ha + gateway)
    if not changes:
        return
    session.transact(
        _DATABASE,
        [
            {
                "op": "update",
                "table": "Port_Binding",
                "where": [["_uuid", "==", ["uuid", port]]],
                "row": {
                    "chassis": ["uuid", chassis] if chassis else _EMPTY,
                    "up": chassis is not None,
                },
            }
            for port, chassis in changes
        ],
    )


def _prepare() -> Callable[[], None]:
    session = OvsdbSession(Path(sys.argv[1]))
    session.watch(_DATABASE, list(_COLUMNS))

    def work() -> None:
        while True:
            # A chassis or port may vanish between reading and writing: its going is a change,
            # and brings us here again.
            with contextlib.suppress(TransactionRefusedError):
                _claim(session)
            session.wait_for_change()

    return work


if __name__ == "__main__":
    serve(_prepare)
