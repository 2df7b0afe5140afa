"""The IC databases go last: in an order that is guarded, and never because a member was lost."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from icplan.core import snapshot as snapshots
from icplan.core.change import Action
from icplan.core.engines import HostState
from icplan.core.io import Snapshot
from icplan.kinds import kind_of
from icplan.planning.plan import Plan, make_plan
from icplan.spec.destroyed import destroyed
from icplan.spec.load import read

CASES = Path(__file__).parents[1] / "cases" / "ic_database"


def taken_apart(case: str, *lost: str) -> Plan:
    """The plan that takes a case apart, with nothing left on some hosts."""
    spec = destroyed(read((CASES / case / "interconnect.yaml").read_bytes(), "interconnect.yaml"))
    seen = snapshots.decode((CASES / case / "snapshot.json").read_bytes())
    return make_plan(spec, without(seen, lost))


def without(seen: Snapshot, lost: tuple[str, ...]) -> Snapshot:
    hosts = {
        query: HostState(None) if query.engine.host in lost else state
        for query, state in seen.hosts.items()
    }
    return replace(seen, hosts=hosts)


def test_the_first_that_goes_is_guarded() -> None:
    made = taken_apart("raft-as-declared")
    gone = [one for one in made.changes if one.address.kind == "database"]
    assert [one.action for one in gone] == [Action.DELETE] * 3
    guards = [kind_of("database").steps(one, made.view)[0].guards for one in gone]
    assert [bool(one) for one in guards] == [True, False, False]
    assert made.waves[-1].changes == tuple(gone)


def test_a_lost_member_is_no_removal_while_a_zone_is_in() -> None:
    made = taken_apart("raft-quorum-lost", "192.168.65.4")
    assert made.view.facts.ic_stopped
    assert {one.action for one in made.changes} == {Action.UPDATE}
