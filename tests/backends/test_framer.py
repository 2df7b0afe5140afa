"""Messages come out of the stream whole, however it was cut."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Iterator

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.backends.jsonrpc import Framer, Json, Session
from icplan.backends.streams import SocketStream

# Strings that look like structure are the hard ones.
_TEXT = st.one_of(st.text(), st.text(alphabet='{}[]"\\:,né😀\n '))
_VALUE: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)
_OBJECTS = st.lists(st.dictionaries(_TEXT, _VALUE, max_size=4), max_size=6)
_BLANKS = st.sampled_from([b"", b" ", b"\n", b"\r\n\t"])


def _all(framer: Framer) -> Iterator[Json]:
    while (message := framer.take()) is not None:
        yield message


@given(objects=_OBJECTS, blank=_BLANKS, cuts=st.lists(st.integers(0, 2000)))
def test_objects_come_out_as_they_went_in_whatever_the_chunks(
    objects: list[Json], blank: bytes, cuts: list[int]
) -> None:
    data = b"".join(orjson.dumps(one) + blank for one in objects)
    framer, found = Framer(), []
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    for start, end in itertools.pairwise(places):
        framer.feed(data[start:end])
        found += list(_all(framer))
    assert found == objects
    assert len(framer) == 0


@given(objects=_OBJECTS)
def test_objects_come_out_as_they_went_in_byte_by_byte(objects: list[Json]) -> None:
    framer, found = Framer(), []
    for byte in b"".join(orjson.dumps(one) for one in objects):
        framer.feed(bytes([byte]))
        found += list(_all(framer))
    assert found == objects


@given(first=st.dictionaries(_TEXT, _VALUE, max_size=4), data=st.data())
def test_what_stands_before_a_torn_object_is_not_lost(
    first: dict[str, Json], data: st.DataObject
) -> None:
    torn = orjson.dumps({"torn": 'by } the "network"'})
    framer = Framer()
    framer.feed(orjson.dumps(first) + torn[: data.draw(st.integers(1, len(torn) - 1))])
    assert framer.cut() == first
    assert framer.cut() is None
    assert len(framer) > 0


@pytest.mark.parametrize(
    "garbage",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"[1,2]", b"}", b"null", b"\x00\xff", b'"text"}'],
)
def test_what_is_no_object_is_refused_at_once(garbage: bytes) -> None:
    framer = Framer()
    framer.feed(garbage)
    with pytest.raises(ConnectionFailed, match="not as an OVSDB server does"):
        framer.take()


@pytest.mark.parametrize(
    "garbage", [b"{]}", b'{"a" "b"}', b'{"a":\xff}', b"{" * 3000 + b"}" * 3000]
)
def test_what_only_looks_like_an_object_is_refused(garbage: bytes) -> None:
    framer = Framer()
    framer.feed(garbage)
    with pytest.raises(ConnectionFailed, match="not as an OVSDB server does"):
        framer.take()


def test_a_long_answer_in_small_pieces_is_not_scanned_again_and_again() -> None:
    def seconds(rows: int) -> float:
        data = orjson.dumps({"rows": [{"name": f"}}{number}"} for number in range(rows)]})
        framer = Framer()
        start = time.perf_counter()
        for place in range(0, len(data), 100):
            assert framer.take() is None
            framer.feed(data[place : place + 100])
        assert framer.take() is not None
        return time.perf_counter() - start

    small = min(seconds(4_000) for _ in range(3))
    large = min(seconds(40_000) for _ in range(3))
    assert large / small < 40, "ten times as much took more than forty times as long"


@pytest.fixture
def pair() -> Iterator[tuple[Session, socket.socket]]:
    """A session and its server's end."""
    near, far = socket.socketpair()
    yield Session(SocketStream(near)), far
    near.close()
    far.close()


def _answer(number: int, result: Json) -> bytes:
    return orjson.dumps({"id": number, "result": result, "error": None})


_ECHO = b'{"id":"echo","method":"echo","params":["}{"]}'


@pytest.mark.parametrize(
    "stream",
    [
        _ECHO + _answer(1, "x"),
        _answer(1, "x") + _ECHO,
        _ECHO + _ECHO + b"\n" + _answer(1, "x"),
        _answer(1, "x") + _ECHO[:20],
    ],
    ids=["before", "behind", "two before", "a torn one behind"],
)
def test_an_answer_is_found_among_echo_requests(
    pair: tuple[Session, socket.socket], stream: bytes
) -> None:
    session, server = pair
    server.sendall(stream)
    server.shutdown(socket.SHUT_WR)
    assert session.call("x", [], Deadline.after(10)) == "x"


def test_echo_requests_are_answered(pair: tuple[Session, socket.socket]) -> None:
    session, server = pair
    server.sendall(_ECHO + _answer(1, "x"))
    session.call("x", [], Deadline.after(10))
    framer = Framer()
    framer.feed(server.recv(1 << 16))
    assert [one["method"] for one in [framer.cut()] if isinstance(one, dict)] == ["x"]
    if not len(framer):
        framer.feed(server.recv(1 << 16))
    assert framer.cut() == {"id": "echo", "result": ["}{"], "error": None}


def test_notifications_are_passed_over(pair: tuple[Session, socket.socket]) -> None:
    session, server = pair
    server.sendall(b'{"id":null,"method":"update","params":[]}' + _answer(1, []))
    assert session.call("x", [], Deadline.after(10)) == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (_answer(2, []), "not as an OVSDB server does"),
        (b'{"id":1}', "not as an OVSDB server does"),
        (b'{"id":1,"result":null,"error":"unknown database"}', "refused the request: unknown"),
    ],
    ids=["another number", "neither result nor error", "an error"],
)
def test_an_answer_that_is_none_is_no_answer(
    pair: tuple[Session, socket.socket], answer: bytes, cause: str
) -> None:
    session, server = pair
    server.sendall(answer)
    with pytest.raises(ConnectionFailed, match=cause):
        session.call("x", [], Deadline.after(10))


def test_bytes_that_keep_coming_do_not_put_the_deadline_off() -> None:
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"more and more")
        with pytest.raises(ConnectionFailed, match="no whole answer within 0 s"):
            SocketStream(near).receive(Deadline.after(0))


def test_half_an_answer_is_waited_for_until_the_deadline(
    pair: tuple[Session, socket.socket],
) -> None:
    session, server = pair
    server.sendall(b'{"id":1,"result":"' + b"a" * 100_000)
    start = time.monotonic()
    with pytest.raises(ConnectionFailed, match=r"no whole answer within 0\.3 s"):
        session.call("x", [], Deadline.after(0.3))
    assert time.monotonic() - start < 10
