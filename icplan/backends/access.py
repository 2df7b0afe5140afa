"""Where each database and each cluster of a file is reached. Resolves paths; connects nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from icplan.backends.engines import EngineClient
from icplan.backends.kubernetes.configuration import Access
from icplan.backends.kubernetes.objects import Objects
from icplan.backends.kubernetes.tunnel import Tunnel
from icplan.backends.streams import Endpoint, Server, Tls
from icplan.core.address import IC
from icplan.core.engines import Engine, Member
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND, NORTHBOUND, SOUTHBOUND, Database
from icplan.kinds.common import deployment
from icplan.spec.load import Spec
from icplan.spec.model import KubeOvnZone, PlainOvnZone, Remote, TlsFiles, Zone


def clusters(spec: Spec, seconds: float) -> dict[str, Objects]:
    """The client of every Kube-OVN zone's cluster, but for those that are left out.

    Args:
        spec: the file.
        seconds: how long one read or write may take.
    """
    return {
        zone.name: Objects(
            Access.declared(zone.name, zone.kubernetes, spec.directory(zone.name)), seconds
        )
        for zone in _looked_at(spec)
        if isinstance(zone, KubeOvnZone)
    }


def endpoints(spec: Spec, reached: Mapping[str, Objects]) -> dict[Database, tuple[Server, ...]]:
    """The servers of every database that the file declares, but for zones that are left out.

    Args:
        spec: the file.
        reached: the clients of its clusters, whose databases are reached by exec.
    """
    found: dict[Database, tuple[Server, ...]] = {**_interconnection(spec, reached)}
    for zone in _looked_at(spec):
        match zone:
            case PlainOvnZone():
                directory = spec.directory(zone.name)
                tls = _tls(directory, zone.tls)
                found[Database(zone.name, NORTHBOUND)] = _servers(directory, zone.northbound, tls)
                found[Database(zone.name, SOUTHBOUND)] = _servers(directory, zone.southbound, tls)
            case KubeOvnZone():
                for name in (NORTHBOUND, SOUTHBOUND):
                    tunnel = Tunnel.to_leader(reached[zone.name], name)
                    found[Database(zone.name, name)] = (tunnel,)
    return found


def members(spec: Spec, reached: Mapping[str, Objects]) -> dict[Member, Server]:
    """The single servers of the IC databases.

    Args:
        spec: the file.
        reached: the clients of its clusters, through one of which they may be reached.
    """
    return {
        Member(database.name, host): server
        for database, servers in _interconnection(spec, reached).items()
        for host, server in zip(spec.interconnect.ic_database.hosts, servers, strict=True)
    }


def engines(spec: Spec, seconds: float) -> dict[Engine, EngineClient]:
    """The container engines that the file names.

    Args:
        spec: the file.
        seconds: how long one reading may take.
    """
    return {one: EngineClient(one, seconds) for one in deployment.engines(spec)}


def _looked_at(spec: Spec) -> Iterator[Zone]:
    zones = spec.interconnect.availability_zones
    return (zone for zone in zones if zone.name not in spec.without)


def _interconnection(
    spec: Spec, reached: Mapping[str, Objects]
) -> dict[Database, tuple[Server, ...]]:
    database = spec.interconnect.ic_database
    ports = {IC_NORTHBOUND: database.northbound_port, IC_SOUTHBOUND: database.southbound_port}
    # A rule refuses a road through what is no Kube-OVN zone of the file, `leave_out` one through
    # a zone that is left out.
    through = reached.get(database.reach.through) if database.reach else None
    return {
        Database(IC, name): tuple(
            Tunnel.through(through, host, port)
            if through is not None
            else Endpoint(Remote("tcp", host, port))
            for host in database.hosts
        )
        for name, port in ports.items()
    }


def _servers(directory: Path, remotes: Iterable[Remote], tls: Tls | None) -> tuple[Server, ...]:
    return tuple(
        Endpoint(
            Remote("unix", path=str(directory / Path(remote.path).expanduser()))
            if remote.scheme == "unix"
            else remote,
            tls if remote.encrypted else None,
        )
        for remote in remotes
    )


def _tls(directory: Path, files: TlsFiles | None) -> Tls | None:
    if files is None:
        return None
    ca, certificate, key = (
        directory / Path(one).expanduser() for one in (files.ca, files.certificate, files.key)
    )
    return Tls(ca, certificate, key)
