"""What the tests of the Kubernetes client share: a real API server, and eyes of their own on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from icplan.backends.kubernetes.configuration import Access
from icplan.backends.kubernetes.objects import Objects
from icplan.core.kubernetes import Resource, config_maps
from icplan.lab import Lab, LabOptions
from icplan.lab.kubernetes import ApiClient, Cluster, KubernetesZone, tools
from icplan.lab.kubernetes.cluster import CONFIG_MAPS

CONFIG = config_maps("az1", "kube-system")["probe"]
CONFIG_PATH = f"{CONFIG_MAPS}/probe"


@pytest.fixture(scope="session")
def zone(request: pytest.FixtureRequest) -> Iterator[KubernetesZone]:
    """A zone that the tests share; each leaves it as it found it."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        tools.find_all()
    with tempfile.TemporaryDirectory(prefix="icl-") as parent:
        directory = Path(parent).resolve() / "lab"
        with Lab(directory, LabOptions(zones=("az1",), kubernetes=True)) as lab:
            yield lab.clusters["az1"]


@pytest.fixture
def cluster(zone: KubernetesZone) -> Cluster:
    return zone.cluster


@pytest.fixture
def api(cluster: Cluster) -> ApiClient:
    """What somebody else sees and does; shares no code with icplan's client."""
    return cluster.api


@pytest.fixture
def objects(cluster: Cluster) -> Iterator[Objects]:
    """icplan's client of az1."""
    objects = Objects(access(cluster.kubeconfig()))
    yield objects
    objects.close()


def access(file: Path) -> Access:
    return Access("az1", "az1", file)


class Found:
    """A ConfigMap that was there before icplan.

    Attributes:
        resource: its name for icplan.
        uid: its uid.
    """

    def __init__(self, api: ApiClient, data: dict[str, str]) -> None:
        self._api = api
        self.resource: Resource = CONFIG
        self.uid = self.create(data)

    def create(self, data: dict[str, str]) -> str:
        """Makes it; its uid."""
        made = self._api.create(CONFIG_MAPS, {"metadata": {"name": "probe"}, "data": data})
        return str(made["metadata"]["uid"])

    def change(self, patch: dict[str, Any]) -> None:
        """Changes it as somebody else."""
        self._api.patch(CONFIG_PATH, patch)

    def delete(self) -> None:
        """Deletes it as somebody else."""
        self._api.delete(CONFIG_PATH)

    def now(self) -> dict[str, Any]:
        """What is there."""
        return self._api.get(CONFIG_PATH)


@pytest.fixture
def found(api: ApiClient) -> Iterator[Found]:
    yield Found(api, {"az-name": "az1", "gw-nodes": "n1"})
    if api.get_if_exists(CONFIG_PATH) is not None:
        api.delete(CONFIG_PATH)


@pytest.fixture
def absent(api: ApiClient) -> Iterator[Resource]:
    """A ConfigMap that is not there; removed if the test made it."""
    yield CONFIG
    if api.get_if_exists(CONFIG_PATH) is not None:
        api.delete(CONFIG_PATH)
