"""Containers that were started by hand in other ways than icplan's: nothing of them gets lost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from icplan.errors import IcplanError
from icplan.lab import wait_until
from icplan.lab.engines.host import EngineHost
from tests.real.ic_database.conftest import NEWER, TODAY, World
from tests.real.test_story import learned

pytestmark = pytest.mark.real

Make = Callable[..., World]
ELSEWHERE = "/etc/origin/ovn"
STARTED = (TODAY, "ovn-ic-db", "bash", "start-ic-db.sh")
MOUNTS = {"/var/run/ovn": "/var/run/ovn", "/var/log/ovn": "/var/log/ovn"}


def start(host: EngineHost, runtime: str, mounts: dict[str, str], *more: str) -> None:
    """Starts the databases by hand; sources by the places inside."""
    image, name, *command = STARTED
    if runtime == "docker":
        volumes = (f"--volume={source}:{inside}" for inside, source in mounts.items())
        options = ("--network=host", "--privileged", "--env=ENABLE_OVN_LEADER_CHECK=false")
        host.docker("run", "-d", f"--name={name}", *options, *volumes, *more, image, *command)
    else:
        for source in mounts.values():
            host.run("mkdir", "-p", source)
        binds = (
            f"--mount=type=bind,src={source},dst={inside},options=rbind:rw"
            for inside, source in mounts.items()
        )
        options = ("--net-host", "--privileged", "--env=ENABLE_OVN_LEADER_CHECK=false")
        host.ctr("run", "-d", *options, *binds, *more, f"docker.io/{image}", name, *command)


def stop(host: EngineHost, runtime: str) -> None:
    if runtime == "docker":
        host.docker("rm", "-f", "ovn-ic-db")
    else:
        host.ctr("tasks", "delete", "--force", "ovn-ic-db")
        host.ctr("containers", "delete", "ovn-ic-db")


def interconnected(w: World, runtime: str) -> str:
    """Two zones, and the uuid of their switch, by which these databases are known again."""
    w.write(runtime, TODAY)
    w.icplan.apply()
    return w.nbctl("get", "Transit_Switch", "ts", "_uuid")


def registered(w: World) -> bool:
    try:
        return "az2" in w.sbctl("show")
    except IcplanError:
        return False


def ours(w: World, mark: str) -> bool:
    return "az2" in w.sbctl("show") and w.nbctl("get", "Transit_Switch", "ts", "_uuid") == mark


def moving(w: World) -> list[str]:
    """The commands by which IC082 gets the databases to where they belong."""
    refused = w.icplan("plan", "--json")
    assert refused.exit == 4, refused.out
    (cure,) = (one["cure"] for one in json.loads(refused.out)["verdicts"] if one["code"] == "IC082")
    found = re.findall(r"`([^`]+)`", cure.partition("Then plan again")[0])
    assert found
    return found


@pytest.mark.parametrize("inside", [False, True], ids=["other-folder", "in-itself"])
@pytest.mark.parametrize("runtime", ["docker", "containerd"])
def test_databases_in_another_place_are_not_replaced_by_empty_ones(
    world: Make, runtime: str, inside: bool
) -> None:
    w = world(1, TODAY)
    mark = interconnected(w, runtime)
    (host,) = w.hosts
    stop(host, runtime)
    if inside:
        # What it holds is made anew: by the zones themselves, and by the image.
        start(host, runtime, MOUNTS)
        wait_until(lambda: registered(w), "the zones register", timeout=90)
        mark = w.nbctl("get", "Transit_Switch", "ts", "_uuid")
    else:
        host.run("mkdir", "-p", ELSEWHERE)
        host.run("sh", "-c", f"mv /etc/ovn/*.db {ELSEWHERE}/")
        start(host, runtime, MOUNTS | {"/etc/ovn": ELSEWHERE})
        wait_until(lambda: registered(w), "the databases answer", timeout=90)

    place = "in itself alone" if inside else f"in {ELSEWHERE} of the host"
    wait_until(lambda: place in w.icplan("plan").out.replace("\n        ", " "), "it is seen")
    refused = w.icplan("apply", "--auto-approve")
    assert refused.exit == 4, refused.out
    assert ours(w, mark)

    w.paste(moving(w))
    if inside:
        # There were files of before in the way: put aside, not lost.
        assert "ovn_ic_nb_db.db" in host.run("ls", "/root")
        host.run("sh", "-c", "rm /root/ovn_ic_*_db.db")
    w.icplan.apply()
    assert ours(w, mark)
    if inside:
        # The switch that the image made there is not icplan's yet.
        w.icplan.apply()
    wait_until(lambda: w.icplan("verify").exit == 0, "verify passes", timeout=60)
    assert learned(w.lab, "az1") == {"10.17.0.0/16", "10.117.0.0/24"}


def test_a_replacement_keeps_the_restart_policy_and_names_what_it_does_not_keep(
    world: Make,
) -> None:
    w = world(1, TODAY, NEWER)
    mark = interconnected(w, "docker")
    (host,) = w.hosts
    stop(host, "docker")
    more = ("--restart=always", "--env=TZ=UTC", "--env=SECRET=hush", "-v", "/var/backups:/backups")
    start(host, "docker", MOUNTS | {"/etc/ovn": "/etc/ovn"}, *more)
    wait_until(lambda: registered(w), "the databases answer", timeout=90)
    w.icplan.edit(TODAY, NEWER)
    plan = w.icplan("plan").out.replace("\n        ", " ")
    assert "--restart=always stays" in plan
    assert "will not have: variable SECRET, variable TZ, mount /var/backups:/backups" in plan
    assert "hush" not in plan
    w.icplan.apply()
    policy = host.docker("inspect", "--format", "{{.HostConfig.RestartPolicy.Name}}", "ovn-ic-db")
    assert policy.strip() == "always"
    assert ours(w, mark)
    assert w.icplan.changes() == {}
