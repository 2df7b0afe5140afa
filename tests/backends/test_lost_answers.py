"""Connections that break around a write: it is done once, or nobody claims to know."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from icplan.backends.failures import DatabaseUnreadable, Stale, WriteRefused, WriteUncertain
from icplan.backends.ovsdb import LOCK, Client, Receipt
from icplan.core.io import Field, Precondition, SetKeys, Transaction
from icplan.lab import StandaloneDatabases
from tests.backends.misbehaving import Fate, Proxy
from tests.ovsdb import AZ1, ROUTES, Eyes, endpoint, eventually, new_route, standalone

pytestmark = pytest.mark.real

KEY, VALUE, NUMBER = "lock", "mine", "receipt"


@pytest.fixture
def receipt(eyes: Eyes) -> Receipt:
    """Our lock lies in NB_Global, beside somebody else's key; a router waits for routes."""
    eyes.insert("Logical_Router", name="router")
    eyes.set_key("NB_Global", "foreign", "1")
    eyes.set_key("NB_Global", KEY, VALUE)
    uuid = eyes.row("NB_Global")["_uuid"][1]
    return Receipt("NB_Global", uuid, "external_ids", (KEY, VALUE), NUMBER, "abcd-1")


@contextmanager
def behind(
    databases: StandaloneDatabases, fate: Callable[[int], Fate], seconds: float = 20.0
) -> Iterator[tuple[Client, Proxy]]:
    with (
        Proxy(databases.zones["az1"].northbound.unix, fate) as proxy,
        closing(Client(AZ1, [endpoint(proxy.address)], seconds)) as client,
    ):
        yield client, proxy


def first(fate: Fate) -> Callable[[int], Fate]:
    return lambda number: fate if number == 1 else Fate.PASS


ROUTE = new_route("10.1.0.0/24")


def test_a_receipt_is_left_beside_foreign_keys(
    client: Client, eyes: Eyes, receipt: Receipt
) -> None:
    client.write(ROUTE, receipt)
    assert eyes.keys("NB_Global") == {"foreign": "1", KEY: VALUE, NUMBER: "abcd-1"}
    assert len(eyes.rows(ROUTES)) == 1


