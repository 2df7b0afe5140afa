"""Objects of a Kubernetes API as values: queries and guarded writes. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Tree = None | bool | int | float | str | Sequence["Tree"] | Mapping[str, "Tree"]
"""What JSON can hold."""

Body = Mapping[str, Tree]
"""An object as the API server gives it."""

Path = tuple[str, ...]
"""The keys that lead to a field: `("spec", "disableInterConnection")`."""


@dataclass(frozen=True, slots=True, order=True)
class Collection:
    """All objects of a kind in one place.

    Attributes:
        site: the zone's name.
        api: group and version: `v1`, `apps/v1`, `kubeovn.io/v1`.
        kind: the kind's name: `ConfigMap`.
        plural: its name in paths: `configmaps`.
        namespace: empty for a kind that has none.
    """

    site: str
    api: str
    kind: str
    plural: str
    namespace: str = ""

    def __str__(self) -> str:
        """How it is called in front of people: "ConfigMaps in kube-system of az1"."""
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.kind}s{place} of {self.site}"

    def __getitem__(self, name: str) -> Resource:
        """One object of it."""
        return Resource(self, name)


@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One object, whether it is there or not."""

    collection: Collection
    name: str

    def __str__(self) -> str:
        """How it is called in front of people: "ConfigMap kube-system/ovn-ic-config of az1"."""
        namespace = self.collection.namespace
        name = f"{namespace}/{self.name}" if namespace else self.name
        return f"{self.collection.kind} {name} of {self.collection.site}"


def config_maps(site: str, namespace: str) -> Collection:
    """The ConfigMaps of a namespace."""
    return Collection(site, "v1", "ConfigMap", "configmaps", namespace)


def pods(site: str, namespace: str) -> Collection:
    """The Pods of a namespace."""
    return Collection(site, "v1", "Pod", "pods", namespace)


def nodes(site: str) -> Collection:
    """The Nodes."""
    return Collection(site, "v1", "Node", "nodes")


def deployments(site: str, namespace: str) -> Collection:
    """The Deployments of a namespace."""
    return Collection(site, "apps/v1", "Deployment", "deployments", namespace)


def subnets(site: str) -> Collection:
    """Kube-OVN's Subnets."""
    return Collection(site, "kubeovn.io/v1", "Subnet", "subnets")


@dataclass(frozen=True, slots=True)
class GetObject:
    """One object to read."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class ListObjects:
    """Objects to read: those of a collection that have all of these labels."""

    collection: Collection
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """A field that a write relies on, with the value that the plan saw; None: it was not there."""

    path: Path
    value: Tree


@dataclass(frozen=True, slots=True)
class CreateObject:
    """A new object, where the plan saw none; `body` without apiVersion, kind, name, namespace."""

    resource: Resource
    body: Body


@dataclass(frozen=True, slots=True)
class ReplaceData:
    """A ConfigMap's data replaced as a whole; annotations and labels set, or removed by None."""

    resource: Resource
    uid: str
    expected: tuple[Expected, ...]
    data: Mapping[str, str]
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an object; None: it is not there."""

    path: Path
    before: Tree
    after: Tree


@dataclass(frozen=True, slots=True)
class PatchFields:
    """Single fields of an object that is not ours; all of them together, or none."""

    resource: Resource
    uid: str
    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """An object removed."""

    resource: Resource
    uid: str
    expected: tuple[Expected, ...] = ()


ObjectWrite = CreateObject | ReplaceData | PatchFields | DeleteObject


def at(body: Tree, path: Path) -> Tree:
    """The value of a field; None when it is not there."""
    for key in path:
        if not isinstance(body, Mapping):
            return None
        body = body.get(key)
    return body


def shown(path: Path) -> str:
    """A field as `kubectl -o jsonpath` has it: `metadata.annotations['icplan/owner']`."""
    text = ""
    for key in path:
        plain = key.replace("-", "").replace("_", "").isalnum()
        text += (f".{key}" if text else key) if plain else f"['{key}']"
    return text


def contains(found: Tree, wanted: Tree) -> bool:
    """Whether everything wanted is there; a server adds fields of its own."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            contains(found.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return (
            isinstance(found, Sequence)
            and not isinstance(found, str)
            and len(found) == len(wanted)
            and all(contains(*pair) for pair in zip(found, wanted, strict=True))
        )
    return found == wanted
