"""Servers on loopback that do what no OVSDB server should, and a proxy that loses messages."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import Enum, auto
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from icplan.lab.ports import reserve_port

Handler = Callable[["Peer"], None]

_DECODER = json.JSONDecoder()


class Peer:
    """A connection that speaks JSON without separators."""

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self._text = ""

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            EOFError: there is none any more.
        """
        while True:
            with suppress(json.JSONDecodeError):
                message, end = _DECODER.raw_decode(self._text)
                self._text = self._text[end:]
                return dict(message)
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError
            self._text += data.decode()

    def send(self, message: object) -> None:
        """Sends a message; ASCII only, as the lab's pieces may be cut anywhere."""
        self.socket.sendall(json.dumps(message).encode())


class Server:
    """Gives each connection to a handler, in a thread of its own. A context manager.

    Attributes:
        address: where it listens, in OVSDB's spelling.
        connections: how many there have been.
    """

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._port = reserve_port()
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self._port.number))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.address = f"tcp:127.0.0.1:{self._port.number}"
        self.connections = 0

    def __enter__(self) -> Self:
        self._listener.listen()
        self._run(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._port.release()

    def stop_listening(self) -> None:
        """New connections are refused from now on."""
        _end(self._listener)

    def stop(self) -> None:
        """Ends all connections; new ones are refused."""
        for each in (self._listener, *self._open):
            _end(each)
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(timeout=10)

    def _run(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.append(connection)
                self._run(lambda peer=connection: self._serve(peer))  # type: ignore[misc]

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError, EOFError):
            self._handler(Peer(connection))


def _end(sock: socket.socket) -> None:
    """Closes a socket and wakes the threads that wait there."""
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()


def answering(answers: Mapping[str, object]) -> Handler:
    """A handler that answers each method as it is told, and keeps silent on others."""

    def handle(peer: Peer) -> None:
        while True:
            request = peer.receive()
            if request.get("method") in answers:
                answer = answers[request["method"]]
                peer.send({"id": request["id"], "result": answer, "error": None})

    return handle


@contextmanager
def full_backlog() -> Iterator[str]:
    """Gives the address of a socket that lets nobody in."""
    with reserve_port() as port, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port.number))
        listener.listen(0)
        waiting = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            with suppress(BlockingIOError):
                each.connect(("127.0.0.1", port.number))
        try:
            yield f"tcp:127.0.0.1:{port.number}"
        finally:
            for each in waiting:
                each.close()


class Fate(Enum):
    """What becomes of a guarded write on its way."""

    PASS = auto()
    LOSE_REQUEST = auto()
    """The connection breaks before the server has it."""
    LOSE_ANSWER = auto()
    """The server does it, and the connection breaks before the client knows."""
    LATE = auto()
    """The connection breaks, and the server gets it later: when `Proxy.let_go` is set."""
    EMPTY_ANSWER = auto()
    """The server does not get it; the client gets an answer without any content."""


class Proxy(Server):
    """Passes messages on to a real server, and lets a test decide about guarded writes.

    Args:
        address: the real server's unix socket, in OVSDB's spelling.
        fate: asked for each write by its number, from 1; may do something meanwhile.

    Attributes:
        writes: how many guarded writes have come by.
        meanwhile: done after a write was lost, before the client can know.
        let_go: lets late writes go on.
        late_answers: what the server said to them.
    """

    def __init__(self, address: str, fate: Callable[[int], Fate]) -> None:
        super().__init__(self._pass_on)
        self._upstream = Path(address.removeprefix("unix:"))
        self._fate = fate
        self.writes = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self.let_go = threading.Event()
        self.late_answers: list[dict[str, Any]] = []

    def _pass_on(self, peer: Peer) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as upstream:
            upstream.connect(str(self._upstream))
            server = Peer(upstream)
            while True:
                request = peer.receive()
                fate = Fate.PASS
                if any(isinstance(one, dict) and one.get("op") == "wait" for one in _ops(request)):
                    self.writes += 1
                    fate = self._fate(self.writes)
                match fate:
                    case Fate.PASS:
                        peer.send(_ask(server, request))
                    case Fate.EMPTY_ANSWER:
                        peer.send({"id": request["id"], "result": [], "error": None})
                    case Fate.LATE:
                        peer.socket.shutdown(socket.SHUT_RDWR)
                        self.let_go.wait(30)
                        self.late_answers.append(_ask(server, request))
                        return
                    case _:
                        if fate is Fate.LOSE_ANSWER:
                            _ask(server, request)
                        self.meanwhile()
                        return


def _ask(server: Peer, request: dict[str, Any]) -> dict[str, Any]:
    server.send(request)
    answer = server.receive()
    while answer.get("method") == "echo":
        server.send({"id": "echo", "result": answer["params"], "error": None})
        answer = server.receive()
    return answer


def _ops(request: dict[str, Any]) -> list[Any]:
    return list(request["params"]) if request.get("method") == "transact" else []
