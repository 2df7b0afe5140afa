"""What is provably nobody's any more: left behind in or by zones that are out. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import Address
from icplan.core.kubernetes import GetObject
from icplan.kinds.common import zones
from icplan.kinds.common.contract import MARK, Check, Guard, View
from icplan.kinds.common.controller import ENABLE, config_address
from icplan.kinds.common.cycle import OFF, left_behind
from icplan.kinds.common.evidence import in_cluster, verdict
from icplan.ovn.attachment import Attachment, of_router
from icplan.ovn.cluster import ROUTER, config_resource
from icplan.ovn.generation import Generation
from icplan.ovn.northbound import Northbound, StaticRoute

LEARNED_KIND = "learned-routes"
"""The kind of the learned routes that have stayed in a zone which is out."""


def learned_address(zone: str) -> Address:
    """The address of what such a zone has learned."""
    return Address(zone, LEARNED_KIND)


def half_registered(view: View) -> Iterator[zones.SeenZone]:
    """The plain zones that are out and whose rows have stayed in the IC southbound database.

    A name that is cleared while gateways are registered leaves all of it behind: ovn-ic tries
    once, and then idles (docs/facts.md section 6, measured). That they are this zone's, and not
    those of another one of that name, is told by its own chassis among the gateways.
    """
    ic = view.facts.ic_southbound
    for zone in zones.seen_plain(view):
        if ic is None or zone.declared.present or zone.northbound.name == zone.name:
            continue
        own = {one.name for one in zone.southbound.local}
        registered = {one.name for one in ic.gateways if one.zone == zone.name}
        if registered and registered <= own:
            yield zone


def learned(seen: Northbound, router: str) -> tuple[StaticRoute, ...]:
    """What ovn-ic has made in a zone of what others advertise, in order."""
    found = seen.routers_named(router)
    return tuple(one for each in found for one in seen.routes_of(each) if one.learned)


def name_when_out(view: View, zone: zones.SeenZone) -> str:
    """The name that a zone's database has once all else of it has left.

    A plain zone has given it up by then; that of a Kube-OVN zone stays (docs/facts.md section 3).
    """
    seen = zone.northbound
    given_up = seen.name == zone.name or seen.external_ids.get(MARK) == view.owner
    return "" if given_up and not zone.declared.kube_ovn else seen.name


def switched_off(view: View, zone: str) -> bool:
    """Whether a Kube-OVN zone's controller has been told to be out, or told nothing."""
    config = view.facts.clusters[zone].config
    return config is None or config.data.get(ENABLE) == OFF


def switched_off_guard(zone: str) -> Guard:
    """Its controller is told to be out at the very moment: what is left there is nobody's."""
    check = Check(
        config_address(zone),
        f"{zone} is switched off",
        frozenset(),
        in_cluster(
            zone,
            lambda seen: verdict(
                seen.config is None or seen.config.data.get(ENABLE) == OFF,
                f"{zone} is interconnected again, and what is there is its controller's",
                "run `icplan plan` again",
            ),
        ),
    )
    return Guard((GetObject(config_resource(zone)),), check)


def learned_orphans(view: View) -> Iterator[tuple[zones.SeenZone, tuple[StaticRoute, ...]]]:
    """The zones to be out in which nobody takes away what they have learned, and what that is.

    Older controllers leave it behind when they take a zone down, and a newer one that finds its
    zone switched off looks no more (docs/facts.md section 3). In a plain zone it is ovn-ic's, as
    long as that runs under a registered name. In a zone that is interconnected it is never theirs.
    """
    for zone in zones.seen(view):
        # Of those that stay there may be thousands.
        if zone.declared.present or not _abandoned(view, zone):
            continue
        if found := learned(zone.northbound, zone.declared.router):
            yield zone, found


def _abandoned(view: View, zone: zones.SeenZone) -> bool:
    ic = view.facts.ic_southbound
    if not zone.declared.kube_ovn:
        name = zone.northbound.name
        return ic is not None and name != zone.name and name not in ic.zones
    if view.facts.unplannable(zone.name) is not None:
        return False
    if view.facts.clusters[zone.name].generation is not Generation.NEW:
        return True
    return switched_off(view, zone.name) and not left_behind(view.facts, zone.name)


def dangling_ports(view: View) -> Iterator[tuple[zones.SeenCluster, Attachment]]:
    """Ports of a Kube-OVN zone that its controller made under a name which nothing has any more.

    It knows its ports by the zone's name alone: once that has changed while it did not run, it
    makes new ones beside them, and the old ones stay for ever (docs/facts.md section 8).
    """
    for zone in zones.clusters(view):
        seen = view.facts.northbound.get(zone.name)
        if seen is None or view.facts.zone_unseen(zone.name) or view.facts.unplannable(zone.name):
            continue
        config = zone.cluster.config
        alive = {zone.name, seen.name, config.data.get("az-name", "") if config else ""}
        for switch in seen.switches:
            if not switch.transit_switch:
                continue
            for one in of_router(seen, switch.transit_switch, ROUTER):
                former = one.router_port.name.removesuffix(f"-{switch.name}")
                named = (f"{switch.name}-{former}", f"{former}-{switch.name}")
                made = named == (one.switch_port.name, one.router_port.name)
                if made and former not in alive:
                    yield zone, one
