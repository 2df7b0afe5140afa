"""Objects of a real API server: read, written while preconditions hold, refused when they don't."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from icplan.backends.deadline import Deadline
from icplan.backends.failures import WriteRefused
from icplan.backends.kubernetes.failures import ClusterUnreadable, NotPermitted, ObjectStale
from icplan.backends.kubernetes.objects import ATTEMPTS, Objects
from icplan.backends.kubernetes.requests import Request
from icplan.backends.kubernetes.transport import Answer, Transport
from icplan.core.kubernetes import (
    Collection,
    CreateObject,
    DeleteObject,
    Expected,
    FieldChange,
    GetObject,
    ListObjects,
    PatchFields,
    ReplaceData,
    Resource,
    at,
    deployments,
    nodes,
    pods,
    subnets,
)
from icplan.kinds.common.cycle import expected_data
from icplan.lab.kubernetes import ApiClient, Cluster, Workload
from icplan.lab.kubernetes.cluster import DEPLOYMENTS, SUBNETS
from tests.backends.kubernetes.conftest import CONFIG_PATH, Found, access

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

BEFORE = {"az-name": "az1", "gw-nodes": "n1"}
AFTER = {"az-name": "az1", "gw-nodes": "n1,n3"}
NO_ADVERTISE = subnets("az1")["no-advertise"]


def replacing(found: Found, **more: Mapping[str, str | None]) -> ReplaceData:
    return ReplaceData(found.resource, found.uid, (Expected(("data",), BEFORE),), AFTER, **more)


class Interrupted:
    """Does something between a write's reading and its writing, as often as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch = monkeypatch
        self.writes = 0

    def by(self, act: Callable[[], object], times: int = 1) -> None:
        send = Transport.send

        def sending(transport: Transport, request: Request, deadline: Deadline) -> Answer:
            if request.method != "GET":
                self.writes += 1
                if self.writes <= times:
                    act()
            return send(transport, request, deadline)

        self._patch.setattr(Transport, "send", sending)


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> Interrupted:
    return Interrupted(monkeypatch)


# Reading


def test_objects_are_read(objects: Objects) -> None:
    names = [at(one, ("metadata", "name")) for one in objects.list(ListObjects(nodes("az1")))]
    assert names == ["az1-gw1", "az1-gw2", "az1-w1"]
    leader = (("app", "ovn-central"), ("ovn-nb-leader", "true"))
    assert len(objects.list(ListObjects(pods("az1", "kube-system"), leader))) == 1
    assert objects.list(ListObjects(pods("az1", "kube-system"), (("app", "none"),))) == ()
    central = deployments("az1", "kube-system")["ovn-central"]
    assert at(objects.get(GetObject(central)), ("spec", "replicas")) == 1
    assert objects.get(GetObject(NO_ADVERTISE)) is None


def test_a_kind_that_is_not_served_is_not_an_absent_object(objects: Objects) -> None:
    unknown = Collection("az1", "kubeovn.io/v1", "Tunnel", "tunnels")
    for read in (
        lambda: objects.get(GetObject(unknown["one"])),
        lambda: objects.list(ListObjects(unknown)),
    ):
        with pytest.raises(ClusterUnreadable) as caught:
            read()
        assert caught.value.thing == "Tunnels of az1"
        assert caught.value.cause == "the API server has no tunnels in kubeovn.io/v1"


def test_who_may_not_read_is_not_permitted(cluster: Cluster) -> None:
    objects = Objects(access(cluster.kubeconfig("stranger")))
    with pytest.raises(NotPermitted) as caught:
        objects.list(ListObjects(subnets("az1")))
    assert caught.value.thing == "Subnets of az1"
    assert caught.value.cause == (
        'not permitted: User "stranger" cannot list resource "subnets" in API group "kubeovn.io" '
        "at the cluster scope"
    )
    assert cluster.server.address in caught.value.place


# Creating


