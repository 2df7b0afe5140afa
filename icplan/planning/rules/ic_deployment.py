"""Rules about a cluster that is to run the IC databases. Nothing about the switches in them."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.change import Action
from icplan.core.commands import shown
from icplan.kinds.common import zones
from icplan.kinds.common.commands import in_namespace, kubectl
from icplan.kinds.common.ic_server import (
    deployed,
    deployed_in,
    deployment_address,
    members_today,
    members_wanted,
    titled,
)
from icplan.kinds.common.transit_address import bare
from icplan.ovn.cluster import IC_SERVER, MASTER, Node
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.load import Spec
from icplan.spec.model import KubeOvnZone

PORTS = (6645, 6646)
"""Where Kube-OVN's image lets the IC databases listen; nothing sets others (read in its source)."""
_LABEL = "=".join(MASTER)


def no_cluster(spec: Spec) -> Iterator[Finding]:
    """The zone that is to run the IC databases is no Kubernetes cluster.

    A Deployment needs one, and of the zones in the file only Kube-OVN's have one. Name such a
    zone, or let the databases run on hosts with another runtime.
    """
    name = deployed_in(spec)
    for zone in spec.interconnect.availability_zones:
        if zone.name == name and not isinstance(zone, KubeOvnZone):
            yield Finding(
                zone.name,
                f"the IC databases cannot run in {zone.name}: it is no Kube-OVN zone",
                "Name a Kube-OVN zone, or use runtime docker or containerd.",
                spec.origin("icDatabase", "deployment", "zone"),
            )


def other_ports(spec: Spec) -> Iterator[Finding]:
    """The IC databases are to listen at ports that Kube-OVN's Deployment does not know.

    The image's start script and the leader check in it name 6645 and 6646, and no variable
    changes them. Leave both ports out, or let the databases run without that Deployment.
    """
    database = spec.interconnect.ic_database
    for key, found, port in (
        ("northboundPort", database.northbound_port, PORTS[0]),
        ("southboundPort", database.southbound_port, PORTS[1]),
    ):
        if deployed_in(spec) is not None and found != port:
            yield Finding(
                IC,
                f"with runtime kubernetes {key} is {port}, not {found}",
                f"Remove {key}.",
                spec.origin("icDatabase", key),
            )


def hosts_unlike_masters(seen: Seen) -> Iterator[Finding]:
    """The hosts of the IC databases are not the nodes that would run them.

    The Deployment has one pod on each Node with the label kube-ovn/role=master, and each listens
    at the address that its Node lists first as InternalIP, and at no other. What stands in
    `hosts` is what all zones dial. Make the two the same.
    """
    zone = deployed(seen.view)
    if zone is None or seen.spec.destroyed:
        return
    masters = zone.cluster.masters
    origin = seen.spec.origin("icDatabase", "hosts")
    label = f"{kubectl(seen.spec, zone.name)} label node NODE {_LABEL}"
    if not masters:
        yield Finding(
            zone.name,
            f"no Node of {zone.name} has the label {_LABEL}, which says where the IC databases run",
            f"Label one, or an odd number from three: {shown(label)}, with the name of a Node.",
            origin,
        )
        return
    hosts = dict.fromkeys(map(bare, seen.spec.interconnect.ic_database.hosts))
    wanted = members_wanted(seen.spec, zone.cluster)
    parts = [_unlike(host, masters) for host in hosts if host not in wanted]
    parts += [
        f"{one.name} with {one.primary or 'no InternalIP'} is a master and no host"
        for one in masters
        if bare(one.primary) not in hosts
    ]
    if not parts:
        return
    even = len(masters) % 2 == 0
    unlabel = f"{kubectl(seen.spec, zone.name)} label node NODE {MASTER[0]}-"
    yield Finding(
        zone.name,
        f"icDatabase.hosts are not the masters of {zone.name}: {'; '.join(parts)}",
        f"Label one Node more ({shown(label)}) or one less ({shown(unlabel)}): {len(masters)} "
        "members would survive no more failures than one less. Then write the addresses of all of "
        "them as `hosts`."
        if even
        else f"Write `hosts: [{', '.join(wanted)}]`; or give the label to the Nodes that have "
        f"these addresses, {shown(label)}, and take it from the others, {shown(unlabel)}.",
        origin,
    )


def _unlike(host: str, masters: tuple[Node, ...]) -> str:
    for one in masters:
        if host in map(bare, one.addresses):
            return f"{host} is not what {one.name} lists first: that is {one.primary}"
    return f"{host} is the address of none"


def majority_lost(seen: Seen) -> Iterator[Finding]:
    """Too many members of the IC databases would be replaced at once.

    What they hold is where most of them are. With fewer than that nothing can be read or written
    any more, and with none of them the databases begin anew. Replace one member at a time: after
    each, remove the old one from both rafts with `ovn-appctl … cluster/kick`.
    """
    zone = deployed(seen.view)
    before = members_today(zone.cluster) if zone else ()
    if zone is None or not before or seen.spec.destroyed:
        return
    after = members_wanted(seen.spec, zone.cluster)
    staying = [one for one in before if one in after]
    if after and len(staying) <= len(before) // 2:
        stay = f"only {', '.join(staying)}" if staying else "none"
        yield Finding(
            zone.name,
            f"the IC databases in {zone.name} would lose what they hold: their members are "
            f"{', '.join(before)} today, and by the label {_LABEL} would be {', '.join(after)}; of "
            f"those of today {stay} would stay, and more than half must",
            _keeping(seen, zone, before),
            seen.spec.origin("icDatabase", "deployment"),
        )


def _keeping(seen: Seen, zone: zones.SeenCluster, before: tuple[str, ...]) -> str:
    """How the members of before stay, and what there is to do when that cannot be."""
    runs = {bare(one.primary): one for one in zone.cluster.nodes if one.primary}
    unlabelled = [runs[one].name for one in before if one in runs and not runs[one].master]
    if not unlabelled:
        anew = f"{in_namespace(seen.spec, zone.name)} delete deployment {IC_SERVER}"
        return (
            f"No other Node of {zone.name} has an address of these members. Wait until their Nodes "
            "are back; if they never will be, what the databases held is lost, and others begin "
            f"empty, which rebuilds every zone: {shown(anew)}, then plan again."
        )
    label = f"{kubectl(seen.spec, zone.name)} label node {' '.join(unlabelled)} {_LABEL}"
    return (
        f"Label again what runs them today, {shown(label)}, and write `hosts: "
        f"[{', '.join(before)}]`. To move them, go by way of three or more members, and replace "
        "fewer than half of them in one apply."
    )


def run_by_others(seen: Seen) -> Iterator[Finding]:
    """The IC databases are there already, and what runs them is not the Deployment.

    A second process on the same hosts finds their ports taken, and has files of its own, with
    nothing in them. Take `deployment` out of the file, or end the other process first.
    """
    for change in seen.changes:
        if change.address != deployment_address() or change.action is not Action.CREATE:
            continue
        if not seen.facts.ic_absent and seen.facts.ic_unseen() is None:
            zone = deployed_in(seen.spec) or ""
            hosts = ", ".join(seen.spec.interconnect.ic_database.hosts)
            yield Finding(
                IC,
                f"IC databases answer at {hosts}, and there is no {titled(zone)}: somebody else "
                "runs them",
                "Remove `deployment`: icplan then uses what runs there. Or end it first: the new "
                "databases begin empty, and every zone is rebuilt.",
                change.origin,
            )
