"""What the tests of a run share: servers that are empty at the start of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icplan.lab import StandaloneDatabases
from tests.ovsdb import standalone


@pytest.fixture(scope="session")
def servers() -> Iterator[StandaloneDatabases]:
    with standalone() as databases:
        yield databases


@pytest.fixture
def real(servers: StandaloneDatabases) -> StandaloneDatabases:
    """az1, az2 and their interconnection, empty."""
    servers.reset()
    return servers
