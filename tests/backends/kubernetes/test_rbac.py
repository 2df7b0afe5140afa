"""The roles of examples/rbac on a real API server: what their commands need, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, NamedTuple

import pytest

from icplan.backends.deadline import Deadline
from icplan.backends.failures import DatabaseForbidden
from icplan.backends.kubernetes.failures import NotPermitted
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.kubernetes.probe_pods import LABELS, PREFIX, ProbePods, Wanted
from icplan.backends.kubernetes.requests import Request, collection_path, object_path, request
from icplan.backends.kubernetes.transport import Answer
from icplan.backends.kubernetes.tunnel import Tunnel
from icplan.backends.ovsdb import Client
from icplan.backends.probing.prober import ProbeFailed
from icplan.core.change import Action, Change, Reason
from icplan.core.io import NORTHBOUND, Query, Snapshot
from icplan.core.kubernetes import (
    CreateObject,
    DeleteObject,
    FieldChange,
    GetObject,
    ListObjects,
    ObjectWrite,
    PatchFields,
    ReplaceData,
    Resource,
    config_maps,
    deployments,
    leases,
    nodes,
    pods,
    service_cidrs,
    subnets,
)
from icplan.core.value import Known
from icplan.kinds import switch_count
from icplan.kinds.common.contract import View
from icplan.kinds.common.transit_switches import count_address
from icplan.kinds.ic_server.manifest import manifest
from icplan.lab import wait_until
from icplan.lab.kubernetes import ApiClient, Cluster, KubernetesZone, Workload
from icplan.lab.kubernetes.cluster import PODS
from icplan.ovn.cluster import SWITCH_NUMBER
from icplan.ovn.facts import decode
from icplan.spec.load import read as read_file
from tests.backends.kubernetes.conftest import access
from tests.cases.files import cluster as zone_of
from tests.cases.files import file
from tests.ovsdb import AZ1
from tests.roles import KUBE_SYSTEM, documents, path_of, token_file

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

ACCOUNTS = {"planner": "icplan-plan", "applier": "icplan-apply"}
AUTHORIZATION = "/apis/authorization.k8s.io/v1"

DEPLOYMENTS = deployments("az1", KUBE_SYSTEM)
LEASES = leases("az1", KUBE_SYSTEM)
CONFIG = config_maps("az1", KUBE_SYSTEM)["ovn-ic-config"]
SERVER = DEPLOYMENTS["ovn-ic-server"]
LEASE = LEASES["icplan"]
SUBNET = subnets("az1")["office"]
FILE = file(zone_of(1), switches="2")


class Permission(NamedTuple):
    """What RBAC can grant; without a name any object, without a namespace in the whole cluster."""

    verb: str
    resource: str
    name: str = ""
    namespace: str = ""


def here(verb: str, resource: str, name: str = "") -> Permission:
    return Permission(verb, resource, name, KUBE_SYSTEM)


# What icplan does by each permission: the table that the files, and the server, are held to.

Read = GetObject | ListObjects
Write = Callable[[ApiClient], ObjectWrite]
"""A write to what the admin sees."""

PLAN_READS: Mapping[Permission, Read] = {
    Permission("list", "nodes"): ListObjects(nodes("az1")),
    Permission("list", "subnets.kubeovn.io"): ListObjects(subnets("az1")),
    Permission("list", "servicecidrs.networking.k8s.io"): ListObjects(
        service_cidrs("az1"), optional=True
    ),
    here("get", "configmaps", "ovn-ic-config"): GetObject(CONFIG),
    here("get", "deployments.apps", "kube-ovn-controller"): GetObject(
        DEPLOYMENTS["kube-ovn-controller"]
    ),
    here("get", "deployments.apps", "ovn-ic-controller"): GetObject(
        DEPLOYMENTS["ovn-ic-controller"]
    ),
    here("get", "deployments.apps", "ovn-ic-server"): GetObject(SERVER),
    here("list", "pods"): ListObjects(pods("az1", KUBE_SYSTEM)),
    here("get", "leases.coordination.k8s.io", "icplan"): GetObject(LEASE),
}
APPLY_READS: Mapping[Permission, Read] = {
    # A write looks at the object once more before it is sent.
    Permission("get", "subnets.kubeovn.io"): GetObject(SUBNET),
}
EXEC = {"GET": here("get", "pods/exec"), "POST": here("create", "pods/exec")}


def creating(resource: Resource, body: dict[str, Any]) -> Write:
    def write(api: ApiClient) -> ObjectWrite:
        api.delete(object_path(resource))
        return CreateObject(resource, body)

    return write


def deleting(resource: Resource) -> Write:
    return lambda api: DeleteObject(resource, uid(api, resource))


def setting(resource: Resource, key: str) -> Write:
    mark = FieldChange(("metadata", "annotations", "icplan/owner"), None, "prod")
    changes = (FieldChange(("spec", key), None, True), mark)
    return lambda api: PatchFields(resource, uid(api, resource), changes)


def setting_switches(api: ApiClient) -> ObjectWrite:
    """As the kind itself writes it."""
    spec = read_file(FILE.encode(), "interconnect.yaml")
    found = (api.get(object_path(SERVER)),)
    view = View(spec, decode(Snapshot("2026-06-01T12:00:00+00:00", {}, {GetObject(SERVER): found})))
    number = {SWITCH_NUMBER: Known("1")}, {SWITCH_NUMBER: Known("2")}
    change = Change(count_address(), Action.ADOPT, Reason.UNMARKED, *number, None)
    (step,) = switch_count.KIND.steps(change, view)
    assert isinstance(step.operation, PatchFields)
    return step.operation


def renewing_lease(api: ApiClient) -> ObjectWrite:
    change = FieldChange(("spec", "holderIdentity"), "them", "us")
    return PatchFields(LEASE, uid(api, LEASE), (change,))


def replacing_config(api: ApiClient) -> ObjectWrite:
    return ReplaceData(CONFIG, uid(api, CONFIG), (), {"az-name": "az1", "gw-nodes": "n1"})


PING_NAMESPACE = "default"
# Of verify --ping: one that exists is pinged from, another one is made and removed again.
PING = {
    Permission(verb, resource, "", PING_NAMESPACE)
    for resource, verbs in (
        ("pods", ("get", "list", "create", "delete")),
        ("pods/exec", ("get", "create")),
    )
    for verb in verbs
}
WRITES: Mapping[Permission, Write] = {
    here("create", "configmaps"): creating(CONFIG, {"data": {"az-name": "az2"}}),
    here("update", "configmaps", "ovn-ic-config"): replacing_config,
    here("delete", "configmaps", "ovn-ic-config"): deleting(CONFIG),
    Permission("patch", "subnets.kubeovn.io"): setting(SUBNET, "disableInterConnection"),
    here("patch", "deployments.apps", "ovn-ic-server"): setting_switches,
    here("create", "deployments.apps"): creating(
        SERVER, dict(manifest("prod", "kube-ovn:v1", ("10.0.0.1",), "1"))
    ),
    here("delete", "deployments.apps", "ovn-ic-server"): deleting(SERVER),
    here("create", "leases.coordination.k8s.io"): creating(
        LEASE, {"spec": {"holderIdentity": "us"}}
    ),
    here("patch", "leases.coordination.k8s.io", "icplan"): renewing_lease,
    here("delete", "leases.coordination.k8s.io", "icplan"): deleting(LEASE),
}
PLAN = {*PLAN_READS}
APPLY = PLAN | PING | {*APPLY_READS, *WRITES, *EXEC.values()}
NEEDED = {"icplan-plan": PLAN, "icplan-apply": APPLY}
# What everybody who is known may ask about himself, and change nothing by.
SELF_REVIEWS = {
    Permission("create", "selfsubjectaccessreviews.authorization.k8s.io"),
    Permission("create", "selfsubjectrulesreviews.authorization.k8s.io"),
    Permission("create", "selfsubjectreviews.authentication.k8s.io"),
}


def shown(permission: Permission) -> str:
    """As `kubectl auth can-i` has it: "get configmaps/ovn-ic-config"."""
    return f"{permission.verb} {permission.resource}" + f"/{permission.name}" * bool(
        permission.name
    )


each_read = pytest.mark.parametrize("permission", [*PLAN_READS, *APPLY_READS], ids=shown)
each_write = pytest.mark.parametrize("permission", WRITES, ids=shown)


# The files


def granted(account: str) -> set[Permission]:
    """What the files let a ServiceAccount do."""
    found = documents()
    roles = {(one["kind"], one["metadata"]["name"]): one for one in found}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": KUBE_SYSTEM}
    bindings = [one for one in found if one["kind"].endswith("Binding")]
    assert all(len(one["subjects"]) == 1 for one in bindings)
    permissions: set[Permission] = set()
    for one in bindings:
        if one["subjects"] == [subject]:
            rules = roles[one["roleRef"]["kind"], one["roleRef"]["name"]]["rules"]
            permissions |= expanded(rules, one["metadata"].get("namespace", ""))
    return permissions


def expanded(rules: list[dict[str, list[str]]], namespace: str = "") -> set[Permission]:
    found: set[Permission] = set()
    for rule in rules:
        assert rule.keys() <= {"apiGroups", "resources", "resourceNames", "verbs"}
        parts = (rule["verbs"], rule["resources"], rule["apiGroups"])
        for verb, resource, group in product(*parts):
            full = f"{resource}.{group}" if group else resource
            for name in rule.get("resourceNames") or [""]:
                found.add(Permission(verb, full, name, namespace))
    return found


@pytest.mark.parametrize("account", NEEDED)
def test_the_files_grant_what_is_needed_and_nothing_else(account: str) -> None:
    assert granted(account) == NEEDED[account]


def test_the_files_bring_two_accounts_and_their_roles_only() -> None:
    kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    assert {one["kind"] for one in documents()} == kinds
    accounts = [one for one in documents() if one["kind"] == "ServiceAccount"]
    assert {one["metadata"]["name"] for one in accounts} == {*NEEDED}
    namespaces = {one["metadata"].get("namespace", KUBE_SYSTEM) for one in documents()}
    assert namespaces == {KUBE_SYSTEM, PING_NAMESPACE}


# Those whom they bind


@dataclass(frozen=True, slots=True)
class User:
    """Somebody: for icplan's client, and for raw calls."""

    objects: Objects
    api: ApiClient


