"""The links at the far end: how a zone lets others know a subnet of its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.commands import shown
from icplan.core.words import REPAIRED
from icplan.kinds.common import zones
from icplan.kinds.common.commands import GATEWAY_SHOWS, in_namespace, kubectl, ovn
from icplan.kinds.common.contract import Held, Missing, Verdict
from icplan.kinds.common.controller import ENABLE, controller_cure, running
from icplan.kinds.common.evidence import ovn_ic_cure, verdict
from icplan.kinds.common.transit_address import bare
from icplan.kinds.common.transit_evidence import sharing
from icplan.kinds.common.transit_traffic import filters, port_off, router_off
from icplan.kinds.common.waivers import OVERLAP, STALE_DENIAL, accepted
from icplan.kinds.common.withheld import entries, overlap_denials, stale_denials
from icplan.ovn.cluster import BEFORE_1_11, CONFIG, JOIN, NAMESPACE, OWNER, ROUTER, Subnet
from icplan.ovn.interconnect import IcSouthbound
from icplan.ovn.northbound import ADVERTISE, BLACKLIST, DENYLIST, Northbound
from icplan.ovn.prefix import family, inside, normal, overlap
from icplan.ovn.subnets import resolve
from icplan.planning.path.ends import End
from icplan.planning.path.leg import (
    Leg,
    as_declared,
    carrier,
    doer_cure,
    each,
    ports,
    routers,
)
from icplan.planning.path.links import Found, Probe, aside, over_switches, vital
from icplan.spec.diagnostic import quoted
from icplan.spec.load import Spec

_LISTED = f"options:{BLACKLIST}"


def probes(leg: Leg) -> Iterator[Probe]:
    """From the ConfigMap, or the file, to the routes that the others can learn."""
    end, name, listed = leg.target, leg.target.zone.name, ", ".join(leg.prefixes)
    yield from declared(leg, end)
    yield vital(f"router {end.zone.router} of {name} leads to {listed}", lambda: routed(leg, end))
    yield from attached(leg, end)
    if leg.by_hand:
        return
    yield vital(f"{name} advertises routes", lambda: _advertising(leg))
    yield vital(f"{name} withholds nothing of {listed}", lambda: each(leg, _Offer(leg)))
    yield over_switches(
        f"{listed} of {name} stands in the IC southbound database",
        leg.switches,
        lambda switch: leg.in_ic(lambda ic: _published(leg, ic, switch)),
    )


def declared(leg: Leg, end: End) -> Iterator[Probe]:
    """What the file says of a zone has come into its northbound database."""
    zone = end.zone
    config = " (its ConfigMap and what goes with it)" if zone.kube_ovn else ""
    yield aside(f"{zone.name} is as the file declares it{config}", lambda: as_declared(leg, end))
    if zone.kube_ovn:
        runs = running(leg.view.spec, zone.name)
        yield aside(f"the controller of {zone.name} runs", lambda: runs.holds(leg.facts))
        yield Probe(f"the ConfigMap of {zone.name} interconnects it", lambda: _told(leg, end))
    yield vital(
        f"{zone.name} bears its name",
        lambda: leg.in_zone(
            end,
            lambda seen: verdict(
                seen.name == zone.name,
                f"NB_Global of {zone.name} has the name {seen.name or 'nobody'}: ovn-ic works "
                "for no other",
                doer_cure(leg, zone),
            ),
        ),
    )


def _told(leg: Leg, end: End) -> Found:
    """The controller is told to interconnect its zone.

    What it made when it was told so may be there still: it cleans nothing up while it does not
    run, and any other text than "false" leaves everything (docs/facts.md section 3, measured).
    """
    name = end.zone.name
    unseen = leg.facts.cluster_unseen(name)
    if unseen is not None:
        return unseen, True
    config = leg.facts.clusters[name].config
    if config is not None and config.data.get(ENABLE) == "true":
        return Held(), True
    said = quoted(config.data.get(ENABLE, "")) if config is not None else ""
    why = (
        f'{ENABLE} of ConfigMap {NAMESPACE}/{CONFIG} of {name} is {said}, not "true"'
        if config is not None
        else f"{name} has no ConfigMap {NAMESPACE}/{CONFIG}"
    )
    nothing = _without_port(leg, end)
    then = "its controller interconnects nothing" if nothing else "what was made before is left"
    return Missing(f"{why}: {then}", REPAIRED), nothing


def _without_port(leg: Leg, end: End) -> bool:
    """Whether a zone is known to have no port on any transit switch."""
    seen = leg.facts.northbound.get(end.zone.name)
    if seen is not None:
        return not any(_has_port(end, seen, switch) for switch in leg.switches)
    ic = leg.facts.ic_southbound
    return ic is not None and not any(ports(ic, end.zone.name, one) for one in leg.switches)


def routed(leg: Leg, end: End) -> Verdict:
    """The interconnected router knows the way to the subnet."""
    subnet = _subnet(leg, end)
    if subnet is not None and not subnet.interconnected:
        return Missing(
            f"Subnet {subnet.name} of {end.zone.name} belongs to Vpc {subnet.vpc}, and only that "
            f"of router {ROUTER} is interconnected",
            "move the workload to a Subnet of the default Vpc",
        )

    def test(seen: Northbound) -> Verdict:
        if not routers(end, seen):
            cure = "icplan plan tells which routers there are"
            return Missing(f"{end.zone.name} has no router {end.zone.router}", cure)
        if (off := router_off(leg.view.spec, end.zone, seen)) is not None:
            return off
        prefixes = leg.prefixes if end is leg.target else end.prefixes
        for prefix in prefixes:
            found = carrier(end, seen, prefix)
            if found is None:
                return Missing(
                    f"router {end.zone.router} of {end.zone.name} has neither a port in {prefix} "
                    "nor a route to it",
                    _router_cure(leg.view.spec, end.zone),
                )
            off = None if found.nexthop else _subnet_off(leg, end, seen, prefix)
            if off is not None:
                return off
        return Held()

    return leg.in_zone(end, test)


def _subnet_off(leg: Leg, end: End, seen: Northbound, prefix: str) -> Missing | None:
    """Why the router's own port in a subnet carries nothing; None when one of them does."""
    spec, zone = leg.view.spec, end.zone
    found: list[Missing] = []
    for router in routers(end, seen):
        for port in seen.ports_of(router):
            if not any(inside(prefix, normal(one)) for one in port.networks):
                continue
            off = [(port.name, "router port", "lrp-set-enabled")] if not port.enabled else []
            off += [
                (one.name, "port", "lsp-set-enabled")
                for one in seen.switch_ports.values()
                if one.router_port == port.name and one.type == "router" and not one.enabled
            ]
            if not off:
                return None
            name, what, word = off[0]
            command = ovn(spec, zone, "ovn-nbctl", word, name, "enabled")
            found.append(
                Missing(
                    f"{what} {name} of {zone.name}, which leads to {prefix}, is switched off "
                    "(enabled=false)",
                    f"switch it on: {shown(command)}",
                )
            )
    return next(iter(found), None)


