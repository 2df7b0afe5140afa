"""Which pairs of zones are pinged, from which subnets, and what the answers mean. Pings nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from icplan.core.commands import shown
from icplan.core.io import Unreadable
from icplan.core.ping import Echo, PathMtu
from icplan.kinds.common import zones
from icplan.kinds.common.contract import Held, Missing, Verdict, View
from icplan.kinds.common.routed import pairs as routes
from icplan.kinds.common.withheld import entries
from icplan.ovn.cluster import JOIN, Cluster, Subnet
from icplan.ovn.prefix import family, inside
from icplan.planning.path.chain import direction
from icplan.planning.path.ends import End
from icplan.planning.path.links import Direction, Way
from icplan.planning.plan import Plan

GENEVE_BYTES = {4: 58, 6: 78}
"""What a tunnel with OVN's option adds to a pod's packet, by the underlay's family (measured)."""
_USUAL = "ovn-default"
RECOMPUTE = shown("ovn-appctl -t ovn-controller inc-engine/recompute")
"""What lets ovn-controller make all flows anew, on its host or in its pod."""


def pairs(names: Sequence[str], most: int) -> tuple[tuple[str, str], ...]:
    """At most so many pairs of zones; as soon as there is room for it, every zone is in one.

    In a ring of the zones first the neighbours, every other one before the rest, then those two
    steps apart, and so on: few pairs touch all zones, and more of them spread evenly.
    """
    ring = sorted(names)
    return tuple(pair for _, pair in zip(range(most), _spread(ring), strict=False))


def all_pairs(count: int) -> int:
    """How many pairs so many zones have."""
    return count * (count - 1) // 2


