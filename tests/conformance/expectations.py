"""What can be expected to be seen, as sentences; `zone` is az1 or az2, whatever its az-name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from tests.conformance.case import Expectation
from tests.conformance.views import ROUTER, RouterPort, View, ZoneView

SUBNETS = {"az1": "10.16.0.1/16", "az2": "10.17.0.1/16"}
"""The network of each zone's pods, as ovn-ic writes it: host bits included."""
_FIRST_PRIORITY = 100


def _peer(zone: str) -> str:
    return "az2" if zone == "az1" else "az1"


def _addresses(view: ZoneView) -> set[str]:
    return {address for port in view.ports.values() for address in port.addresses}


# The zone


def is_named(zone: str, name: str) -> Expectation:
    return Expectation(
        f"NB_Global.name of {zone} is {name}", lambda _, now: now.zones[zone].name == name
    )


def exchanges_routes(zone: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        options = now.zones[zone].options
        both = {"ic-route-adv": "true", "ic-route-learn": "true"}
        return both.items() <= options.items() and "ic-route-blacklist" in options

    return Expectation(f"{zone} advertises, learns and has a blacklist", holds)


def exchanges_no_routes(zone: str) -> Expectation:
    return Expectation(
        f"{zone} has none of the three options of route exchange",
        lambda _, now: not any(key.startswith("ic-route-") for key in now.zones[zone].options),
    )


def labels(zone: str, **values: str | None) -> Expectation:
    """Gateway labels, given by the last part of the Node's name: gw1="true"."""
    wanted = {f"{zone}-{node}": value for node, value in values.items()}
    return Expectation(
        f"the gateway labels of {zone} are {wanted}",
        lambda _, now: wanted.items() <= now.zones[zone].labels.items(),
    )


def unlabelled(zone: str) -> Expectation:
    return Expectation(
        f"no Node of {zone} has the gateway label true",
        lambda _, now: "true" not in now.zones[zone].labels.values(),
    )


# The blacklist


def denies(zone: str, *entries: str) -> Expectation:
    return Expectation(
        f"the blacklist of {zone} holds {', '.join(entries)}",
        lambda _, now: {*entries} <= (now.zones[zone].denied or set()),
    )


def somebody_denies(*entries: str) -> Expectation:
    return Expectation(
        f"the blacklist of one zone, whichever, holds {' and '.join(entries)}",
        lambda _, now: any({*entries} <= (zone.denied or set()) for zone in now.zones.values()),
    )


def does_not_deny(zone: str, *entries: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        denied = now.zones[zone].denied
        return denied is not None and denied.isdisjoint(entries)

    return Expectation(f"{zone} has a blacklist without {', '.join(entries)}", holds)


def denies_only_join_and_nodes(zone: str, join: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        view = now.zones[zone]
        return view.denied == {join, *view.internal_ips.values()}

    return Expectation(f"the blacklist of {zone} holds {join}, all nodes, and nothing else", holds)


# Ports


def has_ports_on(zone: str, *switches: str) -> Expectation:
    """Complete ones: the switch's and the router's, on the default router, by their names."""

    def holds(_: View, now: View) -> bool:
        view = now.zones[zone]
        return view.ports.keys() == {*switches} and all(
            _complete(view, view.name, switch) for switch in switches
        )

    return Expectation(f"{zone} has ports on {', '.join(switches) or 'no switch'}", holds)


def _complete(view: ZoneView, name: str, switch: str) -> bool:
    router_port, switch_port = view.ports[switch], view.switch_ports.get(f"{switch}-{name}")
    return (
        (router_port.name, router_port.router) == (f"{name}-{switch}", ROUTER)
        and switch_port is not None
        and (switch_port.switch, switch_port.type) == (switch, "router")
        and switch_port.router_port == router_port.name
    )


def has_no_ports(zone: str) -> Expectation:
    """Neither the router's nor the switches'; remote ports are ovn-ic's."""

    def holds(_: View, now: View) -> bool:
        view = now.zones[zone]
        local = [each for each in view.switch_ports.values() if each.type == "router"]
        return not view.ports and not local

    return Expectation(f"{zone} has no port on any transit switch", holds)


def _switch_pairs(zone: str, before: View, now: View) -> list[tuple[RouterPort, RouterPort | None]]:
    return [(port, now.zones[zone].ports.get(name)) for name, port in _ports(zone, before).items()]


def _ports(zone: str, view: View) -> Mapping[str, RouterPort]:
    return view.zones[zone].ports


def ports_kept(zone: str) -> Expectation:
    """All that were there: name, address and MAC. Gateways may be others."""

    def holds(before: View, now: View) -> bool:
        pairs = _switch_pairs(zone, before, now)
        return bool(pairs) and all(
            new is not None
            and (new.name, new.networks, new.mac) == (old.name, old.networks, old.mac)
            for old, new in pairs
        )

    return Expectation(f"the ports of {zone} have kept address and MAC", holds)


def ports_rebuilt(zone: str) -> Expectation:
    """Those on switches that are still there; an address may be drawn twice, a MAC is not."""

    def holds(before: View, now: View) -> bool:
        pairs = [
            (old, new)
            for name, old in _ports(zone, before).items()
            if name in now.switches
            for new in [now.zones[zone].ports.get(name)]
        ]
        return bool(pairs) and all(
            new is not None
            and new.mac != old.mac
            and (not now.fresh_draws or new.networks != old.networks)
            for old, new in pairs
        )

    return Expectation(f"the ports of {zone} are new ones, with new address and MAC", holds)


def gateways(zone: str, *nodes: str, switch: str = "ts") -> Expectation:
    """The gateways of a port, the active one first, with priorities 100, 99, …"""
    wanted = tuple(
        (_FIRST_PRIORITY - number, f"{zone}-{node}") for number, node in enumerate(nodes)
    )

    def holds(_: View, now: View) -> bool:
        port = now.zones[zone].ports.get(switch)
        return port is not None and port.gateways == wanted

    return Expectation(
        f"the gateways of {zone} on {switch} are {', '.join(nodes) or 'none'}, in that order", holds
    )


def addresses_in_lower_half(zone: str, *networks: str, switch: str = "ts") -> Expectation:
    def holds(_: View, now: View) -> bool:
        port = now.zones[zone].ports.get(switch)
        return (
            port is not None
            and len(port.networks) == len(networks)
            and all(any(_lower(own, each) for own in port.networks) for each in networks)
        )

    return Expectation(
        f"{zone} has an address in the lower half of {' and of '.join(networks)}", holds
    )


def _lower(interface: str, network: str) -> bool:
    """Whether an address with prefix length is one of a network's lower half."""
    address, whole = ipaddress.ip_interface(interface), ipaddress.ip_network(network)
    number = int(address.ip) - int(whole.network_address)
    return address.network == whole and number < whole.num_addresses // 2


def has_address(zone: str, *addresses: str) -> Expectation:
    return Expectation(
        f"the address of {zone} on ts is {' and '.join(addresses)}",
        lambda _, now: (
            "ts" in _ports(zone, now) and {*_ports(zone, now)["ts"].addresses} == {*addresses}
        ),
    )


def sees_remote_port_of(zone: str, peer: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        remote = now.zones[zone].switch_ports.get(f"ts-{now.zones[peer].name}")
        port = _ports(peer, now).get("ts")
        return (
            remote is not None
            and port is not None
            and remote.type == "remote"
            and remote.addresses[0].split() == [port.mac, *port.networks]
        )

    return Expectation(f"{zone} has {peer}'s port as a remote one, with MAC and address", holds)


def switch_without_local_port(zone: str, switch: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        view = now.zones[zone]
        on_it = [each for each in view.switch_ports.values() if each.switch == switch]
        return (
            switch in view.switches
            and any(each.type == "remote" for each in on_it)
            and not any(each.type == "router" for each in on_it)
        )

    return Expectation(f"{switch} is there in {zone}, with remote ports only", holds)


# Routes


def learns(zone: str, prefix: str) -> Expectation:
    """With the peer's address of now as next hop."""

    def holds(_: View, now: View) -> bool:
        hops = {each.next_hop for each in now.zones[zone].learned() if each.prefix == prefix}
        return bool(hops) and hops <= _addresses(now.zones[_peer(zone)])

    return Expectation(f"{zone} has learned {prefix}, by its peer", holds)


def does_not_learn(zone: str, prefix: str) -> Expectation:
    return Expectation(
        f"{zone} has no learned route to {prefix}",
        lambda _, now: all(each.prefix != prefix for each in now.zones[zone].learned()),
    )


def keeps_stale_route(zone: str, prefix: str) -> Expectation:
    """A learned route from before, in a zone that has no port which it could leave by."""

    def holds(before: View, now: View) -> bool:
        old = {each.uuid for each in before.zones[zone].learned() if each.prefix == prefix}
        return any(each.uuid in old for each in now.zones[zone].learned())

    return Expectation(f"the route to {prefix} that {zone} had learned is still there", holds)


def talk() -> tuple[Expectation, ...]:
    """Both zones have learned the other's pods' network."""
    return learns("az1", SUBNETS["az2"]), learns("az2", SUBNETS["az1"])


def marks_are_the_routes_of_ic(zone: str, prefix: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        peer = now.zones[_peer(zone)].name
        rows = {uuid for owner, each, uuid in now.advertised if (owner, each) == (peer, prefix)}
        found = {each.learned for each in now.zones[zone].learned() if each.prefix == prefix}
        return bool(found) and found == rows

    return Expectation(f"{zone}'s ic-learned-route for {prefix} is the row of IC SB", holds)


def _advertised(zone: str, now: View) -> set[str]:
    return {prefix for owner, prefix, _ in now.advertised if owner == now.zones[zone].name}


def advertises(zone: str, *prefixes: str) -> Expectation:
    return Expectation(
        f"{zone} advertises {', '.join(prefixes)}",
        lambda _, now: {*prefixes} <= _advertised(zone, now),
    )


def does_not_advertise(zone: str, *prefixes: str) -> Expectation:
    return Expectation(
        f"{zone} does not advertise {', '.join(prefixes)}",
        lambda _, now: _advertised(zone, now).isdisjoint(prefixes),
    )


def goes_to_itself(zone: str) -> Expectation:
    """The trap of two zones with one address."""

    def holds(_: View, now: View) -> bool:
        hops = {each.next_hop for each in now.zones[zone].learned()}
        return bool(hops) and hops <= _addresses(now.zones[zone])

    return Expectation(f"{zone}'s learned routes have {zone}'s own address as next hop", holds)


# Manual routes and policies


def has_manual_route(zone: str, prefix: str, *, by: tuple[str, ...] = ("ts",)) -> Expectation:
    """By the peer's address of now on each of the switches."""

    def holds(_: View, now: View) -> bool:
        peer = _ports(_peer(zone), now)
        hops = sorted(each.next_hop for each in now.zones[zone].unlearned(prefix))
        return {*by} <= peer.keys() and hops == sorted(peer[each].addresses[0] for each in by)

    return Expectation(f"{zone} has a manual route to {prefix} on {', '.join(by)}", holds)


def manual_route_untouched(zone: str, prefix: str) -> Expectation:
    """The same row with the same next hop."""

    def holds(before: View, now: View) -> bool:
        old, new = (view.zones[zone].unlearned(prefix) for view in (before, now))
        return bool(old) and old == new

    return Expectation(f"the manual route of {zone} to {prefix} is as it was", holds)


def has_no_manual_route(zone: str, prefix: str) -> Expectation:
    return Expectation(
        f"{zone} has no manual route to {prefix}",
        lambda _, now: not now.zones[zone].unlearned(prefix),
    )


def _policies(zone: str, prefix: str, now: View) -> list[tuple[int, str, str]]:
    match = f"ip{6 if ':' in prefix else 4}.dst == {prefix}"
    return [each for each in now.zones[zone].policies if each[1] == match]


def allows(zone: str, prefix: str) -> Expectation:
    """One policy, as Kube-OVN needs it before its own reroute at 29000."""
    return Expectation(
        f"{zone} has one policy of priority 29500 that allows {prefix}",
        lambda _, now: (
            [(number, action) for number, _, action in _policies(zone, prefix, now)]
            == [(29500, "allow")]
        ),
    )


def has_no_policy_for(zone: str, prefix: str) -> Expectation:
    return Expectation(
        f"{zone} has no policy for {prefix}", lambda _, now: not _policies(zone, prefix, now)
    )


# The IC databases


def has_switches(*names: str) -> Expectation:
    return Expectation(
        f"the transit switches are {', '.join(names)}",
        lambda _, now: now.switches.keys() == {*names},
    )


def switch_is_marked(name: str, subnet: str) -> Expectation:
    marks = {"vendor": "kube-ovn", "subnet": subnet}
    return Expectation(
        f"{name} has vendor kube-ovn and subnet {subnet}",
        lambda _, now: now.switches.get(name) == marks,
    )


def is_registered(name: str, *switches: str) -> Expectation:
    """A row of Availability_Zone, and the bindings of the zone's ports."""
    ports = {(name, f"{switch}-{name}") for switch in switches}
    return Expectation(
        f"IC SB has zone {name}, bound on {', '.join(switches) or 'no switch'}",
        lambda _, now: (
            name in now.registered and {each for each in now.bound if each[0] == name} == ports
        ),
    )


def is_gone_from_ic(name: str) -> Expectation:
    def holds(_: View, now: View) -> bool:
        owners = {each[0] for rows in (now.gateways, now.bound, now.advertised) for each in rows}
        # A row whose zone is gone would have the owner "".
        return name not in now.registered and owners.isdisjoint({name, ""})

    return Expectation(f"IC SB has no row of zone {name}", holds)


def registration_kept(name: str) -> Expectation:
    return Expectation(
        f"zone {name} has the row of IC SB that it had",
        lambda before, now: (
            name in now.registered and now.registered[name] == before.registered[name]
        ),
    )


def registration_renewed(name: str) -> Expectation:
    """Its rows of IC SB were deleted and made again: the trace of a tear-down."""
    return Expectation(
        f"zone {name} has another row of IC SB",
        lambda before, now: (
            name in now.registered and now.registered[name] != before.registered[name]
        ),
    )


def is_gateway_in_ic(zone: str, *nodes: str) -> Expectation:
    wanted = {f"{zone}-{node}" for node in nodes}
    return Expectation(
        f"the gateways of {zone} in IC SB are {', '.join(nodes)}",
        lambda _, now: (
            {host for owner, host in now.gateways if owner == now.zones[zone].name} == wanted
        ),
    )


# What a change does, in two words


def rebuilt(zone: str) -> tuple[Expectation, ...]:
    """Torn down, and built again with the same name."""
    return ports_rebuilt(zone), registration_renewed(zone)


def untouched(zone: str) -> tuple[Expectation, ...]:
    """Never torn down."""
    return ports_kept(zone), registration_kept(zone)
