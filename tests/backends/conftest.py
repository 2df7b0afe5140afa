"""What the tests of the client share: servers that are empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icplan.backends.ovsdb import Client
from icplan.lab import StandaloneDatabases
from tests.ovsdb import AZ1, Eyes, endpoint, standalone


@pytest.fixture(scope="session")
def servers() -> Iterator[StandaloneDatabases]:
    with standalone() as databases:
        yield databases


@pytest.fixture
def databases(servers: StandaloneDatabases) -> StandaloneDatabases:
    """az1, az2 and their interconnection, empty."""
    servers.reset()
    return servers


@pytest.fixture
def eyes(databases: StandaloneDatabases) -> Iterator[Eyes]:
    """On az1's northbound database."""
    eyes = Eyes(databases.zones["az1"].northbound.unix)
    yield eyes
    eyes.close()


@pytest.fixture
def client(databases: StandaloneDatabases) -> Iterator[Client]:
    """icplan's client of az1's northbound database."""
    client = Client(AZ1, [endpoint(databases.zones["az1"].northbound.unix)])
    yield client
    client.close()
