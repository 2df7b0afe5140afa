"""Locks on real servers: one run at a time, the dead are found out, and nobody else is harmed."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from icplan.backends.databases import Databases
from icplan.backends.failures import DatabaseUnreadable, Stale
from icplan.backends.ovsdb import LOCK
from icplan.core.io import IC_NORTHBOUND
from icplan.errors import Exit
from icplan.lab import StandaloneDatabases
from icplan.ovn import interconnect, northbound
from icplan.ovn.facts import decode
from icplan.run.lock import BEAT, KEY, RECEIPT, Holder, Locked, LockLost, Locks, holders, release
from icplan.run.lock import holder as holder_module
from icplan.run.lock import locks as locks_module
from icplan.run.lock.holder import LONGEST_TTL_SECONDS
from icplan.run.observe import read
from tests.backends.misbehaving import Fate, Proxy
from tests.ovsdb import AZ1, AZ2, ROUTES, SHARED, Eyes, endpoint, eventually, new_route

pytestmark = pytest.mark.real

SITES = ("az2", "ic", "az1")
TTL = 1.5
FOREIGN = {"foreign": "1", "icplan-lock-of-another-kind": "2"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holder_module, "TTL_SECONDS", TTL)
    monkeypatch.setattr(locks_module, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(locks_module, "LOOK_SECONDS", 0.05)


@dataclass(frozen=True)
class World:
    """Real databases, and eyes on their global rows by site."""

    addresses: dict[str, str]
    eyes: dict[str, Eyes]

    def databases(self, seconds: float = 20.0, **instead: str) -> Databases:
        """icplan's clients; other addresses by site."""
        where = self.addresses | instead
        return Databases(
            {
                SHARED: [endpoint(where["ic"])],
                AZ1: [endpoint(where["az1"])],
                AZ2: [endpoint(where["az2"])],
            },
            seconds,
        )

    def keys(self, site: str) -> dict[str, str]:
        """The external_ids of a site's global row."""
        return self.eyes[site].keys(_table(site))

    def lock(self, site: str) -> Holder | None:
        """Who holds a site's lock."""
        value = self.keys(site).get(KEY)
        return None if value is None else Holder.read(value)

    def set(self, site: str, key: str, value: str | None) -> None:
        """One of those external_ids."""
        self.eyes[site].set_key(_table(site), key, value)


def _table(site: str) -> str:
    return "IC_NB_Global" if site == "ic" else "NB_Global"


@pytest.fixture
def fresh(real: StandaloneDatabases) -> Iterator[World]:
    """The IC northbound database has no global row yet."""
    addresses = {
        "ic": real.ic.northbound.unix,
        "az1": real.zones["az1"].northbound.unix,
        "az2": real.zones["az2"].northbound.unix,
    }
    eyes = {
        site: Eyes(address, IC_NORTHBOUND) if site == "ic" else Eyes(address)
        for site, address in addresses.items()
    }
    yield World(addresses, eyes)
    for one in eyes.values():
        one.close()


@pytest.fixture
def world(fresh: World) -> World:
    """Somebody has used all databases and left keys of his own."""
    fresh.eyes["ic"].insert("IC_NB_Global")
    for site in SITES:
        for key, value in FOREIGN.items():
            fresh.set(site, key, value)
    return fresh


def test_a_lock_lies_in_every_database_and_leaves_no_trace(world: World) -> None:
    with world.databases() as databases:
        with Locks(databases, SITES, "apply prod") as locks:
            for site in SITES:
                assert world.lock(site) == locks.holder
                assert world.keys(site).items() >= FOREIGN.items()
            assert locks.holder.purpose == "apply prod"
            assert re.search(r".+@.+ \(process \d+\)", locks.holder.holder)
        for site in SITES:
            assert world.keys(site) == FOREIGN


