"""Packets between plain OVN zones: from places that the user names, as no API leads into them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from icplan.lab import Family, Lab, LabOptions, Mode, wait_until
from icplan.lab.namespace_fabric import NamespaceFabric
from icplan.lab.zone import Zone
from icplan.planning.probes import RECOMPUTE
from tests.real.conftest import Icplan, Result, demand_namespaces

pytestmark = pytest.mark.real


def pings(done: Result) -> dict[tuple[str, str, str], dict[str, Any]]:
    """What came of the pings, by zones and address."""
    document: Any = done.json()["ping"]
    return {(one["from"], one["to"], one["address"]): one for one in document["pings"]}


def place(lab: Lab, name: str, command: str | None = None) -> str:
    """The value of --probe for a pod of the lab, or for one where other words lead to."""
    pod = lab.pods[name]
    fabric = lab._fabric
    assert isinstance(fabric, NamespaceFabric)
    addresses = ",".join(one.partition("/")[0] for one in pod.addresses)
    inside = f"ip netns exec {fabric.pod_namespace(pod)}" if command is None else command
    return f"{pod.zone}={addresses}={inside}"


def test_pings_of_both_families_from_named_places(short_path: Path) -> None:
    demand_namespaces()
    options = LabOptions(mode=Mode.NAMESPACES, family=Family.DUAL, gateways=1)
    with Lab(short_path / "lab", options) as lab:
        icplan = Icplan(short_path, lab.interconnect_file)
        icplan.apply()
        there, back = place(lab, "az1/pods"), place(lab, "az2/office")
        ends = ("az1/pods", "az2/office")

        done = icplan("verify", *ends, "--ping", "--probe", there, "--probe", back, "--json")
        assert done.exit == 0, done.out + done.err
        found = pings(done)
        assert {(near, far, ":" in address) for near, far, address in found} == {
            (near, far, ipv6)
            for near, far in (("az1", "az2"), ("az2", "az1"))
            for ipv6 in (False, True)
        }
        for one in found.values():
            assert (one["result"], one["received"]) == ("answered", 5)
            assert one["mtu"] == {"interface": 1400, "passes": 1400, "told": None}
        assert "all 2" in icplan("verify", *ends).out

        # A place that can only be pinged, and one that nobody has named.
        done = icplan("verify", "--ping", "--probe", there, "--probe", "az2=10.117.0.2", "--json")
        assert done.exit == 1, done.out + done.err
        results = {key[:2]: one["result"] for key, one in pings(done).items()}
        assert results == {("az1", "az2"): "answered", ("az2", "az1"): "not-probed"}
        done = icplan("verify", "--ping")
        assert done.exit == 1
        assert "az1 is plain OVN: there is no API" in done.out
        assert "--probe 'az1=ADDRESS=COMMAND'" in done.out

        # An address that nobody has is silent, whatever the databases say.
        missing = ("--probe", there, "--probe", "az2=10.17.9.9", "--count", "1")
        done = icplan("verify", "--ping", *missing, "--json")
        (silent,) = (one for one in pings(done).values() if one["from"] == "az1")
        assert (silent["result"], silent["received"]) == ("silent", 0)
        assert "UDP 6081" in silent["cure"]

        # No shell takes a command apart, and one that is not there says so.
        victim = short_path / "victim"
        for words in (f"sh-not-here; touch {victim}", f"env ; touch {victim} ;"):
            evil = place(lab, "az1/pods", words)
            done = icplan("verify", "--ping", "--probe", evil, "--probe", back, "--json")
            assert done.exit == 1, done.out + done.err
            assert not victim.exists()
            (one,) = {one["result"] for one in pings(done).values() if one["from"] == "az1"}
            assert one == "not-probed"


def test_a_gateway_that_goes_on_with_an_old_tunnel_key(short_path: Path) -> None:
    """Every database is right, and no answer comes back: only packets show it."""
    demand_namespaces()
    with Lab(short_path / "lab", LabOptions(mode=Mode.NAMESPACES, gateways=1)) as lab:
        icplan = Icplan(short_path, lab.interconnect_file)
        icplan.apply()
        places = [f"--probe={place(lab, f'{name}/pods')}" for name in lab.zones]
        assert icplan("verify", "--ping", *places).exit == 0

        where = ("Port_Binding", "logical_port=ts-az2")
        (row,) = lab.ic.sbctl("--bare", "--columns=_uuid", "find", *where).split()
        lab.ic.sbctl("set", "Port_Binding", row, "tunnel_key=77")

        def key(zone: Zone) -> str:
            return zone.sbctl("--bare", "--columns=tunnel_key", "find", *where).strip()

        wait_until(lambda: {*map(key, lab.zones.values())} == {"77"}, "the zones have the key")
        assert icplan("verify").exit == 0
        assert icplan.changes() == {}
        done = icplan("verify", "--ping", *places, "--json")
        assert done.exit == 6, done.out + done.err
        found = pings(done).values()
        assert [one["result"] for one in found] == ["silent", "silent"]
        assert all(RECOMPUTE in one["cure"] for one in found)

        for name, zone in lab.zones.items():
            zone.hypervisor(f"{name}-gw1").recompute()
        wait_until(lambda: icplan("verify", "--ping", *places).exit == 0, "answers come again")


def test_a_place_is_named_for_pings_only(icplan: Icplan) -> None:
    done = icplan("verify", "--probe", "az1=10.16.0.2=sh")
    assert done.exit == 64
    assert "nobody is pinged without --ping" in done.err
