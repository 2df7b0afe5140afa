"""What all kinds know of Kube-OVN's interconnection controller. Writes nothing itself."""

from __future__ import annotations

from icplan.core.address import Address
from icplan.core.commands import shown
from icplan.kinds.common.commands import in_namespace
from icplan.kinds.common.contract import Check, Guard, Verdict
from icplan.kinds.common.evidence import in_cluster, verdict
from icplan.ovn.cluster import (
    BEFORE_1_11,
    CONFIG,
    CONTROLLER,
    NAMESPACE,
    Cluster,
    controller_queries,
)
from icplan.ovn.generation import Generation
from icplan.spec.load import Spec

CONFIG_KIND = "ic-config"
"""The kind of the ConfigMap; everything of a Kube-OVN zone depends on it."""
DENYLIST_KIND = "denylist"
"""The kind of what its controller denies for no reason."""
ADDRESSES_KIND = "transit-addresses"
"""The kind of the addresses that its controller has drawn."""
PORTS_KIND = "transit-ports"
"""The kind of the ports that it has made, and that have gone since."""
ENABLE = "enable-ic"
_OFF_ON = ("false", "true")

REBUILD_SECONDS = "1 to 5 s"
"""The control plane's gap was 0.2 to 1.2 s (docs/facts.md section 3, measured), and the data
plane's own time comes on top."""


def config_address(zone: str) -> Address:
    """The address of a zone's ConfigMap."""
    return Address(zone, CONFIG_KIND)


def needs(zone: str) -> frozenset[Address]:
    """What a zone's controller must have been told before it can be as declared.

    The cures count as well: each switches the zone off and on, and takes its ports along.
    """
    kinds = (CONFIG_KIND, DENYLIST_KIND, ADDRESSES_KIND, PORTS_KIND)
    return frozenset(Address(zone, kind) for kind in kinds)


def trouble(cluster: Cluster) -> str:
    """Why the controller would not carry out what is written; empty when it would.

    Of kube-ovn-controller several may run: they choose a leader among them.
    """
    deployment = cluster.controller
    if deployment is None:
        return _not_installed(cluster)
    name = f"Deployment {NAMESPACE}/{deployment.name}"
    if deployment.rolling_out:
        return f"{name} is in the middle of a rollout"
    if deployment.name == BEFORE_1_11:
        return "" if deployment.available else f"{name} has no available replica"
    if deployment.available != 1:
        return f"{name} has {deployment.available} available replicas, not one"
    return ""


def _not_installed(cluster: Cluster) -> str:
    missing = f"there is no Deployment {NAMESPACE}/{CONTROLLER}"
    if BEFORE_1_11 not in cluster.deployments:
        return missing
    if cluster.generation is not Generation.UNKNOWN:
        return f"{missing}: ENABLE_IC is off in that cluster's Kube-OVN ({cluster.version})"
    return (
        f"{missing}: ENABLE_IC is off in that cluster's Kube-OVN, unless it is older than 1.11, "
        f"which the image of {BEFORE_1_11} does not tell"
    )


def running_cure(spec: Spec, zone: str, cluster: Cluster) -> str:
    """What to do about a controller that does not run."""
    deployment, kubectl = cluster.controller, in_namespace(spec, zone)
    if deployment is None:
        there = shown(f"{kubectl} get deployment {CONTROLLER}")
        return (
            f"set ENABLE_IC=true in the installation of Kube-OVN in {zone}; then there is one: "
            f"{there}"
        )
    name = f"deployment/{deployment.name}"
    if deployment.rolling_out:
        return f"wait until it is through in {zone}: {shown(f'{kubectl} rollout status {name}')}"
    if deployment.replicas > 0:
        why = shown(f"{kubectl} get pod -l app={deployment.name}")
        if deployment.available > 1 and deployment.name != BEFORE_1_11:
            one = shown(f"{kubectl} scale {name} --replicas=1")
            return f"let exactly one run in {zone}: {one}"
        return (
            f"see why its pod in {zone} does not become available: {why}, and "
            f"{shown(f'{kubectl} logs {name} --tail=50')}"
        )
    return f"let one run in {zone}: {shown(f'{kubectl} scale {name} --replicas=1')}"


def controller_cure(spec: Spec, zone: str) -> str:
    """What to do about a controller that has not done something."""
    log = f"{in_namespace(spec, zone)} logs deployment/{CONTROLLER} --tail=50"
    return f"see why the controller of {zone} has not done it: {shown(log)}"


def restart(spec: Spec, zone: str) -> str:
    """What gets a controller out of a standstill (docs/facts.md section 3, measured)."""
    return shown(f"{in_namespace(spec, zone)} rollout restart deployment/{CONTROLLER}")


def off_and_on_cure(spec: Spec, zone: str) -> str:
    """How a person switches a zone off and on again, which rebuilds what is there."""
    patch = f"{in_namespace(spec, zone)} patch configmap {CONFIG} --type merge -p"
    off, on = (shown(f'{patch} \'{{"data":{{"{ENABLE}":"{value}"}}}}\'') for value in _OFF_ON)
    return (
        f"switch {zone} off and on again, which cuts it off meanwhile: {off}, and when its ports "
        f"on the transit switches are gone {on}"
    )


def running(spec: Spec, zone: str) -> Check:
    """The controller runs."""

    def test(cluster: Cluster) -> Verdict:
        why = trouble(cluster)
        return verdict(not why, f"{zone}: {why}", running_cure(spec, zone, cluster))

    return Check(
        config_address(zone),
        f"the controller of {zone} runs",
        frozenset(),
        in_cluster(zone, test),
        first=True,
    )


def guard(spec: Spec, zone: str) -> Guard:
    """No write that no controller would carry out, or clean up (docs/facts.md section 3)."""
    return Guard(controller_queries(zone), running(spec, zone))


def described(cluster: Cluster) -> str:
    """A controller in a sentence: "its controller (v1.17.0)"."""
    version = cluster.version
    return f"its controller ({version})" if version else "its controller (of unknown version)"


def may_be(cluster: Cluster, generation: Generation) -> bool:
    """Whether a controller may behave like a generation: an unknown one may do both."""
    return cluster.generation in {generation, Generation.UNKNOWN}
