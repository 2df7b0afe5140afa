"""Guarded writes on a real server: what holds is done whole, what does not is named."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from icplan.backends.failures import Stale, WriteRefused
from icplan.backends.ovsdb import ATTEMPTS, Client
from icplan.core.io import (
    Datum,
    Delete,
    Field,
    Insert,
    Link,
    NewRow,
    Precondition,
    Query,
    SetKeys,
    Transaction,
    Update,
    Write,
    equals,
    includes,
)
from icplan.lab import StandaloneDatabases
from tests.backends.misbehaving import Fate, Proxy
from tests.ovsdb import AZ1, ROUTES, Eyes, endpoint, new_route

pytestmark = pytest.mark.real

ALL = ()
ZONE = Precondition("zone name of az1", "NB_Global", ALL, ((Field("name"), ""),))


def writing(*writes: Write, given: tuple[Precondition, ...] = ()) -> Transaction:
    return Transaction(AZ1, given, writes)


def setting(key: str, value: str | None, expected: str | None = None) -> Transaction:
    """One key of NB_Global's options."""
    field = (Field("options", key), expected)
    given = Precondition("options of az1", "NB_Global", ALL, (field,))
    return writing(SetKeys("NB_Global", ALL, "options", {key: value}), given=(given,))


def read(client: Client, table: str, *columns: str) -> list[dict[str, Datum]]:
    rows = client.read([Query(AZ1, table, columns)])[table]
    return [{name: row[name] for name in columns} for row in rows]


# Each kind of write


def test_rows_are_inserted_and_linked_in_one_transaction(client: Client, eyes: Eyes) -> None:
    client.write(
        writing(
            Insert("Logical_Router", {"name": "router", "external_ids": {"icplan": "prod"}}, "r"),
            Insert(
                "Logical_Router_Port",
                {
                    "name": "az1-ts",
                    "mac": "02:00:00:00:00:01",
                    "networks": ("169.254.100.200/24", "fe80:a9fe:64::c8/112"),
                    "enabled": True,
                    "peer": None,
                },
                "p",
                {"gateway_chassis": (NewRow("g"),)},
            ),
            Insert("Gateway_Chassis", {"name": "g1", "chassis_name": "gw1", "priority": 100}, "g"),
            Link("Logical_Router", (equals("name", "router"),), "ports", add=(NewRow("p"),)),
        )
    )
    assert read(client, "Logical_Router", "name", "external_ids") == [
        {"name": "router", "external_ids": {"icplan": "prod"}}
    ]
    assert read(client, "Logical_Router_Port", "name", "mac", "networks", "enabled", "peer") == [
        {
            "name": "az1-ts",
            "mac": "02:00:00:00:00:01",
            "networks": ("169.254.100.200/24", "fe80:a9fe:64::c8/112"),
            "enabled": True,
            "peer": None,
        }
    ]
    port, chassis = eyes.row("Logical_Router_Port"), eyes.row("Gateway_Chassis")
    assert eyes.row("Logical_Router")["ports"] == port["_uuid"]
    assert port["gateway_chassis"] == chassis["_uuid"]
    assert chassis["priority"] == 100


def test_whole_columns_are_updated(client: Client, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="router", external_ids=["map", [["old", "1"]]])
    eyes.insert("Logical_Router", name="other")
    client.write(
        writing(
            Update(
                "Logical_Router",
                (equals("name", "router"),),
                {"external_ids": {"new": "2"}, "enabled": False},
            )
        )
    )
    found = {row["name"]: row for row in read(client, "Logical_Router", "name", "external_ids")}
    assert found["router"]["external_ids"] == {"new": "2"}
    assert found["other"]["external_ids"] == {}


def test_a_map_of_integers_is_written_and_read(client: Client) -> None:
    row: dict[str, Datum] = {
        "priority": 1,
        "direction": "to-lport",
        "match": "ip4",
        "bandwidth": {"rate": "9", "burst": "10"},
    }
    client.write(
        writing(
            Insert("QoS", row, "q"),
            Insert("Logical_Switch", {"name": "ls"}, "s", {"qos_rules": (NewRow("q"),)}),
        )
    )
    assert read(client, "QoS", "bandwidth") == [{"bandwidth": {"burst": "10", "rate": "9"}}]