def test_the_receipts_of_a_run_go_with_its_locks(world: World) -> None:
    world.eyes["az1"].insert("Logical_Router", name="router")
    with world.databases() as databases:
        with Locks(databases, SITES, "apply prod") as locks:
            for prefix in ("10.1.0.0/24", "10.2.0.0/24"):
                databases.client(AZ1).write(new_route(prefix), locks.receipt(AZ1))
            assert world.keys("az1")[RECEIPT] == f"{locks.holder.nonce}-2"
        assert world.keys("az1") == FOREIGN
        assert len(world.eyes["az1"].rows(ROUTES)) == 2


def test_a_lock_makes_the_first_row_of_a_fresh_database(fresh: World) -> None:
    with world_locked(fresh) as locks:
        assert fresh.lock("ic") == locks.holder
    assert fresh.keys("ic") == {}


@contextmanager
def world_locked(world: World, *sites: str) -> Iterator[Locks]:
    with world.databases() as databases, Locks(databases, sites or SITES, "apply prod") as locks:
        yield locks


def test_the_second_of_two_runs_is_told_who_is_at_work(world: World) -> None:
    with world_locked(world) as first, world.databases() as databases:
        start = time.monotonic()
        with pytest.raises(Locked) as caught, Locks(databases, SITES, "apply prod"):
            pytest.fail("both runs have the lock")
        assert time.monotonic() - start < 10
        error = caught.value
        assert error.exit is Exit.LOCKED
        assert error.holder == first.holder
        assert first.holder.holder in error.cause
        assert f"icplan unlock {first.holder.nonce}" in error.cure
        for site in SITES:
            assert world.lock(site) == first.holder
        first.receipt(SHARED)


def test_a_run_that_is_stopped_by_a_zones_lock_gives_the_others_back(world: World) -> None:
    with world_locked(world, "az2") as first, world.databases() as databases:
        with pytest.raises(Locked, match="lock of the northbound database of az2"):
            Locks(databases, SITES, "apply prod").__enter__()
        assert world.keys("ic") == FOREIGN
        assert world.keys("az1") == FOREIGN
        assert world.lock("az2") == first.holder


def test_runs_that_start_at_the_same_moment_never_share(fresh: World) -> None:
    inside: list[str] = []
    outcomes: list[str] = []
    start = threading.Barrier(4)

    def run() -> None:
        with fresh.databases() as databases:
            start.wait()
            try:
                with Locks(databases, SITES, "apply prod") as locks:
                    inside.append(locks.holder.nonce)
                    # Until all others have given up.
                    eventually(lambda: len(outcomes) == 3, "the others are locked out")
                    outcomes.append("done")
            except Locked:
                outcomes.append("locked")

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(inside) == 1
    assert sorted(outcomes) == ["done", "locked", "locked", "locked"]
    assert fresh.keys("ic") == {}


def test_a_plan_sees_who_holds_the_locks(world: World) -> None:
    shared = [query for query in interconnect.queries() if query.database == SHARED]
    wanted = [*shared, *northbound.queries("az1"), *northbound.queries("az2")]
    with world_locked(world, "ic", "az1") as locks, world.databases() as databases:
        seen = holders(decode(read(databases, wanted)))
    assert seen == {"ic": locks.holder, "az1": locks.holder}


# The dead

_HOLDER = """
import sys
from icplan.run.lock import Locks, holder, locks
from icplan.backends.databases import Databases
from tests.ovsdb import AZ1, AZ2, SHARED, endpoint
holder.TTL_SECONDS, locks.BEAT_SECONDS = {ttl}, 0.1
servers = {{db: [endpoint(one)] for db, one in zip((SHARED, AZ1, AZ2), sys.argv[1:])}}
with Databases(servers) as databases, Locks(databases, ("ic", "az1", "az2"), "apply dead"):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(world: World, ttl: float = TTL) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds all locks."""
    addresses = [world.addresses[site] for site in ("ic", "az1", "az2")]
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER.format(ttl=ttl), *addresses],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def test_the_locks_of_a_killed_process_are_taken_over_after_one_watch(world: World) -> None:
    notes: list[str] = []
    with another_process(world) as process, world.databases() as databases:
        dead = world.lock("ic")
        assert dead is not None
        process.kill()
        process.wait()
        start = time.monotonic()
        with Locks(databases, SITES, "apply prod", notes.append) as locks:
            taken = time.monotonic() - start
            for site in SITES:
                assert world.lock(site) == locks.holder
        assert TTL <= taken < 3 * TTL
        for site in SITES:
            assert world.keys(site) == FOREIGN
    assert len(notes) == 2
    assert notes[0].startswith(f"the lock of the IC northbound database is held by {dead.holder}")
    assert notes[1] == f"took the locks over from {dead.holder}, which is dead"


