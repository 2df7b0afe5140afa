"""Paths, and guarded writes as the requests that do them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from icplan.core.kubernetes import (
    Body,
    Collection,
    CreateObject,
    DeleteObject,
    Expected,
    FieldChange,
    ListObjects,
    ObjectWrite,
    PatchFields,
    Path,
    ReplaceData,
    Resource,
    Tree,
    at,
    contains,
)

MANAGER = "icplan"
"""Our name in `managedFields`."""

_JSON = "application/json"
_JSON_PATCH = "application/json-patch+json"
_ANNOTATIONS = ("metadata", "annotations")
_LABELS = ("metadata", "labels")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    body: Tree
    content: str = _JSON


def collection_path(collection: Collection) -> str:
    """Where a collection is served."""
    root = "/api" if "/" not in collection.api else "/apis"
    namespace = f"/namespaces/{quote(collection.namespace)}" if collection.namespace else ""
    return f"{root}/{collection.api}{namespace}/{collection.plural}"


def object_path(resource: Resource) -> str:
    """Where an object is served."""
    return f"{collection_path(resource.collection)}/{quote(resource.name)}"


def list_path(query: ListObjects) -> str:
    """Where the objects with a query's labels are served."""
    selector = ",".join(f"{key}={value}" for key, value in query.labels)
    labels = f"?{urlencode({'labelSelector': selector})}" if selector else ""
    return collection_path(query.collection) + labels


def expected(write: ObjectWrite) -> tuple[Expected, ...]:
    """The fields that a write relies on."""
    match write:
        case CreateObject():
            return ()
        case PatchFields():
            return tuple(Expected(one.path, one.before) for one in write.changes)
        case ReplaceData() | DeleteObject():
            return write.expected


def request(write: ObjectWrite, found: Body) -> Request:
    """What does a write to the object that was just found; nothing was for a new one."""
    own = f"?fieldManager={MANAGER}"
    path = object_path(write.resource)
    match write:
        case CreateObject():
            return Request("POST", collection_path(write.resource.collection) + own, whole(write))
        case ReplaceData():
            return Request("PUT", path + own, _replaced(write, found))
        case PatchFields():
            return Request("PATCH", path + own, _patch(write, found), _JSON_PATCH)
        case DeleteObject():
            guard = {"uid": uid(found), "resourceVersion": version(found)}
            return Request("DELETE", path, {"preconditions": guard})


def done(write: ObjectWrite, found: Body | None) -> bool:
    """Whether what is there is what a write of ours, whose answer was lost, would have left."""
    if isinstance(write, DeleteObject):
        return found is None or not _same(found, write) or bool(at(found, _DELETED))
    if found is None:
        return False
    match write:
        case CreateObject():
            return contains(found, whole(write)) and _managed(found)
        case ReplaceData():
            wanted = {_ANNOTATIONS: write.annotations, _LABELS: write.labels}
            return (
                _same(found, write)
                and (at(found, ("data",)) or {}) == dict(write.data)
                and all(
                    at(found, (*path, key)) == value
                    for path, pairs in wanted.items()
                    for key, value in pairs.items()
                )
            )
        case PatchFields():
            same = all(at(found, one.path) == one.after for one in write.changes)
            return uid(found) == write.uid and same


def _same(found: Body, write: ReplaceData | DeleteObject) -> bool:
    return not write.uid or uid(found) == write.uid


def whole(write: CreateObject) -> dict[str, Tree]:
    """The object that a write creates."""
    resource = write.resource
    metadata = at(write.body, ("metadata",))
    named: dict[str, Tree] = dict(metadata) if isinstance(metadata, Mapping) else {}
    named["name"] = resource.name
    if resource.collection.namespace:
        named["namespace"] = resource.collection.namespace
    kind = {"apiVersion": resource.collection.api, "kind": resource.collection.kind}
    return {**kind, **write.body, "metadata": named}


def uid(found: Body) -> str:
    """What tells an object from one of the same name that was there before."""
    return str(at(found, ("metadata", "uid")))


def version(found: Body) -> str:
    """What each write to an object changes."""
    return str(at(found, _VERSION))


_VERSION = ("metadata", "resourceVersion")
_DELETED = ("metadata", "deletionTimestamp")


def _managed(found: Body) -> bool:
    fields = at(found, ("metadata", "managedFields"))
    listed = fields if isinstance(fields, list) else []
    return any(at(one, ("manager",)) == MANAGER for one in listed)


def _replaced(write: ReplaceData, found: Body) -> dict[str, Tree]:
    """The object that was just found, with its `resourceVersion`, so that a change is noticed."""
    metadata = at(found, ("metadata",))
    kept: dict[str, Tree] = dict(metadata) if isinstance(metadata, Mapping) else {}
    for key, pairs in (("annotations", write.annotations), ("labels", write.labels)):
        before = kept.get(key)
        after = {**(before if isinstance(before, Mapping) else {}), **pairs}
        kept[key] = {name: value for name, value in after.items() if value is not None}
    return {**found, "metadata": kept, "data": dict(write.data)}


def _patch(write: PatchFields, found: Body) -> list[Tree]:
    """Tests of all that the write relies on, then the changes.

    A test for null holds for what is not there, too: so do parents that must be made first. Only
    a list has no test for what is not there: the object's version stands for it.
    """
    tests: list[Tree] = [_step("test", ("metadata", "uid"), write.uid)]
    steps: list[Tree] = []
    made: set[Path] = set()
    for change in write.changes:
        parents = [change.path[:length] for length in range(1, len(change.path))]
        missing = [path for path in parents if at(found, path) is None]
        if not missing and _behind(found, change.path):
            tests.append(_step("test", _VERSION, version(found)))
        elif not missing:
            tests.append(_step("test", change.path, change.before))
        elif missing[0] not in made:
            tests.append(_step("test", missing[0], None))
        if change.after is not None:
            steps += [_step("add", path, {}) for path in missing if path not in made]
            made |= {*missing}
        steps += _steps(change)
    return tests + steps


def _behind(found: Body, path: Path) -> bool:
    """Whether a path leads to the place behind the last member of a list."""
    parent = at(found, path[:-1])
    return isinstance(parent, list) and path[-1] == str(len(parent))


def _steps(change: FieldChange) -> list[Tree]:
    if change.after is not None:
        # `add` replaces a key of a map, yet it pushes the member of a list aside.
        kind = "add" if change.before is None else "replace"
        return [_step(kind, change.path, change.after)]
    return [{"op": "remove", "path": _pointer(change.path)}] if change.before is not None else []


def _step(kind: str, path: Path, value: Tree) -> dict[str, Tree]:
    return {"op": kind, "path": _pointer(path), "value": value}


def _pointer(path: Path) -> str:
    """RFC 6901."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in path)
