"""Snapshots that do not change from one recording to the next: made-up uuids and clocks."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any, TypeAlias

from icplan.core import snapshot as snapshots
from icplan.core.io import Snapshot

# What the json module gives back.
Json: TypeAlias = Any

OBSERVED_AT = "2026-06-01T12:00:00+00:00"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Drawn by northd and ovn-ic; nothing that icplan does depends on them.
_DRAWN = {
    "mac_prefix": "02:00:00",
    "svc_monitor_mac": "02:00:00:00:00:01",
    "requested-tnl-key": "16711680",
}


def stable(snapshot: Snapshot) -> bytes:
    """The JSON of a snapshot, one row a line, with names in the place of what was drawn."""
    document = json.loads(snapshots.encode(snapshot))
    document["observedAt"] = OBSERVED_AT
    databases = document["databases"]
    names = _names(databases)
    for content in databases.values():
        for rows in content.get("tables", {}).values():
            rows[:] = sorted(
                (_renamed(row, names) for row in rows), key=lambda row: str(row["_uuid"])
            )
    return _text(document).encode()


def _names(databases: dict[str, Json]) -> dict[str, str]:
    """A uuid for each row that follows from what is in it and from nothing else."""
    rows = [
        (f"{path}/{table}", row)
        for path, content in sorted(databases.items())
        for table, rows in sorted(content.get("tables", {}).items())
        for row in rows
    ]
    # Rows may be told apart only by what they refer to, and that by what it refers to.
    names: dict[str, str] = {}
    for _ in range(3):
        names = {row["_uuid"]: _named(f"{place}/{_content(row, names)}") for place, row in rows}
    told: dict[str, int] = {}
    for uuid_, name in sorted(names.items(), key=lambda pair: pair[1]):
        told[name] = told.get(name, 0) + 1
        if told[name] > 1:
            names[uuid_] = _named(f"{name}/{told[name]}")
    return names


def _named(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def _content(row: dict[str, Json], names: dict[str, str]) -> str:
    others = {column: value for column, value in row.items() if column != "_uuid"}
    return json.dumps(_renamed(others, names))


def _renamed(value: Json, names: dict[str, str]) -> Json:
    match value:
        case str():
            return _UUID.sub(lambda match: names.get(match[0], str(uuid.UUID(int=0))), value)
        case list():
            return sorted(_renamed(one, names) for one in value)
        case dict():
            return {key: _DRAWN.get(key) or _renamed(one, names) for key, one in value.items()}
    return value


def _text(document: dict[str, Any]) -> str:
    lines = [
        "{",
        f'"format_version": {json.dumps(document["format_version"])},',
        f'"observedAt": {json.dumps(document["observedAt"])},',
        '"databases": {',
    ]
    databases = []
    for path, content in sorted(document["databases"].items()):
        if "unreadable" in content:
            databases.append(f"{json.dumps(path)}: {json.dumps(content)}")
            continue
        tables = [
            f"  {json.dumps(table)}: ["
            + ",".join(f"\n    {json.dumps(row, sort_keys=True)}" for row in rows)
            + ("\n  ]" if rows else "]")
            for table, rows in sorted(content["tables"].items())
        ]
        databases.append(f'{json.dumps(path)}: {{"tables": {{\n' + ",\n".join(tables) + "\n}}")
    return "\n".join(lines) + "\n" + ",\n".join(databases) + "\n}}\n"
