"""The roles of examples/rbac, brought into a cluster as a user would, and who bears them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from icplan.lab.kubernetes import Cluster
from icplan.lab.kubernetes.users import write_kubeconfig

KUBE_SYSTEM = "kube-system"
FILES = sorted((Path(__file__).parents[1] / "examples" / "rbac").glob("*.yaml"))


def documents() -> list[dict[str, Any]]:
    return [one for file in FILES for one in YAML(typ="safe", pure=True).load_all(file)]


def path_of(document: dict[str, Any]) -> str:
    """Where objects of its kind are made."""
    root = "/api/v1" if document["apiVersion"] == "v1" else f"/apis/{document['apiVersion']}"
    namespace = document["metadata"].get("namespace")
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{place}/{document['kind'].lower()}s"


def token_file(cluster: Cluster, file: Path, account: str) -> Path:
    """A kubeconfig of a ServiceAccount, with a token that the API server has issued."""
    path = f"/api/v1/namespaces/{KUBE_SYSTEM}/serviceaccounts/{account}/token"
    kind = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest"}
    token = cluster.api.create(path, kind | {"spec": {"expirationSeconds": 3600}})
    server = cluster.server
    credentials = {"token": token["status"]["token"]}
    write_kubeconfig(file, cluster.name, server.address, server.certificates.ca, credentials)
    return file


def grant(cluster: Cluster) -> None:
    """Makes everything that the files hold."""
    for one in documents():
        cluster.api.create(path_of(one), one)


def revoke(cluster: Cluster) -> None:
    """Takes all of it away again."""
    for one in reversed(documents()):
        cluster.api.delete(f"{path_of(one)}/{one['metadata']['name']}")
