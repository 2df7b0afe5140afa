"""How long icplan takes to read a large northbound database, against the bare protocol.

Both are measured in one process, in turns: figures of different machines or moments cannot be
compared, their ratio can.
"""

from __future__ import annotations

import gc
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from icplan.backends.ovsdb import Client
from icplan.backends.streams import Endpoint
from icplan.core.io import NORTHBOUND, Database
from icplan.lab import StandaloneDatabases
from icplan.lab.jsonrpc import OvsdbSession
from icplan.ovn.northbound import queries
from icplan.spec.model import Remote

ZONE = "az1"
LIMIT = 1.5
"""Reading takes at most so many times what the bare protocol takes."""

_TABLE = "Logical_Router_Static_Route"
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians in seconds.

    Attributes:
        bare: one `select` of the whole table, parsed and not decoded.
        columns: the same of those columns only that icplan wants of it.
        icplan: all that icplan reads, connecting and the schema included.
    """

    bare: float
    columns: float
    icplan: float

    @property
    def ratio(self) -> float:
        """How many times as long icplan takes."""
        return self.icplan / self.bare


def measure(routes: int, rounds: int) -> Measured:
    """Starts a northbound database with one router and its static routes, and reads it."""
    with (
        # Not a test's own folder: with a long name in it, sockets would have too long paths.
        tempfile.TemporaryDirectory(prefix="icb-") as parent,
        StandaloneDatabases(Path(parent) / "databases", zones=(ZONE,)) as databases,
    ):
        path = Path(databases.zones[ZONE].northbound.unix.removeprefix("unix:"))
        fill(path, routes)
        ways: tuple[Callable[[], int], ...] = (
            lambda: read_bare(path),
            lambda: read_bare(path, _columns()),
            lambda: read_icplan(path),
        )
        taken = [[_seconds(way, routes) for way in ways] for _ in range(rounds)]
    return Measured(*(statistics.median(one) for one in zip(*taken, strict=True)))


def fill(path: Path, routes: int) -> None:
    """Makes one router that owns all the static routes."""
    session = OvsdbSession(path)
    session.transact(
        NORTHBOUND, [{"op": "insert", "table": "Logical_Router", "row": {"name": "router"}}]
    )
    for start in range(0, routes, _ROWS_AT_ONCE):
        numbers = range(start, min(start + _ROWS_AT_ONCE, routes))
        links = ["set", [["named-uuid", f"route{number}"] for number in numbers]]
        mutate = {
            "op": "mutate",
            "table": "Logical_Router",
            "where": [],
            "mutations": [["static_routes", "insert", links]],
        }
        session.transact(NORTHBOUND, [*map(_insert, numbers), mutate])
    session.close()


def _insert(number: int) -> dict[str, object]:
    high, low = divmod(number, 256)
    row = {
        "ip_prefix": f"10.{high}.{low}.0/24",
        "nexthop": f"169.254.100.{number % 200 + 1}",
        "external_ids": ["map", [["ic-learned-route", f"00000000-0000-4000-8000-{number:012x}"]]],
    }
    return {"op": "insert", "table": _TABLE, "row": row, "uuid-name": f"route{number}"}


def _columns() -> list[str]:
    return ["_uuid", *next(one.columns for one in queries(ZONE) if one.table == _TABLE)]


def read_bare(path: Path, columns: list[str] | None = None) -> int:
    """One `select` of all static routes over a plain socket; gives their number."""
    select: dict[str, object] = {"op": "select", "table": _TABLE, "where": []}
    if columns:
        select["columns"] = columns
    request = orjson.dumps({"method": "transact", "params": [NORTHBOUND, select], "id": 0})
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.connect(str(path))
        connection.sendall(request)
        answer = bytearray()
        while not answer.endswith(b"}") or (parsed := _parsed(answer)) is None:
            answer += connection.recv(1 << 20)
    return len(parsed["result"][0]["rows"])


def _parsed(answer: bytearray) -> Any:  # noqa: ANN401 -- JSON
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None


def read_icplan(path: Path) -> int:
    """All that icplan reads of the database, with connecting; gives the number of routes."""
    database = Database(ZONE, NORTHBOUND)
    client = Client(database, [Endpoint(Remote("unix", path=str(path)))])
    try:
        return len(client.read(queries(ZONE, ["ts"]))[_TABLE])
    finally:
        client.close()


def _seconds(read: Callable[[], int], routes: int) -> float:
    gc.collect()
    start = time.perf_counter()
    found = read()
    taken = time.perf_counter() - start
    if found != routes:
        raise AssertionError(f"{found} routes were read instead of {routes}")
    return taken


@click.command()
@click.option("--routes", default=20_000, show_default=True)
@click.option("--rounds", default=7, show_default=True)
def main(routes: int, rounds: int) -> None:
    """Print the medians and their ratio; exit 1 when it is above the limit."""
    measured = measure(routes, rounds)
    click.echo(f"{routes} static routes, medians of {rounds} rounds")
    click.echo(f"bare protocol, whole rows      {measured.bare:.3f} s")
    click.echo(f"bare protocol, needed columns  {measured.columns:.3f} s")
    click.echo(f"icplan                         {measured.icplan:.3f} s")
    click.echo(f"ratio to whole rows            {measured.ratio:.2f} (at most {LIMIT})")
    click.echo(f"ratio to needed columns        {measured.icplan / measured.columns:.2f}")
    raise SystemExit(measured.ratio > LIMIT)


if __name__ == "__main__":
    main()
