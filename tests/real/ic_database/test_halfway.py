"""A write of which the first half is done and the second is not: told so, and completed later."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed
from icplan.backends.engines.road import OverSsh
from icplan.lab import wait_until
from icplan.lab.engines.host import EngineHost
from tests.real.conftest import Result
from tests.real.ic_database.conftest import NEWER, TODAY, World

pytestmark = pytest.mark.real

Make = Callable[..., World]
RUNTIMES = pytest.mark.parametrize("runtime", ["docker", "containerd"])


def lame(host: EngineHost, runtime: str, image: str) -> None:
    """An image that is there, in which nothing can be started."""
    archive = host.directory / "lame.tar"
    host.run("sh", "-c", f"tar -c -C / --files-from /dev/null | docker import - {image}")
    if runtime == "containerd":
        host.docker("save", "--output", str(archive), image)
        host.ctr("images", "import", str(archive))
        archive.unlink()


def outcome(done: Result) -> object:
    """What became of the only change."""
    outcomes = done.json()["outcomes"]
    assert isinstance(outcomes, list)
    (one,) = outcomes
    return one["outcome"]


def sessions(host: EngineHost) -> dict[str, str]:
    """The processes of a host: command line by id."""
    script = 'for p in /proc/[0-9]*; do echo "${p#/proc/} $(tr "\\0" " " <$p/cmdline)"; done'
    lines = host.run("sh", "-c", f"{script} 2>/dev/null").splitlines()
    return {number: command for number, _, command in (line.partition(" ") for line in lines)}


def break_off(host: EngineHost, command: str) -> None:
    """Ends the SSH connection as soon as that command runs there; the command goes on."""
    wait_until(lambda: any(one.startswith(command) for one in sessions(host).values()), command)
    held = [pid for pid, one in sessions(host).items() if one.startswith("sshd: root@notty")]
    assert held
    host.run("kill", "-KILL", *held)


@RUNTIMES
def test_the_old_one_is_gone_and_the_new_one_does_not_start(world: Make, runtime: str) -> None:
    w = world()
    w.write(runtime, TODAY)
    w.icplan.apply()
    (host,) = w.hosts
    lame(host, runtime, NEWER)
    w.icplan.edit(TODAY, NEWER)
    stopped = w.icplan("apply", "--auto-approve", "--json")
    assert stopped.exit == 3, stopped.out + stopped.err
    assert outcome(stopped) == "partly"
    document = stopped.json()
    assert "the old one is removed, and a new one is there, but does not run" in stopped.out
    away = f"{host.address} has no working IC databases now: traffic goes on, but no zone learns"
    assert str(document["leaves"]).startswith(away)

    # The same again, as a person sees it: it is another container by now.
    again = w.icplan("apply", "--auto-approve")
    assert again.exit == 3, again.out + again.err
    assert f"partly    ic/database/{host.address}" in again.out
    assert away in " ".join(again.out.split())
    # The next plan finds what there is, and with an image that starts it is completed.
    assert w.icplan.changes() == {f"ic/database/{host.address}": "update"}
    w.icplan.edit(NEWER, TODAY)
    w.icplan.apply()
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0


@RUNTIMES
def test_a_first_one_that_does_not_start_is_no_nothing(world: Make, runtime: str) -> None:
    w = world(1, NEWER)
    (host,) = w.hosts
    lame(host, runtime, TODAY)
    w.write(runtime, TODAY)
    stopped = w.icplan("apply", "--auto-approve")
    assert stopped.exit == 3, stopped.out + stopped.err
    assert f"partly    ic/database/{host.address}" in stopped.out
    assert "a new one is there, but does not run" in stopped.err
    assert w.icplan.changes() == {f"ic/database/{host.address}": "update"}
    # Nothing is kept there, so that it can also be taken away at once.
    taken = w.icplan("destroy", "--auto-approve")
    assert taken.exit == 0, taken.out + taken.err
    assert not host.docker("ps", "-aq")
    assert not host.ctr("containers", "ls", "-q").strip()
    w.write(runtime, NEWER)
    w.icplan.apply()
    assert w.icplan("verify").exit == 0


def test_a_folder_that_cannot_be_made_takes_nothing_away(world: Make) -> None:
    w = world(1, TODAY, NEWER)
    w.write("containerd", TODAY)
    w.icplan.apply()
    (host,) = w.hosts
    before = host.ctr("tasks", "ls")
    # A file stands where a folder is mounted from.
    host.run("sh", "-c", "mv /var/log/ovn /var/log/ovn.away && touch /var/log/ovn")
    w.icplan.edit(TODAY, NEWER)
    refused = w.icplan("apply", "--auto-approve")
    assert refused.exit == 1, refused.out + refused.err
    assert "its folders cannot be made" in refused.err
    assert host.ctr("tasks", "ls") == before


def test_a_connection_that_ends_in_the_middle_leaves_it_open(world: Make) -> None:
    w = world(1, TODAY, NEWER)
    w.write("docker", TODAY)
    w.icplan.apply()
    (host,) = w.hosts
    w.icplan.edit(TODAY, NEWER)
    running = w.icplan.start("apply", "--auto-approve", "--json")
    # It stops for seconds, as the script does not listen to SIGTERM.
    break_off(host, "docker stop")
    out, err = running.communicate(timeout=300)
    stopped = Result(running.returncode, out, err)
    assert stopped.exit == 3, out + err
    assert outcome(stopped) == "uncertain"
    assert "whether it was done is not known: ssh fails: Connection to" in out
    assert f"it may be that {host.address} has no working IC databases now" in out
    wait_until(lambda: not any("docker stop" in one for one in sessions(host).values()), "an end")
    w.icplan.apply()
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0


def test_a_host_that_falls_silent_is_given_up(world: Make) -> None:
    w = world()
    (host,) = w.hosts
    road = OverSsh(w.engines.ssh.url(host))
    done = road.run(("sh", "-c", "echo out; echo err >&2; exit 3"), Deadline.after(60))
    assert (done.code, done.out, done.err) == (3, "out\n", "err\n")

    def unplug() -> None:
        wait_until(lambda: any("sleep 590" in one for one in sessions(host).values()), "it runs")
        w.engines.plug(host.name, connected=False)

    cutter = threading.Thread(target=unplug)
    cutter.start()
    with pytest.raises(
        CommandFailed, match=r"ssh fails: Timeout, server .* not responding"
    ) as lost:
        road.run(("sleep", "590"), Deadline.after(600))
    cutter.join()
    assert lost.value.unanswered
    with pytest.raises(CommandFailed, match="ssh gets no answer from there") as none:
        road.run(("true",), Deadline.after(600))
    assert none.value.unsent
    w.engines.plug(host.name, connected=True)


# Taking them away


def taken_apart(w: World) -> None:
    """The hosts of the zones' gateways are no gateways any more, as destroy wants it."""
    for zone in w.lab.zones.values():
        for host in zone.gateway_hosts:
            zone.mark_interconn(host, False)


