"""A Kube-OVN cluster's objects as facts. Nothing of the zone's databases is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from icplan.core.io import Source, Unreadable, source_of
from icplan.core.kubernetes import (
    Body,
    Collection,
    GetObject,
    ListObjects,
    ObjectQuery,
    Path,
    Resource,
    Tree,
    at,
    config_maps,
    deployments,
    leases,
    list_at,
    nodes,
    number_at,
    pods,
    service_cidrs,
    subnets,
    text_at,
    texts_at,
)
from icplan.ovn.generation import Generation, before_1_11, generation_of, version_of
from icplan.ovn.prefix import normal

NAMESPACE = "kube-system"
CONFIG = "ovn-ic-config"
"""The ConfigMap that the controller polls (docs/facts.md section 1)."""
ROUTER = "ovn-cluster"
"""The router of the default VPC, the only one that is interconnected (docs/facts.md section 4)."""
JOIN = "join"
"""The Subnet between nodes and pods; it is never advertised (docs/facts.md section 4)."""
CONTROLLER = "ovn-ic-controller"
"""Is there only when Kube-OVN is installed with ENABLE_IC=true (docs/facts.md section 1)."""
BEFORE_1_11 = "kube-ovn-controller"
"""Did the controller's work before 1.11, and always has the cluster's version."""
CENTRAL = "ovn-central"
"""The Deployment of a cluster's own databases, and the container in its pods that has them."""
IC_SERVER = "ovn-ic-server"
"""Runs the IC databases, and keeps as many transit switches as this variable of it says."""
SWITCH_NUMBER = "TS_NUM"
MEMBERS = "NODE_IPS"
"""The variable of it that lists the addresses of its members, the one that begins first."""
MASTER = ("kube-ovn/role", "master")
"""The label of the Nodes that it runs on (docs/facts.md section 10)."""
IC_LEADERS = ("ovn-ic-nb-leader", "ovn-ic-sb-leader")
"""The labels that its pods give themselves, with the value true, for the databases they lead."""
LOCK = "icplan"
"""The name of the Lease that is our lock; these annotations hold what it says."""
LOCK_VALUE = "icplan/lock"
LOCK_BEAT = "icplan/lock-beat"
OWNER = "icplan/owner"
"""The annotation that says whose an object is."""
SERVICE_CIDR = "ServiceCIDR"
GATEWAY_LABEL = "ovn.kubernetes.io/ic-gw"


