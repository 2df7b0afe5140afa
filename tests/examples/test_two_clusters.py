"""The example of two clusters asks for what Kube-OVN's documentation tells people to type."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import pytest
from ruamel.yaml import YAML

from icplan.core import snapshot
from icplan.core.address import Address
from icplan.core.kubernetes import CreateObject
from icplan.kinds import kind_of
from icplan.planning.plan import Plan, make_plan
from icplan.spec.load import read

# What ruamel.yaml gives back.
Json: TypeAlias = Any

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "two-clusters" / "interconnect.yaml"
DOCUMENTED = Path(__file__).parent / "documented"
FRESH = ROOT / "tests" / "cases" / "ic_config" / "first-plan" / "snapshot.json"


def plan(text: str) -> Plan:
    """The plan for two clusters that are not interconnected yet, with the example's gateways."""
    seen = FRESH.read_text(encoding="utf-8")
    for zone in ("az1", "az2"):
        assert f'"{zone}-gw1"' in seen
        seen = seen.replace(f"{zone}-gw1", f"{zone}-gw")
    made = make_plan(read(text.encode(), "interconnect.yaml"), snapshot.decode(seen.encode()))
    assert not made.refused
    return made


def created(made: Plan, zone: str) -> CreateObject:
    """The ConfigMap that the plan creates in a zone."""
    address = Address(zone, "ic-config")
    change = next(one for one in made.changes if one.address == address)
    (step,) = kind_of(address.kind).steps(change, made.view)
    assert isinstance(step.operation, CreateObject)
    return step.operation


@pytest.mark.parametrize(
    ("zone", "policy", "file"),
    [("az1", "auto", "az1"), ("az2", "auto", "az2"), ("az1", "manual", "az1-manual")],
)
def test_the_config_map_is_the_documented_one(zone: str, policy: str, file: str) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert text.count("\nroutePolicy: auto\n") == 1
    made = created(plan(text.replace("routePolicy: auto", f"routePolicy: {policy}")), zone)
    typed: Json = YAML(typ="safe").load((DOCUMENTED / f"{file}.yaml").read_text(encoding="utf-8"))
    assert made.body["data"] == typed["data"]
    assert made.resource.name == typed["metadata"]["name"]
    assert made.resource.collection.namespace == typed["metadata"]["namespace"]
    assert made.resource.collection.kind == typed["kind"]
    assert made.resource.collection.api == typed["apiVersion"]
    assert made.resource.collection.site == zone
    # Ownership is marked beside the data: a key that the controller does not know is a rebuild.
    assert {*made.body} == {"metadata", "data"}


def test_the_documented_texts_are_three_different_ones() -> None:
    texts: list[Json] = [
        YAML(typ="safe").load(path.read_text(encoding="utf-8"))["data"]
        for path in sorted(DOCUMENTED.glob("*.yaml"))
    ]
    assert [len(one) for one in texts] == [7, 7, 7]
    assert [(one["az-name"], one["auto-route"]) for one in texts] == [
        ("az1", "false"),
        ("az1", "true"),
        ("az2", "true"),
    ]
