"""JSON-RPC 1.0 as OVSDB servers speak it (RFC 7047 section 4). No databases, no retries."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.backends.streams import Stream

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

LIMIT_BYTES = 1 << 30
_GARBAGE = "answers, but not as an OVSDB server does"

# Strings are taken whole, so that braces inside them do not count; one that the buffer cuts off
# runs to its end.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}]', re.DOTALL)


class RemoteError(Exception):
    """The server answered with an error; `details` is its own value."""

    def __init__(self, details: Json) -> None:
        super().__init__(str(details))
        self.details = details


class Framer:
    """Cuts a stream of JSON objects without separators into single objects."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0

    def feed(self, data: bytes) -> None:
        """Takes bytes in."""
        self._buffer += data

    def __len__(self) -> int:
        """How many bytes wait to be cut."""
        return len(self._buffer)

    def whole(self) -> Json:
        """The buffer as one object; None when it is not exactly one.

        An answer of some megabytes usually stands alone in the buffer, and then the parser finds
        its end by itself, ten times faster than `cut` does.
        """
        if not self._buffer.endswith(b"}"):
            return None
        try:
            message: Json = orjson.loads(self._buffer)
        except orjson.JSONDecodeError:
            return None
        self._drop(len(self._buffer))
        return message

    def cut(self) -> Json:
        """The first whole object; None while there is none.

        Raises:
            ConnectionFailed: the bytes are not JSON objects.
        """
        if self._buffer and not self._buffer.startswith(b"{"):
            raise ConnectionFailed(_GARBAGE)
        for token in _TOKEN.finditer(self._buffer, self._scanned):
            text = token.group()
            if text == b"{":
                self._depth += 1
            elif text == b"}":
                self._depth -= 1
            elif len(text) < 2 or not text.endswith(b'"') or token.end() == len(self._buffer):
                break  # perhaps cut off: looked at again when there is more
            self._scanned = token.end()
            if self._depth == 0:
                end = self._scanned
                try:
                    message: Json = orjson.loads(self._buffer[:end])
                except orjson.JSONDecodeError as error:
                    raise ConnectionFailed(_GARBAGE) from error
                self._drop(end)
                return message
        return None

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        # White space between objects is allowed.
        blank = len(self._buffer) - len(self._buffer.lstrip())
        del self._buffer[:blank]
        self._scanned = 0
        self._depth = 0


class Session:
    """One connection with one request at a time."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._framer = Framer()
        self._last_id = 0

    def call(self, method: str, params: Sequence[Json], deadline: Deadline) -> Json:
        """Sends a request and waits for its answer.

        Raises:
            ConnectionFailed: the connection broke, the server fell silent or talks nonsense.
            RemoteError: the server refused the request.
        """
        self._last_id += 1
        request = {"method": method, "params": list(params), "id": self._last_id}
        self._stream.send(orjson.dumps(request), deadline)
        while True:
            message = self._message(deadline)
            if not isinstance(message, dict):
                raise ConnectionFailed(_GARBAGE)
            if message.get("method") == "echo":
                answer = {"result": message.get("params"), "error": None, "id": message.get("id")}
                self._stream.send(orjson.dumps(answer), deadline)
            elif message.get("id") == self._last_id and "result" in message:
                if message.get("error") is not None:
                    raise RemoteError(message["error"])
                return message["result"]
            elif "method" not in message:
                raise ConnectionFailed(_GARBAGE)

    def close(self) -> None:
        """Ends the connection."""
        self._stream.close()

    def _message(self, deadline: Deadline) -> Json:
        message = self._framer.cut() if len(self._framer) else None
        while message is None:
            data = self._stream.receive(deadline)
            if not data:
                raise ConnectionFailed(
                    "closed the connection in the middle of an answer"
                    if len(self._framer)
                    else "closed the connection instead of answering"
                )
            self._framer.feed(data)
            if len(self._framer) > LIMIT_BYTES:
                raise ConnectionFailed(f"sent more than {LIMIT_BYTES >> 20} MiB in one answer")
            if not self._stream.pending:
                message = self._framer.whole()
                if message is None:
                    message = self._framer.cut()
        return message
