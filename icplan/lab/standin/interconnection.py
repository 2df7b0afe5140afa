"""Making and unmaking a zone's interconnection: the effects, step by step. Remembers nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from icplan.lab.standin.decisions import (
    draw_mac,
    draw_networks,
    gateway_nodes,
    ic_address,
    rotated,
)
from icplan.lab.standin.failures import RoundFailed
from icplan.lab.standin.generation import Generation
from icplan.lab.standin.sides import KubernetesSide, OvnSide
from icplan.lab.standin.values import GATEWAY_LABEL, Config, TransitPort, TransitSwitch, ZoneInputs

_log = logging.getLogger(__name__)


class Interconnection:
    """One zone's interconnection, as the real controller makes it.

    Every method does its steps in the real order and stops at the first that fails; what was done
    before stays.
    """

    def __init__(
        self,
        generation: Generation,
        kubernetes: KubernetesSide,
        ovn: OvnSide,
        draw_below: Callable[[int], int],
    ) -> None:
        self._generation = generation
        self._kubernetes = kubernetes
        self._ovn = ovn
        self._draw_below = draw_below

    def transit_switches(self, address: str) -> list[TransitSwitch]:
        """The transit switches that this controller sees."""
        return self._ovn.transit_switches(address)

    def establish(self, config: Config, northbound: str, inputs: ZoneInputs) -> None:
        """Name the zone, start ovn-ic, and see to a port with gateways on each transit switch.

        Args:
            config: the ConfigMap.
            northbound: where the transit switches are looked up: not always where the ConfigMap
                says, while ovn-ic is always started with that.
            inputs: what was read of the cluster.
        """
        zone = config.get("az-name", "")
        hosts = config.get("ic-db-host", "")
        self._ovn.set_zone_name(zone)
        self._ovn.start_ovn_ic(
            ic_address(hosts, config.get("ic-nb-port", "")),
            ic_address(hosts, config.get("ic-sb-port", "")),
        )
        switches = sorted(self.transit_switches(northbound), key=lambda switch: switch.name)
        nodes = gateway_nodes(self._generation, config)
        if self._generation.gateways_in_place:
            self._unlabel(inputs, keep=nodes)
        for index, switch in enumerate(switches):
            order = rotated(nodes, index)
            if self._generation.gateways_in_place:
                self._reconcile_port(zone, switch, order, inputs)
            else:
                self._create_port_once(zone, switch, order, inputs)

    def tear_down(self, zone: str, southbound: str, inputs: ZoneInputs) -> None:
        """Stop ovn-ic and delete what is ours: labels, ports, switches, routes, IC SB rows.

        Args:
            zone: the zone's name; with an empty one, ports and IC SB rows stay.
            southbound: where IC SB is.
            inputs: what was read of the cluster.
        """
        self._unlabel(inputs, keep=())
        self._ovn.stop_ovn_ic()
        if zone:
            self._ovn.delete_transit_ports(zone)
        learned = [route for route in self._ovn.routes() if route.learned]
        if not self._generation.deletes_learned_routes:
            # It asks for policy src-ip where the column is empty, and an empty one means dst-ip.
            learned = [route for route in learned if route.policy is not None]
        self._ovn.delete_routes(learned)
        if zone:
            self._ovn.delete_zone_rows(southbound, zone)

    def _reconcile_port(
        self, zone: str, switch: TransitSwitch, order: Sequence[str], inputs: ZoneInputs
    ) -> None:
        name, router_port = f"{switch.name}-{zone}", f"{zone}-{switch.name}"
        if self._ovn.has_switch_port(name):
            self._ovn.set_gateways(router_port, self._label_gateways(order, inputs))
        elif order:
            networks = self._draw(switch)
            self._create(switch, zone, networks, self._label_gateways(order, inputs))

    def _create_port_once(
        self, zone: str, switch: TransitSwitch, order: Sequence[str], inputs: ZoneInputs
    ) -> None:
        chassis = self._label_gateways(order, inputs)
        if self._ovn.has_switch_port(f"{switch.name}-{zone}"):
            return
        self._create(switch, zone, self._draw(switch), chassis)

    def _draw(self, switch: TransitSwitch) -> tuple[str, ...]:
        taken = self._ovn.remote_addresses()
        try:
            return draw_networks(switch.subnet, taken, self._draw_below)
        except ValueError as error:
            what = f"external_ids:subnet of transit switch {switch.name}"
            raise RoundFailed(what, str(error)) from error

    def _create(
        self, switch: TransitSwitch, zone: str, networks: tuple[str, ...], chassis: tuple[str, ...]
    ) -> None:
        port = TransitPort(
            switch=switch.name,
            name=f"{switch.name}-{zone}",
            router_port=f"{zone}-{switch.name}",
            networks=networks,
            mac=draw_mac(self._draw_below),
            chassis=chassis,
        )
        self._ovn.create_port(port)
        _log.info("made port %s with %s", port.router_port, ", ".join(networks))

    def _label_gateways(self, order: Sequence[str], inputs: ZoneInputs) -> tuple[str, ...]:
        """The chassis of the gateways; their Nodes get the label on the way."""
        chassis = []
        for node in order:
            chassis.append(self._ovn.chassis_of(node))
            if node not in inputs.nodes:
                raise RoundFailed(f"gateway node {node}", "there is no such Node")
            self._kubernetes.set_gateway_label(node, "true")
        return tuple(chassis)

    def _unlabel(self, inputs: ZoneInputs, keep: Sequence[str]) -> None:
        for name in sorted(inputs.nodes):
            if name not in keep and inputs.nodes[name].labels.get(GATEWAY_LABEL) == "true":
                self._kubernetes.set_gateway_label(name, "false")