@pytest.fixture(scope="module")
def users(
    zone: KubernetesZone, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, User]]:
    """The ServiceAccounts of the files, by their own tokens, and one who has no role."""
    cluster, api = zone.cluster, zone.cluster.api
    made = [(path_of(one), one) for one in documents()]
    for path, one in made:
        api.create(path, one)
    folder = tmp_path_factory.mktemp("accounts")
    files = {name: token_file(cluster, folder / name, of) for name, of in ACCOUNTS.items()}
    files["stranger"] = cluster.kubeconfig("stranger")
    found = {
        name: User(Objects(access(file)), ApiClient.from_kubeconfig(file))
        for name, file in files.items()
    }
    for name, account in ACCOUNTS.items():
        wait_until(partial(in_force, found[name], account), f"the roles of {account} are in force")
    yield found
    for user in found.values():
        user.objects.close()
    for path, one in reversed(made):
        api.delete(f"{path}/{one['metadata']['name']}")


def permitted(user: User, namespace: str = KUBE_SYSTEM) -> set[Permission]:
    """What the server says that a user may do in a namespace, with what it may everywhere."""
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview"}
    path = f"{AUTHORIZATION}/selfsubjectrulesreviews"
    status = user.api.create(path, body | {"spec": {"namespace": namespace}})["status"]
    assert not status["incomplete"]
    assert {verb for rule in status["nonResourceRules"] for verb in rule["verbs"]} == {"get"}
    return expanded(status["resourceRules"])


