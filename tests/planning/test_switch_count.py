"""Who makes the transit switches: what is planned when it cannot be known, and what is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from icplan.core import snapshot as snapshots
from icplan.core.io import Snapshot, Transaction
from icplan.core.kubernetes import FieldChange, PatchFields
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Held
from icplan.ovn.facts import decode
from icplan.planning.plan import Plan, make_plan
from icplan.run.apply import _written
from icplan.spec.load import read
from tests.test_cases import FOLDER

ENVIRONMENT = ("spec", "template", "spec", "containers", "0", "env")


def plan(
    case: Path,
    *without: str,
    variables: list[dict[str, Any]] | None = None,
    more_addresses: Collection[str] = (),
) -> Plan:
    """The plan of a case.

    Args:
        case: its folder.
        without: zones that are left out.
        variables: other ones of the Deployment.
        more_addresses: Nodes that have an IPv6 address, too.
    """
    spec = read((case / "interconnect.yaml").read_bytes(), "interconnect.yaml")
    snapshot = orjson.loads((case / "snapshot.json").read_bytes())
    for query in snapshot["objects"]:
        for body in query["found"]:
            if query.get("name") == "ovn-ic-server" and variables is not None:
                body["spec"]["template"]["spec"]["containers"][0]["env"] = variables
            if query["kind"] == "Node" and body["metadata"]["name"] in more_addresses:
                address = {"type": "InternalIP", "address": "fd00:172::1"}
                body["status"]["addresses"].append(address)
    seen = snapshots.decode(orjson.dumps(snapshot))
    return make_plan(replace(spec, without=frozenset(without)), seen)


def switch_changes(made: Plan) -> list[str]:
    return [str(one.address) for one in made.changes if one.address.site == "ic"]


@pytest.mark.parametrize("left_out", ["az1", "az2"])
@pytest.mark.parametrize("case", ["switch_count/as-declared", "ic_config/nothing-to-do"])
def test_switches_as_declared_are_no_trouble_without_a_zone(case: str, left_out: str) -> None:
    made = plan(FOLDER / case, left_out)
    assert not made.changes
    assert not made.unclear


@pytest.mark.parametrize(
    ("case", "left_out", "address"),
    [
        ("switch_count/one-to-two", "az2", "ic/switch-count"),
        # The rows are there, and the Deployment that makes them is not seen.
        ("switch_count/one-to-two", "az1", "ic/transit-switch/ts1"),
        ("switch_count/two-to-one", "az2", "ic/switch-count"),
        ("ic_config/two-switches", "az1", "ic/transit-switch/ts1"),
        ("ic_config/two-switches", "az2", "ic/transit-switch/ts1"),
    ],
)
def test_switches_are_neither_made_nor_deleted_without_a_zone(
    case: str, left_out: str, address: str
) -> None:
    made = plan(FOLDER / case, left_out)
    assert switch_changes(made) == []
    assert [str(one) for one in made.unclear] == [address]
    (why,) = made.unclear.values()
    assert f"{left_out} is left out" in why.cause


def test_rows_of_the_deployment_are_left_alone_whatever_mark_they_bear() -> None:
    case = FOLDER / "switch_count" / "two-to-one"
    text = (case / "snapshot.json").read_text(encoding="utf-8")
    marked = text.replace('"vendor": "kube-ovn"', '"icplan": "prod", "vendor": "kube-ovn"')
    assert marked != text
    spec = read((case / "interconnect.yaml").read_bytes(), "interconnect.yaml")
    made = make_plan(spec, snapshots.decode(marked.encode()))
    assert switch_changes(made) == ["ic/switch-count"]


OTHERS = [{"name": "POD_IP", "value": "10.0.0.1"}, {"name": "SSL", "value": "false"}]
NUMBER = {"name": "TS_NUM", "value": "2"}
NAME = ("spec", "template", "spec", "containers", "0", "name")
IN_ITS_CONTAINER = FieldChange(NAME, "ovn-ic-server", "ovn-ic-server")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (
            [*OTHERS, {"name": "TS_NUM", "value": "1"}],
            [
                FieldChange((*ENVIRONMENT, "2", "name"), "TS_NUM", "TS_NUM"),
                FieldChange((*ENVIRONMENT, "2", "value"), "1", "2"),
            ],
        ),
        (
            # The last one counts.
            [{"name": "TS_NUM", "value": "7"}, {"name": "TS_NUM"}],
            [
                FieldChange((*ENVIRONMENT, "1", "name"), "TS_NUM", "TS_NUM"),
                FieldChange((*ENVIRONMENT, "1", "value"), None, "2"),
            ],
        ),
        (OTHERS, [IN_ITS_CONTAINER, FieldChange((*ENVIRONMENT, "2"), None, NUMBER)]),
    ],
    ids=["as it stands", "without a value", "behind the others"],
)
def test_only_the_number_is_written(
    variables: list[dict[str, Any]], expected: list[FieldChange]
) -> None:
    made = plan(FOLDER / "switch_count" / "one-to-two", variables=variables)
    (change,) = made.changes
    (step,) = kind_of(change.address.kind).steps(change, made.view)
    assert isinstance(step.operation, PatchFields)
    *fields, mark = step.operation.changes
    assert fields == expected
    assert mark.path == ("metadata", "annotations", "icplan/owner")
    assert step.guards


def test_the_lock_of_the_cluster_that_is_written_is_taken() -> None:
    assert _written(plan(FOLDER / "switch_count" / "one-to-two")) == {"ic", "az1"}
    rows = plan(FOLDER / "ic_config" / "two-switches")
    assert _written(rows) == {"ic"}
    (change,) = rows.changes
    (step,) = kind_of(change.address.kind).steps(change, rows.view)
    assert isinstance(step.operation, Transaction)


def test_a_mark_alone_is_written_whether_or_not_the_deployment_could_be_rolled_out() -> None:
    made = plan(FOLDER / "switch_count" / "mark-lost")
    (change,) = made.changes
    (step,) = kind_of(change.address.kind).steps(change, made.view)
    assert not step.guards


@pytest.mark.parametrize(("case", "runs"), [("one-to-two", True), ("IC054-not-available", False)])
def test_nothing_is_written_while_nobody_would_follow(case: str, runs: bool) -> None:
    folder = FOLDER / ("switch_count" if runs else "rules") / case
    made = plan(folder)
    (change,) = made.changes
    (step,) = kind_of(change.address.kind).steps(change, made.view)
    (guard,) = step.guards
    seen = snapshots.decode((folder / "snapshot.json").read_bytes())
    # Nothing else is read right before the write.
    only = {one: found for one, found in seen.objects.items() if one in guard.queries}
    verdict = guard.check.holds(decode(Snapshot(seen.observed_at, {}, only)))
    assert isinstance(verdict, Held) is runs


def findings(made: Plan) -> list[str]:
    return [one.message for one in made.verdicts if one.code == "IC050"]


NODES = ("az1-gw1", "az1-gw2", "az1-w1")


def test_the_family_of_new_switches_follows_from_the_nodes() -> None:
    (message,) = findings(plan(FOLDER / "switch_count" / "one-to-two", more_addresses=NODES))
    assert "would make ts1 with the subnet 169.254.101.0/24,fe80:a9fe:65::/112" in message


def test_nothing_is_said_of_it_when_the_nodes_do_not_agree() -> None:
    assert findings(plan(FOLDER / "switch_count" / "one-to-two", more_addresses=NODES[:1])) == []
