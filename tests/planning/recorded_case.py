"""A recorded case with something altered in its file or in what was seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import orjson

from icplan.core import snapshot as snapshots
from icplan.core.change import Effect, Impact
from icplan.planning.plan import Plan, make_plan
from icplan.spec.left_out import leave_out
from icplan.spec.load import read
from tests.test_cases import FOLDER

# What orjson gives back.
Json: TypeAlias = Any


class Altered:
    """A case to be altered and planned.

    Args:
        case: its path.
    """

    def __init__(self, case: str) -> None:
        folder: Path = FOLDER / case
        self.text = (folder / "interconnect.yaml").read_text(encoding="utf-8")
        self.snapshot: Json = orjson.loads((folder / "snapshot.json").read_bytes())

    def says(self, old: str, new: str) -> Altered:
        """The file has other words."""
        assert old in self.text
        self.text = self.text.replace(old, new)
        return self

    def rows(self, path: str, table: str) -> list[Json]:
        """The rows of a table, such as `az1/OVN_Northbound`, to be altered."""
        found: list[Json] = self.snapshot["databases"][path]["tables"][table]
        return found

    def emptied(self, path: str) -> Altered:
        """A database is a fresh one."""
        for rows in self.snapshot["databases"][path]["tables"].values():
            rows.clear()
        return self

    def objects(self, zone: str, kind: str) -> list[Json]:
        """A cluster's objects of a kind, to be altered."""
        queries = (one for one in self.snapshot["objects"] if one["site"] == zone)
        return [body for one in queries if one["kind"] == kind for body in one["found"]]

    def config(self, zone: str) -> dict[str, str]:
        """The data of a zone's ConfigMap, to be altered."""
        (body,) = self.objects(zone, "ConfigMap")
        data: dict[str, str] = body["data"]
        return data

    def tag(self, zone: str, tag: str) -> Altered:
        """A zone's controller has another version."""
        for body in self.objects(zone, "Deployment"):
            for container in body["spec"]["template"]["spec"]["containers"]:
                container["image"] = f"docker.io/kubeovn/kube-ovn:{tag}"
        return self

    def plan(self, *without: str) -> Plan:
        """The plan that follows."""
        spec = leave_out(read(self.text.encode(), "interconnect.yaml"), without)
        return make_plan(spec, snapshots.decode(orjson.dumps(self.snapshot)))


def effects(made: Plan, zone: str = "") -> list[Effect]:
    """All effects of a plan, or those on a zone."""
    found = (one for of_change in made.consequences.effects.values() for one in of_change)
    return [one for one in found if zone in {"", one.zone}]


def outages(made: Plan, zone: str = "") -> list[str]:
    """The sentences of those that are outages."""
    return [one.sentence for one in effects(made, zone) if one.impact is Impact.OUTAGE]


def codes(made: Plan) -> set[str]:
    """The rules, limits and protected zones that have something to say."""
    return {one.code for one in made.verdicts}
