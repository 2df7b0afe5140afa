"""One direction of a way and what is known of it: what the tests of its links share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from icplan.core.change import Change, Reason
from icplan.core.io import Unreadable
from icplan.core.words import FEW, REPAIRED, listed
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import KEYS, data
from icplan.kinds.common.contract import Held, Missing, Verdict, View
from icplan.kinds.common.controller import controller_cure, running_cure, trouble
from icplan.kinds.common.transit_address import bare
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.interconnect import IcSouthbound, PortBinding
from icplan.ovn.northbound import Northbound, Router
from icplan.ovn.prefix import family, inside
from icplan.ovn.routes import Candidate, candidates
from icplan.planning.path.ends import End
from icplan.planning.plan import Plan

_APART = frozenset({"denylist", "subnet", "route-exchange"})
"""Kinds whose evidence is about prefixes: the links ask it for the ones that matter here."""


@dataclass(frozen=True, slots=True)
class Leg:
    """One direction.

    Attributes:
        source: where packets come from.
        target: where they go to.
        prefixes: of the target.
    """

    plan: Plan
    source: End
    target: End
    prefixes: tuple[str, ...]

    @property
    def view(self) -> View:
        """The file and the facts."""
        return self.plan.view

    @property
    def facts(self) -> Facts:
        """What was seen."""
        return self.plan.view.facts

    @property
    def switches(self) -> tuple[str, ...]:
        """The transit switches that the file declares."""
        return self.view.spec.interconnect.transit_switches.names

    @property
    def by_hand(self) -> bool:
        """Whether only a route by hand can lead there: one of the two exchanges none by itself."""
        spec = self.view.spec
        return not (self.source.zone.automatic(spec) and self.target.zone.automatic(spec))

    def hops(self, switch: str, zone: str) -> tuple[str, ...]:
        """The addresses of a zone on a switch, as it has published them."""
        ic = self.facts.ic_southbound
        return tuple(bare(net) for port in ports(ic, zone, switch) for net in port.networks)

    def on_switch(self, switch: str) -> tuple[str, ...]:
        """Those of the prefixes whose family the target's address on a switch has."""
        families = {family(hop) for hop in self.hops(switch, self.target.zone.name)}
        return tuple(one for one in self.prefixes if family(one) in families)

    def in_ic(self, test: Callable[[IcSouthbound], Verdict]) -> Verdict:
        """A test on the IC southbound database."""
        unseen, ic = self.facts.ic_unseen(), self.facts.ic_southbound
        return unseen or NOT_ASKED if unseen is not None or ic is None else test(ic)

    def in_zone(self, end: End, test: Callable[[Northbound], Verdict]) -> Verdict:
        """A test on an end's northbound database."""
        name = end.zone.name
        unseen = self.facts.zone_unseen(name)
        return unseen if unseen is not None else test(self.facts.northbound[name])


def ports(ic: IcSouthbound | None, zone: str, switch: str) -> tuple[PortBinding, ...]:
    """A zone's ports on a switch, as it has published them."""
    found = ic.ports if ic is not None else ()
    return tuple(one for one in found if (one.zone, one.transit_switch) == (zone, switch))


def routers(end: End, seen: Northbound) -> tuple[Router, ...]:
    """The routers of an end that are interconnected: one, unless somebody made a mistake."""
    return seen.routers_named(end.zone.router)


def carrier(end: End, seen: Northbound, prefix: str) -> Candidate | None:
    """What an end's router would offer to others of what leads to a prefix: the narrowest."""
    found = (
        one
        for router in routers(end, seen)
        for one in candidates(seen, router)
        if inside(prefix, one.prefix)
    )
    return max(found, key=lambda one: int(one.prefix.rpartition("/")[2]), default=None)


def unread(leg: Leg, end: End) -> Unreadable | None:
    """Why nothing is planned for a zone, so that no difference would be seen."""
    name = end.zone.name
    unseen = leg.facts.cluster_unseen(name) if end.zone.kube_ovn else None
    return unseen or leg.facts.zone_unseen(name)


def drift(leg: Leg, end: End) -> tuple[Change, ...]:
    """What is planned for a zone, but for what concerns other prefixes of it."""
    mine = (one for one in leg.plan.changes if one.address.site == end.zone.name)
    return tuple(one for one in mine if one.address.kind not in {"denylist", "subnet"})


def _what(change: Change) -> str:
    return ", ".join(change.differing) if change.reason is Reason.DIFFERS else change.reason


def as_declared(leg: Leg, end: End) -> Verdict:
    """Nothing is planned for what the zone holds."""
    unseen = unread(leg, end)
    if unseen is not None:
        return unseen
    changes = drift(leg, end)
    if not changes:
        return Held()
    shown = [f"{one.address} ({_what(one)})" for one in changes]
    return Missing(f"{end.zone.name} differs from the file: {listed(shown, FEW)}", REPAIRED)


def evidence(leg: Leg, end: End) -> tuple[int, Callable[[], Verdict]]:
    """All that verify asks of a zone besides its prefixes: how much, and the first missing.

    But for what cannot hold because of an object that differs from the file.
    """
    differing = {one.address for one in drift(leg, end)}
    mine = [
        one
        for one in leg.plan.checks
        if one.address.site == end.zone.name
        and not one.peer
        and one.since is None
        and one.address.kind not in _APART
        and not one.needs & differing
    ]

    def test() -> Verdict:
        found = [one.holds(leg.facts) for one in mine]
        missing = [one for one in found if isinstance(one, Missing)]
        if missing:
            more = f" ({len(missing) - 1} more in icplan verify)" if len(missing) > 1 else ""
            return Missing(f"{missing[0].why}{more}", missing[0].cure)
        return next((one for one in found if isinstance(one, Unreadable)), Held())

    return len(mine), test


def doer_cure(leg: Leg, zone: zones.DeclaredZone) -> str:
    """What to do when what is declared in a zone was not done.

    A controller that was told something else has done right.
    """
    if not zone.kube_ovn:
        return REPAIRED
    spec, cluster = leg.view.spec, leg.facts.clusters.get(zone.name)
    if cluster is not None and trouble(cluster):
        return running_cure(spec, zone.name, cluster)
    told = cluster.config.data if cluster is not None and cluster.config is not None else {}
    wanted = data(spec, zone)
    if cluster is not None and any(told.get(key) != wanted[key] for key in KEYS):
        return REPAIRED
    return controller_cure(spec, zone.name)


def each(leg: Leg, test: Callable[[str], Verdict]) -> Verdict:
    """A test that each of the prefixes must pass."""
    found = [test(one) for one in leg.prefixes]
    order: Iterator[Verdict] = iter(
        [
            *(one for one in found if isinstance(one, Missing)),
            *(one for one in found if isinstance(one, Unreadable)),
        ]
    )
    return next(order, Held())
