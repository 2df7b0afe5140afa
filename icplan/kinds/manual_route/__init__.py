"""A route of the file to another zone's subnet over one transit switch: one static route row."""

from icplan.kinds.common.contract import Kind
from icplan.kinds.manual_route.checks import checks
from icplan.kinds.manual_route.effects import effects
from icplan.kinds.manual_route.state import (
    HOP,
    KUBE_OVN,
    NAME,
    POLICY,
    TO,
    desired,
    follows,
    observed,
    place,
    queries,
    takes_away,
    vpc_s,
)
from icplan.kinds.manual_route.writes import steps

__all__ = [
    "HOP",
    "KIND",
    "KUBE_OVN",
    "NAME",
    "POLICY",
    "TO",
    "desired",
    "observed",
    "place",
    "vpc_s",
]

KIND = Kind(
    NAME,
    False,
    queries,
    desired,
    observed,
    effects,
    steps,
    checks,
    takes_away=takes_away,
    follows=follows,
)
