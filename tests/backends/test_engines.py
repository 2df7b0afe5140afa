"""What goes wrong on the way to an engine is told in one line: with programs that play it."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import orjson
import pytest

from icplan.backends.engines import (
    EngineClient,
    EngineUnreadable,
    EngineWritePartly,
    EngineWriteUnknown,
)
from icplan.backends.engines.failures import complaint
from icplan.backends.engines.listeners import among, ipv4, is_here
from icplan.backends.failures import WriteRefused
from icplan.core.engines import Engine, InspectHost, MarkContainer, RemoveContainer, RunContainer

HOST, AWAY = "127.0.0.1", "192.0.2.3"
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
    "echo 'something new' >&2; exit 1": (
        "docker says: something new",
        "`docker container inspect ovn-ic-db`",
    ),
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
    "ssh: connect to host h port 22: No route to host": ("gets no answer", "firewall"),
    "ssh: connect to host h port 22: Invalid argument": ("ssh fails: ssh: connect to", "by hand"),
    "Connection timed out during banner exchange": ("gets no answer", "firewall"),
    "ssh: Could not resolve hostname h: Name or service not known": ("resolve its name", "engines"),
    "kex_exchange_identification: read: reset": ("ssh fails: kex_exchange", "try by hand"),
    "Unable to negotiate with h port 22: no match": ("ssh fails: Unable to", "try by hand"),
}
"""What ssh writes, to its own log, before a command can have begun."""

LATER = {
    "Timeout, server h not responding.": "ssh fails: Timeout, server h not responding.",
    "Connection reset by 192.0.2.3 port 22": "ssh fails: Connection reset by",
    "client_loop: send disconnect: Broken pipe": "ssh fails: client_loop",
    "Connection to h timed out": "ssh fails: Connection to h timed out",
    "": "ssh, or rm on root@h, fails: it said nothing",
}
"""What it may also write while a command runs, or says nothing."""


@pytest.mark.parametrize("message", SSH)
@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_a_road_that_fails(play: Play, message: str, runtime: str) -> None:
    play("ssh", f"echo '{message}' >>$3; exit 255")
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
    first, second = (re.sub(r"(?<=-E )\S+", "LOG", line) for line in said(tmp_path))
    road = (
        "ssh -T -E LOG -o BatchMode=yes -o LogLevel=INFO -o ConnectTimeout=10 "
        "-o ServerAliveInterval=10 -o ServerAliveCountMax=3 -p 2222 -l root -- fd00::1 "
    )
    assert first == f"{road}docker container inspect ovn-ic-db"
    assert second == f"{road}env LC_ALL=C ls -d -- '/a b;$(rm)'"


@pytest.mark.parametrize(
    ("where", "command"),
    [
        ("ssh://root@h:2222", "`ssh -p 2222 root@h 'ctr -n default containers info ovn-ic-db'`"),
        ("unix:///run/c.sock", "`ctr -a /run/c.sock -n default containers info ovn-ic-db`"),
    ],
)
def test_the_cure_is_the_command_as_it_was_run(play: Play, where: str, command: str) -> None:
    for program in ("ssh", "ctr"):
        play(program, "echo 'something new' >&2; exit 1")
    one = client(where, "containerd")
    with pytest.raises(EngineUnreadable) as failure:
        one.inspect(inspect(one))
    assert failure.value.cure == f"try by hand: {command}"


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


POLICIES = {
    "": {"Name": "no", "MaximumRetryCount": 0},
    "always": {"Name": "always", "MaximumRetryCount": 0},
    "on-failure:3": {"Name": "on-failure", "MaximumRetryCount": 3},
}


@pytest.mark.parametrize("policy", POLICIES)
def test_the_restart_policy_is_read_and_handed_on(play: Play, tmp_path: Path, policy: str) -> None:
    host = {"Privileged": True, "NetworkMode": "host", "RestartPolicy": POLICIES[policy]}
    play("docker", f"echo '{orjson.dumps([{**FOUND[0], 'HostConfig': host}]).decode()}'")
    one = client()
    found = one.inspect(inspect(one)).container
    assert found is not None
    assert found.restart == policy
    one.write(replace(run(one, replaces="abc"), restart=found.restart))
    (line,) = (line for line in said(tmp_path) if line.startswith("docker run "))
    assert [word for word in line.split() if "restart" in word] == (
        [f"--restart={policy}"] if policy else []
    )


def test_of_other_variables_only_the_names_are_kept_and_only_what_the_image_does_not_set(
    play: Play,
) -> None:
    given = ["PATH=/bin", "SECRET=hush", "ENABLE_SSL=false", "TZ=UTC", "OF_IMAGE=1", "CHANGED=2"]
    config = {"Image": "ic", "Cmd": ["x"], "Env": given, "Labels": {}}
    found = orjson.dumps([{**FOUND[0], "Image": "sha256:1", "Config": config}]).decode()
    image = orjson.dumps([{"Config": {"Env": ["OF_IMAGE=1", "CHANGED=1"]}}]).decode()
    play(
        "docker",
        f"""case "$*" in "image inspect sha256:1") echo '{image}';; *) echo '{found}';; esac""",
    )
    one = client()
    container = one.inspect(inspect(one)).container
    assert container is not None
    assert container.variables == ("CHANGED", "SECRET", "TZ")
    assert container.environment == {"ENABLE_SSL": "false"}
    assert "hush" not in repr(container)


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
            *" run "*) touch {there}; echo 'client_loop: send disconnect' >>$3; exit 255;;
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
            *" run "*) echo 'client_loop: send disconnect' >>$3; exit 255;;
        esac""",
    )
    one = client("ssh://root@h")
    with pytest.raises(EngineWriteUnknown) as failure:
        one.write(run(one))
    assert "whether it was done is not known: ssh fails: client_loop" in failure.value.cause


