"""An imported file, and the plan that proves it. The same snapshot gives the same file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from icplan.core.io import Database, Snapshot
from icplan.core.kubernetes import Collection, GetObject, ListObjects, ObjectQuery
from icplan.ovn.facts import decode
from icplan.planning.importing.asked import Asked, Entry, Unsaid
from icplan.planning.importing.draft import Draft, draft
from icplan.planning.importing.left_over import left_over, unsupported
from icplan.planning.importing.page import page
from icplan.planning.plan import Plan, make_plan
from icplan.spec.load import Spec, read
from icplan.spec.writing import text


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import gives.

    Attributes:
        text: the file.
        draft: what it says, and what it does not.
        spec: the file, read back.
        plan: what follows from it.
    """

    text: str
    draft: Draft
    spec: Spec
    plan: Plan

    @property
    def unsaid(self) -> tuple[Unsaid, ...]:
        """What runs and the file does not say."""
        return self.draft.unsaid


def imported(
    asked: Asked,
    snapshot: Snapshot,
    *,
    file: str = "interconnect.yaml",
    schema: str = "interconnect.schema.json",
    left_out: Sequence[Entry] = (),
) -> Imported:
    """The file that declares what was seen.

    It is read back and planned: what the plan would still change is told in the file, too.

    Args:
        asked: what the user named; the snapshot has it under the sites given there.
        snapshot: what was seen.
        file: how the user names the file; its relative paths count from there.
        schema: what its first line names as its schema, for editors.
        left_out: zones of which an earlier look has shown that they are not in the file.

    Raises:
        IcplanError: nothing is interconnected, or nobody says where the IC databases are.
    """
    found = draft(asked, decode(snapshot), left_out)
    seen = renamed(snapshot, found.sites)
    spec, plan = _planned(found, seen, file, schema)
    # A waiver may let something through that was hidden behind what it waives.
    while True:
        unsaid, waivers = left_over(plan, found.unsaid)
        more = found.adding([*unsaid, *unsupported(spec)], waivers)
        if more == found:
            break
        found = more
        spec, plan = _planned(found, seen, file, schema)
    return Imported(text(page(found, schema)), found, spec, plan)


def _planned(found: Draft, seen: Snapshot, file: str, schema: str) -> tuple[Spec, Plan]:
    spec = read(text(page(found, schema)).encode(), file)
    return spec, make_plan(spec, seen)


def named(asked: Asked, found: Draft) -> Asked:
    """The same zones under their own names, without those that are left out."""
    zones = tuple(replace(one.zone, site=one.name) for one in found.entries)
    return replace(asked, zones=zones, through=found.sites.get(asked.through, ""))


def renamed(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """The snapshot with other names for its sites, and nothing of those that get none."""
    sites = {**names, "ic": "ic"}
    return Snapshot(
        snapshot.observed_at,
        {
            Database(sites[one.site], one.name): content
            for one, content in snapshot.databases.items()
            if one.site in sites
        },
        {
            _moved(query, sites): found
            for query, found in snapshot.objects.items()
            if _collection(query).site in sites
        },
    )


def _collection(query: ObjectQuery) -> Collection:
    return query.resource.collection if isinstance(query, GetObject) else query.collection


def _moved(query: ObjectQuery, sites: Mapping[str, str]) -> ObjectQuery:
    collection = replace(_collection(query), site=sites[_collection(query).site])
    if isinstance(query, GetObject):
        return GetObject(collection[query.resource.name])
    return ListObjects(collection, query.labels, query.optional)
