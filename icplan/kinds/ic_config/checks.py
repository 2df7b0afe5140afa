"""The evidence that a controller has done what its ConfigMap says, link by link."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from icplan.core.address import Address
from icplan.core.state import Declared, Desired, Observed, Present
from icplan.core.words import REPAIRED
from icplan.kinds.common import transit_evidence, zones
from icplan.kinds.common.commands import GATEWAY_SHOWS
from icplan.kinds.common.config_map import KEYS, data
from icplan.kinds.common.contract import MARK, Check, Held, Missing, Verdict, View
from icplan.kinds.common.controller import (
    config_address,
    controller_cure,
    needs,
    off_and_on_cure,
    restart,
    running,
    running_cure,
    trouble,
)
from icplan.kinds.common.cures import lost_ports
from icplan.kinds.common.cycle import exchanging_nothing, ports, taken_down
from icplan.kinds.common.evidence import in_cluster, in_zone, ovn_ic_cure, verdict
from icplan.kinds.common.gateways import rotated
from icplan.kinds.common.transit_address import fits, subnets
from icplan.kinds.common.transit_switches import needed
from icplan.kinds.common.transit_traffic import passing
from icplan.kinds.ic_config.effects import enabled
from icplan.kinds.ic_config.state import desired, observed
from icplan.kinds.ic_config.withdrawal import manual, residue
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import GATEWAY_LABEL, NAMESPACE, ROUTER, Cluster
from icplan.ovn.facts import Facts
from icplan.ovn.generation import Generation
from icplan.ovn.northbound import ADVERTISE, LEARN, Northbound
from icplan.spec.load import Spec


def checks(view: View) -> Iterator[Check]:
    """From the ConfigMap over the controller to the databases, or backwards when leaving."""
    # Once for all zones: each of the two goes through all of them.
    there, meant = observed(view), desired(view)
    for zone in zones.kube_ovn(view.spec):
        if not zone.present:
            yield from _leaving(view.spec, zone)
            yield residue(zone.name)
            continue
        yield running(view.spec, zone.name)
        yield _written(view, zone)
        config = config_address(zone.name)
        yield from _rebuilds(view, zone.name, there.get(config), meant.get(config))
        yield _named(view.spec, zone.name)
        yield _exchanging(view.spec, zone, automatic=zone.automatic(view.spec))
        if not zone.automatic(view.spec):
            yield from manual(zone.name)
        yield from (_labelled(view.spec, zone.name, host) for host in zone.zone.gateway_nodes)
        yield from _ports(view, zone)


def _written(view: View, zone: zones.DeclaredZone) -> Check:
    """The ConfigMap as written."""
    wanted = data(view.spec, zone)

    def test(cluster: Cluster) -> Verdict:
        found = cluster.config.data if cluster.config else {}
        wrong = [key for key in KEYS if found.get(key) != wanted[key]]
        return verdict(
            not wrong,
            f"{', '.join(wrong)} of ConfigMap {NAMESPACE}/ovn-ic-config of {zone.name} differs",
            REPAIRED,
        )

    return Check(
        config_address(zone.name),
        f"the ConfigMap of {zone.name} is as declared",
        needs(zone.name),
        in_cluster(zone.name, test),
        first=True,
    )


def _rebuilds(
    view: View, zone: str, was: Observed | None, wanted: Desired | None
) -> Iterator[Check]:
    """That what is planned has made the controller replace its ports, for each of the causes.

    Without this what was there before would be taken for what the controller has made of it.
    """
    if not isinstance(was, Present) or not isinstance(wanted, Declared):
        return
    if not enabled(was.attributes):
        return
    differing = {
        key for key, value in wanted.attributes.items() if was.attributes.get(key) != value
    }
    in_place = view.facts.clusters[zone].generation is not Generation.OLD
    if differing - {"gw-nodes"} or (differing and not in_place):
        yield _rebuilt(view.spec, zone, needs(zone), "")
    for switches in _switches_that_change(view):
        about = frozenset(address for name in switches for address in needed(name))
        yield _rebuilt(view.spec, zone, about, f" for {', '.join(switches)}")


def _switches_that_change(view: View) -> Iterator[tuple[str, ...]]:
    """Those that are about to be made, and those that are about to go; others' stay as they are."""
    ic = view.facts.ic_northbound
    if ic is None:
        return
    declared = view.spec.interconnect.transit_switches.names
    there = {one.name for one in ic.transit_switches}
    ours = {one.name for one in ic.transit_switches if one.external_ids.get(MARK) == view.owner}
    for names in ({*declared} - there, ours - {*declared}):
        if names:
            yield tuple(sorted(names))


