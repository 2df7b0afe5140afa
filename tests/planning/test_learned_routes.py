"""Learned routes left behind: of those that a plan shows, what is there at the moment is taken."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from icplan.core import snapshot as snapshots
from icplan.core.io import Link, Query, Transaction, Unreadable
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Afresh
from icplan.kinds.common.residue import LEARNED_KIND
from icplan.ovn.facts import decode
from tests.planning.recorded_case import Altered, Json

CASE = "learned_route/stayed-behind"
PATH = "az2/OVN_Northbound"
IC = "ic/OVN_IC_Southbound"
ROUTES = "Logical_Router_Static_Route"
PODS, OFFICE = "10.16.0.1/16", "10.116.0.1/24"


class Moment:
    """A plan that shows both, and the zone as it is when that is carried out."""

    def __init__(self, seen: Callable[[], Altered] = lambda: Altered(CASE)) -> None:
        made = seen().plan()
        (change,) = (one for one in made.changes if one.address.kind == LEARNED_KIND)
        (self.effect,) = made.consequences.effects[change.address]
        (step,) = kind_of(change.address.kind).steps(change, made.view)
        assert step.afresh is not None
        self.planned = step.operation
        self.afresh: Afresh = step.afresh
        self.now = seen()
        self.rows = {one["ip_prefix"]: one for one in self.now.rows(PATH, ROUTES)}

    def lose(self, prefix: str) -> None:
        """ovn-ic takes one away."""
        self.now.rows(PATH, ROUTES).remove(self.rows[prefix])
        for router in self.now.rows(PATH, "Logical_Router"):
            gone = self.rows[prefix]["_uuid"]
            router["static_routes"] = [one for one in router["static_routes"] if one != gone]

    def made(self) -> Transaction:
        """The write as it is sent."""
        found = self.afresh.operation(decode(snapshots.decode(orjson.dumps(self.now.snapshot))))
        assert isinstance(found, Transaction)
        return found

    def taken(self) -> set[str]:
        """The prefixes of the rows that it takes off their router."""
        names = {one["_uuid"]: one["ip_prefix"] for one in self.now.rows(PATH, ROUTES)}
        writes = self.made().writes
        assert all(isinstance(one, Link) and not one.add for one in writes)
        return {names[one] for write in writes for one in getattr(write, "remove", ())}


def test_nothing_has_changed() -> None:
    moment = Moment()
    assert moment.made() == moment.planned
    assert moment.taken() == {PODS, OFFICE}


def test_one_is_gone_already() -> None:
    moment = Moment()
    moment.lose(PODS)
    assert moment.taken() == {OFFICE}


def test_ovn_ic_has_made_a_row_of_it_anew() -> None:
    moment = Moment()
    altered: dict[str, Json] = {"external_ids": {"ic-learned-route": "another row"}}
    moment.rows[PODS].update(altered)
    assert moment.taken() == {PODS, OFFICE}
    assert moment.made() != moment.planned


@pytest.mark.parametrize(
    "altered",
    [
        {"nexthop": "169.254.100.99"},
        {"ip_prefix": "10.99.0.1/16"},
        {"external_ids": {}},
        {"external_ids": {"icplan": "prod"}},
        {"route_table": "other"},
    ],
)
def test_what_the_plan_does_not_show_is_left_alone(altered: dict[str, Json]) -> None:
    moment = Moment()
    moment.rows[PODS].update(altered)
    assert moment.taken() == {OFFICE}


def test_another_router_s_are_left_alone() -> None:
    moment = Moment()
    (router,) = (
        one for one in moment.now.rows(PATH, "Logical_Router") if one["name"] == "ovn-cluster"
    )
    router["name"] = "vpc-1"
    assert moment.taken() == set()


def test_a_row_is_taken_only_as_long_as_it_is_that_route() -> None:
    rows = [one for one in Moment().made().preconditions if one.table == ROUTES]
    assert len(rows) == 2
    for one in rows:
        assert one.or_none
        assert {str(field) for field, _ in one.fields} == {
            "ip_prefix",
            "nexthop",
            "external_ids:ic-learned-route",
        }
        assert all(value for _, value in one.fields)


def test_the_zone_does_not_answer() -> None:
    moment = Moment()
    moment.now.snapshot["databases"][PATH] = {"unreadable": {"cause": "gone", "cure": "look"}}
    found = moment.afresh.operation(decode(snapshots.decode(orjson.dumps(moment.now.snapshot))))
    assert found == Unreadable("gone", "look")


def _rebuilt() -> Altered:
    """The same plan rebuilds az1: its ConfigMap holds a key that nobody knows."""
    case = Altered("learned_route/will-stay-behind")
    case.config("az1")["stray"] = "1"
    return case


ANOTHER_HOP: dict[str, Json] = {"nexthop": "169.254.100.99"}


def test_a_zone_that_the_plan_rebuilds_has_other_next_hops_by_then() -> None:
    moment = Moment(_rebuilt)
    assert moment.effect.sentence.endswith(
        "; az1 draws other addresses before: its routes are then taken away with the next hops "
        "that they have by that time"
    )
    tables = {one.table for one in moment.afresh.queries if isinstance(one, Query)}
    assert tables >= {"Route", "Availability_Zone"}
    moment.rows[PODS].update(ANOTHER_HOP)
    assert moment.taken() == {PODS, OFFICE}
    # az1 has registered it anew.
    for row in moment.now.rows(IC, "Route"):
        if row["ip_prefix"] == PODS:
            row.update(ANOTHER_HOP, _uuid="anew")
    moment.rows[PODS]["external_ids"] = {"ic-learned-route": "anew"}
    assert moment.taken() == {PODS, OFFICE}


def test_of_others_it_still_takes_only_what_it_shows() -> None:
    moment = Moment(_rebuilt)
    moment.rows[PODS].update(ANOTHER_HOP)
    (az2,) = (one for one in moment.now.rows(IC, "Availability_Zone") if one["name"] == "az2")
    for row in moment.now.rows(IC, "Route"):
        if row["ip_prefix"] == PODS:
            row["availability_zone"] = az2["_uuid"]
    assert moment.taken() == {OFFICE}
    # A prefix that az1 has got since is none that the plan shows.
    moment = Moment(_rebuilt)
    for row in (*moment.now.rows(IC, "Route"), moment.rows[PODS]):
        if row.get("ip_prefix") == PODS:
            row.update(ANOTHER_HOP, ip_prefix="10.99.0.1/16")
    assert moment.made().writes
    assert moment.taken() == {OFFICE}


def test_it_is_not_known_whose_they_are() -> None:
    moment = Moment(_rebuilt)
    moment.now.snapshot["databases"][IC] = {"unreadable": {"cause": "gone", "cure": "look"}}
    found = moment.afresh.operation(decode(snapshots.decode(orjson.dumps(moment.now.snapshot))))
    assert found == Unreadable("gone", "look")
