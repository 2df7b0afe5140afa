"""Packets between clusters: pods that exist or are made, holes, silence, and where a way ends."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest

from icplan.lab import Lab, wait_until
from icplan.lab.namespace_fabric import NamespaceFabric
from tests.real.conftest import Icplan, Result
from tests.real.kube_ovn.conftest import with_packets
from tests.real.kube_ovn.looks import api

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

PODS = "/api/v1/namespaces/default/pods"
SUBNETS = "/apis/kubeovn.io/v1/subnets"
ENDS = ("az1/ovn-default", "az2/ovn-default")
BOTH = {("az1", "az2"), ("az2", "az1")}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Two clusters with packets: pods in network namespaces, real Geneve between the hosts."""
    with with_packets() as lab:
        yield lab


def pods(lab: Lab) -> dict[str, list[str]]:
    """The names of each cluster's pods in the default namespace."""
    found = {name: api(lab, name).list(PODS) for name in lab.clusters}
    return {name: sorted(one["metadata"]["name"] for one in each) for name, each in found.items()}


def pings(done: Result) -> dict[tuple[str, str], dict[str, Any]]:
    """What came of the pings, by zones."""
    document: Any = done.json()["ping"]
    return {(one["from"], one["to"]): one for one in document["pings"]}


def ends_at(done: Result) -> list[str | None]:
    """The claims at which the two directions end."""
    directions: Any = done.json()["directions"]
    return [one["ends_at"]["claim"] if one["ends_at"] else None for one in directions]


@contextmanager
def web(lab: Lab) -> Iterator[None]:
    """A pod in each cluster that somebody runs there."""
    body = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    for name in lab.clusters:
        api(lab, name).create(PODS, body)
    for name in lab.clusters:
        wait_until(partial(running, lab, name, "web"), f"web of {name} runs")
    try:
        yield
    finally:
        for name in lab.clusters:
            api(lab, name).delete(f"{PODS}/web")
        wait_until(lambda: not any(pods(lab).values()), "the pods are gone")


def running(lab: Lab, zone: str, pod: str) -> bool:
    status = api(lab, zone).get(f"{PODS}/{pod}").get("status", {})
    return bool(status.get("phase") == "Running" and status.get("podIP"))


@contextmanager
def underlay(lab: Lab, mtu: int) -> Iterator[None]:
    """The cables between all hosts carry less."""
    fabric = lab._fabric
    assert isinstance(fabric, NamespaceFabric)
    cables = [
        fabric._cable(zone, host) for zone in lab.zones.values() for host in zone.hosts.values()
    ]

    def carry(size: int) -> None:
        for cable in cables:
            command = ("ip", "-n", fabric._underlay, "link", "set", "dev", cable, "mtu")
            subprocess.run([*command, str(size)], check=True)

    carry(mtu)
    try:
        yield
    finally:
        carry(1500)


def test_pods_are_made_where_none_can_ping_and_are_removed_again(lab: Lab, icplan: Icplan) -> None:
    done = icplan("verify", "--ping", "--json")
    assert done.exit == 0, done.out + done.err
    found = pings(done)
    assert found.keys() == BOTH
    for (near, _), one in found.items():
        assert one["place"].startswith("pod default/icplan-probe-")
        assert one["place"].endswith(f" of {near}")
        assert (one["result"], one["sent"], one["received"]) == ("answered", 5, 5)
        assert one["mtu"] == {"interface": 1400, "passes": 1400, "told": None}
    assert pods(lab) == {"az1": [], "az2": []}


def test_pods_that_exist_are_pinged_from(lab: Lab, icplan: Icplan) -> None:
    with web(lab):
        done = icplan("verify", *ENDS, "--ping", "--json")
        assert done.exit == 0, done.out + done.err
        places = {key: one["place"] for key, one in pings(done).items()}
        assert places == {
            ("az1", "az2"): "pod default/web of az1",
            ("az2", "az1"): "pod default/web of az2",
        }
        assert ends_at(done) == [None, None]
        # One that lies in another subnet is not what was asked for.
        lab.zones["az1"].add_subnet("office", "10.116.0.1/24")
        try:
            wait_until(
                lambda: "10.116.0.0/24" in icplan("status").out, "az1 advertises its new subnet"
            )
            other = icplan("verify", "az1/office", "az2/ovn-default", "--ping", "--json")
            place = pings(other)["az1", "az2"]["place"]
            assert place.startswith("pod default/icplan-probe-"), other.out
        finally:
            lab.zones["az1"].remove_subnet("office")


