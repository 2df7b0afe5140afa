"""What a file cannot say, one by one: told with its place, and never more than that is changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest

from icplan.core import snapshot as snapshots
from icplan.planning.importing.imported import Imported, imported
from icplan.planning.importing.left_over import marks_only
from tests.planning.importing import asked, not_told, spec_of
from tests.test_cases import FOLDER

# What orjson gives back.
Json: TypeAlias = Any
Edit: TypeAlias = Callable[[Json], object]

CLUSTERS = FOLDER / "ic_config" / "nothing-to-do"
PLAIN = FOLDER / "start" / "nothing-to-do"
BOTH = FOLDER / "transit_switch" / "two-as-declared"
CONFIG = "ConfigMap kube-system/ovn-ic-config, key"


def edited(case: Path, *edits: Edit) -> Imported:
    """What is imported of a case after some edits of its snapshot."""
    raw: Json = orjson.loads((case / "snapshot.json").read_bytes())
    for edit in edits:
        edit(raw)
    found = imported(asked(spec_of(case)), snapshots.decode(orjson.dumps(raw)))
    assert not_told(found) == []
    return found


def typed(zone: str, **keys: str | None) -> Edit:
    """Other texts in a ConfigMap; an underscore means a hyphen, None takes a key away."""

    def edit(raw: Json) -> None:
        (body,) = next(
            one["found"]
            for one in raw["objects"]
            if (one["kind"], one["site"]) == ("ConfigMap", zone)
        )
        for key, text in keys.items():
            body["data"].pop(key.replace("_", "-"), None)
            if text is not None:
                body["data"][key.replace("_", "-")] = text

    return edit


def switch(which: str, **keys: str | None) -> Edit:
    """Other external_ids of a transit switch; `name` gives it another name."""

    def edit(raw: Json) -> None:
        rows = raw["databases"]["ic/OVN_IC_Northbound"]["tables"]["Transit_Switch"]
        row = next(one for one in rows if one["name"] == which)
        for key, text in keys.items():
            if key == "name":
                row["name"] = text
                continue
            row["external_ids"].pop(key, None)
            if text is not None:
                row["external_ids"][key] = text

    return edit


def told(found: Imported) -> list[tuple[str, str]]:
    return [(one.at, one.thing) for one in found.unsaid]


@pytest.mark.parametrize(
    ("key", "text", "says"),
    [
        ("enable-ic", "True", 'it is "True", and the file makes it "true"'),
        ("auto-route", "yes", 'it is "yes", and the file makes it "false"'),
        ("auto-route", None, 'it is not there, and the file makes it "false"'),
        ("gw-nodes", "az1-gw1, az1-gw2", 'and the file makes it "az1-gw1,az1-gw2"'),
        ("ic-db-host", "127.0.0.2", 'it is "127.0.0.2", and the file makes it "127.0.0.1"'),
        ("ic-nb-port", "7000", 'it is "7000", and the file makes it "6645"'),
        ("ic-sb-port", None, 'it is not there, and the file makes it "6646"'),
        ("IC-SB-PORT", "6646", "neither the controller nor the file knows such a key"),
    ],
)
def test_what_is_typed_otherwise(key: str, text: str | None, says: str) -> None:
    # In az2: of two zones that differ, the first one's databases are those of the file.
    zone = "az2" if key.startswith("ic-") else "az1"
    found = edited(CLUSTERS, typed(zone, **{key: text}))
    (unsaid,) = found.unsaid
    assert (unsaid.at, unsaid.thing) == (zone, f"{CONFIG} {key}")
    assert says in unsaid.what
    altered = {str(one.address): one.differing for one in found.plan.changes if not marks_only(one)}
    assert altered in ({f"{zone}/ic-config": (key,)}, {})
    if altered:
        assert unsaid.covers == ((f"{zone}/ic-config", key),)
    else:
        assert "IC036" in found.text


def test_a_gateway_that_is_no_node() -> None:
    found = edited(CLUSTERS, typed("az1", gw_nodes="az1-gw1,az1-gw9"))
    (unsaid,) = found.unsaid
    assert "az1-gw9 is no Node of this cluster" in unsaid.what
    assert found.plan.refused
    assert all(marks_only(one) for one in found.plan.changes)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"enable_ic": "false"}, 'is "false": it is switched off'),
        ({"az_name": "AZ1"}, "expected a name of lower-case letters"),
        ({"az_name": "ic"}, "stands for the interconnection databases"),
        ({"az_name": None}, "it has no name"),
        ({"az_name": "az2"}, "the two delete each other's rows"),
        ({"gw_nodes": ""}, "names no gateway"),
        ({"gw_nodes": "not/a/node"}, "expected the name of a Kubernetes node"),
    ],
)
def test_a_zone_that_no_entry_can_say_is_left_out(keys: dict[str, str | None], why: str) -> None:
    found = edited(CLUSTERS, typed("az1", **keys))
    titles = [one.zone.title for one in found.draft.left_out]
    assert len(titles) == 1
    left = next(one for one in found.unsaid if one.thing == titles[0])
    assert left.what.startswith("it is not in the file: ")
    assert why in left.what
    assert len(found.spec.interconnect.availability_zones) == 1


def test_equal_names_stay_with_the_first_that_was_named() -> None:
    found = edited(CLUSTERS, typed("az1", az_name="az2"))
    assert [one.zone.title for one in found.draft.left_out] == ["context az2"]


def test_most_configmaps_say_where_the_databases_are() -> None:
    found = edited(CLUSTERS, typed("az2", ic_nb_port="7000", ic_db_host="10.0.0.1,10.0.0.2"))
    assert told(found) == [("az2", f"{CONFIG} ic-db-host"), ("az2", f"{CONFIG} ic-nb-port")]
    assert found.spec.interconnect.ic_database.hosts == ("127.0.0.1",)


@pytest.mark.parametrize(
    ("case", "edits", "things", "names"),
    [
        (PLAIN, [switch("ts", name="mesh")], ["transit switch mesh", "transit switch ts"], ["ts"]),
        (BOTH, [switch("ts1", name="ts2")], ["transit switch ts2"], ["ts"]),
        (BOTH, [switch("ts", name="ts01")], None, ["ts"]),
        (
            BOTH,
            [switch("ts1", subnet="fe80:a9fe:65::/112")],
            ["transit switch ts1, external_ids:subnet"],
            ["ts", "ts1"],
        ),
        (
            PLAIN,
            [switch("ts", subnet="169.254.100.1/24")],
            ["transit switch ts, external_ids:subnet"],
            ["ts"],
        ),
        (PLAIN, [switch("ts", vendor=None)], ["transit switch ts, external_ids:vendor"], ["ts"]),
    ],
)
def test_switches_that_do_not_stand_in_a_row(
    case: Path, edits: list[Edit], things: list[str] | None, names: list[str]
) -> None:
    found = edited(case, *edits)
    of_switches = [one.thing for one in found.unsaid if one.near == "transitSwitches"]
    if things is not None:
        assert of_switches == things
    assert of_switches
    assert [*found.spec.interconnect.transit_switches.names] == names


def test_subnets_of_ones_own_are_said() -> None:
    found = edited(BOTH, switch("ts", subnet="10.9.0.0/24"))
    assert found.spec.interconnect.transit_switches.subnets == ("10.9.0.0/24", "169.254.101.0/24")
    assert not [one for one in found.unsaid if one.near == "transitSwitches"]
    # Without a subnet it is that of the ports.
    bare = edited(BOTH, switch("ts", subnet=None), switch("ts1", subnet=None))
    assert bare.spec.interconnect.transit_switches.subnets == ()


def test_marks_of_another_file_are_told() -> None:
    # All of it belongs to a file named prod.
    raw = (FOLDER / "rules" / "IC012-of-a-cluster" / "snapshot.json").read_bytes()
    spec = spec_of(CLUSTERS)
    found = imported(asked(spec, "stage"), snapshots.decode(raw))
    (unsaid,) = found.unsaid
    assert unsaid.near == "metadata"
    assert "ConfigMap kube-system/ovn-ic-config of az1" in unsaid.thing
    assert "belongs to the file named prod, not to stage" in unsaid.what
    assert unsaid.cure.startswith("import with --name prod")
    assert found.plan.changes == ()
    assert imported(asked(spec), snapshots.decode(raw)).unsaid == ()


def test_routes_by_hand_of_manual_zones_are_said() -> None:
    found = edited(FOLDER / "ic_config" / "with-a-route-by-hand")
    (route,) = found.spec.interconnect.routes
    assert (route.from_, route.to, route.subnets) == ("az2", "az1", ("10.16.0.0/16",))
