"""Encrypted connections: a real server that speaks TLS, and everything that can be wrong."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from icplan.backends.ovsdb import Client
from icplan.backends.streams import Endpoint, Tls
from icplan.lab import StandaloneDatabases
from icplan.lab.certificates import Certificates
from icplan.lab.ports import reserve_port
from icplan.lab.programs import run
from icplan.lab.servers import NORTHBOUND, DatabaseServer
from icplan.spec.model import Remote
from tests.backends.misbehaving import Server
from tests.backends.test_connecting import NAME, failing, silent
from tests.ovsdb import AZ1, endpoint

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Encrypted:
    """A northbound server that speaks TLS; `stranger` holds certificates of another authority."""

    address: str
    tls: Tls
    stranger: Tls
    directory: Path


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Encrypted]:
    with tempfile.TemporaryDirectory(prefix="icb-") as parent:
        directory = Path(parent).resolve()
        ours, others = Certificates(directory / "ours"), Certificates(directory / "others")
        ours.create()
        others.create()
        with reserve_port() as port:
            server = DatabaseServer("nb", directory / "az1", NORTHBOUND, port=port.number, tls=ours)
            server.create()
            server.start()
        try:
            yield Encrypted(server.remote.network, _files(ours), _files(others), directory)
        finally:
            server.daemon.stop()


def _files(certificates: Certificates) -> Tls:
    return Tls(certificates.ca, certificates.client_certificate, certificates.client_key)


def test_the_right_certificates_open_the_door(encrypted: Encrypted) -> None:
    client = Client(AZ1, [endpoint(encrypted.address, encrypted.tls)])
    assert client.read(NAME) == {"NB_Global": ()}
    client.close()


def test_another_authority_is_not_trusted(encrypted: Encrypted) -> None:
    tls = replace(encrypted.tls, ca=encrypted.stranger.ca)
    cause = failing(endpoint(encrypted.address, tls))
    assert cause.startswith(
        f"{encrypted.address} shows a certificate that the `ca` file does not vouch for: "
    )


def test_our_certificate_of_another_authority_is_not_trusted_there(encrypted: Encrypted) -> None:
    tls = replace(encrypted.stranger, ca=encrypted.tls.ca)
    cause = failing(endpoint(encrypted.address, tls))
    address = encrypted.address
    # With TLS 1.3 a server judges our certificate after the handshake, and its word may be lost
    # when it closes the connection right behind it.
    assert cause in {
        f"{address} does not trust the authority that signed our certificate",
        f"{address} closed the connection where TLS is spoken; does it speak TLS?",
    }


def test_a_missing_file_is_named(encrypted: Encrypted) -> None:
    missing = encrypted.directory / "missing.pem"
    for tls in (
        replace(encrypted.tls, ca=missing),
        replace(encrypted.tls, certificate=missing),
        replace(encrypted.tls, key=missing),
    ):
        cause = failing(endpoint(encrypted.address, tls))
        assert f"needs the TLS file {missing}, which cannot be read: no such file" in cause


def test_a_folder_instead_of_a_file_is_named(encrypted: Encrypted) -> None:
    tls = replace(encrypted.tls, key=encrypted.directory)
    assert "which cannot be read: is a directory" in failing(endpoint(encrypted.address, tls))


def test_a_file_without_a_certificate_is_named(encrypted: Encrypted) -> None:
    empty = encrypted.directory / "empty.pem"
    empty.write_text("nothing\n")
    cause = failing(endpoint(encrypted.address, replace(encrypted.tls, ca=empty)))
    assert f"needs {empty}, which holds no certificate" in cause
    cause = failing(endpoint(encrypted.address, replace(encrypted.tls, certificate=empty)))
    assert f"needs {empty} and {encrypted.tls.key}, which are no certificate with its key" in cause


def test_the_key_of_another_certificate_is_refused(encrypted: Encrypted) -> None:
    tls = replace(encrypted.tls, key=encrypted.stranger.key)
    assert "which are no certificate with its key" in failing(endpoint(encrypted.address, tls))


_ON_A_TERMINAL = """
import os, sys
from pathlib import Path
# The first terminal that a process without one opens becomes its own.
os.open(sys.argv[1], os.O_RDWR)
from icplan.backends.failures import DatabaseUnreadable
from icplan.backends.ovsdb import Client
from icplan.backends.streams import Tls
from tests.ovsdb import AZ1, endpoint
try:
    Client(AZ1, [endpoint(sys.argv[2], Tls(*map(Path, sys.argv[3:])))], 5.0).read([])
except DatabaseUnreadable as error:
    print(error.cause)
"""


def test_an_encrypted_key_is_refused_and_its_password_not_asked_for(encrypted: Encrypted) -> None:
    locked = encrypted.directory / "locked.key"
    run(
        [
            *("openssl", "ec", "-in", str(encrypted.tls.key), "-aes256"),
            *("-passout", "pass:secret", "-out", str(locked)),
        ],
        run_directory=encrypted.directory,
        thing="an encrypted key",
    )
    near, far = pty.openpty()
    files = (encrypted.tls.ca, encrypted.tls.certificate, locked)
    done = subprocess.run(
        [sys.executable, "-c", _ON_A_TERMINAL, os.ttyname(far), encrypted.address, *files],
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    )
    os.close(far)
    os.close(near)
    assert "the key must not be encrypted" in done.stdout, done.stderr


def test_an_encrypted_address_without_files_is_refused(encrypted: Encrypted) -> None:
    cause = failing(endpoint(encrypted.address))
    assert cause == (
        f"{encrypted.address} is an ssl: address, but the file names no `tls` files for it"
    )


def test_a_plain_server_at_an_encrypted_address_is_told(
    encrypted: Encrypted, databases: StandaloneDatabases
) -> None:
    plain = Remote.parse(databases.zones["az1"].northbound.network)
    wrong = Endpoint(replace(plain, scheme="ssl"), encrypted.tls)
    # It depends on the moment what of its closing the system tells.
    assert failing(wrong).removeprefix(f"{wrong} ") in {
        "closed the connection where TLS is spoken; does it speak TLS?",
        "broke the connection: connection reset by peer",
    }


def test_an_encrypted_server_at_a_plain_address_is_told(encrypted: Encrypted) -> None:
    remote = Remote.parse(encrypted.address)
    wrong = Endpoint(replace(remote, scheme="tcp"))
    assert failing(wrong).removeprefix(f"{wrong} ") in {
        "closed the connection instead of answering",
        "broke the connection: connection reset by peer",
    }


def test_a_server_that_never_shakes_hands(encrypted: Encrypted) -> None:
    with Server(silent) as server:
        address = server.address.replace("tcp:", "ssl:")
        cause = failing(endpoint(address, encrypted.tls))
        assert cause == f"{address} is connected, but no TLS handshake came about within 1 s"


def test_a_server_that_answers_the_handshake_in_another_tongue(encrypted: Encrypted) -> None:
    with Server(lambda peer: peer.socket.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        address = server.address.replace("tcp:", "ssl:")
        cause = failing(endpoint(address, encrypted.tls))
        assert cause == f"{address} does not speak TLS: tcp: instead of ssl: would do"
