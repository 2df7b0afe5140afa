"""Rules about what zones advertise and withhold. Nothing about who carries it."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.commands import shown
from icplan.core.words import FEW, listed, there_are
from icplan.kinds.common import zones
from icplan.kinds.common.commands import ovn
from icplan.kinds.common.contract import MARK
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.withheld import planned_denials
from icplan.kinds.route_exchange import WITHHELD
from icplan.ovn.northbound import BLACKLIST, DENYLIST
from icplan.ovn.prefix import inside, normal, ordered, overlap
from icplan.ovn.routes import candidates
from icplan.ovn.subnets import names, resolve
from icplan.planning.rules.contract import Finding, Seen
from icplan.planning.rules.offered import Offer, offers


def unknown_withheld(seen: Seen) -> Iterator[Finding]:
    """A withheld subnet is named, but there is no switch of that name behind the router.

    Nothing would be withheld, which is not what the file says. Correct the name, or write the
    CIDR.
    """
    for zone in zones.seen_plain(seen.view):
        if zone.router is None or not zone.declared.present:
            continue
        entries = zone.declared.zone.withhold
        _, unknown = resolve(zone.northbound, zone.router, entries)
        for name in unknown:
            yield Finding(
                zone.name,
                f"there is no switch {name} behind router {zone.router.name} of {zone.name} "
                f"({there_are(name, names(zone.northbound, zone.router))})",
                "Correct the name, or write the CIDR.",
                zone.declared.origin(seen.spec, "withhold", entries.index(name)),
            )


def foreign_denylist(seen: Seen) -> Iterator[Finding]:
    """The zone has an `ic-route-denylist` that somebody set by hand.

    OVN from 24.09 on reads it first and then ignores `ic-route-blacklist`, where icplan keeps
    what is withheld: everything would be advertised. Move its entries to `withhold` and remove it.
    """
    for zone in zones.seen(seen.view):
        if zone.declared.present and DENYLIST in zone.northbound.options:
            words = ("remove", "nb_global", ".", "options", DENYLIST)
            removed = ovn(seen.spec, zone.declared, "ovn-nbctl", *words)
            yield Finding(
                zone.name,
                f'NB_Global of {zone.name} has {DENYLIST}="{zone.northbound.options[DENYLIST]}"',
                f"Move its entries to `withhold`, then {shown(removed)}.",
                zone.declared.origin(seen.spec, "name"),
            )


def address_translation(seen: Seen) -> Iterator[Finding]:
    """The zone's router translates addresses (SNAT or EIP).

    Interconnection cannot work together with them: packets to another zone leave with an address
    that the other zone sends elsewhere. Remove the rules, or accept it where they cannot match
    traffic to other zones.
    """
    for zone in zones.seen(seen.view):
        if zone.router is None or not zone.declared.present:
            continue
        rules = [zone.northbound.nat[one] for one in zone.router.nat if one in zone.northbound.nat]
        rules = [one for one in rules if one.type in {"snat", "dnat_and_snat"}]
        if rules:
            named = sorted(f"{one.type} {one.logical_ip} to {one.external_ip}" for one in rules)
            yield Finding(
                zone.name,
                f"router {zone.router.name} of {zone.name} translates addresses: "
                f"{listed(named, FEW)}",
                f"Remove them ({_translated_by(seen, zone)}); those that match no traffic between "
                "zones do no harm.",
                zone.declared.origin(seen.spec, "router"),
            )


def _translated_by(seen: Seen, zone: zones.SeenZone) -> str:
    """Where the rules come from: in a cluster not from whoever types ovn-nbctl."""
    words = ("lr-nat-list", zone.declared.router)
    listed = shown(ovn(seen.spec, zone.declared, "ovn-nbctl", *words))
    if not zone.declared.kube_ovn:
        return f"{listed} shows them"
    return (
        f"{listed} shows them; Kube-OVN makes them for the annotations ovn.kubernetes.io/snat and "
        "eip of pods, and for OvnSnatRules, OvnDnatRules and OvnFips of the default VPC"
    )


def transit_subnets(seen: Seen) -> tuple[str, ...]:
    """The subnets of the transit switches, as they are and as the file has them."""
    switches = seen.spec.interconnect.transit_switches
    texts = [switches.subnet_of(index) for index, _ in enumerate(switches.names)]
    ic = seen.facts.ic_northbound
    texts += [row.external_ids.get("subnet", "") for row in ic.transit_switches] if ic else []
    return tuple(dict.fromkeys(net for text in texts for net in text.split(",")))


def by_hand(one: Offer, transit: tuple[str, ...]) -> bool:
    """Whether it is a static route whose next hop lies on a transit switch, whoever has it."""
    return bool(one.nexthop) and any(inside(one.nexthop, net) for net in transit)


def advertised_by_hand(seen: Seen) -> Iterator[Finding]:
    """A zone that advertises has a route by hand to another zone.

    ovn-ic takes it for a network of the zone and advertises it: the other zone learns its own
    prefix, and every zone loses the way to it. With a newer controller that stays so when the
    route is gone, until the other zone is switched off and on (measured). Delete the route before
    the zone advertises, or let its routes be manual.
    """
    ic, transit = seen.facts.ic_southbound, transit_subnets(seen)
    owners = {bare(net): port.zone for port in (ic.ports if ic else ()) for net in port.networks}
    sites = {one.name: site for site, one in seen.facts.northbound.items()}
    gone = _taken_back(seen)
    for one in offers(seen):
        zone = one.declared
        if zone is None or not by_hand(one, transit):
            continue
        if (zone.name, one.prefix, bare(one.nexthop)) in gone:
            continue
        registered = owners.get(bare(one.nexthop), "")
        owner = sites.get(registered, registered)
        nobody = ", which no zone has now" if ic else ""
        to = f"to {owner} ({one.nexthop})" if owner else f"to {one.nexthop}{nobody}"
        words = ("lr-route-del", zone.router, one.prefix, one.nexthop)
        cure = (
            f"Delete it ({shown(ovn(seen.spec, zone, 'ovn-nbctl', *words))}), or let {zone.name} "
            "have `routePolicy: manual`"
        )
        yield Finding(
            zone.name,
            f"{one.prefix} of {zone.name} is a route by hand {to}, and {zone.name} advertises: "
            "every other zone would learn it",
            cure + ".",
            zone.origin(seen.spec, "routePolicy"),
        )


def _taken_back(seen: Seen) -> frozenset[tuple[str, str, str]]:
    """The routes of this file by zone, prefix and next hop: a rule of their own speaks of them."""
    return frozenset(
        (zone.name, one.prefix, bare(one.nexthop))
        for zone in zones.seen(seen.view)
        if zone.router is not None
        for one in zone.northbound.routes_of(zone.router)
        if one.external_ids.get(MARK) == seen.view.owner
    )


def withheld_by_others(seen: Seen) -> Iterator[Finding]:
    """A subnet is not advertised because of a denylist entry that is not ours.

    icplan leaves such entries alone. Remove it by hand if the subnet should be reachable.
    """
    for zone in zones.seen_plain(seen.view):
        if zone.router is None or not zone.declared.present:
            continue
        ours, _ = resolve(zone.northbound, zone.router, zone.declared.zone.withhold)
        recorded = zone.northbound.external_ids.get(WITHHELD, "").split(",")
        known = {*ours, *(normal(one) for one in recorded if one)}
        words = ("get", "nb_global", ".", f"options:{BLACKLIST}")
        shows = ovn(seen.spec, zone.declared, "ovn-nbctl", *words)
        for entry in zone.northbound.denylist.entries:
            if (
                entry
                and normal(entry) not in known
                and any(
                    overlap(one.prefix, entry) for one in candidates(zone.northbound, zone.router)
                )
            ):
                yield Finding(
                    zone.name,
                    f"{entry} is on the denylist of {zone.name}, but not by this file",
                    "Add it to `withhold`, or take it out by hand of the list that "
                    f"{shown(shows)} shows.",
                    zone.declared.origin(seen.spec, "name"),
                )


def denied_by_mistake(seen: Seen) -> Iterator[Finding]:
    """Withholding an IPv6 subnet takes others away with it.

    Before OVN 24.03 an IPv6 entry of the denylist denies every IPv6 prefix that is at least as
    long, of this zone and of all others, with no sign in any log (measured with 23.03.1). In a
    dual-stack cluster the join Subnet is always on it. Update OVN in that zone, withhold nothing
    of IPv6, or accept it if that is all the zone has.
    """
    clusters = {zone.name: zone for zone in zones.clusters(seen.view)}
    for zone in zones.seen(seen.view):
        if zone.router is None or not zone.declared.present:
            continue
        if zone.declared.kube_ovn:
            if zone.name not in clusters or not zone.declared.automatic(seen.spec):
                continue
            withheld = planned_denials(seen.view, clusters[zone.name])
        else:
            withheld, _ = resolve(zone.northbound, zone.router, zone.declared.zone.withhold)
        denylist = zone.northbound.denylist.having(withheld)
        lost = ordered(
            one.prefix
            for one in candidates(zone.northbound, zone.router)
            if denylist.denies_by_mistake(one.prefix)
        )
        if lost:
            version = zone.northbound.version.partition("-")[0] or "of unknown version"
            what = (
                "denying its join Subnet"
                if zone.declared.kube_ovn
                else "withholding an IPv6 subnet"
            )
            yield Finding(
                zone.name,
                f"with OVN {version}, {what} also takes "
                f"{', '.join(lost)} of {zone.name} away, and what it would learn",
                "Update OVN in that zone to 24.03"
                + (
                    ", or accept the rule where IPv4 is enough."
                    if zone.declared.kube_ovn
                    else ", or withhold nothing of IPv6 there."
                ),
                zone.declared.origin(seen.spec, "withhold"),
            )
