"""What tests of the import have in common: who asks, for which recorded snapshot."""

from __future__ import annotations

from pathlib import Path

from icplan.core import snapshot as snapshots
from icplan.core.io import Snapshot, Unreadable
from icplan.planning.importing.asked import Asked, AskedZone
from icplan.planning.importing.imported import Imported
from icplan.planning.importing.left_over import marks_only
from icplan.spec.load import Spec, read
from icplan.spec.model import KubeOvnAccess, KubeOvnZone, PlainOvnAccess, PlainOvnZone


def asked(spec: Spec, name: str = "") -> Asked:
    """The zones that a file declares, as one would name them who does not have the file."""
    zones = []
    for zone in spec.interconnect.availability_zones:
        match zone:
            case KubeOvnZone():
                access = KubeOvnAccess(kubernetes=zone.kubernetes)
                zones.append(AskedZone(zone.name, f"context {zone.name}", access))
            case PlainOvnZone():
                plain = PlainOvnAccess(
                    northbound=zone.northbound, southbound=zone.southbound, tls=zone.tls
                )
                zones.append(AskedZone(zone.name, f"zone {zone.name}", plain))
    database = spec.interconnect.ic_database
    clusters = any(one.kube_ovn for one in zones)
    return Asked(
        tuple(zones),
        name,
        () if clusters else database.hosts,
        None if clusters else (database.northbound_port, database.southbound_port),
        database.reach.through if database.reach else "",
    )


def spec_of(case: Path) -> Spec:
    return read((case / "interconnect.yaml").read_bytes(), "interconnect.yaml")


def snapshot_of(case: Path) -> Snapshot:
    return snapshots.decode((case / "snapshot.json").read_bytes())


def seen(snapshot: Snapshot) -> bool:
    """Whether all of it could be read; an import is refused otherwise."""
    contents = (*snapshot.databases.values(), *snapshot.objects.values())
    return not any(isinstance(one, Unreadable) for one in contents)


def not_told(found: Imported) -> list[str]:
    """What the plan of an imported file would change although nobody says so."""
    told = {one for each in found.unsaid for one in each.covers}
    return [
        f"{change.address} {name}"
        for change in found.plan.changes
        if not marks_only(change) and (str(change.address), "*") not in told
        for name in change.differing or (change.action,)
        if (str(change.address), name) not in told
    ]
