"""The order of a zone's gateways on each transit switch. Pure arithmetic."""

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