def test_an_object_is_created(objects: Objects, absent: Resource, api: ApiClient) -> None:
    mark = {"annotations": {"icplan/owner": "prod"}}
    objects.write(CreateObject(absent, {"metadata": mark, "data": AFTER}))
    made = api.get(CONFIG_PATH)
    assert made["data"] == AFTER
    assert made["metadata"]["annotations"] == mark["annotations"]
    assert {one["manager"] for one in made["metadata"]["managedFields"]} == {"icplan"}


def test_an_object_that_is_there_is_not_created(objects: Objects, found: Found) -> None:
    with pytest.raises(ObjectStale) as caught:
        objects.write(CreateObject(found.resource, {"data": AFTER}))
    assert caught.value.thing == "ConfigMap kube-system/probe of az1"
    assert caught.value.cause == "the plan saw no such object, but one is there now"
    assert found.now()["data"] == BEFORE


def test_an_object_that_comes_meanwhile_is_not_overwritten(
    objects: Objects, absent: Resource, api: ApiClient, interrupted: Interrupted
) -> None:
    interrupted.by(lambda: Found(api, BEFORE))
    with pytest.raises(ObjectStale, match="no such object, but one"):
        objects.write(CreateObject(absent, {"data": AFTER}))
    assert api.get(CONFIG_PATH)["data"] == BEFORE


def test_a_namespace_that_is_not_there(objects: Objects, absent: Resource) -> None:
    nowhere = replace(absent.collection, namespace="nowhere")
    with pytest.raises(WriteRefused, match='namespaces "nowhere" not found'):
        objects.write(CreateObject(nowhere["probe"], {"data": AFTER}))


# Replacing


def test_data_is_replaced_whole_and_the_rest_kept(objects: Objects, found: Found) -> None:
    found.change({"metadata": {"labels": {"team": "net", "old": "1"}, "annotations": {"a": "b"}}})
    marks: dict[str, dict[str, str | None]]
    marks = {"annotations": {"icplan/owner": "prod"}, "labels": {"old": None}}
    objects.write(replace(replacing(found, **marks), data={"az-name": "az1"}))
    now = found.now()
    assert now["data"] == {"az-name": "az1"}
    assert now["metadata"]["labels"] == {"team": "net"}
    assert now["metadata"]["annotations"] == {"a": "b", "icplan/owner": "prod"}
    assert now["metadata"]["uid"] == found.uid


def test_a_config_map_without_data_is_written_and_deleted(
    objects: Objects, found: Found, api: ApiClient
) -> None:
    found.delete()
    uid = found.create({})
    # The server does not keep an empty one.
    assert "data" not in found.now()
    nothing = (expected_data({}),)
    objects.write(ReplaceData(found.resource, uid, nothing, AFTER))
    assert found.now()["data"] == AFTER
    with pytest.raises(ObjectStale, match="data"):
        objects.write(DeleteObject(found.resource, uid, nothing))
    found.change({"data": None})
    objects.write(DeleteObject(found.resource, uid, nothing))
    assert api.get_if_exists(CONFIG_PATH) is None


def test_foreign_fields_that_change_do_not_disturb(
    objects: Objects, found: Found, interrupted: Interrupted
) -> None:
    counter = iter(range(10))
    act = lambda: found.change({"metadata": {"annotations": {"beat": str(next(counter))}}})  # noqa: E731
    interrupted.by(act, times=ATTEMPTS - 1)
    objects.write(replacing(found))
    assert interrupted.writes == ATTEMPTS
    assert found.now()["data"] == AFTER
    assert found.now()["metadata"]["annotations"] == {"beat": str(ATTEMPTS - 2)}


def test_a_storm_is_given_up(objects: Objects, found: Found, interrupted: Interrupted) -> None:
    counter = iter(range(10))
    act = lambda: found.change({"metadata": {"annotations": {"beat": str(next(counter))}}})  # noqa: E731
    interrupted.by(act, times=100)
    with pytest.raises(WriteRefused, match="under our hands 5 times in a row") as caught:
        objects.write(replacing(found))
    assert not isinstance(caught.value, ObjectStale)
    assert interrupted.writes == ATTEMPTS
    assert found.now()["data"] == BEFORE


