"""How Kube-OVN's image is run as IC databases by an engine of a host. Runs nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from enum import Enum, auto
from pathlib import PurePosixPath

from icplan.core.address import IC, Address
from icplan.core.engines import AskMember, Container, Engine, InspectHost, Member
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND
from icplan.spec.load import Spec
from icplan.spec.model import Deployment, Family, Runtime

DATABASE_KIND = "database"

CONTAINER = "ovn-ic-db"
COMMAND = ("bash", "start-ic-db.sh")
MOUNTS = (
    ("/etc/ovn/", "/etc/ovn"),
    ("/var/run/ovn", "/var/run/ovn"),
    ("/var/log/ovn", "/var/log/ovn"),
)
"""Sources on the host and places inside, as Kube-OVN documents them (docs/facts.md section 10)."""
FILES = ("/etc/ovn/ovn_ic_nb_db.db", "/etc/ovn/ovn_ic_sb_db.db")
"""The databases on the host, which are removed with them (docs/facts.md section 11)."""
FOLDER = "/etc/ovn"
"""Where the databases are on the host and in the container, as far as a recipe says so."""
LOGS = ("/var/log/ovn/ovsdb-server-ic-nb.log", "/var/log/ovn/ovsdb-server-ic-sb.log")
"""What their servers say, on the host: ovn-ctl, which starts them, names these files."""
DATABASES = (IC_NORTHBOUND, IC_SOUTHBOUND)
PORTS = (6645, 6646)
"""Where the image's script lets the databases listen, whatever the file says."""

LEADER_CHECK, SSL = "ENABLE_OVN_LEADER_CHECK", "ENABLE_SSL"
BIND_LOCAL = "ENABLE_BIND_LOCAL_IP"
LOCAL_IP, POD_IP, NODE_IPS = "LOCAL_IP", "POD_IP", "NODE_IPS"
NORTHBOUND = "OVN_IC_NB_DB"
SWITCH, PROTOCOL, SUBNET = "TS_NAME", "PROTOCOL", "TS_CIDR"
VARIABLES = (
    BIND_LOCAL,
    LEADER_CHECK,
    SSL,
    LOCAL_IP,
    NODE_IPS,
    NORTHBOUND,
    POD_IP,
    PROTOCOL,
    SUBNET,
    SWITCH,
)
"""All that the script knows (docs/facts.md section 10), and one that ovn-ic-nbctl knows in it."""

_FIRST_OF_TODAY = (1, 11, 16)
_VERSION = re.compile(r":v?([0-9]+)\.([0-9]+)\.([0-9]+)([-.+][^:/]*)?$")
_ENGINE_S = ("/etc/hosts", "/etc/resolv.conf")
"""What an engine mounts by itself into a container with the host's network."""
_SUBNETS = {
    Family.IPV4: "169.254.100.0/24",
    Family.IPV6: "fe80:a9fe:64::/112",
    Family.DUAL: "169.254.100.0/24,fe80:a9fe:64::/112",
}
"""The subnet that the script gives to `ts`, by PROTOCOL."""


class Recipe(Enum):
    """What an image's start-ic-db.sh understands."""

    OLD = auto()
    """Before 1.11.16: one server that listens on all addresses; TS_NAME and TS_CIDR."""
    TODAY = auto()
    UNKNOWN = auto()
    """The tag names no version; taken for today's."""


def recipe(image: str) -> Recipe:
    """Which one an image has, by its tag."""
    found = _VERSION.search(image.partition("@")[0])
    if found is None:
        return Recipe.UNKNOWN
    version = tuple(int(part) for part in found.groups()[:3])
    return Recipe.TODAY if version >= _FIRST_OF_TODAY else Recipe.OLD


def kept_in(container: Container) -> str:
    """The folder of the host in which a container keeps its databases; empty: only in itself."""
    sources = {posixpath.normpath(inside): one for inside, one in container.mounts.items()}
    for inside in (PurePosixPath(FOLDER), *PurePosixPath(FOLDER).parents):
        if (source := sources.get(str(inside))) is not None:
            rest = PurePosixPath(FOLDER).relative_to(inside)
            return posixpath.normpath(str(PurePosixPath(source) / rest))
    return ""


def besides(container: Container) -> tuple[str, ...]:
    """What a container was given of which the recipe knows nothing, in words."""
    known = {inside for _, inside in MOUNTS} | {*_ENGINE_S}
    sources = {posixpath.normpath(inside): one for inside, one in container.mounts.items()}
    mounts = (
        f"mount {source}:{inside}"
        for inside, source in sorted(sources.items())
        if inside not in known
    )
    return (*(f"variable {name}" for name in container.variables), *mounts)


def by_engine(spec: Spec) -> Deployment | None:
    """The deployment, when icplan runs the databases by engines of the hosts."""
    deployment = spec.interconnect.ic_database.deployment
    if deployment is None or deployment.runtime is Runtime.KUBERNETES:
        return None
    return deployment


