"""What only switching a Kube-OVN zone off and on again can cure. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from icplan.core.address import Address
from icplan.core.change import Effect, Impact
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import data, kept
from icplan.kinds.common.contract import View
from icplan.kinds.common.controller import ADDRESSES_KIND, DENYLIST_KIND, ENABLE, PORTS_KIND
from icplan.kinds.common.cycle import OFF
from icplan.kinds.common.registered import addresses
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.waivers import STALE_DENIAL, accepted
from icplan.kinds.common.withheld import stale_denials
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import ROUTER


def denylist_address(zone: str) -> Address:
    """The address of a zone's denylist."""
    return Address(zone, DENYLIST_KIND)


def addresses_address(zone: str) -> Address:
    """The address of a zone's transit addresses."""
    return Address(zone, ADDRESSES_KIND)


def ports_address(zone: str) -> Address:
    """The address of a zone's ports on the transit switches."""
    return Address(zone, PORTS_KIND)


def switched_on(view: View, zone: str) -> bool:
    """Whether a zone is declared present, and its controller has been told to interconnect it.

    One that is switched on only now begins anew, and has nothing to be cured of.
    """
    seen = view.facts.clusters.get(zone)
    declared = zones.named(view.spec, zone)
    if declared is None or not (declared.kube_ovn and declared.present):
        return False
    if seen is None or seen.config is None:
        return False
    return seen.config.data.get(ENABLE) != OFF


def stale(view: View, zone: str) -> tuple[str, ...]:
    """What is denied for no reason, unless the file accepts that it stays so."""
    if not switched_on(view, zone) or accepted(view, STALE_DENIAL, zone):
        return ()
    return stale_denials(view, zone)


@dataclass(frozen=True, slots=True)
class Shared:
    """An address that two zones have on one switch."""

    switch: str
    address: str
    other: str

    def __str__(self) -> str:
        """As it is shown: "169.254.100.49 of az1 on ts"."""
        return f"{self.address} of {self.other} on {self.switch}"


def shared_addresses(view: View, zone: str) -> tuple[Shared, ...]:
    """The addresses that a zone is to give up, because another zone has them as well.

    Of several Kube-OVN zones one keeps it: of those that are protected, if there are any, the one
    whose name comes first. Plain OVN zones get another address from icplan itself.
    """
    ic = view.facts.ic_southbound
    if ic is None or not switched_on(view, zone):
        return ()
    mine = {
        (port.transit_switch, bare(network))
        for port in ic.ports
        if port.zone == zone
        for network in port.networks
    }
    # Who yields is looked up for the few that have one of them: there is a port of every zone.
    found = {
        Shared(port.transit_switch, bare(network), port.zone)
        for port in ic.ports
        if port.zone != zone
        for network in port.networks
        if (port.transit_switch, bare(network)) in mine and not _yields(view, zone, port.zone)
    }
    return tuple(sorted(found, key=lambda one: (one.switch, one.other, one.address)))


def _yields(view: View, zone: str, other: str) -> bool:
    """Whether it is the other zone that gets another address, or gives it up altogether."""
    declared = zones.named(view.spec, other)
    if declared is not None and not declared.present:
        return True
    if other in zones.gone(view.spec):
        return True
    if declared is not None and not declared.kube_ovn and view.facts.zone_unseen(other) is None:
        return True
    return switched_on(view, other) and _order(view, other) > _order(view, zone)


def _order(view: View, zone: str) -> tuple[bool, str]:
    """Who gives an address up: the last one. What is protected cannot be switched off and on."""
    protected = any(one.name == zone and one.zone.protected for one in zones.kube_ovn(view.spec))
    return not protected, zone


def carried(view: View, zone: str) -> bool:
    """Whether the change of the ConfigMap itself switches the zone off and on, and cures it."""
    config = view.facts.clusters[zone].config
    if config is None:
        return True
    declared = zones.find_cluster(view, zone).declared
    wanted = {**kept(view, zone, config), **data(view.spec, declared)}
    return dict(config.data) != wanted


def cures_all(view: View, zone: str) -> str | None:
    """The kind whose change switches a zone off and on, for whatever ails it; None: nobody's.

    Once is enough for all of it, and the ConfigMap's own change may do it.
    """
    return None if carried(view, zone) else _first(view, zone)


def cured(view: View, zone: str) -> bool:
    """Whether something is to be cured in a zone."""
    return _first(view, zone) is not None


def _first(view: View, zone: str) -> str | None:
    if stale(view, zone):
        return DENYLIST_KIND
    if shared_addresses(view, zone):
        return ADDRESSES_KIND
    return PORTS_KIND if lost_ports(view, zone) else None


def cut_off(view: View, zone: str, sentence: str) -> Effect:
    """What a zone feels that is switched off and on; it draws other addresses."""
    return Effect(zone, Impact.OUTAGE, sentence, gives_up=addresses(view, zone), draws=True)


def lost_ports(view: View, zone: str) -> tuple[str, ...]:
    """The transit switches on which a zone has nothing but its router's half of a port.

    kube-ovn-controller deletes the switches but the first when it starts, in some versions;
    ovn-ic makes them anew, without the port (docs/facts.md section 5). The interconnection
    controller makes and deletes both halves at once, and so nothing else looks like that.
    """
    seen = view.facts.northbound.get(zone)
    if seen is None or not switched_on(view, zone):
        return ()
    config, ic = view.facts.clusters[zone].config, view.facts.ic_southbound
    name = config.data.get("az-name", "") if config else ""
    # One that is not registered has other troubles.
    if ic is None or name not in ic.zones:
        return ()
    halves = {port.name for router in seen.routers_named(ROUTER) for port in seen.ports_of(router)}
    return tuple(
        switch
        for switch in view.spec.interconnect.transit_switches.names
        if f"{name}-{switch}" in halves
        and seen.transit(switch) is not None
        and not of_router(seen, switch, ROUTER)
    )
