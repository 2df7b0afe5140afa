"""Everything is taken apart: zones first, then what they shared; and it can be built again."""

from __future__ import annotations

import pytest

from icplan.lab import Lab, wait_until
from tests.real import rows
from tests.real.conftest import Icplan, kill_at_write
from tests.real.test_story import learned

pytestmark = pytest.mark.real
APPROVED = ("destroy", "--auto-approve")
NAMED = "Type its name, lab: "


def unmark(lab: Lab) -> None:
    """What operators do on their hosts."""
    for zone in lab.zones.values():
        for host in zone.gateway_hosts:
            zone.mark_interconn(host, False)


def shapes(lab: Lab) -> dict[str, dict[str, list[str]]]:
    return {name: rows.shape(zone.nbctl, rows.NORTHBOUND) for name, zone in lab.zones.items()}


def still_there(icplan: Icplan) -> set[str]:
    """The addresses of what would be taken away."""
    changes = icplan("plan", "--destroy", "--json").json()["resource_changes"]
    assert isinstance(changes, list)
    return {one["address"] for one in changes}


def nothing_is_left(lab: Lab, before: dict[str, dict[str, list[str]]]) -> None:
    assert shapes(lab) == before
    assert lab.ic.nbctl("ts-list").strip() == ""
    assert not any(rows.tables(lab.ic.sbctl, rows.IC_SOUTHBOUND).values())
    for ctl, names in (
        (lab.ic.nbctl, rows.IC_NORTHBOUND),
        *((zone.nbctl, rows.NORTHBOUND) for zone in lab.zones.values()),
    ):
        assert rows.mentions(ctl, names, "icplan") == []


def test_built_taken_apart_and_built_again(lab: Lab, icplan: Icplan) -> None:
    before = shapes(lab)
    icplan.edit("count: 1", "count: 2")
    icplan.apply()
    first = icplan("plan", "--destroy", "--json").json()
    unmark(lab)

    plan = icplan("plan", "--destroy")
    # Neither limits.deletions nor limits.disruptedZones counts: both are at their defaults.
    assert plan.exit == 0, plan.out
    assert "Everything that the file declares is taken apart." in plan.out
    assert "(the interconnection is taken apart)" in plan.out
    assert first["destroyed"] is True
    assert first["digest"] != icplan("plan", "--json").json()["digest"]
    assert "limit" not in plan.out
    # The switches go last, and the last of them first.
    assert plan.out.index("- az1/name") < plan.out.index("- ic/transit-switch/ts1")
    assert plan.out.index("- ic/transit-switch/ts1") < plan.out.index("- ic/transit-switch/ts ")
    assert icplan("verify").exit in {0, 6}, "nothing was written"

    done = icplan(*APPROVED)
    assert done.exit == 0, done.out + done.err
    nothing_is_left(lab, before)
    again = icplan(*APPROVED)
    assert (again.exit, again.out) == (
        0,
        "No changes. Nothing is left of this interconnection.\n",
    )
    changes = icplan.changes()
    assert {*changes.values()} == {"create"}
    assert {"ic/transit-switch/ts", "az1/name", "az2/port/ts1"} <= {*changes}

    for zone in lab.zones.values():
        for host in zone.gateway_hosts:
            zone.mark_interconn(host, True)
    icplan.apply()
    assert learned(lab, "az1")
    assert icplan("verify").exit == 0


def test_killed_at_each_write_it_goes_on(lab: Lab, icplan: Icplan) -> None:
    before = shapes(lab)
    icplan.apply()
    unmark(lab)
    killed = 0
    # At its second write, so that one is done each time.
    while len(still_there(icplan)) > 1:
        kill_at_write(icplan, 2, "destroy")
        killed += 1
    assert killed > 2
    done = icplan(*APPROVED)
    assert done.exit == 0, done.out + done.err
    nothing_is_left(lab, before)