def test_keys_are_set_changed_and_removed_and_foreign_ones_stay(client: Client, eyes: Eyes) -> None:
    for key in ("foreign", "changed", "removed"):
        eyes.set_key("NB_Global", key, "old", "options")
    keys = {"changed": "new", "removed": None, "added": '}{,"\\é', "never-there": None}
    client.write(writing(SetKeys("NB_Global", ALL, "options", keys)))
    assert eyes.keys("NB_Global", "options") == {
        "foreign": "old",
        "changed": "new",
        "added": '}{,"\\é',
    }


def test_references_are_taken_out_of_a_set(client: Client, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="router")
    client.write(new_route("10.1.0.0/24"))
    client.write(new_route("10.2.0.0/24"))
    doomed = next(row for row in eyes.rows(ROUTES) if row["ip_prefix"] == "10.1.0.0/24")
    client.write(
        writing(
            Link(
                "Logical_Router",
                (equals("name", "router"),),
                "static_routes",
                remove=(doomed["_uuid"][1],),
            )
        )
    )
    assert eyes.row(ROUTES)["ip_prefix"] == "10.2.0.0/24"
    assert eyes.row("Logical_Router")["static_routes"] == eyes.row(ROUTES)["_uuid"]


def test_only_the_rows_that_are_meant_are_deleted(client: Client, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="ours", external_ids=["map", [["icplan", "prod"]]])
    eyes.insert("Logical_Router", name="theirs", external_ids=["map", [["icplan", "test"]]])
    client.write(writing(Delete("Logical_Router", (includes("external_ids", icplan="prod"),))))
    assert eyes.row("Logical_Router")["name"] == "theirs"


# Preconditions


@pytest.mark.parametrize(
    ("where", "fields", "rows", "field", "found"),
    [
        (ALL, ((Field("name"), "az2"),), 1, "name", "az1"),
        (ALL, ((Field("options", "x"), "2"),), 1, "options:x", "1"),
        (ALL, ((Field("options", "y"), "1"),), 1, "options:y", None),
        (ALL, ((Field("options", "x"), None),), 1, "options:x", "1"),
        (ALL, ((Field("name"), "az1"), (Field("nb_cfg"), 7)), 1, "nb_cfg", 0),
        (ALL, ((Field("connections"), ("x",)),), 1, "connections", ()),
        ((equals("name", "az9"),), (), 1, None, "no such row"),
        ((equals("name", "az1"),), (), 0, None, "one row"),
    ],
)
def test_what_does_not_hold_is_named_and_nothing_is_written(
    client: Client,
    eyes: Eyes,
    where: tuple[()],
    fields: tuple[tuple[Field, Datum], ...],
    rows: int,
    field: str | None,
    found: Datum,
) -> None:
    eyes.update("NB_Global", name="az1", options=["map", [["x", "1"]]])
    given = Precondition("global row of az1", "NB_Global", where, fields, rows)
    with pytest.raises(Stale) as caught:
        client.write(writing(Insert("Logical_Router", {"name": "r"}, "r"), given=(given,)))
    error = caught.value
    assert error.subject == "global row of az1"
    assert (str(error.field) if error.field else None) == field
    assert error.found == found
    assert "global row of az1" in error.thing
    assert error.place == "northbound database of az1"
    assert eyes.rows("Logical_Router") == []


def test_two_rows_where_one_was_seen_are_refused(client: Client, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="router")
    eyes.insert("Logical_Router", name="router")
    with pytest.raises(Stale, match="plan saw one row, but 2 rows is there"):
        client.write(new_route("10.1.0.0/24"))
    assert eyes.rows(ROUTES) == []


