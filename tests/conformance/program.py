"""A named program as the controller of zones with a real API server: see README.md."""

from __future__ import annotations

import math
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from icplan.errors import UsageError
from icplan.lab import Lab, wait_until
from icplan.lab.kubernetes import KubernetesZone
from icplan.lab.kubernetes.cluster import CONFIG_MAPS, NODES, SUBNETS
from icplan.lab.kubernetes.foreground import ForegroundDaemon
from icplan.lab.programs import find_program
from tests.conformance.views import ROUTER
from tests.conformance.world import Config, Spec, World, ZoneUnderTest

CONTROLLER = "ICPLAN_CONFORMANCE_CONTROLLER"
GENERATION = "ICPLAN_CONFORMANCE_GENERATION"
_CONFIG_MAP = f"{CONFIG_MAPS}/ovn-ic-config"
_LABEL = "ovn.kubernetes.io/ic-gw"
# Link-local: ovn-ic advertises it to nobody.
_BEAT_PREFIX = "169.254.250.0/24"
# The policies are looked at every 5 s, the ConfigMap every second.
_ROUNDS_IN_A_BEAT = 5
# A controller that works slowly is not yet wrong.
_BEAT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class NamedController:
    """The program to be put to the cases.

    Attributes:
        command: program and arguments, with places in braces.
        generation: "new" or "old": which expectations it is put to.
    """

    command: tuple[str, ...]
    generation: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self | None:
        """The one that the environment names; none when it names none.

        Raises:
            UsageError: what is said is not enough.
        """
        text = environment.get(CONTROLLER)
        if not text:
            return None
        command = tuple(shlex.split(text))
        generation = environment.get(GENERATION, "")
        if generation not in ("new", "old"):
            raise UsageError(
                GENERATION,
                cause=f"is {generation!r}; without it nobody knows what to expect",
                cure='set it to "new" or "old": README.md says which versions are which',
            )
        if not any(place in each for each in command for place in ("{kubeconfig}", "{directory}")):
            raise UsageError(
                CONTROLLER,
                cause="its arguments name neither {kubeconfig} nor {directory}, by which the "
                "process is known to be the one that was started",
                cure="add --kubeconfig={kubeconfig}",
            )
        return cls(command, generation)

    def daemon(self, zone: KubernetesZone) -> ForegroundDaemon:
        """Its process for a zone; of the name that the lab ends with the zone."""
        places = {
            "kubeconfig": str(zone.cluster.kubeconfig()),
            "northbound": zone.northbound.network,
            "southbound": zone.southbound.network,
            "directory": str(zone.directory),
            "zone": zone.name,
            "number": str(zone.state.index),
        }
        environment = {
            "ENABLE_IC": "true",
            "ENABLE_SSL": "false",
            "KUBECONFIG": places["kubeconfig"],
            "OVN_LOGDIR": places["directory"],
            "OVN_RUNDIR": places["directory"],
            "POD_NAMESPACE": "kube-system",
        }
        settings = [f"{name}={value}" for name, value in environment.items()]
        arguments = [each.format_map(places) for each in self.command]
        return ForegroundDaemon(
            "controller", zone.directory, find_program("env"), (*settings, *arguments)
        )


