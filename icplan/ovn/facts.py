"""All sources' facts side by side, or why one could not be read. Decodes; asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from icplan.core.address import IC
from icplan.core.engines import HostState, Member, MemberState
from icplan.core.io import (
    IC_NORTHBOUND,
    IC_SOUTHBOUND,
    NORTHBOUND,
    SOUTHBOUND,
    Database,
    Snapshot,
    Source,
    Unreadable,
    source_of,
)
from icplan.core.kubernetes import Body, Collection, ObjectQuery
from icplan.ovn import cluster, interconnect, northbound, southbound
from icplan.ovn.cluster import Cluster
from icplan.ovn.interconnect import IcNorthbound, IcSouthbound
from icplan.ovn.northbound import Northbound
from icplan.ovn.southbound import Southbound

NOT_ASKED = Unreadable("it was not asked", "observe it too")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of everything that was observed.

    Attributes:
        ic_absent: the interconnection databases are known not to exist: they count as read, and as
            empty. Made by `without_ic`.
        ic_stopped: they are silent because what icplan runs them in does not run; nothing can be
            planned that rests on them before it does.
        hosts: what the hosts have that icplan runs them on, by address.
        members: what each of their servers says of itself.
    """

    observed_at: str
    northbound: Mapping[str, Northbound]
    southbound: Mapping[str, Southbound]
    ic_northbound: IcNorthbound | None
    ic_southbound: IcSouthbound | None
    unseen: Mapping[Source, Unreadable]
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    lost_clusters: Mapping[str, Unreadable] = field(default_factory=dict)
    ic_absent: bool = False
    ic_stopped: bool = False
    hosts: Mapping[str, HostState] = field(default_factory=dict)
    members: Mapping[Member, MemberState] = field(default_factory=dict)

    def without_ic(self) -> Facts:
        """The same, when the interconnection databases are known not to exist."""
        return replace(
            self,
            ic_northbound=interconnect.decode_northbound({}),
            ic_southbound=interconnect.decode_southbound({}),
            unseen={
                source: why
                for source, why in self.unseen.items()
                if not (isinstance(source, Database) and source.site == IC)
            },
            ic_absent=True,
        )

    def cluster_unseen(self, zone: str) -> Unreadable | None:
        """Why nothing can be said of a zone's cluster; None when it was read."""
        return None if zone in self.clusters else self.lost_clusters.get(zone, NOT_ASKED)

    def unplannable(self, zone: str) -> Unreadable | None:
        """Why nothing may be planned for what is in a zone's cluster; None when something may.

        Databases that we may not look at leave a preview; those that do not answer leave nothing.
        """
        if (unreadable := self.cluster_unseen(zone)) is not None:
            return unreadable
        found = (self.unseen.get(Database(zone, name)) for name in (NORTHBOUND, SOUTHBOUND))
        return next((one for one in found if one is not None and not one.forbidden), None)

    def zone_unseen(self, zone: str) -> Unreadable | None:
        """Why nothing can be said of a zone; None when both of its databases were read."""
        if (unreadable := self._worst(zone, NORTHBOUND, SOUTHBOUND)) is not None:
            return unreadable
        return None if zone in self.northbound and zone in self.southbound else NOT_ASKED

    def ic_unseen(self) -> Unreadable | None:
        """Why nothing can be said of the interconnection databases; None when they were read."""
        if (unreadable := self._worst(IC, IC_NORTHBOUND, IC_SOUTHBOUND)) is not None:
            return unreadable
        return None if self.ic_northbound and self.ic_southbound else NOT_ASKED

    def _worst(self, site: str, *names: str) -> Unreadable | None:
        """Why a database was not read; rather one that does not answer than one forbidden."""
        found = (self.unseen.get(Database(site, name)) for name in names)
        return min((one for one in found if one), key=lambda one: one.forbidden, default=None)


def decode(snapshot: Snapshot) -> Facts:
    """A snapshot's rows as typed facts."""
    north: dict[str, Northbound] = {}
    south: dict[str, Southbound] = {}
    ic_north: IcNorthbound | None = None
    ic_south: IcSouthbound | None = None
    unseen: dict[Source, Unreadable] = {}
    for database, content in sorted(snapshot.databases.items()):
        if isinstance(content, Unreadable):
            unseen[database] = content
        elif database.name == NORTHBOUND:
            north[database.site] = northbound.decode(content)
        elif database.name == SOUTHBOUND:
            south[database.site] = southbound.decode(content)
        elif database.name == IC_NORTHBOUND:
            ic_north = interconnect.decode_northbound(content)
        elif database.name == IC_SOUTHBOUND:
            ic_south = interconnect.decode_southbound(content)
    found: dict[str, dict[ObjectQuery, tuple[Body, ...] | Unreadable]] = {}
    for query, bodies in snapshot.objects.items():
        source = source_of(query)
        if isinstance(bodies, Unreadable):
            unseen[source] = bodies
        collection = source if isinstance(source, Collection) else source.collection
        found.setdefault(collection.site, {})[query] = bodies
    unseen |= {
        query.engine: one for query, one in snapshot.hosts.items() if isinstance(one, Unreadable)
    }
    decoded = {site: cluster.decode(site, found[site]) for site in sorted(found)}
    return Facts(
        snapshot.observed_at,
        north,
        south,
        ic_north,
        ic_south,
        unseen,
        {site: one for site, one in decoded.items() if not isinstance(one, Unreadable)},
        {site: one for site, one in decoded.items() if isinstance(one, Unreadable)},
        hosts={
            query.engine.host: one
            for query, one in snapshot.hosts.items()
            if not isinstance(one, Unreadable)
        },
        members={query.member: state for query, state in snapshot.members.items()},
    )
