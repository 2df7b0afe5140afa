"""Rules about the servers of the IC databases, and what icplan runs them in."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

from icplan.core.address import IC
from icplan.core.change import Action
from icplan.core.commands import shown
from icplan.core.engines import NAMESPACE, Container, HostState
from icplan.core.state import Present
from icplan.kinds.common.commands import (
    aside,
    file_of,
    in_container,
    kick,
    on_host,
    raft_address,
    remove_container,
)
from icplan.kinds.common.deployment import (
    CONTAINER,
    DATABASES,
    FILES,
    LOGS,
    PORTS,
    Recipe,
    address_of,
    by_engine,
    hosts,
    majority,
    others,
    recipe,
)
from icplan.kinds.common.members import strangers
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.load import Spec
from icplan.spec.model import Deployment, Runtime

MOST_SAID = 80
"""How much of what a program complained of is shown."""


def several_clusters(seen: Seen) -> Iterator[Finding]:
    """The hosts of the IC databases do not belong to one cluster.

    Zones dial any of them: those that meet another database than the rest are interconnected with
    nobody, and what icplan writes reaches only some of them. Keep one cluster, and let the other
    servers join it with empty databases.
    """
    found: dict[str, dict[str, str]] = {}
    for name in DATABASES:
        for host, why in strangers(seen.facts, name).items():
            found.setdefault(host, {})[name] = why
    for host, whys in sorted(found.items()):
        yield Finding(
            IC,
            "; ".join(whys.values()),
            _joining(seen, host, tuple(whys), {*found}),
            seen.spec.origin("icDatabase", "hosts"),
        )


def _joining(seen: Seen, host: str, names: tuple[str, ...], strange: set[str]) -> str:
    """How a server that stands apart becomes a member; what it holds is put aside, not lost."""
    deployment = by_engine(seen.spec)
    if deployment is not None:
        # Named one by one: of those that are not there mv says so, and moves the others.
        moved = aside(seen.spec, host, FILES)
        return (
            f"If nothing is needed of what it holds: {shown(remove_container(deployment, host))}, "
            f"then {shown(moved)}, then plan again: icplan lets it join the others."
        )
    others = [one for one in hosts(seen.spec) if one not in strange]
    if not others:
        return f"Stop the server on {host}, or take it out of `icDatabase.hosts`."
    join = " and ".join(
        shown(
            f"ovsdb-tool join-cluster {file_of(name)} {name} "
            + " ".join(shlex.quote(raft_address(name, one)) for one in (host, others[0]))
        )
        for name in names
    )
    return (
        f"If nothing is needed of what it holds, on {host}: stop the server, move its "
        f"{' and '.join(file_of(name) for name in names)} aside, {join} where they were, and start "
        f"it again; or take {host} out of `icDatabase.hosts`."
    )


def standalone_image(spec: Spec) -> Iterator[Finding]:
    """Several hosts shall run an image that knows no cluster.

    Before 1.11.16 Kube-OVN's start-ic-db.sh starts one server by itself: on three hosts these
    would be three databases that know nothing of each other. Use a later image, or one host.
    """
    deployment = by_engine(spec)
    if deployment is None or len(hosts(spec)) == 1 or recipe(deployment.image) is not Recipe.OLD:
        return
    yield Finding(
        IC,
        f"{deployment.image} starts only single servers, and icDatabase.hosts has "
        f"{len(hosts(spec))}",
        "Use an image of Kube-OVN 1.11.16 or later, or declare one host.",
        spec.origin("icDatabase", "deployment", "image"),
    )


def unknown_image(spec: Spec) -> Iterator[Finding]:
    """The tag of the IC databases' image names no version.

    Its start-ic-db.sh is told what those from 1.11.16 on need. An older one does not mind, but
    knows neither IPv6 nor clusters. A tag such as v1.13.0 says what it is.
    """
    deployment = by_engine(spec)
    if deployment is not None and recipe(deployment.image) is Recipe.UNKNOWN:
        yield Finding(
            IC,
            f"the tag of {deployment.image} names no version: it is run as 1.11.16 and later are",
            "Write the tag of a release, such as v1.13.0.",
            spec.origin("icDatabase", "deployment", "image"),
        )


def other_ports(spec: Spec) -> Iterator[Finding]:
    """Databases that icplan runs shall have other ports than the image gives them.

    Kube-OVN's start-ic-db.sh listens on 6645 and 6646, and cannot be told otherwise. Leave the
    ports out of the file.
    """
    database = spec.interconnect.ic_database
    ports = (database.northbound_port, database.southbound_port)
    if by_engine(spec) is not None and ports != PORTS:
        yield Finding(
            IC,
            f"the image lets the databases listen on {PORTS[0]} and {PORTS[1]}, the file wants "
            f"{ports[0]} and {ports[1]}",
            "Remove northboundPort and southboundPort.",
            spec.origin(
                "icDatabase", "northboundPort" if ports[0] != PORTS[0] else "southboundPort"
            ),
        )


def _container(seen: Seen, host: str) -> Container | None:
    found = seen.facts.hosts.get(host)
    return found.container if found is not None else None


def somebody_else(seen: Seen) -> Iterator[Finding]:
    """On a host where icplan shall run the databases somebody else does.

    Somebody listens at their ports there, and no container of ours is the reason: a container of
    another name, of another engine or of another namespace, or a process of the host. Two servers
    cannot listen on the same ports, and must not open the same files. Stop the other one, or leave
    `deployment` out.
    """
    deployment = by_engine(seen.spec)
    if deployment is None:
        return
    touched = {one.address for one in seen.changes}
    for host in hosts(seen.spec):
        found = seen.facts.hosts.get(host)
        if found is None or found.runs:
            continue
        if seen.spec.destroyed and address_of(host) not in touched:
            continue
        states = (one for member, one in seen.facts.members.items() if member.host == host)
        answers = any(state.answers for state in states)
        if answers or found.taken:
            yield Finding(
                IC,
                _who(deployment, host, found, answers=answers),
                "Stop them there, or leave `deployment` out: then icplan only uses them."
                if answers
                else f"See on {host} who it is (ss -ltnp) and stop it, or leave `deployment` out.",
                seen.spec.origin("icDatabase", "deployment"),
            )


def _who(deployment: Deployment, host: str, found: HostState, *, answers: bool) -> str:
    """Who runs there in our place, as far as it is seen."""
    at = " and ".join(map(str, found.listening or ()))
    inside = f" (namespace {NAMESPACE})" if deployment.runtime is Runtime.CONTAINERD else ""
    ours = f"a container {CONTAINER} of its {deployment.runtime}{inside}"
    if answers:
        what = f"IC databases answer on {host}, and they do not run in {ours}"
    elif at:
        what = f"somebody listens on {host} at {at}, and it is not {ours}"
    else:
        return f"on {host} {found.elsewhere}"
    return f"{what}: {found.elsewhere}" if found.elsewhere else what


def stopped(seen: Seen) -> Iterator[Finding]:
    """The IC databases do not run, and only what starts them is planned.

    Their files are there, and what they hold can only be seen once they answer. `icplan apply` and
    `icplan destroy` start them, plan the rest and go on; a saved plan ends once they run.
    """
    if not seen.facts.ic_stopped:
        return
    starting = any(one.action is not Action.DELETE for one in seen.changes)
    yield Finding(
        IC,
        _stopped(seen, "the plan only starts them" if starting else "what is left of them goes"),
        _then(destroyed=seen.spec.destroyed)
        if starting
        else "Go on, unless a zone that the file does not name uses these databases: every zone of "
        "the file has left, and a removal that was interrupted is finished.",
        seen.spec.origin("icDatabase", "deployment"),
    )


def _then(*, destroyed: bool) -> str:
    if destroyed:
        return (
            "`icplan destroy` starts them, as nobody can leave without them, then plans the rest "
            "and asks again."
        )
    return (
        "`icplan apply` starts them, then plans what rests on them and asks again; with a saved "
        "plan, run `icplan plan` again."
    )


def _stopped(seen: Seen, so: str) -> str:
    """Which of them do not run, and which do."""
    away, there = [], []
    for host in hosts(seen.spec):
        container = _container(seen, host)
        if container is None:
            away.append(f"{host} has no container {CONTAINER}")
        elif container.running:
            there.append(host)
        else:
            said = f": {container.said[:MOST_SAID]}" if container.said else ""
            away.append(f"{CONTAINER} on {host} is {container.state}{said}")
    listed = "; ".join(away)
    if not there:
        return f"the IC databases do not run ({listed}): {so}"
    runs = "runs" if len(there) == 1 else "run"
    return (
        f"of the IC databases only {', '.join(there)} {runs}, and {majority(seen.spec)} of "
        f"{len(hosts(seen.spec))} are needed ({listed}): {so}"
    )


def without_mark(seen: Seen) -> Iterator[Finding]:
    """A container is as the file wants it, and does not bear icplan's mark.

    Docker cannot set a label on a container that is there, and for a mark alone the IC databases
    are not restarted. It is taken for ours; the next one that takes its place has the mark.
    """
    deployment = by_engine(seen.spec)
    if deployment is None or deployment.runtime is not Runtime.DOCKER:
        return
    for host in hosts(seen.spec):
        container = _container(seen, host)
        state = seen.observed.get(address_of(host))
        taken = isinstance(state, Present) and state.owner == seen.view.owner
        if container is not None and container.owner is None and taken:
            yield Finding(
                IC,
                f"{CONTAINER} on {host} has no mark, as docker cannot give it one while it runs; "
                "it is as declared, and taken for ours",
                "Nothing need be done; when it is replaced the next time, it gets the mark.",
                seen.spec.origin("icDatabase", "deployment"),
            )


def lost_member(seen: Seen) -> Iterator[Finding]:
    """A member of the cluster has lost its databases, and would begin anew under its address.

    The others still count the old one as a member that is away: with it they would be more than
    they are, and lose their majority sooner. Take the old one out first, then apply.
    """
    deployment = by_engine(seen.spec)
    if deployment is None or len(hosts(seen.spec)) == 1 or seen.spec.destroyed:
        return
    containers = {host: _container(seen, host) for host in hosts(seen.spec)}
    running = {host: one for host, one in containers.items() if one is not None and one.running}
    for host in hosts(seen.spec):
        found = seen.facts.hosts.get(host)
        if found is None or host in running or {*FILES} <= {*found.files} or not running:
            continue
        if seen.facts.ic_stopped and found.empty:
            # The others are started first: without a majority nobody is taken out or let in.
            continue
        known = [one.members.get(name, ()) for one in running.values() for name in DATABASES]
        if all(known) and not any(host in one for one in known):
            continue
        what = (
            f"{host} has lost its IC databases, and the other members still count it"
            if any(host in one for one in known)
            else f"{host} has no IC databases, and the other members do not say whether they count "
            "it"
        )
        yield Finding(
            IC,
            what,
            _taking_out(seen.spec, deployment, host, running),
            seen.spec.origin("icDatabase", "hosts"),
        )


def _taking_out(
    spec: Spec, deployment: Deployment, lost: str, running: Mapping[str, Container]
) -> str:
    """How the others stop counting a member.

    Only where it is seen to be counted: of an address that it does not know, the only member of a
    cluster thinks that it is itself meant, and leaves (measured with OVS 3.1.0).
    """
    kicks = []
    for name in DATABASES:
        counting = [host for host, one in running.items() if lost in one.members.get(name, ())]
        if counting:
            kicks.append(shown(in_container(deployment, counting[0], *kick(name, lost))))
    if kicks:
        return (
            f"Take the old member out, each command once: {' and '.join(kicks)}. Then plan again."
        )
    silent = [host for host, one in running.items() if not all(map(one.members.get, DATABASES))]
    log = shown(on_host(spec, silent[0], "tail", "-n", "50", *LOGS))
    return (
        f"See why the servers on {', '.join(silent)} do not answer: {log}. Once they do, plan "
        "again: it tells how the old member is taken out."
    )


def other_hosts(seen: Seen) -> Iterator[Finding]:
    """The hosts of the IC databases differ from those that they were started for.

    A cluster gets and loses members by steps of its own, and a single server does not become one
    by itself. This version does neither: with the new hosts members would be missing that the
    others wait for. Let the file name the hosts of before, or move the members by hand.
    """
    if by_engine(seen.spec) is None or seen.spec.destroyed:
        return
    for host in hosts(seen.spec):
        container = _container(seen, host)
        found = others(seen.spec, container.environment) if container is not None else None
        if found is None:
            continue
        before = f"for {', '.join(found)}" if found else "as a single server"
        yield Finding(
            IC,
            f"{CONTAINER} on {host} was started {before}, and the file names "
            f"{', '.join(hosts(seen.spec))}",
            f"Write the hosts of before: `hosts: [{', '.join(found)}]`; or see ovsdb(7) on how a "
            "cluster gets and loses members."
            if found
            else f"If the zones use that server alone, write `hosts: [{host}]`; else see ovsdb(7) "
            "on how one joins a cluster.",
            seen.spec.origin("icDatabase", "hosts"),
        )
