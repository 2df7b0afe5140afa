"""IC databases that somebody else runs are looked at, and never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, wait_until
from tests.real.conftest import Icplan

pytestmark = pytest.mark.real


def test_a_cluster_that_somebody_else_runs(short_path: Path) -> None:
    with Lab(short_path / "lab", LabOptions(members=3, play_ovn_controller=True)) as lab:
        icplan = Icplan(short_path, lab.interconnect_file)
        icplan.apply()
        verified = icplan("verify", "--json")
        assert verified.exit == 0
        for host in lab.ic.hosts:
            assert f'"both IC databases answer on {host}"' in verified.out
        assert '"the IC northbound database has a majority and a leader"' in verified.out

        lost = lab.ic.leader("northbound")
        assert lost is not None
        lab.ic.kill_member(lost)
        host = lab.ic.hosts[lost - 1]
        wait_until(lambda: icplan("verify").exit == 0, "verify passes again", timeout=60)
        assert f"both IC databases answer on {host}" in icplan("verify").out
        assert icplan.changes() == {}

        second = next(number for number in (1, 2, 3) if number != lost)
        lab.ic.kill_member(second)
        # The one that is left may lead on until it misses the others.
        wait_until(lambda: icplan("verify").exit == 1, "its majority is seen to be lost")
        verified = icplan("verify")
        assert verified.exit == 1
        assert "quorum lost: 1 of 3 members answers, 2 are needed" in verified.out
        assert host in verified.out
        planned = icplan("plan")
        assert planned.exit == 1
        assert "quorum lost: 1 of 3 members answers" in planned.out
