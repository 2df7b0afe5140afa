"""The two narrow sides through which the stand-in touches the world. No code, only contracts.

Everything here raises IcplanError when it cannot be done; the controller then gives the round up,
as the real one does, and tries again after a second with what it remembers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from icplan.lab.standin.values import Policy, Route, TransitPort, TransitSwitch, ZoneInputs


class KubernetesSide(Protocol):
    """The zone's Kubernetes cluster."""

    def read(self) -> ZoneInputs:
        """The ConfigMap, the Nodes and the Subnets as they are now."""
        ...

    def set_gateway_label(self, node: str, value: str) -> None:
        """Set the label that makes a Node a gateway ("true") or takes that back ("false").

        A label that has the value already is left alone.
        """
        ...


class OvnSide(Protocol):
    """The zone's databases, the IC databases and the zone's ovn-ic."""

    # The northbound database

    def set_zone_name(self, name: str) -> None:
        """Write NB_Global.name."""
        ...

    def global_options(self) -> Mapping[str, str]:
        """Read NB_Global.options."""
        ...

    def set_global_options(self, options: Mapping[str, str]) -> None:
        """Write NB_Global.options, unless they are so already."""
        ...

    def routes(self) -> list[Route]:
        """The static routes of all routers."""
        ...

    def delete_routes(self, routes: Collection[Route]) -> None:
        """Delete static routes."""
        ...

    def policies(self) -> list[Policy]:
        """The policies of priority 29500 on the default router."""
        ...

    def add_policy(self, match: str, origin: str) -> None:
        """Add an allow policy of priority 29500 to the default router."""
        ...

    def delete_policies(self, policies: Collection[Policy]) -> None:
        """Delete policies of the default router."""
        ...

    def has_switch_port(self, name: str) -> bool:
        """Whether a logical switch port of that name exists."""
        ...

    def remote_addresses(self) -> set[str]:
        """The addresses of the remote ports, one string for each port that has exactly one."""
        ...

    def create_port(self, port: TransitPort) -> None:
        """Make a port on a transit switch; fails while ovn-ic has not made the switch."""
        ...

    def set_gateways(self, router_port: str, chassis: Sequence[str]) -> None:
        """Make the Gateway_Chassis of a router port exactly these, with priorities from 100."""
        ...

    def delete_transit_ports(self, zone: str) -> None:
        """Delete a zone's ports on transit switches, and the switches that had one."""
        ...

    # The southbound database

    def chassis_of(self, hostname: str) -> str:
        """The name of the only chassis with a host name; fails when there is none, or two."""
        ...

    def mark_interconn(self, hostname: str, *, marked: bool) -> None:
        """Set other_config:is-interconn of a host's chassis, as its ovn-controller would."""
        ...

    # The IC databases

    def transit_switches(self, address: str) -> list[TransitSwitch]:
        """The transit switches with `external_ids:vendor=kube-ovn`; others are not seen.

        Their order stays as long as they do.
        """
        ...

    def delete_zone_rows(self, address: str, zone: str) -> None:
        """Delete a zone and its gateways, port bindings and routes from IC SB at an address."""
        ...

    # ovn-ic

    def start_ovn_ic(self, northbound: str, southbound: str) -> None:
        """Start ovn-ic with addresses of the IC databases; one that runs keeps those it has."""
        ...

    def stop_ovn_ic(self) -> None:
        """End ovn-ic, if it runs."""
        ...
