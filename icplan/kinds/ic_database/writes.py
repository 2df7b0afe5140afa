"""What a change of a container does to users, and the writes that carry it out."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.change import Action, Change, Effect, Impact
from icplan.core.engines import (
    Container,
    EngineWrite,
    HostState,
    MarkContainer,
    RemoveContainer,
    RunContainer,
)
from icplan.core.io import IC_SOUTHBOUND, Database, Query
from icplan.kinds.common.contract import Check, Guard, Held, Missing, Step, Verdict, View
from icplan.kinds.common.deployment import (
    COMMAND,
    CONTAINER,
    FILES,
    FOLDER,
    MOUNTS,
    PORTS,
    Recipe,
    address_of,
    besides,
    by_engine,
    engine,
    environment,
    hosts,
    kept_in,
    recipe,
)
from icplan.kinds.common.refounding import refounded
from icplan.kinds.ic_database.checks import answers, connected
from icplan.kinds.ic_database.state import joins
from icplan.ovn.facts import NOT_ASKED, Facts

AWAY = (
    "the IC databases are away for seconds: traffic goes on, but no zone learns anything meanwhile"
)


def effects(change: Change, view: View) -> Iterator[Effect]:
    """Traffic does not need the databases; what is learned does."""
    sentence = _sentence(change, view)
    if sentence:
        yield Effect(IC, Impact.NONE, sentence)
    if change.action is Action.CREATE and change.address.name == hosts(view.spec)[0]:
        yield from refounded(view)


def _sentence(change: Change, view: View) -> str:
    host = change.address.name
    found = view.facts.hosts.get(host)
    several = len(hosts(view.spec)) > 1
    if change.action is Action.DELETE:
        return _removed(host, found)
    if found is None or found.container is None:
        if found is not None and found.files:
            return f"it starts with the databases that are on {host}"
        return f"it starts with empty databases, which speak plain TCP: {_listens(view, host)}"
    if change.action is Action.ADOPT and not change.differing:
        return ""
    replaced = _replaced(host, found, found.container, several=several)
    return f"{replaced}{_settings(found.container)}"


def _removed(host: str, found: HostState | None) -> str:
    container = found.container if found else None
    files = ", ".join(sorted(found.files)) if found and found.files else ""
    lost = "what the databases hold is lost"
    if container is None:
        return f"{files} of {host} removed: {lost}" if files else f"nothing of {host} is left"
    done = f"{CONTAINER} on {host} is {'stopped' if container.running else 'removed'}"
    if files:
        return f"{done}, and {files} removed: {lost}"
    return done if kept_in(container) else f"{done}: {lost}"


def _replaced(host: str, found: HostState, container: Container, *, several: bool) -> str:
    if kept_in(container) != FOLDER:
        return (
            "a new container takes its place, and starts without its databases, which are not in "
            f"{FOLDER} of the host"
        )
    if not found.files:
        return "a new container takes its place, and starts with empty databases"
    if not found.runs:
        return f"{CONTAINER} does not run: a new one starts with the databases that are there"
    if several:
        return (
            f"a new container takes its place, and no other member is touched before {host} is "
            "back: traffic goes on, and the zones learn on after a new leader is elected"
        )
    return f"a new container takes its place, and {AWAY}"


def _settings(container: Container) -> str:
    """What becomes of settings of a container of which the file says nothing."""
    stays = f"; --restart={container.restart} stays" if container.restart else ""
    lost = besides(container)
    return f"{stays}; the new one will not have: {', '.join(lost)}" if lost else stays


def _listens(view: View, host: str) -> str:
    """Who can reach the databases (read in Kube-OVN's source, and measured)."""
    deployment = by_engine(view.spec)
    if deployment is not None and recipe(deployment.image) is Recipe.UNKNOWN:
        return f"who reaches {host} can rewrite the routes of all zones"
    if len(hosts(view.spec)) > 1:
        return f"who reaches {host} can rewrite the routes of all zones"
    return f"they listen on all addresses of {host}, and who reaches one can rewrite all routes"


def steps(change: Change, view: View) -> tuple[Step, ...]:
    """One write a host, and what must be seen of it before the next host's turn."""
    host = change.address.name
    if change.action is Action.DELETE:
        leaves = "nobody is registered in the IC databases any more, and nobody misses them"
        if view.facts.ic_stopped:
            leaves = "every zone of the file has left the IC databases"
        return (Step(operation(change, view), guards=_guards(view, host), leaves=leaves),)
    if change.action is Action.ADOPT and not change.differing:
        return (Step(operation(change, view)),)
    awaits: tuple[Check, ...] = (answers(view, host),)
    if len(hosts(view.spec)) > 1:
        # A member that finds no majority ends after half a minute (measured): all of them are
        # started, and only then waited for.
        again = view.facts.ic_stopped
        awaits = () if again else (*awaits, connected(view, host))
    leaves = _leaves(view, host) if change.before is not None else ""
    return (Step(operation(change, view), awaits=awaits, leaves=leaves),)


def _leaves(view: View, host: str) -> str:
    """How things stand while the old container is gone and the new one does not answer."""
    if len(hosts(view.spec)) > 1:
        learning = "and the zones learn on while most of the other members answer"
    else:
        learning = "but no zone learns anything until they are back"
    return f"{host} has no working IC databases now: traffic goes on, {learning}"


def operation(change: Change, view: View) -> EngineWrite:
    """The write of one host."""
    host = change.address.name
    deployment = by_engine(view.spec)
    if deployment is None:
        raise AssertionError("no engine runs the databases")
    found = view.facts.hosts.get(host)
    seen = found.container.id if found and found.container else ""
    there = engine(deployment, host)
    if change.action is Action.DELETE:
        return RemoveContainer(there, CONTAINER, seen, FILES, PORTS)
    if change.action is Action.ADOPT and not change.differing:
        return MarkContainer(there, CONTAINER, seen, view.owner)
    variables = environment(view.spec, deployment.image, host, joins=joins(view, host))
    return RunContainer(
        there,
        CONTAINER,
        deployment.image,
        COMMAND,
        tuple(variables.items()),
        MOUNTS,
        view.owner,
        recipe(deployment.image) is not Recipe.OLD,
        seen,
        PORTS,
        restart=found.container.restart if found and found.container else "",
    )


def _guards(view: View, host: str) -> tuple[Guard, ...]:
    """Before the first of them goes, it is looked once more whether nobody is registered.

    They go backwards, as all that is taken away; the later ones have no majority to ask.
    """
    there = [
        one
        for one in hosts(view.spec)
        if (state := view.facts.hosts.get(one)) and (state.container or state.files)
    ]
    first = max(there, key=lambda one: (len(one), one), default="")
    if host != first or view.facts.ic_southbound is None:
        return ()
    query = Query(Database(IC, IC_SOUTHBOUND), "Availability_Zone", ("name",))
    return (Guard((query,), _nobody(host)),)


def _nobody(host: str) -> Check:
    def test(facts: Facts) -> Verdict:
        if facts.ic_southbound is None:
            return facts.unseen.get(Database(IC, IC_SOUTHBOUND), NOT_ASKED)
        if not facts.ic_southbound.zones:
            return Held()
        names = ", ".join(facts.ic_southbound.zones)
        return Missing(
            f"still registered in the IC databases: {names}",
            "take it out first, then run `icplan plan` again",
        )

    return Check(address_of(host), "nobody is registered", frozenset({address_of(host)}), test)
