"""What the commands of icplan lab do, as functions that work across processes. Prints nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from icplan.lab import folder
from icplan.lab.lab import Lab
from icplan.lab.namespaces import why_no_namespaces
from icplan.lab.state import LabOptions, Mode, default_directory

if TYPE_CHECKING:
    from pathlib import Path

    from icplan.lab.ping import PingResult
    from icplan.lab.zone import Zone


@dataclass(frozen=True, slots=True)
class ZoneDescription:
    """A zone of a lab, for showing.

    Attributes:
        name: its name.
        northbound: the address of its northbound database.
        southbound: the address of its southbound database.
        router: the name of its router.
        gateway_hosts: its hosts made as gateways.
        pods: its pods, each with its addresses.
        stopped: its daemons that should run and do not.
    """

    name: str
    northbound: str
    southbound: str
    router: str
    gateway_hosts: tuple[str, ...]
    pods: dict[str, tuple[str, ...]]
    stopped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabDescription:
    """A lab, for showing.

    Attributes:
        directory: its folder.
        mode: what it has besides databases.
        interconnect_file: the interconnect.yaml that fits it.
        ic_northbound: the address of the IC northbound database.
        ic_southbound: the address of the IC southbound database.
        zones: its zones.
        stopped: the servers of the IC databases that should run and do not.
    """

    directory: str
    mode: Mode
    interconnect_file: str
    ic_northbound: str
    ic_southbound: str
    zones: tuple[ZoneDescription, ...]
    stopped: tuple[str, ...]


def best_mode() -> Mode:
    """The mode with the most real parts that this user can have here."""
    return Mode.UNPRIVILEGED if why_no_namespaces() else Mode.NAMESPACES


def up(options: LabOptions | None = None, directory: Path | None = None) -> Lab:
    """Bring a lab up that stays when this process ends.

    In control-plane mode the zones get the process that binds gateway ports, and clusters the
    stand-in for Kube-OVN's controller, whatever the options say: nobody else would.

    Args:
        options: what it is made of; by default two zones in the best mode.
        directory: its folder; by default this user's.

    Raises:
        IcplanError: something failed; nothing is left.
    """
    chosen = options or LabOptions(mode=best_mode())
    if chosen.mode is Mode.CONTROL_PLANE:
        chosen = replace(chosen, play_ovn_controller=True)
    if chosen.kubernetes:
        chosen = replace(chosen, play_kube_ovn=True)
    lab = Lab(directory or default_directory(), chosen)
    lab.start()
    return lab


def down(directory: Path | None = None) -> bool:
    """End a lab and leave nothing of it, also after a crash half way; may be called twice.

    Args:
        directory: its folder; by default this user's.

    Returns:
        Whether there was a lab.

    Raises:
        IcplanError: the folder is no lab, or a process would not end.
    """
    return folder.remove(directory or default_directory())


def describe(directory: Path | None = None) -> LabDescription:
    """What a running lab is made of, and what of it should run and does not.

    Raises:
        IcplanError: there is no lab.
    """
    lab = Lab.attach(directory or default_directory())
    return LabDescription(
        directory=str(lab.directory),
        mode=lab.options.mode,
        interconnect_file=str(lab.interconnect_file),
        ic_northbound=lab.ic.northbound.network,
        ic_southbound=lab.ic.southbound.network,
        zones=tuple(_describe_zone(zone) for zone in lab.zones.values()),
        stopped=tuple(
            f"{server.schema.database} on {server.host}"
            for server in lab.ic.servers
            if not server.daemon.running()
        ),
    )


def ping(
    source: str, destination: str, *, directory: Path | None = None, count: int = 3
) -> PingResult:
    """Ping from a pod of a running lab ("az1/pods") to another, or to an address.

    Raises:
        IcplanError: there is no lab, no such pod, or the lab has no packets.
    """
    return Lab.attach(directory or default_directory()).ping(source, destination, count=count)


def _describe_zone(zone: Zone) -> ZoneDescription:
    return ZoneDescription(
        name=zone.name,
        northbound=zone.northbound.network,
        southbound=zone.southbound.network,
        router=zone.router,
        gateway_hosts=tuple(zone.gateway_hosts),
        pods={name: pod.addresses for name, pod in zone.pods.items()},
        stopped=tuple(daemon.name for daemon in zone.daemons if not daemon.running()),
    )
