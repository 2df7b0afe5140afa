"""The stand-in as a program, with an API server of a few lines over HTTPS."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from icplan.lab import StandaloneDatabases, wait_until
from icplan.lab.certificates import Certificates
from icplan.lab.daemons import Daemon
from tests.lab.standin_zones import build_zone

pytestmark = pytest.mark.real
TOKEN = "a-token"
LABEL = "ovn.kubernetes.io/ic-gw"


class Handler(BaseHTTPRequestHandler):
    """Answers from a dict of documents by path; merges a patch of labels."""

    protocol_version = "HTTP/1.1"
    documents: ClassVar[dict[str, Any]] = {}

    def do_GET(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "who are you?"})
        elif self.path in self.documents:
            self._answer(200, self.documents[self.path])
        else:
            self._answer(404, {"message": "not found"})

    def do_PATCH(self) -> None:
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        node = self.documents[self.path]
        node["metadata"]["labels"] |= patch["metadata"]["labels"]
        self._answer(200, node)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- likewise
        pass

    def _answer(self, status: int, document: Any) -> None:  # noqa: ANN401 -- JSON
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[Path]:
    """A kubeconfig for a running API server with no objects."""
    certificates = Certificates(tmp_path / "pki")
    certificates.create()
    Handler.documents = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(
        certificates.directory / "server.pem", certificates.directory / "server.key"
    )
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"https://127.0.0.1:{server.server_port}"
    file = tmp_path / "kubeconfig"
    file.write_text(
        json.dumps(
            {
                "current-context": "az1",
                "contexts": [{"name": "az1", "context": {"cluster": "c", "user": "u"}}],
                "clusters": [
                    {"name": "c", "cluster": {"server": url, "certificate-authority": "pki/ca.pem"}}
                ],
                "users": [{"name": "u", "user": {"token": TOKEN}}],
            }
        )
    )
    yield file
    server.shutdown()
    server.server_close()


def test_the_program_interconnects_a_zone_and_takes_ovn_ic_with_it(
    directory: Path, kubeconfig: Path
) -> None:
    with StandaloneDatabases(directory, zones=("az1",)) as databases:
        zone = databases.zones["az1"]
        cluster = build_zone(zone, 1)
        nodes: list[dict[str, Any]] = [
            {
                "metadata": {"name": name, "labels": {}},
                "status": {"addresses": [{"type": "InternalIP", "address": view.internal_ips[0]}]},
            }
            for name, view in cluster.read().nodes.items()
        ]
        subnets = [
            {"metadata": {"name": name}, "spec": spec} for name, spec in cluster.subnets.items()
        ]
        deployment = {"env": [{"name": "TS_NUM", "value": "2"}]}
        template = {"spec": {"containers": [deployment]}}
        Handler.documents = {
            "/api/v1/nodes": {"items": nodes},
            "/apis/kubeovn.io/v1/subnets": {"items": subnets},
            "/apis/apps/v1/namespaces/kube-system/deployments/ovn-ic-server": {
                "spec": {"template": template}
            },
            **{f"/api/v1/nodes/{node['metadata']['name']}": node for node in nodes},
        }
        program = Daemon(
            "controller",
            zone.directory,
            sys.executable,
            (
                *(
                    "-P",
                    "-m",
                    "icplan.lab.standin",
                    "--generation=new",
                    f"--kubeconfig={kubeconfig}",
                ),
                *(f"--northbound={zone.northbound.unix}", f"--southbound={zone.southbound.unix}"),
                *(f"--directory={zone.directory / 'standin'}", "--mark-gateways", "--seed=1"),
                *(f"--keep-switches={databases.ic.northbound.network}", "--round-seconds=0.1"),
            ),
            names_control=False,
        )
        program.start()
        config = {
            "enable-ic": "true",
            "az-name": "az1",
            "ic-db-host": "127.0.0.1",
            "ic-nb-port": str(databases.ic.ports.northbound),
            "ic-sb-port": str(databases.ic.ports.southbound),
            "gw-nodes": "az1-gw2",
            "auto-route": "true",
        }
        Handler.documents["/api/v1/namespaces/kube-system/configmaps/ovn-ic-config"] = {
            "data": config
        }
        wait_until(
            lambda: (
                {"az1-ts", "az1-ts1"}
                <= set(
                    zone.nbctl("--bare", "--columns=name", "list", "Logical_Router_Port").split()
                )
            ),
            "both ports are there",
        )
        assert nodes[1]["metadata"]["labels"] == {LABEL: "true"}
        wait_until(
            lambda: (
                databases.ic.sbctl("--bare", "--columns=hostname", "list", "Gateway").split()
                == ["az1-gw2"]
            ),
            "the gateway is in IC SB",
        )
        ovn_ic = Daemon("ovn-ic", zone.directory / "standin", "ovn-ic", ())
        assert ovn_ic.running()
        assert "stand-in" in program.logfile.read_text()
        program.stop()
        assert not ovn_ic.running()
