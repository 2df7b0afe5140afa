"""JSON-RPC 1.0 as OVSDB servers speak it (RFC 7047 section 4). No databases, no retries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import orjson

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.backends.streams import Stream

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

LIMIT_BYTES = 1 << 30
GARBAGE = "answers, but not as an OVSDB server does"

_BLANK = b" \t\r\n"

# Strings are taken whole, so that braces inside them do not count; one that the buffer cuts off
# runs to its end.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}]', re.DOTALL)


class Framer:
    """Cuts a stream of JSON objects without separators into single objects."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._depth = 0

    def feed(self, data: bytes) -> None:
        """Takes bytes in."""
        # White space between objects is allowed.
        self._buffer += data if self._buffer else data.lstrip(_BLANK)

    def __len__(self) -> int:
        """How many bytes wait to be cut."""
        return len(self._buffer)

    def take(self) -> Json:
        """The first object; None while something is under way.

        A long answer usually stands alone in the buffer, and then the parser finds its end by
        itself, ten times faster than `cut` does.

        Raises:
            ConnectionFailed: the bytes are not JSON objects.
        """
        if self._buffer.startswith(b"{"):
            if not self._buffer[-8:].rstrip(_BLANK).endswith(b"}"):
                return None
            if self._scanned == 0:
                with suppress(orjson.JSONDecodeError):
                    message: Json = orjson.loads(self._buffer)
                    self._drop(len(self._buffer))
                    return message
        return self.cut()

    def cut(self) -> Json:
        """The first object; None while there is no whole one.

        Raises:
            ConnectionFailed: the bytes are not JSON objects.
        """
        if self._buffer and not self._buffer.startswith(b"{"):
            raise ConnectionFailed(GARBAGE, lasting=True)
        end = self._end()
        if end is None:
            return None
        try:
            message: Json = orjson.loads(self._buffer[:end])
        except orjson.JSONDecodeError as error:
            raise ConnectionFailed(GARBAGE, lasting=True) from error
        self._drop(end)
        return message

    def _end(self) -> int | None:
        """Where the first object ends; goes on where it stopped when there was less."""
        for token in _TOKEN.finditer(self._buffer, self._scanned):
            text = token.group()
            if text == b"{":
                self._depth += 1
            elif text == b"}":
                self._depth -= 1
            elif token.end() == len(self._buffer):
                break  # perhaps cut off: looked at again when there is more
            self._scanned = token.end()
            if self._depth == 0:
                return self._scanned
        return None

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._buffer = self._buffer.lstrip(_BLANK)
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
            ConnectionFailed: the connection broke, the server refused the request, fell silent or
                talks nonsense.
        """
        self._last_id += 1
        request = {"method": method, "params": list(params), "id": self._last_id}
        self._stream.send(orjson.dumps(request), deadline)
        while True:
            message = self._message(deadline)
            if not isinstance(message, dict):
                raise ConnectionFailed(GARBAGE, lasting=True)
            if message.get("method") == "echo":
                answer = {"result": message.get("params"), "error": None, "id": message.get("id")}
                self._stream.send(orjson.dumps(answer), deadline)
            elif message.get("id") == self._last_id and "result" in message:
                if message.get("error") is not None:
                    raise ConnectionFailed(f"refused the request: {message['error']}")
                return message["result"]
            elif "method" not in message:
                raise ConnectionFailed(GARBAGE, lasting=True)

    def close(self) -> None:
        """Ends the connection."""
        self._stream.close()

    def _message(self, deadline: Deadline) -> Json:
        while (message := self._framer.take()) is None:
            data = self._stream.receive(deadline)
            if not data:
                return self._last_message()
            self._framer.feed(data)
            if len(self._framer) > LIMIT_BYTES:
                raise ConnectionFailed(f"sent more than {LIMIT_BYTES >> 20} MiB in one answer")
        return message

    def _last_message(self) -> Json:
        """What stands before the place at which the server closed the connection."""
        message = self._framer.cut()
        if message is None:
            raise ConnectionFailed(
                "closed the connection in the middle of an answer"
                if len(self._framer)
                else "closed the connection instead of answering"
            )
        return message
