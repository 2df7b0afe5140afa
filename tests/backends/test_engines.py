"""What goes wrong on the way to an engine is told in one line: with programs that play it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from icplan.backends.engines import EngineClient, EngineUnreadable, EngineWriteUnknown
from icplan.backends.failures import WriteRefused
from icplan.core.engines import Engine, InspectHost, MarkContainer, RemoveContainer, RunContainer

HOST = "192.0.2.3"
Play = Callable[..., None]
FOUND = [
    {
        "Id": "abc",
        "Config": {
            "Image": "ic:v1.14.0",
            "Cmd": ["bash", "start-ic-db.sh"],
            "Env": ["SECRET=x", "ENABLE_SSL=false"],
            "Labels": {"icplan/owner": "prod"},
        },
        "State": {"Status": "running", "ExitCode": 0},
        "Mounts": [{"Source": "/etc/ovn", "Destination": "/etc/ovn"}],
        "HostConfig": {"Privileged": True, "NetworkMode": "host"},
    }
]


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Puts a program of that name, made of a line of shell, before all others."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        file = tmp_path / name
        file.write_text(f'#!/bin/sh\necho {name} "$@" >>{tmp_path}/said\n{script}\n')
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    return put


def said(tmp_path: Path) -> list[str]:
    """The command lines of the programs that were run."""
    return (tmp_path / "said").read_text().splitlines()


def client(where: str = "", runtime: str = "docker", seconds: float = 10.0) -> EngineClient:
    return EngineClient(Engine(runtime, HOST, where), seconds)


def inspect(one: EngineClient, *files: str) -> InspectHost:
    return InspectHost(one.engine, "ovn-ic-db", files or ("/nowhere/a.db",), ("ENABLE_SSL",))


def run(one: EngineClient, replaces: str = "") -> RunContainer:
    return RunContainer(
        one.engine, "ovn-ic-db", "ic:v1.14.0", ("bash", "x"), (), (), "prod", True, replaces
    )


DOCKER = {
    "echo 'Cannot connect to the Docker daemon at unix:///x. Is it running?' >&2; exit 1": (
        "its daemon does not answer",
        "systemctl start docker",
    ),
    "echo 'permission denied while trying to connect to the docker.sock' >&2; exit 1": (
        "its daemon does not let this user in",
        "root",
    ),
    "echo 'something new' >&2; exit 1": ("docker says: something new", "docker inspect"),
    "echo nonsense": ("a way that icplan does not know", "docker container inspect"),
    "sleep 30": ("docker gave no answer within 0.5 s", "--timeout"),
}


@pytest.mark.parametrize("script", DOCKER)
def test_a_docker_that_fails(play: Play, script: str) -> None:
    play("docker", script)
    one = client(seconds=0.5 if "sleep" in script else 10.0)
    with pytest.raises(EngineUnreadable) as failure:
        one.inspect(inspect(one))
    cause, cure = DOCKER[script]
    assert cause in failure.value.cause
    assert cure in failure.value.cure
    assert "\n" not in str(failure.value)


SSH = {
    "Host key verification failed.": ("does not know its host key", "ssh -p 2222 root@h"),
    "root@h: Permission denied (publickey,password).": ("not let in as root@h", "ssh-copy-id"),
    "ssh: connect to host h port 22: Connection refused": ("finds nobody", "sshd"),
    "ssh: connect to host h port 22: Connection timed out": ("gets no answer", "firewall"),
    "ssh: Could not resolve hostname h: Name or service not known": ("resolve its name", "engines"),
    "kex_exchange_identification: read: reset": ("ssh fails: kex_exchange", "try by hand"),
}


@pytest.mark.parametrize("message", SSH)
@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_a_road_that_fails(play: Play, message: str, runtime: str) -> None:
    play("ssh", f"echo '{message}' >&2; exit 255")
    one = client("ssh://root@h:2222", runtime)
    with pytest.raises(EngineUnreadable) as failure:
        one.inspect(inspect(one))
    cause, cure = SSH[message]
    assert cause in failure.value.cause
    assert cure in failure.value.cure
    assert "\n" not in str(failure.value)


def test_nothing_is_asked_and_everything_is_quoted(play: Play, tmp_path: Path) -> None:
    play("ssh", "echo 'Error: No such container: ovn-ic-db' >&2; exit 1")
    one = client("ssh://root@[fd00::1]:2222")
    with pytest.raises(EngineUnreadable):
        one.inspect(inspect(one, "/a b;$(rm)"))
    first, second = said(tmp_path)
    road = "ssh -T -o BatchMode=yes -o ConnectTimeout=10 -p 2222 -l root -- fd00::1 "
    assert first == f"{road}docker container inspect ovn-ic-db"
    assert second == f"{road}env LC_ALL=C ls -d -- '/a b;$(rm)'"


def test_a_host_without_the_engine(play: Play) -> None:
    play("ssh", "exec sh -c 'exit 127'")
    one = client("ssh://root@h")
    with pytest.raises(EngineUnreadable) as failure:
        one.inspect(inspect(one))
    assert "there is no command docker on root@h" in failure.value.cause


def test_files_that_may_not_be_looked_at_are_not_absent(play: Play) -> None:
    play("docker", "echo 'No such object' >&2; exit 1")
    play("ls", "echo 'ls: cannot access x: Permission denied' >&2; exit 2")
    one = client()
    with pytest.raises(EngineUnreadable) as failure:
        one.inspect(inspect(one))
    assert "it cannot be seen which files there are" in failure.value.cause


def test_only_what_was_asked_for_is_kept(play: Play, tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    play("docker", f"echo '{orjson.dumps(FOUND).decode()}'")
    one = client()
    found = one.inspect(inspect(one, str(tmp_path / "a.db"), "/nowhere/b.db"))
    assert found.files == (str(tmp_path / "a.db"),)
    assert found.container is not None
    assert found.container.running
    assert found.container.environment == {"ENABLE_SSL": "false"}
    assert found.container.owner == "prod"


def test_another_container_than_the_plan_saw_is_left_alone(play: Play, tmp_path: Path) -> None:
    play("docker", f"echo '{orjson.dumps(FOUND).decode()}'")
    one = client()
    for operation in (
        run(one),
        run(one, replaces="older"),
        RemoveContainer(one.engine, "ovn-ic-db", "older"),
        MarkContainer(one.engine, "ovn-ic-db", "older", "prod"),
    ):
        with pytest.raises(WriteRefused) as failure:
            one.write(operation)
        assert "the plan saw" in failure.value.cause
    assert not [line for line in said(tmp_path) if " run " in line or " rm " in line]


def test_an_image_that_cannot_be_fetched_takes_nothing_away(play: Play, tmp_path: Path) -> None:
    play("docker", 'case "$*" in *inspect*|*pull*) echo "no such image" >&2; exit 1;; esac')
    one = client()
    with pytest.raises(WriteRefused) as failure:
        one.write(run(one, replaces="abc"))
    assert "the image ic:v1.14.0 is not there and cannot be pulled" in failure.value.cause
    assert not [line for line in said(tmp_path) if " stop " in line or " rm " in line]


def test_an_answer_that_is_lost_is_looked_for(play: Play, tmp_path: Path) -> None:
    there = tmp_path / "there"
    found = orjson.dumps(FOUND).decode()
    play(
        "ssh",
        f"""case "$*" in
            *" container inspect "*) [ -e {there} ] && {{ echo '{found}'; exit 0; }}
                echo 'No such container' >&2; exit 1;;
            *" run "*) touch {there}; echo 'client_loop: send disconnect' >&2; exit 255;;
        esac""",
    )
    one = client("ssh://root@h")
    one.write(run(one))
    assert there.exists()


def test_a_write_without_an_answer_is_uncertain(play: Play) -> None:
    play(
        "ssh",
        """case "$*" in
            *" container inspect "*) echo 'No such container' >&2; exit 1;;
            *" run "*) echo 'client_loop: send disconnect' >&2; exit 255;;
        esac""",
    )
    one = client("ssh://root@h")
    with pytest.raises(EngineWriteUnknown) as failure:
        one.write(run(one))
    assert "whether it was done is not known: ssh fails: client_loop" in failure.value.cause
