"""Servers on loopback that answer as no API server should, and one that loses answers."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from icplan.lab.kubernetes import ApiClient


@dataclass(frozen=True)
class Reply:
    """An answer; `hang`: only after the test has let go; `cut`: none, the connection breaks."""

    status: int = 200
    body: bytes = b"{}"
    headers: tuple[tuple[str, str], ...] = ()
    hang: bool = False
    cut: bool = False


@dataclass
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    body: bytes
    authorization: str


@dataclass
class Hostile:
    """A running server.

    Attributes:
        port: where it listens.
        asked: what it was asked so far.
        let_go: ends all hanging.
    """

    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    let_go: threading.Event = field(default_factory=threading.Event)

    def methods(self) -> list[str]:
        """What it was asked for, in order."""
        return [one.method for one in self.asked]


Answering = Callable[[Asked], Reply]


def status(code: int, reason: str, message: str, *headers: tuple[str, str]) -> Reply:
    """A refusal as an API server words it."""
    body = {"kind": "Status", "status": "Failure", "reason": reason, "message": message}
    return Reply(code, json.dumps(body | {"code": code}).encode(), headers)


def one_after_the_other(replies: Sequence[Reply]) -> Answering:
    """The last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def serving(answer: Answering, context: ssl.SSLContext | None = None) -> Iterator[Hostile]:
    """Serves with one thread for each connection."""
    state = Hostile()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            asked = Asked(self.command, self.path, body, self.headers.get("Authorization", ""))
            state.asked.append(asked)
            reply = answer(asked)
            if reply.hang:
                state.let_go.wait(30)
            if reply.cut or reply.hang:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for key, value in reply.headers:
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.port = server.server_address[1]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join(10)


def forwarding(api: ApiClient, meddle: Callable[[int, Callable[[], Reply]], Reply]) -> Answering:
    """A real server's answers, but for writes: `meddle` gets their number and what does them."""
    writes = 0

    def forward(asked: Asked) -> Reply:
        connection = http.client.HTTPSConnection(api.host, api.port, context=api.secure())
        kind = "json-patch+json" if asked.method == "PATCH" else "json"
        headers = {**api.authorization, "Content-Type": f"application/{kind}"}
        connection.request(asked.method, asked.path, asked.body or None, headers)
        response = connection.getresponse()
        reply = Reply(response.status, response.read(), (("Content-Type", "application/json"),))
        connection.close()
        return reply

    def answer(asked: Asked) -> Reply:
        nonlocal writes
        if asked.method == "GET":
            return forward(asked)
        writes += 1
        return meddle(writes, lambda: forward(asked))

    return answer


def kubeconfig(file: Path, server: str, user: dict[str, Any], **cluster: Any) -> Path:  # noqa: ANN401
    """A kubeconfig with the context az1."""
    data = {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "az1", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "az1",
    }
    file.write_text(json.dumps(data))
    return file
