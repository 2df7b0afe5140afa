"""The examples that run the IC databases start what Kube-OVN's documentation tells people to type.

And they are applied: on real engines, with the zones of a lab in the place of the clusters.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from icplan.backends.engines import containerd, docker
from icplan.core import snapshot
from icplan.core.address import Address
from icplan.core.engines import RunContainer
from icplan.core.kubernetes import CreateObject
from icplan.kinds import kind_of
from icplan.planning.plan import Plan, make_plan
from icplan.spec.load import read
from tests.real.conftest import short_path
from tests.real.ic_database.conftest import OLD, TODAY, World, world

__all__ = ["short_path", "world"]

ROOT = Path(__file__).parents[2]
DOCUMENTED = Path(__file__).parent / "documented"
CASES = ROOT / "tests" / "cases"


def example(name: str) -> str:
    return (ROOT / "examples" / name / "interconnect.yaml").read_text(encoding="utf-8")


def plan(text: str, case: str) -> Plan:
    seen = (CASES / case / "snapshot.json").read_bytes()
    return make_plan(read(text.encode(), "interconnect.yaml"), snapshot.decode(seen))


def started(made: Plan) -> list[RunContainer]:
    """What the plan starts, in order."""
    operations = [
        step.operation
        for change in made.changes
        for step in kind_of(change.address.kind).steps(change, made.view)
    ]
    return [one for one in operations if isinstance(one, RunContainer)]


def typed(file: str) -> list[str]:
    """A documented command, as a shell takes it apart."""
    return shlex.split((DOCUMENTED / file).read_text(encoding="utf-8"))


def test_the_docker_command_is_the_documented_one() -> None:
    (run,) = started(plan(example("ic-database-docker"), "ic_database/first-plan"))
    words = ["docker", *docker.arguments(run, run.image)]
    words.remove("--label=icplan/owner=ic-database-docker")
    assert words == typed("docker.txt")


def test_the_ctr_command_is_the_documented_one() -> None:
    seen = "ic_database/containerd-first-plan"
    (run,) = started(plan(example("ic-database-containerd"), seen))
    words = ["ctr", *containerd.arguments(run, run.image)]
    words.remove("--label=icplan/owner=ic-database-containerd")
    assert words == typed("ctr.txt")


def test_each_member_of_a_cluster_is_told_who_it_is_and_who_they_are() -> None:
    runs = started(plan(example("raft"), "ic_database/raft-first-plan"))
    hosts = [f"192.168.65.{number}" for number in (3, 4, 5)]
    assert [one.engine.host for one in runs] == hosts
    for run in runs:
        assert dict(run.environment) == {
            "ENABLE_OVN_LEADER_CHECK": "false",
            "ENABLE_SSL": "false",
            "LOCAL_IP": run.engine.host,
            "NODE_IPS": ",".join(hosts),
            "OVN_IC_NB_DB": ",".join(f"tcp:[{one}]:6645" for one in hosts),
            "POD_IP": run.engine.host,
        }
        assert run.privileged


@pytest.mark.parametrize("name", ["raft", "external"])
def test_every_cluster_dials_all_members(name: str) -> None:
    text = example(name).replace("az1-gw]", "az1-gw1]").replace("az2-gw]", "az2-gw1]")
    made = plan(text, "ic_config/first-plan")
    for zone in ("az1", "az2"):
        address = Address(zone, "ic-config")
        change = next(one for one in made.changes if one.address == address)
        (step,) = kind_of("ic-config").steps(change, made.view)
        assert isinstance(step.operation, CreateObject)
        data = step.operation.body["data"]
        assert isinstance(data, dict)
        assert data["ic-db-host"] == "192.168.65.3,192.168.65.4,192.168.65.5"


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "image", "count"),
    [
        ("ic-database-docker", OLD, 1),
        ("ic-database-containerd", OLD, 1),
        ("raft", TODAY, 3),
        ("external", TODAY, 3),
    ],
)
def test_it_is_applied(world: Callable[..., World], name: str, image: str, count: int) -> None:
    w = world(count, image)
    zones = w.lab.interconnect_file.read_text().partition("availabilityZones:")[2]
    text = example(name).partition("availabilityZones:")[0] + f"availabilityZones:{zones}"
    for number, host in enumerate(w.hosts, start=3):
        text = text.replace(f"192.168.65.{number}", host.address)
    if name == "external":
        # Somebody else: another file, that icplan is not told about again.
        w.write("docker", image)
        zones = w.icplan.file.read_text()
        w.icplan.apply()
        for host in w.hosts:
            assert host.docker("ps", "-q")
        text = text.replace("name: external", "name: lab")
    w.icplan.file.write_text(text)
    assert w.icplan("plan").exit == 0
    w.icplan.apply()
    assert w.icplan.changes() == {}
    verified = w.icplan("verify")
    assert verified.exit == 0, verified.out
