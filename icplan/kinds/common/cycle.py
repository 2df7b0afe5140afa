"""How a Kube-OVN zone is switched off and on again. When that is needed is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icplan.core.kubernetes import CreateObject, DeleteObject, Expected, ReplaceData, Tree
from icplan.kinds.common import zones
from icplan.kinds.common.config_map import data, kept
from icplan.kinds.common.contract import Check, Held, Missing, Step, Verdict, View
from icplan.kinds.common.controller import ENABLE, config_address, controller_cure, guard
from icplan.kinds.common.evidence import in_zone, verdict
from icplan.ovn.attachment import of_router
from icplan.ovn.cluster import OWNER, ROUTER, config_resource
from icplan.ovn.facts import NOT_ASKED, Facts
from icplan.ovn.northbound import ADVERTISE, BLACKLIST, LEARN, Northbound
from icplan.spec.load import Spec

MANAGED_BY = "app.kubernetes.io/managed-by"
AUTO = "auto-route"
OFF = "false"
"""The only text that switches a zone off (docs/facts.md section 3, measured)."""
_MADE_BY_THIS_RUN = ""


def ports(northbound: Northbound) -> tuple[str, ...]:
    """The ports of the controller's router on transit switches."""
    return tuple(
        one.switch_port.name
        for switch in northbound.switches
        if switch.transit_switch
        for one in of_router(northbound, switch.transit_switch, ROUTER)
    )


def left_behind(facts: Facts, zone: str) -> tuple[str, ...]:
    """What shows that a zone is, or was, interconnected, as far as it was seen."""
    found: list[str] = []
    northbound = facts.northbound.get(zone)
    if northbound is not None:
        found += ports(northbound)
        found += [key for key in (ADVERTISE, BLACKLIST) if key in northbound.options]
    return (*found, *_rows(facts, zone))


def _rows(facts: Facts, zone: str) -> tuple[str, ...]:
    ic = facts.ic_southbound
    tables = (ic.ports, ic.routes, ic.gateways) if ic is not None else ()
    mine = any(one.zone == zone for rows in tables for one in rows)
    return ("rows in the IC southbound database",) if mine else ()


def taken_down(spec: Spec, zone: str) -> Check:
    """The controller has come to the end of switching its zone off.

    Its rows in the IC southbound database go last. Switched on before, a controller whose round
    failed would find what it remembers, and do nothing until its pod is restarted. Its options are
    not asked for: one at a standstill keeps them (measured), and is to be got out of it.
    """

    def test(facts: Facts) -> Verdict:
        unseen = facts.zone_unseen(zone) or facts.ic_unseen()
        northbound = facts.northbound.get(zone)
        if unseen is not None or northbound is None:
            return unseen or NOT_ASKED
        left = (*ports(northbound), *_rows(facts, zone))
        if not left:
            return Held()
        return Missing(f"{zone} still has {', '.join(left)}", controller_cure(spec, zone))

    return Check(
        config_address(zone),
        f"the controller of {zone} has taken the interconnection down",
        frozenset({config_address(zone)}),
        test,
    )


def exchanging_nothing(spec: Spec, zone: str) -> Check:
    """The controller has seen that its zone is to exchange no routes."""

    def test(northbound: Northbound) -> Verdict:
        on = [key for key in (ADVERTISE, LEARN) if northbound.options.get(key) == "true"]
        return verdict(
            not on, f"NB_Global of {zone} still has {', '.join(on)}", controller_cure(spec, zone)
        )

    return Check(
        config_address(zone),
        f"{zone} exchanges no routes",
        frozenset({config_address(zone)}),
        in_zone(zone, test),
    )


@dataclass(frozen=True, slots=True)
class ConfigWrites:
    """The guarded writes of one zone's ConfigMap, each from one state of it to the next."""

    zone: zones.SeenCluster
    owner: str
    wanted: Mapping[str, str]

    @classmethod
    def of(cls, view: View, name: str) -> ConfigWrites:
        """Those that lead to what the file declares."""
        zone = zones.find_cluster(view, name)
        wanted = {**kept(view, name, zone.cluster.config), **data(view.spec, zone.declared)}
        return cls(zone, view.owner, wanted)

    @property
    def off(self) -> dict[str, str]:
        """What the file declares, switched off."""
        return {**self.wanted, ENABLE: OFF}

    @property
    def awake(self) -> dict[str, str]:
        """What makes a controller look at its zone once more, without exchanging routes."""
        found = self.zone.cluster.config
        base = self.wanted if found is None else found.data
        return {**base, ENABLE: "true", AUTO: "false"}

    def create(self, content: Mapping[str, str]) -> CreateObject:
        """A new ConfigMap."""
        metadata: Tree = {"annotations": {OWNER: self.owner}, "labels": {MANAGED_BY: "icplan"}}
        return CreateObject(
            config_resource(self.zone.name), {"metadata": metadata, "data": dict(content)}
        )

    def first(self, content: Mapping[str, str]) -> ReplaceData:
        """What the plan saw, replaced."""
        found = self.zone.cluster.config
        if found is None:
            raise AssertionError("a ConfigMap that was not seen is replaced")
        mark = found.annotations.get(OWNER)
        return self._replace(found.uid, found.data, content, mark)

    def next(self, before: Mapping[str, str], content: Mapping[str, str]) -> ReplaceData:
        """What an earlier step has left, replaced."""
        return self._replace(self._uid, before, content, self.owner)

    def delete(self, before: Mapping[str, str], *mark: str | None) -> DeleteObject:
        """The ConfigMap removed, with that mark, or with any if none is given."""
        expected = _expected(before, mark[0] if mark else None)
        return DeleteObject(
            config_resource(self.zone.name), self._uid, expected if mark else expected[:1]
        )

    @property
    def _uid(self) -> str:
        found = self.zone.cluster.config
        return found.uid if found is not None else _MADE_BY_THIS_RUN

    def _replace(
        self, uid: str, before: Mapping[str, str], content: Mapping[str, str], mark: str | None
    ) -> ReplaceData:
        return ReplaceData(
            config_resource(self.zone.name),
            uid,
            _expected(before, mark),
            content,
            {OWNER: self.owner},
        )


def expected_data(content: Mapping[str, str]) -> Expected:
    """That a ConfigMap still has this data; the API server leaves out an empty one."""
    return Expected(("data",), dict(content) or None)


def _expected(content: Mapping[str, str], mark: str | None) -> tuple[Expected, ...]:
    return (expected_data(content), Expected(("metadata", "annotations", OWNER), mark))


def switched_off(spec: Spec, zone: str, operation: CreateObject | ReplaceData) -> Step:
    """The write that switches a zone off, and what must be seen before it goes on."""
    leaves = f"{zone} is switched off, and stays so until `icplan apply` goes on"
    return Step(operation, (guard(spec, zone),), (taken_down(spec, zone),), leaves=leaves)


def off_and_on(view: View, zone: str) -> tuple[Step, Step]:
    """Off, until the controller has taken everything down, and on again.

    The ConfigMap is as the file wants it by then: another change comes before.
    """
    writes = ConfigWrites.of(view, zone)
    return (
        switched_off(view.spec, zone, writes.next(writes.wanted, writes.off)),
        Step(writes.next(writes.off, writes.wanted), (guard(view.spec, zone),)),
    )
