"""Laws that hold for every plan, on all recorded cases."""

from __future__ import annotations

import ast
import os
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import icplan
from icplan.core import snapshot as snapshots
from icplan.core.change import Change
from icplan.core.io import Insert, Transaction, Unreadable, Update, settled
from icplan.core.kubernetes import DeleteObject, PatchFields, ReplaceData
from icplan.core.value import Attributes, Known, Later
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Missing, Step
from icplan.planning.digest import digest
from icplan.planning.plan import Plan, make_plan
from icplan.render.document import plan_document
from icplan.render.paint import Paint
from icplan.render.reports import verify_text
from icplan.render.status import status_document, status_text
from icplan.render.text import plan_text
from icplan.run.verify import verify
from icplan.spec.load import read
from tests.test_cases import CASES, FOLDER, as_asked, name, plan_of

# What orjson gives back.
Json: TypeAlias = Any

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
some = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
cases = st.sampled_from(CASES)
seeds = st.integers(0, 2**32)


def raw(case: Path) -> Json:
    return orjson.loads((case / "snapshot.json").read_bytes())


def plan(text: str, snapshot: Json, case: Path | None = None) -> Plan:
    """The plan for a file and a snapshot, with the options of a case."""
    spec = read(text.encode(), "interconnect.yaml")
    spec = as_asked(spec, case) if case is not None else spec
    return make_plan(spec, snapshots.decode(orjson.dumps(snapshot)))


def file_of(case: Path) -> str:
    return (case / "interconnect.yaml").read_text(encoding="utf-8")


def said(made: Plan) -> tuple[str, str, str]:
    document = plan_document(made)
    return plan_text(document, Paint()), orjson.dumps(document).decode(), digest(made)


# Order


ORDERED = {"containers", "env"}
"""Lists whose members are written by their places, which the preconditions show."""


def shuffled(value: Json, chance: random.Random) -> Json:
    """The same JSON with all rows, sets and keys in another order."""
    match value:
        case dict():
            keys = chance.sample(list(value), len(value))
            return {
                key: value[key] if key in ORDERED else shuffled(value[key], chance) for key in keys
            }
        case list():
            return [shuffled(one, chance) for one in chance.sample(value, len(value))]
    return value


@some
@given(cases, seeds)
def test_a_plan_does_not_depend_on_the_order_of_rows_and_keys(case: Path, seed: int) -> None:
    other = shuffled(raw(case), random.Random(seed))
    assert said(plan(file_of(case), other, case)) == said(plan_of(case))


@some
@given(cases, seeds)
def test_a_plan_does_not_depend_on_what_uuids_the_rows_have(case: Path, seed: int) -> None:
    chance = random.Random(seed)
    text = (case / "snapshot.json").read_text(encoding="utf-8")
    names = {one: f"{chance.getrandbits(32):08x}{one[8:]}" for one in sorted({*UUID.findall(text)})}
    renamed = orjson.loads(UUID.sub(lambda match: names[match[0]], text))
    assert said(plan(file_of(case), renamed, case)) == said(plan_of(case))


ENTRY = re.compile(r"^  - name: .*\n(?:    .*\n)*", re.MULTILINE)


def without_places(value: Json) -> Json:
    match value:
        case dict():
            return {key: without_places(one) for key, one in value.items() if key != "origin"}
        case list():
            return [without_places(one) for one in value]
        case str():
            # Two rules name the line of the entry that came first.
            return re.sub(r"line \d+", "line", value)
    return value


@some
@given(cases, seeds)
def test_a_plan_does_not_depend_on_the_order_of_the_zones(case: Path, seed: int) -> None:
    text = file_of(case)
    if case.name.partition("-")[0] in {"IC001", "IC003", "IC034"}:
        return  # which of two equal ones is the second one is a question of their order
    entries = ENTRY.findall(text)
    turned = random.Random(seed).sample(entries, len(entries))
    made = plan(text.replace("".join(entries), "".join(turned)), raw(case), case)
    assert digest(made) == digest(plan_of(case))
    assert without_places(plan_document(made)) == without_places(plan_document(plan_of(case)))