# A road that breaks in the middle


REMOVAL = """case "$*" in
    *" ls -d "*) echo /a.db; exit 0;;
    *" container inspect "*) echo 'No such container' >&2; exit 1;;
    *" rm -f "*) {}; exit 255;;
esac"""


def removal(one: EngineClient) -> RemoveContainer:
    return RemoveContainer(one.engine, "ovn-ic-db", "", ("/a.db",))


@pytest.mark.parametrize("message", SSH)
def test_what_ssh_says_before_a_command_begins_is_certain(play: Play, message: str) -> None:
    play("ssh", REMOVAL.format(f"echo '{message}' >>$3"))
    one = client("ssh://root@h")
    with pytest.raises(WriteRefused):
        one.write(removal(one))


@pytest.mark.parametrize("message", LATER)
def test_what_it_says_later_leaves_it_open(play: Play, message: str) -> None:
    play("ssh", REMOVAL.format(f"echo '{message}' >>$3"))
    one = client("ssh://root@h")
    with pytest.raises(EngineWriteUnknown) as failure:
        one.write(removal(one))
    assert LATER[message] in failure.value.cause
    assert "/a.db still there just now" in failure.value.cause


@pytest.mark.parametrize("message", SSH)
def test_a_command_that_says_the_same_words_is_not_taken_for_ssh(play: Play, message: str) -> None:
    play("ssh", REMOVAL.format(f"echo '{message}' >&2"))
    one = client("ssh://root@h")
    with pytest.raises(EngineWriteUnknown, match="ssh, or rm on root@h, fails"):
        one.write(removal(one))


def test_a_line_of_ssh_counts_only_when_it_is_whole(play: Play) -> None:
    play("ssh", REMOVAL.format("echo 'x ssh: connect to host h port 22: Connection refused' >>$3"))
    one = client("ssh://root@h")
    with pytest.raises(EngineWriteUnknown):
        one.write(removal(one))


def test_the_host_on_the_way_says_why(play: Play) -> None:
    text = "ssh: connect to host jump port 22: Connection refused"
    log = "kex_exchange_identification: Connection closed by remote host"
    play("ssh", f"echo '{text}' >&2; echo '{log}' >>$3; exit 255")
    one = client("ssh://root@h")
    with pytest.raises(EngineUnreadable, match=f"ssh fails: {text}"):
        one.inspect(inspect(one))


def test_a_program_that_misses_a_file_is_there(play: Play) -> None:
    text = 'docker: Error response from daemon: exec: "bash": executable file not found in $PATH'
    play(
        "ssh",
        f"""case "$*" in
            *" container inspect "*) echo 'No such container' >&2; exit 1;;
            *" run "*) echo '{text}' >&2; exit 127;;
        esac""",
    )
    one = client("ssh://root@h")
    with pytest.raises(WriteRefused, match="docker says: docker: Error response from daemon"):
        one.write(run(one))


# Several commands, and the second does not succeed


ENGINE = """there={there}
case " $*" in
    *"container inspect"*) [ -e $there ] && {{ cat $there; exit 0; }}
        echo 'No such container' >&2; exit 1;;
    *" run "*) {run};;
    *" stop "*) {stop};;
    *"rm -f ovn-ic-db"*) {rm};;
esac"""
OLD = orjson.dumps(FOUND).decode()
STOPPED = OLD.replace('"running"', '"exited"')
MADE = OLD.replace('"abc"', '"new"').replace('"running"', '"created"')
NO = "echo 'no, says the engine' >&2; exit 125"


