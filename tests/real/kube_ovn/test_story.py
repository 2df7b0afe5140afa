"""Clusters with Kube-OVN and nothing but a kubeconfig: what a plan announces is what happens."""

from __future__ import annotations

import ipaddress
import json

import pytest

from icplan.lab import Lab, wait_until
from icplan.lab.kubernetes.cluster import CONFIG_MAPS
from tests.real.conftest import Icplan
from tests.real.kube_ovn.looks import (
    CONFIG,
    LEASE,
    OFFICE,
    addresses,
    api,
    data,
    learned,
    ports,
)  # fmt: skip
from tests.roles import grant, revoke, token_file

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

CONTROLLER = "ovn-ic-controller"
NOTHING = "No changes. What is there is what the file says.\n"
NEW, OLD = "v1.17.0", "v1.15.23"
STEPS = {"written", "seen"}
"""What the record of a run says of a write that was done, and of evidence that has come."""


def test_two_clusters_from_nothing(lab: Lab, icplan: Icplan) -> None:
    for zone in ("az1", "az2"):
        api(lab, zone).delete(CONFIG)
    wait_until(lambda: not learned(lab, "az1") | learned(lab, "az2"), "nobody has routes")

    assert icplan.changes() == {"az1/ic-config": "create", "az2/ic-config": "create"}
    assert icplan("verify").exit == 6
    applied = icplan.apply()

    assert "2 of 2" in applied.out, applied.out
    assert learned(lab, "az1") == {"10.17.0.0/16"}
    assert learned(lab, "az2") == {"10.16.0.0/16", "10.116.0.0/24"}
    assert data(lab) == {
        "enable-ic": "true",
        "az-name": "az1",
        "ic-db-host": "127.0.0.1",
        "ic-nb-port": str(lab.ic.ports.northbound),
        "ic-sb-port": str(lab.ic.ports.southbound),
        "gw-nodes": "az1-gw1,az1-gw2",
        "auto-route": "true",
    }
    second = icplan("plan", "--detailed-exitcode")
    assert (second.exit, second.out) == (0, NOTHING)
    assert icplan("verify").exit == 0
    # The locks are given back.
    assert all(api(lab, zone).get_if_exists(LEASE) is None for zone in ("az1", "az2"))


def test_a_configmap_typed_by_hand_is_adopted_by_its_mark_alone(lab: Lab, icplan: Icplan) -> None:
    body = {"metadata": {"name": "ovn-ic-config"}, "data": data(lab)}
    before = data(lab)
    api(lab).delete(CONFIG)
    wait_until(lambda: not learned(lab, "az1"), "az1 is out")
    api(lab).create(CONFIG_MAPS, body)
    wait_until(lambda: bool(learned(lab, "az1")), "az1 is in again")
    there = ports(lab), addresses(lab)

    assert icplan.changes() == {"az1/ic-config": "adopt"}
    assert "No zone disrupted." in icplan("plan").out
    icplan.apply()

    assert (data(lab), ports(lab), addresses(lab)) == (before, *there)
    assert api(lab).get(CONFIG)["metadata"]["annotations"] == {"icplan/owner": "lab"}
    assert icplan.changes() == {}


def test_gateways_change_in_place_with_a_new_controller(lab: Lab, icplan: Icplan) -> None:
    there = ports(lab), addresses(lab)
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw1, az1-gw2, az1-w1]")

    plan = icplan("plan")
    assert "changed in place: az1-gw1 stays active, addresses are kept" in plan.out
    assert "No zone disrupted." in plan.out
    icplan.apply()

    assert (ports(lab), addresses(lab)) == there
    gateways = lab.zones["az1"].nbctl("lrp-get-gateway-chassis", "az1-ts").splitlines()
    assert [line.split()[0] for line in gateways] == [
        f"az1-ts-chassis-az1-{host}" for host in ("gw1", "gw2", "w1")
    ]
    assert icplan("verify").exit == 0


def test_gateways_are_an_outage_with_an_old_controller(lab: Lab, icplan: Icplan) -> None:
    zone = lab.clusters["az1"]
    zone.cluster.set_version(CONTROLLER, OLD)
    zone.start_controller("old")
    try:
        there = ports(lab)
        icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
        plan = icplan("plan")
        assert "its controller (v1.15.23) cannot change gateways in place" in plan.out
        assert "IC041" in plan.out
        assert "1 zone disrupted" in plan.out
        icplan.apply()
        assert ports(lab)["az1"] != there["az1"]
        assert ports(lab)["az2"] == there["az2"]
        assert icplan("verify").exit == 0
    finally:
        zone.cluster.set_version(CONTROLLER, NEW)
        zone.start_controller()