def test_an_underlay_that_swallows_large_packets_is_found(lab: Lab, icplan: Icplan) -> None:
    with web(lab), underlay(lab, 1440):
        done = icplan("verify", "--ping", "--json")
        assert done.exit == 6, done.out + done.err
        for one in pings(done).values():
            assert (one["result"], one["received"]) == ("mtu-hole", 5)
            assert one["mtu"] == {"interface": 1400, "passes": 1382, "told": None}
            assert "must carry 1458 bytes" in one["cure"]
            assert "carries 1440" in one["cure"]
        text = icplan("verify", "--ping", "--count", "1")
        assert text.exit == 6
        assert "packets of 1382 bytes pass, larger ones vanish without a word" in text.out
    assert icplan("verify", "--ping").exit == 0


def test_gateways_that_are_cut_off_are_silent_and_the_way_says_where(
    lab: Lab, icplan: Icplan
) -> None:
    hosts = lab.zones["az1"].gateway_hosts
    with web(lab):
        for host in hosts:
            lab.zones["az1"].plug(host, connected=False)
        try:
            wait_until(
                lambda: (
                    ends_at(icplan("verify", *ENDS, "--json"))
                    == ["a gateway of az1 serves it", "a gateway of az1 serves it"]
                ),
                "nobody serves the port of az1",
            )
            done = icplan("verify", *ENDS, "--ping", "--count", "2", "--json")
            assert done.exit == 6, done.out + done.err
            for one in pings(done).values():
                assert (one["result"], one["received"]) == ("silent", 0)
                assert "no gateway of az1 serves its port on ts" in one["why"]
        finally:
            for host in hosts:
                lab.zones["az1"].plug(host, connected=True)
        wait_until(lambda: icplan("verify", "--ping").exit == 0, "packets pass again")


# Where a way ends


def test_a_missing_policy(lab: Lab, icplan: Icplan) -> None:
    zone = lab.clusters["az1"]
    zone.freeze_controller()
    try:
        zone.nbctl("lr-policy-del", "ovn-cluster", "29500")
        done = icplan("verify", *ENDS, "--json")
        assert done.exit == 6, done.out + done.err
        assert ends_at(done) == ["a policy of az1 lets 10.17.0.0/16 pass", None]
    finally:
        zone.thaw_controller()
    wait_until(lambda: icplan("verify", *ENDS).exit == 0, "the policy is there again")


def test_a_policy_above_that_drops_everything(lab: Lab, icplan: Icplan) -> None:
    """It stands above what the controller lets pass, and the answers of az2 meet it, too."""
    zone = lab.clusters["az1"]
    drop = ("ovn-cluster", "30000", "ip4.dst == 10.17.0.0/16")
    zone.nbctl("lr-policy-add", *drop, "drop")
    try:
        assert "IC065" in icplan("plan").out
        done = icplan("verify")
        assert done.exit == 6, done.out + done.err
        assert "policy 30000 of router ovn-cluster of az1 drops" in done.out
        done = icplan("verify", *ENDS, "--ping", "--count", "2", "--json")
        assert done.exit == 6, done.out + done.err
        assert ends_at(done) == ["no other policy of az1 takes 10.17.0.0/16", None]
        found = pings(done)
        assert {one["result"] for one in found.values()} == {"silent"}
        assert "policy 30000 of router ovn-cluster" in found["az1", "az2"]["why"]
        back = found["az2", "az1"]
        assert "the answer has no way back: policy 30000" in back["why"]
        assert "UDP 6081" not in back["cure"]
    finally:
        zone.nbctl("lr-policy-del", *drop)
    wait_until(lambda: icplan("verify", "--ping").exit == 0, "packets pass again")


def test_a_subnet_that_is_withheld_and_stays_denied(lab: Lab, icplan: Icplan) -> None:
    claim = "az2 withholds nothing of 10.17.0.0/16"

    def withhold(value: bool) -> None:
        spec = {"spec": {"disableInterConnection": value}}
        api(lab, "az2").patch(f"{SUBNETS}/ovn-default", spec)

    def denied() -> bool:
        return "10.17.0.0/16" in lab.zones["az2"].nbctl("get", "nb_global", ".", "options")

    withhold(True)
    wait_until(denied, "the controller denies it")
    done = icplan("verify", *ENDS)
    assert done.exit == 6, done.out + done.err
    assert f"ENDS    {claim}" in done.out
    assert "somebody withholds ovn-default of az2: disableInterConnection is true" in done.out
    withhold(False)
    done = icplan("verify", *ENDS)
    assert done.exit == 6, done.out + done.err
    assert "keeps denying 10.17.0.0/16, which nothing withholds any more" in done.out
    icplan.apply()
    assert icplan("verify", *ENDS).exit == 0


