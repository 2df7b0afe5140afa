"""Tests of evidence that keep "could not be seen" apart from "is not so". Knows no kind."""

from __future__ import annotations

from collections.abc import Callable

from icplan.kinds.common.contract import Held, Missing, Verdict
from icplan.ovn.cluster import Cluster
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.interconnect import IcSouthbound
from icplan.ovn.northbound import Northbound

Test = Callable[[Facts], Verdict]

_STALE = "where that says `stale data`, it remembers an earlier cluster: restart ovn-ic"


def verdict(good: bool, why: str, cure: str) -> Verdict:
    """Held, or missing for that reason."""
    return Held() if good else Missing(why, cure)


def in_zone(zone: str, test: Callable[[Northbound], Verdict]) -> Test:
    """A test on a zone's northbound database."""

    def run(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone)
        return unseen if unseen is not None else test(facts.northbound[zone])

    return run


def in_ic(test: Callable[[IcSouthbound], Verdict]) -> Test:
    """A test on the IC southbound database."""

    def run(facts: Facts) -> Verdict:
        unseen = facts.ic_unseen()
        if unseen is not None or facts.ic_southbound is None:
            return unseen or NOT_ASKED
        return test(facts.ic_southbound)

    return run


def ovn_ic_cure(zone: str) -> str:
    """What to do when a zone's ovn-ic did not react."""
    return (
        f"check that ovn-ic runs in {zone} and reaches the IC databases "
        f"(where it runs, `ovn-appctl -t ovn-ic status`, and its log; {_STALE})"
    )


def in_cluster(zone: str, test: Callable[[Cluster], Verdict]) -> Test:
    """A test on the objects of a zone's cluster."""

    def run(facts: Facts) -> Verdict:
        unseen = facts.cluster_unseen(zone)
        return unseen if unseen is not None else test(facts.clusters[zone])

    return run
