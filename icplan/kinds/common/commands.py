"""Commands for a zone, a container or the IC databases that cures name. Runs none.

Each says which cluster, database or host it is for: whoever reads a cure has several of them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from pathlib import PurePath

from icplan.core import commands
from icplan.core.engines import NAMESPACE as CONTAINERD_NAMESPACE
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND
from icplan.kinds.common import zones
from icplan.kinds.common.deployment import CONTAINER, DATABASES, by_engine, engine
from icplan.ovn.cluster import CENTRAL, NAMESPACE
from icplan.spec.load import Spec
from icplan.spec.model import Deployment, KubeOvnZone, PlainOvnZone, Runtime

_SSH = re.compile(r"ssh://(.+?)(?::([0-9]+))?")
GATEWAY_SHOWS = "`ovs-vsctl get open_vswitch . external_ids:ovn-is-interconn`"
"""What shows on a host whether it is marked as a gateway; and what marks it, or does no more."""
GATEWAY_MARK = "`ovs-vsctl set open_vswitch . external_ids:ovn-is-interconn=true`"
GATEWAY_UNMARK = "`ovs-vsctl set open_vswitch . external_ids:ovn-is-interconn=false`"
_EXEC_ID = "by-hand"
_RAFT_PORTS = {IC_NORTHBOUND: 6647, IC_SOUTHBOUND: 6648}
_CONTROL = {IC_NORTHBOUND: "ovn_ic_nb_db", IC_SOUTHBOUND: "ovn_ic_sb_db"}


def kubectl(spec: Spec, zone: str) -> str:
    """Kubectl for a Kube-OVN zone's cluster, reached as the file says.

    Raises:
        KeyError: the file has no such Kube-OVN zone.
    """
    for one in spec.interconnect.availability_zones:
        if one.name == zone and isinstance(one, KubeOvnZone):
            access = one.kubernetes
            file = access.kubeconfig
            # A path that begins with ~ is the shell's to complete; others count from the file.
            if file is not None and not file.startswith("~"):
                file = str(PurePath(spec.directory(zone)) / file)
            return commands.kubectl(access.context, file)
    raise KeyError(zone)


def in_namespace(spec: Spec, zone: str) -> str:
    """Kubectl for what Kube-OVN runs in a zone's cluster."""
    return f"{kubectl(spec, zone)} -n {NAMESPACE}"


def ovn(spec: Spec, zone: zones.DeclaredZone, program: str, *words: str) -> str:
    """ovn-nbctl or ovn-sbctl on a zone's own database: in its cluster, or at its address.

    In a cluster any member of the database will do: it hands writes on to the one that leads.
    """
    if isinstance(zone.zone, KubeOvnZone):
        inside = shlex.join((program, "--no-leader-only", *words))
        where = f"exec deployment/{CENTRAL} -c {CENTRAL}"
        return f"{in_namespace(spec, zone.name)} {where} -- {inside}"
    return " ".join((program, *_remote(spec, zone.zone, program), shlex.join(words)))


def _remote(spec: Spec, zone: PlainOvnZone, program: str) -> list[str]:
    remotes = zone.northbound if program == "ovn-nbctl" else zone.southbound
    found = [f"--db={shlex.quote(','.join(map(str, remotes)))}"]
    if zone.tls is not None and any(one.encrypted for one in remotes):
        for option, file in (
            ("-p", zone.tls.key),
            ("-c", zone.tls.certificate),
            ("-C", zone.tls.ca),
        ):
            here = file if file.startswith("~") else str(PurePath(spec.directory(zone.name)) / file)
            found.append(f"{option} {commands.path(here)}")
    return found


def ic_northbound(spec: Spec, *words: str) -> str:
    """ovn-ic-nbctl on the IC northbound database: from here, or from where `reach` leads."""
    database = spec.interconnect.ic_database
    hosts = (f"[{one}]" if ":" in one else one for one in database.hosts)
    servers = ",".join(f"tcp:{one}:{database.northbound_port}" for one in hosts)
    command = shlex.join(("ovn-ic-nbctl", f"--db={servers}", *words))
    if database.reach is None:
        return command
    zone = database.reach.through
    return f"{in_namespace(spec, zone)} exec deployment/{CENTRAL} -c {CENTRAL} -- {command}"


def in_container(deployment: Deployment, host: str, *words: str) -> str:
    """A command in the container of the IC databases on a host."""
    if deployment.runtime is Runtime.DOCKER:
        return f"{_docker(deployment, host)} exec {CONTAINER} {shlex.join(words)}"
    task = ("task", "exec", "--exec-id", _EXEC_ID, CONTAINER, *words)
    return _containerd(deployment, host, task)


