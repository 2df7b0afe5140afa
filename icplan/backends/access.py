"""Where each database of a file is reached. Resolves paths; connects nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from icplan.backends.streams import Endpoint, Tls
from icplan.core.address import IC
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND, NORTHBOUND, SOUTHBOUND, Database
from icplan.spec.load import Spec
from icplan.spec.model import PlainOvnZone, Remote, TlsFiles


def endpoints(spec: Spec) -> Mapping[Database, tuple[Endpoint, ...]]:
    """The servers of every database that the file declares; relative paths count from the file."""
    directory = Path(spec.document.file).parent
    database = spec.interconnect.ic_database
    found = {
        Database(IC, name): tuple(Endpoint(Remote("tcp", host, port)) for host in database.hosts)
        for name, port in (
            (IC_NORTHBOUND, database.northbound_port),
            (IC_SOUTHBOUND, database.southbound_port),
        )
    }
    for zone in spec.interconnect.availability_zones:
        if isinstance(zone, PlainOvnZone):
            tls = _tls(directory, zone.tls)
            found[Database(zone.name, NORTHBOUND)] = _servers(directory, zone.northbound, tls)
            found[Database(zone.name, SOUTHBOUND)] = _servers(directory, zone.southbound, tls)
    return found


def _servers(directory: Path, remotes: Iterable[Remote], tls: Tls | None) -> tuple[Endpoint, ...]:
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
