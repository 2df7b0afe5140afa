"""The IC databases as a cluster of three real members, each in a container of a host of its own."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Callable

import pytest

from icplan.lab import Zone, wait_until
from icplan.lab.engines.host import EngineHost
from tests.real.ic_database.conftest import NEWER, TODAY, World

pytestmark = pytest.mark.real

Make = Callable[..., World]
STATUS = "ovs-appctl -t /var/run/ovn/ovn_ic_nb_db.ctl cluster/status OVN_IC_Northbound"


def status(host: EngineHost) -> str:
    """What ovs-appctl says of the northbound database's cluster, in the host's container."""
    return host.docker("exec", "ovn-ic-db", *STATUS.split())


def leader(w: World) -> EngineHost:
    """The host whose member leads the northbound database."""
    found: list[EngineHost] = []

    def there() -> bool:
        found[:] = [one for one in w.hosts if runs(one) and "\nRole: leader" in status(one)]
        return len(found) == 1

    wait_until(there, "a member leads")
    return found[0]


def runs(host: EngineHost) -> bool:
    """Whether a host's container runs."""
    return "ovn-ic-db" in host.docker("ps", "--format", "{{.Names}}")


def test_three_members_serve_lose_one_and_come_back(world: Make) -> None:
    w = world(3, TODAY)
    w.write("docker", TODAY)
    addresses = [one.address for one in w.hosts]
    plan = w.icplan("plan")
    for address in addresses:
        assert f"POD_IP={address}" in plan.out
    assert plan.out.count(f"NODE_IPS={','.join(addresses)}") == 3
    w.icplan.apply()
    assert all(f"at tcp:[{one}]" in status(w.hosts[0]) for one in addresses)
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0

    lost = leader(w)
    lost.docker("kill", "ovn-ic-db")
    passed = []

    def passes() -> bool:
        passed.append(w.icplan("verify"))
        return passed[-1].exit == 0

    wait_until(passes, "verify passes again", timeout=60)
    assert f"both IC databases answer on {lost.address}" in passed[-1].out
    assert f"ovn-ic-db on {lost.address} is exited" in passed[-1].out
    # What the zones need is written without it, and icplan brings it back.
    assert w.icplan.changes() == {f"ic/database/{lost.address}": "update"}
    w.icplan.apply()
    assert w.icplan.changes() == {}
    assert "as safe as declared" not in w.icplan("verify").out

    # A majority that is lost is said to be lost.
    first, second, third = w.hosts
    for one in (second, third):
        one.docker("kill", "ovn-ic-db")
    verified = w.icplan("verify")
    assert verified.exit == 1, verified.out
    assert "quorum lost: 1 of 3 members answers, 2 are needed" in verified.out
    assert w.icplan.changes() == {
        f"ic/database/{second.address}": "update",
        f"ic/database/{third.address}": "update",
    }
    w.icplan.apply()
    assert w.icplan("verify").exit == 0

    # After a power cut none of them has a majority before the others are back.
    for one in (first, second, third):
        one.docker("kill", "ovn-ic-db")
    w.icplan.apply()
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0


def test_another_image_one_member_after_the_other(world: Make) -> None:
    w = world(3, TODAY, NEWER)
    w.write("containerd", TODAY)
    w.icplan.apply()
    w.icplan.edit(TODAY, NEWER)
    assert "no other member is touched before" in w.icplan("plan").out
    most_away: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            tasks = [one.ctr("tasks", "ls") for one in w.hosts]
            most_away.append(sum("RUNNING" not in one for one in tasks))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        w.icplan.apply()
    finally:
        over.set()
        watching.join()
    assert max(most_away) <= 1
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0