def kicks(host: str) -> tuple[str, ...]:
    """What takes a member of the IC databases out of both rafts, run beside any other member.

    A member is known by its raft address, be it up or not (measured). Only for one that is
    counted: of an address that it does not know, the only member of a cluster thinks that it is
    itself meant, and leaves (measured with OVS 3.1.0).
    """
    return tuple(shlex.join(kick(database, host)) for database in DATABASES)


def kick(database: str, host: str) -> tuple[str, ...]:
    """The words of that for one database."""
    control = f"/var/run/ovn/{_CONTROL[database]}.ctl"
    return ("ovs-appctl", "-t", control, "cluster/kick", database, raft_address(database, host))


def file_of(database: str) -> str:
    """What its file is called wherever Kube-OVN or a distribution runs it."""
    return f"{_CONTROL[database]}.db"


def raft_address(database: str, host: str) -> str:
    """Where the members of a database reach each other (docs/facts.md section 1)."""
    return f"tcp:[{host.strip('[]')}]:{_RAFT_PORTS[database]}"


def remove_container(deployment: Deployment, host: str) -> str:
    """What ends that container."""
    if deployment.runtime is Runtime.DOCKER:
        return f"{_docker(deployment, host)} rm --force {CONTAINER}"
    ended = _containerd(deployment, host, ("task", "delete", "--force", CONTAINER))
    return f"{ended}; {_containerd(deployment, host, ('container', 'delete', CONTAINER))}"


def stop_container(deployment: Deployment, host: str) -> str:
    """What stops that container of docker, and keeps it."""
    return f"{_docker(deployment, host)} stop {CONTAINER}"


def set_restart(deployment: Deployment, host: str, policy: str) -> str:
    """What sets the restart policy of that container of docker."""
    return f"{_docker(deployment, host)} update --restart={policy} {CONTAINER}"


def copy_out(deployment: Deployment, host: str, file: str) -> str:
    """What copies a file out of that container to the same place on its host.

    Of containerd the container must run.
    """
    where = engine(deployment, host).where
    socket = where if where.startswith("unix://") else ""
    if deployment.runtime is Runtime.DOCKER:
        there = ("-H", socket) if socket else ()
        return _on_host(where, ("docker", *there, "cp", f"{CONTAINER}:{file}", file))
    words = ("task", "exec", "--exec-id", _EXEC_ID, CONTAINER, "cat", file)
    command, part = shlex.join(_ctr(socket, words)), shlex.quote(f"{file}.part")
    # What could not be read whole must not look like a database.
    return _on_host(where, ("sh", "-c", f"{command} > {part} && mv {part} {shlex.quote(file)}"))


def start_again(deployment: Deployment, host: str) -> str:
    """What starts that container of containerd again, which has ended."""
    ended = _containerd(deployment, host, ("task", "delete", "--force", CONTAINER))
    return f"{ended}; {_containerd(deployment, host, ('task', 'start', '--detach', CONTAINER))}"


def aside(spec: Spec, host: str, files: Iterable[str]) -> str:
    """What puts files of the databases aside on their host, beside those of an earlier time."""
    return on_host(spec, host, "mv", "--backup=numbered", "-t", "/root/", *sorted(files))


def on_host(spec: Spec, host: str, *words: str) -> str:
    """A command on a host of the IC databases itself."""
    deployment = by_engine(spec)
    where = engine(deployment, host).where if deployment is not None else ""
    return _on_host(where, words)


def _docker(deployment: Deployment, host: str) -> str:
    where = engine(deployment, host).where
    return f"docker -H {shlex.quote(where)}" if where else "docker"


def _containerd(deployment: Deployment, host: str, words: tuple[str, ...]) -> str:
    where = engine(deployment, host).where
    return _on_host(where, _ctr(where, words))


def _ctr(where: str, words: tuple[str, ...]) -> tuple[str, ...]:
    socket = where.removeprefix("unix://") if where.startswith("unix://") else ""
    address = ("--address", socket) if socket else ()
    return ("ctr", *address, "--namespace", CONTAINERD_NAMESPACE, *words)


def _on_host(where: str, words: tuple[str, ...]) -> str:
    command = shlex.join(words)
    found = _SSH.fullmatch(where)
    if found is None:
        return command
    port = f" -p {found[2]}" if found[2] else ""
    # Only a URL puts an IPv6 address between brackets.
    target = found[1].replace("[", "").replace("]", "")
    return f"ssh{port} {shlex.quote(target)} {shlex.quote(command)}"
