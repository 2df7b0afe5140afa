"""When icplan begins new databases, and when it keeps away: somebody else's, filtered, lost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from icplan.backends.failures import WriteRefused
from icplan.cli.planning import open_databases
from icplan.core.change import Action
from icplan.core.engines import RunContainer
from icplan.kinds import kind_of
from icplan.lab import wait_until
from icplan.lab.engines.host import EngineHost
from icplan.planning.plan import make_plan
from icplan.run.observe import observe
from icplan.spec.load import read
from tests.real.ic_database.conftest import TODAY, IcplanThere, World
from tests.real.test_story import learned

pytestmark = pytest.mark.real

Make = Callable[..., World]

LISTEN = (
    "import socket, sys; s = socket.create_server(('', {port})); print('up', flush=True); "
    "sys.stdin.read()"
)


@contextmanager
def program(host: EngineHost, port: int) -> Iterator[None]:
    """A process of the host that listens and never answers."""
    with subprocess.Popen(
        host.inside([sys.executable, "-c", LISTEN.format(port=port)]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        try:
            yield
        finally:
            # It ends with its input: a signal would only end what has entered the host.
            process.communicate()


def test_databases_by_hand_in_the_clusters_namespace_are_left_alone(world: Make) -> None:
    w = world()
    w.write("containerd", TODAY)
    w.icplan.apply()
    (host,) = w.hosts
    host.ctr("tasks", "delete", "--force", "ovn-ic-db")
    host.ctr("containers", "delete", "ovn-ic-db")
    # As Kube-OVN's documentation has it, too: on the same files.
    w.engines.load(TODAY, namespace="k8s.io", into=["containerd"])
    host.ctr(
        *("run", "-d", "--net-host", "--privileged", "--env=ENABLE_OVN_LEADER_CHECK=false"),
        *(
            f"--mount=type=bind,src=/{each},dst=/{each},options=rbind:rw"
            for each in ("etc/ovn", "var/run/ovn", "var/log/ovn")
        ),
        *(f"docker.io/{TODAY}", "ovn-ic-db", "bash", "start-ic-db.sh"),
        namespace="k8s.io",
    )
    wait_until(lambda: "IC databases answer" in w.icplan("plan").out, "they answer")
    refused = w.icplan("apply", "--auto-approve")
    assert refused.exit == 4
    assert "a container ovn-ic-db runs in its namespace k8s.io" in " ".join(refused.out.split())
    # They hang: what is seen of them is a container.
    host.ctr("tasks", "pause", "ovn-ic-db", namespace="k8s.io")
    seen = w.icplan("plan", "--timeout", "10")
    assert f"ic/database/{host.address}" not in w.icplan("plan", "--timeout", "10", "--json").out
    assert "IC058" in seen.out
    assert "Nothing can be planned for:" in seen.out
    host.ctr("tasks", "resume", "ovn-ic-db", namespace="k8s.io")
    assert host.ctr("containers", "ls", "-q").strip() == ""


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_who_comes_between_the_plan_and_the_write_is_seen(world: Make, runtime: str) -> None:
    w = world()
    w.write(runtime, TODAY)
    (host,) = w.hosts
    spec = read(w.icplan.file.read_bytes(), str(w.icplan.file))
    with open_databases(spec, 20.0) as databases:
        made = make_plan(spec, observe(databases, spec))
        (change,) = (one for one in made.changes if one.address.kind == "database")
        assert change.action is Action.CREATE
        (step,) = kind_of("database").steps(change, made.view)
        operation = step.operation
        assert isinstance(operation, RunContainer)
        with program(host, 6646):
            with pytest.raises(WriteRefused) as failure:
                databases.engines[operation.engine].write(operation)
            assert "somebody listens at 6646" in failure.value.cause
            assert not list(host.etc_ovn.iterdir())
            seen = w.icplan("plan", "--timeout", "10")
            assert seen.exit == 1
            assert f"somebody listens on {host.address} at 6646" in " ".join(seen.out.split())
    w.icplan.apply()


def test_behind_a_firewall_nobody_is_absent(world: Make) -> None:
    w = world()
    # By its socket: what listens on the host is not seen from here.
    w.write("docker", TODAY, here=True)
    (host,) = w.hosts
    drop = ("INPUT", "-p", "tcp", "--dport", "6645:6646", "-j", "DROP")
    host.run("iptables", "-A", *drop)
    seen = w.icplan("plan", "--timeout", "10")
    assert seen.exit == 1
    said = " ".join(seen.out.split())
    assert "without an answer it is not known whether somebody else does" in said
    assert "did not accept a connection" in said
    assert "ic/database" not in seen.out
    host.run("iptables", "-D", *drop)
    assert w.icplan.changes()[f"ic/database/{host.address}"] == "create"


def test_the_engine_of_this_machine_is_not_that_of_another_host(world: Make) -> None:
    w = world(2)
    first, second = w.hosts
    w.write("docker", TODAY)
    text = w.icplan.file.read_text()
    start = text.index(", engines:")
    text = text[:start] + text[text.index("}}", start) + 1 :]
    w.icplan.file.write_text(text.replace(f", {second.address}]", "]"))
    there = IcplanThere(w.icplan.directory, w.icplan.file, second)
    seen = there("plan", "--timeout", "10")
    assert seen.exit == 1
    said = " ".join(seen.out.split())
    assert f"{first.address} is no address of this machine" in said
    assert f"add `engines: {{{first.address}: ssh://root@{first.address}}}`" in said
    assert "+ ic/database/" not in seen.out
    assert there("apply", "--auto-approve", "--timeout", "10").exit == 1
    assert not list(second.etc_ovn.iterdir())


def test_lost_databases_of_interconnected_zones_begin_anew_loudly(world: Make) -> None:
    w = world()
    w.write("docker", TODAY, more="limits: {disruptedZones: 2}\n")
    w.icplan.apply()
    (host,) = w.hosts
    host.docker("rm", "-f", "ovn-ic-db")
    host.run("sh", "-c", "rm -f /etc/ovn/*.db")
    w.icplan.edit("disruptedZones: 2", "disruptedZones: 1")
    refused = w.icplan("apply", "--auto-approve")
    assert refused.exit == 4
    assert "IC081" in refused.out
    said = " ".join(refused.out.split())
    assert "az1 holds 2 learned routes; az2 holds 1 learned route" in said
    assert "may be cut off from all other zones" in said
    assert not list(host.etc_ovn.glob("*.db"))
    w.icplan.edit("disruptedZones: 1", "disruptedZones: 2")
    for _ in range(2):
        # What ovn-ic took away before the new switch was there is made again.
        if w.icplan("apply", "--auto-approve").exit == 0:
            break
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0
    assert learned(w.lab, "az1") == {"10.17.0.0/16", "10.117.0.0/24"}
