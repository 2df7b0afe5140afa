"""Whatever answers at an address, or does not: one kind of error, in time, in plain words."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from icplan.backends.databases import Databases
from icplan.backends.failures import DatabaseUnreadable
from icplan.backends.ovsdb import Client
from icplan.backends.streams import Endpoint
from icplan.core.io import NORTHBOUND, Query, Unreadable
from icplan.lab import StandaloneDatabases
from icplan.lab.ports import reserve_port
from icplan.ovn.northbound import queries
from icplan.run.observe import read
from icplan.spec.model import Remote
from tests.backends.misbehaving import Handler, Peer, Server, answering, full_backlog
from tests.ovsdb import AZ1, SHARED, Eyes, endpoint, standalone

SECONDS = 1.0
GENEROUS = 15.0
GARBAGE = "answers, but not as an OVSDB server does"

NAME = [Query(AZ1, "NB_Global", ("name",))]
_SCHEMA = {"name": NORTHBOUND, "tables": {"NB_Global": {"columns": {"name": {"type": "string"}}}}}
_INTRODUCED = {"list_dbs": [NORTHBOUND], "get_schema": _SCHEMA}


def failing(*endpoints: Endpoint, seconds: float = SECONDS) -> str:
    """The cause for which reading fails; both faces of it are looked at."""
    start = time.monotonic()
    client = Client(AZ1, endpoints, seconds)
    with pytest.raises(DatabaseUnreadable) as caught:
        client.read(NAME)
    assert time.monotonic() - start < GENEROUS
    error = caught.value
    assert error.thing == "northbound database of az1"
    for one in endpoints:
        assert str(one) in error.cause
        assert str(one) in error.place
    assert "Error" not in str(error)
    with Databases({AZ1: endpoints}, seconds) as databases:
        unreadable = read(databases, NAME).databases[AZ1]
    assert isinstance(unreadable, Unreadable)
    assert unreadable.cure == error.cure
    return unreadable.cause


def silent(peer: Peer) -> None:
    while peer.socket.recv(1 << 16):
        pass


def closing(peer: Peer) -> None:
    peer.receive()


def slamming(_: Peer) -> None:
    return


def resetting(peer: Peer) -> None:
    peer.receive()
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def saying(data: bytes) -> Handler:
    def handle(peer: Peer) -> None:
        peer.receive()
        peer.socket.sendall(data)
        silent(peer)

    return handle


def half(peer: Peer) -> None:
    number = peer.receive()["id"]
    peer.socket.sendall(b'{"id":%d,"result":["OVN_North' % number)


def trickling(peer: Peer) -> None:
    number = peer.receive()["id"]
    peer.socket.sendall(b'{"id":%d,"result":["' % number)
    while True:
        peer.socket.sendall(b"a")


HOSTILE: Mapping[str, tuple[Handler, str]] = {
    "is silent": (silent, "is connected, but gave no whole answer within 1 s"),
    "closes": (closing, "closed the connection instead of answering"),
    "resets": (resetting, "broke the connection: connection reset by peer"),
    "speaks HTTP": (saying(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), GARBAGE),
    "sends noise": (saying(bytes(range(256)) * 16), GARBAGE),
    "closes in the middle": (half, "closed the connection in the middle of an answer"),
    "trickles": (trickling, "is connected, but gave no whole answer within 1 s"),
    "lists no databases": (answering({"list_dbs": {}}), GARBAGE),
    "has another database": (
        answering({"list_dbs": ["OVN_Southbound"]}),
        "has no database OVN_Northbound (it has: OVN_Southbound)",
    ),
    "has no schema": (answering({"list_dbs": [NORTHBOUND], "get_schema": ["?"]}), GARBAGE),
    "names no model": (answering({"list_dbs": [NORTHBOUND, "_Server"], "transact": []}), GARBAGE),
    "gives a number": (answering({**_INTRODUCED, "transact": 7}), GARBAGE),
    "gives no rows": (answering({**_INTRODUCED, "transact": []}), GARBAGE),
    "gives other rows": (answering({**_INTRODUCED, "transact": [{"rows": [{"x": 1}]}]}), GARBAGE),
    "gives rows of text": (answering({**_INTRODUCED, "transact": [{"rows": ["x"]}]}), GARBAGE),
    "gives strange uuids": (
        answering({**_INTRODUCED, "transact": [{"rows": [{"_uuid": ["uuid"], "name": ""}]}]}),
        GARBAGE,
    ),
    "refuses": (
        answering(
            {**_INTRODUCED, "transact": [{"error": "permission error", "details": "read not"}]}
        ),
        "refused to be read: permission error: read not",
    ),
}


@pytest.mark.parametrize(("handler", "cause"), HOSTILE.values(), ids=list(HOSTILE))
def test_a_server_that(handler: Handler, cause: str) -> None:
    with Server(handler) as server:
        assert failing(endpoint(server.address)) == f"{server.address} {cause}"


def test_a_server_that_closes_at_once() -> None:
    # It depends on the moment what of it the system tells.
    with Server(slamming) as server:
        assert failing(endpoint(server.address)).removeprefix(f"{server.address} ") in {
            "closed the connection instead of answering",
            "broke the connection: connection reset by peer",
            "broke the connection: broken pipe",
        }


def test_an_address_that_nobody_listens_on() -> None:
    with reserve_port() as port:
        address = f"tcp:127.0.0.1:{port.number}"
        expected = f"{address} cannot be connected: connection refused"
        assert failing(endpoint(address)) == expected


def test_an_address_that_lets_nobody_in() -> None:
    with full_backlog() as address:
        cause = failing(endpoint(address))
        assert cause == f"{address} did not accept a connection within 1 s"


def test_a_host_that_has_no_address() -> None:
    # A name that can be none needs nobody to be asked.
    odd = Endpoint(Remote("tcp", f"{'x' * 64}.example", 6641))
    assert "cannot be connected: " in failing(odd)


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / 'nb.sock'}"
    expected = f"{address} cannot be connected: no such file or directory"
    assert failing(endpoint(address)) == expected


def test_a_socket_with_too_long_a_path(tmp_path: Path) -> None:
    address = f"unix:{tmp_path / ('x' * 120)}"
    assert failing(endpoint(address)) == f"{address} cannot be connected: af_unix path too long"


def test_a_socket_that_nobody_listens_on() -> None:
    with tempfile.TemporaryDirectory(prefix="icb-") as parent:
        path = Path(parent) / "nb.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as left:
            left.bind(str(path))
        address = f"unix:{path}"
        assert failing(endpoint(address)) == f"{address} cannot be connected: connection refused"


def test_several_servers_are_all_named() -> None:
    with Server(silent) as one, Server(closing) as two:
        cause = failing(endpoint(one.address), endpoint(two.address))
    assert f"{one.address} is connected, but gave no whole answer" in cause
    assert f"{two.address} closed the connection instead of answering" in cause


def test_servers_that_can_never_do_are_not_asked_again() -> None:
    no_database = answering({"list_dbs": []})
    with Server(no_database) as one, Server(no_database) as two:
        start = time.monotonic()
        client = Client(AZ1, [endpoint(one.address), endpoint(two.address)], 60.0)
        with pytest.raises(DatabaseUnreadable, match="has no database OVN_Northbound"):
            client.read(NAME)
        assert time.monotonic() - start < GENEROUS
        assert (one.connections, two.connections) == (1, 1)


@pytest.fixture
def named(databases: StandaloneDatabases) -> Iterator[StandaloneDatabases]:
    """az1 with its name."""
    eyes = Eyes(databases.zones["az1"].northbound.unix)
    eyes.update("NB_Global", name="az1")
    yield databases
    eyes.close()


def _name(*endpoints: Endpoint, seconds: float = 20.0) -> object:
    client = Client(AZ1, endpoints, seconds)
    try:
        (row,) = client.read(NAME)["NB_Global"]
        return row["name"]
    finally:
        client.close()


@pytest.mark.real
def test_tcp_and_unix_lead_to_the_same_rows(named: StandaloneDatabases) -> None:
    remote = named.zones["az1"].northbound
    assert _name(endpoint(remote.network)) == "az1"
    assert _name(endpoint(remote.unix)) == "az1"


@pytest.mark.real
@pytest.mark.parametrize("handler", [silent, closing, saying(b"HTTP/1.1 400 Bad Request")])
def test_a_bad_server_does_not_hide_a_good_one(
    named: StandaloneDatabases, handler: Handler
) -> None:
    with Server(handler) as bad:
        good = endpoint(named.zones["az1"].northbound.network)
        assert _name(endpoint(bad.address), good, seconds=4.0) == "az1"


@pytest.mark.real
def test_the_database_of_another_kind_is_told_by_name(named: StandaloneDatabases) -> None:
    address = named.zones["az1"].southbound.network
    cause = failing(endpoint(address))
    assert cause == f"{address} has no database OVN_Northbound (it has: OVN_Southbound, _Server)"


@pytest.mark.real
def test_tables_and_columns_that_the_server_does_not_know_are_left_out(
    named: StandaloneDatabases,
) -> None:
    client = Client(AZ1, [endpoint(named.zones["az1"].northbound.unix)])
    tables = client.read(
        [
            Query(AZ1, "NB_Global", ("name", "of_tomorrow")),
            Query(AZ1, "Table_Of_Tomorrow", ("name",)),
            Query(AZ1, "NB_Global", ("name",), NAME[0].where),
        ]
    )
    client.close()
    (row,) = tables["NB_Global"]
    assert row["name"] == "az1"
    assert "of_tomorrow" not in row
    assert "Table_Of_Tomorrow" not in tables


@pytest.mark.real
def test_all_that_icplan_wants_of_an_empty_zone_is_read(named: StandaloneDatabases) -> None:
    client = Client(AZ1, [endpoint(named.zones["az1"].northbound.unix)])
    tables = client.read(queries("az1", ["ts"]))
    client.close()
    assert tables["Logical_Router"] == ()
    assert [row["name"] for row in tables["NB_Global"]] == ["az1"]


@pytest.mark.real
def test_a_server_that_was_restarted_is_found_again() -> None:
    with standalone() as databases:
        server = databases.zones["az1"].servers[0]
        client = Client(AZ1, [endpoint(server.remote.network)])
        assert client.read(NAME)
        server.daemon.stop()
        server.start()
        assert client.read(NAME)
        client.close()


@pytest.mark.real
def test_one_database_that_cannot_be_read_does_not_hide_the_others(
    named: StandaloneDatabases,
) -> None:
    with reserve_port() as port:
        missing = [endpoint(f"tcp:127.0.0.1:{port.number}")]
        good = [endpoint(named.zones["az1"].northbound.unix)]
        with Databases({AZ1: good, SHARED: missing}) as databases:
            snapshot = read(databases, [*NAME, Query(SHARED, "Transit_Switch", ("name",))])
    assert isinstance(snapshot.databases[SHARED], Unreadable)
    assert not isinstance(snapshot.databases[AZ1], Unreadable)
