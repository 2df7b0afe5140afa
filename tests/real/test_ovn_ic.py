"""A zone whose ovn-ic does not run: said beforehand, waited for, never taken for drift."""

from __future__ import annotations

import pytest

from icplan.lab import Lab, wait_until
from tests.real.conftest import Icplan

pytestmark = pytest.mark.real


def test_no_port_is_made_before_ovn_ic_has_made_the_switch(lab: Lab, icplan: Icplan) -> None:
    icplan.apply()
    az1 = lab.zones["az1"]
    az1.stop_ovn_ic()
    az1.nbctl("ls-del", "ts", "--", "lrp-del", "az1-ts")
    plan = icplan("plan")
    assert plan.exit == 0, plan.err
    assert "IC079 az1" in plan.out
    assert "ovn-ic of az1 seems not to run" in " ".join(plan.out.split())
    assert "first waits until: ovn-ic of az1 has made the switch ts" in plan.out

    for _ in range(2):
        stopped = icplan("apply", "--auto-approve", "--wait", "3")
        assert stopped.exit == 1, stopped.out + stopped.err
        assert "az1 has no switch for the transit switch ts" in stopped.out
        assert "check that ovn-ic runs in az1" in stopped.out
        assert "somebody changed it meanwhile" not in stopped.out + stopped.err
        assert "az1-ts" not in az1.nbctl("lrp-list", az1.router)

    log = icplan.directory / "run.jsonl"
    running = icplan.start("apply", "--auto-approve", "--run-log", str(log))
    wait_until(lambda: log.exists() and '"require"' in log.read_text(), "apply waits for ovn-ic")
    az1.start_ovn_ic()
    out, err = running.communicate(timeout=200)
    assert running.returncode == 0, out + err
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0


def test_a_new_zone_whose_ovn_ic_does_not_run(lab: Lab, icplan: Icplan) -> None:
    az2 = lab.zones["az2"]
    az2.stop_ovn_ic()
    # Its name is written before anybody can know.
    first = icplan("apply", "--auto-approve", "--wait", "3")
    assert first.exit == 3, first.out + first.err
    again = icplan("apply", "--auto-approve", "--wait", "3")
    assert "az2 has no switch for the transit switch ts" in again.out
    assert "somebody changed it meanwhile" not in again.out + again.err
    az2.start_ovn_ic()
    icplan.apply()
    assert icplan("verify").exit == 0
