"""Which router policies take packets away before the routes are asked. Reads no database."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from icplan.ovn.northbound import ALLOW, REROUTE, Policy
from icplan.ovn.prefix import Prefixes, family, inside, network, ordered

_END = re.compile(r"ip([46])\.(src|dst)\s*(==|!=)\s*(\{[^{}]*\}|[^\s{}]+)")
_FAMILY = re.compile(r"\bip([46])\b")
_ALL = {"1", "ip", "ip4", "ip6"}


class Grip(IntEnum):
    """How much of a flow a policy's match is about."""

    NONE = 0
    MAYBE = 1
    """It depends on what is not known here: address sets, ports, alternatives."""
    PART = 2
    WHOLE = 3


@dataclass(frozen=True, slots=True)
class Flow:
    """Packets from one prefix to another; `source` is empty when it is not known."""

    source: str
    destination: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a policy takes away.

    Attributes:
        destinations: where its packets were to go, in order.
        sources: where they come from, in order; empty when the policy does not ask.
        certain: whether it takes everything between some source and some destination.
    """

    policy: Policy
    destinations: tuple[str, ...]
    sources: tuple[str, ...]
    certain: bool


@dataclass(frozen=True, slots=True)
class _End:
    """What a match says of one side.

    Attributes:
        side: src or dst.
        denied: whether the packets are those that are not from there, or go not there.
        listed: the prefixes; None for an address set.
    """

    side: str
    denied: bool
    listed: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Match:
    """A match as far as it is understood.

    Attributes:
        versions: the families that it speaks of.
        ends: what must all be so.
        rest: whether it says more than that.
    """

    versions: frozenset[int]
    ends: tuple[_End, ...]
    rest: bool


@lru_cache(maxsize=1 << 15)
def _read(match: str) -> _Match:
    versions = _versions(match)
    if "||" in match or "(" in match or "!" in match.replace("!=", ""):
        return _Match(versions, (), rest=True)
    ends: list[_End] = []
    rest = False
    for clause in (one.strip() for one in match.split("&&")):
        if found := _END.fullmatch(clause):
            listed = tuple(one.strip() for one in found[4].strip("{}").split(","))
            known = listed if all(map(_known, listed)) else None
            ends.append(_End(found[2], found[3] == "!=", known))
        elif clause not in _ALL:
            rest = True
    return _Match(versions, tuple(ends), rest)


def _versions(match: str) -> frozenset[int]:
    """The families that a match speaks of; none where it may be about both all the same."""
    if "!" in match.replace("!=", ""):
        return frozenset()
    named = [{int(one) for one in _FAMILY.findall(part)} for part in match.split("||")]
    return frozenset[int]().union(*named) if all(named) else frozenset()


def _known(text: str) -> bool:
    try:
        network(text)
    except ValueError:
        return False
    return True


def grip(policy: Policy, flow: Flow) -> Grip:
    """How much of a flow a policy is about; `NONE` only when it is surely about nothing of it."""
    match = _read(policy.match)
    if match.versions and family(flow.destination) not in match.versions:
        return Grip.NONE
    found = Grip.MAYBE if match.rest else Grip.WHOLE
    for end in match.ends:
        prefix = flow.destination if end.side == "dst" else flow.source
        if end.listed is None:
            # What Kube-OVN's own sets name as a destination lies in its own cluster.
            if end.side == "dst" and policy.of_kube_ovn and not end.denied:
                return Grip.NONE
            found = min(found, Grip.MAYBE)
        else:
            found = min(found, _held(end.listed, prefix, denied=end.denied))
    return found


def _held(listed: Sequence[str], prefix: str, *, denied: bool) -> Grip:
    """How much of a prefix is in one of those listed, or in none of them."""
    if not prefix:
        return Grip.PART
    if any(inside(prefix, one) for one in listed):
        return Grip.NONE if denied else Grip.WHOLE
    if any(inside(one, prefix) for one in listed):
        return Grip.PART
    return Grip.WHOLE if denied else Grip.NONE


def taken(
    policies: Sequence[Policy],
    sources: Iterable[str],
    destinations: Iterable[str],
    hops: Container[str],
) -> tuple[Taken, ...]:
    """What policies drop or reroute of the traffic between prefixes, the first policy first.

    Of the policies that match a packet the one of the highest priority decides; of equal ones
    nobody says which. Hardly any policy is about other zones' prefixes, so the others are put
    aside before any two are compared.

    Args:
        policies: all of a router that may matter.
        sources: the prefixes that packets may come from.
        destinations: the prefixes that they go to.
        hops: addresses to which packets may be rerouted all the same.
    """
    wanted = ordered(destinations)
    rivals = list(_rivals(policies, Prefixes(wanted), hops))
    if not rivals:
        return ()
    by_source = any(end.side == "src" for one in rivals for end in _read(one.match).ends)
    origins = ordered(sources) if by_source else ()
    # What comes after all of them decides nothing: Kube-OVN has a policy for each learned prefix.
    lowest = rivals[-1].priority
    passing = [
        one
        for one in policies
        if one.priority >= lowest and (one.action == ALLOW or _leads_on(one, hops))
    ]
    found: dict[Policy, list[tuple[Flow, bool]]] = {}
    for destination in wanted:
        version = family(destination)
        alike = [one for one in origins if family(one) == version] or [""]
        for flow in (Flow(one, destination) for one in alike):
            for policy, certain in _of_flow(rivals, passing, flow):
                found.setdefault(policy, []).append((flow, certain))
    return tuple(_taken(policy, found[policy]) for policy in rivals if policy in found)


def _rivals(policies: Sequence[Policy], wanted: Prefixes, hops: Container[str]) -> Iterator[Policy]:
    """Those that let nothing pass and may be about one of the destinations, the first one first."""
    for policy in sorted(policies, key=lambda one: (-one.priority, one.match, one.uuid)):
        if not policy.closes or _leads_on(policy, hops):
            continue
        ends = (one for one in _read(policy.match).ends if one.side == "dst" and not one.denied)
        if all(one.listed is None or any(map(wanted.touch, one.listed)) for one in ends):
            yield policy


def _leads_on(policy: Policy, hops: Container[str]) -> bool:
    """Whether packets are rerouted to where they should go."""
    reroutes = policy.action == REROUTE and bool(policy.nexthops)
    return reroutes and all(one in hops for one in policy.nexthops)


def _of_flow(
    rivals: Sequence[Policy], passing: Sequence[Policy], flow: Flow
) -> Iterator[tuple[Policy, bool]]:
    gripped = [(one, held) for one in rivals if (held := grip(one, flow)) is not Grip.NONE]
    if not gripped:
        return
    whole = (one.priority for one in passing if grip(one, flow) is Grip.WHOLE)
    allowed = max(whole, default=-1)
    for policy, held in gripped:
        if policy.priority < allowed:
            return
        certain = held is Grip.WHOLE and policy.priority > allowed
        yield policy, certain
        if certain:
            return


def _taken(policy: Policy, flows: Sequence[tuple[Flow, bool]]) -> Taken:
    """Of a policy that takes everything of some flows those are told, else all."""
    certain = any(sure for _, sure in flows)
    told = [flow for flow, sure in flows if sure or not certain]
    asks = any(end.side == "src" for end in _read(policy.match).ends)
    return Taken(
        policy,
        ordered(flow.destination for flow in told),
        ordered(flow.source for flow in told if asks and flow.source),
        certain,
    )
