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
