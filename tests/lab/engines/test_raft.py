"""Today's image as a raft of three hosts, and what it needs beyond the documentation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icplan.errors import IcplanError
from icplan.lab.engines import EngineHost, Engines
from icplan.lab.waiting import wait_until
from tests.lab.engines.conftest import (
    LEADERLESS_SECONDS,
    NAME,
    TODAY,
    answers,
    clean_folder,
    logs,
    nbctl,
    remove_containers,
    start,
    state,
    wait_for_switch,
)
from tests.real.conftest import demand_namespaces

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("engines")]


@pytest.fixture(scope="module")
def three() -> Iterator[Engines]:
    """Three hosts with today's image."""
    demand_namespaces()
    for path in clean_folder():
        with Engines(path, ["h1", "h2", "h3"]) as engines:
            engines.load(TODAY, into=["docker"])
            yield engines


@pytest.fixture
def hosts(three: Engines) -> Iterator[list[EngineHost]]:
    """Those hosts without containers and databases."""
    hosts = list(three.hosts.values())
    yield hosts
    for host in hosts:
        remove_containers(host)


def variables(host: EngineHost, hosts: list[EngineHost]) -> dict[str, str]:
    """What a member needs."""
    return {
        "LOCAL_IP": host.address,
        "POD_IP": host.address,
        "NODE_IPS": ",".join(one.address for one in hosts),
        "ENABLE_SSL": "false",
        "ENABLE_OVN_LEADER_CHECK": "false",
        # Its own switch is made by each member's ovn-ic-nbctl, and only the leader accepts it.
        "OVN_IC_NB_DB": ",".join(f"tcp:[{one.address}]:6645" for one in hosts),
    }


def start_members(hosts: list[EngineHost], without: tuple[str, ...] = ()) -> None:
    """Starts all members, but for some variables."""
    for host in hosts:
        asked = variables(host, hosts)
        start(host, TODAY, **{name: asked[name] for name in asked if name not in without})


def status(host: EngineHost, key: str) -> str:
    """A line of a member's raft status; empty when there is no such server."""
    command = ("ovs-appctl", "-t", "/var/run/ovn/ovn_ic_nb_db.ctl", "cluster/status")
    try:
        lines = host.docker("exec", NAME, *command, "OVN_IC_Northbound").splitlines()
    except IcplanError:
        return ""
    return next((line.split(": ", 1)[1] for line in lines if line.startswith(f"{key}: ")), "")


def start_ended(hosts: list[EngineHost]) -> None:
    """Starts those again that have ended.

    A member ends when its ovn-ic-nbctl finds no leader in that moment, as on a slow machine.
    """
    for host in hosts:
        if state(host) != "running 0":
            host.docker("start", NAME)


def joined(hosts: list[EngineHost]) -> bool:
    """Whether all are members of the cluster; one that has ended is started again."""
    start_ended(hosts)
    return members(hosts) == hosts


def accepted(hosts: list[EngineHost], switch: str) -> bool:
    """Whether they accept a switch; one that has ended is started again."""
    start_ended(hosts)
    return answers(hosts, "--may-exist", "ts-add", switch)


def members(hosts: list[EngineHost]) -> list[EngineHost]:
    """Those that are members of a cluster."""
    return [host for host in hosts if status(host, "Status") == "cluster member"]


def leader(hosts: list[EngineHost]) -> EngineHost:
    """The one that leads."""
    wait_until(
        lambda: any(status(host, "Role") == "leader" for host in hosts),
        "there is a leader",
        timeout=LEADERLESS_SECONDS,
    )
    return next(host for host in hosts if status(host, "Role") == "leader")


def test_a_raft_survives_its_leader_and_a_lost_quorum(hosts: list[EngineHost]) -> None:
    start_members(hosts)
    assert wait_for_switch(hosts) == {"subnet": "169.254.100.0/24", "vendor": "kube-ovn"}
    wait_until(lambda: joined(hosts), "all three are members", timeout=LEADERLESS_SECONDS)
    assert f"tcp:[{hosts[2].address}]:6647" in status(hosts[2], "Address")

    first = leader(hosts)
    first.docker("kill", NAME)
    wait_until(
        lambda: answers(hosts, "--may-exist", "ts-add", "ts1"),
        "the other two accept a write",
        timeout=LEADERLESS_SECONDS,
    )
    second = leader([host for host in hosts if host is not first])
    wait_until(lambda: joined(hosts), "the killed one is a member again")

    lost = [host for host in hosts if host is not second]
    for host in lost:
        host.docker("kill", NAME)
    assert not answers(hosts, "ts-add", "ts2")
    assert "ts1" in nbctl([second], "--no-leader-only", "show")
    wait_until(
        lambda: accepted(hosts, "ts2"),
        "the quorum is back",
        timeout=2 * LEADERLESS_SECONDS,
    )
    wait_until(lambda: joined(hosts), "all three are members", timeout=LEADERLESS_SECONDS)


def test_members_that_know_their_own_socket_only_end(hosts: list[EngineHost]) -> None:
    start_members(hosts, without=("OVN_IC_NB_DB",))
    followers = hosts[1:]
    # One that could not even join waits half a minute for each database first.
    wait_until(
        lambda: {state(host) for host in followers} == {"exited 0"},
        "the followers end",
        timeout=3 * LEADERLESS_SECONDS,
    )
    said = logs(followers[0]) + logs(followers[1])
    assert "ovn_ic_nb_db.sock: database connection failed" in said
    wait_until(lambda: status(hosts[0], "Role") == "candidate", "the founder has no quorum")


def test_without_its_address_no_member_founds_the_cluster(hosts: list[EngineHost]) -> None:
    start_members(hosts, without=("POD_IP",))
    wait_until(lambda: "joining the cluster" in logs(hosts[0]), "the founder tries to join itself")
    assert "founding" not in logs(hosts[0])
    assert not answers(hosts, "show")
    assert members(hosts) == []


def test_the_leader_check_ends_the_members(hosts: list[EngineHost]) -> None:
    start_members(hosts, without=("ENABLE_OVN_LEADER_CHECK",))
    wait_until(lambda: state(hosts[0]) == "exited 0", "the founder ends")
    assert "no Kubernetes here" in logs(hosts[0])


def test_one_address_is_a_raft_of_one(hosts: list[EngineHost]) -> None:
    start_members(hosts[:1], without=("OVN_IC_NB_DB", "LOCAL_IP"))
    wait_for_switch(hosts[:1])
    assert members(hosts[:1]) == hosts[:1]


def test_a_cut_cable_is_a_lost_member(three: Engines, hosts: list[EngineHost]) -> None:
    start_members(hosts)
    wait_for_switch(hosts)
    wait_until(lambda: joined(hosts), "all three are members", timeout=LEADERLESS_SECONDS)
    gone = leader(hosts)
    others = [host for host in hosts if host is not gone]
    three.plug(gone.name, connected=False)
    try:
        wait_until(
            lambda: answers(others, "--may-exist", "ts-add", "ts1"),
            "the other two accept a write",
            timeout=LEADERLESS_SECONDS,
        )
    finally:
        three.plug(gone.name, connected=True)
    wait_until(
        lambda: "ts1" in nbctl([gone], "--no-leader-only", "show"),
        "the cut one learns what it has missed",
        timeout=LEADERLESS_SECONDS,
    )
