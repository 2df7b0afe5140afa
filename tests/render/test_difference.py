"""What is said when a plan is not the one that was approved any more."""

from __future__ import annotations

import pytest

from icplan.core import snapshot as snapshots
from icplan.planning.plan import make_plan
from icplan.render.difference import difference_text
from icplan.render.document import PlanDocument, plan_document
from icplan.render.paint import Paint
from icplan.spec.load import read
from tests.test_cases import FOLDER


def document(file: str, seen: str) -> PlanDocument:
    """The plan for the file of one case and what was seen in another."""
    text = (FOLDER / file / "interconnect.yaml").read_bytes()
    snapshot = snapshots.decode((FOLDER / seen / "snapshot.json").read_bytes())
    return plan_document(make_plan(read(text, "interconnect.yaml"), snapshot))


def said(file: str, before: str, now: str) -> list[str]:
    text = difference_text({**document(file, before)}, document(file, now), Paint())
    first, *lines = text.splitlines()
    assert first == "The plan has changed since it was approved:"
    return [line.removeprefix("  ") for line in lines]


NOTHING, DRIFT = "start/nothing-to-do", "transit_port/drift-mac"
MAC = 'update: mac "02:00:00:00:00:07" -> "02:82:fb:87:03:53"'


def test_the_object_that_somebody_changed_comes_first_and_drowns_in_nothing() -> None:
    assert said("transit_switch/one-to-two", NOTHING, DRIFT)[:1] == [
        f"az1/port/ts: approved nothing, now {MAC}"
    ]
    lines = said(NOTHING, NOTHING, DRIFT)
    assert lines[0] == f"az1/port/ts: approved nothing, now {MAC}"
    # All that is awaited because of it takes one line.
    assert len(lines) == 2
    assert lines[1].startswith("awaited as well: the port of az1 on ts is published; ")
    assert lines[1].endswith("; and 15 more")


def test_an_object_that_was_to_be_written_anyway_says_which_value_differs() -> None:
    lines = said("transit_port/gateways-reordered", NOTHING, DRIFT)
    assert lines[0] == (
        'az1/port/ts: mac before: approved "02:82:fb:87:03:53", now "02:00:00:00:00:07"'
    )
    assert lines[1].startswith("az1/port/ts: impact: approved az1-gw2 takes ts over from az1-gw1")


@pytest.mark.parametrize(
    ("before", "now", "last"),
    [
        (NOTHING, "start/first-plan", "awaited as well: "),
        ("start/first-plan", NOTHING, "not awaited any more: "),
    ],
)
def test_all_is_different(before: str, now: str, last: str) -> None:
    lines = said(NOTHING, before, now)
    addresses = [line.partition(": approved ")[0] for line in lines[:-1]]
    assert addresses == sorted(addresses)
    assert "ic/transit-switch/ts" in addresses
    assert lines[-1].startswith(last)


def test_what_only_moved_to_another_wave_takes_one_line() -> None:
    now = document("transit_switch/one-to-two", NOTHING)
    later = [{**one, "wave": one["wave"] + 1} for one in now["resource_changes"]]
    text = difference_text({**now, "resource_changes": later}, now, Paint())
    assert text.splitlines()[1:] == [
        "  in another wave: az1/port/ts1 (3 -> 2); az2/port/ts1 (4 -> 3); "
        "ic/transit-switch/ts1 (2 -> 1)"
    ]


def test_no_line_names_a_place_in_a_list() -> None:
    for now in ("start/first-plan", DRIFT, "transit_port/drift-priorities"):
        for line in said("transit_switch/one-to-two", NOTHING, now):
            assert "/awaits/" not in line
            assert "/changes/" not in line


def test_no_more_is_said_than_is_read() -> None:
    many = document("start/first-plan", "start/first-plan")
    changes = [
        {**one, "address": f"az1/port/ts{number}"}
        for number in range(30)
        for one in many["resource_changes"][-1:]
    ]
    text = difference_text({"resource_changes": changes}, document(NOTHING, NOTHING), Paint())
    assert len(text.splitlines()) == 22
    assert text.endswith("  and 10 more\n")


def test_a_digest_may_differ_by_something_that_is_not_shown() -> None:
    assert said(NOTHING, NOTHING, NOTHING) == ["its digest differs, but nothing that is shown does"]
