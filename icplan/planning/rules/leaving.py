"""Rules about zones that are no more, and about taking everything apart."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.change import Reason
from icplan.core.commands import shown
from icplan.core.words import listed
from icplan.kinds import switch_copy
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.transit_switches import undeclared
from icplan.kinds.transit_port.state import in_the_way as ports_in_the_way
from icplan.ovn.interconnect import IcSouthbound
from icplan.ovn.northbound import ADVERTISE, SwitchPort
from icplan.planning import by_hand
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.load import Spec


def alive(seen: Seen) -> Iterator[Finding]:
    """A zone that is declared gone is alive: another entry of the file reaches it.

    Its databases bear the name that is declared gone, so its ovn-ic, or its controller, registers
    everything again as soon as it is taken away. A zone that is to be renamed needs no entry for
    its former name: a cluster's controller takes those rows away itself, and a plain zone leaves
    first, under that name.
    """
    for name, origin in zones.gone(seen.spec).items():
        for zone in zones.seen(seen.view):
            if zone.northbound.name == name:
                yield Finding(
                    name,
                    f"{name} is declared gone, and {zone.name} bears that name in its own "
                    "databases: it is alive",
                    f"Take the entry of {name} out of the file; if it is to leave, declare it "
                    "with its access and `state: absent`.",
                    origin,
                )


def living_host(seen: Seen) -> Iterator[Finding]:
    """A gateway of a zone that is declared gone is a host of a zone that lives.

    So it is when a zone was given another name while its ovn-ic did not run: the rows of the
    former one are to go, as the host cannot be registered twice. If it was no renaming, see that
    the zone is really no more.
    """
    ic = seen.facts.ic_southbound or IcSouthbound((), (), (), ())
    for name, origin in zones.gone(seen.spec).items():
        registered = {one.name: one.hostname for one in ic.gateways if one.zone == name}
        for zone in zones.seen(seen.view):
            own = {one.name for one in zone.southbound.local}
            hosts = sorted(host for chassis, host in registered.items() if chassis in own)
            if hosts:
                one = len(hosts) == 1
                are = "its gateway, is a host" if one else "its gateways, are hosts"
                yield Finding(
                    name,
                    f"{name} is declared gone, and {listed(hosts)}, registered as {are} of "
                    f"{zone.name}",
                    f"Go on if {zone.name} was called {name} before. Else {name} may be alive: "
                    f"see which cluster {'that host belongs' if one else 'those hosts belong'} to "
                    f"before you apply this.",
                    origin,
                )


def routes_to_the_gone(seen: Seen) -> Iterator[Finding]:
    """A route that somebody made by hand leads to a zone that is declared gone.

    ovn-ic takes away what it made, and never what somebody else did. Delete the route, or lead it
    to another zone.
    """
    ic = seen.facts.ic_southbound or IcSouthbound((), (), (), ())
    gone = zones.gone(seen.spec)
    hops = {
        bare(network): port.zone
        for port in ic.ports
        if port.zone in gone
        for network in port.networks
    }
    routers = {zone.name: zone for zone in zones.declared(seen.spec)}
    for zone, route in by_hand.routes(seen.facts) if hops else ():
        if (to := hops.get(bare(route.nexthop))) is None or zone not in routers:
            continue
        words = ("lr-route-del", routers[zone].router, route.prefix, route.nexthop)
        yield Finding(
            zone,
            f"{route.prefix} over {route.nexthop}, by hand in {zone}, leads to {to}, which is gone",
            f"Delete it: {shown(ovn(seen.spec, routers[zone], 'ovn-nbctl', *words))}.",
            gone[to],
        )


def still_used(seen: Seen) -> Iterator[Finding]:
    """All is to be taken apart, and a zone is registered that is not in the file.

    It uses the transit switches and the interconnection databases, too, and would be cut off from
    everybody without having left. Declare it, so that it is taken out first; with `state: gone`
    if its cluster no longer exists.
    """
    shared = [
        one for one in seen.changes if one.address.site == IC and one.reason is Reason.DESTROYED
    ]
    for name in undeclared(seen.view) if shared else ():
        yield Finding(
            IC,
            f"{name} is registered, but not in the file, and uses what is to be taken apart",
            f"Declare {name} with its access and `state: absent`, or, if its cluster is no more, "
            f"add `- {{name: {name}, state: gone}}` to `availabilityZones`.",
        )


def in_the_way(seen: Seen) -> Iterator[Finding]:
    """A zone is to leave, and somebody else's port on a transit switch keeps it registered.

    icplan takes away the ports that this file declares or has made, and nothing that somebody else
    made for himself. Yet ovn-ic registers every port of the zone on a transit switch, and without
    its name the zone would leave that behind for ever. Delete the port once the zone advertises
    nothing any more: what is advertised over a port on a switch where the zone has no other one
    stays registered when the port goes first (measured with OVN 23.03.1).
    """
    for zone in zones.seen_plain(seen.view):
        if zone.declared.present or zone.northbound.name != zone.name:
            continue
        for switch, port in ports_in_the_way(seen.view, zone):
            yield Finding(
                zone.name,
                f"{zone.name} also has port {port.name} on {switch}, which is not of this file: "
                f"{zone.name} stays registered as long as it is there",
                _taken_away(seen.spec, zone, port),
                zone.declared.origin(seen.spec, "state"),
            )


def _taken_away(spec: Spec, zone: zones.SeenZone, port: SwitchPort) -> str:
    """How a port and its router's half are taken away, and what goes before."""
    words = ["lsp-del", port.name]
    if zone.northbound.router_port(port.router_port) is not None:
        words += ["--", "lrp-del", port.router_port]
    deleted = ovn(spec, zone.declared, "ovn-nbctl", *words)
    if zone.northbound.options.get(ADVERTISE) != "true":
        return f"Take it away first: {shown(deleted)}"
    silent = ovn(spec, zone.declared, "ovn-nbctl", "remove", "NB_Global", ".", "options", ADVERTISE)
    return (
        f"Take it away first, and before it what {zone.name} advertises to all others, or that "
        f"stays registered: {shown(f'{silent} && sleep 5 && {deleted}')}"
    )


def kept_switch(seen: Seen) -> Iterator[Finding]:
    """A zone's copy of a transit switch stays, as somebody has put a port of his own on it.

    icplan takes away what ovn-ic has made, and nothing that somebody else uses. Delete the port,
    or the switch with it.
    """
    for zone, switch in switch_copy.kept(seen.view):
        yield Finding(
            zone.name,
            f"switch {switch.name} of {zone.name} stays: somebody has put a port of his own on it",
            f"If nobody needs it, delete it: "
            f"{shown(ovn(seen.spec, zone.declared, 'ovn-nbctl', 'ls-del', switch.name))}.",
            zone.declared.origin(seen.spec, "name"),
        )
