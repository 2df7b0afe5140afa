"""What the house is built by, where neither ruff nor import-linter can see it."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from icplan.kinds import KINDS
from tests.conformance.rows import ROWS

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


FACTS = "docs/facts.md"
CITATION = re.compile(r"docs/facts\.md,?[\s#]+sections?[\s#]+(\d+)(?:[\s#]+and[\s#]+(\d+))?")
ELSEWHERE = re.compile(r"domain[\s#]+facts|\b(?:domain|design|style)\.md\b", re.IGNORECASE)


def written() -> dict[str, str]:
    """Every text that explains the project, by its path; this file alone is left out."""
    folders = ("icplan", "tests", "bench", "docs", "examples")
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*"))]
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in (*found, ROOT / "README.md", ROOT / "CONTRIBUTING.md")
        if path.suffix in {".py", ".md"} and path != Path(__file__)
    }


def test_facts_are_cited_from_the_document_that_is_here() -> None:
    text = (ROOT / FACTS).read_text(encoding="utf-8")
    sections = re.findall(r"^## (\d+)\. ", text, re.MULTILINE)
    assert sections == [str(number) for number in range(1, len(sections) + 1)]
    cited: set[str] = set()
    for path, one in written().items():
        assert not ELSEWHERE.search(one), path
        if not path.endswith(".py"):
            continue
        numbers = [number for found in CITATION.findall(one) for number in found if number]
        assert set(numbers) <= set(sections), path
        # A citation names its section: else nobody finds the fact, and nothing here checks it.
        assert len(CITATION.findall(one)) == one.count(FACTS), path
        cited |= set(numbers)
    assert len(cited) > 5


def test_what_the_facts_link_and_name_exists() -> None:
    text = (ROOT / FACTS).read_text(encoding="utf-8")
    for place in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / place).exists(), place
    named = re.findall(r"\b((?:tests|icplan)/[\w./-]*[\w-])", text)
    assert named
    for place in named:
        assert (ROOT / place).exists(), place
    rows = set(re.findall(r"\b([2-7]\.\d\d)\b", text))
    assert rows == {row for row in ROWS if re.fullmatch(r"\d\.\d\d", row)}


# Who has no clusters does not wait for the libraries that reach them: half a second.

CLUSTER_LIBRARIES = {"kubernetes", "urllib3", "websocket"}
HEAD = """
apiVersion: icplan/v1
kind: Interconnect
metadata: {name: prod}
icDatabase: {hosts: [127.0.0.1], northboundPort: 1, southboundPort: 2}
availabilityZones:
"""
PLAIN = """
  - name: az1
    platform: ovn
    northbound: [tcp:127.0.0.1:3]
    southbound: [tcp:127.0.0.1:4]
    router: router
    gatewayNodes: [az1-gw1, az1-gw2]
"""
CLUSTER = """
  - name: az2
    kubernetes: {context: az2, kubeconfig: kubeconfig.yaml}
    gatewayNodes: [az2-gw1, az2-gw2]
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: az2, cluster: {server: "https://127.0.0.1:5"}}]
users: [{name: az2, user: {token: secret}}]
contexts: [{name: az2, context: {cluster: az2, user: az2}}]
"""


def imported(directory: Path, *arguments: str) -> set[str]:
    """The packages that a command imports, whatever comes of it."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "icplan", *arguments],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT), "ICPLAN_FILE": "interconnect.yaml"},
        capture_output=True,
        text=True,
        check=False,
    )
    found = set(re.findall(r"^import time:.*\| +(\w+)", done.stderr, re.MULTILINE))
    assert {"icplan", "click"} <= found
    return found


def test_help_and_plain_zones_do_without_what_reaches_clusters(tmp_path: Path) -> None:
    (tmp_path / "interconnect.yaml").write_text(HEAD + PLAIN, encoding="utf-8")
    assert not imported(tmp_path, "--help") & CLUSTER_LIBRARIES
    planned = imported(tmp_path, "plan")
    assert "pydantic" in planned
    assert not planned & CLUSTER_LIBRARIES


def test_a_cluster_is_reached_by_them(tmp_path: Path) -> None:
    (tmp_path / "interconnect.yaml").write_text(HEAD + PLAIN + CLUSTER, encoding="utf-8")
    (tmp_path / "kubeconfig.yaml").write_text(KUBECONFIG, encoding="utf-8")
    assert imported(tmp_path, "plan") >= {"kubernetes", "urllib3"}
