"""The stand-in in this process, on real databases: a round is a call, and a draw can be chosen."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from icplan.lab import StandaloneDatabases, ZoneDatabases
from icplan.lab.standin import GENERATIONS, Controller, OvnDatabases
from icplan.lab.standin.values import GATEWAY_LABEL
from tests.conformance.world import Config, Spec, World, ZoneUnderTest
from tests.lab.standin_zones import build_zone


class Draws:
    """A zone's random numbers: no address twice, unless a case chooses the next ones.

    Attributes:
        chosen: the numbers of the next addresses, first to last.
        before: called, once, when a number of `chosen` is about to be given.
    """

    def __init__(self, used: set[int]) -> None:
        self.chosen: list[int] = []
        self.before: Callable[[], None] | None = None
        self._random = random.Random()
        self._used = used

    def __call__(self, below: int) -> int:
        # Octets of Ethernet addresses.
        if below == 256:
            return self._random.randrange(below)
        if self.chosen:
            before, self.before = self.before, None
            if before:
                before()
            return self.chosen.pop(0)
        number = self._random.choice([each for each in range(128) if each not in self._used])
        self._used.add(number)
        return number


class InProcessZone(ZoneUnderTest):
    """A zone whose controller is an object.

    Attributes:
        draws: where its random numbers come from.
    """

    def __init__(self, databases: ZoneDatabases, number: int) -> None:
        self._cluster = build_zone(databases, number)
        directory = databases.directory / "standin"
        self._ovn = OvnDatabases(databases.northbound.unix, databases.southbound.unix, directory)
        super().__init__(databases, directory)
        self.generation = "new"
        self.draws = Draws(set())
        self._controller: Controller | None = None

    def config_map(self) -> Config | None:
        return None if self._cluster.config_map is None else dict(self._cluster.config_map)

    def write_config_map(self, data: Config | None) -> None:
        self._cluster.config_map = None if data is None else dict(data)

    def annotate_config_map(self) -> None:
        """The stand-in is given the data only: it cannot react to more."""

    def subnets(self) -> Mapping[str, Spec]:
        return self._cluster.subnets

    def write_subnet(self, name: str, spec: Spec | None) -> None:
        self._cluster.subnets.pop(name, None)
        if spec is not None:
            self._cluster.subnets[name] = dict(spec)

    def labels(self) -> Mapping[str, str | None]:
        nodes = self._cluster.read().nodes
        return {name: node.labels.get(GATEWAY_LABEL) for name, node in nodes.items()}

    def clear_labels(self) -> None:
        for labels in self._cluster.labels.values():
            labels.clear()

    def internal_ips(self) -> Mapping[str, str]:
        return {name: node.internal_ips[0] for name, node in self._cluster.read().nodes.items()}

    @property
    def controlled(self) -> bool:
        return self._controller is not None

    def start_controller(self) -> None:
        generation = GENERATIONS[self.generation]
        self._controller = Controller(generation, self._cluster, self._ovn, draw_below=self.draws)

    def stop_controller(self) -> None:
        self._controller = None
        self._ovn.close()

    def nudge(self) -> None:
        if self._controller is not None:
            self._controller.poll()
            self._controller.sync_policies()


class InProcessWorld(World):
    """Both zones with the stand-in, in the generation of each case."""

    fresh_draws = True

    def __init__(self, databases: StandaloneDatabases) -> None:
        self.own = {
            name: InProcessZone(each, number)
            for number, (name, each) in enumerate(databases.zones.items(), 1)
        }
        super().__init__(self.own, databases.ic)

    def go_round(self, rounds: int) -> None:
        for _ in range(rounds):
            self.nudge()

    def begin_as(self, generation: str) -> None:
        """Begin anew with controllers of a generation."""
        used: set[int] = set()
        for zone in self.own.values():
            zone.generation, zone.draws = generation, Draws(used)
        self.begin_anew()