def test_an_owned_field_that_changed_is_named(
    objects: Objects, found: Found, interrupted: Interrupted
) -> None:
    interrupted.by(lambda: found.change({"data": {"gw-nodes": "n2"}}))
    with pytest.raises(ObjectStale) as caught:
        objects.write(replacing(found))
    error = caught.value
    assert error.thing == "data.gw-nodes of ConfigMap kube-system/probe of az1"
    assert error.cause == 'the plan saw "n1", but "n2" is there now'
    assert (error.path, error.expected, error.found) == (("data", "gw-nodes"), "n1", "n2")
    assert found.now()["data"]["gw-nodes"] == "n2"


def test_a_key_that_came_is_named(objects: Objects, found: Found) -> None:
    found.change({"data": {"extra": "x"}})
    with pytest.raises(ObjectStale, match='the plan saw nothing, but "x" is there now') as caught:
        objects.write(replacing(found))
    assert caught.value.path == ("data", "extra")


def test_an_object_that_was_made_anew_is_another(
    objects: Objects, found: Found, interrupted: Interrupted
) -> None:
    def again() -> None:
        found.delete()
        found.create(BEFORE)

    interrupted.by(again)
    with pytest.raises(ObjectStale) as caught:
        objects.write(replacing(found))
    assert caught.value.path == ("metadata", "uid")
    assert found.now()["data"] == BEFORE


def test_an_object_that_is_gone_is_not_made(
    objects: Objects, found: Found, interrupted: Interrupted, api: ApiClient
) -> None:
    interrupted.by(found.delete)
    with pytest.raises(ObjectStale, match="the plan saw one, but no such object is there now"):
        objects.write(replacing(found))
    assert api.get_if_exists(CONFIG_PATH) is None


def test_what_the_server_does_not_take_is_refused_in_its_words(
    objects: Objects, found: Found
) -> None:
    with pytest.raises(WriteRefused, match="a valid config key must consist of"):
        objects.write(replace(replacing(found), data={"no key": "x"}))
    assert found.now()["data"] == BEFORE


# Fields of somebody else's object


@pytest.fixture
def subnet(cluster: Cluster, api: ApiClient) -> Iterator[dict[str, Any]]:
    cluster.add_subnet("no-advertise", ["10.99.0.0/24"], ["10.99.0.1"])
    yield api.get(f"{SUBNETS}/no-advertise")
    cluster.remove_subnet("no-advertise")


DISABLE = ("spec", "disableInterConnection")
OWNER = ("metadata", "annotations", "icplan/owner")


def withholding(subnet: dict[str, Any]) -> PatchFields:
    changes = (FieldChange(DISABLE, None, True), FieldChange(OWNER, None, "prod"))
    return PatchFields(NO_ADVERTISE, subnet["metadata"]["uid"], changes)


def test_fields_are_set_and_taken_back(
    objects: Objects, subnet: dict[str, Any], api: ApiClient
) -> None:
    write = withholding(subnet)
    objects.write(write)
    now = api.get(f"{SUBNETS}/no-advertise")
    assert now["spec"] == {**subnet["spec"], "disableInterConnection": True}
    assert now["metadata"]["annotations"] == {"icplan/owner": "prod"}
    back = tuple(FieldChange(one.path, one.after, one.before) for one in write.changes)
    objects.write(replace(write, changes=back))
    now = api.get(f"{SUBNETS}/no-advertise")
    assert now["spec"] == subnet["spec"]
    assert "icplan/owner" not in now["metadata"].get("annotations", {})


