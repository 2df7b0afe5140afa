"""Every folder below cases/ is a file, a snapshot, and the plan that follows from the two.

An options.txt beside them holds the options of the command line that the plan was asked for with.
ICPLAN_UPDATE_CASES=1 rewrites the expectations; what has changed is then to be reviewed.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest

from icplan.core import snapshot
from icplan.planning.plan import Plan, make_plan
from icplan.render.document import plan_document
from icplan.render.paint import Paint
from icplan.render.text import plan_text
from icplan.spec.destroyed import destroyed
from icplan.spec.left_out import leave_out
from icplan.spec.load import Spec, read

DESTROY = "--destroy"
FOLDER = Path(__file__).parent / "cases"
CASES = sorted(path.parent for path in FOLDER.glob("*/*/interconnect.yaml"))


def name(case: Path) -> str:
    return str(case.relative_to(FOLDER))


def without(case: Path) -> tuple[str, ...]:
    """The zones that a case leaves out."""
    file = case / "options.txt"
    words = file.read_text(encoding="utf-8").split() if file.exists() else []
    words = [one for one in words if one != DESTROY]
    options, zones = words[::2], words[1::2]
    assert options == ["--without"] * len(zones), file
    return tuple(zones)


def destroys(case: Path) -> bool:
    """Whether a case takes everything apart."""
    file = case / "options.txt"
    return file.exists() and DESTROY in file.read_text(encoding="utf-8").split()


def as_asked(spec: Spec, case: Path) -> Spec:
    """A file as the options of a case have it."""
    spec = leave_out(spec, without(case))
    return destroyed(spec) if destroys(case) else spec


def plan_of(case: Path) -> Plan:
    spec = read((case / "interconnect.yaml").read_bytes(), "interconnect.yaml")
    spec = as_asked(spec, case)
    return make_plan(spec, snapshot.decode((case / "snapshot.json").read_bytes()))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_plan_is_as_reviewed(case: Path) -> None:
    document = plan_document(plan_of(case))
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    said = {
        "plan.txt": plan_text(document, Paint()),
        "plan.json": orjson.dumps(document, option=options).decode(),
    }
    for file, text in said.items():
        if os.environ.get("ICPLAN_UPDATE_CASES"):
            (case / file).write_text(text, encoding="utf-8")
        assert text == (case / file).read_text(encoding="utf-8")