class ProgramZone(ZoneUnderTest):
    """A zone that is a cluster of the lab, with the named program as its controller."""

    def __init__(self, zone: KubernetesZone, named: NamedController) -> None:
        super().__init__(zone, zone.directory)
        self._zone = zone
        self._api = zone.cluster.api
        self._daemon = named.daemon(zone)

    def config_map(self) -> Config | None:
        found = self._api.get_if_exists(_CONFIG_MAP)
        return None if found is None else dict(found.get("data") or {})

    def write_config_map(self, data: Config | None) -> None:
        body = {"metadata": {"name": "ovn-ic-config"}, "data": data}
        there = self._api.get_if_exists(_CONFIG_MAP) is not None
        if data is None and there:
            self._api.delete(_CONFIG_MAP)
        elif data is not None and there:
            self._api.replace(_CONFIG_MAP, body)
        elif data is not None:
            self._api.create(CONFIG_MAPS, body)

    def annotate_config_map(self) -> None:
        marks = {"conformance.icplan/mark": "x"}
        self._api.patch(_CONFIG_MAP, {"metadata": {"labels": marks, "annotations": marks}})

    def subnets(self) -> Mapping[str, Spec]:
        return {each["metadata"]["name"]: each["spec"] for each in self._api.list(SUBNETS)}

    def write_subnet(self, name: str, spec: Spec | None) -> None:
        path = f"{SUBNETS}/{name}"
        if spec is None:
            self._api.delete(path)
        elif self._api.get_if_exists(path) is None:
            body = {"apiVersion": "kubeovn.io/v1", "kind": "Subnet", "metadata": {"name": name}}
            self._api.create(SUBNETS, body | {"spec": spec})
        else:
            self._api.patch(path, [{"op": "replace", "path": "/spec", "value": spec}])

    def labels(self) -> Mapping[str, str | None]:
        nodes = {each["metadata"]["name"]: each for each in self._api.list(NODES)}
        return {name: each["metadata"]["labels"].get(_LABEL) for name, each in nodes.items()}

    def clear_labels(self) -> None:
        for name, value in self.labels().items():
            if value is not None:
                self._api.patch(f"{NODES}/{name}", {"metadata": {"labels": {_LABEL: None}}})

    def internal_ips(self) -> Mapping[str, str]:
        return {name: host.address for name, host in self._zone.hosts.items()}

    @property
    def controlled(self) -> bool:
        return self._daemon.running()

    def start_controller(self) -> None:
        self._daemon.start()
        self._daemon.wait_until_ready(self._daemon.running)

    def stop_controller(self) -> None:
        self._daemon.stop()
        self._zone.stop_ovn_ic()

    def nudge(self) -> None:
        """It goes by itself."""

    def start_beat(self) -> None:
        """Add a route with an origin, if a controller runs that can see it."""
        if self.controlled:
            self.databases.nbctl(
                *("--id=@route", "create", "Logical_Router_Static_Route"),
                *(f'ip_prefix="{_BEAT_PREFIX}"', 'nexthop="10.16.0.9"', "options:origin=static"),
                *("--", "add", "Logical_Router", ROUTER, "static_routes", "@route"),
            )
            self._await_policy(there=True)

    def end_beat(self) -> None:
        """Remove it."""
        if self.controlled:
            self.databases.nbctl("lr-route-del", ROUTER, _BEAT_PREFIX)
            self._await_policy(there=False)

    def _await_policy(self, *, there: bool) -> None:
        def as_wanted() -> bool:
            rows = self.rows({"Logical_Router_Policy": ("match",)})["Logical_Router_Policy"]
            return any(_BEAT_PREFIX in row["match"] for row in rows) is there

        wait_until(
            as_wanted,
            f"{'policy' if there else 'end of the policy'} for {_BEAT_PREFIX} in {self.name}",
            place=f"{self._daemon.logfile}: {self._daemon.log_tail()}",
            timeout=_BEAT_SECONDS,
        )


class ProgramWorld(World):
    """Both zones with the named program; a lab that was started without controllers."""

    def __init__(self, lab: Lab, named: NamedController) -> None:
        self.own = {name: ProgramZone(zone, named) for name, zone in lab.clusters.items()}
        super().__init__(self.own, lab.ic)

    def go_round(self, rounds: int) -> None:
        """By a route with an origin, which gets a policy at a controller's next look at them.

        Then the route goes, and so does the policy: between these two looks, 5 s apart with the
        real controller, lie rounds that began after the call.
        """
        for _ in range(math.ceil(rounds / _ROUNDS_IN_A_BEAT)):
            for zone in self.own.values():
                zone.start_beat()
            for zone in self.own.values():
                zone.end_beat()


def standin_as_named(generation: str) -> dict[str, str]:
    """An environment that names the stand-in's own program, with rounds that follow quickly.

    With these seeds the first 36 addresses that one zone draws are none of the other's.
    """
    command = [
        *(sys.executable, "-P", "-m", "icplan.lab.standin", f"--generation={generation}"),
        *("--kubeconfig={kubeconfig}", "--northbound={northbound}", "--southbound={southbound}"),
        *("--directory={directory}", "--round-seconds=0.05", "--policy-seconds=0.05"),
        "--seed=38712{number}",
    ]
    return {CONTROLLER: shlex.join(command), GENERATION: generation}


def named_here() -> NamedController | None:
    """The controller that this run of the tests is to be put to, if it is not the stand-in."""
    return NamedController.from_environment(os.environ)
