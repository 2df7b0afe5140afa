"""A zone is taken out: nothing of ours stays, the peers forget it, its hosts are waited for."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from icplan.lab import Lab, wait_until
from tests.real import rows
from tests.real.conftest import Icplan
from tests.real.test_story import learned

pytestmark = pytest.mark.real

LEAVE = ("- name: az1\n", "- name: az1\n    state: absent\n")


def test_a_zone_leaves_without_a_trace(lab: Lab, icplan: Icplan) -> None:
    az1 = lab.zones["az1"]
    before = rows.shape(az1.nbctl, rows.NORTHBOUND)
    icplan.apply()
    icplan.edit(*LEAVE)

    refused = icplan("plan")
    assert refused.exit == 4
    assert "the plan deletes 3 objects, limits.deletions allows 0" in refused.out
    assert icplan("apply", "--auto-approve").exit == 4
    icplan.edit("availabilityZones:", "limits: {deletions: 3}\navailabilityZones:")

    leaving = icplan.start("apply", "--auto-approve")
    told: list[str] = []
    assert leaving.stderr is not None
    reader = threading.Thread(target=lambda: told.extend(leaving.stderr or ()))
    reader.start()
    wait_until(lambda: any("waiting for you" in line for line in told), "the hosts are waited for")
    # Until its hosts are unmarked it stays registered: cleared now, rows would stay for ever.
    assert az1.nbctl("get", "NB_Global", ".", "name").strip() == "az1"
    assert learned(lab, "az2") == set()
    for host in az1.gateway_hosts:
        az1.mark_interconn(host, False)
    assert leaving.wait(timeout=120) == 0, told
    reader.join()

    after = rows.shape(az1.nbctl, rows.NORTHBOUND)
    for table in set(rows.NORTHBOUND) - {"Logical_Switch", "Logical_Switch_Port"}:
        assert after[table] == before[table]
    # ovn-ic's own copy of the switch with the peers' ports stays: it idles without a name.
    ports = [row for row in after["Logical_Switch_Port"] if '"type": "remote"' not in row]
    assert ports == before["Logical_Switch_Port"]
    assert rows.mentions(az1.nbctl, rows.NORTHBOUND, "icplan") == []
    assert rows.mentions(lab.ic.sbctl, rows.IC_SOUTHBOUND, "az1") == []
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0


def test_an_interrupted_leaving_still_waits_before_the_name_goes(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit(*LEAVE)
    icplan.edit("availabilityZones:", "limits: {deletions: 3}\navailabilityZones:")
    stopped = icplan("apply", "--auto-approve", "--wait-operator", "0")
    assert stopped.exit == 3
    assert "waiting for you" in stopped.out
    # Only the name is left now, and no earlier wave that could await the hosts.
    assert icplan.changes() == {"az1/name": "delete"}
    again = icplan("apply", "--auto-approve", "--wait-operator", "0")
    assert again.exit == 1
    assert lab.zones["az1"].nbctl("get", "NB_Global", ".", "name").strip() == "az1"
    for host in lab.zones["az1"].gateway_hosts:
        lab.zones["az1"].mark_interconn(host, False)
    icplan.apply()
    assert rows.mentions(lab.ic.sbctl, rows.IC_SOUTHBOUND, "az1") == []


def test_a_port_of_somebody_else_is_left_to_him_and_refuses_the_leaving(
    lab: Lab, icplan: Icplan
) -> None:
    icplan.apply()
    az1 = lab.zones["az1"]
    lab.ic.nbctl("ts-add", "custom")
    az1.nbctl("--timeout=30", "wait-until", "Logical_Switch", "custom")
    az1.nbctl(
        *("lrp-add", "router", "az1-custom", "02:00:00:00:00:03", "10.254.0.1/24"),
        *("--", "lsp-add", "custom", "custom-az1", "--", "lsp-set-type", "custom-az1", "router"),
        *("--", "lsp-set-options", "custom-az1", "router-port=az1-custom"),
    )
    wait_until(lambda: "custom-az1" in lab.ic.sbctl("list", "Port_Binding"), "it is registered")
    # As long as the zone stays, it is nobody's business.
    assert icplan.changes() == {}
    icplan.edit(*LEAVE)
    icplan.edit("availabilityZones:", "limits: {deletions: 9}\navailabilityZones:")
    assert "az1/port/custom" not in icplan.changes()
    refused = icplan("plan")
    assert refused.exit == 4
    said = " ".join(refused.out.split())
    assert "IC083 az1 " in said
    assert "az1 also has port custom-az1 on custom, which is not of this file" in said
    (first, then) = re.findall(r"`ovn-nbctl (.+) && sleep 5 && ovn-nbctl (.+?)`", said)[0]
    assert icplan("apply", "--auto-approve").exit == 4
    assert "custom-az1" in az1.nbctl("lsp-list", "custom")

    az1.nbctl(*first.split())
    wait_until(lambda: "10.254.0.1" not in lab.ic.sbctl("list", "Route"), "its routes are gone")
    az1.nbctl(*then.split())
    assert icplan("plan").exit == 0
    for host in az1.gateway_hosts:
        az1.mark_interconn(host, False)
    icplan.apply()
    assert rows.mentions(lab.ic.sbctl, rows.IC_SOUTHBOUND, "az1") == []
    assert "custom" in lab.ic.nbctl("ts-list")


def test_a_dead_zone_that_was_dropped_from_the_file_is_noted(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.file.write_text(icplan.file.read_text().partition("  - name: az2")[0])
    lab.remove_zone("az2")
    verified = icplan("verify")
    assert verified.exit == 0
    note = "note: az2 is registered, but not in the file; az1 holds routes towards it (IC027)"
    assert note in verified.out
    notes = icplan("verify", "--json").json()["notes"]
    assert isinstance(notes, list)
    assert [one["code"] for one in notes] == ["IC027"]


def test_dropping_an_entry_removes_nothing_and_is_said(icplan: Icplan) -> None:
    icplan.apply()
    text = icplan.file.read_text()
    start = text.index("  - name: az2")
    icplan.file.write_text(text[:start])
    plan = icplan("plan")
    assert plan.exit == 0
    assert "az2 is registered, but not in the file" in plan.out
    assert icplan.changes() == {}


def test_fewer_switches_take_their_ports_along(lab: Lab, icplan: Icplan) -> None:
    icplan.edit("count: 1", "count: 2")
    icplan.apply()
    icplan.edit("count: 2", "count: 1")
    icplan.edit("availabilityZones:", "limits: {deletions: 3}\navailabilityZones:")
    assert icplan.changes() == {
        "az1/port/ts1": "delete",
        "az2/port/ts1": "delete",
        "ic/transit-switch/ts1": "delete",
    }
    icplan.apply()
    assert "ts1" not in lab.ic.nbctl("ts-list")
    assert rows.mentions(lab.zones["az1"].nbctl, rows.NORTHBOUND, "ts1") == []
    assert icplan("verify").exit == 0


def test_a_protected_zone_does_not_leave(icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit(*LEAVE)
    icplan.edit("    state: absent\n", "    state: absent\n    protected: true\n")
    icplan.edit("availabilityZones:", "limits: {deletions: 3}\navailabilityZones:")
    refused = icplan("apply", "--auto-approve")
    assert refused.exit == 4
    assert "az1 is protected and would be taken out" in refused.out


def test_a_dead_ovn_ic_stops_it_and_says_so(lab: Lab, icplan: Icplan, short_path: Path) -> None:
    lab.zones["az2"].stop_ovn_ic()
    stopped = icplan("apply", "--auto-approve", "--wait", "2")
    assert stopped.exit == 3
    assert "az2 has no switch for the transit switch ts" in stopped.out
    assert "check that ovn-ic runs in az2" in stopped.out
    lab.zones["az2"].start_ovn_ic()
    icplan.apply()
    assert icplan.changes() == {}
    assert list((short_path / ".icplan" / "runs").iterdir())
