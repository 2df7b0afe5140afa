"""Clusters whose routes stand in the file: next hops are found, and kept right, by icplan alone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.lab import Lab, wait_until
from tests.real import rows
from tests.real.conftest import Icplan, kill_at_write
from tests.real.kube_ovn.looks import CONFIG, api, learned, ports

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

EXAMPLE = Path(__file__).parents[3] / "examples" / "manual-routes" / "interconnect.yaml"
CONTROLLER = "ovn-ic-controller"
NEW, OLD = "v1.17.0", "v1.15.23"
NOTHING = "No changes. What is there is what the file says.\n"
AZ1, AZ2 = "10.16.0.0/16", "10.17.0.0/16"
TABLE = "Logical_Router_Static_Route"


def address(lab: Lab, zone: str, switch: str = "ts") -> str:
    """A zone's address on a switch, by its own database."""
    row = ("Logical_Router_Port", f"{zone}-{switch}", "networks")
    return lab.zones[zone].nbctl("--if-exists", "get", *row).strip().strip('[]"').partition("/")[0]


def routes(lab: Lab, zone: str, prefix: str) -> dict[str, dict[str, object]]:
    """A zone's routes to a prefix by next hop, as the database has them."""
    found = rows.table(lab.zones[zone].nbctl, TABLE)
    return {
        str(row["nexthop"]): {"uuid": uuid, **row}
        for uuid, row in found.items()
        if row["ip_prefix"] == prefix
    }


def passed(lab: Lab, zone: str) -> str:
    """What the policies of a zone's router let pass."""
    lines = lab.zones[zone].nbctl("lr-policy-list", "ovn-cluster").splitlines()
    return "\n".join(line for line in lines if "29500" in line)


