"""Rules about where the IC databases are kept on a host. Nothing about what is in them."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.address import IC
from icplan.core.change import Action, Change
from icplan.core.commands import shown
from icplan.core.engines import Container, HostState
from icplan.kinds.common.commands import (
    aside,
    copy_out,
    on_host,
    remove_container,
    set_restart,
    start_again,
    stop_container,
)
from icplan.kinds.common.deployment import (
    CONTAINER,
    FILES,
    FOLDER,
    address_of,
    by_engine,
    hosts,
    kept_in,
)
from icplan.planning.rules.contract import Finding, Seen
from icplan.spec.model import Deployment, Runtime


def kept_elsewhere(seen: Seen) -> Iterator[Finding]:
    """A container that is to be replaced keeps its databases where the new one does not look.

    What icplan starts has the databases in /etc/ovn of its host (docs/facts.md section 10). When
    the old container has them in another folder, or in itself alone, the new one would begin with
    empty databases: every zone would be registered anew, and what was set by hand would be lost.
    Move the files, or leave `deployment` out of the file. Nor are files in /etc/ovn removed of
    which the container that goes is not the owner.
    """
    deployment = by_engine(seen.spec)
    changes = {one.address: one for one in seen.changes}
    for host in hosts(seen.spec) if deployment is not None else ():
        change, found = changes.get(address_of(host)), seen.facts.hosts.get(host)
        if deployment is None or change is None or found is None or found.container is None:
            continue
        one = _finding(seen, deployment, change, found, found.container)
        if one is not None:
            yield Finding(IC, *one, seen.spec.origin("icDatabase", "deployment"))


def _finding(
    seen: Seen, deployment: Deployment, change: Change, found: HostState, container: Container
) -> tuple[str, str] | None:
    """What is wrong, and its cure."""
    host = change.address.name
    folder = kept_in(container)
    where = f"in {folder} of the host" if folder else "in itself alone"
    if change.action is Action.DELETE:
        if folder == FOLDER or not found.files:
            return None
        return (
            f"{CONTAINER} on {host} keeps its databases {where}, and the files in {FOLDER} that "
            "would be removed with it are not its own",
            f"Move what is in {FOLDER} aside, {shown(aside(seen.spec, host, found.files))}, then "
            "plan again.",
        )
    if change.action is Action.ADOPT and not change.differing:
        return None
    if folder != FOLDER:
        return (
            f"{CONTAINER} on {host} keeps its databases {where}: the new container that is to take "
            f"its place would begin with those in {FOLDER}, which are others or none",
            _moving(seen, deployment, host, found, container),
        )
    if container.running and not found.files:
        return (
            f"{CONTAINER} on {host} runs, and {FOLDER} of the host has none of its databases: the "
            "new container that is to take its place would begin with empty ones",
            "Leave `deployment` out: then icplan only uses what runs there. If nothing is needed "
            f"of what they hold: {shown(remove_container(deployment, host))}, then plan again.",
        )
    return None


def _moving(
    seen: Seen, deployment: Deployment, host: str, found: HostState, container: Container
) -> str:
    """How the databases get to where the new container looks for them."""
    folder = kept_in(container)
    docker = deployment.runtime is Runtime.DOCKER
    if not (docker or folder or container.running):
        # A container of containerd shows what it holds only while it runs.
        started = shown(start_again(deployment, host))
        return f"What it holds can be read only while it runs: {started}, then plan again."
    ready = [on_host(seen.spec, host, "mkdir", "-p", FOLDER)]
    if found.files:
        ready.append(aside(seen.spec, host, found.files))
    ended = remove_container(deployment, host)
    there = (file.replace(FOLDER, folder, 1) for file in FILES)
    move = on_host(seen.spec, host, "mv", *there, f"{FOLDER}/")
    moves = [move] if folder else [copy_out(deployment, host, file) for file in FILES]
    if docker:
        # While the container is there, nothing is begun anew, wherever somebody stops.
        steps = [stop_container(deployment, host), *ready, *moves, ended]
    else:
        steps = [ended, *ready, *moves] if folder else [*ready, *moves, ended]
    again = ""
    if container.restart:
        policy = shown(set_restart(deployment, host, container.restart))
        again = f" Once the new one runs, it gets its restart policy by {policy}."
    return (
        f"Move them, each command once: {', '.join(map(shown, steps))}. Then plan again: the new "
        f"container starts with them.{again} Or leave `deployment` out: then icplan only uses what "
        "runs there."
    )
