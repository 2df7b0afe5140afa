"""Whether the IC databases that the file deploys are there at all, and run. Deploys none."""

from __future__ import annotations

from dataclasses import replace

from icplan.core.address import IC
from icplan.core.engines import MemberState
from icplan.core.io import Database, Unreadable
from icplan.kinds.common import zones
from icplan.kinds.common.controller import ENABLE
from icplan.kinds.common.deployment import DATABASES, by_engine, hosts, majority
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


def begins_cluster(spec: Spec, facts: Facts) -> bool:
    """Whether the plan founds the IC databases as a cluster of several members.

    An ovn-ic that was connected to an earlier cluster remembers how far that one had come, takes
    the new one for one that lags behind, and goes on refusing it until it is restarted
    (docs/facts.md section 10, measured). Nothing tells whether it was.
    """
    return facts.ic_absent and len(hosts(spec)) > 1 and not spec.destroyed


def _nothing_there(spec: Spec, deployment: Deployment, facts: Facts) -> bool:
    """Whether nobody runs them, nor has their files: seen, and not just nobody's answer.

    Who does not answer in time may be behind a firewall. Only a host says that nobody listens: by
    refusing the connection, or when it is looked there.
    """
    if deployment.runtime is Runtime.KUBERNETES:
        cluster = facts.clusters.get(deployment.zone or "")
        return cluster is not None and cluster.ic_server is None and _refused(facts)
    states = [facts.hosts.get(host) for host in hosts(spec)]
    return all(one is not None and one.empty and not one.taken for one in states) and (
        _refused(facts) or all(one is not None and one.listening is not None for one in states)
    )


def _refused(facts: Facts) -> bool:
    """Whether nobody listens at the ports of any host, as the hosts themselves say."""
    unseen = [facts.unseen.get(Database(IC, name)) for name in DATABASES]
    return all(one is not None and one.refused for one in unseen)


def _stopped(spec: Spec, facts: Facts) -> bool:
    """Whether too few containers run, which is why the databases are silent, and some can.

    Of those that are being removed some are gone already. Where somebody else runs in the place of
    a container, the silence has another reason, and the files may be open.
    """
    if by_engine(spec) is None or any(host not in facts.hosts for host in hosts(spec)):
        return False
    states = [facts.hosts[host] for host in hosts(spec)]
    if any(one.taken for one in states):
        return False
    running = [one for one in states if one.runs]
    startable = [one for one in states if not one.runs and not one.empty]
    removed = removal_begun(spec, facts)
    return len(running) < majority(spec) and (bool(startable) or removed)


def removal_begun(spec: Spec, facts: Facts) -> bool:
    """Whether the databases' own removal was interrupted: it begins when all zones have left.

    It goes backwards through the hosts. One that has lost its files out of turn was no part of it,
    and a zone that the file does not name may still need the others.
    """
    found = (facts.hosts.get(host) for host in sorted(hosts(spec), key=lambda one: (len(one), one)))
    emptied = [one is not None and one.emptied for one in found]
    in_turn = any(emptied) and emptied == sorted(emptied)
    return spec.destroyed and in_turn and all_out(spec, facts)


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
    """What is known besides is named before what each member says.

    That is a majority that is lost, and that the cluster which shall run them does not.
    """
    unseen = dict(facts.unseen)
    for source, why in facts.unseen.items():
        if not isinstance(source, Database) or source.site != IC:
            continue
        states = [one for member, one in facts.members.items() if member.name == source.name]
        lost = quorum_lost(spec, states) if len(hosts(spec)) > 1 and states else ""
        if known := lost or _not_founded(spec, facts, why):
            unseen[source] = replace(why, cause=f"{known}; {why.cause}")
    return replace(facts, unseen=unseen)


def _not_founded(spec: Spec, facts: Facts, why: Unreadable) -> str:
    """Why databases that seem not to be there are not taken for absent; empty: nothing speaks."""
    deployment = spec.interconnect.ic_database.deployment
    if deployment is None or why.forbidden or why.refused:
        return ""
    if deployment.runtime is Runtime.KUBERNETES:
        cluster = facts.clusters.get(deployment.zone or "")
        there = cluster is None or cluster.ic_server is not None
        return "" if there else f"{deployment.zone} does not run them, {_SOMEBODY_MAY}"
    states = [facts.hosts.get(host) for host in hosts(spec)]
    absent = all(one is not None and one.empty and not one.taken for one in states)
    return f"no container runs them, {_SOMEBODY_MAY}" if absent else ""


_SOMEBODY_MAY = "and without an answer it is not known whether somebody else does"


def quorum_lost(spec: Spec, states: list[MemberState]) -> str:
    """What a database that has lost its majority is like; empty when it has not."""
    answering = [one for one in states if one.answers]
    led = any(one.leader and one.connected for one in answering)
    if led or len(answering) >= majority(spec):
        return ""
    count, all_ = len(answering), len(hosts(spec))
    answer = "answers" if count == 1 else "answer"
    return f"quorum lost: {count} of {all_} members {answer}, {majority(spec)} are needed"
