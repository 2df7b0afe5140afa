"""A zone that is no more: its rows are shown and taken away, and one that lives is said to."""

from __future__ import annotations

import re

import pytest

from icplan.lab import Lab, wait_until
from tests.real import rows
from tests.real.conftest import Icplan, kill_at_write
from tests.real.test_story import learned

pytestmark = pytest.mark.real
PODS = "10.17.0.0/16"
OFFICE = "10.117.0.0/24"


def declare_gone(icplan: Icplan, zone: str) -> None:
    """Its entry has its name and nothing else; the limits allow one deletion."""
    text = icplan.file.read_text()
    entry = re.compile(rf"  - name: {zone}\n(?:    .*\n)*")
    assert len(entry.findall(text)) == 1
    text = entry.sub(f"  - {{name: {zone}, state: gone}}\n", text)
    icplan.file.write_text(text)
    icplan.edit("availabilityZones:", "limits: {deletions: 1}\navailabilityZones:")


def registered(lab: Lab, zone: str) -> list[str]:
    return rows.mentions(lab.ic.sbctl, rows.IC_SOUTHBOUND, zone)


def test_a_dead_zone_is_a_blackhole_until_its_rows_are_gone(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    assert PODS in learned(lab, "az1")
    lab.remove_zone("az2")
    declare_gone(icplan, "az2")

    plan = icplan("plan")
    assert plan.exit == 0, plan.out + plan.err
    said = " ".join(plan.out.split())
    assert "- ic/zone/az2" in said
    held = (
        "az1 holds 10.17.0.0/16, 10.117.0.0/24 towards az2, which leads nowhere if az2 is no more"
    )
    assert held in said
    assert "that az2 is no more only the file says, no database tells it" in said
    assert re.search(r"gateway az2-gw1 +\"chassis-az2-gw1, 172", plan.out), plan.out
    assert re.search(r"port ts-az2 on ts +\"169\.254\.100\.", plan.out), plan.out
    assert re.search(r"route 10\.17\.0\.0/16 on ts +\"169\.254\.100\.", plan.out), plan.out
    assert "No zone disrupted, if az2 is no more." in said
    assert icplan("verify").exit == 6
    # Nothing was written yet.
    assert PODS in learned(lab, "az1")
    before = rows.shape(lab.zones["az1"].nbctl, rows.NORTHBOUND)

    done = icplan.apply()
    assert "watching for 15 s whether that stays so" in done.err
    assert registered(lab, "az2") == []
    assert learned(lab, "az1") == set()
    after = rows.shape(lab.zones["az1"].nbctl, rows.NORTHBOUND)
    # It was az1's own ovn-ic that took the routes and the other's port away.
    for table in set(rows.NORTHBOUND) - {
        "Logical_Router", "Logical_Router_Static_Route", "Logical_Switch", "Logical_Switch_Port",
    }:  # fmt: skip
        assert after[table] == before[table]
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0


def test_a_zone_that_is_alive_is_said_to_be(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    declare_gone(icplan, "az2")
    stopped = icplan("apply", "--auto-approve")
    assert stopped.exit == 3, stopped.out + stopped.err
    assert "az2 is alive: its ovn-ic registered it again" in stopped.out
    assert "take it out with its access and `state: absent`" in stopped.out
    wait_until(lambda: PODS in learned(lab, "az1"), "az1 has learned its routes again")
    # Once it is dead, the same file does it.
    lab.remove_zone("az2")
    icplan.apply()
    assert registered(lab, "az2") == []
    assert learned(lab, "az1") == set()


def test_killed_at_the_write_it_goes_on(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    lab.remove_zone("az2")
    declare_gone(icplan, "az2")
    kill_at_write(icplan, 1)
    icplan.apply()
    assert registered(lab, "az2") == []
    assert icplan.changes() == {}


def test_what_was_registered_since_the_plan_is_not_taken_away(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    lab.zones["az2"].stop_ovn_ic()
    declare_gone(icplan, "az2")
    saved = icplan.directory / "plan.json"
    assert icplan("plan", "--out", str(saved)).exit == 0
    lab.zones["az2"].start_ovn_ic()
    lab.zones["az2"].add_subnet("more", "10.217.0.1/24")
    wait_until(lambda: "10.217.0.1/24" in lab.ic.sbctl("list", "Route"), "it is advertised")
    refused = icplan("apply", str(saved))
    assert refused.exit == 4
    assert "ic/zone/az2" in refused.err
    assert PODS in learned(lab, "az1")


def test_one_that_left_nothing_is_nothing_to_do(icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit("availabilityZones:\n", "availabilityZones:\n  - {name: old, state: gone}\n")
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0


def test_a_name_cleared_too_early_is_cured_the_same_way(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    az2 = lab.zones["az2"]
    az2.nbctl("set", "NB_Global", ".", 'name=""')
    assert registered(lab, "az2")
    icplan.edit("- name: az2\n", "- name: az2\n    state: absent\n")
    icplan.edit("availabilityZones:", "limits: {deletions: 9}\navailabilityZones:")
    changes = icplan.changes()
    assert changes["ic/zone/az2"] == "delete"
    icplan.apply()
    assert registered(lab, "az2") == []
    assert learned(lab, "az1") == set()
    assert learned(lab, "az2") == set()
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0
