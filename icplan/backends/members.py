"""What one server of a database says of itself. Of several members each is asked for itself."""

from __future__ import annotations

from collections.abc import Mapping

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.backends.jsonrpc import GARBAGE, Json, Session
from icplan.backends.streams import Server
from icplan.core.engines import STANDALONE, MemberState

_COLUMNS = ("model", "connected", "leader", "cid", "sid")


def ask(name: str, server: Server, seconds: float) -> MemberState:
    """The state of a database, as its server has it in `_Server`; or why it does not answer.

    Args:
        name: the database's name.
        server: how the server is reached.
        seconds: how long it may take.
    """
    deadline = Deadline.after(seconds)
    try:
        session = Session(server.connect(deadline))
        try:
            return _state(name, session, deadline)
        finally:
            session.close()
    except ConnectionFailed as error:
        return MemberState(silence=f"{server} {error}")


def _state(name: str, session: Session, deadline: Deadline) -> MemberState:
    names = session.call("list_dbs", [], deadline)
    if not isinstance(names, list):
        raise ConnectionFailed(GARBAGE)
    if name not in names:
        raise ConnectionFailed(f"has no database {name}")
    if "_Server" not in names:
        return MemberState(STANDALONE, connected=True, leader=True)
    select: Json = {
        "op": "select",
        "table": "Database",
        "where": [["name", "==", name]],
        "columns": [*_COLUMNS],
    }
    answer = session.call("transact", ["_Server", select], deadline)
    match answer:
        case [{"rows": [dict() as row, *_]}, *_]:
            return MemberState(
                str(row.get("model", "")),
                row.get("connected") is True,
                row.get("leader") is True,
                _uuid(row, "cid"),
                _uuid(row, "sid"),
            )
    raise ConnectionFailed(GARBAGE)


def _uuid(row: Mapping[str, Json], column: str) -> str:
    """An optional uuid; empty when it is not set."""
    match row.get(column):
        case ["uuid", str(value)]:
            return value
    return ""
