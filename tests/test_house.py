"""What the house is built by, where neither ruff nor import-linter can see it."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from icplan.kinds import KINDS

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "icplan").rglob("*.py"))
KIND_MODULES = sorted(
    path.stem for path in (ROOT / "icplan" / "kinds").iterdir() if path.stem not in
    {"__init__", "__pycache__", "common"}
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_is_in_it_and_never_prints(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree, clean=False)
    assert docstring
    assert docstring.partition("\n")[0].endswith(".")
    names = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    if (ROOT / "icplan" / "cli") not in module.parents:
        assert "print" not in names


def test_every_kind_is_in_the_registry_the_contract_and_the_cases() -> None:
    registered = {kind.desired.__module__.split(".")[2] for kind in KINDS}
    assert registered == {*KIND_MODULES}
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    independent = next(one for one in contracts if one["type"] == "independence")
    assert independent["modules"] == [f"icplan.kinds.{name}" for name in KIND_MODULES]
    for name in KIND_MODULES:
        assert any((ROOT / "tests" / "cases" / name).iterdir()), name


def test_kinds_have_names_of_their_own() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
