"""Evidence that the IC databases work, whoever runs them: each server's own word."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC, Address
from icplan.core.commands import shown
from icplan.core.engines import STANDALONE, Member, MemberState
from icplan.core.io import TITLES
from icplan.kinds.common.commands import on_host
from icplan.kinds.common.contract import Check, Held, Missing, Verdict, View
from icplan.kinds.common.deployment import (
    CONTAINER,
    DATABASE_KIND,
    DATABASES,
    LOGS,
    PORTS,
    address_of,
    by_engine,
    hosts,
)
from icplan.kinds.common.foundation import quorum_lost
from icplan.kinds.common.members import strangers
from icplan.kinds.ic_database.state import to_be_removed
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.spec.load import Spec


def checks(view: View) -> Iterator[Check]:
    """A majority with a leader, and then every member by itself.

    What is taken apart is no matter any more, unless it must run first.
    """
    starting = view.facts.ic_stopped and not to_be_removed(view)
    if not view.facts.members or (view.spec.destroyed and not starting):
        return
    if len(hosts(view.spec)) > 1:
        yield from (_led(view, name) for name in DATABASES)
        yield _one_cluster(view)
    for host in hosts(view.spec):
        yield answers(view, host)
        if len(hosts(view.spec)) > 1:
            yield connected(view, host)


def _needs(view: View, *on: str) -> frozenset[Address]:
    return frozenset(map(address_of, on)) if by_engine(view.spec) else frozenset()


def _awaited(view: View) -> bool:
    """Apply waits for what icplan itself runs."""
    return by_engine(view.spec) is not None


def answers(view: View, host: str) -> Check:
    """Both databases of a host answer."""

    def test(facts: Facts) -> Verdict:
        states = [(name, facts.members.get(Member(name, host))) for name in DATABASES]
        if any(state is None for _, state in states):
            return NOT_ASKED
        silent = [state.silence for _, state in states if state is not None and not state.answers]
        if not silent:
            return Held()
        container, cure = _container(view.spec, facts, host)
        return Missing("; ".join([*container, *silent]), cure)

    return Check(
        address_of(host),
        f"both IC databases answer on {host}",
        _needs(view, host),
        test,
        awaited=_awaited(view),
        spare=len(hosts(view.spec)) > 1,
    )


def _container(spec: Spec, facts: Facts, host: str) -> tuple[list[str], str]:
    """What is known of the process on a host, and what to do about it."""
    if by_engine(spec) is None:
        return [], f"see whether the servers run on {host}, and that their ports are open from here"
    found = facts.hosts.get(host)
    if found is None:
        return [], f"see whether {host} is up, and what runs there: icplan plan"
    if found.container is None:
        return [f"{host} has no container {CONTAINER}"], "icplan apply starts it"
    if not found.container.running:
        said = f", and complained last: {found.container.said}" if found.container.said else ""
        return [f"{CONTAINER} on {host} is {found.container.state}{said}"], "icplan apply starts it"
    ports = " and ".join(map(str, PORTS))
    log = shown(on_host(spec, host, "tail", "-n", "50", *LOGS))
    return [], f"see its log, {log}, and that the ports {ports} of {host} are open from here"


def connected(view: View, host: str) -> Check:
    """Both databases of a host are in touch with the majority of their cluster."""

    def test(facts: Facts) -> Verdict:
        for name in DATABASES:
            state = facts.members.get(Member(name, host))
            if state is None:
                return NOT_ASKED
            if state.answers and not state.connected:
                return Missing(
                    f"the {TITLES[name]} on {host} is cut off from the other members",
                    f"check that the ports {_raft_ports()} are open between the hosts, and its log",
                )
            if not state.answers:
                return Missing(f"{host} does not answer", _container(view.spec, facts, host)[1])
        return Held()

    return Check(
        address_of(host),
        f"{host} is in touch with the other members",
        _needs(view, host),
        test,
        awaited=_awaited(view),
        spare=True,
    )


def _raft_ports() -> str:
    return "6647 and 6648"


def _states(facts: Facts, name: str) -> dict[str, MemberState]:
    return {one.host: state for one, state in facts.members.items() if one.name == name}


def _led(view: View, name: str) -> Check:
    """A majority of a database's members answers, and one of them leads."""

    def test(facts: Facts) -> Verdict:
        states = _states(facts, name)
        if not states:
            return NOT_ASKED
        if lost := quorum_lost(view.spec, list(states.values())):
            away = [host for host, state in sorted(states.items()) if not state.answers]
            return Missing(
                f"{lost}; away: {', '.join(away)}: nothing can be written, and no zone learns "
                "anything",
                "bring the members back that are away; icplan apply starts what it runs itself"
                if by_engine(view.spec)
                else "bring the members back that are away",
            )
        leaders = [host for host, state in sorted(states.items()) if state.leader]
        if len(leaders) == 1 or all(state.model == STANDALONE for state in states.values()):
            return Held()
        return Missing(
            f"no member of the {TITLES[name]} leads, they elect a leader"
            if not leaders
            else f"{', '.join(leaders)} each lead: they are not one cluster",
            "an election takes seconds; if it lasts, see the logs of the members",
        )

    return Check(
        Address(IC, DATABASE_KIND),
        f"the {TITLES[name]} has a majority and a leader",
        _needs(view, *hosts(view.spec)),
        test,
        awaited=_awaited(view),
    )


def _one_cluster(view: View) -> Check:
    """All servers that answer are members of the same cluster."""

    def test(facts: Facts) -> Verdict:
        if not facts.members:
            return NOT_ASKED
        odd = [why for name in DATABASES for why in strangers(facts, name).values()]
        return Missing("; ".join(odd), _ONE_CLUSTER) if odd else Held()

    return Check(
        Address(IC, DATABASE_KIND),
        f"{', '.join(hosts(view.spec))} are members of one cluster",
        _needs(view, *hosts(view.spec)),
        test,
        awaited=_awaited(view),
    )


_ONE_CLUSTER = "icplan plan shows how it can join the others (IC040)"
