"""The worlds that the cases are gone through in: made once, begun anew for each case."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, StandaloneDatabases
from tests.conformance.in_process import InProcessWorld
from tests.conformance.program import NamedController, ProgramWorld, named_here
from tests.conformance.world import World
from tests.lab.conftest import processes_mentioning


@contextmanager
def program_world(named: NamedController) -> Iterator[ProgramWorld]:
    """Two clusters of the lab, with a named program for each."""
    options = LabOptions(kubernetes=True, gateways=3, workers=0)
    with _directory() as directory, Lab(directory, options) as lab:
        world = ProgramWorld(lab, named)
        try:
            yield world
        finally:
            world.close()


@contextmanager
def in_process_world() -> Iterator[InProcessWorld]:
    """Two zones with the stand-in in this process."""
    with _directory() as directory, StandaloneDatabases(directory) as databases:
        world = InProcessWorld(databases)
        try:
            yield world
        finally:
            world.close()


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """The stand-in in this process, or what the environment names."""
    named = named_here()
    with program_world(named) if named else in_process_world() as made:
        yield made


@contextmanager
def _directory() -> Iterator[Path]:
    """A folder for a lab; its name is short, as sockets need it. Nothing of it may be left."""
    with tempfile.TemporaryDirectory(prefix="icl-") as parent:
        path = Path(parent).resolve() / "lab"
        yield path
        assert processes_mentioning(path) == []
        assert list(Path(parent).iterdir()) == []
