"""The lab's own few lines of OVSDB's JSON-RPC over a socket; shares nothing with icplan."""

from __future__ import annotations

import codecs
import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from icplan.errors import IcplanError
from icplan.lab.programs import TIMEOUT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

_DECODER = json.JSONDecoder()
_CONNECT_SECONDS = 5.0


class TransactionRefusedError(IcplanError):
    """The server answered, and refused the transaction."""


class OvsdbSession:
    """One connection to one ovsdb-server; not for use by several threads at once."""

    def __init__(self, server: Path | tuple[str, int]) -> None:
        """Connect.

        Args:
            server: the path of a unix socket, or a host and a TCP port.

        Raises:
            IcplanError: nobody answers there.
        """
        where: str | tuple[str, int]
        if isinstance(server, Path):
            self._place, family, where = f"unix:{server}", socket.AF_UNIX, str(server)
        else:
            family = socket.AF_INET6 if ":" in server[0] else socket.AF_INET
            self._place, where = f"tcp:[{server[0]}]:{server[1]}", server
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(_CONNECT_SECONDS)
        try:
            self._socket.connect(where)
        except OSError as error:
            self._socket.close()
            raise self._failed(str(error)) from error
        # Characters cut in two by the buffer wait here for their second half.
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._received = ""
        self._number = 0
        self._changed = False

    @classmethod
    def at(cls, address: str) -> Self:
        """Connect to an address as OVN writes it; of several, to the first that answers.

        Raises:
            IcplanError: nobody answers at any, or the address is none.
        """
        problem: IcplanError | None = None
        for each in address.split(","):
            try:
                return cls(_server(each))
            except IcplanError as error:
                problem = error
        assert problem is not None
        raise problem

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def transact(self, database: str, operations: Sequence[dict[str, Any]]) -> list[Any]:
        """Do operations in one transaction and return one result for each.

        Raises:
            TransactionRefusedError: the server refused the transaction; nothing of it was done.
            IcplanError: the server closed the connection.
        """
        results = self._call("transact", [database, *operations])
        for result in results:
            if isinstance(result, dict) and "error" in result:
                raise TransactionRefusedError(
                    f"transaction on {database}",
                    place=self._place,
                    cause=f"{result['error']}: {result.get('details', '')}",
                    cure="see the server's log beside that socket",
                )
        return list(results)

    def schema(self, database: str) -> dict[str, Any]:
        """The schema of a database, as its .ovsschema file has it."""
        return dict(self._call("get_schema", [database]))

    def watch(self, database: str, tables: Sequence[str]) -> None:
        """Ask for a message on every change of these tables; `wait_for_change` then waits."""
        self._call("monitor", [database, None, {table: {} for table in tables}])

    def wait_for_change(self) -> None:
        """Return when something in the watched tables has changed since the last reading.

        Raises:
            IcplanError: the server has closed the connection.
        """
        while not self._changed:
            self._changed = self._read(None).get("method") == "update"
        self._changed = False

    def _call(self, method: str, parameters: list[Any]) -> Any:  # noqa: ANN401 -- JSON
        self._number += 1
        self._write({"method": method, "params": parameters, "id": self._number})
        while True:
            message = self._read(TIMEOUT_SECONDS)
            self._changed |= message.get("method") == "update"
            if message.get("id") == self._number and "method" not in message:
                if message.get("error"):
                    raise self._failed(str(message["error"]))
                return message["result"]

    def _write(self, message: dict[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(message).encode())
        except OSError as error:
            raise self._failed(str(error)) from error

    def _read(self, timeout: float | None) -> dict[str, Any]:
        """The next message; the server's inactivity probes are answered on the way."""
        self._socket.settimeout(timeout)
        while True:
            try:
                message, end = _DECODER.raw_decode(self._received)
            except json.JSONDecodeError:
                self._received += self._receive()
                continue
            self._received = self._received[end:].lstrip()
            if message.get("method") == "echo":
                self._write({"result": message["params"], "error": None, "id": message["id"]})
                continue
            return dict(message)

    def _receive(self) -> str:
        try:
            data = self._socket.recv(1 << 16)
        except OSError as error:
            raise self._failed(str(error) or "no answer") from error
        if not data:
            raise self._failed("connection closed")
        return self._decode(data)

    def _failed(self, cause: str) -> IcplanError:
        return IcplanError(
            "database of the lab",
            place=self._place,
            cause=cause,
            cure="see the server's log beside that socket",
        )


def _server(address: str) -> Path | tuple[str, int]:
    scheme, _, rest = address.partition(":")
    host, _, port = rest.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if scheme == "unix":
        return Path(rest)
    if scheme == "tcp" and host and port.isdecimal():
        return host, int(port)
    raise IcplanError(
        "address of a database",
        place=address,
        cause="is neither unix:PATH nor tcp:HOST:PORT",
        cure="correct it",
    )
