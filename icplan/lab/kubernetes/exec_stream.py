"""A command in a container through the Kubernetes API: WebSocket with Kubernetes' channels."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from icplan.errors import IcplanError
from icplan.lab.kubernetes.client import ApiError
from icplan.lab.programs import TIMEOUT_SECONDS

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence
    from types import TracebackType

    from icplan.lab.kubernetes.client import ApiClient

_INPUT, _OUTPUT, _ERRORS, _STATUS, _CLOSE = 0, 1, 2, 3, 255
_BINARY, _GOODBYE, _PING, _PONG = 0x2, 0x8, 0x9, 0xA
_FINAL, _MASKED = 0x80, 0x80
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class ExecResult:
    """How a command ended.

    Attributes:
        output: what it wrote to standard output.
        errors: what it wrote to standard error.
        code: its exit code.
    """

    output: bytes
    errors: bytes
    code: int


class ExecStream:
    """A running command with its three streams. A context manager: leaving hangs up.

    Attributes:
        errors: what it has written to standard error, as far as it was read.
        code: its exit code, once `read` has returned nothing.
    """

    def __init__(
        self, client: ApiClient, namespace: str, pod: str, container: str, command: Sequence[str]
    ) -> None:
        self.errors = b""
        self.code: int | None = None
        self._received = b""
        query = urlencode(
            [
                ("container", container),
                *(("command", each) for each in command),
                *((stream, "true") for stream in ("stdin", "stdout", "stderr")),
            ]
        )
        self._thing = f"{' '.join(command)} in {namespace}/{pod}"
        self._place = client.address
        self._socket = self._connect(client)
        try:
            self._upgrade(client, f"/api/v1/namespaces/{namespace}/pods/{pod}/exec?{query}")
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Give the command input."""
        for start in range(0, len(data), _CHUNK):
            self._send(_BINARY, bytes([_INPUT]) + data[start : start + _CHUNK])

    def end_input(self) -> None:
        """Tell the command that its input has ended."""
        self._send(_BINARY, bytes([_CLOSE, _INPUT]))

    def read(self) -> bytes:
        """The next piece of the command's standard output; nothing when it has ended."""
        while self.code is None:
            channel, data = self._message()
            if channel == _OUTPUT and data:
                return data
            if channel == _ERRORS:
                self.errors += data
            if channel == _STATUS:
                self.code = _exit_code(json.loads(data))
        return b""

    def close(self) -> None:
        """Hang up; a command that reads its input ends then."""
        with contextlib.suppress(OSError, IcplanError):
            self._send(_GOODBYE, b"")
        self._socket.close()

    # The protocol

    def _connect(self, client: ApiClient) -> ssl.SSLSocket:
        try:
            plain = socket.create_connection((client.host, client.port), timeout=TIMEOUT_SECONDS)
            return client.secure().wrap_socket(plain, server_hostname=client.host)
        except OSError as error:
            raise self._failed(str(error)) from error

    def _upgrade(self, client: ApiClient, path: str) -> None:
        headers = {
            "Host": f"{client.host}:{client.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "v5.channel.k8s.io",
        } | client.authorization
        lines = [f"GET {path} HTTP/1.1", *(f"{key}: {value}" for key, value in headers.items())]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        while b"\r\n\r\n" not in self._received:
            self._receive()
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        if status != 101:
            raise self._refused(head, status)

    def _refused(self, head: bytes, status: int) -> IcplanError:
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(self._received) < length:
            self._receive()
        try:
            answer = json.loads(self._received)
        except ValueError:
            answer = {"message": self._received.decode(errors="replace").strip()}
        reason, message = answer.get("reason", ""), answer.get("message", "")
        return ApiError(self._thing, self._place, status, reason, message)

    def _message(self) -> tuple[int, bytes]:
        """The next message of a channel; the server's pings are answered on the way."""
        whole = b""
        while True:
            first, length = self._take(2)
            if length == 126:
                length = int.from_bytes(self._take(2))
            elif length == 127:
                length = int.from_bytes(self._take(8))
            data = self._take(length)
            match first & 0xF:
                case 0x8:
                    raise self._failed(f"the server hung up: {data[2:].decode(errors='replace')}")
                case 0x9:
                    self._send(_PONG, data)
                    continue
                case 0xA:
                    continue
            whole += data
            if first & _FINAL and whole:
                return whole[0], whole[1:]

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            self._receive()
        taken, self._received = self._received[:count], self._received[count:]
        return taken

    def _receive(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as error:
            raise self._failed(str(error) or "no answer") from error
        if not data:
            raise self._failed("connection closed")
        self._received += data

    def _send(self, kind: int, data: bytes) -> None:
        """Send a frame; a client's must be masked, and a mask of zeros changes nothing."""
        if len(data) < 126:
            size = bytes([_MASKED | len(data)])
        elif len(data) < 1 << 16:
            size = bytes([_MASKED | 126]) + len(data).to_bytes(2)
        else:
            size = bytes([_MASKED | 127]) + len(data).to_bytes(8)
        try:
            self._socket.sendall(bytes([_FINAL | kind]) + size + bytes(4) + data)
        except OSError as error:
            raise self._failed(str(error)) from error

    def _failed(self, cause: str) -> IcplanError:
        return IcplanError(
            self._thing,
            place=self._place,
            cause=cause,
            cure="see the logs of the API server and of kwok in the zone's folder",
        )


def run_in_container(
    client: ApiClient,
    namespace: str,
    pod: str,
    container: str,
    command: Sequence[str],
    given: bytes = b"",
) -> ExecResult:
    """Run a command to its end.

    Args:
        client: who asks.
        namespace: the pod's namespace.
        pod: its name.
        container: the container in it.
        command: the program and its arguments.
        given: its standard input, which ends after that; written before any output is read, so
            not more than a few kilobytes for a command that answers at once.

    Raises:
        ApiError: the server refused.
        IcplanError: the server cannot be reached, or the stream broke.
    """
    with ExecStream(client, namespace, pod, container, command) as stream:
        # A command may end without reading all of its input.
        with contextlib.suppress(IcplanError):
            stream.write(given)
            stream.end_input()
        output = b"".join(iter(stream.read, b""))
        return ExecResult(output, stream.errors, stream.code or 0)


def _exit_code(status: dict[str, object]) -> int:
    """The exit code in the status that ends a command."""
    if status.get("status") == "Success":
        return 0
    details = status.get("details")
    causes = details.get("causes", []) if isinstance(details, dict) else []
    for cause in causes:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"])
    # A kwok that is not the lab's own says it in words only.
    if found := re.search(r": exit status (\d+)$", str(status.get("message"))):
        return int(found[1])
    raise IcplanError(
        "command in a container",
        cause=str(status.get("message", status)),
        cure="see the log of kwok in the zone's folder",
    )
