"""Single HTTP requests to an API server, each with a deadline; nothing is repeated here."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson

from icplan.backends.deadline import Deadline
from icplan.backends.kubernetes.configuration import Access, Login, load
from icplan.backends.kubernetes.failures import AccessFailed, RequestFailed
from icplan.backends.kubernetes.requests import Request
from icplan.backends.kubernetes.validity import expired
from icplan.core.kubernetes import Body

if TYPE_CHECKING:
    import urllib3

CHUNK_BYTES = 1 << 18
LIMIT_BYTES = 1 << 28

_AGENT = "icplan"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said.

    Attributes:
        status: the HTTP status.
        body: the JSON object, empty when there is none.
        text: the beginning of what was no JSON object.
        retry_after: for how many seconds it wants to be left alone, None if it does not say.
    """

    status: int
    body: Body
    text: str = ""
    retry_after: float | None = None

    @property
    def message(self) -> str:
        """The server's own words on one line."""
        words = self.body.get("message") if self.body else self.text
        return " ".join(str(words or "").split())

    @property
    def reason(self) -> str:
        """Kubernetes' one word for it, such as `Forbidden`."""
        return str(self.body.get("reason") or "")


class Transport:
    """The way to one API server; threads may share it.

    Args:
        access: whose API, and how it is reached; read when it is first used.
    """

    def __init__(self, access: Access) -> None:
        self.access = access
        self._login: Login | None = None
        self._last: Login | None = None
        self._pool: urllib3.PoolManager | None = None
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """The server's address and the context, as far as they are known."""
        known = [self._last.server] if self._last else []
        context = [f"context {self.access.context}"] if self.access.context else []
        return ", ".join(known + context)

    @property
    def certificate(self) -> str | None:
        """The file of the certificate that was shown last."""
        return self._last.certificate if self._last else None

    def login(self, deadline: Deadline) -> Login:
        """The server's address, and what we show there.

        Raises:
            AccessFailed: what says so is missing or wrong.
        """
        with self._lock:
            if self._login is None:
                self._login = self._last = load(self.access, deadline)
            return self._login

    def renew(self) -> None:
        """Forgets the credentials; the next request finds them out anew."""
        with self._lock:
            self._login = None
            self._pool = None

    def close(self) -> None:
        """Ends all connections."""
        if self._pool is not None:
            self._pool.clear()

    def send(self, request: Request, deadline: Deadline) -> Answer:
        """Sends a request and waits for its answer.

        Raises:
            AccessFailed: what says where to is missing or wrong.
            RequestFailed: no answer came.
        """
        import urllib3

        login = self.login(deadline)
        headers = {"Accept": "application/json", "User-Agent": _AGENT, **authorization(login)}
        if request.body is not None:
            headers["Content-Type"] = request.content
        if deadline.passed:
            raise RequestFailed(_late(deadline))
        try:
            response = self._connections(login).request(
                request.method,
                login.server + request.path,
                body=None if request.body is None else orjson.dumps(request.body),
                headers=headers,
                # By default urllib3 repeats even a PUT, and obeys Retry-After by itself.
                retries=False,
                redirect=False,
                timeout=urllib3.Timeout(connect=deadline.left, read=deadline.left),
                preload_content=False,
            )
            try:
                data = _whole(response, deadline)
            finally:
                # Back to the pool only when nothing of it is left to be read.
                if response.closed:
                    response.release_conn()
                else:
                    response.close()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise broken(error, login, deadline) from error
        return answer(response.status, response.headers, data)

    def _connections(self, login: Login) -> urllib3.PoolManager:
        import urllib3

        with self._lock:
            if self._pool is None:
                context = tls_context(self.access, login)
                name = login.server_name
                if not login.verify:
                    # The user's kubeconfig wants it so; kubectl says nothing, either.
                    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
                if login.proxy:
                    self._pool = urllib3.ProxyManager(
                        login.proxy,
                        proxy_headers=proxy_headers(login.proxy),
                        ssl_context=context,
                        server_hostname=name,
                    )
                else:
                    self._pool = urllib3.PoolManager(ssl_context=context, server_hostname=name)
            return self._pool


def authorization(login: Login) -> dict[str, str]:
    """The HTTP header that says who we are."""
    return {"Authorization": login.authorization} if login.authorization else {}


