"""Certificates made on the spot for a lab whose databases speak TLS. Never for anything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from icplan.lab.programs import run

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = 30
_NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3"


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate authority, a server's and a client's certificate, all PEM files.

    Attributes:
        directory: the folder that holds them.
    """

    directory: Path

    @property
    def ca(self) -> Path:
        """The certificate of the authority that signed the other two."""
        return self.directory / "ca.pem"

    @property
    def client_certificate(self) -> Path:
        """What a client shows."""
        return self.directory / "client.pem"

    @property
    def client_key(self) -> Path:
        """The client's private key."""
        return self.directory / "client.key"

    @property
    def server_options(self) -> tuple[str, ...]:
        """The options of an ovsdb-server that shows the server's certificate."""
        return (
            f"--ca-cert={self.ca}",
            f"--certificate={self.directory / 'server.pem'}",
            f"--private-key={self.directory / 'server.key'}",
        )

    def create(self) -> None:
        """Make all files.

        Raises:
            IcplanError: openssl is missing or failed.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = self._request("ca", "/O=icplan/CN=lab authority")
        self._openssl(*authority, "-x509", "-days", str(_DAYS))
        for name in ("server", "client"):
            self.issue(name, f"/O=icplan/CN=lab {name}")

    def issue(self, name: str, subject: str, days: int = _DAYS) -> None:
        """Make a key and a certificate that the authority has signed.

        Args:
            name: the stem of both files.
            subject: whom it is for ("/O=group/CN=name").
            days: how long it is valid; less than zero makes one that has expired.
        """
        self._openssl(*self._request(name, subject))
        extension = self.directory / f"{name}.ext"
        extension.write_text(f"{_NAMES}\n")
        self._openssl(
            *("x509", "-req", "-in", f"{name}.pem", "-out", f"{name}.pem", "-days", str(days)),
            *("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"),
            *("-extfile", f"{name}.ext"),
        )

    def _request(self, name: str, subject: str) -> tuple[str, ...]:
        curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        return ("req", "-new", *curve, *files, "-subj", subject)

    def _openssl(self, *arguments: str) -> None:
        """Run openssl with the names of our files made absolute."""
        absolute = [
            str(self.directory / each) if each.endswith((".pem", ".key", ".ext")) else each
            for each in arguments
        ]
        run(["openssl", *absolute], run_directory=self.directory, thing="certificates of the lab")