def test_a_living_process_is_not_taken_for_dead(world: World) -> None:
    with another_process(world, ttl=0.5), world.databases() as databases:
        holder = world.lock("ic")
        with pytest.raises(Locked) as caught:
            Locks(databases, SITES, "apply prod").__enter__()
        assert caught.value.holder == holder


def test_a_clock_that_is_wrong_kills_nobody(world: World) -> None:
    """Only the time since the observer's first look counts, whatever the value is."""
    holder = Holder("old@somewhere (process 1)", "apply prod", 1.0, "0badcafe")
    world.set("ic", KEY, holder.value)
    world.set("ic", BEAT, "1")
    stop = threading.Event()

    def beat() -> None:
        for number in range(2, 1000):
            if stop.wait(0.3):
                return
            world.set("ic", BEAT, str(number))

    thread = threading.Thread(target=beat)
    thread.start()
    with world.databases() as databases, pytest.raises(Locked):
        Locks(databases, SITES, "apply prod").__enter__()
    stop.set()
    thread.join()


@pytest.mark.parametrize(
    "value",
    ["", "{", "null", "[]", "7", "{}", '{"holder":"x"}', "🔒" * 30]
    + [
        orjson.dumps({"holder": "x", "purpose": "y", "ttl": ttl, "nonce": "n"}).decode()
        for ttl in ("nan", "inf", -1, 0, 1e300, "soon", None)
    ],
)
def test_a_damaged_lock_holds_for_a_while_and_can_be_unlocked(world: World, value: str) -> None:
    world.set("az1", KEY, value)
    holder = Holder.read(value)
    assert 0 < holder.ttl <= LONGEST_TTL_SECONDS
    assert re.fullmatch(r"[0-9a-f]{8}", holder.nonce)
    with world.databases() as databases:
        assert release(databases, SITES, holder.nonce)[0] == {"az1": holder}
    assert world.keys("az1") == FOREIGN


def test_a_damaged_lock_is_taken_over_like_any_other(world: World) -> None:
    world.set("az1", KEY, "who was that?")
    with world_locked(world, "az1") as locks:
        assert world.lock("az1") == locks.holder


# Losing it


def test_a_removed_lock_stops_the_run_before_its_next_write(world: World) -> None:
    world.eyes["az1"].insert("Logical_Router", name="router")
    with world.databases() as databases, Locks(databases, SITES, "apply prod") as locks:
        receipt = locks.receipt(AZ1)
        world.set("az1", KEY, None)
        with pytest.raises(Stale) as caught:
            databases.client(AZ1).write(new_route("10.1.0.0/24"), receipt)
        assert caught.value.subject == LOCK

        def lost() -> bool:
            try:
                locks.receipt(SHARED)
            except LockLost:
                return True
            return False

        eventually(lost, "the loss is noticed by itself, and it stops all databases")
        assert world.eyes["az1"].rows(ROUTES) == []


def test_a_lock_that_was_taken_over_is_left_to_its_new_holder(world: World) -> None:
    notes: list[str] = []
    other = Holder("she@there (process 2)", "apply prod", 20.0, "feedbeef")
    with world.databases() as databases:
        with Locks(databases, SITES, "apply prod", notes.append):
            world.set("az1", KEY, other.value)
        assert world.lock("az1") == other
        assert world.keys("ic") == FOREIGN
    assert notes == [
        "the lock of the northbound database of az1 is not ours any more: "
        "somebody removed it or took it over"
    ]


