"""Commands in containers through the Kubernetes API: WebSocket, with Kubernetes' channels.

Opens the stream and runs short commands to their end; what is said over a long one is no concern.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.backends.kubernetes.explain import explain
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.kubernetes.requests import object_path
from icplan.backends.kubernetes.transport import answer, authorization, tls_context
from icplan.core.kubernetes import Resource, at

if TYPE_CHECKING:
    import websocket

    from icplan.backends.kubernetes.configuration import Login

INPUT, OUTPUT, ERRORS, STATUS = range(4)
NOT_FOUND = 127
_PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
_SLICE_SECONDS = 0.5
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; 127 when there is no such program.
        output: what it wrote to both of its streams, in the order in which it came.
        message: the server's words about its end.
    """

    code: int
    output: str
    message: str = ""


def no_program(message: str) -> bool:
    """Whether a server says that an image does not have a program."""
    return "executable file not found" in message or "no such file or directory" in message


def run(
    objects: Objects,
    pod: Resource,
    container: str,
    command: Sequence[str],
    deadline: Deadline,
    cancelled: Callable[[], bool],
) -> Ended:
    """Runs a command to its end; nothing is given to its input.

    Args:
        objects: the cluster's client.
        pod: where.
        container: in which of its containers.
        command: the program and its arguments.
        deadline: by when it must have ended.
        cancelled: asked now and then; once it is true the command is left alone.

    Raises:
        ConnectionFailed: the stream broke, or the time is over.
        ClusterUnreadable: the server refused.
        AccessFailed: what says where the server is is missing or wrong.
    """
    import websocket

    connection = open_stream(objects, pod, container, command, deadline, given=False)
    output = b""
    try:
        while True:
            if deadline.passed or cancelled():
                raise ConnectionFailed(f"did not end within {deadline.seconds:.3g} s")
            try:
                connection.settimeout(max(0.001, min(deadline.left, _SLICE_SECONDS)))
                kind, data = connection.recv_data(control_frame=True)
            except (TimeoutError, websocket.WebSocketTimeoutException):
                continue
            except (OSError, websocket.WebSocketException) as error:
                raise ConnectionFailed(f"broke off: {words(error)}") from error
            if kind == websocket.ABNF.OPCODE_CLOSE:
                raise ConnectionFailed("broke off: the pod is gone, or its node does not answer")
            if kind != websocket.ABNF.OPCODE_BINARY or not data:
                continue
            if data[0] in {OUTPUT, ERRORS}:
                output = (output + data[1:])[-_MOST_BYTES:]
            elif data[0] == STATUS:
                code, message = exit_code(bytes(data[1:]))
                return Ended(code, output.decode(errors="replace"), message)
    finally:
        with suppress(Exception):
            connection.close(timeout=0)


def open_stream(
    objects: Objects,
    pod: Resource,
    container: str,
    command: Sequence[str],
    deadline: Deadline,
    *,
    given: bool,
) -> websocket.WebSocket:
    """Starts a command.

    Args:
        objects: the cluster's client.
        pod: where.
        container: in which of its containers.
        command: the program and its arguments.
        deadline: by when it must have begun.
        given: whether it is to have an input.

    Raises:
        ConnectionFailed: the server is not reached, or does not answer in time.
        ClusterUnreadable: the server refused.
        AccessFailed: what says where the server is is missing or wrong.
    """
    import websocket

    login = objects.transport.login(deadline)
    streams = ("stdin", "stdout", "stderr") if given else ("stdout", "stderr")
    query = urlencode(
        [
            ("container", container),
            *(("command", one) for one in command),
            *((stream, "true") for stream in streams),
        ],
        quote_via=quote,
    )
    url = f"{login.server}{object_path(pod)}/exec?{query}".replace("http", "ws", 1)
    context = tls_context(objects.access, login)
    options = {"context": context} | (
        {"server_hostname": login.server_name} if login.server_name else {}
    )
    connection = websocket.WebSocket(sslopt=options, enable_multithread=False)
    try:
        connection.connect(  # type: ignore[no-untyped-call]
            url,
            header=[f"{key}: {value}" for key, value in authorization(login).items()],
            subprotocols=list(_PROTOCOLS),
            timeout=max(deadline.left, 0.001),
            suppress_origin=True,
            redirect_limit=0,
            **_proxy(login),
        )
    except websocket.WebSocketBadStatusException as error:
        found = answer(error.status_code, error.resp_headers or {}, error.resp_body or b"")
        raise explain(objects.transport, f"exec in {pod}", found) from error
    except (TimeoutError, websocket.WebSocketTimeoutException) as error:
        raise ConnectionFailed(f"ran no command within {deadline.seconds:.3g} s") from error
    except (OSError, websocket.WebSocketException) as error:
        raise ConnectionFailed(f"cannot be reached through {pod}: {words(error)}") from error
    return connection


def _proxy(login: Login) -> dict[str, object]:
    """The library would look at the environment by itself."""
    if login.proxy is None:
        return {"http_no_proxy": ["*"]}
    url = urlsplit(login.proxy)
    user = (url.username, url.password or "") if url.username else None
    return {
        "http_proxy_host": url.hostname,
        "http_proxy_port": url.port,
        "proxy_type": "socks5h" if url.scheme.startswith("socks") else "http",
        "http_proxy_auth": user,
    }


def exit_code(status: bytes) -> tuple[int, str]:
    """The exit code in the status that ends a command, and the server's words."""
    try:
        body = json.loads(status)
    except ValueError:
        return 1, ""
    if body.get("status") == "Success":
        return 0, ""
    causes = at(body, ("details", "causes"))
    for cause in causes if isinstance(causes, list) else []:
        if cause.get("reason") == "ExitCode" and str(cause.get("message")).isdecimal():
            return int(cause["message"]), str(body.get("message", ""))
    return 1, str(body.get("message", ""))


def words(error: Exception) -> str:
    """An error of the connection in its own words, on one line."""
    return " ".join((str(error) or type(error).__name__).lower().split())