def test_routes_switched_off_is_a_rebuild(lab: Lab, icplan: Icplan) -> None:
    there = ports(lab)
    icplan.edit(
        "gatewayNodes: [az1-gw1, az1-gw2]",
        "gatewayNodes: [az1-gw1, az1-gw2]\n    routePolicy: manual",
    )

    plan = icplan("plan")
    assert "its addresses on the transit switches change; afterwards it exchanges no routes" in (
        " ".join(plan.out.split())
    )
    assert "1 zone disrupted" in plan.out
    icplan.apply()

    assert ports(lab)["az1"] != there["az1"]
    assert ports(lab)["az2"] == there["az2"]
    assert not learned(lab, "az1") | learned(lab, "az2")
    assert icplan("verify").exit == 0


def test_a_transit_switch_more_rebuilds_every_zone_at_once(lab: Lab, icplan: Icplan) -> None:
    there = ports(lab)
    icplan.edit("count: 1", "count: 2")
    refused = icplan("plan")
    assert refused.exit == 4
    assert "2 zones would have an outage (az1, az2), limits.disruptedZones allows 1" in refused.out

    icplan.edit(
        "availabilityZones:", "limits: {disruptedZones: 2, deletions: 1}\navailabilityZones:"
    )
    assert "2 zones disrupted" in icplan("plan").out
    icplan.apply()
    after = ports(lab)
    assert not {*after.values()} & {*there.values()}
    assert all(addresses(lab, "ts1").values())
    assert icplan("verify").exit == 0

    icplan.edit("count: 2", "count: 1")
    assert "2 zones disrupted" in icplan("plan").out
    icplan.apply()
    assert not {*after.values()} & {*ports(lab).values()}
    assert icplan("verify").exit == 0


def test_withheld_and_given_back(lab: Lab, icplan: Icplan) -> None:
    office = "10.116.0.0/24"
    there = ports(lab)
    gateways = "gatewayNodes: [az1-gw1, az1-gw2]"
    icplan.edit(gateways, f"{gateways}\n    withhold: [office]")
    assert "the other zones lose 10.116.0.0/24 of az1" in icplan("plan").out
    icplan.apply()
    assert office not in learned(lab, "az2")
    assert icplan("verify").exit == 0
    assert ports(lab) == there

    # Given back, with the sticky entry accepted: it stays denied.
    waiver = 'accept: [{rule: IC037, at: az1, reason: "not before the weekend"}]\n'
    icplan.edit(f"{gateways}\n    withhold: [office]", gateways)
    given = icplan.file.read_text()
    icplan.file.write_text(given + waiver)
    assert icplan.changes() == {"az1/subnet/office": "update"}
    icplan.apply()
    assert "10.116.0.0/24 of az1 stays denied until az1 is switched off" in icplan("plan").out
    assert api(lab).get(OFFICE)["spec"]["disableInterConnection"] is False
    assert "annotations" not in api(lab).get(OFFICE)["metadata"]
    assert office not in learned(lab, "az2")
    assert ports(lab) == there

    # Without the waiver its cure is part of the plan, as an outage.
    icplan.file.write_text(given)
    plan = icplan("plan")
    assert "1 zone disrupted" in plan.out
    assert icplan.changes() == {"az1/denylist": "update"}
    icplan.apply()
    assert office in learned(lab, "az2")
    assert ports(lab)["az1"] != there["az1"]
    assert icplan("plan").out == NOTHING


def test_the_configmap_deleted_by_hand_is_drift(lab: Lab, icplan: Icplan) -> None:
    api(lab).delete(CONFIG)
    plan = icplan("plan", "--detailed-exitcode")
    assert plan.exit == 2
    assert "+ az1/ic-config" in plan.out
    verified = icplan("verify")
    assert verified.exit == 6
    assert "az1" in verified.out
    icplan.apply()
    assert icplan("plan").out == NOTHING


@pytest.mark.parametrize(
    ("key", "value", "impact"),
    [
        ("gw-nodes", "az1-gw2,az1-gw1", "az1-gw1 takes over from az1-gw2, a gap below 1 s"),
        ("auto-route", "false", "its addresses on the transit switches change"),
        ("enable-ic", "false", "az1 joins"),
        ("gw-node", "az1-gw2", "its addresses on the transit switches change"),
    ],
)
def test_the_configmap_edited_by_hand_is_drift(
    lab: Lab, icplan: Icplan, key: str, value: str, impact: str
) -> None:
    was = data(lab)
    api(lab).patch(CONFIG, {"data": {key: value}})
    plan = icplan("plan")
    assert icplan.changes() == {"az1/ic-config": "update"}
    assert impact in " ".join(plan.out.split())
    icplan.apply()
    assert data(lab) == was
    assert icplan("verify").exit == 0


