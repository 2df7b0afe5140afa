"""Every recorded state can be read, planned, verified and shown; what was supplied fits it."""

from __future__ import annotations

import orjson
import pytest

from icplan.core import snapshot as snapshots
from icplan.core.io import Transaction
from icplan.core.kubernetes import CreateObject, DeleteObject, PatchFields, ReplaceData
from icplan.kinds import kind_of
from icplan.planning.digest import digest
from icplan.planning.plan import Plan, make_plan
from icplan.render.document import plan_document
from icplan.render.paint import Paint
from icplan.render.reports import verify_document, verify_text
from icplan.render.status import status_document, status_text
from icplan.render.text import plan_text
from icplan.run.verify import verify
from tests.recorded_states import supplied
from tests.recorded_states.files import FIRST, spec
from tests.recorded_states.planned import OURS, facts, plan
from tests.recorded_states.recording import EVERY_STEP, ZONES, Step
from tests.recorded_states.snapshots import Marks, Source, snapshot

every_step = pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step.name)
both_marks = pytest.mark.parametrize("marks", [Marks(), OURS], ids=["unmarked", "ours"])


@both_marks
@every_step
def test_a_state_can_be_planned_verified_and_shown(step: Step, marks: Marks) -> None:
    made = plan(step, FIRST, marks)
    assert not made.unseen
    assert not made.unclear
    for text in _texts(made):
        assert text.endswith("\n")
    documents = (plan_document(made), verify_document(verify(made)), status_document(made))
    for document in documents:
        assert orjson.loads(orjson.dumps(document)) == document
    assert documents[0]["digest"] == digest(made)


def _texts(made: Plan) -> list[str]:
    return [
        plan_text(plan_document(made), Paint()),
        verify_text(verify(made), Paint()),
        status_text(status_document(made), Paint()),
    ]


@every_step
def test_a_state_kept_as_a_file_gives_the_same_plan(step: Step) -> None:
    model = spec(FIRST)
    seen = snapshot(Source(step, model, OURS))
    kept = make_plan(model, snapshots.decode(snapshots.encode(seen)))
    assert _texts(kept) == _texts(make_plan(model, seen))


@both_marks
@every_step
def test_whatever_a_plan_would_write_is_guarded(step: Step, marks: Marks) -> None:
    made = plan(step, FIRST, marks)
    for change in made.changes:
        for one in kind_of(change.address.kind).steps(change, made.view):
            match one.operation:
                case Transaction(_, preconditions, writes):
                    assert preconditions
                    assert writes
                case CreateObject():
                    pass
                case ReplaceData() | DeleteObject() as write:
                    # Without a uid it is what an earlier step has made, and told by its fields.
                    assert write.uid or write.expected
                case PatchFields() as write:
                    assert write.uid
                case write:
                    pytest.fail(f"a write to what was not recorded: {write}")


@every_step
def test_nothing_of_a_state_is_lost_on_the_way(step: Step) -> None:
    seen = facts(step, FIRST)
    assert seen.ic_southbound is not None
    southbound = step.state["icSouthbound"]
    assert {*seen.ic_southbound.zones} == {row["name"] for row in southbound["Availability_Zone"]}
    assert len(seen.ic_southbound.routes) == len(southbound["Route"])
    assert all(len(port.addresses) == 1 for port in seen.ic_southbound.ports)
    for zone in ZONES:
        northbound, cluster = seen.northbound[zone], seen.clusters[zone]
        (router,) = northbound.routers_named("ovn-cluster")
        assert len(northbound.ports_of(router)) == len(step.rows(zone, "Logical_Router_Port"))
        routes = step.rows(zone, "Logical_Router_Static_Route")
        assert len(northbound.routes_of(router)) == len(routes)
        assert len(northbound.policies) == len(step.rows(zone, "Logical_Router_Policy"))
        for port in northbound.ports_of(router):
            assert len(northbound.gateways_of(port)) == len(port.gateway_chassis)
        assert (dict(cluster.config.data) if cluster.config else None) == step.config(zone)
        assert [one.name for one in cluster.subnets] == sorted(step.state[zone]["subnets"])


@every_step
def test_what_is_supplied_agrees_with_what_was_recorded(step: Step) -> None:
    for zone in ZONES:
        hosts = supplied.hosts(zone)
        assert {*step.state[zone]["nodes"]} == {*hosts}
        for row in step.rows(zone, "Gateway_Chassis"):
            assert row["chassis_name"].removeprefix("chassis-") in hosts
        (options,) = (row["options"] for row in step.rows(zone, "NB_Global"))
        denied = options.get("ic-route-blacklist", "").split(",")
        assert not denied[0] or {*map(supplied.address, hosts)} <= {*denied}
    southbound = step.state["icSouthbound"]
    encaps = {row["gateway_name"]: row["ip"] for row in southbound["Encap"]}
    for row in southbound["Gateway"]:
        assert row["name"] == f"chassis-{row['hostname']}"
        assert encaps[row["name"]] == supplied.address(row["hostname"])
    # Without an ovn-controller nobody claims a port: that is why some claims are not judged.
    assert {row["gateway"] for row in southbound["Port_Binding"]} <= {""}
