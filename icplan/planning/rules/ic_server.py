"""Rules about Kube-OVN's Deployment that runs the IC databases and makes the transit switches."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.commands import shown
from icplan.core.kubernetes import at
from icplan.kinds import switch_count
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ic_northbound, in_namespace
from icplan.kinds.common.ic_server import cure, deployed_in, titled, trouble
from icplan.kinds.common.transit_switches import count_address, numbered, running
from icplan.ovn.cluster import IC_SERVER, SWITCH_NUMBER
from icplan.ovn.prefix import family, normal
from icplan.ovn.subnets import is_prefix
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.model import Family, TransitSwitches


def other_subnets(seen: Seen) -> Iterator[Finding]:
    """The file wants transit subnets that Kube-OVN's Deployment does not make.

    It gives a switch its subnet when it makes it: 169.254.100.0/24, fe80:a9fe:64::/112 or both,
    counting up, after the addresses that its pod has, and the file cannot change that. Declare
    what it makes, or let the IC databases run without that Deployment.
    """
    zone = switch_count.server(seen.view)
    if zone is None:
        return
    switches = seen.spec.interconnect.transit_switches
    made = (
        {one.name: one for one in seen.facts.ic_northbound.transit_switches}
        if (seen.facts.ic_northbound)
        else {}
    )
    to_come = _family(zone)
    for index, name in enumerate(switches.names):
        wanted = switches.subnet_of(index)
        if name in made:
            subnet = made[name].external_ids.get("subnet", "")
            what = f"{name} has the subnet {subnet or '(none)'}, which {titled(zone.name)} gave it"
        elif to_come is not None:
            subnet = TransitSwitches(count=index + 1, family=to_come).subnet_of(index)
            what = f"{titled(zone.name)} would make {name} with the subnet {subnet}"
        else:
            continue
        if _networks(subnet) != _networks(wanted):
            yield Finding(
                IC,
                f"{what}; the file wants {wanted}",
                "Write the `family` and the `subnets` that it makes, or leave both out.",
                seen.spec.origin("transitSwitches", "subnets" if switches.subnets else "family"),
            )


def _networks(subnets: str) -> list[str]:
    return sorted(normal(one) for one in subnets.split(","))


def _family(zone: zones.SeenCluster) -> Family | None:
    """The family of the switches to come; None when the Nodes do not agree.

    It follows from the addresses of the pod, which are those of its Node (read in Kube-OVN's
    source).
    """
    found = {
        frozenset(family(address) for address in one.addresses if is_prefix(address))
        for one in zone.cluster.nodes
    }
    families = {
        frozenset({4}): Family.IPV4,
        frozenset({6}): Family.IPV6,
        frozenset({4, 6}): Family.DUAL,
    }
    return families.get(next(iter(found))) if len(found) == 1 else None


def several(seen: Seen) -> Iterator[Finding]:
    """Two clusters run IC databases.

    There is one pair of them, and each of these Deployments makes transit switches in its own. It
    is not clear which pair the file means. Delete the Deployment in all clusters but one.
    """
    found = {one.name for one in running(seen.view)}
    declared = deployed_in(seen.spec)
    names = sorted(found | ({declared} if declared else set()))
    if len(names) > 1 and found:
        listed = ", ".join(map(titled, names[:-1]))
        do = "both run" if len(found) > 1 else "would both run"
        commands = {
            one: shown(f"{in_namespace(seen.spec, one)} delete deployment {IC_SERVER}")
            for one in sorted(found)
        }
        deletions = "; ".join(f"that of {one}: {command}" for one, command in commands.items())
        yield Finding(
            IC,
            f"{listed} and {titled(names[-1])} {do} IC databases",
            "Keep the one whose databases stand in `icDatabase`, and delete the other; "
            f"{deletions}.",
            seen.spec.origin("icDatabase", "hosts"),
        )


def foreign_switch(seen: Seen) -> Iterator[Finding]:
    """A transit switch keeps Kube-OVN's Deployment from making or deleting its own.

    It compares the number of all switches with the one that it is told, and then makes or deletes
    the last ones of its own by their names: with another one among them, or an earlier one of its
    own missing, the wrong ones, or none at all. Delete what is out of its order.
    """
    zone, ic = switch_count.server(seen.view), seen.facts.ic_northbound
    if zone is None or ic is None:
        return
    there = [one.name for one in ic.transit_switches]
    counted = [one for one in there if one not in numbered(len(there))]
    names = seen.spec.interconnect.transit_switches.names
    if counted and (_told(seen) or not {*names} <= {*there}):
        each = " and ".join(shown(ic_northbound(seen.spec, "ts-del", one)) for one in counted)
        one = len(counted) == 1
        is_there = ", ".join(counted) + (" is there" if one else " are there")
        yield Finding(
            IC,
            f"{titled(zone.name)} counts all transit switches, but makes and deletes only ts, ts1 "
            f"and so on: while {is_there}, it does not keep {', '.join(names)}",
            f"Once no zone uses {'it, delete it' if one else 'them, delete them'}: {each}.",
            seen.spec.origin("transitSwitches"),
        )


def not_running(seen: Seen) -> Iterator[Finding]:
    """The number of transit switches is to change, and nobody would carry that out.

    A new number is a rollout of Kube-OVN's Deployment. While another one is going on, or not all
    of its replicas are available, it would stand still, or cost the IC databases their majority.
    """
    zone = switch_count.server(seen.view)
    why = trouble(zone.cluster.ic_server) if zone else ""
    if zone is not None and why and _told(seen):
        what = cure(seen.spec, zone.name)
        yield Finding(
            zone.name,
            f"{titled(zone.name)} cannot be given another {SWITCH_NUMBER}: {why}",
            f"{what[0].upper()}{what[1:]}.",
            seen.spec.origin("transitSwitches"),
        )


def number_from_elsewhere(seen: Seen) -> Iterator[Finding]:
    """The number of transit switches comes from another object.

    The variable TS_NUM of Kube-OVN's Deployment has `valueFrom` instead of `value`: the number
    stands in a ConfigMap or Secret, which icplan leaves alone. Write it into the Deployment.
    """
    zone = switch_count.server(seen.view)
    deployment = zone.cluster.ic_server if zone else None
    if zone is None or deployment is None:
        return
    place = deployment.place_in_environment(SWITCH_NUMBER)
    path = (*deployment.container_path, "env", str(place), "valueFrom")
    count = seen.spec.interconnect.transit_switches.count
    kubectl = in_namespace(seen.spec, zone.name)
    told = f"{kubectl} set env deployment/{IC_SERVER} {SWITCH_NUMBER}={count}"
    if place is not None and at(deployment.body, path) is not None:
        yield Finding(
            zone.name,
            f"{SWITCH_NUMBER} of {titled(zone.name)} comes from another object (valueFrom)",
            f"Give it a value of its own: {shown(told)}.",
            seen.spec.origin("transitSwitches"),
        )


def _told(seen: Seen) -> bool:
    """Whether the Deployment is to be told another number."""
    return any(
        one.address == count_address() and SWITCH_NUMBER in one.differing for one in seen.changes
    )
