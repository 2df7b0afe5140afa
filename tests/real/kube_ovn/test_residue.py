"""What controllers leave behind in clusters is found, named, and cured by changes shown."""

from __future__ import annotations

import json

import pytest

from icplan.lab import Lab, wait_until
from icplan.lab.kubernetes.cluster import CONFIG_MAPS
from tests.real import rows
from tests.real.conftest import Icplan
from tests.real.kube_ovn.looks import CONFIG, CONTROLLER, NEW, OLD, api, learned, older

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]
NOTHING = "No changes. What is there is what the file says.\n"
GATEWAYS = "gatewayNodes: [az2-gw1, az2-gw2]"


def leave(icplan: Icplan, deletions: int) -> None:
    icplan.edit(GATEWAYS, f"{GATEWAYS}\n    state: absent")
    icplan.edit("availabilityZones:", f"limits: {{deletions: {deletions}}}\navailabilityZones:")


@pytest.mark.parametrize("version", [OLD, "latest"])
def test_an_older_controller_leaves_what_it_learned_and_icplan_takes_it(
    lab: Lab, icplan: Icplan, version: str
) -> None:
    with older(lab, "az2", version):
        held = learned(lab, "az2")
        assert held
        leave(icplan, 2)
        plan = icplan("plan")
        assert plan.exit == 0, plan.out
        assert "- az2/learned-routes" in plan.out
        for prefix in held:
            assert f"      {prefix}" in plan.out
        icplan.apply()
        assert learned(lab, "az2") == set()
        assert icplan("plan").out == NOTHING
        assert icplan("verify").exit == 0


def test_of_unknown_version_there_may_be_nothing_left(lab: Lab, icplan: Icplan) -> None:
    zone = lab.clusters["az2"]
    zone.cluster.set_version(CONTROLLER, "latest")
    try:
        leave(icplan, 2)
        assert "az2/learned-routes" in icplan.changes()
        icplan.apply()
        assert learned(lab, "az2") == set()
        assert icplan.changes() == {}
    finally:
        zone.cluster.set_version(CONTROLLER, NEW)
        zone.start_controller()


def test_what_is_there_since_earlier_is_taken_away(lab: Lab, icplan: Icplan) -> None:
    """The zone left by hand, and nobody looked at what stayed."""
    with older(lab, "az2"):
        wait_until(lambda: icplan("verify").exit == 0, "az2 is interconnected")
        config = dict(api(lab, "az2").get(CONFIG)["data"])
        api(lab, "az2").delete(CONFIG)
        wait_until(lambda: not learned(lab, "az1"), "az2 is out")
        assert learned(lab, "az2")
        assert icplan.changes() == {"az2/ic-config": "create"}, "it is declared present"
        leave(icplan, 1)
        assert icplan.changes() == {"az2/learned-routes": "delete"}
        saved = icplan.directory / "plan.json"
        assert icplan("plan", "--out", str(saved)).exit == 0

        # Switched on by somebody: from then on what it has learned is its ovn-ic's.
        lab.clusters["az2"].stop_controller()
        body = {"metadata": {"name": "ovn-ic-config"}, "data": config}
        api(lab, "az2").create(CONFIG_MAPS, body)
        assert icplan("apply", str(saved)).exit == 4
        assert learned(lab, "az2")
        api(lab, "az2").delete(CONFIG)
        # No controller is needed for it.
        done = icplan("apply", str(saved))
        assert done.exit == 0, done.out + done.err
        assert learned(lab, "az2") == set()
        assert icplan("plan").out == NOTHING