def in_force(user: User, account: str) -> bool:
    return all(
        {one._replace(namespace="") for one in granted(account) if one.namespace in {"", namespace}}
        <= permitted(user, namespace)
        for namespace in (KUBE_SYSTEM, PING_NAMESPACE)
    )


def test_the_accounts_themselves_are_asked(users: dict[str, User]) -> None:
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    for name, account in ACCOUNTS.items():
        answer = users[name].api.create("/apis/authentication.k8s.io/v1/selfsubjectreviews", review)
        found = answer["status"]["userInfo"]["username"]
        assert found == f"system:serviceaccount:{KUBE_SYSTEM}:{account}"


@pytest.mark.parametrize("name", ACCOUNTS)
def test_the_server_grants_what_is_needed_and_nothing_else(
    users: dict[str, User], name: str
) -> None:
    needed = NEEDED[ACCOUNTS[name]]
    for namespace in (KUBE_SYSTEM, PING_NAMESPACE, "kube-public"):
        local = {one for one in needed if one.namespace in {"", namespace}}
        there = {one._replace(namespace="") for one in local}
        assert permitted(users[name], namespace) == SELF_REVIEWS | there


def test_no_rule_lets_the_planner_change_or_run_anything(users: dict[str, User]) -> None:
    rules = permitted(users["planner"]) - SELF_REVIEWS
    assert {one.verb for one in rules} <= {"get", "list", "watch"}
    # `get` on a subresource may be more than reading: pods/exec, nodes/proxy.
    assert not [one for one in rules if "/" in one.resource or "*" in one.resource]


def test_the_stranger_has_no_rule(users: dict[str, User]) -> None:
    assert permitted(users["stranger"]) == SELF_REVIEWS


# Objects


