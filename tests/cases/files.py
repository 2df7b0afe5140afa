"""The text of interconnect files for cases: short, and as a person would write it."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Zone:
    """One entry of `availabilityZones`; `more` are further lines of it."""

    name: str
    number: int
    gateways: tuple[str, ...]
    router: str = "router"
    more: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        host = f"192.0.2.{10 + self.number}"
        lines = (
            f"- name: {self.name}",
            "  platform: ovn",
            f"  northbound: [tcp:{host}:6641]",
            f"  southbound: [tcp:{host}:6642]",
            f"  router: {self.router}",
            f"  gatewayNodes: [{', '.join(self.gateways)}]",
            *(f"  {line}" for line in self.more),
        )
        return "".join(f"  {line}\n" for line in lines)

    def with_gateways(self, *gateways: str) -> Zone:
        return replace(self, gateways=gateways)

    def with_more(self, *lines: str) -> Zone:
        return replace(self, more=(*self.more, *lines))

    def absent(self) -> Zone:
        return self.with_more("state: absent")


@dataclass(frozen=True)
class KubeOvnZone(Zone):
    """An entry of a zone that is a Kubernetes cluster."""

    @property
    def text(self) -> str:
        lines = (
            f"- name: {self.name}",
            f"  kubernetes: {{context: {self.name}}}",
            f"  gatewayNodes: [{', '.join(self.gateways)}]",
            *(f"  {line}" for line in self.more),
        )
        return "".join(f"  {line}\n" for line in lines)


@dataclass(frozen=True)
class GoneZone(Zone):
    """An entry of a zone that is no more."""

    @property
    def text(self) -> str:
        return f"  - {{name: {self.name}, state: gone}}\n"


def gone(name: str) -> Zone:
    """A zone that is no more."""
    return GoneZone(name, 0, ())


def cluster(number: int, *more: str, gateways: int = 2) -> Zone:
    """The zone of the lab with that number, as a Kubernetes cluster."""
    plain = zone(number, *more, gateways=gateways)
    return KubeOvnZone(plain.name, number, plain.gateways, more=more)


def zone(number: int, *more: str, gateways: int = 2, router: str = "router") -> Zone:
    """The zone of the lab with that number: az1, az2 and so on."""
    name = f"az{number}"
    hosts = tuple(f"{name}-gw{one}" for one in range(1, gateways + 1))
    return Zone(name, number, hosts, router, more)


def file(
    *zones: Zone,
    owner: str = "prod",
    switches: str = "1",
    limits: str = "",
    accept: tuple[str, ...] = (),
    hosts: str = "127.0.0.1",
    through: str = "",
    routes: tuple[str, ...] = (),
    deployment: str = "",
    ports: str = "",
) -> str:
    """A whole interconnect.yaml."""
    reach = f"reach: {{through: {through}}}, " if through else ""
    runs = f", deployment: {{{deployment}}}" if deployment else ""
    # A file with routes is one of manual zones, unless a zone says something else.
    policy = "routePolicy: manual\n" if routes else ""
    parts = [
        "apiVersion: icplan/v1\n",
        "kind: Interconnect\n",
        f"metadata: {{name: {owner}}}\n",
        f"icDatabase: {{{reach}{ports}hosts: [{hosts}]{runs}}}\n",
        f"transitSwitches: {switches}\n",
        policy,
    ]
    if limits:
        parts.append(f"limits: {{{limits}}}\n")
    parts.append("availabilityZones:\n")
    parts += [one.text for one in zones]
    if routes:
        parts.append("routes:\n")
        parts += [f"  - {{{one}}}\n" for one in routes]
    if accept:
        parts.append("accept:\n")
        parts += [f"  - {{{one}}}\n" for one in accept]
    return "".join(parts)
