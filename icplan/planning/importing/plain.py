"""A plain OVN zone as an entry of the file: its router, ports, gateways and what it withholds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from icplan.core.address import Address
from icplan.kinds import route_exchange, transit_port
from icplan.kinds.common.contract import MARK
from icplan.kinds.common.gateways import rotated
from icplan.ovn.attachment import Attachment, attachments, of_router
from icplan.ovn.facts import Facts
from icplan.ovn.northbound import ADVERTISE, BLACKLIST, LEARN, Northbound
from icplan.ovn.prefix import normal, ordered
from icplan.ovn.southbound import Southbound
from icplan.planning.importing.asked import AskedZone, Entry, Unsaid, covered
from icplan.planning.importing.entries import access_data, invalid
from icplan.spec.model import PlainOvnZone, Platform
from icplan.spec.source import Plain
from icplan.spec.writing import flow


def entry(zone: AskedZone, facts: Facts, owner: str, switches: Sequence[str]) -> Entry:
    """What the file says of a plain zone, but for its route policy's place.

    Args:
        zone: which one.
        facts: what was seen.
        owner: the file's owner mark.
        switches: the transit switches that the file declares.
    """
    northbound, southbound = facts.northbound[zone.site], facts.southbound[zone.site]
    name = northbound.name
    if not name:
        return Entry(zone, "", {}, left_out="NB_Global.name is not set, so it is not registered")
    router, unsaid = _router(zone, northbound, owner, switches)
    if not router:
        why = "no router of it has a port on a transit switch; name the one that you mean: "
        return Entry(zone, name, {}, left_out=f"{why}--router {zone.site} ROUTER")
    found = _Ports(name, northbound, southbound, router, switches)
    gateways = found.gateways or _offered(southbound)
    if not gateways:
        why = "its port has no gateway, and no chassis of it is marked is-interconn"
        return Entry(zone, name, {}, left_out=why)
    advertises = northbound.options.get(ADVERTISE) == "true"
    learns = northbound.options.get(LEARN) == "true"
    denied = tuple(map(normal, northbound.denylist.effective))
    ours = _ours(northbound, owner)
    withheld = ordered(one for one in denied if one in ours)
    data: dict[str, Plain] = {
        "name": name,
        "platform": Platform.OVN.value,
        **access_data(zone),
        "router": router,
        "gatewayNodes": [*gateways],
    }
    if withheld:
        data["withhold"] = [*withheld]
    if problem := invalid(PlainOvnZone, data):
        return Entry(zone, name, data, left_out=problem)
    others = ordered(one for one in denied if one not in ours)
    note = f"On its denylist ({BLACKLIST}) by somebody else, where icplan leaves it: "
    own = f"To let this file say it: `withhold: {flow([*withheld, *others])}`."
    return Entry(
        zone,
        name,
        data,
        advertises or learns,
        "",
        (f"{note}{', '.join(others)}. {own}",) if others else (),
        (*unsaid, *found.unsaid(gateways), *_half(name, advertises, learns)),
    )


def _router(
    zone: AskedZone, northbound: Northbound, owner: str, switches: Sequence[str]
) -> tuple[str, tuple[Unsaid, ...]]:
    """The router that is attached to the transit switches, and others that are, too.

    Of several the one whose ports are marked, else the one with most of them.
    """
    there = {one.transit_switch for one in northbound.switches if one.transit_switch}
    found: dict[str, set[str]] = {}
    ours: set[str] = set()
    for switch in sorted({*there, *switches}):
        for one in attachments(northbound, switch):
            found.setdefault(one.router.name, set()).add(switch)
            if one.switch_port.external_ids.get(MARK) == owner:
                ours.add(one.router.name)
    most = min(found, key=lambda one: (one not in ours, -len(found[one]), one), default="")
    router = zone.router or most
    unsaid = tuple(
        Unsaid(
            northbound.name,
            f"router {other}, attached to {', '.join(sorted(found[other]))}",
            f"the file interconnects one router of a zone, and says {router}",
            f"leave it, as icplan does; or import with --router {zone.site} {other}",
        )
        for other in sorted(found)
        if other != router
    )
    return router, unsaid


@dataclass(frozen=True, slots=True)
class _Ports:
    """A zone's ports on the transit switches."""

    zone: str
    northbound: Northbound
    southbound: Southbound
    router: str
    switches: Sequence[str]

    def _on(self, switch: str) -> Attachment | None:
        found = of_router(self.northbound, switch, self.router)
        return found[0] if len(found) == 1 else None

    def _hosts(self, port: Attachment) -> tuple[str, ...]:
        found = (self.southbound.host_of(row.chassis) for row in port.gateways)
        return tuple(one for one in found if one)

    @property
    def gateways(self) -> tuple[str, ...]:
        """The order of gateways from which those of all switches follow, by the first of them."""
        for index, switch in enumerate(self.switches):
            port = self._on(switch)
            if port is not None and (hosts := self._hosts(port)):
                return rotated(hosts, -index)
        return ()

    def unsaid(self, gateways: tuple[str, ...]) -> Iterator[Unsaid]:
        """Switches without a port, and ports with other gateways than the file has for them."""
        for index, switch in enumerate(self.switches):
            address = Address(self.zone, transit_port.KIND.name, switch)
            if not of_router(self.northbound, switch, self.router):
                yield Unsaid(
                    self.zone,
                    f"transit switch {switch}",
                    f"router {self.router} has no port on it, and the file means one on each "
                    "transit switch",
                    "let icplan make it: nothing is disturbed by that",
                    covers=covered(address),
                )
                continue
            port = self._on(switch)
            wanted = rotated(gateways, index)
            if port is not None and self._hosts(port) != wanted:
                yield Unsaid(
                    self.zone,
                    f"port {port.switch_port.name} on {switch}, its gateways",
                    f"they are {', '.join(self._hosts(port)) or 'none'}, and the file has one "
                    "order for all switches, of which each begins with the next one: "
                    f"{', '.join(wanted)}",
                    "see in `icplan plan` what changing them costs: most often below a second",
                    covers=covered(address, "gateways"),
                )


def _offered(southbound: Southbound) -> tuple[str, ...]:
    """The hosts that are marked for interconnection, when no port names its gateways."""
    return tuple(sorted({one.hostname for one in southbound.local if one.interconnection}))


def _ours(northbound: Northbound, owner: str) -> frozenset[str]:
    """The entries of the denylist that this file's icplan has written."""
    if northbound.external_ids.get(route_exchange.MARK) != owner:
        return frozenset()
    recorded = northbound.external_ids.get(route_exchange.WITHHELD, "")
    return frozenset(normal(one) for one in recorded.split(",") if one)


def _half(name: str, advertises: bool, learns: bool) -> Iterator[Unsaid]:
    if advertises != learns:
        key = LEARN if advertises else ADVERTISE
        yield Unsaid(
            name,
            f"NB_Global, options:{key}",
            "it is not true, and the file lets a zone both advertise and learn, or neither",
            "see in `icplan plan` which routes come with it, or set `routePolicy: manual`",
            covers=covered(Address(name, route_exchange.NAME), "advertise" if learns else "learn"),
        )