HASHING = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from tests.planning.test_laws import CASES, plan_of, said
print(hashlib.sha256(repr([said(plan_of(case)) for case in CASES]).encode()).hexdigest())
"""


def test_a_plan_does_not_depend_on_the_seed_of_hashes() -> None:
    root = str(FOLDER.parents[1])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", HASHING, root],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
        )
        for seed in ("0", "1", "4294967295")
    ]
    outputs = {process.communicate()[0] for process in running}
    assert len(outputs) == 1
    assert outputs != {b""}


# Unreadable is not absent


@some
@given(cases, st.data())
def test_what_cannot_be_read_is_never_changed(case: Path, data: st.DataObject) -> None:
    snapshot = snapshots.decode((case / "snapshot.json").read_bytes())
    databases = sorted(snapshot.databases)
    lost = data.draw(st.sets(st.sampled_from(databases), min_size=1))
    contents = {**snapshot.databases} | {one: Unreadable("gone", "look") for one in lost}
    spec = as_asked(read(file_of(case).encode(), "interconnect.yaml"), case)
    made = make_plan(spec, replace(snapshot, databases=contents))
    if made.view.facts.ic_absent or made.view.facts.ic_stopped:
        # What runs them was seen not to run: nothing of theirs is left unread.
        lost = {one for one in lost if one.site != "ic"}
    if not lost:
        return
    sites = {one.site for one in lost}
    assert {change.address.site for change in made.changes} & sites == set()
    if "ic" in sites:
        assert "port" not in {change.address.kind for change in made.changes}
    document = plan_document(made)
    assert (document["digest"] is None) == bool(lost or made.unseen)
    assert {*lost} <= {*made.unseen}
    assert "No changes. What is there" not in plan_text(document, Paint())


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_unreadable_in_a_case_is_told_with_its_cure(case: Path) -> None:
    made = plan_of(case)
    document = plan_document(made)
    hidden = document["preview"] or bool(document["unreadable"])
    assert (document["digest"] is None) == hidden
    for one in (*document["unreadable"], *document["not_checked"]):
        assert one["subject"]
        assert one["cause"]
        assert one["cure"]


# Evidence


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_transition_is_awaited_in_the_wave_that_brings_it_about(case: Path) -> None:
    waves = plan_of(case).waves
    for number, wave in enumerate(waves):
        here = {change.address for change in wave.changes}
        later = {change.address for one in waves[number + 1 :] for change in one.changes}
        for check in wave.awaits:
            assert check.since is None or (check.needs & here and not check.needs & later)


# The digest


def digests(text: str, snapshot: Json) -> str:
    return digest(plan(text, snapshot))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_digest_changes_with_any_attribute_of_any_change(case: Path) -> None:
    made = plan_of(case)
    seen = {digest(made)}
    count = 1
    for wave in made.waves:
        for change in wave.changes:
            for side in ("before", "after"):
                for attribute in getattr(change, side) or {}:
                    seen.add(digest(_altered(made, change, side, attribute)))
                    count += 1
    assert len(seen) == count


def _altered(made: Plan, change: Change, side: str, attribute: str) -> Plan:
    attributes: Attributes = getattr(change, side)
    changed = {**attributes, attribute: Known("something else")}
    other = replace(change, before=changed) if side == "before" else replace(change, after=changed)
    return replace(
        made,
        waves=tuple(
            replace(wave, changes=tuple(other if one is change else one for one in wave.changes))
            for wave in made.waves
        ),
    )


def test_the_digest_changes_when_a_chassis_vanishes() -> None:
    case = FOLDER / "start" / "first-plan"
    snapshot = raw(case)
    chassis = snapshot["databases"]["az1/OVN_Southbound"]["tables"]["Chassis"]
    chassis[:] = [row for row in chassis if row["hostname"] != "az1-gw2"]
    made = plan(file_of(case), snapshot)
    assert made.refused
    assert digest(made) != digest(plan_of(case))


def test_the_digest_changes_with_verdicts_and_waivers_but_not_with_warnings() -> None:
    rule = FOLDER / "rules" / "IC017-address-translation"
    kinds = ["valid", "for-good", "expired", "unknown-rule"]
    found = {digest(plan_of(FOLDER / "waivers" / one)) for one in kinds}
    assert len(found | {digest(plan_of(rule))}) == len(kinds) + 1
    warned = FOLDER / "rules" / "IC028-unencrypted"
    assert digest(plan_of(warned)) == digest(plan_of(FOLDER / "start" / "nothing-to-do"))


def test_the_digest_changes_with_the_owner_and_with_the_waves() -> None:
    text, snapshot = file_of(FOLDER / "start" / "first-plan"), raw(FOLDER / "start" / "first-plan")
    found = {
        digests(text, snapshot),
        digests(text.replace("name: prod", "name: stage"), snapshot),
        digests(text.replace("availability", "limits: {zonesAtOnce: 2}\navailability"), snapshot),
    }
    assert len(found) == 3


def test_the_digest_does_not_change_with_the_clock_or_with_lines() -> None:
    case = FOLDER / "start" / "first-plan"
    snapshot = raw(case) | {"observedAt": "2027-01-01T00:00:00+00:00"}
    assert digests("# a comment\n" + file_of(case), snapshot) == digest(plan_of(case))


# What is only known later


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_is_known_later_is_known_by_then(case: Path) -> None:
    made = plan_of(case)
    wave_of = {one.address: wave.number for wave in made.waves for one in wave.changes}
    for one in made.changes:
        assert not any(isinstance(value, Later) for value in (one.before or {}).values())
        for value in (one.after or {}).values():
            if isinstance(value, Later):
                assert wave_of.get(value.source, 0) < wave_of[one.address]
                assert value.constraint


def held(step: Step) -> set[Later]:
    """What a write holds of things only known later."""
    if not isinstance(step.operation, Transaction):
        return set()
    columns = (
        value
        for write in step.operation.writes
        if isinstance(write, Insert | Update)
        for value in write.columns.values()
    )
    return {value for value in columns if isinstance(value, Later)}


# Whatever is there


def thinned(value: Json, chance: random.Random, share: float) -> Json:
    """The same databases with some of their rows, keys and references gone."""
    match value:
        case dict():
            return {
                key: thinned(one, chance, share)
                for key, one in value.items()
                if key in {"_uuid", "tables", "unreadable", "cause", "cure"}
                or "/" in key
                or chance.random() > share / 4
            }
        case list():
            return [thinned(one, chance, share) for one in value if chance.random() > share]
    return value


@some
@given(cases, cases, seeds, st.sampled_from([0.02, 0.1, 0.4]))
def test_whatever_is_there_can_be_planned_shown_and_written(
    case: Path, other: Path, seed: int, share: float
) -> None:
    snapshot = raw(case)
    snapshot["databases"] = thinned(snapshot["databases"], random.Random(seed), share)
    for file in (case, other):
        made = plan(file_of(file), snapshot, file)
        text, _, _ = said(made)
        assert text.endswith("\n")
        assert status_text(status_document(made), Paint())
        assert verify_text(verify(made), Paint())
        if made.refused or made.unseen or made.unclear:
            continue
        for change in made.changes:
            for step in kind_of(change.address.kind).steps(change, made.view):
                later = {one for one in (change.after or {}).values() if isinstance(one, Later)}
                # Each is found by a way of its own, and then nothing is left to be known.
                assert {one.later for one in step.resolutions} == later & held(step)
                values = {one.later: "192.0.2.1" for one in step.resolutions}
                assert not held(replace(step, operation=settled(step.operation, values)))
                match step.operation:
                    case Transaction(_, preconditions, writes):
                        assert preconditions, "a write without a guard"
                        assert writes
                    case PatchFields() as write:
                        assert write.uid, "a write without a guard"
                    case ReplaceData() | DeleteObject() as write:
                        # Without a uid it is what an earlier step has made.
                        assert write.uid or write.expected, "a write without a guard"


@pytest.mark.parametrize("case", CASES, ids=name)
def test_what_happens_once_is_awaited_once(case: Path) -> None:
    """A transition that an earlier wave has brought about does not happen again in a later one."""
    made = plan_of(case)
    awaited = [check for wave in made.waves for check in wave.awaits if check.since is not None]
    assert len({id(check) for check in awaited}) == len(awaited)


# What is to be pasted


LOOSE = re.compile(r"kubectl\s+(?!--kubeconfig\s|--context\s|config\s)[a-z-]")
"""kubectl with a verb or an option at once: it would act on whatever cluster is the current one."""
SPAN = re.compile(r"`[^`\n]+`")


def cures(made: Plan) -> list[str]:
    """All that tells a person what to do: of verdicts, of what is unseen, and of missing evidence.

    Evidence is asked for today, whether or not it is due.
    """
    document = plan_document(made)
    told = [one["cure"] for one in document["verdicts"]]
    told += [one["cure"] for one in (*document["unreadable"], *document["not_checked"])]
    for check in made.checks:
        match check.holds(made.view.facts):
            case Missing(_, cure) | Unreadable(_, cure):
                told.append(cure)
    return told


@pytest.mark.parametrize("case", CASES, ids=name)
def test_a_command_for_a_cluster_says_for_which(case: Path) -> None:
    for file in ("plan.txt", "plan.json"):
        assert LOOSE.search((case / file).read_text(encoding="utf-8")) is None
    assert [one for one in cures(plan_of(case)) if LOOSE.search(one)] == []


@some
@given(cases, cases, seeds)
def test_a_command_for_a_cluster_says_for_which_whatever_is_there(
    case: Path, other: Path, seed: int
) -> None:
    snapshot = raw(case)
    snapshot["databases"] = thinned(snapshot["databases"], random.Random(seed), 0.1)
    told = cures(plan(file_of(other), snapshot, other))
    assert [one for one in told if LOOSE.search(one)] == []


def test_no_text_of_the_source_names_kubectl_without_its_cluster() -> None:
    loose = [
        f"{file}:{node.lineno}"
        for file in sorted(Path(icplan.__file__).parent.rglob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and LOOSE.search(node.value)
        and "\n" not in node.value
        # As a word in a sentence, not as a command.
        and not re.search(r"kubectl (finds|says|works|has|takes|merges|-o jsonpath)", node.value)
    ]
    assert loose == []


@pytest.mark.parametrize("case", CASES, ids=name)
def test_no_command_is_cut_into_lines(case: Path) -> None:
    document = plan_document(plan_of(case))
    text = plan_text(document, Paint())
    shown = [one["message"] for one in document["verdicts"]]
    shown += [one["cure"] for one in document["verdicts"] if one["status"] != "waived"]
    shown += [one["cure"] for one in (*document["unreadable"], *document["not_checked"])]
    assert [span for one in shown for span in SPAN.findall(one) if span not in text] == []


@pytest.mark.parametrize("case", CASES, ids=name)
def test_how_zones_are_reached_is_no_part_of_the_digest(case: Path) -> None:
    elsewhere = re.sub(r"\bcontext: ([a-z0-9-]+)", r"context: from-there-\1", file_of(case))
    assert digest(plan(elsewhere, raw(case), case)) == digest(plan_of(case))