def _router_cure(spec: Spec, zone: zones.DeclaredZone) -> str:
    if zone.kube_ovn:
        log = f"{in_namespace(spec, zone.name)} logs deployment/{BEFORE_1_11} --tail=50"
        return f"see why {BEFORE_1_11} has not made it: {shown(log)}"
    has = ovn(spec, zone, "ovn-nbctl", "show", zone.router)
    return f"connect the subnet with it; what it has shows {shown(has)}"


def attached(leg: Leg, end: End) -> Iterator[Probe]:
    """A zone's port on each switch: known to the others, served, and its address nobody else's."""
    zone = end.zone

    def published(switch: str) -> Verdict:
        def test(ic: IcSouthbound) -> Verdict:
            if ports(ic, zone.name, switch):
                return Held()
            cure = doer_cure(leg, zone)
            seen = leg.facts.northbound.get(zone.name)
            # The port is there: ovn-ic is who has not told the others.
            if seen is not None and _has_port(end, seen, switch):
                cure = ovn_ic_cure(zone.name)
            return Missing(f"{zone.name} has no port on {switch} that others know", cure)

        return leg.in_ic(test)

    def served(switch: str) -> Verdict:
        hosts = ", ".join(zone.zone.gateway_nodes)
        return leg.in_ic(
            lambda ic: verdict(
                any(one.gateway for one in ports(ic, zone.name, switch)),
                f"no gateway of {zone.name} serves its port on {switch}",
                f"check that ovn-controller runs on {hosts}, and that there "
                f"{GATEWAY_SHOWS} shows true",
            )
        )

    def alone(switch: str) -> Verdict:
        def test(ic: IcSouthbound) -> Verdict:
            mine = [net for one in ports(ic, zone.name, switch) for net in one.networks]
            others = sharing(ic, zone.name, switch, mine)
            shown = ", ".join(sorted(bare(one) for one in mine))
            return verdict(
                not others,
                f"{zone.name} and {', '.join(others)} have the same address on {switch}: {shown}",
                "icplan plan shows the cure: one of them gets another address",
            )

        return leg.in_ic(test)

    yield over_switches(f"the port of {zone.name} is known to the others", leg.switches, published)
    yield over_switches(
        f"the port of {zone.name} on each transit switch is whole and switched on",
        leg.switches,
        lambda switch: leg.in_zone(end, lambda seen: _whole(leg, end, seen, switch)),
    )
    yield Probe(
        f"{zone.name} lets all packets over its transit switch",
        lambda: (leg.in_zone(end, lambda seen: _unfiltered(leg, zone, seen)), False),
    )
    yield over_switches(f"a gateway of {zone.name} serves it", leg.switches, served)
    yield over_switches(f"nobody else has the address of {zone.name}", leg.switches, alone)


