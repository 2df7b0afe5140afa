"""The whole file as data: zones, switches, databases, routes, and what is left out. No text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from icplan.core.address import IC
from icplan.errors import IcplanError
from icplan.ovn.facts import Facts
from icplan.planning.importing import clusters, plain
from icplan.planning.importing.asked import Asked, Entry, Unsaid, Waiver
from icplan.planning.importing.by_hand import by_hand
from icplan.planning.importing.owner import Owner, owner
from icplan.planning.importing.shared import Switches, database_data, ic_database, switches
from icplan.spec.model import IcDatabase, RoutePolicy
from icplan.spec.source import Plain

NEAR_ZONES = "availabilityZones"


@dataclass(frozen=True, slots=True)
class Draft:
    """What the file is to say.

    Attributes:
        asked: what the user named.
        owner: the file's name.
        database: where the IC databases are.
        switches: the transit switches.
        entries: the zones, by name.
        left_out: zones that the user named and the file does not have.
        routes: the entries of `routes`.
        unsaid: what runs and the file does not say.
        waivers: what lets things stay as they are.
    """

    asked: Asked
    owner: Owner
    database: IcDatabase
    switches: Switches
    entries: tuple[Entry, ...]
    left_out: tuple[Entry, ...]
    routes: tuple[dict[str, Plain], ...]
    unsaid: tuple[Unsaid, ...]
    waivers: tuple[Waiver, ...]

    @property
    def policy(self) -> RoutePolicy:
        """What stands for most zones; of equally many auto, the default."""
        automatic = sum(one.automatic for one in self.entries)
        return RoutePolicy.AUTO if 2 * automatic >= len(self.entries) else RoutePolicy.MANUAL

    @property
    def sites(self) -> dict[str, str]:
        """The zones' names by their sites in the snapshot."""
        return {one.zone.site: one.name for one in self.entries}

    @property
    def data(self) -> dict[str, Plain]:
        """The file, in the order in which it is written."""
        database = database_data(self.database)
        through = self.sites.get(self.asked.through)
        if through is not None:
            database["reach"] = {"through": through}
        data: dict[str, Plain] = {
            "apiVersion": "icplan/v1",
            "kind": "Interconnect",
            "metadata": {"name": self.owner.name},
            "icDatabase": database,
        }
        if self.switches.data:
            data["transitSwitches"] = self.switches.data
        data["routePolicy"] = self.policy.value
        data[NEAR_ZONES] = [self._zone(one) for one in self.entries]
        if self.routes:
            data["routes"] = [*self.routes]
        if self.waivers:
            data["accept"] = [one.data for one in self.waivers]
        return data

    def _zone(self, entry: Entry) -> dict[str, Plain]:
        policy = RoutePolicy.AUTO if entry.automatic else RoutePolicy.MANUAL
        data = dict(entry.data)
        if policy is not self.policy:
            withhold = data.pop("withhold", None)
            data["routePolicy"] = policy.value
            data |= {} if withhold is None else {"withhold": withhold}
        return data

    def adding(self, unsaid: Sequence[Unsaid], waivers: Sequence[Waiver]) -> Draft:
        """The same, with more that it does not say, and more that lets things stay."""
        return replace(
            self,
            unsaid=_in_order((*self.unsaid, *unsaid)),
            waivers=tuple(dict.fromkeys((*self.waivers, *waivers))),
        )


def draft(asked: Asked, facts: Facts, left_out: Sequence[Entry] = ()) -> Draft:
    """What the file is to say of what was seen.

    Args:
        asked: what the user named; all of it must have been read.
        facts: what was seen.
        left_out: zones of which an earlier look has shown that they are not in the file.

    Raises:
        IcplanError: nothing of it is interconnected, or nobody says where the IC databases are.
    """
    owned = owner(asked.name, facts)
    found = switches(facts)
    names = found.declared.names
    looked_at = [
        clusters.entry(zone, facts, owned.name)
        if zone.kube_ovn
        else plain.entry(zone, facts, owned.name, names)
        for zone in asked.zones
    ]
    entries, more = _apart(looked_at)
    outside = (*left_out, *more)
    if not entries:
        raise IcplanError(
            "import",
            cause="none of what you named is interconnected: "
            + "; ".join(f"{one.zone.title}: {one.left_out}" for one in outside),
            cure="write the file by hand, from examples/two-clusters: `icplan apply` then "
            "interconnects them",
        )
    configs = {
        site: one.config.data for site, one in facts.clusters.items() if one.config is not None
    }
    database = ic_database(asked, configs)
    subnets = {name: found.declared.subnet_of(index) for index, name in enumerate(names)}
    routes = by_hand(entries, facts, subnets)
    unsaid = [*owned.unsaid, *found.unsaid, *routes.unsaid]
    unsaid += [one for entry in entries for one in entry.unsaid]
    unsaid += [_not_in_it(one) for one in outside]
    unsaid += _strangers(facts, entries, outside)
    waivers = [one for entry in entries for one in entry.waivers]
    for entry in entries:
        cluster = facts.clusters.get(entry.zone.site)
        if cluster is not None and cluster.config is not None:
            more_unsaid, more_waivers = clusters.config_unsaid(entry, cluster.config, database)
            unsaid += more_unsaid
            waivers += more_waivers
    return Draft(
        asked,
        owned,
        database,
        found,
        entries,
        outside,
        routes.data,
        _in_order(unsaid),
        tuple(waivers),
    )


def _in_order(unsaid: Sequence[Unsaid]) -> tuple[Unsaid, ...]:
    return tuple(sorted(dict.fromkeys(unsaid), key=lambda one: one.order))


def _apart(found: Sequence[Entry]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """Those that are in the file, by name, and those that are not; of equal names the first is."""
    entries: dict[str, Entry] = {}
    outside: list[Entry] = []
    for one in found:
        if one.left_out:
            outside.append(one)
        elif one.name in entries:
            other = entries[one.name].zone.title
            why = (
                f"its name is {one.name}, and so is that of {other}: the two delete each other's "
                "rows in the IC databases for ever"
            )
            outside.append(replace(one, left_out=why))
        else:
            entries[one.name] = one
    return tuple(entries[name] for name in sorted(entries)), tuple(outside)


def _not_in_it(entry: Entry) -> Unsaid:
    return Unsaid(
        entry.name or entry.zone.site,
        entry.zone.title,
        f"it is not in the file: {entry.left_out}",
        "mend that and import again; or declare it by hand, and `icplan apply` lets it join",
        near=NEAR_ZONES,
    )


def _strangers(
    facts: Facts, entries: Sequence[Entry], outside: Sequence[Entry]
) -> Iterator[Unsaid]:
    known = {one.name for one in entries}
    named = {one.name for one in outside}
    for name in facts.ic_southbound.zones if facts.ic_southbound else ():
        if name in known or name in named:
            continue
        yield Unsaid(
            IC,
            f"zone {name}" if name else "a zone without a name",
            "it is registered in the IC southbound database, and nothing that you named answers "
            "for it",
            "name it, too (--kube-context or --ovn); or, if its cluster no longer exists, declare "
            "it with `state: gone`",
            near=NEAR_ZONES,
        )