def _port_uuids(northbound: Northbound) -> frozenset[str]:
    return frozenset(
        one.router_port.uuid
        for switch in northbound.switches
        if switch.transit_switch
        for one in of_router(northbound, switch.transit_switch, ROUTER)
    )


def _rebuilt(spec: Spec, zone: str, about: frozenset[Address], what: str) -> Check:
    def since(before: Facts) -> Callable[[Facts], Verdict]:
        there = before.northbound.get(zone)
        old = _port_uuids(there) if there is not None else frozenset[str]()
        return in_zone(
            zone,
            lambda seen: verdict(
                not old & _port_uuids(seen),
                f"{zone} still has its old ports on the transit switches",
                # No restart cures that: a controller keeps what it finds (docs/facts.md section 3).
                controller_cure(spec, zone),
            ),
        )

    return Check(
        config_address(zone),
        f"the controller of {zone} has rebuilt its ports{what}",
        about,
        lambda _: Held(),
        since=since,
    )


def _named(spec: Spec, zone: str) -> Check:
    return Check(
        config_address(zone),
        f"{zone} bears its name",
        needs(zone),
        in_zone(
            zone,
            lambda seen: verdict(
                seen.name == zone,
                f"NB_Global of {zone} has the name {seen.name or 'nobody'}",
                controller_cure(spec, zone),
            ),
        ),
    )


def _exchanging(spec: Spec, zone: zones.DeclaredZone, *, automatic: bool) -> Check:
    words = "exchanges routes" if automatic else "exchanges no routes by itself"

    def test(seen: Northbound) -> Verdict:
        on = [key for key in (ADVERTISE, LEARN) if seen.options.get(key) == "true"]
        return verdict(
            len(on) == (2 if automatic else 0),
            f"NB_Global of {zone.name} has {', '.join(on) or 'neither'} of {ADVERTISE}, {LEARN}",
            controller_cure(spec, zone.name),
        )

    return Check(
        config_address(zone.name),
        f"{zone.name} {words}",
        needs(zone.name),
        in_zone(zone.name, test),
    )


def _labelled(spec: Spec, zone: str, host: str) -> Check:
    def test(cluster: Cluster) -> Verdict:
        node = cluster.node(host)
        return verdict(
            node is not None and node.marked,
            f"Node {host} of {zone} has no label {GATEWAY_LABEL}=true",
            controller_cure(spec, zone),
        )

    return Check(
        config_address(zone),
        f"Node {host} of {zone} is marked as gateway",
        needs(zone),
        in_cluster(zone, test),
    )


def _ports(view: View, zone: zones.DeclaredZone) -> Iterator[Check]:
    """What is there for each gateway and on each transit switch."""
    name, hosts = zone.name, zone.zone.gateway_nodes
    own = config_address(name)
    for host in hosts:
        cure = (
            f"check that kube-ovn-cni and ovn-controller run on {host}, and that there "
            f"{GATEWAY_SHOWS} shows true"
        )
        yield transit_evidence.offered(own, name, host, needs(name), cure)
    switches = view.spec.interconnect.transit_switches
    # By name, as the controller counts them when it rotates (docs/facts.md section 4).
    for place, switch in enumerate(sorted(switches.names)):
        all_of_it = needs(name) | needed(switch)
        subnet = switches.subnet_of(switches.names.index(switch))
        yield _port(view, zone, switch, subnet, all_of_it)
        turned = rotated(hosts, place)
        yield _order(view.spec, name, switch, turned, all_of_it)
        yield passing(view.spec, zone, own, switch, all_of_it)
        yield transit_evidence.published(own, name, switch, all_of_it)
        yield transit_evidence.served(own, name, switch, turned, all_of_it)
        yield transit_evidence.preferred(
            own,
            name,
            switch,
            ROUTER,
            turned[0],
            all_of_it,
            awaited=_takes_over(view, name, switch, turned[0]),
        )


def serving(
    view: View, zone: str, order: tuple[str, ...], hosts: tuple[str, ...]
) -> tuple[Check, ...]:
    """That some gateways are there, in an order, and that those serve which come first in it.

    Args:
        view: the file and the facts.
        zone: the zone.
        order: all its gateways, the active one first.
        hosts: those that are asked for.
    """
    found: list[Check] = []
    own, about = config_address(zone), frozenset({config_address(zone)})
    for host in hosts:
        cure = controller_cure(view.spec, zone)
        found.append(transit_evidence.offered(own, zone, host, about, cure))
    for place, switch in enumerate(sorted(view.spec.interconnect.transit_switches.names)):
        turned = rotated(order, place)
        found.append(_order(view.spec, zone, switch, turned, about))
        found.append(transit_evidence.served(own, zone, switch, turned[:1], about))
    return tuple(found)