@pytest.fixture
def _there(cluster: Cluster, api: ApiClient) -> Iterator[None]:
    """All that apply may change, so that a refusal is not for want of it."""
    config = {"metadata": {"name": CONFIG.name}, "data": {"az-name": "az1"}}
    api.create(collection_path(CONFIG.collection), config)
    lease = {"metadata": {"name": LEASE.name}, "spec": {"holderIdentity": "them"}}
    api.create(collection_path(LEASE.collection), lease)
    cluster.add_subnet(SUBNET.name, ["10.99.0.0/24"], ["10.99.0.1"])
    number = {SWITCH_NUMBER: "1"}
    cluster.add_workload(Workload(SERVER.name, "v1.17.0", environment=number, replicas=0))
    yield
    for one in (CONFIG, LEASE, SUBNET, SERVER):
        if api.get_if_exists(object_path(one)) is not None:
            api.delete(object_path(one))


def uid(api: ApiClient, resource: Resource) -> str:
    return str(api.get(object_path(resource))["metadata"]["uid"])


def seen(api: ApiClient) -> list[Any]:
    """What a write would change."""
    found = [api.get_if_exists(object_path(one)) or {} for one in (CONFIG, LEASE, SUBNET, SERVER)]
    # Not the version: the Deployment's status is written meanwhile.
    metadata = [one.get("metadata", {}) for one in found]
    mine = [(one.get("uid"), one.get("annotations")) for one in metadata]
    return [mine, [(one.get("data"), one.get("spec")) for one in found]]


def read(user: User, what: Read) -> object:
    if isinstance(what, GetObject):
        return user.objects.get(what)
    return user.objects.list(what)


def sent(user: User, wanted: Request) -> Answer:
    """The answer to a request alone, without the look at the object that comes before a write."""
    return user.objects.transport.send(wanted, Deadline.after(user.objects.seconds))


def alone(api: ApiClient, write: ObjectWrite) -> Request:
    return request(write, api.get_if_exists(object_path(write.resource)) or {})


@pytest.mark.usefixtures("_there")
@each_read
@pytest.mark.parametrize("name", ["planner", "applier", "stranger"])
def test_reading(users: dict[str, User], name: str, permission: Permission) -> None:
    what = {**PLAN_READS, **APPLY_READS}[permission]
    if permission in NEEDED.get(ACCOUNTS.get(name, ""), ()):
        assert read(users[name], what)
    else:
        with pytest.raises(NotPermitted):
            read(users[name], what)


@pytest.mark.usefixtures("_there")
@each_write
def test_the_applier_writes(users: dict[str, User], api: ApiClient, permission: Permission) -> None:
    write = WRITES[permission](api)
    before = seen(api)
    users["applier"].objects.write(write)
    assert seen(api) != before


@pytest.mark.usefixtures("_there")
@each_write
@pytest.mark.parametrize("name", ["planner", "stranger"])
def test_others_do_not_write(
    users: dict[str, User], api: ApiClient, name: str, permission: Permission
) -> None:
    write = WRITES[permission](api)
    before = seen(api)
    answer = sent(users[name], alone(api, write))
    assert (answer.status, answer.reason) == (403, "Forbidden")
    resource = permission.resource.partition(".")[0]
    assert f'cannot {permission.verb} resource "{resource}"' in answer.message
    with pytest.raises(NotPermitted, match="not permitted"):
        users[name].objects.write(write)
    assert seen(api) == before


@pytest.mark.usefixtures("_there")
def test_objects_of_other_names_are_not_meant(users: dict[str, User], api: ApiClient) -> None:
    central = DEPLOYMENTS["ovn-central"]
    other = config_maps("az1", KUBE_SYSTEM)["kube-root-ca"]
    for name in ACCOUNTS:
        for one in (central, other, LEASES["kube-scheduler"]):
            with pytest.raises(NotPermitted):
                users[name].objects.get(GetObject(one))
    write = PatchFields(central, uid(api, central), (FieldChange(("spec", "paused"), None, True),))
    refused = [
        alone(api, write),
        Request("PUT", object_path(other), {"data": {}}),
        Request("DELETE", object_path(other), None),
        Request("DELETE", object_path(LEASES["kube-scheduler"]), None),
        Request("DELETE", object_path(SUBNET), None),
        Request("DELETE", collection_path(CONFIG.collection), None),
        Request("POST", collection_path(config_maps("az1", "default")), {"metadata": {}}),
    ]
    for wanted in refused:
        assert sent(users["applier"], wanted).status == 403


# Commands in pods


