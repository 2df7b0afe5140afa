"""Whether the IC databases that the file deploys are there at all. Deploys none."""

from __future__ import annotations

from icplan.ovn.facts import Facts
from icplan.spec.load import Spec
from icplan.spec.model import Deployment, Runtime


def founded(spec: Spec, facts: Facts) -> Facts:
    """The facts, with IC databases that are known not to exist taken as empty.

    Only what icplan deploys itself can be known not to exist: of a process that somebody else
    runs, silence says nothing.
    """
    deployment = spec.interconnect.ic_database.deployment
    if deployment is None or facts.ic_unseen() is None or not _nothing_there(deployment, facts):
        return facts
    return facts.without_ic()


def _nothing_there(deployment: Deployment, facts: Facts) -> bool:
    if deployment.runtime is Runtime.KUBERNETES and deployment.zone is not None:
        cluster = facts.clusters.get(deployment.zone)
        return cluster is not None and cluster.ic_server is None
    return False