def engine_that(
    play: Play, tmp_path: Path, *, run: str = NO, stop: str = "", rm: str = "rm $there"
) -> None:
    """A docker with a container that runs, and commands that end like this."""
    there = tmp_path / "there"
    there.write_text(OLD)
    play("docker", ENGINE.format(there=there, run=run, stop=stop or ":", rm=rm))


def test_the_old_one_is_removed_and_no_new_one_starts(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path)
    one = client()
    with pytest.raises(EngineWritePartly) as failure:
        one.write(run(one, replaces="abc"))
    assert failure.value.thing == "container ovn-ic-db"
    cause = "the old one is removed, but no new one is started: docker says: no, says the engine"
    assert failure.value.cause == cause
    assert failure.value.cure.endswith("; then run icplan again, it goes on from here")


def test_a_new_one_is_made_and_does_not_run(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path, run=f"echo '{MADE}' >$there; {NO}")
    one = client()
    with pytest.raises(EngineWritePartly, match="is removed, and a new one is there, but does not"):
        one.write(run(one, replaces="abc"))
    (tmp_path / "there").unlink()
    with pytest.raises(EngineWritePartly, match=r"^.*: a new one is there, .* run \(created\): "):
        one.write(run(one))


def test_nothing_is_made_and_nothing_was_there(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path)
    (tmp_path / "there").unlink()
    one = client()
    with pytest.raises(WriteRefused, match="no, says the engine"):
        one.write(run(one))


def test_the_old_one_is_stopped_and_cannot_be_removed(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path, stop=f"echo '{STOPPED}' >$there", rm=NO)
    one = client()
    with pytest.raises(EngineWritePartly, match=r"it is stopped \(exited \(0\)\), but not removed"):
        one.write(run(one, replaces="abc"))


def test_the_old_one_is_as_it_was(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path, rm=NO)
    one = client()
    with pytest.raises(WriteRefused, match="no, says the engine"):
        one.write(run(one, replaces="abc"))


def test_nobody_can_look_afterwards(play: Play, tmp_path: Path) -> None:
    silence = "echo 'Cannot connect to the Docker daemon' >&2; exit 1"
    engine_that(play, tmp_path, run=f"touch {tmp_path}/down; {silence}")
    file = tmp_path / "docker"
    down = f"[ -e {tmp_path}/down ] && {{ {silence}; }}"
    file.write_text(file.read_text().replace("there=", f"{down}\nthere=", 1))
    one = client()
    with pytest.raises(EngineWriteUnknown) as failure:
        one.write(run(one, replaces="abc"))
    assert failure.value.cause.endswith(
        "its daemon does not answer; the old container ovn-ic-db is removed"
    )


def test_files_are_gone_and_the_container_stays(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path, rm=NO)
    file = tmp_path / "a.db"
    file.touch()
    one = client()
    wanted = RemoveContainer(one.engine, "ovn-ic-db", "abc", (str(file), "/nowhere/b.db"))
    with pytest.raises(EngineWritePartly) as failure:
        one.write(wanted)
    assert not file.exists()
    assert f"{file} is removed, but the container is as it was: docker" in failure.value.cause
    engine_that(play, tmp_path)
    one.write(wanted)
    assert not (tmp_path / "there").exists()


def test_a_file_that_cannot_be_removed_keeps_the_container(play: Play, tmp_path: Path) -> None:
    engine_that(play, tmp_path)
    first, second = tmp_path / "a.db", tmp_path / "b.db"
    first.touch()
    (second / "x").mkdir(parents=True)
    one = client()
    both = RemoveContainer(one.engine, "ovn-ic-db", "abc", (str(first), str(second)))
    with pytest.raises(EngineWritePartly, match=f"{first} is removed, but not {second}: "):
        one.write(both)
    with pytest.raises(WriteRefused, match="the files of the databases cannot be removed"):
        one.write(both)
    assert not [line for line in said(tmp_path) if " rm -f ovn-ic-db" in line or " stop " in line]


NONE = "echo 'No such container' >&2; exit 1"
TASKS = 'echo TASK PID STATUS; case "$*" in *k8s.io*) echo ovn-ic-db 7 RUNNING;; esac'
CTR = f"case \"$*\" in *info*) echo 'not found' >&2; exit 1;; *tasks*) {TASKS};; esac"


