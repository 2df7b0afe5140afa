"""Whether the IC databases that the file deploys are there at all, and run. Deploys none."""

from __future__ import annotations

from dataclasses import replace

from icplan.core.address import IC
from icplan.core.engines import MemberState
from icplan.core.io import Database, Unreadable
from icplan.kinds.common import zones
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.deployment import by_engine, hosts, majority
from icplan.ovn.facts import Facts
from icplan.spec.load import Spec
from icplan.spec.model import Deployment, Runtime


def founded(spec: Spec, facts: Facts) -> Facts:
    """The facts, with what is known of IC databases that cannot be read.

    Those that are known not to exist count as empty. Only what icplan deploys itself can be known
    not to exist: of a process that somebody else runs, silence says nothing.
    """
    if facts.ic_unseen() is None:
        return facts
    deployment = spec.interconnect.ic_database.deployment
    if deployment is not None and _nothing_there(spec, deployment, facts):
        return facts.without_ic()
    if _stopped(spec, facts):
        return replace(facts, ic_stopped=True)
    return _explained(spec, facts)


def _nothing_there(spec: Spec, deployment: Deployment, facts: Facts) -> bool:
    if deployment.runtime is Runtime.KUBERNETES:
        cluster = facts.clusters.get(deployment.zone or "")
        return cluster is not None and cluster.ic_server is None
    states = [facts.hosts.get(host) for host in hosts(spec)]
    return all(one is not None and one.container is None and not one.files for one in states)


def _stopped(spec: Spec, facts: Facts) -> bool:
    """Whether too few containers run, which is why the databases are silent, and some can.

    Of those that are being removed some are gone already.
    """
    if by_engine(spec) is None or any(host not in facts.hosts for host in hosts(spec)):
        return False
    states = [facts.hosts[host] for host in hosts(spec)]
    running = [one for one in states if one.running]
    startable = [one for one in states if one not in running and (one.container or one.files)]
    gone = any(one.emptied for one in states)
    removed = spec.destroyed and gone and all_out(spec, facts)
    return len(running) < majority(spec) and (bool(startable) or removed)


def all_out(spec: Spec, facts: Facts) -> bool:
    """Whether every zone of the file is seen to have left, by what it says of itself."""
    return all(_out(zone, facts) for zone in zones.declared(spec))


def _out(zone: zones.DeclaredZone, facts: Facts) -> bool:
    if zone.kube_ovn:
        cluster = facts.clusters.get(zone.name)
        return cluster is not None and (
            cluster.config is None or cluster.config.data.get(ENABLE) == "false"
        )
    seen = facts.northbound.get(zone.name)
    return seen is not None and not seen.name


def _explained(spec: Spec, facts: Facts) -> Facts:
    """A majority that is lost is named before what each member says."""
    if len(hosts(spec)) == 1:
        return facts
    unseen = dict(facts.unseen)
    for source, why in facts.unseen.items():
        if isinstance(source, Database) and source.site == IC:
            states = [one for member, one in facts.members.items() if member.name == source.name]
            if states and (lost := quorum_lost(spec, states)):
                unseen[source] = Unreadable(f"{lost}; {why.cause}", why.cure, why.forbidden)
    return replace(facts, unseen=unseen)


def quorum_lost(spec: Spec, states: list[MemberState]) -> str:
    """What a database that has lost its majority is like; empty when it has not."""
    answering = [one for one in states if one.answers]
    led = any(one.leader and one.connected for one in answering)
    if led or len(answering) >= majority(spec):
        return ""
    count, all_ = len(answering), len(hosts(spec))
    answer = "answers" if count == 1 else "answer"
    return f"quorum lost: {count} of {all_} members {answer}, {majority(spec)} are needed"