def test_an_unknown_key_may_stay(lab: Lab, icplan: Icplan) -> None:
    api(lab).patch(CONFIG, {"data": {"gw-node": "az1-gw2"}})
    waiver = 'accept: [{rule: IC036, at: az1, reason: "read by the old tool"}]\n'
    icplan.file.write_text(icplan.file.read_text() + waiver)
    assert icplan.changes() == {}
    # Other changes keep it, too.
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    icplan.apply()
    assert data(lab)["gw-node"] == "az1-gw2"


def test_a_cluster_that_does_not_answer(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    icplan.edit("[az2-gw1, az2-gw2]", "[az2-gw2, az2-gw1]")
    server = lab.clusters["az2"].cluster.server
    server.freeze()
    try:
        plan = icplan("plan", "--timeout", "10")
        assert plan.exit == 1
        assert "Kubernetes API of az2" in plan.out
        assert "az1/ic-config" in plan.out
        assert "az2/ic-config" not in plan.out
        assert icplan("apply", "--auto-approve", "--timeout", "2").exit == 1
    finally:
        server.thaw()
    assert icplan.changes() == {"az1/ic-config": "update", "az2/ic-config": "update"}


def test_nothing_is_written_that_no_controller_would_carry_out(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    saved = icplan.directory / "plan.icp"
    assert icplan("plan", "--out", str(saved)).exit == 0
    before = data(lab)
    lab.clusters["az1"].stop_controller()

    plan = icplan("plan")
    assert plan.exit == 4
    assert "the controller of az1 does not run" in plan.out
    refused = icplan("apply", "--auto-approve")
    assert refused.exit == 4
    assert icplan("apply", str(saved)).exit == 4
    assert data(lab) == before


def test_with_the_two_roles(lab: Lab, icplan: Icplan) -> None:
    files = {}
    for name, zone in lab.clusters.items():
        grant(zone.cluster)
        for role in ("icplan-plan", "icplan-apply"):
            files[role, name] = token_file(zone.cluster, icplan.directory / f"{role}-{name}", role)
    try:
        text = icplan.file.read_text().replace("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")

        def become(role: str) -> None:
            changed = text
            for name in lab.clusters:
                there = f"context: {name}, kubeconfig: {lab.kubeconfig}"
                assert there in changed
                changed = changed.replace(
                    there, f"context: {name}, kubeconfig: {files[role, name]}"
                )
            icplan.file.write_text(changed)

        become("icplan-plan")
        wait_until(lambda: icplan("plan").exit == 0, "the role icplan-plan is in force")
        preview = icplan("plan", "--json").json()
        assert preview["preview"] is True
        assert preview["digest"] is None
        shown = icplan("plan").out
        assert "gw-nodes" in shown
        assert "northbound database of az1" in shown
        assert "not permitted" in shown
        out = icplan.directory / "plan.icp"
        assert icplan("plan", "--out", str(out)).exit == 1
        assert not out.exists()
        before = data(lab)
        assert icplan("apply", "--auto-approve").exit == 1
        assert data(lab) == before

        become("icplan-apply")
        wait_until(
            lambda: icplan("plan", "--json").json()["digest"] is not None,
            "the role icplan-apply is in force",
        )
        icplan.apply()
        assert data(lab)["gw-nodes"] == "az1-gw2,az1-gw1"
        assert icplan("verify").exit == 0
        assert icplan.changes() == {}
    finally:
        for zone in lab.clusters.values():
            revoke(zone.cluster)


def test_leaving_and_coming_back(lab: Lab, icplan: Icplan) -> None:
    gateways = "gatewayNodes: [az2-gw1, az2-gw2]"
    icplan.edit(gateways, f"{gateways}\n    state: absent")
    assert icplan("plan").exit == 4
    icplan.edit("availabilityZones:", "limits: {deletions: 1}\navailabilityZones:")
    icplan.apply()
    assert api(lab, "az2").get_if_exists(CONFIG) is None
    assert not learned(lab, "az1") | learned(lab, "az2")
    assert (
        "az2" not in lab.ic.sbctl("--bare", "--columns=name", "list", "Availability_Zone").split()
    )
    assert icplan.changes() == {}
    icplan.edit(f"{gateways}\n    state: absent", gateways)
    icplan.apply()
    assert learned(lab, "az1") == {"10.17.0.0/16"}


def test_an_older_controller_is_left_without_showing_what_was_withheld(
    lab: Lab, icplan: Icplan
) -> None:
    zone = lab.clusters["az1"]
    gateways = "gatewayNodes: [az1-gw1, az1-gw2]"
    hidden = f"{gateways}\n    withhold: [office]"
    zone.cluster.set_version(CONTROLLER, OLD)
    zone.start_controller("old")
    try:
        # Routes by hand: what it advertised and learned goes, though it leaves that in place.
        icplan.edit(gateways, f"{gateways}\n    routePolicy: manual")
        icplan.apply()
        # A controller that was told something new right after its start rebuilds once more.
        wait_until(lambda: icplan("verify").exit == 0, "az1 has its routes by hand")
        assert not learned(lab, "az1")
        assert not _advertised(lab)

        icplan.edit(f"{gateways}\n    routePolicy: manual", hidden)
        icplan.edit("availabilityZones:", "limits: {deletions: 2}\navailabilityZones:")
        icplan.apply()
        assert learned(lab, "az2") == {"10.16.0.0/16"}
        icplan.edit(hidden, f"{hidden}\n    state: absent")
        assert icplan.changes() == {
            "az1/ic-config": "delete",
            "az1/subnet/office": "update",
            "az1/learned-routes": "delete",
        }
        log = icplan.directory / "leaving.jsonl"
        done = icplan("apply", "--auto-approve", "--run-log", str(log))
        assert done.exit == 0, done.out + done.err
        events = [json.loads(line) for line in log.read_text().splitlines()]
        steps = [one.get("address", one["event"]) for one in events if one["event"] in STEPS]
        # Not before the controller has taken the zone down: it would show the Subnet at once.
        assert steps[:5] == ["seen", "az1/ic-config", "seen", "seen", "az1/subnet/office"]
        assert steps[5:] == ["az1/learned-routes", "seen"]
        assert api(lab).get_if_exists(CONFIG) is None
        assert api(lab).get(OFFICE)["spec"]["disableInterConnection"] is False

        # Nor does anything stay that it had learned.
        assert icplan("plan").out == NOTHING
        assert not learned(lab, "az1")
        assert icplan("verify").exit == 0
    finally:
        zone.cluster.set_version(CONTROLLER, NEW)
        zone.start_controller()


def _advertised(lab: Lab) -> set[str]:
    """The networks that are advertised by anybody but az2."""
    rows = lab.ic.sbctl("--bare", "--columns=ip_prefix", "list", "Route").split()
    return {str(ipaddress.ip_network(one, strict=False)) for one in rows} - {"10.17.0.0/16"}


def test_ic_databases_reached_through_a_zone(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("icDatabase:\n", "icDatabase:\n  reach: {through: az2}\n")
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    icplan.apply()
    assert icplan("verify").exit == 0
    # It is that road which is taken.
    api_server = lab.clusters["az2"].cluster.server
    api_server.freeze()
    try:
        plan = icplan("plan", "--timeout", "2")
        assert plan.exit == 1
        assert "IC northbound database" in plan.out
    finally:
        api_server.thaw()


def test_two_zones_with_the_same_address_are_cured(lab: Lab, icplan: Icplan) -> None:
    az1, az2 = lab.zones["az1"], lab.zones["az2"]
    shared = az1.nbctl("get", "Logical_Router_Port", "az1-ts", "networks").strip()
    az2.nbctl("set", "Logical_Router_Port", "az2-ts", f"networks={shared}")
    address = shared.strip('[]"').partition("/")[0]
    wait_until(lambda: lab.ic.sbctl("list", "Port_Binding").count(address) == 2, "both publish it")
    there = ports(lab)

    assert icplan("verify").exit == 6
    assert icplan.changes() == {"az2/transit-addresses": "update"}
    assert f"{address} of az1 on ts" in " ".join(icplan("plan").out.split())
    icplan.apply()

    assert ports(lab)["az1"] == there["az1"]
    assert len({*addresses(lab).values()}) == 2
    assert icplan("verify").exit == 0


def test_what_a_controller_left_behind_is_taken_away(lab: Lab, icplan: Icplan) -> None:
    zone = lab.clusters["az2"]
    zone.stop_controller()
    api(lab, "az2").delete(CONFIG)
    zone.start_controller()
    assert ports(lab)["az2"]
    gateways = "gatewayNodes: [az2-gw1, az2-gw2]"
    icplan.edit(gateways, f"{gateways}\n    state: absent")
    icplan.edit("availabilityZones:", "limits: {deletions: 1}\navailabilityZones:")
    assert "left-behind  ts-az2, rows in the IC southbound database" in icplan("plan").out
    icplan.apply()
    assert not lab.zones["az2"].nbctl("--if-exists", "get", "Logical_Router_Port", "az2-ts", "name")
    assert "az2" not in lab.ic.sbctl("list", "Port_Binding")
    assert api(lab, "az2").get_if_exists(CONFIG) is None
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0
