"""The last step of all: containers and files go, once nobody is registered any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from icplan.backends.databases import Databases
from icplan.backends.failures import WriteRefused
from icplan.cli.planning import open_databases
from icplan.core.engines import RemoveContainer
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Missing, Step
from icplan.ovn.facts import decode
from icplan.planning.plan import make_plan
from icplan.run.observe import observe, read
from icplan.spec.load import Spec
from icplan.spec.load import read as read_file
from tests.real.ic_database.conftest import TODAY, World

pytestmark = pytest.mark.real


def removal(spec: Spec, databases: Databases) -> Step:
    """The step that takes the only host's databases away."""
    made = make_plan(spec, observe(databases, spec))
    (change,) = (one for one in made.changes if one.address.kind == "database")
    assert made.waves[-1].changes == (change,)
    (step,) = kind_of("database").steps(change, made.view)
    return step


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_a_container_and_its_files_are_removed(world: Callable[..., World], runtime: str) -> None:
    w = world()
    w.write(runtime, TODAY)
    w.icplan.apply()
    (host,) = w.hosts
    file = w.icplan.file
    spec = replace(read_file(file.read_bytes(), str(file)), destroyed=True)
    with open_databases(spec, 20.0) as databases:
        step = removal(spec, databases)
        (guard,) = step.guards
        verdict = guard.check.holds(decode(read(databases, guard.queries)))
        assert isinstance(verdict, Missing)
        assert "still registered in the IC databases: az1, az2" in verdict.why
        operation = step.operation
        assert isinstance(operation, RemoveContainer)
        engine = databases.engines[operation.engine]
        with pytest.raises(WriteRefused, match="another one"):
            engine.write(replace(operation, id="another"))
        assert len(list(host.etc_ovn.glob("*.db"))) == 2
        engine.write(operation)
        assert not list(host.etc_ovn.glob("*.db"))
        if runtime == "docker":
            assert not host.docker("ps", "-aq")
        else:
            assert not host.ctr("containers", "ls", "-q").strip()
            assert not host.ctr("tasks", "ls", "-q").strip()
        # Done already: nothing is there any more.
        made = make_plan(spec, observe(databases, spec))
        assert not [one for one in made.changes if one.address.kind == "database"]
