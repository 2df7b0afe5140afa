"""What all kinds know of Kube-OVN's interconnection controller. Writes nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from icplan.core.address import Address
from icplan.core.kubernetes import Expected, ReplaceData
from icplan.kinds.common.contract import Check, Guard, Verdict
from icplan.kinds.common.evidence import in_cluster, in_zone, verdict
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import (
    CONTROLLER,
    NAMESPACE,
    OWNER,
    ROUTER,
    Cluster,
    ConfigMap,
    config_resource,
    controller_queries,
)
from icplan.ovn.generation import Generation
from icplan.ovn.northbound import Northbound

CONFIG_KIND = "ic-config"
"""The kind of the ConfigMap; everything of a Kube-OVN zone depends on it."""
ENABLE = "enable-ic"

REBUILD_SECONDS = "1 to 5 s"
"""The control plane's gap was 0.2 to 1.2 s (domain facts section 3, measured), and the data
plane's own time comes on top."""


def config_address(zone: str) -> Address:
    """The address of a zone's ConfigMap."""
    return Address(zone, CONFIG_KIND)


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


def ports(northbound: Northbound) -> tuple[str, ...]:
    """The ports of the controller's router on transit switches."""
    return tuple(
        one.switch_port.name
        for switch in northbound.switches
        if switch.transit_switch
        for one in of_router(northbound, switch.transit_switch, ROUTER)
    )


def taken_down(zone: str) -> Check:
    """The controller has taken its zone's ports away, so it has seen that it is switched off.

    Nothing else is asked: one at a standstill has no ports either, and keeps the options for ever
    (measured); it sees what comes next as soon as its pod is restarted.
    """

    def test(northbound: Northbound) -> Verdict:
        left = ports(northbound)
        return verdict(
            not left,
            f"{zone} still has {', '.join(left)}",
            controller_cure(zone),
        )

    return Check(
        config_address(zone),
        f"the controller of {zone} has taken the interconnection down",
        frozenset({config_address(zone)}),
        in_zone(zone, test),
    )


def replaced(
    zone: str,
    found: ConfigMap,
    before: Mapping[str, str],
    after: Mapping[str, str],
    *,
    mark: str | None,
    owner: str,
) -> ReplaceData:
    """The guarded write of a ConfigMap's data.

    Args:
        zone: the zone.
        found: the ConfigMap as the plan saw it.
        before: the data that is expected at the moment of the write.
        after: the data that is written.
        mark: the owner's mark that is expected.
        owner: the one that is left.
    """
    return ReplaceData(
        config_resource(zone),
        found.uid,
        (
            Expected(("data",), dict(before)),
            Expected(("metadata", "annotations", OWNER), mark),
        ),
        after,
        {OWNER: owner},
    )


def described(cluster: Cluster) -> str:
    """A controller in a sentence: "its controller (v1.17.0)"."""
    version = cluster.version
    return f"its controller ({version})" if version else "its controller (of unknown version)"


def may_be(cluster: Cluster, generation: Generation) -> bool:
    """Whether a controller may behave like a generation: an unknown one may do both."""
    return cluster.generation in {generation, Generation.UNKNOWN}