def test_a_controller_at_a_standstill_before_it_has_done_anything(lab: Lab, icplan: Icplan) -> None:
    config = "/api/v1/namespaces/kube-system/configmaps/ovn-ic-config"
    zone = lab.clusters["az2"]
    body = api(lab, "az2").get(config)
    api(lab, "az2").delete(config)
    wait_until(lambda: "ts-az2" not in zone.nbctl("show"), "az2 is out")
    zone.freeze_controller()
    try:
        metadata = {key: body["metadata"][key] for key in ("name", "annotations", "labels")}
        made = {"metadata": metadata, "data": body["data"]}
        api(lab, "az2").create(config.rpartition("/")[0], made)
        done = icplan("verify", *ENDS)
        assert done.exit == 6, done.out + done.err
        # Its pod runs, and its ConfigMap is there: what it should have made is not.
        assert "  ok      the controller of az2 runs\n" in done.out
        assert "  ENDS    the port of az2 is known to the others\n" in done.out
        assert "see why the controller of az2 has not done it" in done.out
    finally:
        zone.thaw_controller()
    wait_until(lambda: icplan("verify", *ENDS).exit == 0, "az2 is back")


def test_manual_zones_have_no_way_until_somebody_makes_one(lab: Lab, icplan: Icplan) -> None:
    limits = "limits: {disruptedZones: 2}"
    icplan.edit("\nicDatabase:", f"\nroutePolicy: manual\n{limits}\nicDatabase:")
    icplan.apply()
    try:
        done = icplan("verify", *ENDS, "--json")
        assert done.exit == 6, done.out + done.err
        assert ends_at(done) == [
            "az1 has a route to 10.17.0.0/16 over az2",
            "az2 has a route to 10.16.0.0/16 over az1",
        ]
        # What the file gives no way to is no fault.
        meshed = icplan("verify", "--ping", "--json")
        assert meshed.exit == 0, meshed.out + meshed.err
        assert {one["result"] for one in pings(meshed).values()} == {"not-expected"}

        address = {
            name: zone.nbctl("--bare", "get", "logical_router_port", f"{name}-ts", "networks")
            for name, zone in lab.zones.items()
        }
        for near, far, prefix in (("az1", "az2", "10.17.0.0/16"), ("az2", "az1", "10.16.0.0/16")):
            hop = address[far].strip().strip('[]"').partition("/")[0]
            zone = lab.zones[near]
            zone.nbctl("lr-route-add", "ovn-cluster", prefix, hop)
        without = icplan("verify", *ENDS)
        assert "no policy of priority 29500" in without.out
        for zone in lab.zones.values():
            uuids = zone.nbctl("--bare", "--columns=_uuid", "list", "logical_router_static_route")
            for uuid in uuids.split():
                zone.nbctl("set", "logical_router_static_route", uuid, "options:origin=static")
        wait_until(lambda: icplan("verify", *ENDS).exit == 0, "the controllers let it pass")
        done = icplan("verify", *ENDS, "--ping")
        assert done.exit == 0, done.out + done.err
    finally:
        for zone in lab.zones.values():
            zone.nbctl("lr-route-del", "ovn-cluster")
        icplan.edit("\nroutePolicy: manual\n", "\n")
        icplan.apply()


# Pods of runs that are stopped


def both_run(lab: Lab) -> bool:
    return all(
        len(names) == 1 and running(lab, zone, names[0]) for zone, names in pods(lab).items()
    )


@contextmanager
def pinging(lab: Lab, icplan: Icplan) -> Iterator[subprocess.Popen[str]]:
    """A run that pings for a minute, and both of its pods run."""
    process = icplan.start("verify", "--ping", "--count", "300")
    try:
        wait_until(lambda: both_run(lab) or process.poll() is not None, "both pods run")
        assert process.poll() is None
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_removes_its_pods(
    lab: Lab, icplan: Icplan, number: signal.Signals
) -> None:
    with pinging(lab, icplan) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "the pods that were made to ping from are removed" in err
    assert pods(lab) == {"az1": [], "az2": []}


def test_what_a_killed_run_leaves_is_removed_by_the_next_one(lab: Lab, icplan: Icplan) -> None:
    with pinging(lab, icplan) as process:
        process.kill()
        process.communicate()
    left = pods(lab)
    assert all(left.values())
    assert icplan("verify", "--ping").exit == 0
    assert pods(lab) == {"az1": [], "az2": []}


def test_a_run_leaves_the_pods_of_another_one_alone(lab: Lab, icplan: Icplan) -> None:
    with pinging(lab, icplan) as process:
        there = pods(lab)
        assert icplan("verify", "--ping", "--count", "1").exit == 0
        assert pods(lab) == there
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert pods(lab) == {"az1": [], "az2": []}


def test_a_pod_that_does_not_run_is_told_and_removed(lab: Lab, icplan: Icplan) -> None:
    for zone in lab.clusters.values():
        zone.cluster.kwok.stop()
    try:
        done = icplan("verify", *ENDS, "--ping", "--probe-wait", "2", "--json")
    finally:
        for zone in lab.clusters.values():
            zone.cluster.kwok.start()
    # Without a kubelet there is no exec in ovn-central, either.
    assert done.exit == 1, done.out + done.err
    for one in pings(done).values():
        assert one["result"] == "not-probed"
        assert "does not run after 2 s" in one["why"]
    assert pods(lab) == {"az1": [], "az2": []}