def _takes_over(view: View, zone: str, switch: str, host: str) -> bool:
    if view.facts.zone_unseen(zone) is not None:
        return False
    found = of_router(view.facts.northbound[zone], switch, ROUTER)
    return transit_evidence.takes_over(found, view.facts.southbound[zone], host)


def _port(
    view: View, declared: zones.DeclaredZone, switch: str, subnet: str, about: frozenset[Address]
) -> Check:
    zone = declared.name

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone)
        if unseen is not None:
            return unseen
        found = of_router(facts.northbound[zone], switch, ROUTER)
        if not found:
            cure = _no_port(view, declared, switch, facts)
            return Missing(f"{zone} has no port on {switch}", cure)
        networks = found[0].router_port.networks
        if all(any(fits(one, net) for one in networks) for net in subnets(subnet)):
            return Held()
        return Missing(
            f"the port of {zone} on {switch} has {', '.join(networks)}, outside of {subnet}",
            # A restarted controller keeps the ports that it finds (docs/facts.md section 3).
            off_and_on_cure(view.spec, zone),
        )

    return Check(config_address(zone), f"{zone} has its port on {switch}", about, test)


def _no_port(view: View, declared: zones.DeclaredZone, switch: str, facts: Facts) -> str:
    """What to do about a port that is not there: it depends on what else is, or is not."""
    zone, northbound = declared.name, facts.northbound[declared.name]
    cluster = facts.clusters.get(zone)
    if cluster is not None and trouble(cluster):
        return running_cure(view.spec, zone, cluster)
    told = cluster.config.data if cluster is not None and cluster.config is not None else {}
    wanted = data(view.spec, declared)
    if cluster is not None and any(told.get(key) != wanted[key] for key in KEYS):
        return REPAIRED
    if lost_ports(replace(view, facts=facts), zone):
        return REPAIRED
    if not ports(northbound):
        # Told of databases that do not answer, it takes everything down and then does nothing,
        # even if they answer again, until its pod is restarted (docs/facts.md section 3, measured).
        log = controller_cure(view.spec, zone)
        return f"{log}; if it says nothing any more, restart it: {restart(view.spec, zone)}"
    if northbound.transit(switch) is None:
        return ovn_ic_cure(zone)
    return controller_cure(view.spec, zone)


def _order(
    spec: Spec, zone: str, switch: str, wanted: tuple[str, ...], about: frozenset[Address]
) -> Check:
    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone)
        if unseen is not None:
            return unseen
        south = facts.southbound[zone]
        for one in of_router(facts.northbound[zone], switch, ROUTER):
            hosts = tuple(south.host_of(row.chassis) or row.chassis for row in one.gateways)
            return verdict(
                hosts == wanted,
                f"the gateways of {zone} on {switch} are {', '.join(hosts) or 'none'}, not "
                f"{', '.join(wanted)}",
                _not_in_order(spec, zone, facts),
            )
        return Missing(f"{zone} has no port on {switch}", controller_cure(spec, zone))

    return Check(
        config_address(zone),
        f"the gateways of {zone} on {switch} are in order",
        about,
        test,
    )


def _not_in_order(spec: Spec, zone: str, facts: Facts) -> str:
    """What to do about gateways in another order: it depends on the controller's generation.

    One that starts brings them in order if it is a newer one; an older one, which loses changes
    around its start, keeps the ports that it finds as they are (docs/facts.md section 3).
    """
    log, cluster = controller_cure(spec, zone), facts.clusters.get(zone)
    generation = cluster.generation if cluster is not None else Generation.UNKNOWN
    if generation is Generation.OLD:
        return f"{log}; if it says nothing of it, {off_and_on_cure(spec, zone)}"
    cure = f"{log}; if it says nothing of it, restart it: {restart(spec, zone)}"
    if generation is Generation.UNKNOWN:
        cure += f"; if that changes nothing, {off_and_on_cure(spec, zone)}"
    return cure


def _leaving(spec: Spec, declared: zones.DeclaredZone) -> Iterator[Check]:
    zone = declared.name
    yield taken_down(spec, zone)
    yield exchanging_nothing(spec, zone)
