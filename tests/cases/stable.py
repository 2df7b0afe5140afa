"""Snapshots that do not change from one recording to the next.

What is drawn or counted is made up: uuids, clocks, MACs and the addresses that controllers draw.
"""

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
_TRANSIT = re.compile(r"ts\d*")
# The controller draws from the lower half of a /24, icplan takes from the upper one.
_LOWER_HALF = 128
_METADATA = ("name", "namespace", "generation", "labels", "annotations")
_STATUS = (
    *("addresses", "availableReplicas", "observedGeneration"),
    *("replicas", "updatedReplicas"),
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Drawn by northd and ovn-ic; nothing that icplan does depends on them.
_DRAWN = {
    "mac_prefix": "02:00:00",
    "svc_monitor_mac": "02:00:00:00:00:01",
    "requested-tnl-key": "16711680",
}


def stable(
    snapshot: Snapshot,
    ports: dict[str, str] | None = None,
    networks: dict[str, str] | None = None,
) -> bytes:
    """The JSON of a snapshot, one row a line, with names in the place of what was drawn.

    Args:
        snapshot: what was seen.
        ports: what to write for the ports of the IC databases in ConfigMaps.
        networks: what to write for the beginnings of addresses.
    """
    text = snapshots.encode(snapshot).decode()
    for old, new in (networks or {}).items():
        text = text.replace(old, new)
    document = json.loads(_without_draws(text))
    document["observedAt"] = OBSERVED_AT
    for query in document.get("objects", ()):
        bodies = query.get("found", [])
        bodies[:] = sorted(
            (_pruned(query, body) for body in bodies), key=lambda one: str(one["metadata"]["name"])
        )
        _leaders_settled(query, bodies)
        for data in (body.get("data", {}) for body in bodies):
            data |= {key: (ports or {}).get(value, value) for key, value in data.items()}
    for host in document.get("hosts", ()):
        _pruned_host(host)
    for name in ("cluster", "server"):
        known = sorted({one["found"][name] for one in document.get("members", ())} - {""})
        for one in document.get("members", ()):
            if one["found"][name]:
                one["found"][name] = _named(f"{name} {known.index(one['found'][name])}")
    databases = document["databases"]
    names = _names(databases)
    for content in databases.values():
        for rows in content.get("tables", {}).values():
            rows[:] = sorted(
                (_renamed(row, names) for row in rows), key=lambda row: str(row["_uuid"])
            )
    return _text(document).encode()


def _without_draws(text: str) -> str:
    """Other addresses and MACs for those that a controller drew: equal ones stay equal."""
    databases = json.loads(text)["databases"]
    drawn: dict[str, str] = {}
    for path, content in sorted(databases.items()):
        zone = path.partition("/")[0]
        ports = content.get("tables", {}).get("Logical_Router_Port", [])
        for port in ports:
            switch = port["name"].removeprefix(f"{zone}-")
            if port["name"] == switch or not _TRANSIT.fullmatch(switch):
                continue
            # A zone that was renamed has no number.
            number = 20 + int(zone.removeprefix("az") if zone.startswith("az") else 20)
            for network in port["networks"]:
                address = network.partition("/")[0]
                if 0 < int(address.rpartition(".")[2]) < _LOWER_HALF:
                    drawn.setdefault(address, f"{address.rpartition('.')[0]}.{number}")
            index = int(switch.removeprefix("ts") or 0)
            drawn.setdefault(port["mac"], f"02:00:00:00:{index:02x}:{number:02x}")
    # In two rounds: what one address becomes may be what another one is.
    for place, old in enumerate(drawn):
        text = re.sub(rf"(?<![\d.]){re.escape(old)}(?![\d.])", f"<drawn {place}>", text)
    for place, new in enumerate(drawn.values()):
        text = text.replace(f"<drawn {place}>", new)
    return text


def _pruned(query: dict[str, Json], body: dict[str, Json]) -> dict[str, Json]:
    """An object without what servers count and stamp."""
    metadata = {key: body["metadata"][key] for key in _METADATA if key in body["metadata"]}
    if query["kind"] == "Pod":
        # The end of its name and its template's hash are drawn; where it runs is not.
        metadata["labels"] |= {"pod-template-hash": "5d8c7b9f64"}
        metadata["name"] = f"{metadata['labels']['app']}-5d8c7b9f64-{body['spec']['nodeName']}"
        return {"metadata": metadata | {"uid": _named(f"{query['site']}/{metadata['name']}")}}
    metadata["uid"] = _named(f"{query['site']}/{query['kind']}/{metadata['name']}")
    pruned = {key: body[key] for key in ("data", "spec") if key in body}
    status = body.get("status", {})
    kept = {key: status[key] for key in _STATUS if key in status}
    return {"metadata": metadata} | pruned | ({"status": kept} if kept else {})


def _leaders_settled(query: dict[str, Json], pods: list[dict[str, Json]]) -> None:
    """Which of several pods leads is drawn; that one does is not."""
    if query["kind"] != "Pod":
        return
    for label in {key for pod in pods for key in pod["metadata"]["labels"] if "leader" in key}:
        led = any(pod["metadata"]["labels"].get(label) == "true" for pod in pods)
        for place, pod in enumerate(pods):
            pod["metadata"]["labels"][label] = "true" if led and place == 0 else "false"


def _pruned_host(host: dict[str, Json]) -> None:
    """A container without what its engine draws; the last line of a log has a clock in it."""
    container = host.get("found", {}).get("container")
    if container is not None:
        container["id"] = _named(f"{host['engine']['host']}/{container['image']}")
        container["said"] = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "(time)", container["said"])


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
    text = "\n".join(lines) + "\n" + ",\n".join(databases) + "\n}"
    if objects := document.get("objects"):
        found = ",\n".join(json.dumps(one, sort_keys=True) for one in objects)
        text += f',\n"objects": [\n{found}\n]'
    for name in ("hosts", "members"):
        if entries := document.get(name):
            found = ",\n".join(json.dumps(one, sort_keys=True) for one in entries)
            text += f',\n"{name}": [\n{found}\n]'
    return text + "}\n"
