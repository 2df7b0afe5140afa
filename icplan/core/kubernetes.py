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


def leases(site: str, namespace: str) -> Collection:
    """The Leases of a namespace."""
    return Collection(site, "coordination.k8s.io/v1", "Lease", "leases", namespace)


def service_cidrs(site: str) -> Collection:
    """The cluster's ranges of service addresses, from Kubernetes 1.33 on."""
    return Collection(site, "networking.k8s.io/v1", "ServiceCIDR", "servicecidrs")


@dataclass(frozen=True, slots=True)
class GetObject:
    """One object to read."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class ListObjects:
    """Objects to read: those of a collection that have all of these labels.

    Attributes:
        optional: a server that does not know such objects has none; a plan can do without them.
    """

    collection: Collection
    labels: tuple[tuple[str, str], ...] = ()
    optional: bool = False


ObjectQuery = GetObject | ListObjects


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
    """A ConfigMap's data replaced as a whole; annotations and labels set, or removed by None.

    Without a uid it is whichever object is there: one that an earlier step has made.
    """

    resource: Resource
    uid: str
    expected: tuple[Expected, ...]
    data: Mapping[str, str]
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    labels: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an object; None: it is not there.

    In a list a key is a place; the one behind its last member adds a member.
    """

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
    """An object removed; without a uid whichever is there, made by an earlier step."""

    resource: Resource
    uid: str
    expected: tuple[Expected, ...] = ()


ObjectWrite = CreateObject | ReplaceData | PatchFields | DeleteObject


def at(body: Tree, path: Path) -> Tree:
    """The value of a field; None when it is not there. In a list a key is a place: "0", "1"."""
    for key in path:
        if isinstance(body, Mapping):
            body = body.get(key)
        elif isinstance(body, Sequence) and not isinstance(body, str) and key.isdecimal():
            body = body[int(key)] if int(key) < len(body) else None
        else:
            return None
    return body


def text_at(body: Tree, *path: str) -> str:
    """The text of a field; empty when it is not there or no text."""
    value = at(body, path)
    return value if isinstance(value, str) else ""


def list_at(body: Tree, *path: str) -> tuple[Tree, ...]:
    """The members of a list; none when it is not there."""
    value = at(body, path)
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()


def texts_at(body: Tree, *path: str) -> dict[str, str]:
    """A map of texts, such as labels, by key; empty when it is not there."""
    value = at(body, path)
    found = value if isinstance(value, Mapping) else {}
    return {key: str(found[key]) for key in sorted(found)}


def number_at(body: Tree, *path: str) -> int:
    """A whole number; 0 when it is not there."""
    value = at(body, path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def shown(path: Path) -> str:
    """A field as `kubectl -o jsonpath` has it: `metadata.annotations['icplan/owner']`, `env[3]`."""
    text = ""
    for key in path:
        plain = key.replace("-", "").replace("_", "").isalnum()
        if key.isdecimal():
            text += f"[{key}]"
        else:
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
