"""What the hosts of the IC databases shall have, and what they have. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterable

from icplan.core.engines import RUNNING, Container, HostState, short
from icplan.core.io import AnyQuery
from icplan.core.state import (
    Absent,
    Declared,
    DeclaredAbsent,
    Desired,
    DesiredState,
    Observed,
    ObservedState,
    Present,
)
from icplan.core.value import Attributes, known
from icplan.kinds.common.contract import UNDECIDED, View
from icplan.kinds.common.deployment import (
    COMMAND,
    FILES,
    MOUNTS,
    Recipe,
    address_of,
    by_engine,
    engine,
    environment,
    hosts,
    inspections,
    meant,
    members,
    recipe,
)
from icplan.kinds.common.foundation import removal_begun
from icplan.kinds.common.transit_switches import undeclared
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.spec.load import Spec
from icplan.spec.model import Deployment, Runtime


def queries(spec: Spec, facts: Facts | None) -> Iterable[AnyQuery]:
    """The hosts' containers and files, and every server's own word.

    While somebody else runs the servers, nothing that is written waits for them.
    """
    if facts is None or by_engine(spec) is not None:
        yield from inspections(spec, briefly=facts is not None)
        yield from members(spec)


def desired(view: View) -> DesiredState:
    """One container a host."""
    return {
        address_of(host): state
        for host in hosts(view.spec)
        if by_engine(view.spec) is not None and (state := _desired(view, host)) is not None
    }


def _desired(view: View, host: str) -> Desired | None:
    origin = view.spec.origin("icDatabase", "deployment")
    if to_be_removed(view):
        return DeclaredAbsent(origin)
    found = view.facts.hosts.get(host)
    if view.facts.ic_stopped and found is not None:
        if found.empty:
            # Whether it has ever been a member can only be seen once the others run.
            return None
        if found.runs:
            return Declared(UNDECIDED, origin)
    return Declared(_wanted(view, host), origin)


def to_be_removed(view: View) -> bool:
    """Whether the databases go, as everything does: once nobody else is registered there."""
    if not view.spec.destroyed:
        return False
    if view.facts.ic_stopped and removal_begun(view.spec, view.facts):
        return True
    ic = view.facts.ic_southbound
    left_out = view.spec.without & {*(ic.zones if ic else ())}
    return ic is not None and not undeclared(view) and not left_out


def _wanted(view: View, host: str) -> Attributes:
    deployment = by_engine(view.spec)
    if deployment is None:
        raise AssertionError("no engine runs the databases")
    variables = environment(view.spec, deployment.image, host, joins=joins(view, host))
    return known(
        image=deployment.image,
        command=" ".join(COMMAND),
        environment=_pairs(variables),
        mounts=tuple(f"{source.rstrip('/')}:{inside}" for source, inside in MOUNTS),
        network="host",
        privileged=recipe(deployment.image) is not Recipe.OLD,
        state=RUNNING,
    )


def joins(view: View, host: str) -> bool:
    """Whether a host is to become a member of a cluster that is there already."""
    known = view.facts.hosts
    others = [state for name, state in known.items() if name != host and state.files]
    return bool(others) and host in known and not known[host].files


def _pairs(variables: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in sorted(variables.items()))


def observed(view: View) -> ObservedState:
    """What each host has; nothing is said of what runs while the databases cannot be read."""
    deployment = by_engine(view.spec)
    if deployment is None:
        return {}
    return {address_of(host): _observed(view, deployment, host) for host in hosts(view.spec)}


def _observed(view: View, deployment: Deployment, host: str) -> Observed:
    facts = view.facts
    found = facts.hosts.get(host)
    if found is None:
        return facts.unseen.get(engine(deployment, host), NOT_ASKED)
    silent = facts.ic_unseen()
    if silent is not None and not facts.ic_stopped:
        # Blindly, nothing that runs is taken away.
        return silent
    if found.container is None:
        if found.files and to_be_removed(view):
            return Present(known(files=_files(found)), view.owner)
        return Absent()
    attributes = _attributes(view, deployment, found, found.container)
    return Present(attributes, _owner(view, host, found.container, attributes))


def _attributes(
    view: View, deployment: Deployment, found: HostState, container: Container
) -> Attributes:
    same = short(container.image) == short(deployment.image)
    mounts = {inside: source.rstrip("/") for inside, source in container.mounts.items()}
    return known(
        image=deployment.image if same else container.image,
        command=container.command,
        environment=_pairs(meant(view.spec, container.image, container.environment)),
        mounts=tuple(f"{mounts[inside]}:{inside}" for _, inside in MOUNTS if inside in mounts),
        network="host" if container.host_network else "its own",
        privileged=container.privileged,
        state=container.state,
        files=_files(found),
    )


def _files(found: HostState) -> tuple[str, ...]:
    return tuple(one for one in FILES if one in found.files)


def _owner(view: View, host: str, container: Container, attributes: Attributes) -> str | None:
    """Whose a container is.

    Docker cannot set a label on a container that runs. One that is as the file wants it is taken
    for ours: for a mark alone the databases are not restarted; the next new one has it.
    """
    deployment = by_engine(view.spec)
    docker = deployment is not None and deployment.runtime is Runtime.DOCKER
    if container.owner is not None or not docker:
        return container.owner
    wanted = _wanted(view, host)
    same = all(attributes.get(name) == value for name, value in wanted.items())
    return view.owner if same else None
