"""A learned route is of use when a policy of its own router lets traffic to it pass."""

from __future__ import annotations

import pytest

from icplan.kinds.common.contract import Held, Missing
from icplan.ovn.northbound import Policy
from tests.planning.recorded_case import Altered, Json

CLAIM = "az1 lets traffic to az2 pass"


def verdict(altered: Altered) -> object:
    made = altered.plan()
    (check,) = (one for one in made.checks if one.claim == CLAIM)
    return check.holds(made.view.facts)


def test_an_allowing_policy_of_the_router_lets_traffic_pass() -> None:
    assert verdict(Altered("ic_config/nothing-to-do")) == Held()


@pytest.mark.parametrize(
    "other",
    [
        {"action": "drop"},
        {"action": "reroute"},
        {"match": "ip4.src == 10.17.0.1/16"},
        {"match": "ip4.dst == 10.17.0.0/17"},
        {"match": "ip4.src == 10.16.0.0/24 && ip4.dst == 10.17.0.1/16"},
    ],
    ids=lambda other: " ".join(other.values()),
)
def test_any_other_policy_does_not(other: Json) -> None:
    altered = Altered("ic_config/nothing-to-do")
    (policy,) = altered.rows("az1/OVN_Northbound", "Logical_Router_Policy")
    policy |= other
    found = verdict(altered)
    assert isinstance(found, Missing)
    assert "no policy of priority 29500 in az1 lets traffic to 10.17.0.0/16 pass" in found.why


def test_a_policy_of_another_router_does_not() -> None:
    altered = Altered("ic_config/nothing-to-do")
    routers = altered.rows("az1/OVN_Northbound", "Logical_Router")
    other = dict(routers[0]) | {"_uuid": "other", "name": "vpc-2", "ports": []}
    routers[0]["policies"] = []
    routers.append(other | {"static_routes": []})
    assert isinstance(verdict(altered), Missing)


def test_what_a_policy_allows() -> None:
    assert Policy("", "ip4.dst == 10.17.0.1/16", "allow").allowed == "10.17.0.0/16"
    assert Policy("", " ip6.dst==fd00:17::/64 ", "allow").allowed == "fd00:17::/64"
    assert Policy("", "ip4.dst == 10.17.0.1/16", "drop").allowed is None
    assert Policy("", "ip4.dst == $a_set", "allow").allowed is None
