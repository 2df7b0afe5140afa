"""Snapshots as JSON: what was observed, to be kept, compared and planned against offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import orjson

from icplan.core.engines import (
    AskMember,
    Container,
    Engine,
    HostState,
    InspectHost,
    Member,
    MemberState,
)
from icplan.core.io import Database, Datum, Row, Snapshot, Tables, Unreadable, source_of
from icplan.core.kubernetes import Body, Collection, GetObject, ListObjects, ObjectQuery

FORMAT_VERSION = "1.0"
_RARE = ("restart", "variables")

# What orjson gives back.
Json: TypeAlias = Any


def encode(snapshot: Snapshot) -> bytes:
    """The JSON of a snapshot; rows and columns are in a stable order."""
    databases = {
        str(database): {"unreadable": _why(content)}
        if isinstance(content, Unreadable)
        else {"tables": {table: _ordered(rows) for table, rows in content.items()}}
        for database, content in snapshot.databases.items()
    }
    document: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "observedAt": snapshot.observed_at,
        "databases": databases,
    }
    if snapshot.objects:
        document["objects"] = [
            _query(query)
            | ({"unreadable": _why(found)} if isinstance(found, Unreadable) else {"found": found})
            for query, found in sorted(snapshot.objects.items(), key=lambda one: str(one[0]))
        ]
    if snapshot.hosts:
        document["hosts"] = [
            asdict(query)
            | ({"unreadable": _why(one)} if isinstance(one, Unreadable) else {"found": _told(one)})
            for query, one in sorted(snapshot.hosts.items(), key=lambda one: one[0].engine)
        ]
    if snapshot.members:
        document["members"] = [
            asdict(query.member) | {"found": asdict(one)}
            for query, one in sorted(snapshot.members.items(), key=lambda one: one[0].member)
        ]
    return orjson.dumps(
        document,
        option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE,
    )


def _told(state: HostState) -> dict[str, Json]:
    """What a host has; what only some containers have is left out of the others."""
    found = asdict(state)
    if state.container is not None:
        container = found["container"]
        rare = {name for name in _RARE if not container[name]}
        found["container"] = {name: one for name, one in container.items() if name not in rare}
    return found


def _complete(one: Mapping[str, Json]) -> dict[str, Json]:
    """The other way round."""
    found = one.get("found")
    if found is None or found["container"] is None:
        return {**one}
    container = found["container"]
    more = {"variables": tuple(container.get("variables", ()))}
    return {**one, "found": {**found, "container": {**container, **more}}}


def _why(unreadable: Unreadable) -> dict[str, object]:
    signs = {"forbidden": unreadable.forbidden, "refused": unreadable.refused}
    said = {name: True for name, holds in signs.items() if holds}
    return {"cause": unreadable.cause, "cure": unreadable.cure, **said}


def _query(query: ObjectQuery) -> dict[str, object]:
    source = source_of(query)
    collection = source if isinstance(source, Collection) else source.collection
    which: dict[str, object] = {
        "site": collection.site,
        "api": collection.api,
        "kind": collection.kind,
        "plural": collection.plural,
        "namespace": collection.namespace,
    }
    if isinstance(query, GetObject):
        return which | {"name": query.resource.name}
    optional = {"optional": True} if query.optional else {}
    return which | {"labels": dict(query.labels)} | optional


def _ordered(rows: tuple[Row, ...]) -> list[Row]:
    return sorted(rows, key=lambda row: str(row.get("_uuid")))


def decode(data: bytes) -> Snapshot:
    """A snapshot out of its JSON.

    Raises:
        ValueError: it is none.
    """
    raw = orjson.loads(data)
    if not isinstance(raw, dict) or not isinstance(raw.get("databases"), dict):
        raise ValueError("not a snapshot")
    databases: dict[Database, Tables | Unreadable] = {}
    for path, content in raw["databases"].items():
        site, _, name = path.rpartition("/")
        if "unreadable" in content:
            why = content["unreadable"]
            databases[Database(site, name)] = _unreadable(why)
        else:
            databases[Database(site, name)] = {
                table: tuple(
                    {column: _datum(value) for column, value in row.items()} for row in rows
                )
                for table, rows in content["tables"].items()
            }
    objects: dict[ObjectQuery, tuple[Body, ...] | Unreadable] = {}
    for one in raw.get("objects", []):
        found = tuple(one["found"]) if "found" in one else _unreadable(one["unreadable"])
        objects[_read_query(one)] = found
    hosts = dict(_host(_complete(one)) for one in raw.get("hosts", []))
    members = {
        AskMember(Member(one["name"], one["host"])): MemberState(**one["found"])
        for one in raw.get("members", [])
    }
    return Snapshot(str(raw["observedAt"]), databases, objects, hosts, members)


def _host(one: Mapping[str, Json]) -> tuple[InspectHost, HostState | Unreadable]:
    query = InspectHost(
        Engine(**one["engine"]),
        one["name"],
        tuple(one["files"]),
        tuple(one["variables"]),
        tuple(one["clustered"]),
        tuple(one["ports"]),
    )
    if "unreadable" in one:
        return query, _unreadable(one["unreadable"])
    found = one["found"]
    container, ports = found["container"], found["listening"]
    if container is not None:
        members = {name: tuple(each) for name, each in container["members"].items()}
        container = Container(**container | {"members": members})
    listening = None if ports is None else tuple(ports)
    return query, HostState(container, tuple(found["files"]), listening, found["elsewhere"])


def _unreadable(why: Mapping[str, object]) -> Unreadable:
    forbidden, refused = (why.get(sign) is True for sign in ("forbidden", "refused"))
    return Unreadable(str(why["cause"]), str(why["cure"]), forbidden, refused)


def _read_query(one: Mapping[str, object]) -> ObjectQuery:
    keys = ("site", "api", "kind", "plural", "namespace")
    collection = Collection(*(str(one[key]) for key in keys))
    if "name" in one:
        return GetObject(collection[str(one["name"])])
    labels = one["labels"]
    pairs = labels.items() if isinstance(labels, Mapping) else ()
    wanted = tuple((str(key), str(value)) for key, value in pairs)
    return ListObjects(collection, wanted, one.get("optional") is True)


def _datum(value: object) -> Datum:
    if isinstance(value, list):
        return tuple(_datum(one) for one in value)
    if isinstance(value, Mapping):
        return {str(key): str(one) for key, one in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise ValueError(f"not a column's value: {value!r}")
