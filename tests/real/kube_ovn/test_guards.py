"""What stands between a plan and a cluster: locks, the running controller, crashes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from icplan.lab import Lab, wait_until
from tests.real.conftest import Icplan, kill_at_write
from tests.real.kube_ovn.looks import CONFIG, LEASE, OFFICE, api, data, learned, ports

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("kubernetes")]

GATEWAYS = "gatewayNodes: [az1-gw1, az1-gw2]"
WITHHELD = f"{GATEWAYS}\n    withhold: [office]"


def events(log: Path) -> list[dict[str, Any]]:
    text = log.read_text() if log.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line.endswith("}")]


def test_a_run_that_died_between_off_and_on_is_taken_up(lab: Lab, icplan: Icplan) -> None:
    # As it stands after the first of the two writes that move a zone to other IC databases.
    api(lab).patch(CONFIG, {"data": {"enable-ic": "false"}})
    wait_until(lambda: not learned(lab, "az1"), "az1 is off")
    assert icplan.changes() == {"az1/ic-config": "update"}
    icplan.apply()
    assert learned(lab, "az1") == {"10.17.0.0/16"}


def shape(lab: Lab) -> object:
    """What must be the same in the end, whatever happened on the way."""
    config, office = api(lab).get(CONFIG), api(lab).get(OFFICE)
    return (
        config["data"],
        config["metadata"]["annotations"],
        office["spec"].get("disableInterConnection"),
        office["metadata"].get("annotations"),
        data(lab, "az2"),
        learned(lab, "az1"),
        learned(lab, "az2"),
    )


def test_killed_at_any_write_it_ends_in_the_same_state(lab: Lab, icplan: Icplan) -> None:
    # A Subnet is given back, its denial cured by off and on, and another zone's gateways turned.
    before = icplan.file.read_text().replace(GATEWAYS, WITHHELD)
    after = icplan.file.read_text().replace("[az2-gw1, az2-gw2]", "[az2-gw2, az2-gw1]")
    ends = []
    for kill_at in range(5):
        icplan.file.write_text(before)
        icplan.apply()
        icplan.file.write_text(after)
        if kill_at:
            (icplan.directory / "killed.jsonl").unlink(missing_ok=True)
            kill_at_write(icplan, kill_at)
        icplan.apply()
        assert icplan.changes() == {}
        # Killed at its last write nothing is left to be applied, and the evidence may be to come.
        what = f"what was written is served, after a kill at write {kill_at}"
        wait_until(lambda: icplan("verify").exit == 0, what)
        ends.append(shape(lab))
    for kill_at, end in enumerate(ends):
        assert end == ends[0], f"killed at write {kill_at}"


def test_a_controller_that_goes_away_during_the_run_stops_it(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    icplan.edit("[az2-gw1, az2-gw2]", "[az2-gw2, az2-gw1]")
    before = data(lab, "az2")
    log = icplan.directory / "run.jsonl"
    # At a standstill it is alive, so az1 is written, and its evidence does not come.
    lab.clusters["az1"].freeze_controller()
    try:
        running = icplan.start("apply", "--auto-approve", "--run-log", str(log))
        wait_until(lambda: any(one["event"] == "await" for one in events(log)), "az1 is written")
        # Who comes second finds the locks of both clusters held.
        second = icplan("apply", "--auto-approve")
        assert second.exit == 5
        assert "the lock of" in second.err
        assert f"(process {running.pid})" in second.err
        assert api(lab).get(LEASE)["spec"]["holderIdentity"]
        lab.clusters["az2"].stop_controller()
    finally:
        lab.clusters["az1"].thaw_controller()
    out, err = running.communicate(timeout=300)
    assert running.returncode == 3, out + err
    assert "Deployment kube-system/ovn-ic-controller has 0 available replicas" in " ".join(
        err.split()
    )
    assert data(lab)["gw-nodes"] == "az1-gw2,az1-gw1"
    assert data(lab, "az2") == before
    assert api(lab).get_if_exists(LEASE) is None
    lab.clusters["az2"].start_controller()
    icplan.apply()
    assert data(lab, "az2")["gw-nodes"] == "az2-gw2,az2-gw1"


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    saved = icplan.directory / "plan.icp"
    assert icplan("plan", "--out", str(saved)).exit == 0
    api(lab).patch(CONFIG, {"data": {"auto-route": "false"}})
    there = data(lab)
    refused = icplan("apply", str(saved))
    assert refused.exit == 4, refused.err
    assert "auto-route" in refused.err
    assert data(lab) == there


def test_other_fields_and_marks_are_left_alone(lab: Lab, icplan: Icplan) -> None:
    foreign = {"metadata": {"annotations": {"team": "network"}, "labels": {"tier": "core"}}}
    for path in (CONFIG, OFFICE):
        api(lab).patch(path, foreign)
    there = ports(lab)
    icplan.edit(GATEWAYS, WITHHELD.replace("gw1, az1-gw2", "gw2, az1-gw1"))
    icplan.apply()
    for path in (CONFIG, OFFICE):
        metadata = api(lab).get(path)["metadata"]
        assert metadata["annotations"]["team"] == "network"
        assert metadata["labels"]["tier"] == "core"
        api(lab).patch(
            path, {"metadata": {"annotations": {"team": None}, "labels": {"tier": None}}}
        )
    assert ports(lab) == there
