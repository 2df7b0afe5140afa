"""The next hops of manual routes: the address of the other zone's port, known now or only later."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC, Address
from icplan.core.io import (
    IC_SOUTHBOUND,
    NORTHBOUND,
    Database,
    Query,
    Unreadable,
    equals,
)
from icplan.core.state import Declared
from icplan.core.value import Known, Later, Value, plain
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Missing, Resolution, View
from icplan.kinds.common.controller import config_address, controller_cure, off_and_on_cure
from icplan.kinds.common.evidence import ovn_ic_cure
from icplan.kinds.common.registered import sites
from icplan.kinds.common.routed import families
from icplan.kinds.common.transit_address import bare, subnets
from icplan.kinds.common.transit_evidence import sharing
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import ROUTER
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.prefix import family, inside
from icplan.spec.load import Spec


class Hops:
    """Where routes to zones lead, switch by switch.

    Args:
        view: the file, the facts, and what the other kinds bring about.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._published = published(view.facts)

    def hop(self, zone: zones.DeclaredZone, switch: str, version: int) -> Value | None:
        """The address that a zone will have on a switch once the file is applied.

        icplan itself chooses those of plain zones, so that they are known; Kube-OVN's controller
        draws its zone's. None: nothing tells it.
        """
        view = self._view
        if not zone.kube_ovn:
            port = view.outlook.desired.get(Address(zone.name, "port", switch))
            if isinstance(port, Declared) and port.attributes:
                networks = plain(port.attributes, "networks")
                found = _of_family(networks if isinstance(networks, tuple) else (), version)
                return Known(found) if found else None
        elif zone.name in view.outlook.drawing:
            return self._later(zone.name, switch, version, view.outlook.drawing[zone.name][-1])
        found = self.today(zone, switch, version)
        if found:
            return Known(found)
        planned = zone.name not in view.spec.without
        if zone.kube_ovn and planned and view.facts.unplannable(zone.name) is None:
            # Its controller has been told, and is about to draw one.
            return self._later(zone.name, switch, version, config_address(zone.name))
        return None

    def today(self, zone: zones.DeclaredZone, switch: str, version: int) -> str:
        """The address that a zone has on a switch now, empty if it has none."""
        own = networks_of(self._view.facts, zone.name, zone.router, switch)
        return _of_family(own or self._published.get((zone.name, switch), ()), version)

    def _later(self, zone: str, switch: str, version: int, source: Address) -> Later:
        spec = self._view.spec
        which = f"IPv{version} address" if len(families(spec)) > 1 else "address"
        subnet = _subnet(spec, switch, version)
        return Later(
            f"{which} of {switch}-{zone} on {switch}",
            source,
            f"in {subnet} and unique",
        )


def published(facts: Facts) -> dict[tuple[str, str], tuple[str, ...]]:
    """What the zones have registered, by the file's names of zone and switch."""
    names = sites(facts)
    ic = facts.ic_southbound
    return {
        (names.get(port.zone, port.zone), port.transit_switch): port.networks
        for port in (ic.ports if ic else ())
    }


def networks_of(facts: Facts, zone: str, router: str, switch: str) -> tuple[str, ...]:
    """The addresses of a zone's port by its own database, empty if it was not read or has none."""
    seen = facts.northbound.get(zone)
    found = of_router(seen, switch, router) if seen is not None else ()
    return found[0].router_port.networks if len(found) == 1 else ()


def _of_family(networks: tuple[str, ...], version: int) -> str:
    found = (bare(one) for one in networks)
    return next((one for one in found if family(one) == version), "")


def _subnet(spec: Spec, switch: str, version: int) -> str:
    switches = spec.interconnect.transit_switches
    texts = subnets(switches.subnet_of(switches.names.index(switch)))
    return next(str(one) for one in texts if one.version == version)


def resolution(
    view: View, later: Later, zone: str, switch: str, version: int, lost: str
) -> Resolution:
    """How the address of a Kube-OVN zone on a switch is found once its controller has drawn it.

    Args:
        view: the file and the facts.
        later: the address as the plan shows it.
        zone: whose it is.
        switch: where.
        version: its family, 4 or 6.
        lost: what does not work as long as it is not found, in words.
    """
    subnet = _subnet(view.spec, switch, version)

    def find(facts: Facts) -> str | Missing | Unreadable:
        ic = facts.ic_southbound
        seen = facts.northbound.get(zone)
        if ic is None or seen is None:
            unseen = (one for one in facts.unseen.values())
            return next(unseen, NOT_ASKED)
        address = _of_family(published(facts).get((zone, switch), ()), version)
        if not address:
            return Missing(
                f"{zone} has no port on {switch} yet; {lost}", controller_cure(view.spec, zone)
            )
        # A row of before it was drawn anew would name the old one.
        own = _of_family(networks_of(facts, zone, ROUTER, switch), version)
        if own != address:
            why = (
                f"{zone} has {own or 'no address'} on {switch} itself, and has published {address}"
            )
            return Missing(f"{why}; {lost}", ovn_ic_cure(zone))
        if not inside(address, subnet):
            cure = off_and_on_cure(view.spec, zone)
            return Missing(f"{address} of {zone} on {switch} is outside of {subnet}; {lost}", cure)
        if others := sharing(ic, seen.name, switch, (address,)):
            shared = f"{zone} and {', '.join(others)} have the same address on {switch}: {address}"
            return Missing(f"{shared}; {lost}", "run icplan plan: it shows the cure")
        return address

    return Resolution(later, tuple(_queries(zone, switch)), find)


def _queries(zone: str, switch: str) -> Iterator[Query]:
    """What the other zones are told of a port, and what its own zone says of it; no more."""
    ic, north = Database(IC, IC_SOUTHBOUND), Database(zone, NORTHBOUND)
    columns = ("logical_port", "transit_switch", "availability_zone", "gateway", "address")
    yield Query(ic, "Availability_Zone", ("name",))
    yield Query(ic, "Port_Binding", columns)
    yield Query(north, "NB_Global", ("name",))
    yield Query(north, "Logical_Router", ("name", "ports"))
    yield Query(north, "Logical_Router_Port", ("name", "networks"))
    named = (equals("name", switch),)
    yield Query(north, "Logical_Switch", ("name", "other_config", "ports"), named)
    router = (equals("type", "router"),)
    yield Query(north, "Logical_Switch_Port", ("name", "type", "options"), router)
