"""A recorded case with something in it altered: rows, objects, or the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import orjson

from icplan.core import snapshot as snapshots
from icplan.planning.plan import Plan, make_plan
from icplan.spec.load import read
from tests.test_cases import FOLDER

# What orjson gives back.
Json: TypeAlias = Any


class Case:
    """A case that may be altered before it is planned.

    Attributes:
        text: its file.
        snapshot: what was seen, as JSON.
    """

    def __init__(self, name: str) -> None:
        folder: Path = FOLDER / name
        self.text = (folder / "interconnect.yaml").read_text(encoding="utf-8")
        self.snapshot: Json = orjson.loads((folder / "snapshot.json").read_bytes())

    def edit(self, old: str, new: str) -> Case:
        """Another text in the file."""
        assert old in self.text, old
        self.text = self.text.replace(old, new)
        return self

    def rows(self, database: str, table: str) -> list[Json]:
        """The rows of a table, to be altered in place: `az1/OVN_Northbound`."""
        found: list[Json] = self.snapshot["databases"][database]["tables"][table]
        return found

    def lose(self, database: str) -> Case:
        """A database that does not answer."""
        self.snapshot["databases"][database] = {"unreadable": {"cause": "gone", "cure": "look"}}
        return self

    def object(self, zone: str, kind: str, name: str) -> Json:
        """An object of a zone's cluster, to be altered in place."""
        (found,) = (
            one
            for bodies in self._found(zone, kind)
            for one in bodies
            if one["metadata"]["name"] == name
        )
        return found

    def remove(self, zone: str, kind: str, name: str) -> Case:
        """The cluster without an object."""
        for bodies in self._found(zone, kind):
            bodies[:] = [one for one in bodies if one["metadata"]["name"] != name]
        return self

    def _found(self, zone: str, kind: str) -> Iterator[list[Json]]:
        for query in self.snapshot["objects"]:
            if (query["site"], query["kind"]) == (zone, kind):
                yield query["found"]

    def version(self, zone: str, name: str, version: str) -> Case:
        """A Deployment of another version."""
        (container,) = self.object(zone, "Deployment", name)["spec"]["template"]["spec"][
            "containers"
        ]
        container["image"] = f"docker.io/kubeovn/kube-ovn:{version}"
        return self

    def replicas(self, zone: str, name: str, wanted: int, available: int) -> Case:
        """A Deployment with so many replicas, and so many of them available."""
        deployment = self.object(zone, "Deployment", name)
        deployment["spec"]["replicas"] = wanted
        deployment["status"] |= {
            "replicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": available,
        }
        return self

    def plan(self) -> Plan:
        """The plan for what it is now."""
        spec = read(self.text.encode(), "interconnect.yaml")
        return make_plan(spec, snapshots.decode(orjson.dumps(self.snapshot)))


def said(made: Plan, code: str) -> list[tuple[str, str]]:
    """Message and cure of every finding of a rule."""
    return [(one.message, one.cure) for one in made.verdicts if one.code == code]
