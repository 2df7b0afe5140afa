"""The order of a zone's gateways on each transit switch, and its changes. Pure arithmetic."""

from __future__ import annotations


def rotated(gateways: tuple[str, ...], index: int) -> tuple[str, ...]:
    """The gateways of the switch with that index.

    Each switch begins with another one, as Kube-OVN does it: with several switches traffic is
    spread over the gateways (docs/facts.md section 4).
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


BFD_GAP = "a gap of 1 to 2 s, as BFD begins"
"""Of a port that gets its first standby (measured: 1.0 to 1.9 s with OVN 23.03.1).

A single gateway is not watched. From its first standby on all of them are, and until they have
answered for the first time nobody sends to any.
"""


def begins_bfd(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """Whether a port that had a single gateway has several, if only until the old one goes."""
    return len(before) == 1 and len({*before, *after}) > 1 and after != before
