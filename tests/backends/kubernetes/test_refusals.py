"""Whatever an API server answers, or does not: one clear error, in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from icplan.backends.failures import WriteRefused
from icplan.backends.kubernetes.failures import (
    ClusterUnreadable,
    NotPermitted,
    WriteUnknown,
)
from icplan.backends.kubernetes.objects import ATTEMPTS, Objects
from icplan.core.kubernetes import (
    CreateObject,
    DeleteObject,
    Expected,
    FieldChange,
    GetObject,
    PatchFields,
    ReplaceData,
)
from icplan.lab.certificates import Certificates
from icplan.lab.kubernetes import ApiClient, Cluster
from icplan.lab.ports import reserve_port
from tests.backends.kubernetes.conftest import CONFIG, CONFIG_PATH, Found, access
from tests.backends.kubernetes.hostile import (
    Hostile,
    Reply,
    forwarding,
    kubeconfig,
    one_after_the_other,
    serving,
    status,
)
from tests.backends.misbehaving import Peer, Server, full_backlog
from tests.backends.test_connecting import silent

SECONDS = 1.0
GENEROUS = 15.0
BEFORE, AFTER = {"gw-nodes": "n1"}, {"gw-nodes": "n1,n3"}


def failing(file: Path, seconds: float = SECONDS) -> ClusterUnreadable:
    """The error with which reading fails."""
    objects = Objects(access(file), seconds)
    start = time.monotonic()
    with pytest.raises(ClusterUnreadable) as caught:
        objects.get(GetObject(CONFIG))
    assert time.monotonic() - start < GENEROUS
    objects.close()
    error = caught.value
    assert error.thing == "ConfigMap kube-system/probe of az1"
    assert "context az1" in error.place
    for bad in ("\n", "Error", "urllib3", "object at 0x"):
        assert bad not in str(error)
    return error


def at_port(directory: Path, port: int, scheme: str = "http") -> Path:
    return kubeconfig(directory / "config", f"{scheme}://127.0.0.1:{port}", {"token": "t"})


HOSTILE: dict[str, tuple[Reply, str]] = {
    "unauthorized": (
        status(401, "Unauthorized", "Unauthorized"),
        "the API server does not accept our credentials (401)",
    ),
    "forbidden": (
        status(403, "Forbidden", 'configmaps "probe" is forbidden: User "u" cannot get it'),
        'not permitted: User "u" cannot get it',
    ),
    "busy for long": (
        status(429, "TooManyRequests", "too many", ("Retry-After", "60")),
        "the API server is too busy (429), and asks to wait 60 s",
    ),
    "broken": (
        status(500, "InternalError", "etcdserver: request timed out"),
        "the API server is in trouble (500): etcdserver: request timed out",
    ),
    "unavailable": (
        Reply(503, b"no endpoints\n"),
        "the API server is in trouble (503): no endpoints",
    ),
    "a redirect": (
        Reply(302, b"", (("Location", "http://127.0.0.1:9/"),)),
        "the API server answers 302",
    ),
    "a web page": (Reply(200, b"<html>hello"), "what answers there is no Kubernetes API server"),
    "other JSON": (Reply(200, b"[1]"), "what answers there is no Kubernetes API server"),
    "silence": (Reply(hang=True), "the API server gave no whole answer within 1 s"),
    "a cut": (
        Reply(cut=True),
        "the API server broke the connection: remote end closed connection without response",
    ),
}


@pytest.mark.parametrize(("reply", "cause"), HOSTILE.values(), ids=list(HOSTILE))
def test_a_server_that_answers_with(reply: Reply, cause: str, tmp_path: Path) -> None:
    with serving(lambda _: reply) as server:
        error = failing(at_port(tmp_path, server.port))
        assert error.cause == cause
        assert isinstance(error, NotPermitted) == (reply.status == 403)
        assert f"http://127.0.0.1:{server.port}" in error.place
        assert f"kubectl --kubeconfig {tmp_path}/config --context az1 " in error.cure or (
            reply.status in {403, 429}
        )


def test_a_server_that_sends_a_byte_now_and_then(tmp_path: Path) -> None:
    def dripping(peer: Peer) -> None:
        sock = peer.socket
        sock.recv(1 << 16)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            sock.sendall(b" ")
            time.sleep(0.2)

    with Server(dripping) as server:
        file = at_port(tmp_path, int(server.address.rpartition(":")[2]))
        assert failing(file).cause == "the API server gave no whole answer within 1 s"


def greeting(peer: Peer) -> None:
    peer.socket.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    silent(peer)


def test_a_server_that_speaks_something_else(tmp_path: Path) -> None:
    with Server(greeting) as server:
        port = int(server.address.rpartition(":")[2])
        assert "broke the connection" in failing(at_port(tmp_path, port)).cause
        assert failing(at_port(tmp_path, port, "https")).cause == (
            "the API server does not speak TLS; is it http:?"
        )


def test_a_server_that_shakes_no_hands(tmp_path: Path) -> None:
    with Server(silent) as server:
        port = int(server.address.rpartition(":")[2])
        cause = failing(at_port(tmp_path, port, "https")).cause
        assert cause == "the API server gave no whole answer within 1 s"


def test_an_address_that_nobody_listens_on(tmp_path: Path) -> None:
    with reserve_port() as port:
        error = failing(at_port(tmp_path, port.number), 60.0)
    assert error.cause == "the API server cannot be connected: connection refused"


def test_an_address_that_lets_nobody_in(tmp_path: Path) -> None:
    with full_backlog() as address:
        cause = failing(at_port(tmp_path, int(address.rpartition(":")[2]))).cause
    assert cause == "the API server did not accept a connection within 1 s"


def test_a_name_that_has_no_address(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", f"https://{'x' * 64}.example", {})
    assert "cannot be connected" in failing(file).cause or "is no address" in failing(file).cause


def test_a_proxy_that_is_not_there(tmp_path: Path) -> None:
    with reserve_port() as port:
        proxy = f"http://user:secret@127.0.0.1:{port.number}"
        server = "https://10.255.0.1:6443"
        file = kubeconfig(tmp_path / "config", server, {}, **{"proxy-url": proxy})
        cause = failing(file).cause
    assert cause == (
        f"the API server cannot be reached through the proxy http://127.0.0.1:{port.number}: "
        "connection refused"
    )


# Trouble that passes


def test_a_busy_server_is_asked_again_when_it_wants(tmp_path: Path) -> None:
    busy = status(429, "TooManyRequests", "too many", ("Retry-After", "1"))
    good = Reply(200, b'{"metadata": {"name": "probe"}}')
    with serving(one_after_the_other([busy, good])) as server:
        start = time.monotonic()
        objects = Objects(access(at_port(tmp_path, server.port)))
        assert objects.get(GetObject(CONFIG)) == {"metadata": {"name": "probe"}}
        assert 1.0 <= time.monotonic() - start < GENEROUS
        assert len(server.asked) == 2


def test_trouble_that_passes_is_waited_out(tmp_path: Path) -> None:
    trouble = [status(500, "InternalError", "no"), Reply(cut=True), Reply(503)]
    good = Reply(200, b'{"metadata": {"name": "probe"}}')
    with serving(one_after_the_other([*trouble, good])) as server:
        objects = Objects(access(at_port(tmp_path, server.port)))
        assert objects.get(GetObject(CONFIG)) is not None
        assert len(server.asked) == 4


def test_trouble_that_stays_is_not_asked_for_ever(tmp_path: Path) -> None:
    with serving(lambda _: Reply(500)) as server:
        assert "(500)" in failing(at_port(tmp_path, server.port), 30.0).cause
        assert len(server.asked) == ATTEMPTS


# Writes whose answer is lost, at a real server

real = pytest.mark.real
group = pytest.mark.xdist_group("kubernetes")


def lost(do: Callable[[], Reply]) -> Reply:
    """It is done, and nobody hears of it."""
    do()
    return Reply(cut=True)


def writing(
    api: ApiClient,
    directory: Path,
    meddle: Callable[[int, Callable[[], Reply]], Reply],
    write: CreateObject | ReplaceData | PatchFields | DeleteObject,
    seconds: float = 10.0,
) -> Hostile:
    """A write through a server that meddles; what it was asked."""
    with serving(forwarding(api, meddle)) as server:
        objects = Objects(access(at_port(directory, server.port)), seconds)
        try:
            objects.write(write)
        finally:
            objects.close()
        return server


@pytest.fixture
def api(api: ApiClient) -> Iterator[ApiClient]:
    """What a test has made is removed."""
    yield api
    if api.get_if_exists(CONFIG_PATH) is not None:
        api.delete(CONFIG_PATH)


@pytest.fixture
def found(api: ApiClient) -> Found:
    return Found(api, BEFORE)


def writes_of(found: Found) -> dict[str, ReplaceData | PatchFields | DeleteObject]:
    expected = (Expected(("data",), BEFORE),)
    change = FieldChange(("data", "gw-nodes"), "n1", "n1,n3")
    return {
        "PUT": ReplaceData(found.resource, found.uid, expected, AFTER),
        "PATCH": PatchFields(found.resource, found.uid, (change,)),
        "DELETE": DeleteObject(found.resource, found.uid, expected),
    }


def state(api: ApiClient) -> object:
    there = api.get_if_exists(CONFIG_PATH)
    return there and there["data"]


@real
@group
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "reply", [Reply(cut=True), Reply(500), Reply(504)], ids=["cut", "500", "504"]
)
def test_a_write_that_was_done_is_not_repeated(
    api: ApiClient, found: Found, tmp_path: Path, method: str, reply: Reply
) -> None:
    def meddle(_: int, do: Callable[[], Reply]) -> Reply:
        assert do().status == 200
        return reply

    server = writing(api, tmp_path, meddle, writes_of(found)[method])
    assert server.methods() == ["GET", method, "GET"]
    assert state(api) == (None if method == "DELETE" else AFTER)


@real
@group
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "reply", [Reply(cut=True), Reply(429), Reply(503)], ids=["cut", "429", "503"]
)
def test_a_write_that_was_not_done_is_done_once(
    api: ApiClient, found: Found, tmp_path: Path, method: str, reply: Reply
) -> None:
    server = writing(
        api, tmp_path, lambda number, do: reply if number == 1 else do(), writes_of(found)[method]
    )
    assert server.methods() == ["GET", method, "GET", method]
    assert state(api) == (None if method == "DELETE" else AFTER)


@real
@group
@pytest.mark.parametrize("done", [True, False], ids=["done", "not done"])
def test_a_creation_whose_answer_is_lost(api: ApiClient, tmp_path: Path, done: bool) -> None:
    def meddle(number: int, do: Callable[[], Reply]) -> Reply:
        if number > 1:
            return do()
        return lost(do) if done else Reply(cut=True)

    server = writing(api, tmp_path, meddle, CreateObject(CONFIG, {"data": AFTER}))
    assert server.methods() == (["GET", "POST", "GET"] if done else ["GET", "POST"] * 2)
    assert state(api) == AFTER


@real
@group
def test_a_creation_by_somebody_else_is_not_taken_for_ours(api: ApiClient, tmp_path: Path) -> None:
    def meddle(_: int, __: Callable[[], Reply]) -> Reply:
        Found(api, AFTER)
        return Reply(cut=True)

    with pytest.raises(WriteUnknown, match="no such object, but one is there now"):
        writing(api, tmp_path, meddle, CreateObject(CONFIG, {"data": AFTER}))


@real
@group
def test_what_became_of_a_lost_write_may_stay_unknown(
    api: ApiClient, found: Found, tmp_path: Path
) -> None:
    def meddle(_: int, do: Callable[[], Reply]) -> Reply:
        do()
        found.change({"data": {"gw-nodes": "n9"}})
        return Reply(cut=True)

    with pytest.raises(WriteUnknown) as caught:
        writing(api, tmp_path, meddle, writes_of(found)["PUT"])
    assert "whether it was done is not known" in caught.value.cause
    assert state(api) == {"gw-nodes": "n9"}


@real
@group
def test_a_late_write_is_not_done_twice(api: ApiClient, found: Found, tmp_path: Path) -> None:
    late: list[Callable[[], Reply]] = []

    def meddle(number: int, do: Callable[[], Reply]) -> Reply:
        if number == 1:
            late.append(do)
            return Reply(cut=True)
        return do()

    writing(api, tmp_path, meddle, writes_of(found)["PUT"])
    found.change({"data": {"gw-nodes": "n9"}})
    assert late[0]().status == 409
    assert state(api) == {"gw-nodes": "n9"}


@real
@group
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_server_that_hangs_in_the_middle_of_a_write(
    api: ApiClient, found: Found, tmp_path: Path, method: str
) -> None:
    start = time.monotonic()
    with pytest.raises(WriteUnknown, match="gave no whole answer within 1 s"):
        writing(api, tmp_path, lambda *_: Reply(hang=True), writes_of(found)[method], 1.0)
    assert time.monotonic() - start < GENEROUS
    assert state(api) == BEFORE


@real
@group
@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (
            status(403, "Forbidden", "x is forbidden: not you"),
            NotPermitted,
            "not permitted: not you",
        ),
        (status(401, "Unauthorized", "Unauthorized"), ClusterUnreadable, "credentials"),
        (status(429, "", "", ("Retry-After", "60")), ClusterUnreadable, "asks to wait 60 s"),
        (Reply(429), ClusterUnreadable, "too busy"),
        (status(400, "BadRequest", "what?"), WriteRefused, "what"),
        (status(500, "InternalError", "webhook"), WriteUnknown, "webhook"),
    ],
)
def test_a_write_that_is_not_taken(
    api: ApiClient,
    found: Found,
    tmp_path: Path,
    reply: Reply,
    kind: type[Exception],
    words: str,
) -> None:
    with pytest.raises(kind, match=words) as caught:
        writing(api, tmp_path, lambda *_: reply, writes_of(found)["PUT"])
    assert type(caught.value) is kind
    assert state(api) == BEFORE


@real
@group
def test_a_refused_repetition_says_nothing_of_the_first_try(
    api: ApiClient, found: Found, tmp_path: Path
) -> None:
    late: list[Callable[[], Reply]] = []

    def meddle(number: int, do: Callable[[], Reply]) -> Reply:
        if number == 1:
            late.append(do)
            return Reply(cut=True)
        return status(400, "BadRequest", "what?")

    with pytest.raises(WriteUnknown, match="what"):
        writing(api, tmp_path, meddle, writes_of(found)["PUT"])
    # And so it is: it arrives.
    assert late[0]().status == 200
    assert state(api) == AFTER


# A real server that is in trouble


@real
@group
def test_a_frozen_server_is_told_in_time(cluster: Cluster, found: Found) -> None:
    objects = Objects(access(cluster.kubeconfig()), 2.0)
    cluster.server.freeze()
    try:
        cause = failing(cluster.kubeconfig(), 2.0).cause
        assert cause == "the API server gave no whole answer within 2 s"
        with pytest.raises(ClusterUnreadable) as caught:
            objects.write(writes_of(found)["PUT"])
        # It was only reading that failed.
        assert not isinstance(caught.value, WriteUnknown)
    finally:
        cluster.server.thaw()


@real
@group
def test_a_server_that_was_restarted_is_found_again(
    cluster: Cluster, found: Found, api: ApiClient
) -> None:
    objects = Objects(access(cluster.kubeconfig()))
    assert objects.get(GetObject(found.resource))
    cluster.server.stop()
    try:
        assert "connection refused" in failing(cluster.kubeconfig()).cause
    finally:
        cluster.server.start()
    objects.write(writes_of(found)["PUT"])
    assert state(api) == AFTER
    objects.close()


@real
@group
def test_who_may_read_but_not_write(cluster: Cluster, api: ApiClient, found: Found) -> None:
    group = "/apis/rbac.authorization.k8s.io/v1"
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "look"}
    subjects = [{"kind": "User", "name": "planner"}]
    api.create(f"{group}/clusterroles", {"metadata": {"name": "look"}, "rules": rules})
    binding = {"metadata": {"name": "look"}, "roleRef": reference, "subjects": subjects}
    api.create(f"{group}/clusterrolebindings", binding)
    objects = Objects(access(cluster.kubeconfig("planner")))
    try:
        for _ in range(50):
            try:
                objects.get(GetObject(found.resource))
                break
            except NotPermitted:
                time.sleep(0.1)
        with pytest.raises(NotPermitted, match='cannot update resource "configmaps"') as caught:
            objects.write(writes_of(found)["PUT"])
        assert caught.value.thing == "ConfigMap kube-system/probe of az1"
    finally:
        api.delete(f"{group}/clusterrolebindings/look")
        api.delete(f"{group}/clusterroles/look")


# TLS and certificates, at a real server


@real
@group
def test_a_server_whose_authority_we_do_not_trust(cluster: Cluster, tmp_path: Path) -> None:
    other = Certificates(tmp_path / "tls")
    other.create()
    ca = {"certificate-authority": str(other.ca)}
    file = kubeconfig(tmp_path / "config", cluster.server.address, {"token": "t"}, **ca)
    cause = failing(file).cause
    assert cause.startswith("the API server shows a certificate that we do not trust: ")


@real
@group
def test_a_certificate_lets_in_until_it_expires(cluster: Cluster) -> None:
    good = cluster.server.certificate_kubeconfig("operator", "system:masters")
    assert Objects(access(good)).get(GetObject(CONFIG)) is None
    old = cluster.server.certificate_kubeconfig("operator", "system:masters", -1)
    cause = failing(old).cause
    assert cause.startswith("the API server does not accept our credentials (401): ")
    assert "the client certificate expired on 20" in cause


@real
@group
def test_a_forged_token(cluster: Cluster, tmp_path: Path) -> None:
    skip = {"insecure-skip-tls-verify": True}
    file = kubeconfig(tmp_path / "config", cluster.server.address, {"token": "guessed"}, **skip)
    error = failing(file)
    assert error.cause == "the API server does not accept our credentials (401)"
    assert error.cure.endswith("auth whoami")
