"""Byte streams to OVSDB servers: tcp, ssl and unix. Nothing here knows what the bytes mean."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.spec.model import Remote

CHUNK_BYTES = 1 << 18

_TLS_REASONS = {
    "WRONG_VERSION_NUMBER": "does not speak TLS: tcp: instead of ssl: would do",
    "TLSV1_ALERT_UNKNOWN_CA": "does not trust the authority that signed our certificate",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "wants a certificate from us",
    "SSLV3_ALERT_CERTIFICATE_EXPIRED": "says that our certificate has expired",
}


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a mutual TLS connection, already resolved to where they lie."""

    ca: Path
    certificate: Path
    key: Path


class Stream(Protocol):
    """An open connection; every call ends by its deadline."""

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Sends all of it, or raises ConnectionFailed."""

    def receive(self, deadline: Deadline) -> bytes:
        """What has arrived, at least one byte; empty at the end. Or raises ConnectionFailed."""

    def close(self) -> None:
        """Ends the connection; never fails."""


class Server(Protocol):
    """One server of a database, and how it is reached. Hashable; its text is for messages."""

    @property
    def moves(self) -> bool:
        """Whether the next connection may lead to another server."""

    @property
    def cure(self) -> str:
        """What a user can try when it is not reached."""

    def connect(self, deadline: Deadline) -> Stream:
        """Opens a connection, or raises ConnectionFailed."""

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server with an address, and what is needed to get there."""

    remote: Remote
    tls: Tls | None = None

    def __str__(self) -> str:
        """The address as the file writes it."""
        return str(self.remote)

    @property
    def moves(self) -> bool:
        """At an address it is always the same."""
        return False

    @property
    def cure(self) -> str:
        """What a user can try when it is not reached."""
        return (
            f"check the address, that the server runs, and that its port is open from here: "
            f"ovsdb-client list-dbs {self}"
        )

    def connect(self, deadline: Deadline) -> Stream:
        """Opens a connection.

        Raises:
            ConnectionFailed: nobody answers there, or the TLS handshake fails.
        """
        return _connect(self, deadline)


class SocketStream:
    """An open socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock

    def send(self, data: bytes, deadline: Deadline) -> None:
        """Sends all of it.

        Raises:
            ConnectionFailed: the peer is gone or does not take it in time.
        """
        try:
            self._socket.settimeout(max(deadline.left, 0.001))
            self._socket.sendall(data)
        except TimeoutError as error:
            raise ConnectionFailed(f"took no data for {deadline.seconds:g} s") from error
        except OSError as error:
            raise _broken(error) from error

    def receive(self, deadline: Deadline) -> bytes:
        """What has arrived, at least one byte; empty when the peer closed the connection.

        Raises:
            ConnectionFailed: the connection broke, or the time is over.
        """
        late = f"is connected, but gave no whole answer within {deadline.seconds:.3g} s"
        # Somebody who sends a byte now and then would never run into the socket's timeout.
        if deadline.passed:
            raise ConnectionFailed(late)
        try:
            self._socket.settimeout(max(deadline.left, 0.001))
            return self._socket.recv(CHUNK_BYTES)
        except TimeoutError as error:
            raise ConnectionFailed(late) from error
        except OSError as error:
            raise _broken(error) from error

    def close(self) -> None:
        """Ends the connection; never fails."""
        self._socket.close()


def _connect(endpoint: Endpoint, deadline: Deadline) -> SocketStream:
    remote = endpoint.remote
    # Before anything is opened, as a file may be missing.
    context = _context(endpoint.tls) if remote.encrypted else None
    try:
        sock = _open(remote, deadline)
    except TimeoutError as error:
        raise ConnectionFailed(
            f"did not accept a connection within {deadline.seconds:.3g} s"
        ) from error
    # A host name that cannot be one raises UnicodeError.
    except (OSError, UnicodeError) as error:
        refused = isinstance(error, ConnectionRefusedError)
        raise ConnectionFailed(f"cannot be connected: {_reason(error)}", refused=refused) from error
    return SocketStream(sock if context is None else _encrypted(sock, context, deadline))


def _open(remote: Remote, deadline: Deadline) -> socket.socket:
    seconds = max(deadline.left, 0.001)
    if remote.scheme != "unix":
        sock = socket.create_connection((remote.host or "", remote.port or 0), timeout=seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect(remote.path or "")
    except BaseException:
        sock.close()
        raise
    return sock


def _encrypted(sock: socket.socket, context: ssl.SSLContext, deadline: Deadline) -> socket.socket:
    try:
        sock.settimeout(max(deadline.left, 0.001))
        return context.wrap_socket(sock)
    except TimeoutError as error:
        sock.close()
        raise ConnectionFailed(
            f"is connected, but no TLS handshake came about within {deadline.seconds:.3g} s"
        ) from error
    except OSError as error:
        sock.close()
        raise _broken(error) from error


def _context(tls: Tls | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # OVSDB certificates bear no host names (ovs-pki writes an id as common name), and OVS itself
    # checks the chain only.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if tls is None:
        raise ConnectionFailed(
            "is an ssl: address, but the file names no `tls` files for it", lasting=True
        )
    for path in (tls.ca, tls.certificate, tls.key):
        try:
            path.open("rb").close()
        except OSError as error:
            raise ConnectionFailed(
                f"needs the TLS file {path}, which cannot be read: {_reason(error)}", lasting=True
            ) from error
    try:
        context.load_verify_locations(cafile=tls.ca)
    except OSError as error:
        raise ConnectionFailed(
            f"needs {tls.ca}, which holds no certificate", lasting=True
        ) from error
    try:
        # An encrypted key would be asked for on the terminal without a password.
        context.load_cert_chain(tls.certificate, tls.key, password="")
    except OSError as error:
        raise ConnectionFailed(
            f"needs {tls.certificate} and {tls.key}, which are no certificate with its key "
            "(the key must not be encrypted)",
            lasting=True,
        ) from error
    return context


def _broken(error: OSError) -> ConnectionFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConnectionFailed(
            f"shows a certificate that the `ca` file does not vouch for: {error.verify_message}",
            lasting=True,
        )
    if isinstance(error, ssl.SSLEOFError):
        return ConnectionFailed("closed the connection where TLS is spoken; does it speak TLS?")
    if isinstance(error, ssl.SSLError):
        reason = error.reason or "unknown reason"
        known = _TLS_REASONS.get(reason)
        words = reason.lower().replace("_", " ")
        return ConnectionFailed(known or f"broke the TLS connection: {words}", lasting=bool(known))
    return ConnectionFailed(f"broke the connection: {_reason(error)}")


def _reason(error: OSError | UnicodeError) -> str:
    text = error.strerror if isinstance(error, OSError) else None
    return (text or str(error) or type(error).__name__).lower()