def test_ports_lost_at_a_restart_of_kube_ovn_controller(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("count: 1", "count: 2")
    icplan.edit(
        "availabilityZones:", "limits: {disruptedZones: 2, deletions: 1}\navailabilityZones:"
    )
    icplan.apply()
    az1 = lab.clusters["az1"]
    try:
        az1.lose_switches()
        wait_until(lambda: "ts1" in az1.nbctl("ls-list"), "ovn-ic makes it again")
        assert "ts1-az1" not in az1.nbctl("lsp-list", "ts1").split()
        assert "az1-ts1" in az1.nbctl("lrp-list", "ovn-cluster")

        plan = icplan("plan")
        assert icplan.changes() == {"az1/transit-ports": "update"}, plan.out
        said = " ".join(plan.out.split())
        assert "lost ts1 -> (none)" in said
        assert "az1 has lost its port on ts1, where no traffic passes since then" in said
        assert "1 zone disrupted" in said
        assert icplan("verify").exit == 6
        icplan.apply()
        assert "ts1-az1" in az1.nbctl("lsp-list", "ts1")
        assert icplan("plan").out == NOTHING
        assert icplan("verify").exit == 0
        # Together with a change in place, which by itself would not bring it back.
        az1.lose_switches()
        wait_until(lambda: "ts1" in az1.nbctl("ls-list"), "ovn-ic makes it again")
        icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
        assert {*icplan.changes()} == {"az1/ic-config", "az1/transit-ports"}
        icplan.apply()
        assert "ts1-az1" in az1.nbctl("lsp-list", "ts1")
        assert icplan("verify").exit == 0
    finally:
        icplan.edit("count: 2", "count: 1")
        icplan.apply()


def test_renamed_while_its_controller_was_down(lab: Lab, icplan: Icplan) -> None:
    """Ports of the former name stay in the zone, its rows in the IC databases."""
    zone = lab.clusters["az2"]
    zone.stop_controller()
    config = dict(api(lab, "az2").get(CONFIG)["data"])
    text = icplan.file.read_text()
    try:
        api(lab, "az2").patch(CONFIG, {"data": {"az-name": "west"}})
        # Two equal networks on one router crash OVN's 23.03 ovn-ic: the old port's moves away.
        zone.nbctl("set", "Logical_Router_Port", "az2-ts", 'networks="169.254.99.9/24"')
        zone.start_controller()
        # Whether west is registered before the rows of az2 are gone is a matter of luck: its
        # chassis are theirs, too, and cannot be registered twice.
        wait_until(lambda: "west-ts" in zone.nbctl("lrp-list", "ovn-cluster"), "it has its port")
        assert "az2-ts" in zone.nbctl("lrp-list", "ovn-cluster")

        gone = "  - {name: az2, state: gone}\n"
        changed = text.replace("- name: az2\n", "- name: west\n") + gone
        icplan.file.write_text(
            changed.replace("availabilityZones:", "limits: {deletions: 9}\navailabilityZones:")
        )
        plan = icplan("plan")
        assert plan.exit == 0, plan.out
        assert "IC071 az2" in plan.out
        changes = icplan.changes()
        assert changes["ic/zone/az2"] == "delete"
        assert changes["west/dangling-port/ts-az2"] == "delete"
        icplan.apply()
        assert "az2-ts" not in zone.nbctl("lrp-list", "ovn-cluster")
        assert rows.mentions(lab.ic.sbctl, ("Availability_Zone", "Route"), "az2") == []
        assert icplan.changes() == {}
        assert icplan("verify").exit == 0
    finally:
        api(lab, "az2").patch(CONFIG, {"data": config})
        icplan.file.write_text(text)


def test_clusters_are_taken_apart(lab: Lab, icplan: Icplan) -> None:
    icplan.edit(
        "gatewayNodes: [az1-gw1, az1-gw2]",
        "gatewayNodes: [az1-gw1, az1-gw2]\n    withhold: [office]",
    )
    icplan.apply()
    done = icplan("destroy", "--auto-approve")
    assert done.exit == 0, done.out + done.err
    for name in lab.clusters:
        assert api(lab, name).get_if_exists(CONFIG) is None
        assert "ts" not in lab.zones[name].nbctl("ls-list").split()
        assert learned(lab, name) == set()
        nodes = api(lab, name).get("/api/v1/nodes")["items"]
        labels = [one["metadata"]["labels"].get("ovn.kubernetes.io/ic-gw") for one in nodes]
        assert "true" not in labels
        subnets = api(lab, name).get("/apis/kubeovn.io/v1/subnets")["items"]
        assert "icplan" not in json.dumps(
            [one["metadata"].get("annotations", {}) for one in subnets]
        )
    assert lab.ic.nbctl("ts-list").strip() == ""
    assert not any(rows.tables(lab.ic.sbctl, rows.IC_SOUTHBOUND).values())
    assert {*icplan.changes().values()} <= {"create", "update"}
    assert icplan("destroy", "--auto-approve").out == (
        "No changes. Nothing is left of this interconnection.\n"
    )