@pytest.mark.parametrize("method", EXEC)
def test_only_the_applier_may_exec(users: dict[str, User], api: ApiClient, method: str) -> None:
    (leader,) = api.list(PODS, labels="ovn-nb-leader=true")
    path = f"{PODS}/{leader['metadata']['name']}/exec?command=true&stdout=true"
    answers = {name: sent(user, Request(method, path, None)) for name, user in users.items()}
    # The server asks for permission first, and then for the upgrade that this request lacks.
    assert {name: one.status for name, one in answers.items()} == {
        "planner": 403,
        "applier": 400,
        "stranger": 403,
    }
    assert "pgrade" in answers["applier"].message
    assert f'cannot {EXEC[method].verb} resource "pods/exec"' in answers["planner"].message


def test_only_the_applier_reads_databases_by_exec(users: dict[str, User]) -> None:
    reasons = {"planner": 'resource "pods/exec"', "stranger": 'cannot list resource "pods"'}
    for name, user in users.items():
        tunnel = Tunnel.to_leader(user.objects, NORTHBOUND)
        with closing(Client(AZ1, [tunnel])) as client:
            query = [Query(AZ1, "NB_Global", ("name", "options"))]
            if name in reasons:
                with pytest.raises(DatabaseForbidden, match=reasons[name]):
                    client.read(query)
            else:
                assert client.read(query)["NB_Global"]


# Pods to ping from


def wanted(subnet: str = "ovn-default") -> Wanted:
    return Wanted(subnet, ("10.16.0.0/16",))


def test_the_applier_makes_a_pod_to_ping_from_and_removes_it(
    users: dict[str, User], cluster: Cluster, api: ApiClient
) -> None:
    pods = ProbePods(users["applier"].objects, PING_NAMESPACE, "image", 60.0)
    path = f"/api/v1/namespaces/{PING_NAMESPACE}/pods"
    with scheduled(cluster, api, path):
        prober = pods.take(wanted(), lambda: False)
        assert prober.place.startswith(f"pod {PING_NAMESPACE}/{PREFIX}")
        assert prober.run(("true",), 20.0, lambda: False).code == 0
        (made,) = api.list(path)
    assert made["metadata"]["labels"].items() >= LABELS.items()
    assert made["metadata"]["annotations"]["ovn.kubernetes.io/logical_switch"] == "ovn-default"
    assert made["spec"]["restartPolicy"] == "Never"
    assert made["spec"]["activeDeadlineSeconds"] == 600
    assert pods.close() == ()
    wait_until(lambda: not api.list(path), "the pod is gone")


@contextmanager
def scheduled(cluster: Cluster, api: ApiClient, path: str) -> Iterator[None]:
    """New pods are put on a node, as a scheduler would."""
    (node, *_) = api.list("/api/v1/nodes")
    target = {"apiVersion": "v1", "kind": "Node", "name": node["metadata"]["name"]}
    over = threading.Event()

    def schedule() -> None:
        while not over.wait(0.1):
            for one in cluster.api.list(path):
                if "nodeName" not in one["spec"]:
                    name = one["metadata"]["name"]
                    body = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name}}
                    cluster.api.create(f"{path}/{name}/binding", body | {"target": target})

    thread = threading.Thread(target=schedule)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("name", ["planner", "stranger"])
def test_without_the_role_a_ping_says_so_in_one_line(
    users: dict[str, User], api: ApiClient, name: str
) -> None:
    pods = ProbePods(users[name].objects, PING_NAMESPACE, "image", 5.0)
    with pytest.raises(ProbeFailed) as raised:
        pods.take(wanted(), lambda: False)
    assert "\n" not in str(raised.value)
    assert raised.value.thing == "pods of namespace default of az1"
    assert 'cannot list resource "pods"' in raised.value.cause
    assert raised.value.cure == "let this user have the role icplan-ping of examples/rbac there"
    assert pods.close() == ()
    assert not api.list(f"/api/v1/namespaces/{PING_NAMESPACE}/pods")


def test_in_another_namespace_nobody_may_ping(users: dict[str, User]) -> None:
    pods = ProbePods(users["applier"].objects, "kube-public", "image", 5.0)
    with pytest.raises(ProbeFailed, match="icplan-ping"):
        pods.take(wanted(), lambda: False)


def test_a_namespace_that_takes_no_such_pod_is_not_a_matter_of_roles(
    objects: Objects, api: ApiClient
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create("/api/v1/namespaces", {"metadata": {"name": "strict", "labels": labels}})
    try:
        pods = ProbePods(objects, "strict", "image", 5.0)
        with pytest.raises(ProbeFailed) as raised:
            pods.take(wanted(), lambda: False)
        assert "violates PodSecurity" in raised.value.cause
        assert raised.value.cure == "name another namespace with --probe-namespace"
        assert pods.close() == ()
    finally:
        api.delete("/api/v1/namespaces/strict")
