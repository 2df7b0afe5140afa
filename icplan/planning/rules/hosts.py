"""Rules about the host names of gateways over all zones. Nothing about a single zone's hosts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from icplan.kinds.common import zones
from icplan.planning.rules import left_out
from icplan.planning.rules.contract import Finding, Seen


def host_of_another_zone(seen: Seen) -> Iterator[Finding]:
    """A gateway's host name exists in another zone, too.

    Gateways enter the southbound databases of all other zones under their host names, and
    Kube-OVN from 1.14 on then deletes every chassis of that name, its own Node's included: that
    Node loses its network. Of zones that are left out, or that are registered without being in
    the file, the gateways are known that they have registered. Rename one of the two hosts before
    they meet.
    """
    hosts = _hosts(seen)
    for zone in zones.declared(seen.spec):
        for position, host in enumerate(zone.zone.gateway_nodes if zone.present else ()):
            for other, what in sorted(hosts.get(host, {}).items()):
                if other != zone.name:
                    yield Finding(
                        zone.name,
                        f"{host} is a gateway of {zone.name} and {what} of {other}",
                        "Rename one of the two hosts, or name another gateway.",
                        zone.origin(seen.spec, "gatewayNodes", position),
                    )


def _hosts(seen: Seen) -> Mapping[str, Mapping[str, str]]:
    """What a host name means in each zone; but for gateways that the file declares there.

    A gateway of two declared zones is found without looking at them.
    """
    found: dict[str, dict[str, str]] = {}

    def note(host: str, zone: str, what: str) -> None:
        found.setdefault(host, {}).setdefault(zone, what)

    for zone in zones.declared(seen.spec):
        gateways = {*zone.zone.gateway_nodes}
        cluster = seen.facts.clusters.get(zone.name)
        southbound = seen.facts.southbound.get(zone.name)
        for node in cluster.nodes if cluster else ():
            if node.name not in gateways:
                note(node.name, zone.name, "a Node")
        for chassis in southbound.local if southbound else ():
            if chassis.hostname not in gateways:
                note(chassis.hostname, zone.name, "a chassis")
    for name, declared, gateway in left_out.gateways(seen):
        if declared is None or gateway.hostname not in declared.zone.gateway_nodes:
            note(gateway.hostname, name, "a registered gateway")
    return found