def test_a_silent_database_does_not_let_the_other_locks_die(world: World) -> None:
    stuck, let_go = threading.Event(), threading.Event()

    def fate(number: int) -> Fate:
        if number > 1:
            stuck.set()
            let_go.wait(30)
        return Fate.PASS

    with (
        Proxy(world.addresses["az2"], fate) as proxy,
        world.databases(az2=proxy.address) as databases,
        Locks(databases, SITES, "apply prod"),
    ):
        assert stuck.wait(20)
        seen = world.keys("ic")[BEAT]
        eventually(lambda: int(world.keys("ic")[BEAT]) > int(seen) + 3, "the other locks live on")
        let_go.set()


def test_a_database_that_cannot_be_reached_is_said_so_and_nothing_stays_locked(
    world: World,
) -> None:
    with (
        world.databases(az2="unix:/nonexistent/nb.sock") as databases,
        pytest.raises(DatabaseUnreadable, match="northbound database of az2"),
    ):
        Locks(databases, SITES, "apply prod").__enter__()
    assert world.keys("ic") == FOREIGN
    assert world.keys("az1") == FOREIGN


# Lost answers


def test_a_lock_whose_answer_was_lost_is_ours(world: World) -> None:
    notes: list[str] = []
    with (
        Proxy(world.addresses["az1"], _first(Fate.LOSE_ANSWER)) as proxy,
        world.databases(az1=proxy.address) as databases,
        Locks(databases, ("az1",), "apply prod", notes.append) as locks,
    ):
        assert world.lock("az1") == locks.holder
    assert world.keys("az1") == FOREIGN
    assert notes == []


def test_a_release_whose_answer_was_lost_is_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks_module, "BEAT_SECONDS", 60.0)
    notes: list[str] = []

    def fate(number: int) -> Fate:
        return Fate.LOSE_ANSWER if number == 2 else Fate.PASS

    with (
        Proxy(world.addresses["az1"], fate) as proxy,
        world.databases(az1=proxy.address) as databases,
        Locks(databases, ("az1",), "apply prod", notes.append),
    ):
        pass
    assert world.keys("az1") == FOREIGN
    assert notes == []


def _first(fate: Fate) -> Callable[[int], Fate]:
    return lambda number: fate if number == 1 else Fate.PASS


# Unlocking by hand


def test_unlocking_removes_the_locks_of_one_nonce_everywhere(world: World) -> None:
    hung = Holder("he@there (process 3)", "apply prod", 20.0, "deadbeef")
    other = Holder("she@there (process 4)", "apply prod", 20.0, "feedbeef")
    for site, holder in (("ic", hung), ("az1", hung), ("az2", other)):
        world.set(site, KEY, holder.value)
        world.set(site, BEAT, "7")
        world.set(site, RECEIPT, f"{holder.nonce}-1")
    with world.databases() as databases:
        assert release(databases, SITES, "00000000")[0] == {}
        assert release(databases, SITES, hung.nonce)[0] == {"ic": hung, "az1": hung}
        assert release(databases, SITES, hung.nonce)[0] == {}
    assert world.keys("ic") == FOREIGN
    assert world.keys("az1") == FOREIGN
    assert world.lock("az2") == other


def test_unlocking_a_fresh_database_finds_nothing_and_makes_nothing(fresh: World) -> None:
    with fresh.databases() as databases:
        assert release(databases, SITES, "00000000")[0] == {}
    assert fresh.eyes["ic"].rows("IC_NB_Global") == []


def test_a_run_whose_lock_was_unlocked_stops(world: World) -> None:
    with world.databases() as databases, world_locked(world) as locks:
        assert set(release(databases, SITES, locks.holder.nonce)[0]) == set(SITES)
        assert world.lock("az1") is None


# Values


@given(
    holder=st.builds(
        Holder,
        holder=st.text(),
        purpose=st.text(),
        ttl=st.floats(0.001, LONGEST_TTL_SECONDS),
        nonce=st.text(),
    )
)
def test_what_a_lock_says_is_read_as_it_was_written(holder: Holder) -> None:
    assert Holder.read(holder.value) == holder


@given(value=st.text())
def test_any_value_is_somebodys_lock(value: str) -> None:
    assert 0 < Holder.read(value).ttl <= LONGEST_TTL_SECONDS