def test_a_zone_that_is_not_in_the_file_keeps_what_it_uses(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    unmark(lab)
    text = icplan.file.read_text()
    icplan.file.write_text(text[: text.index("  - name: az2")])
    refused = icplan(*APPROVED)
    assert refused.exit == 4
    assert "IC073 ic" in refused.out
    assert "az2 is registered, but not in the file, and uses what is to be taken apart" in " ".join(
        refused.out.split()
    )
    assert "ts" in lab.ic.nbctl("ts-list")
    assert lab.zones["az1"].nbctl("get", "NB_Global", ".", "name").strip() == "az1"


def test_a_dead_zone_goes_along(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    lab.remove_zone("az2")
    unmark(lab)
    text = icplan.file.read_text()
    text = text[: text.index("  - name: az2")] + "  - {name: az2, state: gone}\n"
    icplan.file.write_text(text)
    done = icplan(*APPROVED)
    assert done.exit == 0, done.out + done.err
    assert lab.ic.nbctl("ts-list").strip() == ""
    assert not any(rows.tables(lab.ic.sbctl, rows.IC_SOUTHBOUND).values())


def test_somebody_joins_meanwhile(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    # az1's hosts stay marked, so that it waits for them.
    for host in lab.zones["az2"].gateway_hosts:
        lab.zones["az2"].mark_interconn(host, False)
    log = icplan.directory / "run.jsonl"
    running = icplan.start(*APPROVED, "--run-log", str(log), "--wait", "8")
    wait_until(lambda: log.exists() and "az1/port/ts" in log.read_text(), "az1 is on its way out")
    lab.ic.sbctl("create", "Availability_Zone", "name=west")
    for host in lab.zones["az1"].gateway_hosts:
        lab.zones["az1"].mark_interconn(host, False)
    out, err = running.communicate(timeout=200)
    assert running.returncode == 3, out + err
    assert "west is still registered in the IC southbound database" in out + err
    assert "ts" in lab.ic.nbctl("ts-list")


def test_protected_refuses(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    icplan.edit("- name: az1\n", "- name: az1\n    protected: true\n")
    refused = icplan(*APPROVED)
    assert refused.exit == 4
    assert "az1 is protected and would be taken out" in refused.out
    assert learned(lab, "az2")


def test_a_saved_plan_of_it_is_carried_out(lab: Lab, icplan: Icplan) -> None:
    before = shapes(lab)
    icplan.apply()
    unmark(lab)
    saved = icplan.directory / "plan.json"
    assert icplan("plan", "--destroy", "--out", str(saved)).exit == 0
    assert "Everything that the file declares is taken apart." in icplan("show", str(saved)).out
    done = icplan("apply", str(saved))
    assert done.exit == 0, done.out + done.err
    nothing_is_left(lab, before)


def test_it_asks_for_the_name(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    unmark(lab)
    nobody = icplan("destroy")
    assert nobody.exit == 64
    assert "nobody is there to approve the plan" in nobody.err
    assert icplan("destroy", "--without", "az1").exit == 64
    left_out = icplan("plan", "--destroy", "--without", "az1")
    assert left_out.exit == 64
    assert "a zone that is left out still uses it" in left_out.err
    assert icplan.typed("destroy", NAMED, ["yes"])[0] == 1
    assert learned(lab, "az1")
    assert icplan.typed("destroy", NAMED, ["lab"])[0] == 0
    assert lab.ic.nbctl("ts-list").strip() == ""


def test_only_what_was_shown(lab: Lab, icplan: Icplan) -> None:
    """A port that somebody has put on a copied switch keeps that switch."""
    icplan.apply()
    lab.zones["az1"].nbctl("lsp-add", "ts", "mine")
    unmark(lab)
    named = still_there(icplan)
    assert "az2/switch/ts" in named
    assert "az1/switch/ts" not in named
    assert icplan(*APPROVED).exit == 0
    assert "mine" in lab.zones["az1"].nbctl("lsp-list", "ts")