def proxy_headers(proxy: str) -> dict[str, str]:
    """What a proxy wants, if its URL names a user."""
    import urllib3

    url = urlsplit(proxy)
    user = f"{url.username}:{url.password or ''}" if url.username else None
    return dict(urllib3.make_headers(proxy_basic_auth=user)) if user else {}


def tls_context(access: Access, login: Login) -> ssl.SSLContext:
    """Whom we trust, and the certificate that we show.

    Raises:
        AccessFailed: a file holds something else.
    """
    # Not ssl.create_default_context: since Python 3.13 it refuses authorities without a key
    # identifier, as many clusters have them.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not login.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    cure = "repair the kubeconfig, or make it anew"
    try:
        if login.ca:
            context.load_verify_locations(cafile=login.ca)
        else:
            context.load_default_certs()
    except OSError as error:
        cause = "its certificate authority is no certificate"
        raise AccessFailed(access.thing, place=login.server, cause=cause, cure=cure) from error
    if login.certificate:
        try:
            # An encrypted key would be asked for on the terminal without a password.
            context.load_cert_chain(login.certificate, login.key, password="")
        except OSError as error:
            cause = "its client certificate and key do not belong together, or are none"
            raise AccessFailed(access.thing, place=login.server, cause=cause, cure=cure) from error
    return context


def answer(status: int, headers: Mapping[str, str], data: bytes) -> Answer:
    """An answer out of its parts."""
    wait = headers.get("Retry-After", "")
    seconds = float(wait) if wait.isdecimal() else None
    try:
        body = orjson.loads(data)
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict):
        return Answer(status, body, retry_after=seconds)
    return Answer(status, {}, data[:200].decode(errors="replace"), seconds)


def broken(error: Exception, login: Login, deadline: Deadline) -> RequestFailed:
    """Why no answer came."""
    import urllib3.exceptions as kinds

    cause = _innermost(error)
    match error:
        case kinds.ProxyError():
            return RequestFailed(
                f"cannot be reached through the proxy {_bare(login.proxy)}: {_words(cause)}"
            )
        case kinds.NameResolutionError():
            return RequestFailed("cannot be connected: its name has no address")
        case kinds.NewConnectionError():
            return RequestFailed(f"cannot be connected: {_words(cause)}")
        case kinds.ConnectTimeoutError():
            return RequestFailed(f"did not accept a connection within {deadline.seconds:.3g} s")
        case kinds.ReadTimeoutError() | TimeoutError():
            return RequestFailed(_late(deadline), sent=True)
        case kinds.LocationParseError() | kinds.LocationValueError():
            return RequestFailed("is no address", lasting=True)
    if isinstance(cause, ssl.SSLError):
        return _distrust(cause, login)
    return RequestFailed(f"broke the connection: {_words(cause)}", sent=True)


def _distrust(error: ssl.SSLError, login: Login) -> RequestFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = f"shows a certificate that we do not trust: {error.verify_message}"
        return RequestFailed(text, lasting=True)
    if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
        return RequestFailed("does not speak TLS; is it http:?", lasting=True)
    if when := expired(login.certificate):
        return RequestFailed(f"lets nobody in whose certificate expired on {when}", lasting=True)
    # With TLS 1.3 a server may refuse our certificate only after we have sent our request.
    reason = (error.reason or str(error)).lower().replace("_", " ")
    return RequestFailed(f"broke the TLS connection: {reason}", sent=True)


def _whole(response: urllib3.BaseHTTPResponse, deadline: Deadline) -> bytes:
    data = bytearray()
    # Not `stream`: it waits until a chunk is full. Somebody who sends a byte now and then would
    # never run into the socket's timeout.
    while chunk := response.read1(CHUNK_BYTES):
        data += chunk
        if deadline.passed:
            raise TimeoutError
        if len(data) > LIMIT_BYTES:
            raise OSError(f"more than {LIMIT_BYTES >> 20} MiB in one answer")
    return bytes(data)


def _late(deadline: Deadline) -> str:
    return f"gave no whole answer within {deadline.seconds:.3g} s"


def _innermost(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _words(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join((text or type(error).__name__).lower().split())


def _bare(proxy: str | None) -> str:
    url = urlsplit(proxy or "")
    return f"{url.scheme}://{url.hostname}:{url.port}"
