"""What the README shows is what icplan does."""

from __future__ import annotations

import re
from pathlib import Path

from icplan.cli.main import _COMMANDS
from icplan.planning.unsupported import require_supported
from icplan.planning.verdicts import offline
from icplan.spec.load import read

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_plan_in_it_is_a_real_one() -> None:
    case = ROOT / "tests" / "cases" / "readme" / "gateway-and-withhold" / "plan.txt"
    assert blocks("")[0] == "$ icplan plan\n" + case.read_text()


def test_the_file_in_it_can_be_planned() -> None:
    spec = read(blocks("yaml")[0].encode(), "README.md")
    require_supported(spec)
    assert not any(verdict.refuses for verdict in offline(spec))


def test_the_example_can_be_planned() -> None:
    path = ROOT / "examples" / "plain-ovn" / "interconnect.yaml"
    spec = read(path.read_bytes(), str(path))
    require_supported(spec)
    assert not any(verdict.refuses for verdict in offline(spec))


def test_every_command_is_in_it() -> None:
    for command in _COMMANDS:
        assert re.search(rf"^\| .*`{command}\b", README, re.MULTILINE), command


def test_the_make_targets_in_it_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