@contextmanager
def listener() -> Iterator[int]:
    """Somebody who listens on this machine; the port."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_the_engine_of_this_machine_says_nothing_of_another_host(
    play: Play, tmp_path: Path
) -> None:
    play("docker", NONE)
    one = EngineClient(Engine("docker", AWAY), 10.0)
    with pytest.raises(EngineUnreadable) as failure:
        one.inspect(inspect(one))
    assert f"{AWAY} is no address of this machine" in failure.value.cause
    assert f"add `engines: {{{AWAY}: ssh://root@{AWAY}}}`" in failure.value.cure
    assert not (tmp_path / "said").exists(), "nobody was asked"
    # A socket that the file names is a person's word, but who listens there is not seen.
    told = EngineClient(Engine("docker", AWAY, "unix:///run/x.sock"), 10.0)
    found = told.inspect(replace(inspect(told), ports=(6645,)))
    assert (found.container, found.listening) == (None, None)


def test_who_listens_in_the_place_of_the_container_is_seen(play: Play) -> None:
    play("docker", NONE)
    one = client()
    with listener() as port:
        asked = replace(inspect(one), ports=(port, 1))
        assert one.inspect(asked).listening == (port,)
    assert one.inspect(asked).listening == ()
    assert one.inspect(asked).empty


def test_while_our_container_runs_it_is_the_one_who_listens(play: Play) -> None:
    play("docker", f"echo '{orjson.dumps(FOUND).decode()}'")
    one = client()
    with listener() as port:
        assert one.inspect(replace(inspect(one), ports=(port,))).listening == ()


def test_a_container_in_another_namespace_is_seen(play: Play) -> None:
    play("ctr", CTR)
    one = client(runtime="containerd")
    found = one.inspect(inspect(one))
    assert found.elsewhere == "a container ovn-ic-db runs in its namespace k8s.io"
    assert found.taken


def test_nothing_is_started_or_deleted_beside_somebody_else(play: Play, tmp_path: Path) -> None:
    play("docker", f'case "$*" in *"container inspect"*) {NONE};; esac')
    play("ctr", f'case "$*" in *"images ls"*) echo ic:v1.14.0;; *) {CTR};; esac')
    file = tmp_path / "a.db"
    file.touch()
    with listener() as port:
        for runtime in ("docker", "containerd"):
            one = client(runtime=runtime)
            ports = (port,) if runtime == "docker" else ()
            remove = RemoveContainer(one.engine, "ovn-ic-db", "", (str(file),), ports)
            for operation in (replace(run(one), ports=ports), remove):
                with pytest.raises(WriteRefused) as failure:
                    one.write(operation)
                who = f"somebody listens at {port}" if ports else "namespace k8s.io"
                assert who in failure.value.cause
                assert f"see on {HOST} who it is" in failure.value.cure
    assert not [line for line in said(tmp_path) if " run " in line]
    assert file.exists()


def test_what_does_not_run_is_not_taken_away_for_one_that_cannot_start(
    play: Play, tmp_path: Path
) -> None:
    ended = [{**FOUND[0], "State": {"Status": "exited", "ExitCode": 1}}]
    play("docker", f"echo '{orjson.dumps(ended).decode()}'")
    one = client()
    with listener() as port, pytest.raises(WriteRefused):
        one.write(replace(run(one, replaces="abc"), ports=(port,)))
    assert not [line for line in said(tmp_path) if " rm " in line or " stop " in line]


TABLES = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:19F5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 554 1 0
   1: B1E512C6:19F6 B2E512C6:0016 06 00000000:00000000 03:0000118C 00000000     0        0 0 3 0
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000000000000:19F7 00000000000000000000000000000000:0000 0A 00000000:00000
"""
TRIE = """\
Local:
  +-- 0.0.0.0/0 3 0 5
     +-- 127.0.0.0/8 2 0 2
        |-- 127.0.0.0
           /8 host LOCAL
     +-- 192.0.2.0/24 2 0 2
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
"""


def test_the_kernels_tables_are_read() -> None:
    assert among(TABLES, (6645, 6646, 6647)) == (6645, 6647)
    assert [*ipv4(TRIE)] == [IPv4Address("192.0.2.2")]
    assert is_here("127.0.0.7")
    assert is_here("::1")
    assert not is_here(AWAY)


LOGS = {
    "": "",
    "Exiting ovn_ic_sb_db (70).": "",
    "2026-06-01T12:00:00.1Z|00031|reconnect|INFO|tcp:[h]:6647: connection failed": "",
    "2026-06-01T12:00:00.1Z|00031|socket_util|ERR|6645:h: bind: Address already in use\n"
    "2026-06-01T12:00:00.2Z|00032|memory|INFO|atoms:26": "socket_util: 6645:h: bind: Address "
    "already in use",
    "ovsdb-server: I/O error: open failed\nExiting": "ovsdb-server: I/O error: open failed",
}


@pytest.mark.parametrize("log", LOGS)
def test_of_a_log_the_last_complaint_is_told(log: str) -> None:
    assert complaint(log) == LOGS[log]
