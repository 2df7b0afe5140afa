"""An imported file says what there is: its plan changes nothing, or the file tells what it does."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icplan.core import snapshot as snapshots
from icplan.core.change import Action
from icplan.core.io import Snapshot
from icplan.errors import IcplanError
from icplan.kinds.common.config_map import KEYS
from icplan.planning.importing.asked import Asked
from icplan.planning.importing.imported import Imported, imported, renamed
from icplan.planning.importing.left_over import marks_only
from icplan.planning.plan import make_plan
from icplan.planning.verdicts import offline
from icplan.spec.load import read
from icplan.spec.model import Interconnect, KubeOvnZone, Limits, PlainOvnZone
from tests.planning.importing import asked, not_told, seen, snapshot_of, spec_of
from tests.planning.test_laws import shuffled, thinned
from tests.recorded_states.files import spec
from tests.recorded_states.recording import EVERY_STEP, Step
from tests.recorded_states.snapshots import Marks, Source, snapshot
from tests.test_cases import CASES, FOLDER, name, without

# What orjson gives back.
Json: TypeAlias = Any

TEXTS = Path(__file__).parent / "imported"
WHOLE = [case for case in CASES if not without(case) and seen(snapshot_of(case))]
"""Cases of which everything was looked at."""
SERVED = [
    FOLDER / one
    for one in (
        "adoption/done",
        "denylist/cured",
        "families/dual-stack-nothing-to-do",
        "families/ipv6-nothing-to-do",
        "ic_config/as-before",
        "ic_config/controller-down-and-nothing-to-do",
        "ic_config/mark-lost",
        "ic_config/nothing-to-do",
        "route_exchange/withhold-as-declared",
        "start/mixed-nothing-to-do",
        "start/nothing-to-do",
        "subnet_advertisement/withhold-as-declared",
        "switch_count/as-declared",
        "switch_count/mark-lost",
        "transit_port/renamed-by-hand",
        "transit_switch/mark-lost",
        "transit_switch/two-as-declared",
        "zone_name/mark-lost",
    )
]
"""Cases in which reality is what the file says, but for marks."""


def of(case: Path) -> Imported:
    return imported(asked(spec_of(case)), snapshot_of(case))


def attempt(wanted: Asked, taken: Snapshot) -> Imported | IcplanError:
    """The file, or why there is none."""
    try:
        return imported(wanted, taken)
    except IcplanError as error:
        return error


def changes(found: Imported) -> dict[str, Action]:
    return {str(one.address): one.action for one in found.plan.changes}


def essence(file: Interconnect) -> dict[str, Any]:
    """What is the same in a file and in the one that is imported from what it has made.

    Its name may not have been told to anybody; limits and waivers leave no trace; what is withheld
    may be named by a switch.
    """
    by_name = sorted(file.availability_zones, key=lambda one: one.name)
    policy = file.route_policy
    zones = [
        one.model_copy(
            update={
                "route_policy": one.route_policy or policy,
                "protected": False,
                "withhold": tuple(sorted(one.withhold)),
            }
        )
        for one in by_name
        if isinstance(one, KubeOvnZone | PlainOvnZone)
    ]
    plain = file.model_copy(
        update={
            "metadata": None,
            "limits": Limits(),
            "accept": (),
            "route_policy": policy,
            "availability_zones": tuple(zones),
        }
    )
    found = plain.model_dump(exclude={"metadata", "route_policy"}, exclude_none=True)
    # Those that stand by default are the same, written or not.
    switches = file.transit_switches
    found["transit_switches"] = [
        switches.subnet_of(index) for index, _ in enumerate(switches.names)
    ]
    return found


# The laws


@pytest.mark.parametrize("case", WHOLE, ids=name)
def test_nothing_that_the_plan_would_change_goes_untold(case: Path) -> None:
    found = attempt(asked(spec_of(case)), snapshot_of(case))
    if isinstance(found, IcplanError):
        assert found.cause.startswith("none of what you named is interconnected")
        return
    assert not_told(found) == []
    again = read(found.text.encode(), "interconnect.yaml")
    assert again.interconnect == found.spec.interconnect
    for one in found.unsaid:
        assert f"NOT SAID: {one.thing.split()[0]}" in found.text
        assert one.thing
        assert one.what
        assert one.cure


@pytest.mark.parametrize("case", SERVED, ids=name)
def test_what_a_file_has_made_is_imported_as_that_file(case: Path) -> None:
    found = of(case)
    assert found.unsaid == ()
    assert all(marks_only(one) for one in found.plan.changes)
    assert essence(found.spec.interconnect) == essence(spec_of(case).interconnect)
    assert "NOT SAID" not in found.text


MARKS = ("icplan", "icplan-routes", "icplan-withheld", "icplan-networks", "icplan-mac")


def unmarked(value: Json) -> Json:
    """The same snapshot as if icplan had never been there."""
    match value:
        case dict():
            gone = {*MARKS, "icplan-switch", "icplan/owner"}
            return {key: unmarked(one) for key, one in value.items() if key not in gone}
        case list():
            return [unmarked(one) for one in value]
    return value


def without_marks(case: Path) -> bytes:
    raw: Json = orjson.loads((case / "snapshot.json").read_bytes())
    return orjson.dumps(unmarked(raw))


@pytest.mark.parametrize("case", SERVED, ids=name)
def test_what_nobody_has_marked_is_adopted_and_not_altered(case: Path) -> None:
    seen_ = snapshots.decode(without_marks(case))
    found = imported(asked(spec_of(case)), seen_)
    assert found.unsaid == ()
    assert {*changes(found).values()} == {Action.ADOPT}
    assert not any(one.differing for one in found.plan.changes)
    assert not any(
        change.impact.value
        for effects in found.plan.consequences.effects.values()
        for change in effects
    )
    assert found.spec.interconnect.metadata.name == "imported"
    named = imported(asked(spec_of(case), "mine"), seen_)
    assert named.spec.interconnect.metadata.name == "mine"


@pytest.mark.parametrize("case", SERVED, ids=name)
def test_what_the_options_call_a_zone_is_in_no_name(case: Path) -> None:
    wanted, taken = asked(spec_of(case)), snapshot_of(case)
    # Each context has the name of another zone.
    names = [one.site for one in wanted.zones]
    sites = dict(zip(names, [*names[1:], names[0]], strict=True))
    zones = tuple(replace(one, site=sites[one.site]) for one in wanted.zones)
    other = imported(replace(wanted, zones=zones), renamed(taken, sites))
    assert other.text == imported(wanted, taken).text


some = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
cases = st.sampled_from(WHOLE)
seeds = st.integers(0, 2**32)


@some
@given(cases, seeds)
def test_it_does_not_depend_on_the_order_of_rows_or_of_the_options(case: Path, seed: int) -> None:
    chance = random.Random(seed)
    raw: Json = orjson.loads((case / "snapshot.json").read_bytes())
    other = snapshots.decode(orjson.dumps(shuffled(raw, chance)))
    wanted = asked(spec_of(case))
    names = [one.site for one in wanted.zones]
    if len({*names}) < len(names):
        return  # which of two equal ones is the second one is a question of their order
    turned = replace(wanted, zones=tuple(chance.sample(wanted.zones, len(wanted.zones))))
    assert _said(turned, other) == _said(wanted, snapshot_of(case))


def _said(wanted: Asked, taken: Snapshot) -> Sequence[str]:
    found = attempt(wanted, taken)
    if isinstance(found, IcplanError):
        return (found.thing, *sorted(re.split("[:;] ", found.cause)))
    head, _, rest = found.text.partition("\napiVersion")
    # The head names the options in their order.
    return (rest, *(str(one) for one in found.unsaid), str("NOT SAID" in head))


@some
@given(cases, seeds, st.sampled_from([0.02, 0.1, 0.4]))
def test_whatever_is_there_is_imported_or_told(case: Path, seed: int, share: float) -> None:
    raw: Json = orjson.loads((case / "snapshot.json").read_bytes())
    raw["databases"] = thinned(raw["databases"], random.Random(seed), share)
    found = attempt(asked(spec_of(case)), snapshots.decode(orjson.dumps(raw)))
    if isinstance(found, IcplanError):
        assert found.cause.startswith("none of what you named is interconnected")
        return
    assert not_told(found) == []


TYPED = st.dictionaries(
    st.sampled_from([*KEYS, "gw-node", "ic-db-hosts"]),
    st.sampled_from(
        [
            *("true", "false", "True", "", "x", "a b", "6645", "6646"),
            *("az1", "AZ1", "az2", "az1-gw1", "az1-gw2, az1-gw1", "az1-gw9,"),
            *("127.0.0.1", "127.0.0.1,127.0.0.2", "ic.example.com"),
        ]
    ),
    max_size=4,
)


@some
@given(TYPED, st.sets(st.sampled_from(KEYS), max_size=2))
def test_whatever_is_typed_into_a_configmap_is_imported_or_told(
    typed: dict[str, str], missing: set[str]
) -> None:
    raw: Json = orjson.loads((FOLDER / "ic_config/nothing-to-do/snapshot.json").read_bytes())
    for one in raw["objects"]:
        if one["kind"] == "ConfigMap" and one["site"] == "az1":
            (body,) = one["found"]
            data = {**body["data"], **typed}
            body["data"] = {key: value for key, value in data.items() if key not in missing}
    case = FOLDER / "ic_config/nothing-to-do"
    found = attempt(asked(spec_of(case)), snapshots.decode(orjson.dumps(raw)))
    if isinstance(found, IcplanError):
        # A host by its name, or one port for both: no file can say that.
        assert found.thing == "ConfigMap kube-system/ovn-ic-config of az1"
        assert found.cure.startswith("say where they are: --ic ADDRESS")
        return
    assert not_told(found) == []
    in_file = {one.zone.site for one in found.draft.entries}
    if "az1" in in_file:
        wrong = {*typed} - {*missing} - {*KEYS}
        assert all(any(key in one.thing for one in found.unsaid) for key in wrong)
    assert in_file | {one.zone.site for one in found.draft.left_out} == {"az1", "az2"}


# What two real controllers did, edit by edit


@pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step.name)
def test_every_recorded_state_is_imported_or_told(step: Step) -> None:
    file = spec(
        "apiVersion: icplan/v1\nkind: Interconnect\nmetadata: {name: x}\n"
        "icDatabase: {hosts: [127.0.0.1]}\navailabilityZones:\n"
        + "".join(
            f"  - {{name: {zone}, kubernetes: {{context: {zone}}}, gatewayNodes: [g]}}\n"
            for zone in ("az1", "az2")
        )
    )
    taken = snapshot(Source(step, file, Marks()))
    found = attempt(asked(file), taken)
    if isinstance(found, IcplanError):
        # Only the first state has no zone that is interconnected.
        assert step.number == 0, found
        return
    assert not_told(found) == []
    made = (
        make_plan(found.spec, taken) if found.draft.sites == {"az1": "az1", "az2": "az2"} else None
    )
    if made is not None:
        assert made.changes == found.plan.changes
    told = {one.at for one in found.unsaid}
    in_file = {one.zone.site for one in found.draft.entries}
    for zone in ("az1", "az2"):
        config = step.config(zone)
        normal = config is not None and config["enable-ic"] == "true" and config["gw-nodes"]
        assert (zone in in_file) or not normal
        assert zone in in_file or told
        if zone in in_file and config is not None:
            entry = next(one for one in found.draft.entries if one.zone.site == zone)
            assert entry.automatic == (config["auto-route"] == "true")
            assert list(entry.data["gatewayNodes"] or ()) == config["gw-nodes"].split(",")  # type: ignore[arg-type]


# The texts, for reviewers


@pytest.mark.parametrize(
    "case",
    [
        "adoption/as-it-is",
        "denylist/stale",
        "families/dual-stack-nothing-to-do",
        "ic_config/left",
        "rules/IC001-duplicate-zone",
        "rules/IC036-unknown-key",
        "rules/IC046-withheld-by-others",
        "rules/IC053-made-by-hand",
        "route_exchange/drift-not-learning",
        "start/mixed-nothing-to-do",
        "switch_count/as-declared",
        "transit_port/chassis-gone",
        "transit_switch/two-as-declared",
    ],
)
def test_the_file_is_as_reviewed(case: str) -> None:
    found = of(FOLDER / case)
    file = TEXTS / f"{case.replace('/', '-')}.yaml"
    if os.environ.get("ICPLAN_UPDATE_CASES"):
        file.write_text(found.text, encoding="utf-8")
    assert found.text == file.read_text(encoding="utf-8")
    assert not any(one.refuses for one in offline(found.spec))
