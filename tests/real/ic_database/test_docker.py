"""The IC databases in a container of a real engine: one host, docker and containerd."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from icplan.lab import wait_until
from tests.real.conftest import kill_at_write
from tests.real.ic_database.conftest import NEWER, OLD, TODAY, IcplanThere, World
from tests.real.test_story import learned

pytestmark = pytest.mark.real

Make = Callable[..., World]
DOCUMENTED = (
    *("--network=host", "-v", "/etc/ovn/:/etc/ovn", "-v", "/var/run/ovn:/var/run/ovn"),
    *("-v", "/var/log/ovn:/var/log/ovn", OLD, "bash", "start-ic-db.sh"),
)


@pytest.mark.parametrize("image", [OLD, TODAY], ids=["old", "today"])
@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_from_nothing_to_an_interconnection(world: Make, runtime: str, image: str) -> None:
    w = world(1, image)
    w.write(runtime, image)
    (host,) = w.hosts
    first = w.icplan("plan", "--detailed-exitcode")
    assert first.exit == 2
    assert f"+ ic/database/{host.address}" in first.out
    assert "Plan: 8 to create, 0 to change, 0 to destroy. No zone disrupted." in first.out
    # Nothing is there, and nothing of it has been made by looking.
    assert not list(host.etc_ovn.iterdir())
    assert w.icplan("verify").exit == 6

    done = w.icplan.apply()
    assert "Applied: 8 of 8 changes written, all evidence seen." in done.out
    assert learned(w.lab, "az1") == {"10.17.0.0/16", "10.117.0.0/24"}
    # Whoever made the switch, it is as both kinds of controllers see it, and ours.
    keys = w.nbctl("get", "Transit_Switch", "ts", "external_ids")
    assert "vendor=kube-ovn" in keys
    assert "icplan=lab" in keys

    assert w.icplan("plan", "--detailed-exitcode").exit == 0
    verified = w.icplan("verify")
    assert verified.exit == 0, verified.out


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_another_image_takes_the_place_of_the_first(world: Make, runtime: str) -> None:
    w = world(1, TODAY, NEWER)
    w.write(runtime, TODAY)
    w.icplan.apply()
    w.icplan.edit(TODAY, NEWER)
    (host,) = w.hosts
    address = f"ic/database/{host.address}"
    plan = w.icplan("plan")
    assert w.icplan.changes() == {address: "update"}
    assert "the IC databases are away for seconds" in plan.out
    assert "No zone disrupted" in plan.out
    w.icplan.apply()
    assert w.icplan.changes() == {}
    # What they held is still there, and so are the routes.
    assert "az2" in w.sbctl("show")
    assert learned(w.lab, "az2") == {"10.16.0.0/16"}
    assert w.icplan("verify").exit == 0


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_what_stops_or_vanishes_is_started_with_its_data(world: Make, runtime: str) -> None:
    w = world()
    w.write(runtime, TODAY)
    w.icplan.apply()
    (host,) = w.hosts
    address = f"ic/database/{host.address}"
    for gone in (False, True):
        if runtime == "docker":
            host.docker(*(("rm", "-f") if gone else ("kill",)), "ovn-ic-db")
        else:
            host.ctr("tasks", "delete", "--force", "ovn-ic-db")
            if gone:
                host.ctr("containers", "delete", "ovn-ic-db")
        seen = w.icplan("plan", "--json")
        assert seen.exit == 0, seen.err
        assert w.icplan.changes() == {address: "create" if gone else "update"}
        assert "IC090" in seen.out
        verified = w.icplan("verify")
        assert verified.exit == 1
        assert address in verified.out
        w.icplan.apply()
        assert w.icplan.changes() == {}
        assert w.icplan("verify").exit == 0
        assert "az2" in w.sbctl("show")


def test_a_container_by_hand_is_taken_over_without_a_restart(world: Make) -> None:
    w = world(1, OLD)
    (host,) = w.hosts
    host.docker("run", "--name=ovn-ic-db", "-d", *DOCUMENTED)
    made = host.docker("inspect", "--format", "{{.Id}}", "ovn-ic-db")
    w.write("docker", OLD)
    wait_until(lambda: w.icplan("plan").exit == 0, "the container by hand answers")
    plan = w.icplan("plan")
    assert f"ic/database/{host.address}" not in w.icplan.changes()
    assert "= ic/transit-switch/ts" in plan.out
    assert "IC092" in plan.out
    w.icplan.apply()
    assert host.docker("inspect", "--format", "{{.Id}}", "ovn-ic-db") == made
    assert w.icplan.changes() == {}


def test_containerd_marks_a_container_that_runs(world: Make) -> None:
    w = world(1, OLD)
    (host,) = w.hosts
    mounts = (
        f"--mount=type=bind,src={source},dst={inside},options=rbind:rw"
        for source, inside in (
            ("/etc/ovn/", "/etc/ovn"),
            ("/var/run/ovn", "/var/run/ovn"),
            ("/var/log/ovn", "/var/log/ovn"),
        )
    )
    image = f"docker.io/{OLD}"
    host.ctr("run", "-d", "--net-host", *mounts, image, "ovn-ic-db", "bash", "start-ic-db.sh")
    before = host.ctr("tasks", "ls")
    w.write("containerd", OLD)
    address = f"ic/database/{host.address}"
    wait_until(lambda: w.icplan("plan").exit == 0, "the container by hand answers")
    assert w.icplan.changes()[address] == "adopt"
    w.icplan.apply()
    assert host.ctr("tasks", "ls") == before
    labels = json.loads(host.ctr("containers", "info", "ovn-ic-db"))["Labels"]
    assert labels["icplan/owner"] == "lab"
    assert w.icplan.changes() == {}
    # Now another file keeps away from it.
    w.icplan.edit("metadata: {name: lab}", "metadata: {name: stage}")
    refused = w.icplan("plan")
    assert refused.exit == 4
    assert f"{address} belongs to the file named lab" in refused.out


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_on_the_host_itself(world: Make, runtime: str) -> None:
    w = world()
    (host,) = w.hosts
    w.write(runtime, TODAY)
    text = w.icplan.file.read_text()
    # No engine is given: the one of this machine. And by its socket.
    start = text.index(", engines:")
    w.icplan.file.write_text(text[:start] + text[text.index("}}", start) + 1 :])
    here = IcplanThere(w.icplan.directory, w.icplan.file, host)
    first = here("plan", "--json")
    # The zones' databases are on the machine, and out of reach from the host.
    assert f"ic/database/{host.address}" in first.out, first.out + first.err
    assert "engine" not in first.err


def test_an_interrupted_run_goes_on(world: Make) -> None:
    w = world(1, TODAY, NEWER)
    w.write("docker", TODAY)
    kill_at_write(w.icplan, 1)
    w.icplan.apply()
    w.icplan.edit(TODAY, NEWER)
    kill_at_write(w.icplan, 1)
    for _ in range(3):
        if not w.icplan.changes():
            break
        w.icplan.apply()
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0


def test_what_stands_in_the_way_is_named(world: Make) -> None:
    w = world()
    (host,) = w.hosts
    w.write("docker", "kubeovn/kube-ovn:v1.99.0")
    refused = w.icplan("apply", "--auto-approve")
    assert refused.exit == 1, refused.out + refused.err
    assert "the image kubeovn/kube-ovn:v1.99.0 is not there and cannot be pulled" in refused.err
    w.write("docker", TODAY)
    w.engines.ssh.stop_server(host)
    unseen = w.icplan("plan")
    assert unseen.exit == 1
    assert "ssh finds nobody who listens there" in unseen.out
    w.engines.ssh.start_server(host)
    host.stop_engine("docker")
    unseen = w.icplan("plan")
    assert unseen.exit == 1
    assert "its daemon does not answer" in unseen.out
    host.start_engine("docker")
    # Somebody else listens there.
    host.ctr(
        *("run", "-d", "--net-host", "--env=ENABLE_OVN_LEADER_CHECK=false"),
        *(f"docker.io/{TODAY}", "somebody", "bash", "start-ic-db.sh"),
    )
    wait_until(lambda: "IC058" in w.icplan("plan").out, "somebody else answers")
    assert w.icplan("apply", "--auto-approve").exit == 4
