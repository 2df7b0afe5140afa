"""Rules about what the zones' ovn-ic seem to do or not to do. Nothing about the databases."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.kinds.common import zones
from icplan.kinds.common.evidence import ovn_ic_cure
from icplan.kinds.common.foundation import begins_cluster
from icplan.planning.rules.contract import Finding, Seen


def remembers_a_cluster(seen: Seen) -> Iterator[Finding]:
    """The IC databases begin as a new cluster, and an ovn-ic may still know an earlier one.

    ovn-ic remembers how far the cluster had come that it was connected to. A new one at the same
    addresses has come less far: ovn-ic takes it for one that lags behind, says `clustered
    database server has stale data` in its log, and does nothing until it is restarted (measured
    with OVN 23.03.1). Nothing that icplan can read tells whether a zone's ovn-ic was connected to
    an earlier cluster. In Kube-OVN zones the controller starts it anew.
    """
    present = [one.name for one in zones.plain(seen.spec) if one.present]
    if present and begins_cluster(seen.spec, seen.facts):
        yield Finding(
            IC,
            "the IC databases begin as a new cluster, and an ovn-ic that was connected to an "
            f"earlier one at these addresses will refuse it: {', '.join(present)}",
            "Restart such an ovn-ic once the databases answer; apply waits for it as it waits for "
            "any step of yours. One that has never been connected needs nothing.",
            seen.spec.origin("icDatabase", "hosts"),
        )


def not_copied(seen: Seen) -> Iterator[Finding]:
    """A transit switch is in the IC databases, and ovn-ic has not made it in a zone.

    ovn-ic of a zone that bears its name makes every transit switch there within a second. Where
    one is missing, ovn-ic does not run, or is not connected to the IC databases. Until it is there
    the zone can have no port on it.
    """
    ic = seen.facts.ic_northbound
    there = {one.name for one in ic.transit_switches} if ic else set()
    for zone in zones.seen_plain(seen.view):
        north = zone.northbound
        missing = [
            name
            for name in seen.spec.interconnect.transit_switches.names
            if name in there and north.transit(name) is None
        ]
        if not missing or not zone.declared.present or north.name != zone.name:
            continue
        cure = ovn_ic_cure(zone.name)
        yield Finding(
            zone.name,
            f"{zone.name} has no switch for {', '.join(missing)}, which the IC databases have: "
            f"ovn-ic of {zone.name} seems not to run, or not to be connected to them",
            f"{cure[0].upper()}{cure[1:]}. Before a port is made, apply waits for it.",
            zone.declared.origin(seen.spec, "name"),
        )
