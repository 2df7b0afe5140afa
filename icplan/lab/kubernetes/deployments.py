"""A process that does for a lab's cluster what the controller manager and the scheduler would.

Only for Deployments: their pods, put on nodes, and their status; and it gives the labels of
leaders, as Kube-OVN's own leader checks do.
"""

from __future__ import annotations

import contextlib
import itertools
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.errors import IcplanError
from icplan.lab.background import serve
from icplan.lab.kubernetes.client import ApiClient
from icplan.lab.kubernetes.objects import (
    LEADERS,
    NODES,
    deployment_status,
    is_ready,
    pod,
    template_hash,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from icplan.lab.kubernetes.client import Json

_PAUSE_SECONDS = 0.3
_DEPLOYMENTS = "/apis/apps/v1/deployments"
_PODS = "/api/v1/pods"


def reconcile(client: ApiClient) -> None:
    """Do once what is to be done.

    Raises:
        IcplanError: the API server refused or cannot be reached; the next round goes on.
    """
    deployments = client.list(_DEPLOYMENTS)
    pods = client.list(_PODS)
    nodes = sorted(each["metadata"]["name"] for each in client.list("/api/v1/nodes"))
    for deployment in deployments:
        living = [each for each in pods if _owns(deployment, each)]
        _pods_of(client, deployment, living, nodes)
        _leaders_of(client, deployment, living)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = deployment_status(deployment, living, now)
        if status != deployment.get("status"):
            client.replace(f"{_path(deployment)}/status", deployment | {"status": status})


def _pods_of(
    client: ApiClient, deployment: Json, living: Sequence[Json], nodes: Sequence[str]
) -> None:
    """Make the pods that are missing and delete those that are too many or of an old template."""
    digest, wanted = template_hash(deployment), deployment["spec"]["replicas"]
    chosen = deployment["metadata"].get("annotations", {}).get(NODES)
    homes = chosen.split(",") if chosen else nodes
    current = [each for each in living if each["metadata"]["labels"]["pod-template-hash"] == digest]
    old = [each for each in living if each not in current]
    for each in [*old, *current[wanted:]]:
        client.delete(_path(each))
    if not homes:
        return
    taken = [each["spec"]["nodeName"] for each in current]
    free = itertools.chain((home for home in homes if home not in taken), itertools.cycle(homes))
    namespace = deployment["metadata"]["namespace"]
    for _ in range(wanted - len(current)):
        body = pod(deployment, secrets.token_hex(3)[:5], next(free))
        client.create(f"/api/v1/namespaces/{namespace}/pods", body)


def _leaders_of(client: ApiClient, deployment: Json, living: Sequence[Json]) -> None:
    """Give each leader's label to a ready pod when none has it."""
    labels = deployment["metadata"].get("annotations", {}).get(LEADERS, "")
    ready = [each for each in living if is_ready(each)]
    for label in filter(None, labels.split(",")):
        if ready and not any(label in each["metadata"]["labels"] for each in living):
            change = {"metadata": {"labels": {label: "true"}}}
            client.patch(_path(ready[0]), change)


def _owns(deployment: Json, one: Json) -> bool:
    metadata, labels = one["metadata"], one["metadata"].get("labels", {})
    wanted = deployment["spec"]["selector"]["matchLabels"]
    return (
        metadata["namespace"] == deployment["metadata"]["namespace"]
        and "deletionTimestamp" not in metadata
        and "pod-template-hash" in labels
        and wanted.items() <= labels.items()
    )


def _path(thing: Json) -> str:
    metadata = thing["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    if "template" in thing["spec"]:
        return f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def _prepare() -> Callable[[], None]:
    client = ApiClient.from_kubeconfig(Path(sys.argv[1]))

    def work() -> None:
        while True:
            # An object may be gone or changed between reading and writing, and the API server may
            # be down for a test: the next round sees what is.
            with contextlib.suppress(IcplanError):
                reconcile(client)
            time.sleep(_PAUSE_SECONDS)

    return work


if __name__ == "__main__":
    serve(_prepare)
