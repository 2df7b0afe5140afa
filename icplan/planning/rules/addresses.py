"""Rules about transit subnets and the interconnection databases' own addresses."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.value import plain
from icplan.kinds.common import zones
from icplan.kinds.common.transit_address import capacity, fits, subnets
from icplan.kinds.common.transit_switches import SWITCH_KIND
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import ROUTER
from icplan.ovn.prefix import overlap
from icplan.ovn.routes import candidates
from icplan.planning.rules.contract import Finding, Seen
from icplan.planning.rules.offered import of_others
from icplan.spec.load import Spec
from icplan.spec.model import PlainOvnZone, ZoneState


def transit_subnets_overlap(spec: Spec) -> Iterator[Finding]:
    """Two transit switches have overlapping subnets.

    A next hop would belong to both, and ovn-ic 23.03 crashes on two equal ones. Give each switch
    a subnet of its own.
    """
    switches = spec.interconnect.transit_switches
    all_subnets = [
        (name, str(subnet))
        for index, name in enumerate(switches.names)
        for subnet in subnets(switches.subnet_of(index))
    ]
    for place, (name, subnet) in enumerate(all_subnets):
        for other, theirs in all_subnets[:place]:
            if overlap(subnet, theirs):
                yield Finding(
                    IC,
                    f"{subnet} of {name} overlaps {theirs} of {other}",
                    "Give each transit switch a subnet of its own.",
                    spec.origin("transitSwitches", "subnets"),
                )


def transit_subnet_used(seen: Seen) -> Iterator[Finding]:
    """A transit switch's subnet overlaps a prefix that a zone has.

    Hosts in that prefix, or the gateways themselves, would be unreachable. Choose other transit
    subnets with `transitSwitches.subnets`.
    """
    switches = seen.spec.interconnect.transit_switches
    had = [
        (zone.name, one.prefix, one.source)
        for zone in zones.seen(seen.view)
        if zone.router is not None and zone.declared.present
        for one in candidates(zone.northbound, zone.router)
    ]
    had += [(one.zone, one.prefix, one.source) for one in of_others(seen)]
    for zone, prefix, source in had:
        for index, name in enumerate(switches.names):
            for subnet in subnets(switches.subnet_of(index)):
                if overlap(str(subnet), prefix):
                    yield Finding(
                        zone,
                        f"{subnet} of {name} overlaps {prefix} of {zone} ({source})",
                        "Choose other subnets with transitSwitches.subnets.",
                        seen.spec.origin("transitSwitches"),
                    )


def ports_left_outside(seen: Seen) -> Iterator[Finding]:
    """A transit switch would get another subnet while a cluster has a port on it.

    Kube-OVN's controller looks at the names of the switches and at nothing else (read in its
    source): its ports keep their addresses. The next rebuild of one zone, whenever it comes, then
    puts that zone alone on the new subnet, where it reaches nobody. Take the zones out first,
    change the subnet, and let them join again.
    """
    for change in seen.changes:
        if change.address.kind != SWITCH_KIND or "subnet" not in change.differing:
            continue
        if change.before is None or change.after is None:
            continue
        switch, wanted = change.address.name, str(plain(change.after, "subnet"))
        for zone in zones.kube_ovn(seen.spec):
            there = _networks(seen, zone.name, switch) if zone.present else ()
            if not there or all(any(fits(one, net) for one in there) for net in subnets(wanted)):
                continue
            yield Finding(
                zone.name,
                f"the port of {zone.name} on {switch} has {', '.join(there)}, and its controller "
                f"does not move it to {wanted}",
                "Take the zones out first with `state: absent`, then change the subnet, then let "
                "them join again.",
                change.origin,
            )


def _networks(seen: Seen, zone: str, switch: str) -> tuple[str, ...]:
    """A cluster's addresses on a switch: by its own database, or what it has published."""
    northbound = seen.facts.northbound.get(zone)
    if northbound is not None:
        ports = (one.router_port for one in of_router(northbound, switch, ROUTER))
        return tuple(net for port in ports for net in port.networks)
    ic = seen.facts.ic_southbound
    published = ic.ports if ic else ()
    return tuple(
        net
        for port in published
        if port.zone == zone and port.transit_switch == switch
        for net in port.networks
    )


