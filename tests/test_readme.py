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


def test_the_plans_in_it_are_real_ones() -> None:
    cases = [Path("ic_config", "gateways-reordered"), Path("readme", "gateway-and-withhold")]
    shown = [block for block in blocks("") if block.startswith("$ icplan plan\n")]
    assert shown == [
        "$ icplan plan\n" + (ROOT / "tests" / "cases" / case / "plan.txt").read_text()
        for case in cases
    ]


def test_the_file_in_it_can_be_planned() -> None:
    (text,) = blocks("yaml")
    spec = read(text.encode(), "README.md")
    require_supported(spec)
    assert not any(verdict.refuses for verdict in offline(spec))


def test_what_is_linked_in_it_exists() -> None:
    places = re.findall(r"\]\(([^)#:]+)\)", README)
    assert places
    for place in places:
        assert (ROOT / place).exists(), place


def test_every_command_is_in_it() -> None:
    for command in _COMMANDS:
        assert re.search(rf"^\| .*`{command}\b", README, re.MULTILINE), command


def test_the_make_targets_in_it_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make ([\w-]+)", README, re.MULTILINE)
    assert "demo-kubernetes" in targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
