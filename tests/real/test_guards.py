"""What was approved is what is done: stale plans, slipped-in changes, locks, crashes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from icplan.backends.access import endpoints
from icplan.backends.databases import Databases
from icplan.backends.failures import Stale
from icplan.core.change import Change
from icplan.core.io import Field
from icplan.lab import Lab, LabOptions, wait_until
from icplan.planning.plan import make_plan
from icplan.render.paint import Paint
from icplan.render.progress import TextProgress
from icplan.run.apply import Waits, apply
from icplan.run.observe import observe
from icplan.run.runlog import RunLog
from icplan.spec.load import read
from tests.real import rows
from tests.real.conftest import Icplan, kill_at_write

pytestmark = pytest.mark.real


def test_a_saved_plan_is_refused_when_an_object_that_it_writes_changed(
    lab: Lab, icplan: Icplan, short_path: Path
) -> None:
    icplan.apply()
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    saved = str(short_path / "plan.json")
    assert icplan("plan", "--out", saved).exit == 0
    lab.zones["az1"].nbctl("set", "Logical_Router_Port", "az1-ts", 'mac="02:00:00:00:00:07"')
    refused = icplan("apply", saved)
    assert refused.exit == 4, refused.out + refused.err
    assert "02:00:00:00:00:07" in refused.err
    assert "nothing was written" in refused.err


def test_a_saved_plan_is_refused_when_a_fact_that_it_rests_on_is_gone(
    lab: Lab, icplan: Icplan, short_path: Path
) -> None:
    saved = str(short_path / "plan.json")
    assert icplan("plan", "--out", saved).exit == 0
    lab.zones["az2"].remove_chassis("chassis-az2-gw2")
    refused = icplan("apply", saved)
    assert refused.exit == 4
    assert "az2-gw2 has no chassis in az2" in refused.out
    assert lab.zones["az1"].nbctl("get", "NB_Global", ".", "name").strip() == '""'


def test_a_saved_plan_goes_through_when_unrelated_rows_changed(
    lab: Lab, icplan: Icplan, short_path: Path
) -> None:
    saved = str(short_path / "plan.json")
    assert icplan("plan", "--out", saved).exit == 0
    az1 = lab.zones["az1"]
    az1.nbctl("ls-add", "unrelated")
    az1.nbctl("set", "NB_Global", ".", "external_ids:somebody=else")
    az1.add_chassis("another", "another", "172.31.9.9", interconn=False)
    done = icplan("apply", saved)
    assert done.exit == 0, done.out + done.err
    assert az1.nbctl("get", "NB_Global", ".", "external_ids:somebody").strip() == "else"


class _Meddler(TextProgress):
    """Changes an object right before it is written."""

    def __init__(self, lab: Lab, address: str, *command: str) -> None:
        super().__init__(lambda _: None, Paint(), terminal=False)
        self._lab = lab
        self._address = address
        self._command = command

    def writing(self, change: Change) -> None:
        if str(change.address) == self._address:
            self._lab.zones["az1"].nbctl(*self._command)


def test_a_change_slipped_in_is_refused_by_name(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit("[az1-gw1, az1-gw2]", "[az1-gw2, az1-gw1]")
    spec = read(icplan.file.read_bytes(), str(icplan.file))
    networks = 'networks="169.254.100.7/24"'
    meddler = _Meddler(lab, "az1/port/ts", "set", "Logical_Router_Port", "az1-ts", networks)
    with (
        Databases(endpoints(spec, {})) as databases,
        RunLog(icplan.directory / "run.jsonl") as log,
    ):
        plan = make_plan(spec, observe(databases, spec))
        report = apply(plan, databases, log, meddler, Waits())
    assert isinstance(report.error, Stale)
    assert report.error.subject == "Logical_Router_Port az1-ts"
    assert report.error.field == Field("networks")
    assert report.error.expected == ("169.254.100.150/24",)
    assert report.error.found == ("169.254.100.7/24",)
    assert not report.wrote
    assert "chassis-az1-gw1 100" in " ".join(
        lab.zones["az1"].nbctl("lrp-get-gateway-chassis", "az1-ts").split()
    )


def test_two_applies_at_once(lab: Lab, icplan: Icplan) -> None:
    # Without ovn-ic the first one waits for evidence, and holds its locks meanwhile.
    lab.zones["az2"].stop_ovn_ic()
    first = icplan.start("apply", "--auto-approve")
    wait_until(
        lambda: "icplan-lock" in lab.zones["az2"].nbctl("get", "NB_Global", ".", "external_ids"),
        "the first apply holds its locks",
    )
    second = icplan("apply", "--auto-approve")
    assert second.exit == 5
    assert f"(process {first.pid})" in second.err
    assert "icplan unlock" in second.err
    assert "the lock of the IC northbound database is held by" in icplan("plan").err
    lab.zones["az2"].start_ovn_ic()
    out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    assert "icplan-lock" not in lab.ic.nbctl("list", "IC_NB_Global")


def test_killed_at_any_write_it_ends_in_the_same_state(short_path: Path) -> None:
    ends = []
    for kill_at in range(8):
        directory = short_path / str(kill_at)
        directory.mkdir()
        with Lab(directory / "lab", LabOptions(play_ovn_controller=True)) as lab:
            icplan = Icplan(directory, lab.interconnect_file)
            if kill_at:
                kill_at_write(icplan, kill_at)
            icplan.apply()
            assert icplan.changes() == {}
            ends.append(
                {
                    **{
                        name: rows.shape(zone.nbctl, rows.NORTHBOUND)
                        for name, zone in lab.zones.items()
                    },
                    "ic": rows.shape(lab.ic.nbctl, ("Transit_Switch",)),
                }
            )
    for kill_at, end in enumerate(ends):
        assert end == ends[0], f"killed at write {kill_at}"


def test_a_dead_run_is_taken_over(lab: Lab, icplan: Icplan) -> None:
    lab.zones["az2"].stop_ovn_ic()
    dead = icplan.start("apply", "--auto-approve")
    wait_until(
        lambda: "icplan-lock" in lab.zones["az2"].nbctl("get", "NB_Global", ".", "external_ids"),
        "the first apply holds its locks",
    )
    os.kill(dead.pid, signal.SIGKILL)
    dead.communicate()
    lab.zones["az2"].start_ovn_ic()
    done = icplan.apply()
    assert "which is dead" in done.err
    assert rows.mentions(lab.zones["az1"].nbctl, ("NB_Global",), "icplan-lock") == []


def test_cancelled_by_a_pipeline_it_releases_its_locks(lab: Lab, icplan: Icplan) -> None:
    lab.zones["az2"].stop_ovn_ic()
    running = icplan.start("apply", "--auto-approve")
    wait_until(
        lambda: "icplan-lock" in lab.zones["az2"].nbctl("get", "NB_Global", ".", "external_ids"),
        "the apply holds its locks",
    )
    running.send_signal(signal.SIGTERM)
    out, err = running.communicate(timeout=60)
    assert running.returncode in {3, 130}, out + err
    assert rows.mentions(lab.zones["az2"].nbctl, ("NB_Global",), "icplan-lock") == []


def test_nothing_foreign_is_touched(lab: Lab, icplan: Icplan) -> None:
    az1 = lab.zones["az1"]
    _plant(lab)
    planted = {
        **rows.tables(az1.nbctl, rows.NORTHBOUND),
        **rows.tables(lab.ic.nbctl, ("Transit_Switch",)),
    }
    icplan.apply()
    icplan.edit("- name: az1\n", "- name: az1\n    state: absent\n")
    icplan.edit("availabilityZones:", "limits: {deletions: 9}\navailabilityZones:")
    for host in az1.gateway_hosts:
        az1.mark_interconn(host, False)
    icplan.apply()
    left = {
        **rows.tables(az1.nbctl, rows.NORTHBOUND),
        **rows.tables(lab.ic.nbctl, ("Transit_Switch",)),
    }
    for table, before in planted.items():
        for uuid, row in before.items():
            assert left[table].get(uuid) == row, f"{table} {row.get('name')}"


def _plant(lab: Lab) -> None:
    """Rows of others in every table that icplan writes or reads."""
    az1 = lab.zones["az1"]
    az1.nbctl(
        *("set", "NB_Global", ".", "external_ids:others=mark", "options:others=option"),
        "options:ic-route-blacklist=10.250.0.0/16",
    )
    az1.nbctl(
        "lr-add",
        "theirs",
        "--",
        "lrp-add",
        "theirs",
        "theirs-port",
        "02:00:00:00:00:31",
        "10.201.0.1/24",
    )
    az1.nbctl("ls-add", "their-switch", "--", "lsp-add", "their-switch", "their-vm")
    az1.nbctl("lrp-set-gateway-chassis", "theirs-port", "chassis-az1-gw1", "7")
    az1.nbctl("lr-route-add", "router", "10.202.0.0/24", "10.16.0.77")
    az1.nbctl("lr-policy-add", "router", "500", "ip4.src == 10.16.0.5", "allow")
    az1.nbctl("lr-nat-add", "theirs", "snat", "192.0.2.1", "10.201.0.0/24")
    az1.nbctl("create", "Address_Set", "name=theirs")
    lab.ic.nbctl("ts-add", "their-ts")
