"""Real ovsdb-servers for tests, and eyes of their own on the rows: not through icplan's client."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from icplan.backends.streams import Endpoint, Tls
from icplan.core.io import (
    IC_NORTHBOUND,
    NORTHBOUND,
    Database,
    Field,
    Insert,
    Link,
    NewRow,
    Precondition,
    Transaction,
    equals,
)
from icplan.lab import StandaloneDatabases
from icplan.lab.jsonrpc import OvsdbSession
from icplan.spec.model import Remote

AZ1 = Database("az1", NORTHBOUND)
AZ2 = Database("az2", NORTHBOUND)
SHARED = Database("ic", IC_NORTHBOUND)

ROUTES = "Logical_Router_Static_Route"


@contextmanager
def standalone() -> Iterator[StandaloneDatabases]:
    """Databases of az1 and az2 and of their interconnection."""
    # Not tmp_path: with the name of the test in it, sockets would have too long paths.
    with (
        tempfile.TemporaryDirectory(prefix="icb-") as parent,
        StandaloneDatabases(Path(parent) / "databases") as databases,
    ):
        yield databases


def endpoint(address: str, tls: Tls | None = None) -> Endpoint:
    """A server by its address in OVSDB's spelling."""
    return Endpoint(Remote.parse(address), tls)


class Eyes:
    """Looks at a database and changes it, as somebody else would.

    Args:
        address: its unix socket, in OVSDB's spelling.
        name: the schema's name.
    """

    def __init__(self, address: str, name: str = NORTHBOUND) -> None:
        self._session = OvsdbSession(Path(address.removeprefix("unix:")))
        self._name = name

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows as the server words them."""
        select = {"op": "select", "table": table, "where": []}
        found: list[dict[str, Any]] = self._session.transact(self._name, [select])[0]["rows"]
        return found

    def row(self, table: str) -> dict[str, Any]:
        """The only row."""
        (row,) = self.rows(table)
        return row

    def keys(self, table: str, column: str = "external_ids") -> dict[str, str]:
        """A map of the only row."""
        return dict(self.row(table)[column][1])

    def insert(self, table: str, **row: object) -> str:
        """A new row; gives its uuid."""
        insert = {"op": "insert", "table": table, "row": row}
        return str(self._session.transact(self._name, [insert])[0]["uuid"][1])

    def update(self, table: str, **row: object) -> None:
        """Columns of all rows."""
        self._session.transact(
            self._name, [{"op": "update", "table": table, "where": [], "row": row}]
        )

    def set_key(
        self, table: str, key: str, value: str | None, column: str = "external_ids"
    ) -> None:
        """One key of a map of all rows; None removes it."""
        mutations: list[Any] = [[column, "delete", ["set", [key]]]]
        if value is not None:
            mutations.append([column, "insert", ["map", [[key, value]]]])
        mutate = {"op": "mutate", "table": table, "where": [], "mutations": mutations}
        self._session.transact(self._name, [mutate])

    def delete(self, table: str) -> None:
        """All rows."""
        self._session.transact(self._name, [{"op": "delete", "table": table, "where": []}])

    def close(self) -> None:
        """Ends the connection."""
        self._session.close()


def new_route(prefix: str, nexthop: str = "169.254.100.2") -> Transaction:
    """A static route on the router `router`: such rows have no unique key of their own."""
    router = (equals("name", "router"),)
    same = (equals("ip_prefix", prefix), equals("nexthop", nexthop))
    return Transaction(
        AZ1,
        (
            Precondition("router of az1", "Logical_Router", router, ((Field("name"), "router"),)),
            Precondition(f"route {prefix}", ROUTES, same, rows=0),
        ),
        (
            Insert(ROUTES, {"ip_prefix": prefix, "nexthop": nexthop}, "route"),
            Link("Logical_Router", router, "static_routes", add=(NewRow("route"),)),
        ),
    )


def eventually(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds:g} s"
        time.sleep(0.01)