@dataclass(frozen=True, slots=True)
class ConfigMap:
    """A ConfigMap."""

    uid: str
    data: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Node:
    """A Node.

    Attributes:
        marked: the controller's label that it is a gateway.
        addresses: its InternalIPs, in order.
        primary: the first of them as the Node lists them: what a pod on its network has as
            status.podIP; empty when there is none.
        master: the label that lets it run Kube-OVN's databases.
    """

    name: str
    marked: bool
    addresses: tuple[str, ...]
    primary: str = ""
    master: bool = False


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod, and which databases it says that it leads."""

    name: str
    leads: frozenset[str]


@dataclass(frozen=True, slots=True)
class Subnet:
    """A Subnet; `blocks` are normalised, with dual stack two; `withheld` is its own field."""

    uid: str
    name: str
    blocks: tuple[str, ...]
    vpc: str
    withheld: bool | None
    annotations: Mapping[str, str]
    vlan: str = ""

    @property
    def interconnected(self) -> bool:
        """Whether it belongs to the default VPC."""
        return self.vpc in {"", ROUTER}


Named = TypeVar("Named", Node, Pod, Subnet)


@dataclass(frozen=True, slots=True)
class Deployment:
    """A Deployment and its first container, or the one of its own name.

    Attributes:
        body: the object, for writes that rely on parts of it.
        container: the place of that container in the pod's list.
    """

    uid: str
    name: str
    version: str
    replicas: int
    available: int
    rolling_out: bool
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    annotations: Mapping[str, str]
    body: Body
    container: int

    @property
    def image(self) -> str:
        """What that container runs."""
        return text_at(self.body, *self.container_path, "image")

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the IC databases, as their pods are told; of ovn-ic-server only.

        Kube-OVN's own script leaves a comma behind the last one (read in its source).
        """
        listed = self.environment.get(MEMBERS, "").split(",")
        return tuple(one.strip() for one in listed if one.strip())

    @property
    def container_path(self) -> Path:
        """Where that container stands in the object."""
        return ("spec", "template", "spec", "containers", str(self.container))

    def place_in_environment(self, name: str) -> int | None:
        """The place of a variable in its environment; of several the last one, which counts."""
        names = [text_at(one, "name") for one in list_at(self.body, *self.container_path, "env")]
        return max((place for place, one in enumerate(names) if one == name), default=None)


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is known of a cluster; None for what is not there."""

    config: ConfigMap | None
    nodes: tuple[Node, ...]
    subnets: tuple[Subnet, ...]
    deployments: Mapping[str, Deployment]
    lock: Mapping[str, str] | None
    service_cidrs: tuple[str, ...] = ()
    ic_pods: tuple[Pod, ...] = ()

    @property
    def masters(self) -> tuple[Node, ...]:
        """The Nodes that may run Kube-OVN's databases."""
        return tuple(one for one in self.nodes if one.master)

    @property
    def controller(self) -> Deployment | None:
        """The Deployment that does the interconnection's work; None when nobody does.

        Before 1.11 that is kube-ovn-controller. Later on, and where its version is not known, it
        must not be taken for it: it would do nothing.
        """
        older = self.deployments.get(BEFORE_1_11)
        if older is not None and not before_1_11(older.version):
            older = None
        return self.deployments.get(CONTROLLER) or older

    @property
    def version(self) -> str:
        """Kube-OVN's version as the controller's image's tag has it; empty when unknown."""
        deployment = self.deployments.get(CONTROLLER) or self.deployments.get(BEFORE_1_11)
        return deployment.version if deployment else ""

    @property
    def generation(self) -> Generation:
        """Which behaviour to expect."""
        return generation_of(self.version)

    @property
    def ic_server(self) -> Deployment | None:
        """The Deployment that runs the IC databases in this cluster."""
        return self.deployments.get(IC_SERVER)

    @property
    def service_blocks(self) -> tuple[str, ...]:
        """The service CIDRs, from kube-ovn-controller's arguments, else the cluster's objects."""
        deployment = self.deployments.get(BEFORE_1_11)
        for argument in deployment.arguments if deployment else ():
            key, _, value = argument.partition("=")
            if key == "--service-cluster-ip-range":
                return tuple(normal(one) for one in value.split(",") if one)
        return self.service_cidrs

    def node(self, name: str) -> Node | None:
        """The Node of that name."""
        return next((one for one in self.nodes if one.name == name), None)

    def subnet(self, name: str) -> Subnet | None:
        """The Subnet of that name."""
        return next((one for one in self.subnets if one.name == name), None)


def config_resource(zone: str) -> Resource:
    """The ConfigMap of a zone."""
    return config_maps(zone, NAMESPACE)[CONFIG]


def subnet_resource(zone: str, name: str) -> Resource:
    """A Subnet of a zone."""
    return subnets(zone)[name]


def deployment_resource(zone: str, name: str) -> Resource:
    """A Deployment of a zone."""
    return deployments(zone, NAMESPACE)[name]


def lock_resource(zone: str) -> Resource:
    """The Lease that is icplan's lock of a zone."""
    return leases(zone, NAMESPACE)[LOCK]


def controller_queries(zone: str) -> tuple[ObjectQuery, ...]:
    """What must be read to know the zone's controller."""
    return tuple(GetObject(deployment_resource(zone, name)) for name in (CONTROLLER, BEFORE_1_11))


def queries(zone: str) -> tuple[ObjectQuery, ...]:
    """What must be read of a zone's cluster."""
    return (
        GetObject(config_resource(zone)),
        ListObjects(nodes(zone)),
        ListObjects(subnets(zone)),
        *controller_queries(zone),
        GetObject(deployment_resource(zone, IC_SERVER)),
        GetObject(lock_resource(zone)),
        ListObjects(service_cidrs(zone), optional=True),
    )


def ic_pods_query(zone: str) -> ListObjects:
    """What must be read to know the pods that run the IC databases."""
    return ListObjects(pods(zone, NAMESPACE), (("app", IC_SERVER),))


def dispensable(source: Source) -> bool:
    """Whether a plan can do without this: it only sharpens one of its rules."""
    return isinstance(source, Collection) and source.kind == SERVICE_CIDR


