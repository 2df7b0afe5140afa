"""What zones that are no more have left in the IC southbound database. Takes it away whole.

Their peers go on routing into nothing until these rows are gone (measured: docs/facts.md section
8).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from icplan.core.address import IC, Address
from icplan.core.change import Change, Effect, Impact, Reason
from icplan.core.io import (
    IC_SOUTHBOUND,
    Database,
    Delete,
    Field,
    Operation,
    Precondition,
    Query,
    Transaction,
    equals,
)
from icplan.core.state import Absent, DeclaredAbsent, Desired, Observed, Present
from icplan.core.value import Attributes, Known
from icplan.core.words import FEW, listed
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Check, Kind, Missing, Verdict, View, one_step
from icplan.kinds.common.evidence import in_ic, in_zone, ovn_ic_cure, verdict
from icplan.kinds.common.residue import half_registered, learned
from icplan.ovn.facts import Facts
from icplan.ovn.interconnect import AdvertisedRoute, Gateway, IcSouthbound, PortBinding
from icplan.ovn.prefix import ordered
from icplan.spec.load import Spec

NAME = "zone"
WATCHED_SECONDS = 15.0
"""For how long nobody may come back: an ovn-ic that lives registers again at once (measured)."""


def address(zone: str) -> Address:
    """The address of what a zone has registered."""
    return Address(IC, NAME, zone)


@dataclass(frozen=True, slots=True)
class Rows:
    """Everything that is registered under a zone's name; nothing can be without `uuid`'s row.

    All rows refer to that of the zone itself, and the database keeps it as long as they do.
    """

    uuid: str
    gateways: tuple[Gateway, ...]
    ports: tuple[PortBinding, ...]
    routes: tuple[AdvertisedRoute, ...]

    @classmethod
    def of(cls, ic: IcSouthbound, zone: str) -> Rows:
        """Those of one zone; no uuid when it is not registered."""
        return cls(
            ic.uuids.get(zone, ""),
            tuple(one for one in ic.gateways if one.zone == zone),
            tuple(one for one in ic.ports if one.zone == zone),
            tuple(one for one in ic.routes if one.zone == zone),
        )

    @property
    def shown(self) -> Attributes:
        """The rows, one by one."""
        found = {
            f"gateway {one.hostname}": f"{one.name}, {', '.join(one.tunnel_ips)}"
            for one in self.gateways
        }
        found |= {
            f"port {one.name} on {one.transit_switch}": ", ".join(one.networks)
            for one in self.ports
        }
        # A prefix may be advertised with several next hops.
        hops: dict[str, list[str]] = {}
        for one in self.routes:
            hops.setdefault(f"route {one.prefix} on {one.transit_switch}", []).append(one.nexthop)
        found |= {name: ", ".join(via) for name, via in hops.items()}
        return {name: Known(value) for name, value in found.items()}


def queries(_spec: Spec, _facts: Facts | None) -> tuple[Query, ...]:
    """None of its own: the interconnection databases are read for the transit switches."""
    return ()


def desired(view: View) -> dict[Address, Desired]:
    """Nothing is registered under the names of zones that are gone, or that are out already."""
    wanted: dict[Address, Desired] = {
        address(name): DeclaredAbsent(origin, Reason.GONE)
        for name, origin in zones.gone(view.spec).items()
    }
    for zone in half_registered(view):
        origin = zone.declared.origin(view.spec, "state")
        wanted[address(zone.name)] = DeclaredAbsent(origin, Reason.ORPHANED)
    return wanted


def observed(view: View) -> dict[Address, Observed]:
    """What is registered under those names."""
    states: dict[Address, Observed] = {}
    unseen, ic = view.facts.ic_unseen(), view.facts.ic_southbound
    for one in desired(view):
        if unseen is not None or ic is None:
            states[one] = unseen or Absent()
            continue
        rows = Rows.of(ic, one.name)
        states[one] = Present(rows.shown, None) if rows.uuid else Absent()
    return states


def effects(change: Change, view: View) -> Iterator[Effect]:
    """What leads to a dead zone is a blackhole today: nobody loses anything, others may gain.

    That it is dead only the file says: no row of the databases tells whether anybody lives behind
    it. One that is out without having left may be reached still: its ports and tunnels stay.
    """
    zone, dead = change.address.name, change.reason is Reason.GONE
    what = f"leads nowhere if {zone} is no more" if dead else "has been taken out"
    impact = Impact.NONE if dead else Impact.OUTAGE
    held = _held(view, zone)
    # Most peers hold the same, and are named together.
    groups: dict[tuple[str, ...], list[str]] = {}
    for peer, prefixes in held.items():
        groups.setdefault(prefixes, []).append(peer)
    for prefixes, peers in groups.items():
        lose, hold = ("loses", "holds") if len(peers) == 1 else ("lose", "hold")
        sentence = (
            f"{listed(peers, FEW)} {hold} {listed(prefixes, FEW)} towards {zone}, which {what}, "
            f"and {lose} that within seconds"
        )
        if others := _takers(view, zone, prefixes, peers):
            sentence += f"; what {listed(others, FEW)} advertises of it takes over"
        yield Effect(zone, impact, sentence, prefixes, leaves=not dead)
    if not held:
        yield Effect(zone, Impact.NONE, f"no zone that can be seen holds a route towards {zone}")
    if dead:
        yield Effect(
            zone,
            Impact.NONE,
            f"that {zone} is no more only the file says, no database tells it: if it lives, it is "
            "cut off until its ovn-ic registers it again, which it does at once, and apply stops "
            "and says so",
        )


def _takers(view: View, zone: str, prefixes: tuple[str, ...], peers: list[str]) -> list[str]:
    """The living zones that advertise some of these prefixes as well."""
    ic = view.facts.ic_southbound
    names = {one.zone for one in (ic.routes if ic else ()) if one.prefix in prefixes}
    # Its own prefix does not lead a zone anywhere.
    alone = {*peers} if len(peers) == 1 else set()
    return sorted(names - alone - {zone, *zones.gone(view.spec)})


def _held(view: View, zone: str) -> dict[str, tuple[str, ...]]:
    """The prefixes that the other zones have learned from a zone, by zone."""
    found: dict[str, tuple[str, ...]] = {}
    sources = _sources(view, zone)
    for peer in zones.seen(view):
        routes = learned(peer.northbound, peer.declared.router)
        prefixes = ordered(one.prefix for one in routes if one.learned_from in sources)
        if prefixes and peer.name != zone:
            found[peer.name] = prefixes
    return found


def _sources(view: View, zone: str) -> frozenset[str]:
    ic = view.facts.ic_southbound
    return frozenset(one.uuid for one in (ic.routes if ic else ()) if one.zone == zone)


def operation(change: Change, view: View) -> Operation:
    """All rows in one transaction, those that refer to others first (docs/facts.md section 8).

    Rows that came since are not among them, and the database then keeps the zone's own row.
    """
    zone, ic = change.address.name, view.facts.ic_southbound
    if ic is None:
        raise AssertionError("a zone whose rows were not seen is taken away")
    rows = Rows.of(ic, zone)
    tables = {
        "Route": tuple(one.uuid for one in rows.routes),
        "Port_Binding": tuple(one.uuid for one in rows.ports),
        "Gateway": tuple(one.uuid for one in rows.gateways),
    }
    itself = (equals("_uuid", rows.uuid),)
    preconditions = [
        Precondition(
            f"Availability_Zone {zone}", "Availability_Zone", itself, ((Field("name"), zone),)
        ),
        *(
            Precondition(
                f"{table} of {zone}",
                table,
                (equals("availability_zone", rows.uuid),),
                rows=len(uuids),
            )
            for table, uuids in tables.items()
        ),
    ]
    deletes = [
        *(
            Delete(table, (equals("_uuid", uuid),))
            for table, uuids in tables.items()
            for uuid in uuids
        ),
        Delete("Availability_Zone", itself),
    ]
    return Transaction(Database(IC, IC_SOUTHBOUND), tuple(preconditions), tuple(deletes))


def checks(view: View) -> Iterator[Check]:
    """Nothing comes back, and the other zones have forgotten what led there."""
    ic = view.facts.ic_southbound
    for one in desired(view):
        zone = one.name
        uuid = ic.uuids.get(zone, "") if ic else ""
        yield Check(
            one,
            f"nothing is registered as {zone} any more",
            frozenset({one}),
            in_ic(partial(_away, zone, uuid)),
            lasts=WATCHED_SECONDS if uuid else 0.0,
        )
        sources = _sources(view, zone)
        for peer in _held(view, zone):
            yield _dropped(zone, zones.find(view, peer).declared, sources)


def _away(zone: str, uuid: str, ic: IcSouthbound) -> Verdict:
    now = ic.uuids.get(zone, "")
    if now in {"", uuid}:
        return verdict(
            not now,
            f"rows of {zone} are in the IC southbound database",
            "icplan plan lists them, icplan apply takes them away",
        )
    return Missing(
        f"{zone} is alive: its ovn-ic registered it again",
        f"take it out with its access and `state: absent`, or stop its ovn-ic if {zone} is to be "
        "no more; then plan again",
        final=True,
    )


def _dropped(zone: str, peer: zones.DeclaredZone, sources: frozenset[str]) -> Check:
    """A peer's ovn-ic has taken what it learned away."""
    own = address(zone)
    return Check(
        own,
        f"{peer.name} has dropped the routes of {zone}",
        frozenset({own}),
        in_zone(
            peer.name,
            lambda seen: verdict(
                not any(one.learned_from in sources for one in learned(seen, peer.router)),
                f"{peer.name} still holds routes of {zone}",
                ovn_ic_cure(peer.name),
            ),
        ),
        peer=peer.name,
    )


KIND = Kind(
    NAME,
    prerequisite=True,
    queries=queries,
    desired=desired,
    observed=observed,
    effects=effects,
    steps=one_step(operation),
    checks=checks,
    takes_away=lambda _: False,
    residue=True,
)