def _whole(leg: Leg, end: End, seen: Northbound, switch: str) -> Verdict:
    """Both halves of a zone's port, and nothing switched off."""
    if not _has_port(end, seen, switch):
        return Missing(
            f"{end.zone.name} has no port between {end.zone.router} and {switch}",
            doer_cure(leg, end.zone),
        )
    return port_off(leg.view.spec, end.zone, seen, switch) or Held()


def _has_port(end: End, seen: Northbound, switch: str) -> bool:
    there = seen.transit(switch)
    return there is not None and any(
        seen.attachments(there, router) for router in routers(end, seen)
    )


def _advertising(leg: Leg) -> Verdict:
    end = leg.target
    return leg.in_zone(
        end,
        lambda seen: verdict(
            seen.options.get(ADVERTISE) == "true",
            f"NB_Global of {end.zone.name} has no {ADVERTISE}=true",
            doer_cure(leg, end.zone),
        ),
    )


class _Offer:
    """Whether a prefix of the target is kept from the others, by whom, and what cures it."""

    def __init__(self, leg: Leg) -> None:
        self._leg = leg
        self._end = leg.target
        self._name = leg.target.zone.name

    def __call__(self, prefix: str) -> Verdict:
        """Held, when nothing keeps it back."""
        by_field = self._by_subnet()
        if by_field is not None:
            return by_field
        return self._leg.in_zone(self._end, lambda seen: self._by_database(seen, prefix))

    def _by_subnet(self) -> Missing | None:
        """What a cluster's own objects say: the reason of what its controller denies."""
        cluster, subnet = self._leg.facts.clusters.get(self._name), _subnet(self._leg, self._end)
        if cluster is None or subnet is None:
            return None
        zone = self._end.zone.zone
        if subnet.name == JOIN:
            return Missing(
                f"{self._name} never advertises its join subnet: it is for its own nodes only",
                "name a subnet of pods",
            )
        if subnet in entries(cluster, zone.withhold)[0]:
            origin = self._end.zone.origin(self._leg.view.spec, "withhold")
            return Missing(
                f"the file withholds {subnet.name} of {self._name} ({origin})",
                "take it out of `withhold`, then icplan apply",
            )
        if subnet.withheld:
            ours = subnet.annotations.get(OWNER) == self._leg.view.owner
            patch = f"{kubectl(self._leg.view.spec, self._name)} patch subnet {subnet.name}"
            given_back = """--type merge -p '{"spec":{"disableInterConnection":false}}'"""
            cure = (
                "icplan apply gives it back"
                if ours
                else f"{shown(f'{patch} {given_back}')}, then icplan plan"
            )
            who = "icplan withholds" if ours else "somebody withholds"
            return Missing(
                f"{who} {subnet.name} of {self._name}: disableInterConnection is true", cure
            )
        return None

    def _by_database(self, seen: Northbound, prefix: str) -> Verdict:
        found = carrier(self._end, seen, prefix)
        whole = found.prefix if found is not None else prefix
        if DENYLIST in seen.options and any(
            inside(whole, one) for one in seen.options[DENYLIST].split(",")
        ):
            zone, words = self._end.zone, ("remove", "nb_global", ".", "options", DENYLIST)
            removed = ovn(self._leg.view.spec, zone, "ovn-nbctl", *words)
            return Missing(
                f"{DENYLIST} of {self._name} denies {whole}",
                f"{shown(removed)}, and withhold it in the file",
            )
        if not seen.denylist.denies(whole):
            return Held()
        return self._denied(seen, whole)

    def _denied(self, seen: Northbound, whole: str) -> Missing:
        """Why the denylist has it."""
        view, name, zone = self._leg.view, self._name, self._end.zone
        if not zone.kube_ovn:
            own = [
                one
                for router in routers(self._end, seen)
                for one in resolve(seen, router, zone.zone.withhold)[0]
            ]
            if any(inside(whole, one) for one in own):
                origin = zone.origin(view.spec, "withhold")
                return Missing(
                    f"the file withholds {whole} of {name} ({origin})",
                    "take it out of `withhold`, then icplan apply",
                )
        return denial(self._leg, self._end, seen, whole)


