"""Rules about Kube-OVN zones: their controller, Nodes, Subnets and ConfigMap. Nothing of OVN."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Change
from icplan.core.commands import shown
from icplan.core.words import accepting, there_are
from icplan.kinds import dangling_port, learned_route, subnet_advertisement, switch_copy
from icplan.kinds.common import zones
from icplan.kinds.common.commands import kubectl
from icplan.kinds.common.config_map import unknown
from icplan.kinds.common.controller import (
    CONFIG_KIND,
    described,
    may_be,
    off_and_on_cure,
    running_cure,
    trouble,
)
from icplan.kinds.common.transit_switches import COUNT_KIND, SWITCH_KIND
from icplan.kinds.common.waivers import STALE_DENIAL, UNKNOWN_KEY, accepted
from icplan.kinds.common.withheld import by_others, entries, stale_denials
from icplan.kinds.ic_config.effects import enabled
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import CONFIG, NAMESPACE, ROUTER
from icplan.ovn.generation import Generation
from icplan.ovn.prefix import network
from icplan.planning.rules.contract import Finding, Seen
from icplan.planning.rules.vpcs import NOT_THERE, in_another_vpc, of_other_vpcs
from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, KubeOvnZone, RoutePolicy

GATEWAYS_KEY = "gw-nodes"


def no_way_through(spec: Spec) -> Iterator[Finding]:
    """The IC databases are to be reached through what is no Kube-OVN zone.

    `reach: {through: ZONE}` executes a command in a pod of that zone; a plain OVN zone has none.
    Name a Kube-OVN zone, or remove `reach` and let the machine that runs icplan reach the hosts.
    """
    reach = spec.interconnect.ic_database.reach
    if reach is None:
        return
    for zone in spec.interconnect.availability_zones:
        if zone.name == reach.through and not isinstance(zone, KubeOvnZone):
            yield Finding(
                zone.name,
                f"the IC databases cannot be reached through {zone.name}: it is no Kube-OVN zone",
                "Name a Kube-OVN zone, or remove `reach`.",
                spec.origin("icDatabase", "reach", "through"),
            )


def withheld_in_vain(spec: Spec) -> Iterator[Finding]:
    """A zone withholds subnets, and advertises none at all.

    With `routePolicy: manual` nothing is advertised by itself, so there is nothing to withhold;
    the entry only keeps other zones from asking for the subnet. Remove it if that is not meant.
    """
    interconnect = spec.interconnect
    for index, zone in enumerate(interconnect.availability_zones):
        if isinstance(zone, GoneZone) or not zone.withhold:
            continue
        if (zone.route_policy or interconnect.route_policy) is RoutePolicy.MANUAL:
            yield Finding(
                zone.name,
                f"{zone.name} has routePolicy manual and advertises nothing: `withhold` hides "
                "nothing more",
                "Remove `withhold` there, or let the zone advertise with routePolicy auto.",
                spec.origin("availabilityZones", index, "withhold"),
            )


def controller_not_running(seen: Seen) -> Iterator[Finding]:
    """A zone is to be written, and nobody there would carry it out.

    Kube-OVN's interconnection controller polls the ConfigMap; without exactly one that runs, a
    change would take effect some day, and a deletion would leave everything behind. It is there
    only when Kube-OVN is installed with ENABLE_IC=true; before 1.11 kube-ovn-controller does its
    work. The same is looked at again right before each write.
    """
    touched = {one.address.site for one in seen.changes if not _needs_nobody(one)}
    switches = any(one.address.kind in {SWITCH_KIND, COUNT_KIND} for one in seen.changes)
    for zone in zones.clusters(seen.view):
        joined = zone.cluster.config is not None
        why = trouble(zone.cluster)
        if why and (zone.name in touched or (switches and joined)):
            cure = running_cure(seen.spec, zone.name, zone.cluster)
            yield Finding(
                zone.name,
                f"the controller of {zone.name} does not run: {why}",
                f"{cure[0].upper()}{cure[1:]}",
                zone.declared.origin(seen.spec, "name"),
            )


def _needs_nobody(change: Change) -> bool:
    """Whether it needs no controller: done once a zone is out, or to what it has forgotten."""
    if change.address.kind in {learned_route.NAME, dangling_port.NAME, switch_copy.NAME}:
        return True
    subnet = change.address.kind == subnet_advertisement.NAME
    return subnet and subnet_advertisement.takes_away(change)


def node_missing(seen: Seen) -> Iterator[Finding]:
    """A gateway is no Node of its cluster.

    The controller labels the Nodes that `gw-nodes` names; one that does not exist stops it at the
    first one that it does not find. Correct the name.
    """
    for zone in zones.clusters(seen.view):
        if not zone.declared.present:
            continue
        names = [one.name for one in zone.cluster.nodes]
        for position, host in enumerate(zone.declared.zone.gateway_nodes):
            if zone.cluster.node(host) is None:
                yield Finding(
                    zone.name,
                    f"{host} is no Node of {zone.name} ({there_are(host, names)})",
                    f"Correct the name; {shown(f'{kubectl(seen.spec, zone.name)} get nodes')} "
                    "lists them.",
                    zone.declared.origin(seen.spec, "gatewayNodes", position),
                )


def gateways_rebuild(seen: Seen) -> Iterator[Finding]:
    """A change of gateways will, or may, be an outage because of the controller's version.

    Before Kube-OVN 1.15.24 and 1.16.3 the controller cannot change gateways in place: it takes
    the zone down and builds it again. Of a controller whose image has no version for a tag, the
    harm of both is to be expected. Update Kube-OVN, or choose a quiet hour. Where the zone is
    switched off there is nothing to take down.
    """
    for change in seen.changes:
        if change.address.kind != CONFIG_KIND or GATEWAYS_KEY not in change.differing:
            continue
        if not enabled(change.before) or change.after is None:
            continue
        zone = zones.find_cluster(seen.view, change.address.site)
        if not may_be(zone.cluster, Generation.OLD):
            continue
        certain = zone.cluster.generation is Generation.OLD
        yield Finding(
            zone.name,
            f"{described(zone.cluster)} {'cannot' if certain else 'may be unable to'} change "
            f"the gateways of {zone.name} in place",
            "Update Kube-OVN there first, or let it happen in a quiet hour.",
            change.origin,
        )


def unknown_keys(seen: Seen) -> Iterator[Finding]:
    """The ConfigMap has keys that no controller knows.

    Most often a known key that is misspelt. Taking it out makes the controller rebuild the zone,
    which is an outage of seconds; accepted, it stays as it is.
    """
    for zone in zones.clusters(seen.view):
        config = zone.cluster.config
        if config is None or not zone.declared.present or not (keys := unknown(config)):
            continue
        kept = accepted(seen.view, UNKNOWN_KEY, zone.name)
        where = f"ConfigMap {NAMESPACE}/{CONFIG} of {zone.name}"
        end = "stays there" if kept else "is taken out"
        if len(keys) > 1:
            end = "stay there" if kept else "are taken out"
        mean = "means" if len(keys) == 1 else "mean"
        yield Finding(
            zone.name,
            f"{', '.join(keys)} of {where} {mean} nothing to the controller, and {end}",
            f"Nothing to do if {zone.name} may be rebuilt; {accepting(UNKNOWN_KEY, zone.name)} to "
            "keep it without that outage.",
            zone.declared.origin(seen.spec, "name"),
        )


def stale_denial(seen: Seen) -> Iterator[Finding]:
    """A controller denies what nothing withholds any more.

    Newer controllers never take an entry off the denylist that overlaps a subnet of their own
    zone (measured), so a subnet that was withheld once stays withheld. Only switching the zone
    off and on again makes it forget, an outage of seconds; accepted, it stays denied.
    """
    for zone in zones.clusters(seen.view):
        stale = ", ".join(stale_denials(seen.view, zone.name))
        if not stale:
            continue
        accepted_there = accepted(seen.view, STALE_DENIAL, zone.name)
        yield Finding(
            zone.name,
            f"{stale} of {zone.name} stays denied until {zone.name} is switched off and on again"
            if accepted_there
            else f"{stale} of {zone.name} is denied although nothing withholds it: {zone.name} "
            "is switched off and on again, so that its controller forgets it",
            f"Nothing to do if {zone.name} may be rebuilt now; "
            f"{accepting(STALE_DENIAL, zone.name)} to put it off.",
            zone.declared.origin(seen.spec, "withhold"),
        )


def network_address(seen: Seen) -> Iterator[Finding]:
    """A controller has drawn the first address of a transit subnet.

    It is the address of the subnet itself, such as 169.254.100.0; OVN forwards to it, other
    routers and tools may not. Switching the zone off and on again draws another one.
    """
    for zone in zones.seen(seen.view):
        if not zone.declared.kube_ovn or not zone.declared.present:
            continue
        for switch in seen.spec.interconnect.transit_switches.names:
            for one in of_router(zone.northbound, switch, ROUTER):
                for address in one.router_port.networks:
                    if address.partition("/")[0] == str(network(address).network_address):
                        yield Finding(
                            zone.name,
                            f"the port of {zone.name} on {switch} has the subnet's own address, "
                            f"{address}",
                            "Nothing to do: it works with OVN. To draw another one, "
                            f"{off_and_on_cure(seen.spec, zone.name)}.",
                            zone.declared.origin(seen.spec, "name"),
                        )


def no_whole_subnet(seen: Seen) -> Iterator[Finding]:
    """An entry of `withhold` means no whole Subnet.

    In a Kube-OVN zone only whole Subnets of the default VPC can be withheld: it is a field of the
    Subnet. Those of other VPCs are not interconnected at all. Write a Subnet's name, or a CIDR
    that contains it.
    """
    for zone in zones.clusters(seen.view):
        if not zone.declared.present:
            continue
        wanted = zone.declared.zone.withhold
        names = [one.name for one in zone.cluster.subnets if one.interconnected]
        for wrong in entries(zone.cluster, wanted)[1]:
            origin = zone.declared.origin(seen.spec, "withhold", wanted.index(wrong.entry))
            if elsewhere := () if wrong.cut else of_other_vpcs(zone.cluster, wrong.entry):
                yield Finding(
                    zone.name, in_another_vpc(zone.name, wrong.entry, elsewhere), NOT_THERE, origin
                )
                continue
            yield Finding(
                zone.name,
                f"{wrong.entry} is only a part of Subnet {', '.join(wrong.cut)} of {zone.name}"
                if wrong.cut
                else f"{zone.name} has no Subnet {wrong.entry} in its default VPC "
                f"({there_are(wrong.entry, names)})",
                "Withhold whole Subnets: write the name, or a CIDR that contains it.",
                origin,
            )


def withheld_by_others(seen: Seen) -> Iterator[Finding]:
    """A Subnet is withheld by somebody else.

    Its field disableInterConnection is true, and neither this file nor its mark says so. icplan
    leaves it alone; add it to `withhold`, or set the field to false by hand. A newer controller
    goes on denying it then, until the zone is switched off and on (measured).
    """
    for zone in zones.clusters(seen.view):
        if not zone.declared.present:
            continue
        sticky = ""
        if may_be(zone.cluster, Generation.NEW) and zone.declared.automatic(seen.spec):
            sticky = (
                f", and switch {zone.name} off and on: its controller keeps denying it until then "
                "(icplan plan shows that cure once the field is false)"
            )
        cluster = kubectl(seen.spec, zone.name)
        for subnet in by_others(seen.view, zone):
            patch = """--type merge -p '{"spec":{"disableInterConnection":false}}'"""
            given_back = shown(f"{cluster} patch subnet {subnet.name} {patch}")
            yield Finding(
                zone.name,
                f"Subnet {subnet.name} of {zone.name} ({', '.join(subnet.blocks)}) is withheld, "
                "but not by this file",
                f"Add it to `withhold`, or let it be advertised: {given_back}{sticky}.",
                zone.declared.origin(seen.spec, "name"),
            )