def _spread(ring: Sequence[str]) -> Iterator[tuple[str, str]]:
    size = len(ring)
    for step in range(1, size // 2 + 1):
        # Half a ring away, each is the other's partner.
        starts = range(size // 2 if 2 * step == size else size)
        for start in (*starts[::2], *starts[1::2]):
            one, other = sorted((ring[start], ring[(start + step) % size]))
            yield one, other


@dataclass(frozen=True, slots=True)
class Ground:
    """Where in a zone's cluster a pod may lie that is pinged from.

    Attributes:
        subnet: where one is made.
        blocks: of the subnets in which an existing one may lie.
    """

    subnet: str
    blocks: tuple[str, ...]


def ground(view: View, zone: zones.DeclaredZone) -> Ground | Unreadable:
    """The subnets of a cluster that other zones are to reach."""
    unseen = view.facts.cluster_unseen(zone.name)
    if unseen is not None:
        return unseen
    cluster = view.facts.clusters[zone.name]
    open_to_others = {one.name: one for one in _offered(cluster, zone)}
    if not open_to_others:
        return Unreadable(
            f"{zone.name} has no subnet that it does not withhold",
            "nothing of it is to be reached: leave it out with --without",
        )
    first = open_to_others.get(_USUAL) or next(iter(open_to_others.values()))
    blocks = tuple(block for one in open_to_others.values() for block in one.blocks)
    return Ground(first.name, blocks)


def ground_of(end: End) -> Ground | Unreadable:
    """The subnet that the user has named."""
    if end.unseen is not None:
        return end.unseen
    if not end.subnet:
        return Unreadable(
            f"no pod can lie in {end.text} of {end.zone.name}: it is no subnet of the cluster",
            f"say who answers there: --probe '{end.zone.name}=ADDRESS=COMMAND'",
        )
    return Ground(end.subnet, end.prefixes)


def _offered(cluster: Cluster, zone: zones.DeclaredZone) -> Iterator[Subnet]:
    withheld = entries(cluster, zone.zone.withhold)[0]
    for one in cluster.subnets:
        if one.interconnected and one.name != JOIN and not one.withheld and one not in withheld:
            yield one


def without_api(zone: str) -> Unreadable:
    """Why nothing can be done in a plain OVN zone by itself."""
    return Unreadable(
        f"{zone} is plain OVN: there is no API by which a command could be run there",
        f"say where and how: --probe '{zone}=ADDRESS=COMMAND', such as "
        f"--probe '{zone}=10.20.0.5=ip netns exec qdhcp-1'",
    )


def only_a_target(zone: str, address: str) -> Unreadable:
    """Why nobody pings from a place that was named without a command."""
    return Unreadable(
        f"how a command is run at {address} of {zone} was not said",
        f"add it: --probe '{zone}={address}=COMMAND'",
    )


def image_of(cluster: Cluster) -> str | None:
    """The image of Kube-OVN itself: it has ping, and every node has it."""
    for deployment in sorted(cluster.deployments.values(), key=lambda one: one.name):
        if deployment.image:
            return deployment.image
    return None


def leads(plan: Plan, places: Mapping[str, End], source: str, target: str) -> Direction:
    """The way that packets between two places must go, by all that was read."""
    near, far = places[source], places[target]
    return direction(plan, near, far, far.prefixes, thorough=False)


def expected(plan: Plan, found: Direction) -> bool:
    """Whether the file gives a way there: zones that exchange no routes need one of its own."""
    if not found.by_hand:
        return True
    near, far = found.source.zone.name, found.target.zone.name
    routed = {
        prefix
        for pair in routes(plan.view)
        if (pair.source.name, pair.target.name) == (near, far)
        for prefix in pair.prefixes
    }
    return any(inside(one, prefix) for one in found.prefixes for prefix in routed)


@dataclass(frozen=True, slots=True)
class Pinged:
    """What came of pings in one direction.

    Attributes:
        source: the zone.
        target: the zone.
        place: from where, in words; empty when there was no such place.
        address: whom; empty when there was nobody.
        echo: the small ones.
        mtu: the large ones.
        note: what could not be measured, and why.
        verdict: what it means; None when the file gives no way there.
    """

    source: str
    target: str
    place: str
    address: str
    verdict: Verdict | None
    echo: Echo | None = None
    mtu: PathMtu | None = None
    note: str = ""


def judged(plan: Plan, found: Way, echo: Echo, mtu: PathMtu | None) -> Verdict:
    """What answers mean, and where to look when there are none: there, and on the way back."""
    near, far = found.there.source.zone.name, found.there.target.zone.name
    if not echo.received:
        return _silence(plan, found, f"no answer from {far} to {echo.sent} pings of {near}")
    if mtu is not None and mtu.hole:
        return _hole(plan, near, far, mtu)
    return Held()


def _silence(plan: Plan, found: Way, why: str) -> Missing:
    for one, words in ((found.there, ""), (found.back, "the answer has no way back: ")):
        if one.broken is not None and isinstance(one.broken.verdict, Missing):
            ends = one.broken.verdict
            return Missing(f"{why}: {words}{ends.why}", ends.cure)
    for one in found.directions:
        for link in one.flawed:
            if link.suspect and isinstance(link.verdict, Missing):
                return Missing(f"{why}; it may be that {link.verdict.why}", link.verdict.cure)
    return Missing(why, _silence_cure(plan, found))


def _hole(plan: Plan, near: str, far: str, mtu: PathMtu) -> Missing:
    tunnel, between = _tunnel(plan, near, far)
    extra = GENEVE_BYTES[tunnel]
    largest = (
        f"packets of {mtu.passes} bytes pass, larger ones vanish without a word"
        if mtu.passes
        else "only small packets pass"
    )
    less = f", or give the pods of all zones an MTU of {mtu.passes}" if mtu.passes else ""
    carried = f", and carries {mtu.passes + extra}" if mtu.passes else ""
    return Missing(
        f"{largest} between {near} and {far}, and pods send up to {mtu.own}",
        f"the underlay{between} must carry {mtu.own + extra} bytes ({mtu.own} and {extra} of "
        f"Geneve){carried}: raise its MTU{less} (kube-ovn-cni --mtu)",
    )


def _silence_cure(plan: Plan, found: Way) -> str:
    near, far = found.there.source.zone.name, found.there.target.zone.name
    _, between = _tunnel(plan, near, far)
    flawed = any(one.flawed for one in found.directions)
    first = "mend what is flawed, and look" if flawed else "all that icplan can read is right: look"
    # One that has claimed a port before ovn-ic gives it another tunnel key goes on with the old
    # one, and no database shows it (docs/facts.md section 9, measured).
    return (
        f"{first} at the tunnel"
        f"{between}: UDP 6081 must pass in both directions, and the two hosts must have "
        "ovn-controller and ovs-vswitchd running. If they do, let ovn-controller on both make its "
        f"flows anew, which nobody feels: {RECOMPUTE}"
    )


def _tunnel(plan: Plan, near: str, far: str) -> tuple[int, str]:
    """The family of the tunnels between two zones' gateways, and who these are, in words."""
    ends = [_gateway(plan, zone) for zone in (near, far)]
    versions = {family(address) for _, address in filter(None, ends) if address}
    shown = [f"{host} ({address})" if address else host for host, address in filter(None, ends)]
    between = f" between {shown[0]} and {shown[1]}" if len(shown) == 2 else ""
    return (6 if versions == {6} else 4), between


def _gateway(plan: Plan, zone: str) -> tuple[str, str] | None:
    """The host that serves a zone's first port, and its tunnel address."""
    ic = plan.view.facts.ic_southbound
    for port in ic.ports if ic is not None else ():
        if port.zone != zone or not port.gateway:
            continue
        for one in ic.gateways if ic is not None else ():
            if one.name == port.gateway:
                return one.hostname, next(iter(one.tunnel_ips), "")
    return None
