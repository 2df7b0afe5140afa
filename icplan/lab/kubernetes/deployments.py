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
    nodes = sorted(client.list("/api/v1/nodes"), key=lambda each: str(each["metadata"]["name"]))
    for each in pods:
        if "pod-template-hash" in each["metadata"].get("labels", {}) and not any(
            _owns(deployment, each) for deployment in deployments
        ):
            _end(client, each)
    for deployment in deployments:
        living = [each for each in pods if _owns(deployment, each)]
        _pods_of(client, deployment, living, nodes)
        _leaders_of(client, deployment, living)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        status = deployment_status(deployment, living, now)
        if status != deployment.get("status"):
            client.replace(f"{_path(deployment)}/status", deployment | {"status": status})


def _pods_of(
    client: ApiClient, deployment: Json, living: Sequence[Json], nodes: Sequence[Json]
) -> None:
    """Make the pods that are missing and delete those that are too many or of an old template."""
    digest, wanted = template_hash(deployment), deployment["spec"]["replicas"]
    current = [each for each in living if each["metadata"]["labels"]["pod-template-hash"] == digest]
    old = [each for each in living if each not in current]
    ending = _ending(deployment, current, old)
    for each in ending:
        _end(client, each)
    # What ends makes room for others in the next round.
    homes = [] if ending else _homes(deployment, living, nodes)
    namespace = deployment["metadata"]["namespace"]
    for home in homes[: max(0, wanted - len(living))]:
        body = pod(deployment, secrets.token_hex(3)[:5], home)
        client.create(f"/api/v1/namespaces/{namespace}/pods", body)


def _ending(deployment: Json, current: Sequence[Json], old: Sequence[Json]) -> list[Json]:
    """The pods to be deleted now: those too many, then the old ones, all or one at a time."""
    wanted = deployment["spec"]["replicas"]
    surplus = max(0, len(current) + len(old) - wanted)
    ordered = [*sorted(old, key=is_ready), *reversed(current)]
    if not _one_by_one(deployment):
        return [*old, *current[wanted:]]
    if surplus:
        return ordered[:surplus]
    broken = [each for each in old if not is_ready(each)]
    if broken:
        return broken
    complete = all(is_ready(each) for each in current) and len(current) + len(old) == wanted
    return list(old[:1]) if complete else []


def _one_by_one(deployment: Json) -> bool:
    """Whether a rollout lets no new pod run beside all the old ones."""
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
    return bool(rolling.get("maxSurge") == 0)


def _homes(deployment: Json, living: Sequence[Json], nodes: Sequence[Json]) -> list[str]:
    """Where new pods of a Deployment go, one after the other: free nodes first, if others may."""
    spec = deployment["spec"]["template"]["spec"]
    chosen = deployment["metadata"].get("annotations", {}).get(NODES)
    selector = spec.get("nodeSelector", {})
    homes = (
        chosen.split(",")
        if chosen
        else [
            each["metadata"]["name"]
            for each in nodes
            if selector.items() <= each["metadata"].get("labels", {}).items()
        ]
    )
    taken = [each["spec"]["nodeName"] for each in living]
    free = [home for home in homes if home not in taken]
    alone = spec.get("affinity", {}).get("podAntiAffinity", {})
    if alone or not homes:
        return free
    return [*free, *itertools.islice(itertools.cycle(homes), deployment["spec"]["replicas"])]


def _end(client: ApiClient, one: Json) -> None:
    with contextlib.suppress(IcplanError):  # it may be gone by itself
        client.delete(_path(one))


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
