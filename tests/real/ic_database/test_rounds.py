"""Databases that only had to be started: one run starts them, and then does what rests on them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from icplan.lab import wait_until
from tests.real.ic_database.conftest import TODAY, World
from tests.real.test_destroy import unmark
from tests.real.test_story import learned

pytestmark = pytest.mark.real

Make = Callable[..., World]


@pytest.fixture
def stopped(world: Make) -> World:
    """A world as declared, whose only container was stopped, and a file that wants more."""
    w = world()
    w.write("docker", TODAY)
    w.icplan.apply()
    w.icplan.edit("count: 1", "count: 2")
    w.hosts[0].docker("stop", "ovn-ic-db")
    return w


def switches(w: World) -> set[str]:
    """The transit switches of the IC northbound database."""
    return {*w.nbctl("--bare", "--columns=name", "list", "Transit_Switch").split()}


def test_one_apply_starts_them_and_does_the_rest(stopped: World) -> None:
    plan = stopped.icplan("plan")
    assert "the IC databases do not run" in plan.out
    assert "`icplan apply` starts them" in " ".join(plan.out.split())
    done = stopped.icplan("apply", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    assert done.out.index("~ ic/database/") < done.out.index("+ ic/transit-switch/ts1")
    assert done.out.count("Applied: ") == 2
    assert "The IC databases run now: what rests on them is planned." in done.err
    assert switches(stopped) == {"ts", "ts1"}
    assert stopped.icplan.changes() == {}


def test_one_document_tells_of_both_rounds(stopped: World) -> None:
    done = stopped.icplan("apply", "--auto-approve", "--json")
    assert done.exit == 0, done.err
    document = json.loads(done.out)
    assert document["exit"] == 0
    (first,) = document["started"]["outcomes"]
    assert first == {
        "address": f"ic/database/{stopped.hosts[0].address}",
        "outcome": "done",
    }
    assert "ic/transit-switch/ts1" in {one["address"] for one in document["outcomes"]}


@pytest.mark.parametrize("way", ["saved", "digest"])
def test_what_was_approved_is_one_plan(stopped: World, way: str) -> None:
    icplan = stopped.icplan
    planned = icplan("plan", "--json", "--out", "saved.json")
    digest = json.loads(planned.out)["digest"]
    arguments = ["saved.json"] if way == "saved" else ["--expect-digest", digest]
    done = icplan("apply", *arguments, *(["--json"] if way == "saved" else []))
    assert done.exit == 3, done.out + done.err
    assert "run `icplan plan` again" in done.err
    if way == "saved":
        assert json.loads(done.out)["exit"] == 3
    assert switches(stopped) == {"ts"}
    assert icplan.changes()["ic/transit-switch/ts1"] == "create"


def test_the_second_round_is_asked_about_too(stopped: World) -> None:
    code, said = stopped.icplan.typed("apply", "taken as one: ", ["yes", "no"])
    assert said.count("Apply this plan? Only `yes` is taken as one: ") == 2
    assert code == 3
    assert "the IC databases were started, and nothing else was written" in said
    assert switches(stopped) == {"ts"}


def test_a_second_round_that_is_refused_has_written_before(stopped: World) -> None:
    stopped.icplan.edit("- name: az2\n", "- name: az2\n    state: absent\n")
    done = stopped.icplan("apply", "--auto-approve")
    assert done.exit == 3, done.out + done.err
    assert "limits.deletions allows 0" in done.out
    assert "the IC databases were started, and nothing else was written" in done.err
    assert switches(stopped) == {"ts"}


def test_destroy_starts_them_and_takes_everything_apart(stopped: World) -> None:
    unmark(stopped.lab)
    plan = stopped.icplan("plan", "--destroy")
    assert "`icplan destroy` starts them" in " ".join(plan.out.split())
    done = stopped.icplan("destroy", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    (host,) = stopped.hosts
    assert host.docker("ps", "-aq").strip() == ""
    assert not list(host.etc_ovn.glob("*.db"))
    assert learned(stopped.lab, "az1") == set()
    assert "No changes. Nothing is left" in stopped.icplan("destroy", "--auto-approve").out


def test_destroy_starts_a_cluster_and_takes_everything_apart(world: Make) -> None:
    w = world(3)
    w.write("docker", TODAY)
    w.icplan.apply()
    for host in w.hosts:
        host.docker("kill", "ovn-ic-db")
    unmark(w.lab)
    done = w.icplan("destroy", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    assert not [file for host in w.hosts for file in host.etc_ovn.glob("*.db")]


def test_a_signal_between_the_rounds_has_written_before(stopped: World) -> None:
    running = stopped.icplan.start("apply", "--auto-approve", "--run-log", "run.jsonl")
    log = stopped.icplan.directory / "run.jsonl"
    wait_until(lambda: log.exists() and '"event":"end"' in log.read_text(), "the first is over")
    running.terminate()
    running.communicate(timeout=100)
    assert running.returncode in {0, 3}
    stopped.icplan.apply()
    assert stopped.icplan.changes() == {}
