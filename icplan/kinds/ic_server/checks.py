"""The evidence that the Deployment serves its databases, or that it is gone. Reads nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from icplan.core.commands import shown
from icplan.core.words import REPAIRED
from icplan.kinds.common.commands import in_namespace
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.evidence import in_cluster, verdict
from icplan.kinds.common.ic_server import deployed, deployment_address, runs, titled
from icplan.kinds.common.places import declared_place
from icplan.ovn.cluster import IC_LEADERS, IC_SERVER, Cluster
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec


def checks(view: View) -> Iterator[Check]:
    """Its pods are there, lead both databases, and these answer where the zones look for them."""
    zone = deployed(view)
    if zone is None:
        return
    own = deployment_address()
    needs = frozenset({own})
    if view.spec.destroyed:
        if zone.cluster.ic_server is not None:
            yield Check(own, f"{titled(zone.name)} is gone", needs, _gone(view.spec, zone.name))
        return
    yield Check(own, f"{titled(zone.name)} runs", needs, runs(view.spec, zone.name), first=True)
    yield Check(
        own, "its pods lead both IC databases", needs, _led(view.spec, zone.name), first=True
    )
    place = declared_place(view.spec)
    yield Check(own, f"the IC databases answer at {place}", needs, _answer, first=True)


def _led(spec: Spec, zone: str) -> Callable[[Facts], Verdict]:
    def test(cluster: Cluster) -> Verdict:
        kubectl = in_namespace(spec, zone)
        pods = f"{kubectl} get pod -l app={IC_SERVER}"
        led = {label for pod in cluster.ic_pods for label in pod.leads}
        missing = [f"{one}=true" for one in IC_LEADERS if one not in led]
        return verdict(
            not missing,
            f"no pod of {titled(zone)} has the label {' or '.join(missing)}",
            f"see why its members do not agree on a leader: {shown(f'{pods} --show-labels')}, "
            f"and {shown(f'{kubectl} logs -l app={IC_SERVER} --tail=50 --prefix')}",
        )

    return in_cluster(zone, test)


def _answer(facts: Facts) -> Verdict:
    if facts.ic_absent:
        return Missing("there are no IC databases", REPAIRED)
    return facts.ic_unseen() or Held()


def _gone(spec: Spec, zone: str) -> Callable[[Facts], Verdict]:
    def test(cluster: Cluster) -> Verdict:
        pods = f"{in_namespace(spec, zone)} get pod -l app={IC_SERVER}"
        left = cluster.ic_server is not None or cluster.ic_pods
        return verdict(
            not left,
            f"{titled(zone)} or one of its pods is still there",
            f"see why it does not end: {shown(f'{pods} -o wide')}",
        )

    return in_cluster(zone, test)
