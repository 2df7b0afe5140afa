"""Every rule has a case that shows what it prints, and a docstring that can explain it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from icplan.core import snapshot
from icplan.planning.plan import make_plan
from icplan.planning.rules import RULES, Rule, Severity
from icplan.planning.verdicts import BAD_WAIVER, IDLE_WAIVER, LIMIT, PROTECTED, WITHOUT
from icplan.spec.load import read
from tests.test_cases import CASES, FOLDER, as_asked

# These say which rules, limits and zones are not taken as they stand: they live with the verdicts.
BESIDE_THE_TABLE = {BAD_WAIVER, IDLE_WAIVER, LIMIT, PROTECTED, WITHOUT}


def _shown() -> Iterator[tuple[str, str]]:
    for case in CASES:
        for verdict in orjson.loads((case / "plan.json").read_bytes())["verdicts"]:
            yield verdict["code"], verdict["status"]


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    codes = {rule.code for rule in RULES} | BESIDE_THE_TABLE
    assert {code for code, _ in _shown()} == codes


def test_rules_refuse_warn_and_are_waived_by_their_severity() -> None:
    expected = {
        Severity.ERROR: {"refused"},
        Severity.WAIVABLE: {"refused", "waived"},
        Severity.CURED: {"warning", "waived"},
        Severity.WARNING: {"warning"},
    }
    shown = set(_shown())
    for rule in RULES:
        statuses = {status for code, status in shown if code == rule.code}
        assert statuses <= expected[rule.severity], rule.code


WAIVES = re.compile(r"by an\s+entry\s+of\s+`accept`:\s+(\{.*?\})", re.DOTALL)


def _offered(case: Path) -> list[str]:
    """The waivers that a refused plan names."""
    return WAIVES.findall((case / "plan.txt").read_text(encoding="utf-8"))


OFFERING = [case for case in CASES if _offered(case)]


def test_a_waiver_is_offered_for_what_can_be_waived_and_for_nothing_else() -> None:
    severities = {rule.code: rule.severity for rule in RULES}
    for case in CASES:
        verdicts = orjson.loads((case / "plan.json").read_bytes())["verdicts"]
        refused = [one for one in verdicts if one["status"] == "refused"]
        waivable = [one for one in refused if severities.get(one["code"]) is Severity.WAIVABLE]
        assert _offered(case) == [
            f"{{rule: {one['code']}, at: {one['at']}, reason: WHY}}" for one in waivable
        ]
    assert OFFERING


@pytest.mark.parametrize("case", OFFERING, ids=lambda case: case.name)
def test_the_waiver_that_is_offered_is_taken_from_the_file_as_it_stands(case: Path) -> None:
    text = (case / "interconnect.yaml").read_text(encoding="utf-8")
    entries = "".join(f"  - {one}\n" for one in dict.fromkeys(_offered(case)))
    others = re.sub(r"^accept:\n", f"accept:\n{entries}", text, flags=re.MULTILINE)
    waiving = others if others != text else f"{text.rstrip()}\naccept:\n{entries}"
    spec = as_asked(read(waiving.encode(), "interconnect.yaml"), case)
    plan = make_plan(spec, snapshot.decode((case / "snapshot.json").read_bytes()))
    codes = {re.findall(r"IC\d{3}", one)[0] for one in _offered(case)}
    found = [one for one in plan.verdicts if one.code in codes]
    assert found
    assert not [one for one in found if one.refuses]


def test_folders_named_after_a_rule_show_it() -> None:
    for case in sorted((FOLDER / "rules").iterdir()):
        code = case.name.partition("-")[0]
        text = (case / "plan.txt").read_text(encoding="utf-8")
        # Withholding one of two overlapping prefixes is the cure: the rule must be silent there.
        cured = case.name == "IC018-withheld"
        assert (f"\n  {code} " in text) is not cured, case.name


def test_codes_are_unique_and_no_code_of_the_grammar() -> None:
    codes = [rule.code for rule in RULES]
    assert len({*codes, *BESIDE_THE_TABLE}) == len(codes) + len(BESIDE_THE_TABLE)
    assert all(re.fullmatch(r"IC0\d\d", code) for code in codes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_explained_in_two_sentences_or_more(rule: Rule) -> None:
    headline, _, body = (rule.find.__doc__ or "").partition("\n\n")
    assert headline.endswith(".")
    assert "\n" not in headline
    assert body.strip().endswith(".")