def address_of(host: str) -> Address:
    """The address of what runs the databases on a host."""
    return Address(IC, DATABASE_KIND, host)


def hosts(spec: Spec) -> tuple[str, ...]:
    """The hosts of the databases, in the order in which they are started.

    It is the order of their addresses: the first one that is started begins the cluster, and the
    file's order means nothing.
    """
    return tuple(sorted({*spec.interconnect.ic_database.hosts}))


def majority(spec: Spec) -> int:
    """How many members a decision needs."""
    return len(hosts(spec)) // 2 + 1


def engine(deployment: Deployment, host: str) -> Engine:
    """The engine of a host."""
    return Engine(deployment.runtime.value, host, deployment.engine_of(host) or "")


def engines(spec: Spec) -> tuple[Engine, ...]:
    """All engines; none when somebody else runs the databases, or a cluster does."""
    deployment = by_engine(spec)
    return tuple(engine(deployment, host) for host in hosts(spec)) if deployment else ()


def inspections(spec: Spec, *, briefly: bool = False) -> tuple[InspectHost, ...]:
    """What must be read of the hosts; briefly: without the members that each server knows."""
    clustered = DATABASES if len(hosts(spec)) > 1 and not briefly else ()
    return tuple(
        InspectHost(one, CONTAINER, FILES, VARIABLES, clustered, PORTS) for one in engines(spec)
    )


def members(spec: Spec) -> tuple[AskMember, ...]:
    """Every server of the databases, by host."""
    return tuple(AskMember(Member(name, host)) for host in hosts(spec) for name in DATABASES)


def environment(spec: Spec, image: str, host: str, *, joins: bool = False) -> dict[str, str]:
    """The variables that the script needs on a host; what it does by itself is left out.

    Today's script waits for a leader check that only Kubernetes can serve, and takes part in a
    cluster with TLS, unless it is told not to (docs/facts.md sections 9 and 10). Each member makes
    the switch `ts`, and ends when it asks its own server for it, which does not lead: all of them
    must be named (measured).

    Args:
        spec: the file.
        image: the image, by whose tag its script is known.
        host: the host.
        joins: there is a cluster already, and the host has no part of it yet: the first of
            NODE_IPS begins a cluster or joins itself, so it must be another one (measured).
    """
    switches = spec.interconnect.transit_switches
    subnet = switches.subnet_of(0)
    if recipe(image) is Recipe.OLD:
        return {SUBNET: subnet} if subnet != _SUBNETS[Family.IPV4] else {}
    found = {LEADER_CHECK: "false", SSL: "false"}
    if switches.family is not Family.IPV4:
        found[PROTOCOL] = switches.family.value
    if subnet != _SUBNETS[switches.family]:
        found[SUBNET] = subnet
    if len(hosts(spec)) > 1:
        listed = sorted(hosts(spec), key=lambda one: joins and one == host)
        servers = ",".join(f"tcp:[{one}]:{PORTS[0]}" for one in hosts(spec))
        found |= {LOCAL_IP: host, POD_IP: host, NODE_IPS: ",".join(listed), NORTHBOUND: servers}
    return dict(sorted(found.items()))


def meant(spec: Spec, image: str, found: Mapping[str, str]) -> dict[str, str]:
    """The variables of a container, as `environment` would have written the same.

    Without what means nothing, or what the script does by itself.
    """
    if recipe(image) is Recipe.OLD:
        known = {key: value for key, value in found.items() if key in {SWITCH, SUBNET}}
        return _without(known, {SWITCH: "ts", SUBNET: _SUBNETS[Family.IPV4]})
    family = found.get(PROTOCOL, Family.IPV4.value)
    subnets = {one.value: subnet for one, subnet in _SUBNETS.items()}
    usual = {
        SWITCH: "ts",
        PROTOCOL: Family.IPV4.value,
        SUBNET: subnets.get(family, ""),
        BIND_LOCAL: "true",
    }
    known = _without(found, usual)
    if NODE_IPS in known:
        listed = known[NODE_IPS].replace(" ", "").split(",")
        if {*listed} == {*hosts(spec)}:
            known[NODE_IPS] = ",".join(hosts(spec))
        if POD_IP in known:
            known.setdefault(LOCAL_IP, known[POD_IP])
    elif not {LOCAL_IP, POD_IP} & {*known}:
        # A server by itself speaks plain TCP whatever it is told (read in Kube-OVN's source).
        known.setdefault(SSL, "false")
    return dict(sorted(known.items()))


def _without(found: Mapping[str, str], usual: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if usual.get(key) != value}


def others(spec: Spec, found: Mapping[str, str]) -> tuple[str, ...] | None:
    """The hosts that a container was started for, when they are not those of the file."""
    text = found.get(NODE_IPS, "").replace(" ", "")
    named = tuple(sorted(one for one in text.split(",") if one))
    several = len(hosts(spec)) > 1
    if not named:
        return () if several else None
    return named if {*named} != {*hosts(spec)} else None