def taking(prefix: str, uuid: str) -> Transaction:
    """A route is taken off its router, if it is there still and leads where it did."""
    row = (equals("_uuid", uuid),)
    fields = ((Field("ip_prefix"), prefix), (Field("nexthop"), "169.254.100.2"))
    router = (equals("name", "router"),)
    return writing(
        Link("Logical_Router", router, "static_routes", remove=(uuid,)),
        SetKeys("Logical_Router", router, "external_ids", {"done": "yes"}),
        given=(Precondition(f"route {prefix}", ROUTES, row, fields, or_none=True),),
    )


def test_what_is_to_be_taken_away_may_be_gone(client: Client, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="router")
    client.write(new_route("10.1.0.0/24"))
    uuid = eyes.row(ROUTES)["_uuid"][1]
    client.write(taking("10.1.0.0/24", uuid))
    assert eyes.rows(ROUTES) == []
    eyes.set_key("Logical_Router", "done", None)
    client.write(taking("10.1.0.0/24", uuid))
    assert eyes.keys("Logical_Router") == {"done": "yes"}


def test_what_is_to_be_taken_away_must_not_have_become_something_else(
    client: Client, eyes: Eyes
) -> None:
    eyes.insert("Logical_Router", name="router")
    client.write(new_route("10.1.0.0/24"))
    eyes.update(ROUTES, nexthop="169.254.100.9")
    with pytest.raises(Stale, match=r"route 10\.1\.0\.0/24") as caught:
        client.write(taking("10.1.0.0/24", eyes.row(ROUTES)["_uuid"][1]))
    assert caught.value.found == "169.254.100.9"
    assert eyes.row(ROUTES)["nexthop"] == "169.254.100.9"
    assert eyes.keys("Logical_Router") == {}


def test_all_of_a_transaction_is_done_or_nothing(client: Client, eyes: Eyes) -> None:
    port: dict[str, Datum] = {
        "name": "twice",
        "mac": "02:00:00:00:00:01",
        "networks": ("10.0.0.1/24",),
    }
    with pytest.raises(WriteRefused, match="refused the write: constraint violation") as caught:
        client.write(
            writing(
                Update("NB_Global", ALL, {"name": "az1"}),
                Insert("Logical_Router_Port", port, "one"),
                Insert("Logical_Router_Port", port, "two"),
                Insert(
                    "Logical_Router", {"name": "r"}, "r", {"ports": (NewRow("one"), NewRow("two"))}
                ),
                given=(ZONE,),
            )
        )
    assert not isinstance(caught.value, Stale)
    assert eyes.row("NB_Global")["name"] == ""
    assert eyes.rows("Logical_Router") == []


@pytest.mark.parametrize(
    ("write", "unknown"),
    [
        (
            Update("NB_Global", ALL, {"of_tomorrow": "x"}),
            "no column of_tomorrow in table NB_Global",
        ),
        (Insert("Of_Tomorrow", {"name": "x"}, "x"), "no table Of_Tomorrow"),
        (Delete("Of_Tomorrow", ALL), "no table Of_Tomorrow"),
        (SetKeys("NB_Global", ALL, "later", {"a": "b"}), "no column later in table NB_Global"),
        (Delete("NB_Global", (equals("later", "x"),)), "no column later in table NB_Global"),
    ],
)
def test_a_write_to_what_the_schema_does_not_have_is_refused_whole(
    client: Client, eyes: Eyes, write: Write, unknown: str
) -> None:
    name = Update("NB_Global", ALL, {"name": "az1"})
    with pytest.raises(WriteRefused, match=f"its schema has {unknown}"):
        client.write(writing(name, write, given=(ZONE,)))
    assert eyes.row("NB_Global")["name"] == ""


# Changes that slip in between


@contextmanager
def meddling(databases: StandaloneDatabases, meddle: Callable[[int], object]) -> Iterator[Client]:
    """A client whose writes are held up while somebody else does something."""

    def fate(number: int) -> Fate:
        meddle(number)
        return Fate.PASS

    with (
        Proxy(databases.zones["az1"].northbound.unix, fate) as proxy,
        closing(Client(AZ1, [endpoint(proxy.address)])) as client,
    ):
        yield client


