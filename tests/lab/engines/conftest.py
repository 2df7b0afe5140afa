"""What the tests of engine hosts share: hosts, the documented commands, what may not be left."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.errors import IcplanError
from icplan.lab.engines import Behaviour, EngineHost, Engines
from icplan.lab.folder import lab_id
from icplan.lab.namespaces import namespaces_of
from icplan.lab.waiting import wait_until
from tests.lab.conftest import processes_mentioning
from tests.real.conftest import demand_namespaces

OLD = "kubeovn/kube-ovn:v1.7.1"
TODAY = "kubeovn/kube-ovn:v1.14.0"
NAME = "ovn-ic-db"
LEADERLESS_SECONDS = 60.0
"""A raft without its leader: 8 to 16 s (docs/facts.md section 10), and a busy machine is slow."""

# As the documentation writes it, the name of the image and the variables aside.
DOCKER = (
    "run --name=ovn-ic-db -d --network=host --privileged -v /etc/ovn/:/etc/ovn "
    "-v /var/run/ovn:/var/run/ovn -v /var/log/ovn:/var/log/ovn"
)
CTR = (
    "run -d --net-host --privileged "
    "--mount=type=bind,src=/etc/ovn/,dst=/etc/ovn,options=rbind:rw "
    "--mount=type=bind,src=/var/run/ovn,dst=/var/run/ovn,options=rbind:rw "
    "--mount=type=bind,src=/var/log/ovn,dst=/var/log/ovn,options=rbind:rw"
)
WITHOUT_CHECK = {"ENABLE_OVN_LEADER_CHECK": "false"}


def traces(path: Path) -> list[str]:
    """What engines of a folder have left on the machine, beside what is in the folder."""
    lab = lab_id(path)
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    devices = Path("/sys/class/net").glob(f"icl-{lab}*")
    groups = Path("/sys/fs/cgroup").rglob(f"icl-{lab}-*")
    pipes = Path("/run/containerd/fifo").glob(f"*/*{lab}*")
    return [
        *processes_mentioning(path),
        *namespaces_of(lab),
        *(line for line in mounts if str(path) in line),
        *(str(one) for one in (*devices, *groups, *pipes)),
    ]


@pytest.fixture
def directory() -> Iterator[Path]:
    """A folder for engines, not yet made. Afterwards nothing of them may be left."""
    demand_namespaces()
    yield from clean_folder()


def clean_folder() -> Iterator[Path]:
    """A folder for engines, and the look for what is left of them."""
    with tempfile.TemporaryDirectory(prefix="ice-") as parent:
        path = Path(parent).resolve() / "e"
        settings = sorted(Path("/etc/docker").glob("*"))
        yield path
        left = traces(path)
        files = list(Path(parent).iterdir())
        # A test that fails half way must not leave its hosts to the machine.
        Engines(path).stop()
        assert left == []
        assert files == []
        assert sorted(Path("/etc/docker").glob("*")) == settings


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    """One host with both images in both engines; for a module, as loading takes seconds."""
    demand_namespaces()
    for path in clean_folder():
        with Engines(path) as engines:
            engines.load(OLD, Behaviour.OLD)
            engines.load(TODAY, Behaviour.TODAY, namespace="k8s.io")
            yield engines


@pytest.fixture
def host(engines: Engines) -> Iterator[EngineHost]:
    """That host without a container and without databases."""
    host = engines.hosts["h1"]
    yield host
    remove_containers(host)


def remove_containers(host: EngineHost) -> None:
    """Takes containers and databases away."""
    for one in host.docker("ps", "--all", "--quiet").split():
        host.docker("rm", "--force", one)
    for namespace in ("default", "k8s.io"):
        for task in host.ctr("tasks", "list", "--quiet", namespace=namespace).split():
            host.ctr("tasks", "delete", "--force", task, namespace=namespace)
        for one in host.ctr("containers", "list", "--quiet", namespace=namespace).split():
            host.ctr("containers", "delete", one, namespace=namespace)
    host.run("sh", "-c", "rm -rf /etc/ovn/* /etc/ovn/.[!.]* /var/run/ovn/* /var/log/ovn/*")


def start(host: EngineHost, image: str, **variables: str) -> None:
    """Runs the documented docker command."""
    options = [f"--env={name}={value}" for name, value in variables.items()]
    host.docker(*DOCKER.split(), *options, image, "bash", "start-ic-db.sh")


def state(host: EngineHost) -> str:
    """What docker says of the container: running, exited 0, …"""
    return host.docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", NAME).strip()


def logs(host: EngineHost) -> str:
    """What the container has written, both ways."""
    done = subprocess.run(
        ["docker", "-H", host.docker_url, "logs", NAME],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout


def nbctl(hosts: list[EngineHost], *arguments: str, timeout: int = 60) -> str:
    """Runs ovn-ic-nbctl from this machine, over the network, on the members' databases."""
    remotes = ",".join(f"tcp:{host.address}:6645" for host in hosts)
    done = subprocess.run(
        ["ovn-ic-nbctl", f"--timeout={timeout}", f"--db={remotes}", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise IcplanError("databases", cause=done.stderr, cure="none")
    return done.stdout


def answers(hosts: list[EngineHost], *arguments: str) -> bool:
    """Whether a command on the members' databases works."""
    try:
        nbctl(hosts, *arguments, timeout=5)
    except IcplanError:
        return False
    return True


def wait_for_switch(hosts: list[EngineHost], name: str = "ts") -> dict[str, str]:
    """Waits for a transit switch, and returns its external_ids."""
    wait_until(lambda: answers(hosts, "get", "Transit_Switch", name, "name"), f"{name} is there")

    def ids() -> str:
        return nbctl(hosts, "get", "Transit_Switch", name, "external_ids").strip()

    # Made and described in two steps by the old one.
    wait_until(lambda: ids() != "{}", f"{name} has its subnet")
    pairs = ids().strip("{}").split(", ")
    return dict(pair.replace('"', "").split("=", 1) for pair in pairs)
