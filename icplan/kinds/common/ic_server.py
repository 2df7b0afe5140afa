"""Kube-OVN's Deployment that runs the IC databases: which one the file means. Writes none."""

from __future__ import annotations

from collections.abc import Callable

from icplan.core.address import IC, Address
from icplan.core.commands import shown
from icplan.core.words import REPAIRED
from icplan.kinds.common import zones
from icplan.kinds.common.commands import in_namespace
from icplan.kinds.common.contract import Verdict, View
from icplan.kinds.common.evidence import in_cluster, verdict
from icplan.kinds.common.transit_address import bare
from icplan.ovn.cluster import IC_SERVER, NAMESPACE, Cluster, Deployment
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec
from icplan.spec.model import Runtime

DEPLOYMENT_KIND = "deployment"
"""What runs the IC databases in a cluster."""


def deployment_address() -> Address:
    """The address of the Deployment that the file declares."""
    return Address(IC, DEPLOYMENT_KIND)


def titled(zone: str) -> str:
    """How that Deployment is called in front of people."""
    return f"Deployment {NAMESPACE}/{IC_SERVER} of {zone}"


def deployed_in(spec: Spec) -> str | None:
    """The zone whose cluster is to run the IC databases; None: the file wants that of none."""
    deployment = spec.interconnect.ic_database.deployment
    if deployment is None or deployment.runtime is not Runtime.KUBERNETES:
        return None
    return deployment.zone


def deployed(view: View) -> zones.SeenCluster | None:
    """That zone, once its cluster was read; None also when it is left out."""
    name = deployed_in(view.spec)
    return next((one for one in zones.clusters(view) if one.name == name), None)


def members_today(cluster: Cluster) -> tuple[str, ...]:
    """The members that the pods are told of, the one that begins first; none without pods."""
    return tuple(map(bare, cluster.ic_server.members)) if cluster.ic_server else ()


def members_wanted(spec: Spec, cluster: Cluster) -> tuple[str, ...]:
    """The addresses of the masters, in the order in which the pods are to be told of them.

    Those who are members stay where they are: a new member joins by the first one, and one that
    is first itself would join nobody (read in Kube-OVN's source).
    """
    hosts = spec.interconnect.ic_database.hosts
    before = members_today(cluster)
    rank = {one: place for place, one in enumerate(dict.fromkeys((*before, *map(bare, hosts))))}
    found = {bare(one.primary) for one in cluster.masters if one.primary}
    return tuple(sorted(found, key=lambda one: (rank.get(one, len(rank)), one)))


def trouble(deployment: Deployment | None) -> str:
    """Why the Deployment should not be rolled out now; empty when it may be.

    Of several members one that is down already may be one too many.
    """
    if deployment is None:
        return "it is not there"
    if deployment.rolling_out:
        return "it is in the middle of a rollout"
    if deployment.available < max(deployment.replicas, 1):
        return f"it has {deployment.available} of {deployment.replicas} replicas available"
    return ""


def cure(spec: Spec, zone: str) -> str:
    """What to do about a Deployment that does not run."""
    kubectl = in_namespace(spec, zone)
    pods = shown(f"{kubectl} get pod -l app={IC_SERVER} -o wide")
    log = shown(f"{kubectl} logs deployment/{IC_SERVER} --tail=50")
    return f"see why its pods in {zone} do not run: {pods}, and {log}"


def runs(spec: Spec, zone: str) -> Callable[[Facts], Verdict]:
    """The test that all of its pods are there and of one kind."""

    def test(cluster: Cluster) -> Verdict:
        why = trouble(cluster.ic_server)
        what = cure(spec, zone) if cluster.ic_server else REPAIRED
        return verdict(not why, f"{titled(zone)}: {why}", what)

    return in_cluster(zone, test)