def denial(leg: Leg, end: End, seen: Northbound, whole: str) -> Missing:
    """Why a zone's denylist has a prefix that its file does not withhold, and what cures it."""
    name = end.zone.name
    if end.zone.kube_ovn:
        if any(inside(whole, one) for one in stale_denials(leg.view, name)):
            cure = f"icplan plan shows the cure, which switches {name} off and on again"
            if accepted(leg.view, STALE_DENIAL, name):
                cure = (
                    f"the file accepts it ({STALE_DENIAL}): take that out of `accept`; then {cure}"
                )
            return Missing(
                f"the controller of {name} keeps denying {whole}, which nothing withholds any more",
                cure,
            )
        causes = [one for one in overlap_denials(leg.view, name) if inside(whole, one.entry)]
        if causes:
            first = causes[0]
            return Missing(
                f"the controller of {name} denies {first.entry} because it overlaps "
                f"{first.prefix} of {first.zone}",
                "take one of the two away or withhold it, then run icplan plan; or accept "
                f"{OVERLAP}",
            )
    if seen.denylist.denies_by_mistake(whole):
        return Missing(
            f"ovn-ic of {name} ({seen.version or 'of unknown version'}) denies all IPv6 prefixes "
            "as long as an IPv6 entry of its denylist",
            "update OVN in that zone to 24.03, or withhold nothing of IPv6 there",
        )
    listed = ovn(leg.view.spec, end.zone, "ovn-nbctl", "get", "nb_global", ".", _LISTED)
    entry = next((one for one in seen.denylist.effective if inside(whole, normal(one))), whole)
    cure = (
        controller_cure(leg.view.spec, name)
        if end.zone.kube_ovn
        else f"take {entry} out of it by hand; it is shown by {shown(listed)}"
    )
    return Missing(f"{BLACKLIST} of {name} denies {entry}", cure)


def _subnet(leg: Leg, end: End) -> Subnet | None:
    cluster = leg.facts.clusters.get(end.zone.name) if end.zone.kube_ovn else None
    return cluster.subnet(end.subnet) if cluster is not None and end.subnet else None


def _published(leg: Leg, ic: IcSouthbound, switch: str) -> Verdict:
    name = leg.target.zone.name
    carried = leg.on_switch(switch)
    left = [one for one in leg.prefixes if one not in carried]
    if left:
        return Missing(
            f"{switch} carries no IPv{family(left[0])}: the address of {name} on it is "
            f"{', '.join(leg.hops(switch, name)) or 'not there'}",
            "let `transitSwitches` have that family: {family: dual}",
        )
    mine = [one for one in ic.routes if (one.zone, one.transit_switch) == (name, switch)]
    for prefix in carried:
        if any(inside(prefix, one.prefix) for one in mine):
            continue
        parts = [one.prefix for one in mine if overlap(one.prefix, prefix)]
        but = f", only {', '.join(parts)} of it" if parts else ""
        return Missing(
            f"{name} does not advertise {prefix} on {switch}{but}",
            ovn_ic_cure(name),
        )
    return Held()


def _unfiltered(leg: Leg, zone: zones.DeclaredZone, seen: Northbound) -> Verdict:
    found = (filters(leg.view.spec, zone, seen, one) for one in leg.switches)
    return next((one for one in found if one is not None), Held())
