"""The order of a zone's gateways on each transit switch, and its changes. Pure arithmetic."""

from __future__ import annotations


def rotated(gateways: tuple[str, ...], index: int) -> tuple[str, ...]:
    """The gateways of the switch with that index.

    Each switch begins with another one, as Kube-OVN does it: with several switches traffic is
    spread over the gateways (domain facts section 4).
    """
    if not gateways:
        return ()
    start = index % len(gateways)
    return gateways[start:] + gateways[:start]


def replaced(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether none of a zone's gateways stays.

    Then the new ones are added first, and the old ones taken away once a new one serves: one that
    does not work leaves the zone with those that do.
    """
    return bool(before) and bool(after) and not {*before} & {*after}
