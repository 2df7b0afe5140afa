"""Every example is a file that `icplan validate` accepts and, but for the reference, plan too."""

from __future__ import annotations

from pathlib import Path

import pytest

from icplan.cli.main import run
from icplan.planning.unsupported import require_supported
from icplan.spec.load import read

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples").glob("**/interconnect.yaml"))
# It shows the whole grammar, and so what this version refuses to plan.
WHOLE_GRAMMAR = "reference"


def test_these_are_the_examples() -> None:
    names = [path.parent.name for path in FILES]
    assert names == [
        "accepted",
        "dead-zone",
        "dual-stack",
        "external",
        "gateways",
        "ic-database-containerd",
        "ic-database-docker",
        "ic-database-kubernetes",
        "imported",
        "leaving",
        "manual-routes",
        "mixed",
        "plain-ovn",
        "raft",
        "reference",
        "two-clusters",
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_it_is_valid(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["validate", "-f", str(path)])
    said = capsys.readouterr()
    assert code == 0, said.err
    assert f"{path} is valid" in said.out


@pytest.mark.parametrize(
    "path",
    [path for path in FILES if path.parent.name != WHOLE_GRAMMAR],
    ids=lambda path: path.parent.name,
)
def test_it_can_be_planned(path: Path) -> None:
    require_supported(read(path.read_bytes(), str(path)))