@pytest.fixture
def icplan(lab: Lab, short_path: Path) -> Iterator[Icplan]:
    """icplan with the example, on two clusters that nobody has interconnected.

    What it leaves is taken away, so that each test begins anew.
    """
    for cluster in lab.clusters.values():
        cluster.cluster.set_version(CONTROLLER, NEW)
        cluster.start_controller()
    text = EXAMPLE.read_text(encoding="utf-8")
    for old, new in {
        "hosts: [192.168.65.3]": f"hosts: [{', '.join(lab.ic.hosts)}]\n"
        f"  northboundPort: {lab.ic.ports.northbound}\n"
        f"  southboundPort: {lab.ic.ports.southbound}",
        "context: az1": f"context: az1, kubeconfig: {lab.kubeconfig}",
        "context: az2": f"context: az2, kubeconfig: {lab.kubeconfig}",
        "[az1-gw]": "[az1-gw1, az1-gw2]",
        "[az2-gw]": "[az2-gw1, az2-gw2]",
        "routePolicy: manual": "limits: {disruptedZones: 2, deletions: 9}\n"
        "transitSwitches: 1\nroutePolicy: manual",
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = short_path / "interconnect.yaml"
    file.write_text(text)
    yield Icplan(short_path, file)
    for name, zone in lab.zones.items():
        for row in rows.table(zone.nbctl, TABLE).values():
            if row["ip_prefix"] in {AZ1, AZ2}:
                zone.nbctl("--if-exists", "lr-route-del", "ovn-cluster", str(row["ip_prefix"]))
        if api(lab, name).get_if_exists(CONFIG) is not None:
            api(lab, name).delete(CONFIG)
    wait_until(lambda: "az" not in lab.ic.sbctl("list", "Availability_Zone"), "both are out")


def test_the_example_from_nothing(lab: Lab, icplan: Icplan) -> None:
    assert icplan.changes() == {
        **({} if "ts" in lab.ic.nbctl("ts-list") else {"ic/transit-switch/ts": "create"}),
        "az1/ic-config": "create",
        "az2/ic-config": "create",
        f"az1/route/{AZ2}@ts": "create",
        f"az2/route/{AZ1}@ts": "create",
    }
    planned = icplan("plan").out
    assert re.search(r"next-hop +\(address of ts-az2 on ts, known after wave \d; ", planned)
    icplan.apply()

    for zone, other, prefix in (("az1", "az2", AZ2), ("az2", "az1", AZ1)):
        found = routes(lab, zone, prefix)
        assert {*found} == {address(lab, other)}
        assert prefix in passed(lab, zone)
        assert not learned(lab, zone)
    assert icplan("plan").out == NOTHING
    assert icplan("verify").exit == 0


def test_a_route_of_the_vpc_is_refused_until_it_is_out_of_there(lab: Lab, icplan: Icplan) -> None:
    text = icplan.file.read_text()
    icplan.file.write_text(text[: text.index("# Each line is one direction")])
    icplan.apply()
    # What kube-ovn-controller makes of spec.staticRoutes; it does not run here.
    nbctl = lab.zones["az1"].nbctl
    nbctl("lr-route-add", "ovn-cluster", AZ2, address(lab, "az2"))
    (row,) = routes(lab, "az1", AZ2).values()
    nbctl("set", TABLE, str(row["uuid"]), "external_ids:vendor=kube-ovn")
    icplan.file.write_text(text)

    refused = icplan("apply", "--auto-approve")
    assert refused.exit == 4
    assert "IC089 az1" in refused.out
    assert re.search(r"`kubectl (\S+ )*--context az1 (\S+ )*edit vpc ovn-cluster`", refused.out)
    assert f"az1/route/{AZ2}@ts" not in icplan.changes()
    assert routes(lab, "az2", AZ1) == {}, "nothing was written"

    nbctl("lr-route-del", "ovn-cluster", AZ2, address(lab, "az2"))
    icplan.apply()
    (row,) = routes(lab, "az1", AZ2).values()
    assert row["external_ids"] != {}
    assert icplan("plan").out == NOTHING
    assert icplan("verify").exit == 0


def test_routes_typed_by_hand_are_adopted(lab: Lab, icplan: Icplan) -> None:
    text = icplan.file.read_text()
    icplan.file.write_text(text[: text.index("# Each line is one direction")])
    icplan.apply()
    lab.zones["az1"].nbctl("lr-route-add", "ovn-cluster", AZ2, address(lab, "az2"))
    lab.zones["az2"].nbctl("lr-route-add", "ovn-cluster", AZ1, address(lab, "az1"))
    before = routes(lab, "az1", AZ2), routes(lab, "az2", AZ1)
    there = ports(lab)
    icplan.file.write_text(text)

    assert icplan.changes() == {f"az1/route/{AZ2}@ts": "adopt", f"az2/route/{AZ1}@ts": "adopt"}
    assert "No zone disrupted." in icplan("plan").out
    icplan.apply()

    after = routes(lab, "az1", AZ2), routes(lab, "az2", AZ1)
    for found, was in zip(after, before, strict=True):
        assert {hop: row["uuid"] for hop, row in found.items()} == {
            hop: row["uuid"] for hop, row in was.items()
        }
        assert all(row["options"] == ["map", [["origin", "static"]]] for row in found.values())
    assert AZ2 in passed(lab, "az1")
    assert ports(lab) == there
    assert icplan("plan").out == NOTHING


@pytest.mark.parametrize(("generation", "tag"), [("old", OLD), ("new", NEW)])
def test_a_peer_that_gets_another_address(
    lab: Lab, icplan: Icplan, generation: str, tag: str
) -> None:
    zone = lab.clusters["az2"]
    zone.cluster.set_version(CONTROLLER, tag)
    zone.start_controller("old" if generation == "old" else "new")
    icplan.apply()
    was, there = address(lab, "az2"), ports(lab)
    if generation == "old":
        icplan.edit("[az2-gw1, az2-gw2]", "[az2-gw2, az2-gw1]")
    else:
        # A newer one is rebuilt by an unknown key, and once more when icplan takes that away.
        api(lab, "az2").patch(CONFIG, {"data": {"gw-node": "az2-gw1"}})
        wait_until(lambda: address(lab, "az2") not in {"", was}, "az2 has another address")
        assert icplan("verify").exit == 6
    planned = " ".join(icplan("plan").out.split())
    assert f'"{was}" -> (address of ts-az2 on ts, known after wave 1; ' in planned
    # What has been broken before is not broken by the plan.
    told = f"so az1/route/{AZ2}@ts is rewritten in wave 2" in planned
    assert told is (generation == "old")
    assert "1 zone disrupted: 1 of 1 AZ pairs (az2 from az1: interrupted)" in planned
    log = icplan.directory / "rebuilt.jsonl"
    done = icplan("apply", "--auto-approve", "--run-log", str(log))
    assert done.exit == 0, done.out + done.err

    now = address(lab, "az2")
    assert ports(lab)["az2"] != there["az2"]
    assert {*routes(lab, "az1", AZ2)} == {now}
    events = [json.loads(line) for line in log.read_text().splitlines()]
    (found,) = (one for one in events if one["event"] == "resolved")
    assert (found["reference"], found["value"]) == ("address of ts-az2 on ts", now)
    assert ports(lab)["az1"] == there["az1"]
    assert icplan("plan").out == NOTHING
    assert icplan("verify").exit == 0


def test_a_saved_plan_holds_the_reference(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit("transitSwitches: 1", "transitSwitches: 2")
    saved = icplan.directory / "plan.json"
    assert icplan("plan", "--out", str(saved)).exit == 0
    assert "(address of ts1-az2 on ts1, known after wave 1; " in icplan("show", str(saved)).out
    done = icplan("apply", str(saved))
    assert done.exit == 0, done.out + done.err
    assert {*routes(lab, "az1", AZ2)} == {address(lab, "az2", one) for one in ("ts", "ts1")}
    icplan.edit("transitSwitches: 2", "transitSwitches: 1")
    icplan.apply()


def test_several_switches_are_several_next_hops(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit("transitSwitches: 1", "transitSwitches: 2")
    icplan.apply()
    for zone, other, prefix in (("az1", "az2", AZ2), ("az2", "az1", AZ1)):
        assert {*routes(lab, zone, prefix)} == {
            address(lab, other, switch) for switch in ("ts", "ts1")
        }
    assert icplan("plan").out == NOTHING
    assert icplan("verify").exit == 0
    icplan.edit("transitSwitches: 2", "transitSwitches: 1")
    icplan.apply()
    assert {*routes(lab, "az1", AZ2)} == {address(lab, "az2")}
    assert icplan("plan").out == NOTHING


def test_to_advertising_and_back_without_a_leak(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    manual = icplan.file.read_text()
    text = manual[: manual.index("# Each line is one direction")]
    icplan.file.write_text(text.replace("routePolicy: manual", "routePolicy: auto"))
    icplan.apply()
    assert learned(lab, "az1") == {AZ2}
    assert learned(lab, "az2") >= {AZ1}
    for zone, own in (("az1", AZ1), ("az2", AZ2)):
        denied = lab.zones[zone].nbctl("get", "NB_Global", ".", "options:ic-route-blacklist")
        assert own.removesuffix("/16") not in denied, "it has learned its own prefix"
    icplan.file.write_text(manual)
    icplan.apply()
    assert not learned(lab, "az1") | learned(lab, "az2")
    assert {*routes(lab, "az1", AZ2)} == {address(lab, "az2")}
    assert icplan("plan").out == NOTHING


def test_killed_at_any_write_it_ends_in_the_same_state(lab: Lab, icplan: Icplan) -> None:
    zone = lab.clusters["az2"]
    zone.cluster.set_version(CONTROLLER, OLD)
    zone.start_controller("old")
    icplan.apply()
    turns = ("[az2-gw1, az2-gw2]", "[az2-gw2, az2-gw1]")
    for kill_at in (1, 2):
        icplan.edit(*turns)
        turns = (turns[1], turns[0])
        (icplan.directory / "killed.jsonl").unlink(missing_ok=True)
        kill_at_write(icplan, kill_at)
        icplan.apply()
        what = f"what was written is served, after a kill at write {kill_at}"
        wait_until(lambda: icplan("verify").exit == 0, what)
        assert icplan.changes() == {}
        assert {*routes(lab, "az1", AZ2)} == {address(lab, "az2")}
        assert len(routes(lab, "az2", AZ1)) == 1


def test_drift_is_told_with_its_cure(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    az1, zone = lab.zones["az1"], lab.clusters["az1"]
    (row,) = routes(lab, "az1", AZ2).values()
    for what, command in {
        "next-hop": ("set", TABLE, str(row["uuid"]), "nexthop=169.254.100.9"),
        "origin": ("remove", TABLE, str(row["uuid"]), "options", "origin"),
    }.items():
        az1.nbctl(*command)
        verified = icplan("verify")
        assert verified.exit == 6
        assert f"differs from the file: az1/route/{AZ2}@ts ({what})" in verified.out
        assert icplan.changes() == {f"az1/route/{AZ2}@ts": "update"}
        icplan.apply()
    zone.freeze_controller()
    try:
        az1.nbctl("lr-policy-del", "ovn-cluster", "29500")
        verified = icplan("verify")
        assert verified.exit == 6
        said = " ".join(verified.out.split())
        assert f"no policy of priority 29500 in az1 lets traffic to {AZ2} pass" in said
        assert "-n kube-system logs deployment/ovn-ic-controller --tail=50`" in said
        assert icplan.changes() == {}
    finally:
        zone.thaw_controller()
    wait_until(lambda: icplan("verify").exit == 0, "the controller has made its policy anew")