def test_a_change_of_our_field_in_between_is_refused_by_the_server(
    databases: StandaloneDatabases, eyes: Eyes
) -> None:
    with (
        meddling(
            databases, lambda _: eyes.set_key("NB_Global", "x", "theirs", "options")
        ) as client,
        pytest.raises(Stale) as caught,
    ):
        client.write(setting("x", "ours"))
    assert caught.value.subject == "options of az1"
    assert (str(caught.value.field), caught.value.found) == ("options:x", "theirs")
    assert eyes.keys("NB_Global", "options") == {"x": "theirs"}


def test_a_row_that_vanishes_in_between_is_told(databases: StandaloneDatabases, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="router")
    with (
        meddling(databases, lambda _: eyes.delete("Logical_Router")) as client,
        pytest.raises(Stale, match=r"router of az1.*no such row"),
    ):
        client.write(new_route("10.1.0.0/24"))
    assert eyes.rows(ROUTES) == []


def test_a_row_that_may_be_gone_vanishes_in_between(
    databases: StandaloneDatabases, client: Client, eyes: Eyes
) -> None:
    eyes.insert("Logical_Router", name="router")
    client.write(new_route("10.1.0.0/24"))
    uuid = eyes.row(ROUTES)["_uuid"][1]
    nothing = ["set", []]
    with meddling(
        databases, lambda _: eyes.update("Logical_Router", static_routes=nothing)
    ) as slow:
        slow.write(taking("10.1.0.0/24", uuid))
    assert eyes.rows(ROUTES) == []
    assert eyes.keys("Logical_Router") == {"done": "yes"}


def test_a_twin_that_appears_in_between_is_not_doubled(
    databases: StandaloneDatabases, eyes: Eyes, client: Client
) -> None:
    eyes.insert("Logical_Router", name="router")
    with (
        meddling(databases, lambda _: client.write(new_route("10.1.0.0/24"))) as late,
        pytest.raises(Stale, match=r"route 10\.1\.0\.0/24"),
    ):
        late.write(new_route("10.1.0.0/24"))
    assert len(eyes.rows(ROUTES)) == 1


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1])
def test_changes_of_other_keys_in_between_do_no_harm(
    databases: StandaloneDatabases, eyes: Eyes, times: int
) -> None:
    def meddle(number: int) -> None:
        if number <= times:
            eyes.set_key("NB_Global", "foreign", str(number), "options")

    with meddling(databases, meddle) as client:
        client.write(setting("x", "ours"))
    assert eyes.keys("NB_Global", "options") == {"x": "ours", "foreign": str(times)}


def test_changes_of_other_columns_in_between_are_not_even_noticed(
    databases: StandaloneDatabases, eyes: Eyes
) -> None:
    numbers: list[int] = []

    def meddle(number: int) -> None:
        numbers.append(number)
        eyes.set_key("NB_Global", "foreign", str(number))

    with meddling(databases, meddle) as client:
        client.write(setting("x", "ours"))
    assert numbers == [1]


def test_a_row_that_never_rests_is_given_up(databases: StandaloneDatabases, eyes: Eyes) -> None:
    with (
        meddling(
            databases, lambda number: eyes.set_key("NB_Global", "foreign", str(number), "options")
        ) as client,
        pytest.raises(WriteRefused, match="changed under our hands 5 times"),
    ):
        client.write(setting("x", "ours"))
    assert eyes.keys("NB_Global", "options") == {"foreign": str(ATTEMPTS)}


def test_of_many_who_make_the_same_row_one_does(databases: StandaloneDatabases, eyes: Eyes) -> None:
    eyes.insert("Logical_Router", name="router")
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def make() -> None:
        with closing(Client(AZ1, [endpoint(databases.zones["az1"].northbound.unix)])) as client:
            client.read([Query(AZ1, "NB_Global", ("name",))])
            start.wait()
            try:
                client.write(new_route("10.1.0.0/24"))
                outcomes.append("done")
            except Stale:
                outcomes.append("stale")

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["done"] + ["stale"] * 7
    assert len(eyes.rows(ROUTES)) == 1
