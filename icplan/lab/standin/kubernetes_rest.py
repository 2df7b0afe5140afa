"""A real API server over plain HTTPS: what the stand-in needs of it, with the standard library."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from icplan.errors import IcplanError
from icplan.lab.standin.failures import RoundFailed
from icplan.lab.standin.values import (
    CONFIG_MAP,
    GATEWAY_LABEL,
    NAMESPACE,
    NodeView,
    ZoneInputs,
)

_TIMEOUT_SECONDS = 10.0
_CONFIG_MAP_PATH = f"/api/v1/namespaces/{NAMESPACE}/configmaps/{CONFIG_MAP}"
_NODES_PATH = "/api/v1/nodes"
_SUBNETS_PATH = "/apis/kubeovn.io/v1/subnets"


class RestCluster:
    """One zone's API server, as a kubeconfig of JSON describes it.

    JSON, as kubeconfigs may be, since the standard library reads no YAML; with a token, or a
    client certificate in files, and a CA in a file or in place.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        """Read the kubeconfig; connect to nothing.

        Args:
            kubeconfig: its path.
            context: the name of the context; by default the current one.

        Raises:
            IcplanError: it cannot be read, or names something that is not there.
        """
        try:
            document = json.loads(kubeconfig.read_text(encoding="utf-8"))
            chosen = _entry(document, "contexts", context or document["current-context"])["context"]
            cluster = _entry(document, "clusters", chosen["cluster"])["cluster"]
            user = _entry(document, "users", chosen["user"])["user"]
            server = urlsplit(cluster["server"])
            self._token = str(user.get("token", ""))
            self._tls = _tls(cluster, user, kubeconfig.parent)
        except (OSError, ValueError, KeyError, TypeError, ssl.SSLError) as error:
            raise IcplanError(
                "kubeconfig of the stand-in",
                place=str(kubeconfig),
                cause=f"cannot be used: {error!r}",
                cure="give one of JSON that has the context, its cluster and its user",
            ) from error
        self._host, self._port = server.hostname or "", server.port or 443
        self._connection: http.client.HTTPSConnection | None = None

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def read(self) -> ZoneInputs:
        """The ConfigMap, the Nodes and the Subnets as they are now."""
        config_map = self._get(_CONFIG_MAP_PATH)
        nodes = self._get(_NODES_PATH) or {}
        subnets = self._get(_SUBNETS_PATH) or {}
        return ZoneInputs(
            None if config_map is None else dict(config_map.get("data") or {}),
            {each["metadata"]["name"]: _node(each) for each in nodes.get("items") or ()},
            {
                each["metadata"]["name"]: dict(each.get("spec") or {})
                for each in subnets.get("items") or ()
            },
        )

    def set_gateway_label(self, node: str, value: str) -> None:
        """Set the gateway label of a Node; one that has the value is not touched."""
        path = f"{_NODES_PATH}/{quote(node, safe='')}"
        found = self._get(path)
        if found is None:
            raise RoundFailed(f"Node {node}", "there is no such Node", place=self._host)
        if (found["metadata"].get("labels") or {}).get(GATEWAY_LABEL) == value:
            return
        patch = {"metadata": {"labels": {GATEWAY_LABEL: value}}}
        self._call("PATCH", path, patch)

    def deployment_environment(self, name: str) -> dict[str, str] | None:
        """The environment of a Deployment's first container; none when there is no Deployment."""
        path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{quote(name, safe='')}"
        found = self._get(path)
        if found is None:
            return None
        container = found["spec"]["template"]["spec"]["containers"][0]
        return {each["name"]: str(each.get("value", "")) for each in container.get("env") or ()}

    def _get(self, path: str) -> dict[str, Any] | None:
        status, document = self._exchange("GET", path, None)
        if status == http.HTTPStatus.NOT_FOUND:
            return None
        return self._checked("GET", path, status, document)

    def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._checked(method, path, *self._exchange(method, path, body))

    def _checked(
        self, method: str, path: str, status: int, document: dict[str, Any]
    ) -> dict[str, Any]:
        if status >= http.HTTPStatus.BAD_REQUEST:
            raise self._failed(f"{method} {path}", f"{status}: {document.get('message', '')}")
        return document

    def _exchange(
        self, method: str, path: str, body: dict[str, Any] | None
    ) -> tuple[int, dict[str, Any]]:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if body is not None:
            headers["Content-Type"] = "application/merge-patch+json"
        try:
            if self._connection is None:
                self._connection = http.client.HTTPSConnection(
                    self._host, self._port, timeout=_TIMEOUT_SECONDS, context=self._tls
                )
            self._connection.request(method, path, json.dumps(body) if body else None, headers)
            answer = self._connection.getresponse()
            text = answer.read()
            return answer.status, dict(json.loads(text))
        except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
            # The next call connects anew: the server may have been restarted.
            self.close()
            raise self._failed(f"{method} {path}", str(error) or repr(error)) from error

    def _failed(self, what: str, cause: str) -> RoundFailed:
        return RoundFailed(what, cause, place=f"https://{self._host}:{self._port}")


def _entry(document: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    for each in document[kind]:
        if each["name"] == name:
            return dict(each)
    raise KeyError(f"{kind}: {name}")


def _tls(cluster: dict[str, Any], user: dict[str, Any], folder: Path) -> ssl.SSLContext:
    # Paths in a kubeconfig are relative to it.
    context = ssl.create_default_context()
    if "certificate-authority-data" in cluster:
        text = base64.b64decode(cluster["certificate-authority-data"]).decode()
        context = ssl.create_default_context(cadata=text)
    elif "certificate-authority" in cluster:
        path = folder / cluster["certificate-authority"]
        context = ssl.create_default_context(cafile=str(path))
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if "client-certificate" in user:
        context.load_cert_chain(
            str(folder / user["client-certificate"]), str(folder / user["client-key"])
        )
    return context


def _node(document: dict[str, Any]) -> NodeView:
    addresses = (document.get("status") or {}).get("addresses") or ()
    return NodeView(
        dict(document["metadata"].get("labels") or {}),
        tuple(each["address"] for each in addresses if each["type"] == "InternalIP"),
    )
