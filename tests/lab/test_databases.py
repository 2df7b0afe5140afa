"""The databases without daemons, and the IC databases as a raft of three."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, StandaloneDatabases, wait_until

pytestmark = pytest.mark.real


def test_reset_empties_all_databases_in_milliseconds(directory: Path) -> None:
    with StandaloneDatabases(directory, zones=("az1", "az2")) as databases:
        durations = []
        for _ in range(5):
            for zone in databases.zones.values():
                zone.nbctl("lr-add", "router", "--", "set", "NB_Global", ".", "name=zone")
                zone.sbctl("chassis-add", "one", "geneve", "192.0.2.1")
            databases.ic.nbctl("ts-add", "ts")
            start = time.monotonic()
            databases.reset()
            durations.append(time.monotonic() - start)
            for zone in databases.zones.values():
                assert zone.nbctl("lr-list") == ""
                assert zone.nbctl("get", "NB_Global", ".", "name").strip() == '""'
                assert zone.sbctl("show") == ""
            assert databases.ic.nbctl("ts-list") == ""
        assert min(durations) < 0.05


def test_a_raft_elects_a_new_leader(directory: Path) -> None:
    with Lab(directory, LabOptions(zones=(), members=3)) as lab:
        assert lab.ic.hosts == ("127.0.0.1", "127.0.0.2", "127.0.0.3")
        assert lab.ic.northbound.network.count("tcp:127.0.0.") == 3
        first = lab.ic.leader()
        assert first is not None
        lab.ic.nbctl("ts-add", "ts")
        lab.ic.kill_member(first)
        wait_until(lambda: lab.ic.leader() not in (None, first), "another member leads")
        lab.ic.nbctl("ts-add", "ts1")
        lab.ic.start_member(first)
        assert {"(ts)", "(ts1)"} <= set(lab.ic.nbctl("ts-list").split())
        second = next(member for member in (1, 2, 3) if member != first)
        third = next(member for member in (1, 2, 3) if member not in (first, second))
        lab.ic.kill_member(second)
        lab.ic.kill_member(third)
        wait_until(lambda: lab.ic.leader() is None, "no quorum, no leader")
