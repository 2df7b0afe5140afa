"""The two generations of the controller: all that differs between them. Values only.

NEW is 1.15.24 and later 1.15, the 1.16 branch after 1.16.2, and 1.17. OLD is everything before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Generation:
    """What one generation does differently from the other.

    Attributes:
        name: "new" or "old".
        gateways_in_place: a change of only `gw-nodes` rewrites the Gateway_Chassis of the ports
            that are there; otherwise it tears everything down, and a port that is there keeps
            the gateways it has.
        tolerates_no_gateways: an empty `gw-nodes` takes the gateways off the ports; otherwise it
            is one node with an empty name, which has no chassis, so that every round fails.
        denies_overlaps: prefixes that overlap with own subnets are denied, and stay denied.
        deletes_learned_routes: a tear-down deletes them; otherwise it looks for them with the
            wrong policy ("src-ip") and finds none.
        options_before_tear_down: a disable takes the ic-route options off first, then the ports.
    """

    name: str
    gateways_in_place: bool
    tolerates_no_gateways: bool
    denies_overlaps: bool
    deletes_learned_routes: bool
    options_before_tear_down: bool


NEW = Generation(
    "new",
    gateways_in_place=True,
    tolerates_no_gateways=True,
    denies_overlaps=True,
    deletes_learned_routes=True,
    options_before_tear_down=True,
)
OLD = Generation(
    "old",
    gateways_in_place=False,
    tolerates_no_gateways=False,
    denies_overlaps=False,
    deletes_learned_routes=False,
    options_before_tear_down=False,
)
GENERATIONS: Mapping[str, Generation] = {NEW.name: NEW, OLD.name: OLD}