def too_many_zones(spec: Spec) -> Iterator[Finding]:
    """A transit switch's subnet has too few addresses for the zones.

    Kube-OVN draws addresses from the lower half and icplan from the upper one, so a /24 serves
    128 zones at most. Declare larger subnets.
    """
    zones_present = sum(
        zone.state is ZoneState.PRESENT for zone in spec.interconnect.availability_zones
    )
    switches = spec.interconnect.transit_switches
    for index, name in enumerate(switches.names):
        for subnet in subnets(switches.subnet_of(index)):
            room = max(capacity(subnet), 0)
            if zones_present > room:
                yield Finding(
                    IC,
                    f"{zones_present} zones do not fit into {subnet} of {name}: room for {room}",
                    "Declare larger subnets with transitSwitches.subnets.",
                    spec.origin("transitSwitches"),
                )


def even_raft(spec: Spec) -> Iterator[Finding]:
    """The interconnection databases have an even number of hosts.

    A raft cluster needs a majority: the second or fourth host adds a way to fail, and no safety.
    Declare one host, or an odd number from three.
    """
    hosts = spec.interconnect.ic_database.hosts
    if len(hosts) % 2 == 0:
        yield Finding(
            IC,
            f"{len(hosts)} hosts cannot form a raft cluster that survives a failure",
            "Declare one host, or an odd number from three.",
            spec.origin("icDatabase", "hosts"),
        )


def repeated_host(spec: Spec) -> Iterator[Finding]:
    """A host of the interconnection databases appears twice.

    Every member of the cluster needs an address of its own.
    """
    hosts = spec.interconnect.ic_database.hosts
    for index, host in enumerate(hosts):
        if host in hosts[:index]:
            yield Finding(
                IC,
                f"the host {host} is declared twice",
                "Remove one of the two.",
                spec.origin("icDatabase", "hosts", index),
            )


def unencrypted(spec: Spec) -> Iterator[Finding]:
    """The interconnection databases are reached without encryption.

    Kube-OVN dials them by plain TCP, and they know no access control: whoever reaches the two
    ports can reroute every zone. Close them for all but the zones' gateways and icplan.
    """
    database = spec.interconnect.ic_database
    open_hosts = [one for one in database.hosts if not ipaddress.ip_address(one).is_loopback]
    if open_hosts:
        yield Finding(
            IC,
            f"{', '.join(open_hosts)}: ports {database.northbound_port} and "
            f"{database.southbound_port} speak plain TCP without access control",
            "Let only the zones' ovn-ic and icplan reach them.",
            spec.origin("icDatabase", "hosts"),
        )


def repeated_server(spec: Spec) -> Iterator[Finding]:
    """One server is named for two databases.

    Copied from another zone and not changed: both zones would be written into one database, or a
    zone's database looked for where the interconnection's is. Every zone has its own servers.
    """
    database = spec.interconnect.ic_database
    owners = {
        f"tcp:{host}:{port}": f"the {name} database of icDatabase"
        for host in map(_bracketed, database.hosts)
        for name, port in (
            ("northbound", database.northbound_port),
            ("southbound", database.southbound_port),
        )
    }
    zones_by_name = sorted(
        enumerate(spec.interconnect.availability_zones), key=lambda one: one[1].name
    )
    for index, zone in zones_by_name:
        if not isinstance(zone, PlainOvnZone):
            continue
        for key, remotes in (("northbound", zone.northbound), ("southbound", zone.southbound)):
            for position, remote in enumerate(remotes):
                # One server may hold both databases of a zone, but never those of two zones.
                what = f"the {key} database of {zone.name}"
                other = owners.setdefault(str(remote), what)
                if not other.endswith(f" of {zone.name}"):
                    yield Finding(
                        zone.name,
                        f"{remote} is given for {what}, and for {other}",
                        "Give each database the address of its own server.",
                        spec.access_origin(index, key, position),
                    )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