def decode(
    zone: str, found: Mapping[ObjectQuery, tuple[Body, ...] | Unreadable]
) -> Cluster | Unreadable:
    """Objects to facts; unreadable when anything of it is, and rather lost than forbidden."""
    mine: dict[ObjectQuery, tuple[Body, ...]] = {}
    lost: list[tuple[bool, str, Unreadable]] = []
    for query, bodies in found.items():
        if not isinstance(bodies, Unreadable):
            mine[query] = bodies
        elif not (dispensable(source_of(query)) and bodies.forbidden):
            lost.append((bodies.forbidden, str(query), bodies))
    if lost:
        return min(lost, key=lambda one: one[:2])[2]
    return Cluster(
        config=_config(mine.get(GetObject(config_resource(zone)), ())),
        nodes=_by_name(_node(one) for one in mine.get(ListObjects(nodes(zone)), ())),
        subnets=_by_name(_subnet(one) for one in mine.get(ListObjects(subnets(zone)), ())),
        deployments={
            name: _deployment(body)
            for name in (CONTROLLER, BEFORE_1_11, IC_SERVER)
            for body in mine.get(GetObject(deployment_resource(zone, name)), ())
        },
        lock=next(
            (
                texts_at(body, "metadata", "annotations")
                for body in mine.get(GetObject(lock_resource(zone)), ())
            ),
            None,
        ),
        service_cidrs=tuple(
            normal(str(block))
            for body in mine.get(ListObjects(service_cidrs(zone), optional=True), ())
            for block in list_at(body, "spec", "cidrs")
        ),
        ic_pods=_by_name(_pod(one) for one in mine.get(ic_pods_query(zone), ())),
    )


def _by_name(found: Iterable[Named]) -> tuple[Named, ...]:
    return tuple(sorted(found, key=lambda one: one.name))


def _config(bodies: tuple[Body, ...]) -> ConfigMap | None:
    # One that is being deleted counts as there, and so does a Node or a Subnet: Kube-OVN's
    # controller takes what its API gives it, and looks at no deletionTimestamp (read in its
    # source). It follows such an object until the last finalizer is gone.
    for body in bodies:
        annotations = texts_at(body, "metadata", "annotations")
        return ConfigMap(text_at(body, "metadata", "uid"), texts_at(body, "data"), annotations)
    return None


def _node(body: Body) -> Node:
    addresses = [
        text_at(one, "address")
        for one in list_at(body, "status", "addresses")
        if text_at(one, "type") == "InternalIP"
    ]
    labels = texts_at(body, "metadata", "labels")
    key, value = MASTER
    return Node(
        text_at(body, "metadata", "name"),
        labels.get(GATEWAY_LABEL) == "true",
        tuple(sorted(addresses)),
        next(iter(addresses), ""),
        labels.get(key) == value,
    )


def _pod(body: Body) -> Pod:
    labels = texts_at(body, "metadata", "labels")
    leads = frozenset(one for one in IC_LEADERS if labels.get(one) == "true")
    return Pod(text_at(body, "metadata", "name"), leads)


def _subnet(body: Body) -> Subnet:
    withheld = at(body, ("spec", "disableInterConnection"))
    blocks = text_at(body, "spec", "cidrBlock").split(",")
    return Subnet(
        text_at(body, "metadata", "uid"),
        text_at(body, "metadata", "name"),
        tuple(normal(one) for one in blocks if one.strip()),
        text_at(body, "spec", "vpc"),
        withheld if isinstance(withheld, bool) else None,
        texts_at(body, "metadata", "annotations"),
        text_at(body, "spec", "vlan"),
    )


def _deployment(body: Body) -> Deployment:
    name = text_at(body, "metadata", "name")
    containers = list_at(body, "spec", "template", "spec", "containers")
    names = [text_at(one, "name") for one in containers]
    place = names.index(name) if name in names else 0
    container: Tree = containers[place] if containers else {}
    replicas = number_at(body, "spec", "replicas")
    status = at(body, ("status",))
    settled = number_at(status, "observedGeneration") >= number_at(body, "metadata", "generation")
    updated = number_at(status, "updatedReplicas")
    return Deployment(
        uid=text_at(body, "metadata", "uid"),
        name=name,
        version=version_of(text_at(container, "image")),
        replicas=replicas,
        available=number_at(status, "availableReplicas"),
        rolling_out=not settled or updated < replicas or number_at(status, "replicas") > updated,
        arguments=tuple(str(one) for key in ("command", "args") for one in list_at(container, key)),
        environment={
            text_at(one, "name"): text_at(one, "value") for one in list_at(container, "env")
        },
        annotations=texts_at(body, "metadata", "annotations"),
        body=body,
        container=place,
    )