def test_a_write_whose_answer_is_lost_is_recognised_and_not_repeated(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    with behind(databases, first(Fate.LOSE_ANSWER)) as (client, proxy):
        client.write(ROUTE, receipt)
    assert len(eyes.rows(ROUTES)) == 1
    assert proxy.writes == 1


def test_a_write_that_never_arrived_is_repeated(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    with behind(databases, first(Fate.LOSE_REQUEST)) as (client, proxy):
        client.write(ROUTE, receipt)
    assert len(eyes.rows(ROUTES)) == 1
    assert proxy.writes == 2


def test_a_write_that_is_lost_many_times_is_done_once(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    fates = [*[Fate.LOSE_REQUEST] * 6, Fate.LOSE_ANSWER]
    with behind(databases, lambda number: fates[number - 1]) as (client, proxy):
        client.write(ROUTE, receipt)
    assert len(eyes.rows(ROUTES)) == 1
    assert proxy.writes == len(fates)


def test_a_write_that_arrives_after_its_repetition_is_not_done_again(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    with behind(databases, first(Fate.LATE)) as (client, proxy):
        client.write(ROUTE, receipt)
        proxy.let_go.set()
        eventually(lambda: bool(proxy.late_answers), "the late request is answered")
    assert proxy.late_answers[0]["result"][0]["error"] == "timed out"
    assert len(eyes.rows(ROUTES)) == 1


def test_a_lost_write_is_refused_when_meanwhile_somebody_did_the_same(
    databases: StandaloneDatabases, eyes: Eyes, client: Client, receipt: Receipt
) -> None:
    """With a receipt it is certain that it was not us."""

    def fate(number: int) -> Fate:
        if number == 1:
            client.write(ROUTE)
        return Fate.LOSE_REQUEST if number == 1 else Fate.PASS

    with behind(databases, fate) as (slow, _), pytest.raises(Stale, match=r"10\.1\.0\.0/24"):
        slow.write(ROUTE, receipt)
    assert len(eyes.rows(ROUTES)) == 1


def test_without_the_lock_nothing_is_written(client: Client, eyes: Eyes, receipt: Receipt) -> None:
    eyes.set_key("NB_Global", KEY, "somebody else's")
    with pytest.raises(Stale) as caught:
        client.write(ROUTE, receipt)
    assert caught.value.subject == LOCK
    assert eyes.rows(ROUTES) == []


def test_a_lock_that_goes_in_between_is_noticed_by_the_server(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    def fate(_: int) -> Fate:
        eyes.set_key("NB_Global", KEY, None)
        return Fate.PASS

    with behind(databases, fate) as (client, _), pytest.raises(Stale) as caught:
        client.write(ROUTE, receipt)
    assert caught.value.subject == LOCK
    assert eyes.rows(ROUTES) == []


@pytest.mark.parametrize("fate", [Fate.LOSE_ANSWER, Fate.LOSE_REQUEST])
def test_a_lost_write_and_a_lost_lock_leave_it_uncertain(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt, fate: Fate
) -> None:
    """Who took the lock over removed the receipt with it."""

    def take_over() -> None:
        eyes.update("NB_Global", external_ids=["map", [[KEY, "another"]]])

    with behind(databases, lambda _: fate) as (client, proxy):
        proxy.meanwhile = take_over
        with pytest.raises(WriteUncertain, match="whether it was done is not known"):
            client.write(ROUTE, receipt)
    assert proxy.writes == 1


# Without a receipt


def _key(value: str, expected: str | None) -> Transaction:
    given = Precondition("key", "NB_Global", (), ((Field("options", "x"), expected),))
    return Transaction(AZ1, (given,), (SetKeys("NB_Global", (), "options", {"x": value}),))


def test_a_lost_request_is_repeated_without_a_receipt_too(
    databases: StandaloneDatabases, eyes: Eyes
) -> None:
    with behind(databases, first(Fate.LOSE_REQUEST)) as (client, _):
        client.write(_key("1", None))
    assert eyes.keys("NB_Global", "options") == {"x": "1"}


def test_a_write_that_changes_nothing_that_it_expects_is_certain_in_the_end(
    databases: StandaloneDatabases, eyes: Eyes
) -> None:
    eyes.set_key("NB_Global", "x", "1", "options")
    with behind(databases, first(Fate.LOSE_ANSWER)) as (client, proxy):
        client.write(_key("1", "1"))
    assert proxy.writes == 2


def test_without_a_receipt_nobody_can_tell_who_changed_it(
    databases: StandaloneDatabases, eyes: Eyes
) -> None:
    with (
        behind(databases, first(Fate.LOSE_ANSWER)) as (client, _),
        pytest.raises(WriteUncertain, match="whether it was done is not known"),
    ):
        client.write(_key("1", None))
    assert eyes.keys("NB_Global", "options") == {"x": "1"}


def test_without_a_receipt_a_refused_repetition_says_nothing_of_the_first_try(
    databases: StandaloneDatabases, eyes: Eyes
) -> None:
    """Between what the repetition has compared and its arrival somebody does the same."""

    def fate(number: int) -> Fate:
        if number == 2:
            eyes.set_key("NB_Global", "x", "1", "options")
        return Fate.LOSE_REQUEST if number == 1 else Fate.PASS

    with (
        behind(databases, fate) as (client, proxy),
        pytest.raises(WriteUncertain, match="the plan saw nothing"),
    ):
        client.write(_key("1", None))
    assert proxy.writes == 2


# Servers that go away


def test_a_write_to_a_server_that_is_gone_is_certainly_not_done(
    databases: StandaloneDatabases, receipt: Receipt
) -> None:
    with behind(databases, lambda _: Fate.PASS, seconds=5.0) as (client, proxy):
        proxy.stop()
        with pytest.raises(DatabaseUnreadable) as caught:
            client.write(ROUTE, receipt)
    assert not isinstance(caught.value, WriteUncertain)


@pytest.mark.parametrize("fate", [Fate.LOSE_ANSWER, Fate.LOSE_REQUEST])
def test_a_write_to_a_server_that_goes_is_uncertain(
    databases: StandaloneDatabases, receipt: Receipt, fate: Fate
) -> None:
    with behind(databases, lambda _: fate, seconds=5.0) as (client, proxy):
        proxy.meanwhile = proxy.stop_listening
        start = time.monotonic()
        with pytest.raises(WriteUncertain) as caught:
            client.write(ROUTE, receipt)
        assert 4.9 < time.monotonic() - start < 60
    assert "connection refused" in caught.value.cause
    assert "icplan plan" in caught.value.cure


def test_a_single_server_that_comes_back_in_time_says_what_became_of_it() -> None:
    with standalone() as databases:
        zone = databases.zones["az1"]
        eyes = Eyes(zone.northbound.unix)
        eyes.insert("Logical_Router", name="router")
        eyes.set_key("NB_Global", KEY, VALUE)
        uuid = eyes.row("NB_Global")["_uuid"][1]
        eyes.close()
        receipt = Receipt("NB_Global", uuid, "external_ids", (KEY, VALUE), NUMBER, "abcd-1")
        server = zone.servers[0]
        back = threading.Thread(target=server.start)

        def restart() -> None:
            server.daemon.stop()
            back.start()

        with behind(databases, first(Fate.LOSE_ANSWER)) as (client, proxy):
            proxy.meanwhile = restart
            client.write(ROUTE, receipt)
            back.join()
        eyes = Eyes(zone.northbound.unix)
        assert len(eyes.rows(ROUTES)) == 1
        assert proxy.writes == 1
        eyes.close()


def test_an_answer_that_says_nothing_is_not_taken_for_success(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    with (
        behind(databases, lambda _: Fate.EMPTY_ANSWER, seconds=5.0) as (client, _),
        pytest.raises(WriteUncertain, match="not as an OVSDB server does"),
    ):
        client.write(ROUTE, receipt)
    assert eyes.rows(ROUTES) == []


def test_a_refusal_is_no_uncertainty(
    databases: StandaloneDatabases, eyes: Eyes, receipt: Receipt
) -> None:
    doubled = Transaction(AZ1, (), (*ROUTE.writes, ROUTE.writes[0]))
    with (
        behind(databases, first(Fate.LOSE_REQUEST)) as (client, _),
        pytest.raises(WriteRefused) as caught,
    ):
        client.write(doubled, receipt)
    assert not isinstance(caught.value, Stale)
    assert eyes.rows(ROUTES) == []