def nothing_is_left(w: World) -> None:
    for host in w.hosts:
        assert not list(host.etc_ovn.glob("*.db"))
        assert not host.docker("ps", "-aq")
        assert not host.ctr("containers", "ls", "-q").strip()


def test_files_that_cannot_be_removed_keep_the_databases(world: Make) -> None:
    w = world()
    w.write("docker", TODAY)
    w.icplan.apply()
    taken_apart(w)
    (host,) = w.hosts
    host.run("mount", "-o", "remount,bind,ro", "/etc/ovn")
    stopped = w.icplan("destroy", "--auto-approve")
    assert stopped.exit == 3, stopped.out + stopped.err
    assert "the files of the databases cannot be removed" in stopped.err
    assert f"failed    ic/database/{host.address}" in stopped.out
    # It runs, so that nothing has to be guessed the next time.
    assert host.docker("ps", "-q")
    again = w.icplan("destroy", "--auto-approve")
    assert again.exit == 1, again.out + again.err
    host.run("mount", "-o", "remount,bind,rw", "/etc/ovn")
    done = w.icplan("destroy", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    nothing_is_left(w)


@RUNTIMES
@pytest.mark.parametrize("state", ["runs", "stopped", "lost"])
def test_a_removal_that_was_interrupted_is_completed(world: Make, runtime: str, state: str) -> None:
    """As it stands after files went, or a container was removed by hand and its files were not."""
    w = world()
    w.write(runtime, TODAY)
    w.icplan.apply()
    taken_apart(w)
    (host,) = w.hosts
    host.run("mount", "-o", "remount,bind,ro", "/etc/ovn")
    assert w.icplan("destroy", "--auto-approve").exit == 3
    host.run("mount", "-o", "remount,bind,rw", "/etc/ovn")
    if state != "lost":
        host.run("sh", "-c", "rm /etc/ovn/*.db")
    if runtime == "docker" and state != "runs":
        host.docker(*(("rm", "-f") if state == "lost" else ("kill",)), "ovn-ic-db")
    elif state != "runs":
        host.ctr("tasks", "delete", "--force", "ovn-ic-db")
        if state == "lost":
            host.ctr("containers", "delete", "ovn-ic-db")
    done = w.icplan("destroy", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    if state == "lost":
        # Whether anybody is registered there can only be seen once they run again.
        assert "+ ic/database/" in done.out
        done = w.icplan("destroy", "--auto-approve")
        assert done.exit == 0, done.out + done.err
    nothing_is_left(w)
