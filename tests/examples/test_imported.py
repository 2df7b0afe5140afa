"""The example of an import is what comes out of the clusters of Kube-OVN's documentation."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML

from icplan.core import snapshot
from icplan.core.change import Action
from icplan.core.io import Snapshot
from icplan.planning.importing.asked import Asked, AskedZone
from icplan.planning.importing.imported import imported
from icplan.render.imports import import_text
from icplan.render.paint import Paint
from icplan.spec.model import KubeOvnAccess, KubernetesAccess

# What the json module and ruamel.yaml give back.
Json: TypeAlias = Any

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "imported"
DOCUMENTED = Path(__file__).parent / "documented"
RUNNING = ROOT / "tests" / "cases" / "ic_config" / "nothing-to-do" / "snapshot.json"
SCHEMA = "../../schemas/interconnect.schema.json"


def documented() -> Snapshot:
    """Two clusters that run, with the documented ConfigMaps and nobody's mark."""
    text = RUNNING.read_text(encoding="utf-8")
    for zone in ("az1", "az2"):
        assert f'"{zone}-gw1"' in text
        text = text.replace(f"{zone}-gw1", f"{zone}-gw")
    raw: Json = json.loads(text)
    for one in raw["objects"]:
        for body in one["found"]:
            body["metadata"].pop("annotations", None)
        if one["kind"] == "ConfigMap":
            (body,) = one["found"]
            typed: Json = YAML(typ="safe").load((DOCUMENTED / f"{one['site']}.yaml").read_text())
            body["data"] = typed["data"]
    for row in raw["databases"]["ic/OVN_IC_Northbound"]["tables"]["Transit_Switch"]:
        row["external_ids"].pop("icplan")
    return snapshot.decode(json.dumps(raw).encode())


def asked() -> Asked:
    """What one types: icplan import --kube-context az1 --kube-context az2."""
    return Asked(
        tuple(
            AskedZone(
                name,
                f"context {name}",
                KubeOvnAccess(kubernetes=KubernetesAccess(context=name)),
            )
            for name in ("az1", "az2")
        )
    )


def test_it_is_what_comes_out() -> None:
    found = imported(asked(), documented(), schema=SCHEMA)
    file = EXAMPLE / "interconnect.yaml"
    if os.environ.get("ICPLAN_UPDATE_CASES"):
        file.write_text(found.text, encoding="utf-8")
    assert found.text == file.read_text(encoding="utf-8")
    assert found.unsaid == ()
    assert {*(one.action for one in found.plan.changes)} == {Action.ADOPT}
    assert not any(one.differing for one in found.plan.changes)


def test_its_story_is_told_as_it_happens() -> None:
    told = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    both = imported(asked(), documented())
    assert "$ icplan import --kube-context az1 --kube-context az2 --out" in told
    assert import_text(both, (), "interconnect.yaml", Paint()) in told
    alone = imported(replace(asked(), zones=asked().zones[:1]), documented())
    said = import_text(alone, (), None, Paint())
    assert said.partition("\nImported")[0] in told