def test_status_that_changes_does_not_disturb(
    objects: Objects, subnet: dict[str, Any], api: ApiClient, interrupted: Interrupted
) -> None:
    path = f"{SUBNETS}/no-advertise"
    interrupted.by(lambda: api.patch(f"{path}/status", {"status": {"v4usingIPs": 7}}))
    objects.write(withholding(subnet))
    assert interrupted.writes == 1
    now = api.get(path)
    assert now["status"] == {"v4usingIPs": 7}
    assert now["spec"]["disableInterConnection"] is True


def test_annotations_that_come_meanwhile_are_kept(
    objects: Objects, subnet: dict[str, Any], api: ApiClient, interrupted: Interrupted
) -> None:
    path = f"{SUBNETS}/no-advertise"
    interrupted.by(lambda: api.patch(path, {"metadata": {"annotations": {"theirs": "1"}}}))
    objects.write(withholding(subnet))
    assert interrupted.writes == 2
    assert api.get(path)["metadata"]["annotations"] == {"theirs": "1", "icplan/owner": "prod"}


@pytest.mark.parametrize("theirs", [True, False])
def test_a_field_that_somebody_set_meanwhile_is_named(
    objects: Objects,
    subnet: dict[str, Any],
    api: ApiClient,
    interrupted: Interrupted,
    theirs: bool,
) -> None:
    path = f"{SUBNETS}/no-advertise"
    interrupted.by(lambda: api.patch(path, {"spec": {"disableInterConnection": theirs}}))
    with pytest.raises(ObjectStale) as caught:
        objects.write(withholding(subnet))
    assert caught.value.thing == "spec.disableInterConnection of Subnet no-advertise of az1"
    assert caught.value.cause == f"the plan saw nothing, but {str(theirs).lower()} is there now"
    assert "annotations" not in api.get(path)["metadata"]


# Members of lists


SERVER = deployments("az1", "kube-system")["ovn-ic-server"]
SERVER_PATH = f"{DEPLOYMENTS}/ovn-ic-server"
ENVIRONMENT = ("spec", "template", "spec", "containers", "0", "env")


