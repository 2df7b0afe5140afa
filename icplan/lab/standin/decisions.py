"""What the controller decides, from values to values. Touches nothing.

Odd behaviour here is the real controller's: this module is there to have it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from icplan.lab.standin.generation import Generation
from icplan.lab.standin.values import (
    ADVERTISE,
    BLACKLIST,
    JOIN_SUBNET,
    LEARN,
    Config,
    NodeView,
)

_GATEWAYS_KEY = "gw-nodes"


class Step(Enum):
    """What a round does."""

    NOTHING = "nothing"
    ESTABLISH = "first establishment"
    GATEWAYS = "gateways in place"
    REBUILD = "tear-down and rebuild"


def next_step(generation: Generation, *, enabled: bool, last: Config | None, now: Config) -> Step:
    """What a ConfigMap that does not say "false" asks for.

    Args:
        generation: which controller.
        enabled: whether the last round that succeeded has established the interconnection.
        last: the ConfigMap of that round.
        now: the ConfigMap of this round.
    """
    if not enabled and not last and now.get("enable-ic") == "true":
        return Step.ESTABLISH
    if enabled and last is not None:
        if last == now:
            return Step.NOTHING
        if generation.gateways_in_place and _without_gateways(last) == _without_gateways(now):
            return Step.GATEWAYS
    return Step.REBUILD


def _without_gateways(config: Config) -> dict[str, str]:
    return {key: value for key, value in config.items() if key != _GATEWAYS_KEY}


def ic_address(hosts: str, port: str) -> str:
    """Where an IC database is, from the ConfigMap's texts: always tcp, nothing checked."""
    return ",".join(f"tcp:[{host}]:{port}" for host in hosts.strip(",").split(","))


def gateway_nodes(generation: Generation, config: Config) -> list[str]:
    """The names of the gateway nodes, the active one first."""
    names = [name.strip() for name in config.get(_GATEWAYS_KEY, "").strip(",").split(",")]
    return [name for name in names if name] if generation.tolerates_no_gateways else names


def rotated(nodes: Sequence[str], index: int) -> list[str]:
    """The order of the gateways on the index-th transit switch."""
    if not nodes:
        return []
    start = index % len(nodes)
    return [*nodes[start:], *nodes[:start]]


def draw_networks(
    subnet: str, taken: Iterable[str], draw_below: Callable[[int], int]
) -> tuple[str, ...]:
    """Random addresses in the lower half of a transit switch's subnets, network address included.

    Only an address that stands in `taken` as a whole is drawn again: with dual stack none does.

    Args:
        subnet: one network, or two separated by a comma.
        taken: the addresses of remote ports.
        draw_below: gives a random number from 0 to below its argument.
    """
    networks = [ipaddress.ip_network(each.strip()) for each in subnet.split(",")]
    excluded = set(taken)
    while True:
        chosen = tuple(
            f"{network[draw_below(network.num_addresses // 2)]}/{network.prefixlen}"
            for network in networks
        )
        if ",".join(chosen) not in excluded:
            return chosen


def draw_share(draw_below: Callable[[int], int], share: int, end: int) -> int:
    """A random number below `end`, a multiple of eight, that no other of eight shares has."""
    return draw_below(end // 8) * 8 + share % 8


def draw_mac(draw_below: Callable[[int], int]) -> str:
    """A random Ethernet address: unicast, locally administered."""
    octets = [draw_below(256) for _ in range(6)]
    octets[0] = octets[0] & 0xFC | 0x02
    return ":".join(f"{octet:02x}" for octet in octets)


def overlap(one: str, other: str) -> bool:
    """Whether two prefixes overlap; host bits do not matter, and an address is no prefix."""
    if "/" not in one or "/" not in other:
        return False
    try:
        left = ipaddress.ip_interface(one).network
        right = ipaddress.ip_interface(other).network
    except ValueError:
        return False
    return left.version == right.version and left.overlaps(right)


def subnet_prefixes(subnets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The prefixes of all Subnets: custom VPCs and underlay included."""
    blocks = [str(subnets[name].get("cidrBlock") or "") for name in sorted(subnets)]
    return [prefix for block in blocks for prefix in block.split(",") if prefix]


def denied_overlaps(
    local: Sequence[str], learned: Sequence[str], denied_before: Iterable[str]
) -> list[str]:
    """Both sides of every overlap between own and learned prefixes, and old denials.

    An old denial stays as long as it overlaps with any own subnet. As the whole list of the last
    round is looked through, an own subnet that was withheld stays denied, and `join` is in the
    list twice.

    Args:
        local: the prefixes of the own Subnets.
        learned: the prefixes of learned routes.
        denied_before: what was denied, for whatever reason.
    """
    denied = {entry for entry in denied_before if any(overlap(prefix, entry) for prefix in local)}
    for prefix in local:
        found = next((each for each in learned if overlap(prefix, each)), None)
        if found is not None:
            denied |= {prefix, found}
    return sorted(denied)


def blacklist(
    subnets: Mapping[str, Mapping[str, Any]],
    overlaps: Iterable[str],
    nodes: Mapping[str, NodeView],
) -> str:
    """The text of ic-route-blacklist."""
    withheld = [
        str(subnets[name].get("cidrBlock") or "")
        for name in sorted(subnets)
        if subnets[name].get("disableInterConnection") or name == JOIN_SUBNET
    ]
    addresses = [address for name in sorted(nodes) for address in nodes[name].internal_ips]
    return ",".join([*withheld, *overlaps, *addresses])


def route_options(current: Mapping[str, str], denied: str | None) -> dict[str, str]:
    """NB_Global.options with route exchange on (a blacklist, maybe empty) or off (none)."""
    ours = (ADVERTISE, LEARN, BLACKLIST)
    options = {key: value for key, value in current.items() if key not in ours}
    if denied is not None:
        options |= {ADVERTISE: "true", LEARN: "true", BLACKLIST: denied}
    return options


def policy_match(prefix: str) -> str:
    """The match of the policy that keeps Kube-OVN from rerouting a prefix."""
    return f"ip{6 if ':' in prefix else 4}.dst == {prefix}"


def owned_switch_port(name: str, zone: str, prefix: str) -> str | None:
    """The transit switch of a zone's switch port ("ts1-az1" gives "ts1"); none for others."""
    switch, separator, owner = name.partition("-")
    return switch if separator and owner == zone and switch.startswith(prefix) else None


def owned_router_port(name: str, zone: str, prefix: str) -> bool:
    """Whether a router port ("az1-ts1") is a zone's own on a transit switch."""
    owner, separator, switch = name.rpartition("-")
    return bool(separator) and owner == zone and switch.startswith(prefix)
