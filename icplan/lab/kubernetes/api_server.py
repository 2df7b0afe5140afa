"""One cluster's etcd and kube-apiserver. Knows no objects."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from icplan.lab.certificates import Certificates
from icplan.lab.kubernetes import tools, users
from icplan.lab.kubernetes.client import ApiClient
from icplan.lab.kubernetes.foreground import ForegroundDaemon

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from icplan.lab.state import ClusterPorts

_HOST = "127.0.0.1"
SERVICE_CIDR = "10.96.0.0/12"
KUBELET_ADDRESS_TYPE = "InternalDNS"
"""Where the API server finds a node's kubelet. Not InternalIP: that is the node's own, and all
kubelets of the lab listen on one loopback address."""


class ApiServer:
    """A kube-apiserver with RBAC, its etcd, its certificates and its users.

    Attributes:
        name: the name of the contexts in its kubeconfig files.
        directory: the folder of its files.
        certificates: its own authority and certificates.
    """

    def __init__(
        self, name: str, directory: Path, ports: ClusterPorts, announce: Callable[[str], None]
    ) -> None:
        self.name = name
        self.directory = directory
        self.certificates = Certificates(directory / "tls")
        self._ports = ports
        self._announce = announce

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"https://{_HOST}:{self._ports.api}"

    def create(self) -> None:
        """Make certificates, users and kubeconfig files, and start both processes.

        Returns before they are ready: see `wait_until_ready`.

        Raises:
            IcplanError: a program is missing or could not be started.
        """
        # Before any process: building may take minutes.
        etcd, server = tools.find_etcd(), tools.find(tools.KUBE_APISERVER, self._announce)
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Found once: a restart takes what the start took.
        for name, program in (("etcd", etcd), ("kube-apiserver", server)):
            (self.directory / f"{name}.bin").symlink_to(program)
        self.certificates.create()
        users.write_tokens(self._tokens)
        for name, token in users.read_tokens(self._tokens).items():
            self._write_kubeconfig(self._file(name), {"token": token})
        self.etcd.start()
        self.server.start()

    def wait_until_ready(self) -> None:
        """Return when the API server says that it is ready.

        Raises:
            IcplanError: one of the two processes has failed.
        """
        self.server.wait_until_ready(self.client().ready)

    def start(self) -> None:
        """Start what was stopped, with the data it had; ready on return."""
        self.etcd.start()
        self.server.start()
        self.wait_until_ready()

    def stop(self) -> None:
        """End both processes; the data stays."""
        for daemon in (self.server, self.etcd):
            daemon.stop(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop the API server in its tracks: it accepts connections and answers nothing."""
        self.server.send(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen API server go on."""
        self.server.send(signal.SIGCONT)

    def kubeconfig(self, user: str = users.ADMIN) -> Path:
        """The kubeconfig file of a user.

        Raises:
            IcplanError: there is no such user.
        """
        users.check_user(user)
        return self._file(user)

    def certificate_kubeconfig(self, user: str, group: str, days: int = 30) -> Path:
        """Make a kubeconfig file whose user has a client certificate instead of a token.

        Args:
            user: any user; the certificate says so, and who has no role may nothing.
            group: the user's group; system:masters may everything.
            days: how long the certificate is valid; less than zero makes one that has expired.
        """
        name = f"user-{user}{days}"
        self.certificates.issue(name, f"/O={group}/CN={user}", days)
        folder = self.certificates.directory
        shown = {
            "client-certificate-data": users.encoded(folder / f"{name}.pem"),
            "client-key-data": users.encoded(folder / f"{name}.key"),
        }
        file = self.directory / f"kubeconfig-{name}.yaml"
        self._write_kubeconfig(file, shown)
        return file

    def client(self, user: str = users.ADMIN) -> ApiClient:
        """A client that is a user.

        Raises:
            IcplanError: there is no such user.
        """
        return ApiClient.from_kubeconfig(self.kubeconfig(user))

    @property
    def etcd(self) -> ForegroundDaemon:
        """The process of etcd."""
        return self._daemon(
            "etcd",
            f"--data-dir={self.directory / 'etcd'}",
            "--unsafe-no-fsync",
            f"--listen-client-urls={self._store}",
            f"--advertise-client-urls={self._store}",
            # Required, and used by nobody: the kernel may choose.
            f"--listen-peer-urls=http://{_HOST}:0",
            "--log-level=warn",
        )

    @property
    def server(self) -> ForegroundDaemon:
        """The process of the API server."""
        # EC keys serve here for everything; a certificate holds the public half.
        folder = self.certificates.directory
        certificate, key = folder / "server.pem", folder / "server.key"
        return self._daemon(
            "kube-apiserver",
            f"--etcd-servers={self._store}",
            f"--secure-port={self._ports.api}",
            f"--bind-address={_HOST}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={self.certificates.ca}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={certificate}",
            f"--service-account-signing-key-file={key}",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self._tokens}",
            "--disable-admission-plugins=ServiceAccount",
            f"--kubelet-preferred-address-types={KUBELET_ADDRESS_TYPE}",
            # Debian's etcd 3.4.23 cannot do what streamed lists need, and clients that ask for
            # them would try again for half a minute before they list.
            "--feature-gates=WatchList=false",
            # A loopback address cannot be the endpoint of the service kubernetes, which nobody
            # uses here.
            "--endpoint-reconciler-type=none",
        )

    @property
    def _store(self) -> str:
        return f"http://{_HOST}:{self._ports.etcd}"

    @property
    def _tokens(self) -> Path:
        return self.directory / "tokens.csv"

    def _file(self, user: str) -> Path:
        return self.directory / f"kubeconfig-{user}.yaml"

    def _write_kubeconfig(self, file: Path, user: dict[str, str]) -> None:
        authority = self.certificates.ca
        users.write_kubeconfig(file, self.name, self.address, authority, user)

    def _daemon(self, name: str, *arguments: str) -> ForegroundDaemon:
        return ForegroundDaemon(
            name, self.directory, str(self.directory / f"{name}.bin"), arguments
        )
