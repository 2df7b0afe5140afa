"""The controller: its memory, one round a second, the policies every five. Decides by values."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from icplan.errors import IcplanError
from icplan.lab.standin.decisions import (
    Step,
    blacklist,
    denied_overlaps,
    ic_address,
    next_step,
    overlap,
    policy_match,
    route_options,
    subnet_prefixes,
)
from icplan.lab.standin.generation import Generation
from icplan.lab.standin.interconnection import Interconnection
from icplan.lab.standin.sides import KubernetesSide, OvnSide
from icplan.lab.standin.values import BLACKLIST, ORIGINS, ROUTER, Config, TransitSwitch, ZoneInputs

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many seconds lie between rounds, and between looks at the policies."""

    rounds: float = 1.0
    policies: float = 5.0


class Controller:
    """One zone's controller. What it remembers dies with it, as with a restarted pod.

    Attributes:
        generation: which controller it stands in for.
    """

    def __init__(
        self,
        generation: Generation,
        kubernetes: KubernetesSide,
        ovn: OvnSide,
        *,
        draw_below: Callable[[int], int] | None = None,
    ) -> None:
        """Begin as a freshly started pod does: knowing nothing.

        Args:
            generation: which controller to stand in for.
            kubernetes: the zone's Kubernetes cluster.
            ovn: the zone's databases and ovn-ic.
            draw_below: gives a random number from 0 to below its argument; by default unseeded.
        """
        self.generation = generation
        self._kubernetes = kubernetes
        self._ovn = ovn
        self._interconnection = Interconnection(
            generation, kubernetes, ovn, draw_below or random.Random().randrange
        )
        # None is "unknown": neither established nor removed since the start.
        self._enabled: bool | None = None
        self._config: Config | None = None
        self._switches: list[TransitSwitch] = []
        # The switches as the last comparison saw them: what a rebuild believes to have built.
        self._switches_seen: list[TransitSwitch] = []
        self._overlaps: list[str] = []
        self._southbound = ""

    def run(
        self,
        stop: threading.Event,
        *,
        pace: Pace | None = None,
        beside: Sequence[Callable[[], object]] = (),
    ) -> None:
        """Go round until told to stop; whatever fails is logged and tried again.

        Args:
            stop: set by another thread or a signal.
            pace: how fast; by default as the real controller.
            beside: called after each round: what else this process plays.
        """
        chosen = pace or Pace()
        policies_due = time.monotonic()
        while not stop.is_set():
            self.poll()
            for play in beside:
                play()
            if time.monotonic() >= policies_due:
                self.sync_policies()
                policies_due = time.monotonic() + chosen.policies
            stop.wait(chosen.rounds)

    def poll(self) -> bool:
        """One round: look at the ConfigMap and do what it asks for.

        Returns:
            Whether nothing failed.
        """
        try:
            inputs = self._kubernetes.read()
            config = inputs.config_map
            if config is None or config.get("enable-ic") == "false":
                self._disable(config, inputs)
            else:
                self._reconcile(dict(config), inputs)
        except IcplanError as error:
            _log.warning("this round failed: %s", error)
            return False
        return True

    def sync_policies(self) -> bool:
        """Make the allow policies fit the routes that ovn-ic, or an operator, has marked.

        Returns:
            Whether nothing failed.
        """
        try:
            routes = [each for each in self._ovn.routes() if each.router == ROUTER]
            policies = self._ovn.policies()
            for origin in ORIGINS:
                wanted = {
                    policy_match(route.prefix)
                    for route in routes
                    if route.origin == origin and not route.table
                }
                there = [policy for policy in policies if policy.origin == origin]
                for match in sorted(wanted - {policy.match for policy in there}):
                    self._ovn.add_policy(match, origin)
                self._ovn.delete_policies([each for each in there if each.match not in wanted])
        except IcplanError as error:
            _log.warning("the policies failed: %s", error)
            return False
        return True

    def _disable(self, config: Config | None, inputs: ZoneInputs) -> None:
        if self._enabled is False:
            return
        # A ConfigMap that vanished while nobody looked leaves no name: ports and IC SB rows stay.
        known = config if config is not None else self._config or {}
        if known.get("ic-db-host"):
            self._southbound = _address(known, known, "ic-sb-port")
        zone = known.get("az-name", "")
        _log.info("removing the interconnection of %s", zone or "an unknown zone")
        if self.generation.options_before_tear_down:
            self._exchange_routes(inputs, wanted=False)
        self._interconnection.tear_down(zone, self._southbound, inputs)
        if not self.generation.options_before_tear_down:
            self._exchange_routes(inputs, wanted=False)
        self._enabled = False
        self._config = None

    def _reconcile(self, config: Config, inputs: ZoneInputs) -> None:
        auto_route = config.get("auto-route") == "true"
        if auto_route and self.generation.denies_overlaps:
            self._refresh_overlaps(inputs)
        self._exchange_routes(inputs, wanted=auto_route)
        step = self._next_step(config)
        if step is Step.NOTHING:
            return
        _log.info("%s", step.value)
        northbound = _address(config, config, "ic-nb-port")
        match step:
            case Step.ESTABLISH:
                self._interconnection.establish(config, northbound, inputs)
                self._switches = self._interconnection.transit_switches(northbound)
            case Step.GATEWAYS:
                self._interconnection.establish(config, northbound, inputs)
            case Step.REBUILD:
                self._rebuild(config, inputs)
        self._enabled = True
        self._config = config

    def _next_step(self, config: Config) -> Step:
        step = next_step(
            self.generation, enabled=self._enabled is True, last=self._config, now=config
        )
        if step is not Step.NOTHING:
            return step
        self._switches_seen = self._interconnection.transit_switches(
            _address(config, config, "ic-nb-port")
        )
        names = [switch.name for switch in self._switches]
        same = names == [switch.name for switch in self._switches_seen]
        return Step.NOTHING if same else Step.REBUILD

    def _rebuild(self, config: Config, inputs: ZoneInputs) -> None:
        # The old host with the new ports, also for the switches: a new host where nobody answers
        # is not noticed here, ovn-ic makes no switch, every round fails, and the old ConfigMap,
        # once back, equals the one remembered: nothing is done about it until a restart.
        last = self._config or {}
        self._southbound = _address(last, config, "ic-sb-port")
        self._interconnection.tear_down(last.get("az-name", ""), self._southbound, inputs)
        northbound = _address(last, config, "ic-nb-port")
        self._interconnection.establish(config, northbound, inputs)
        self._switches = self._switches_seen

    def _exchange_routes(self, inputs: ZoneInputs, *, wanted: bool) -> None:
        if not wanted:
            self._overlaps = []
        denied = blacklist(inputs.subnets, self._overlaps, inputs.nodes) if wanted else None
        self._ovn.set_global_options(route_options(self._ovn.global_options(), denied))

    def _refresh_overlaps(self, inputs: ZoneInputs) -> None:
        denied_before = self._ovn.global_options().get(BLACKLIST, "").split(",")
        learned = [route for route in self._ovn.routes() if route.learned]
        self._overlaps = denied_overlaps(
            subnet_prefixes(inputs.subnets),
            [route.prefix for route in learned],
            [*self._overlaps, *denied_before],
        )
        self._ovn.delete_routes(
            [
                route
                for route in learned
                if any(overlap(entry, route.prefix) for entry in self._overlaps)
            ]
        )


def _address(hosts: Config, ports: Config, port_key: str) -> str:
    return ic_address(hosts.get("ic-db-host", ""), ports.get(port_key, ""))
