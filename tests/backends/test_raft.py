"""A cluster of three real servers: whoever leads is found, and a write is done exactly once."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from icplan.backends.failures import DatabaseUnreadable
from icplan.backends.ovsdb import MINORITY_SECONDS, Client, Receipt
from icplan.core.io import Insert, Precondition, Query, Transaction, equals
from icplan.errors import IcplanError
from icplan.lab import Lab, LabOptions
from icplan.lab.programs import run
from tests.ovsdb import SHARED, endpoint, eventually

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("raft")]

SWITCHES = [Query(SHARED, "Transit_Switch", ("name",))]
MEMBERS = (1, 2, 3)


@pytest.fixture(scope="module")
def started() -> Iterator[Lab]:
    with (
        tempfile.TemporaryDirectory(prefix="icb-") as parent,
        Lab(Path(parent) / "lab", LabOptions(zones=(), members=3)) as lab,
    ):
        yield lab


@pytest.fixture
def lab(started: Lab) -> Iterator[Lab]:
    """The cluster, with all of its members at the end."""
    yield started
    for member in MEMBERS:
        if not started.ic.servers[member - 1].daemon.running():
            started.ic.start_member(member)


def client(lab: Lab, *members: int, seconds: float = 40.0) -> Client:
    """A client that knows some members, or all."""
    addresses = lab.ic.northbound.network.split(",")
    known = [endpoint(addresses[member - 1]) for member in members or MEMBERS]
    return Client(SHARED, known, seconds)


def leader(lab: Lab) -> int:
    found = lab.ic.leader()
    assert found is not None
    return found


def switch(name: str) -> Transaction:
    none = Precondition(f"switch {name}", "Transit_Switch", (equals("name", name),), rows=0)
    return Transaction(SHARED, (none,), (Insert("Transit_Switch", {"name": name}, "switch"),))


def names(reader: Client) -> list[object]:
    return [row["name"] for row in reader.read(SWITCHES)["Transit_Switch"]]


def test_the_leader_is_used_wherever_it_stands_in_the_list(lab: Lab) -> None:
    first = leader(lab)
    followers = [member for member in MEMBERS if member != first]
    for order in ((first, *followers), (*followers, first)):
        with closing(client(lab, *order)) as one:
            one.write(switch(f"order-{order[0]}"))
            assert f"order-{order[0]}" in names(one)


def test_a_follower_alone_says_that_it_does_not_lead(lab: Lab) -> None:
    follower = next(member for member in MEMBERS if member != leader(lab))
    with closing(client(lab, follower)) as one:
        with pytest.raises(DatabaseUnreadable) as caught:
            one.read(SWITCHES)
        assert f"127.0.0.{follower}:" in caught.value.cause
        assert caught.value.cause.endswith("does not lead its cluster")


def test_a_client_leaves_a_member_that_does_not_lead_any_more(lab: Lab) -> None:
    with closing(client(lab)) as one:
        one.read(SWITCHES)
        first = leader(lab)
        server = lab.ic.servers[first - 1]
        # The lead is handed over, as before each snapshot, and the session lives on.
        run(
            [
                *("ovs-appctl", "-t", str(server.daemon.control)),
                *("cluster/failure-test", "transfer-leadership"),
            ],
            run_directory=server.directory,
            thing="handing over the lead",
        )
        eventually(lambda: lab.ic.leader() not in (None, first), "another member leads")
        one.write(switch("handed-over"))
        assert one._server.startswith(f"tcp:127.0.0.{leader(lab)}:")


def test_a_new_leader_is_found_by_the_same_client(lab: Lab) -> None:
    with closing(client(lab)) as one:
        one.write(switch("before"))
        first = leader(lab)
        lab.ic.kill_member(first)
        assert "before" in names(one)
        one.write(switch("after"))
        assert {"before", "after"} <= set(names(one))
        assert lab.ic.leader() not in (None, first)


def test_a_leader_that_hangs_is_left_for_the_new_one(lab: Lab) -> None:
    with closing(client(lab, seconds=9.0)) as one:
        one.read(SWITCHES)
        first = leader(lab)
        process = int(lab.ic.servers[first - 1].daemon.pidfile.read_text())
        os.kill(process, signal.SIGSTOP)
        try:
            one.write(switch("beside-a-hanging-member"))
            assert not one._server.startswith(f"tcp:127.0.0.{first}:")
        finally:
            os.kill(process, signal.SIGCONT)


def test_writes_around_a_killed_leader_are_done_exactly_once(lab: Lab) -> None:
    """Names are unique and nothing else is expected: a repetition would be refused."""
    with closing(client(lab)) as one:
        uuid = _lock(one)
        stop = threading.Event()
        written: list[str] = []
        failures: list[IcplanError] = []

        def write() -> None:
            while not stop.is_set():
                name = f"written-{len(written)}"
                held = ("lock", "mine")
                receipt = Receipt("IC_NB_Global", uuid, "external_ids", held, "receipt", name)
                insert = Insert("Transit_Switch", {"name": name}, "switch")
                try:
                    one.write(Transaction(SHARED, (), (insert,)), receipt)
                except IcplanError as error:
                    failures.append(error)
                    return
                written.append(name)

        thread = threading.Thread(target=write)
        thread.start()
        eventually(lambda: len(written) > 20, "some writes before")
        lab.ic.kill_member(leader(lab))
        at_the_kill = len(written)
        eventually(lambda: len(written) > at_the_kill + 20 or bool(failures), "some after", 60)
        stop.set()
        thread.join()
        assert failures == []
        assert sorted(written) == sorted(str(name) for name in names(one) if "written" in str(name))


def test_a_reader_does_not_wait_to_the_end_for_a_cluster_that_can_elect_nobody(lab: Lab) -> None:
    first = leader(lab)
    second = next(member for member in MEMBERS if member != first)
    lab.ic.kill_member(first)
    lab.ic.kill_member(second)
    with closing(client(lab, seconds=120.0)) as one:
        start = time.monotonic()
        with pytest.raises(DatabaseUnreadable):
            one.read(SWITCHES)
        # Long enough for a server that is just being started again.
        assert MINORITY_SECONDS <= time.monotonic() - start < 60


def test_a_reader_waits_for_a_member_that_is_started_again(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icplan.backends.ovsdb.MINORITY_SECONDS", 60.0)
    first = leader(lab)
    second = next(member for member in MEMBERS if member != first)
    with closing(client(lab)) as one:
        one.write(switch("before-the-restart"))
    lab.ic.kill_member(first)
    lab.ic.kill_member(second)
    with closing(client(lab, seconds=120.0)) as one:
        again = threading.Timer(1.0, lambda: lab.ic.start_member(first))
        again.start()
        assert "before-the-restart" in names(one)
        again.join()


def _lock(one: Client) -> str:
    row = Insert("IC_NB_Global", {"external_ids": {"lock": "mine"}}, "row")
    one.write(Transaction(SHARED, (), (row,)))
    (found,) = one.read([Query(SHARED, "IC_NB_Global", ("external_ids",))])["IC_NB_Global"]
    return str(found["_uuid"])


def test_without_a_quorum_the_cause_says_so_and_with_one_it_goes_on(lab: Lab) -> None:
    first = leader(lab)
    second = next(member for member in MEMBERS if member != first)
    with closing(client(lab)) as one:
        one.read(SWITCHES)
        lab.ic.kill_member(first)
        lab.ic.kill_member(second)
        with closing(client(lab, seconds=4.0)) as other:
            start = time.monotonic()
            with pytest.raises(DatabaseUnreadable) as caught:
                other.read(SWITCHES)
            assert time.monotonic() - start < 30
        assert "is cut off from its cluster (no quorum)" in caught.value.cause
        assert caught.value.cause.count("cannot be connected: connection refused") == 2
        lab.ic.start_member(first)
        one.write(switch("quorum-is-back"))
        assert "quorum-is-back" in names(one)