@pytest.fixture
def deployment(cluster: Cluster, api: ApiClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """A Deployment with some variables; its uid."""
    variables = getattr(request, "param", {"POD_IP": "10.0.0.1", "TS_NUM": "1", "SSL": "false"})
    cluster.add_workload(Workload(SERVER.name, "v1.17.0", environment=variables, replicas=0))
    yield str(api.get(SERVER_PATH)["metadata"]["uid"])
    api.delete(SERVER_PATH)


def environment(api: ApiClient) -> list[tuple[str, str]]:
    (container,) = api.get(SERVER_PATH)["spec"]["template"]["spec"]["containers"]
    return [(one["name"], one["value"]) for one in container.get("env", ())]


def adding(uid: str, place: int) -> PatchFields:
    new = FieldChange((*ENVIRONMENT, str(place)), None, {"name": "TS_NUM", "value": "2"})
    return PatchFields(SERVER, uid, (new,))


def test_a_member_is_changed_where_it_stands(
    objects: Objects, deployment: str, api: ApiClient
) -> None:
    name = FieldChange((*ENVIRONMENT, "1", "name"), "TS_NUM", "TS_NUM")
    value = FieldChange((*ENVIRONMENT, "1", "value"), "1", "2")
    objects.write(PatchFields(SERVER, deployment, (name, value)))
    assert environment(api) == [("POD_IP", "10.0.0.1"), ("TS_NUM", "2"), ("SSL", "false")]


def test_a_member_that_moved_is_not_changed(
    objects: Objects, deployment: str, api: ApiClient, interrupted: Interrupted
) -> None:
    first = f"/{'/'.join(ENVIRONMENT)}/0"
    interrupted.by(lambda: api.patch(SERVER_PATH, [{"op": "remove", "path": first}]))
    name = FieldChange((*ENVIRONMENT, "1", "name"), "TS_NUM", "TS_NUM")
    value = FieldChange((*ENVIRONMENT, "1", "value"), "1", "2")
    with pytest.raises(ObjectStale) as caught:
        objects.write(PatchFields(SERVER, deployment, (name, value)))
    assert caught.value.thing == (
        "spec.template.spec.containers[0].env[1].name of Deployment kube-system/ovn-ic-server of "
        "az1"
    )
    assert environment(api) == [("TS_NUM", "1"), ("SSL", "false")]


def test_a_member_is_replaced_and_not_pushed_aside(
    objects: Objects, deployment: str, api: ApiClient
) -> None:
    before, after = {"name": "TS_NUM", "value": "1"}, {"name": "TS_NUM", "value": "2"}
    change = FieldChange((*ENVIRONMENT, "1"), before, after)
    objects.write(PatchFields(SERVER, deployment, (change,)))
    assert environment(api) == [("POD_IP", "10.0.0.1"), ("TS_NUM", "2"), ("SSL", "false")]


@pytest.mark.parametrize("deployment", [{"POD_IP": "10.0.0.1"}], indirect=True)
def test_a_member_is_added_behind_the_last_one(
    objects: Objects, deployment: str, api: ApiClient, interrupted: Interrupted
) -> None:
    interrupted.by(lambda: api.patch(SERVER_PATH, {"metadata": {"labels": {"theirs": "1"}}}))
    objects.write(adding(deployment, 1))
    # A list has no test for what is not there: any change makes it look again.
    assert interrupted.writes == 2
    assert environment(api) == [("POD_IP", "10.0.0.1"), ("TS_NUM", "2")]


@pytest.mark.parametrize("deployment", [{"POD_IP": "10.0.0.1"}], indirect=True)
def test_a_member_that_came_meanwhile_is_not_pushed_aside(
    objects: Objects, deployment: str, api: ApiClient, interrupted: Interrupted
) -> None:
    theirs = {"op": "add", "path": f"/{'/'.join(ENVIRONMENT)}/-", "value": {"name": "THEIRS"}}
    interrupted.by(lambda: api.patch(SERVER_PATH, [theirs]))
    with pytest.raises(ObjectStale) as caught:
        objects.write(adding(deployment, 1))
    assert caught.value.thing.startswith("spec.template.spec.containers[0].env[1] of")
    assert len(api.get(SERVER_PATH)["spec"]["template"]["spec"]["containers"][0]["env"]) == 2


@pytest.mark.parametrize("deployment", [{}], indirect=True)
def test_a_list_that_is_not_there_is_made(
    objects: Objects, deployment: str, api: ApiClient
) -> None:
    new = FieldChange(ENVIRONMENT, None, [{"name": "TS_NUM", "value": "2"}])
    objects.write(PatchFields(SERVER, deployment, (new,)))
    assert environment(api) == [("TS_NUM", "2")]


# Deleting


def test_an_object_is_deleted(objects: Objects, found: Found, api: ApiClient) -> None:
    objects.write(DeleteObject(found.resource, found.uid, (Expected(("data",), BEFORE),)))
    assert api.get_if_exists(CONFIG_PATH) is None


def test_an_object_that_changed_is_not_deleted(
    objects: Objects, found: Found, interrupted: Interrupted
) -> None:
    interrupted.by(lambda: found.change({"data": {"gw-nodes": "n2"}}))
    with pytest.raises(ObjectStale, match=r"data\.gw-nodes"):
        objects.write(DeleteObject(found.resource, found.uid, (Expected(("data",), BEFORE),)))
    assert found.now()["data"]["gw-nodes"] == "n2"


def test_an_object_that_was_made_anew_is_not_deleted(
    objects: Objects, found: Found, interrupted: Interrupted
) -> None:
    def again() -> None:
        found.delete()
        found.create(BEFORE)

    interrupted.by(again)
    with pytest.raises(ObjectStale, match=r"metadata\.uid"):
        objects.write(DeleteObject(found.resource, found.uid))
    assert found.now()["data"] == BEFORE
