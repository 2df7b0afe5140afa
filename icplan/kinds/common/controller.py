"""What all kinds know of Kube-OVN's interconnection controller. Writes nothing itself."""

from __future__ import annotations

from icplan.core.address import Address
from icplan.kinds.common.contract import Check, Guard, Verdict
from icplan.kinds.common.evidence import in_cluster, verdict
from icplan.ovn.cluster import (
    CONTROLLER,
    NAMESPACE,
    Cluster,
    controller_queries,
)
from icplan.ovn.generation import Generation

CONFIG_KIND = "ic-config"
"""The kind of the ConfigMap; everything of a Kube-OVN zone depends on it."""
DENYLIST_KIND = "denylist"
"""The kind of what its controller denies for no reason."""
ADDRESSES_KIND = "transit-addresses"
"""The kind of the addresses that its controller has drawn."""
ENABLE = "enable-ic"

REBUILD_SECONDS = "1 to 5 s"
"""The control plane's gap was 0.2 to 1.2 s (domain facts section 3, measured), and the data
plane's own time comes on top."""


def config_address(zone: str) -> Address:
    """The address of a zone's ConfigMap."""
    return Address(zone, CONFIG_KIND)


def needs(zone: str) -> frozenset[Address]:
    """What a zone's controller must have been told before it can be as declared.

    The cures count as well: each switches the zone off and on, and takes its ports along.
    """
    kinds = (CONFIG_KIND, DENYLIST_KIND, ADDRESSES_KIND)
    return frozenset(Address(zone, kind) for kind in kinds)


def trouble(cluster: Cluster) -> str:
    """Why the controller would not carry out what is written; empty when it would."""
    deployment = cluster.controller
    if deployment is None:
        return f"there is no Deployment {NAMESPACE}/{CONTROLLER}"
    name = f"Deployment {NAMESPACE}/{deployment.name}"
    if deployment.rolling_out:
        return f"{name} is in the middle of a rollout"
    if deployment.available != 1:
        return f"{name} has {deployment.available} available replicas, not one"
    return ""


def running_cure(zone: str) -> str:
    """What to do about a controller that does not run."""
    return (
        f"let exactly one run in {zone}: kubectl -n {NAMESPACE} scale deployment/{CONTROLLER} "
        "--replicas=1; its log tells why one does not start"
    )


def controller_cure(zone: str) -> str:
    """What to do about a controller that has not done something."""
    return (
        f"see why the controller of {zone} has not done it: "
        f"kubectl -n {NAMESPACE} logs deployment/{CONTROLLER}"
    )


def running(zone: str) -> Check:
    """The controller runs."""

    def test(cluster: Cluster) -> Verdict:
        why = trouble(cluster)
        return verdict(not why, f"{zone}: {why}", running_cure(zone))

    return Check(
        config_address(zone),
        f"the controller of {zone} runs",
        frozenset(),
        in_cluster(zone, test),
    )


def guard(zone: str) -> Guard:
    """Nothing is written that no controller would carry out, or clean up (domain facts 3)."""
    return Guard(controller_queries(zone), running(zone))


def described(cluster: Cluster) -> str:
    """A controller in a sentence: "its controller (v1.17.0)"."""
    version = cluster.version
    return f"its controller ({version})" if version else "its controller (of unknown version)"


def may_be(cluster: Cluster, generation: Generation) -> bool:
    """Whether a controller may behave like a generation: an unknown one may do both."""
    return cluster.generation in {generation, Generation.UNKNOWN}
