"""What the options of `icplan import` name, as values. Looks at no zone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from icplan.backends.kubernetes.configuration import Access, context_of
from icplan.errors import UsageError
from icplan.planning.importing.asked import Asked, AskedZone
from icplan.spec import texts
from icplan.spec.diagnostic import escape
from icplan.spec.model import (
    KubeOvnAccess,
    KubernetesAccess,
    PlainOvnAccess,
    Remote,
    TlsFiles,
)


@dataclass(frozen=True, slots=True)
class Named:
    """The options as they were typed."""

    contexts: Sequence[str]
    kubeconfigs: Sequence[str]
    plain: Sequence[tuple[str, str, str]]
    routers: Sequence[tuple[str, str]]
    certificates: Sequence[tuple[str, str, str, str]]
    hosts: Sequence[str]
    ports: tuple[int, int] | None
    through: str | None
    name: str | None


def asked(named: Named, directory: Path) -> Asked:
    """What is to be looked at.

    Args:
        named: the options.
        directory: where the file will be; relative paths count from here today.

    Raises:
        UsageError: it means nothing.
        AccessFailed: a kubeconfig whose current context is meant cannot be read.
    """
    if not (named.contexts or named.kubeconfigs or named.plain):
        raise UsageError(
            "import",
            cause="no zone is named",
            cure="name each cluster with --kube-context (`kubectl config get-contexts` lists "
            "them), each plain OVN zone with --ovn",
        )
    sites = _Sites()
    zones = (*_clusters(named, directory, sites), *_plain_zones(named, directory, sites))
    return Asked(zones, _name(named), _hosts(named), named.ports, _through(named, zones))


@dataclass(slots=True)
class _Sites:
    """Names for zones until it is known how OVN calls them: one for each, and no two equal."""

    taken: set[str] = field(default_factory=lambda: {texts.RESERVED})

    def new(self, text: str) -> str:
        likely = re.sub(r"[^a-z0-9.-]+", "-", text.lower())[: texts.LONGEST_NAME - 4].strip("-.")
        name = base = likely or "zone"
        number = 1
        while name in self.taken:
            number += 1
            name = f"{base}-{number}"
        self.taken.add(name)
        return name


def _clusters(named: Named, directory: Path, sites: _Sites) -> Iterator[AskedZone]:
    for context, file in _pairs(named.contexts, named.kubeconfigs):
        # The current one may change; what is meant is the one of today.
        path = Path(file).expanduser() if file else None
        name = context or context_of(Access("import", kubeconfig=path))
        with _refusing("--kube-context" if context else "--kubeconfig"):
            kubernetes = KubernetesAccess(
                context=name, kubeconfig=_from(directory, file) if file else None
            )
        title = f"context {name}" if name else f"kubeconfig {file}"
        site = sites.new(name or Path(str(file)).stem)
        yield AskedZone(site, title, KubeOvnAccess(kubernetes=kubernetes))


def _pairs(
    contexts: Sequence[str], kubeconfigs: Sequence[str]
) -> Iterator[tuple[str | None, str | None]]:
    for option, given in (("--kube-context", contexts), ("--kubeconfig", kubeconfigs)):
        if "" in given:
            raise UsageError(option, cause="it is empty", cure="name one, or leave the option out")
    if not contexts:
        yield from ((None, one) for one in kubeconfigs)
    elif len(kubeconfigs) <= 1:
        yield from ((one, kubeconfigs[0] if kubeconfigs else None) for one in contexts)
    elif len(kubeconfigs) == len(contexts):
        yield from zip(contexts, kubeconfigs, strict=True)
    else:
        raise UsageError(
            "--kubeconfig",
            cause=f"there are {len(contexts)} contexts and {len(kubeconfigs)} kubeconfigs",
            cure="give one kubeconfig for all contexts, or one for each of them in their order",
        )


def _plain_zones(named: Named, directory: Path, sites: _Sites) -> Iterator[AskedZone]:
    routers = {}
    for zone, router in named.routers:
        with _refusing(f"--router {escape(zone)}"):
            routers[zone] = texts.plain_text(router)
    certificates = {zone: files for zone, *files in named.certificates}
    labels = [zone for zone, _, _ in named.plain]
    for option, mentioned in (("--router", routers), ("--tls", certificates)):
        for zone in mentioned:
            if zone not in labels:
                raise UsageError(
                    f"{option} {escape(zone)}",
                    cause=f"no --ovn names a zone {escape(zone)}",
                    cure=f"name one of {', '.join(map(escape, labels))}"
                    if labels
                    else f"name its databases: --ovn {escape(zone)} NORTHBOUND SOUTHBOUND",
                )
    for zone, northbound, southbound in named.plain:
        option = f"--ovn {escape(zone)}"
        if labels.count(zone) > 1:
            raise UsageError(
                option,
                cause="two zones are called so",
                cure="call one of them otherwise; in the file it has the name that OVN knows",
            )
        with _refusing(option):
            access = PlainOvnAccess(
                northbound=_remotes(northbound, directory),
                southbound=_remotes(southbound, directory),
                tls=_tls(certificates.get(zone), directory),
            )
        yield AskedZone(sites.new(zone), f"zone {zone}", access, routers.get(zone, ""))


def _remotes(text: str, directory: Path) -> tuple[Remote, ...]:
    """One address, or all of a raft cluster, as `ovn-nbctl --db` takes them."""
    found = (Remote.parse(one.strip()) for one in text.split(","))
    return tuple(
        replace(one, path=_from(directory, one.path)) if one.scheme == "unix" else one
        for one in found
    )


def _tls(files: Sequence[str] | None, directory: Path) -> TlsFiles | None:
    if files is None:
        return None
    ca, certificate, key = (_from(directory, one) for one in files)
    return TlsFiles(ca=ca, certificate=certificate, key=key)


def _from(directory: Path, file: str) -> str:
    """A path that was typed here, as it is written in a file there."""
    if Path(file).is_absolute() or file.startswith("~"):
        return file
    return os.path.relpath(file, directory)


def _hosts(named: Named) -> tuple[str, ...]:
    with _refusing("--ic"):
        return tuple(
            texts.address(one.strip()) for given in named.hosts for one in given.split(",")
        )


def _name(named: Named) -> str:
    if named.name is None:
        return ""
    with _refusing("--name"):
        return texts.name(named.name)


def _through(named: Named, zones: Sequence[AskedZone]) -> str:
    if named.through is None:
        return ""
    clusters = {one.title.partition(" ")[2]: one.site for one in zones if one.kube_ovn}
    if named.through not in clusters:
        raise UsageError(
            f"--reach-through {escape(named.through)}",
            cause="no such cluster is imported",
            cure=f"name one of {', '.join(map(escape, clusters))}"
            if clusters
            else "only clusters can be such a road: go where the databases are reached directly",
        )
    return clusters[named.through]


@contextmanager
def _refusing(option: str) -> Iterator[None]:
    """Turns what the grammar says about a value into an error of the command line.

    Raises:
        UsageError: the grammar does not take it.
    """
    try:
        yield
    except PydanticCustomError as error:
        context = error.context or {}
        raise UsageError(
            option, cause=str(context.get("message")), cure=str(context.get("cure"))
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        context = first.get("ctx", {})
        raise UsageError(
            option,
            cause=str(context.get("message", first["msg"])),
            cure=str(context.get("cure", "correct it")),
        ) from error