def test_members_that_do_not_belong_together_are_refused(world: Make) -> None:
    w = world(3, TODAY)
    w.write("docker", TODAY)
    w.icplan.apply()
    third = w.hosts[2]
    third.docker("rm", "-f", "ovn-ic-db")
    third.run("sh", "-c", "rm -f /etc/ovn/*.db")
    refused = w.icplan("plan")
    assert refused.exit == 4
    assert f"{third.address} has lost its IC databases" in refused.out
    third.docker(
        *("run", "--name=ovn-ic-db", "-d", "--network=host", "--privileged"),
        *("--env=ENABLE_OVN_LEADER_CHECK=false", "-v", "/etc/ovn/:/etc/ovn"),
        *("-v", "/var/run/ovn:/var/run/ovn", "-v", "/var/log/ovn:/var/log/ovn"),
        *(TODAY, "bash", "start-ic-db.sh"),
    )
    said = f"the IC northbound database on {third.address} stands alone"
    wait_until(lambda: said in w.icplan("plan").out, "the stranger answers")
    verified = w.icplan("verify")
    assert verified.exit == 6
    assert f"differs from the file: ic/database/{third.address}" in verified.out
    assert "IC040" in verified.out
    # Done as they are told, the cures lead back: the stranger goes, its old member, and it joins.
    pasted(w, "IC040")
    wait_until(lambda: "IC093" in w.icplan("plan").out, "it is seen that the others count it")
    pasted(w, "IC093")
    wait_until(lambda: w.icplan("plan").exit == 0, "nobody counts the old member")
    w.icplan.apply()
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0


def pasted(w: World, code: str) -> None:
    """What a rule's cure tells to run, run by a shell as it stands there."""
    (cure,) = (
        one["cure"]
        for one in json.loads(w.icplan("plan", "--json").out)["verdicts"]
        if one["code"] == code
    )
    found = [one for one in re.findall(r"`([^`]+)`", cure) if one.startswith(("docker", "ssh"))]
    assert found
    w.paste(found)


def marked(w: World, *, value: bool) -> None:
    """What operators do on their gateway hosts."""
    for zone in w.lab.zones.values():
        for host in zone.gateway_hosts:
            zone.mark_interconn(host, value)


def log_of(zone: Zone) -> str:
    """What a zone's ovn-ic has said."""
    return (zone.directory / "ovn-ic.log").read_text()


def appctl(zone: Zone, command: str) -> str:
    """What a zone's ovn-ic answers to ovn-appctl."""
    control = str(zone.directory / "ovn-ic.ctl")
    done = subprocess.run(
        ["ovn-appctl", "-t", control, command], capture_output=True, text=True, check=True
    )
    return done.stdout


def restarted(zone: Zone) -> None:
    """What an operator does about an ovn-ic that remembers an earlier cluster."""
    zone.stop_ovn_ic()
    zone.start_ovn_ic()


def test_built_again_it_waits_for_each_ovn_ic_to_be_restarted(world: Make) -> None:
    w = world(3, TODAY)
    w.write("docker", TODAY)
    w.icplan.apply()
    marked(w, value=False)
    done = w.icplan("destroy", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    marked(w, value=True)

    plan = " ".join(w.icplan("plan").out.split())
    assert "IC080 ic" in plan
    assert "will refuse it: az1, az2" in plan
    # Machines have 15 s here; it waits longer than that, as it waits for a person.
    running = w.icplan.start("apply", "--auto-approve", "--wait", "15")
    said: list[str] = []
    assert running.stderr is not None
    for line in running.stderr:
        said.append(line)
        waited = re.search(r"waiting for you: .*\((\d+) s\)", line)
        if waited and int(waited[1]) > 15:
            break
    assert "restart ovn-ic of az1" in "".join(said), said
    for zone in w.lab.zones.values():
        assert "clustered database server has stale data" in log_of(zone)
        # Nothing but its log shows it, and it has nothing else to be asked.
        assert "connection-status" not in appctl(zone, "list-commands")
        assert appctl(zone, "status") == "Status: active\n"
        restarted(zone)
    out, err = running.communicate(timeout=300)
    assert running.returncode == 0, "".join(said) + out + err
    assert w.icplan.changes() == {}
    assert w.icplan("verify").exit == 0
