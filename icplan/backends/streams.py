"""Byte streams to OVSDB servers: tcp, ssl and unix. Nothing here knows what the bytes mean."""

from __future__ import annotations

import select
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from icplan.backends.deadline import Deadline
from icplan.backends.failures import ConnectionFailed
from icplan.spec.model import Remote

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Tls:
    """The files of a mutual TLS connection, already resolved to where they lie."""

    ca: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server of a database, and what is needed to get there."""

    remote: Remote
    tls: Tls | None = None

    def __str__(self) -> str:
        """The address as the file writes it."""
        return str(self.remote)


class Stream:
    """An open connection; every call ends by its deadline."""

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
            raise ConnectionFailed(f"broke the connection: {_reason(error)}") from error

    def receive(self, deadline: Deadline) -> bytes:
        """What has arrived, at least one byte; empty when the peer closed the connection.

        Raises:
            ConnectionFailed: the connection broke, or nothing came in time.
        """
        try:
            self._socket.settimeout(max(deadline.left, 0.001))
            return self._socket.recv(CHUNK_BYTES)
        except TimeoutError as error:
            raise ConnectionFailed(
                f"is connected, but gave no answer within {deadline.seconds:g} s"
            ) from error
        except OSError as error:
            raise ConnectionFailed(f"broke the connection: {_reason(error)}") from error

    @property
    def pending(self) -> bool:
        """Whether more bytes can be had at once."""
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Ends the connection; never fails."""
        self._socket.close()


def connect(endpoint: Endpoint, deadline: Deadline) -> Stream:
    """Opens a connection.

    Raises:
        ConnectionFailed: nobody answers there, or the TLS handshake fails.
    """
    remote = endpoint.remote
    try:
        if remote.scheme == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(max(deadline.left, 0.001))
            sock.connect(remote.path or "")
        else:
            sock = socket.create_connection(
                (remote.host or "", remote.port or 0), timeout=max(deadline.left, 0.001)
            )
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if remote.scheme == "ssl":
            sock = _context(endpoint).wrap_socket(sock)
    except TimeoutError as error:
        raise ConnectionFailed(f"did not accept a connection in {deadline.seconds:g} s") from error
    except ssl.SSLError as error:
        raise ConnectionFailed(f"failed the TLS handshake: {error.reason or error}") from error
    except OSError as error:
        raise ConnectionFailed(f"cannot be connected: {_reason(error)}") from error
    return Stream(sock)


def _context(endpoint: Endpoint) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # OVSDB certificates bear no host names (ovs-pki writes an id as common name), and OVS itself
    # checks the chain only.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if endpoint.tls is None:
        raise ConnectionFailed("is an ssl: address, but the file names no `tls` files for it")
    for path in (endpoint.tls.ca, endpoint.tls.certificate, endpoint.tls.key):
        if not path.is_file():
            raise ConnectionFailed(f"needs the TLS file {path}, which does not exist")
    context.load_verify_locations(cafile=endpoint.tls.ca)
    context.load_cert_chain(endpoint.tls.certificate, endpoint.tls.key)
    return context


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
