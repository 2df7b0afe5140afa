"""Apply then plan is empty, for generated files and for the way from one to the next."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from icplan.backends.access import endpoints
from icplan.backends.databases import Databases
from icplan.core.io import Transaction
from icplan.kinds import kind_of
from icplan.lab import StandaloneDatabases
from icplan.planning.plan import Plan, make_plan
from icplan.run.observe import observe
from icplan.spec.load import Spec, read

pytestmark = pytest.mark.real

EXAMPLES = 200
ZONES = ("az1", "az2", "az3")
HOSTS = 4


@dataclass(frozen=True)
class World:
    """Databases that a generated file can speak of."""

    databases: StandaloneDatabases

    def reset(self) -> None:
        """Empty, but for each zone's routers, subnets and chassis."""
        self.databases.reset()
        for number, (name, zone) in enumerate(self.databases.zones.items(), start=1):
            zone.nbctl(
                *("lr-add", "router", "--", "lr-add", "other"),
                *("--", "lrp-add", "router", "router-pods", f"02:00:00:00:0{number}:01"),
                *(f"10.{number}.0.1/16", f"fd00:{number}::1/64"),
                *("--", "lrp-add", "router", "router-office", f"02:00:00:00:0{number}:02"),
                f"10.10{number}.0.1/24",
                *("--", "ls-add", "office", "--", "lsp-add", "office", "office-router"),
                *("--", "lsp-set-type", "office-router", "router"),
                *("--", "lsp-set-addresses", "office-router", "router"),
                *("--", "lsp-set-options", "office-router", "router-port=router-office"),
                # As a zone with an OVN whose denylist knows IPv6.
                *("--", "set", "NB_Global", ".", "options:northd_internal_version=24.09.1-x"),
            )
            chassis = [
                argument
                for host in range(1, HOSTS + 1)
                for argument in (
                    *("--", "chassis-add", f"c-{name}-{host}", "geneve", f"172.31.{number}.{host}"),
                    *("--", "set", "Chassis", f"c-{name}-{host}", f"hostname={name}-h{host}"),
                    "other_config:is-interconn=true",
                )
            ]
            zone.sbctl(*chassis[1:])

    def play_ovn_ic(self) -> None:
        """Copies the transit switches into the zones and drops those that are gone."""
        names = {
            line.split("(")[1].rstrip(")")
            for line in self.databases.ic.nbctl("ts-list").splitlines()
        }
        for zone in self.databases.zones.values():
            copies = zone.nbctl(
                *("--bare", "--columns=name", "find", "Logical_Switch"),
                "other_config:interconn-ts!=none",
            ).split()
            for name in sorted(names - set(copies)):
                zone.nbctl(
                    *("ls-add", name, "--", "set", "Logical_Switch", name),
                    f"other_config:interconn-ts={name}",
                )
            for name in sorted(set(copies) - names):
                zone.nbctl("ls-del", name)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory(prefix="icw-") as name,
        StandaloneDatabases(Path(name) / "d", ZONES) as databases,
    ):
        yield World(databases)


@st.composite
def files(draw: st.DrawFn) -> dict[str, object]:
    """What a file may say, without the places of the databases."""
    family = draw(st.sampled_from(["ipv4", "ipv6", "dual"]))
    zones: list[dict[str, object]] = []
    for name in draw(st.permutations(ZONES)):
        if not draw(st.booleans()) and zones:
            continue
        numbers = draw(st.lists(st.integers(1, HOSTS), min_size=1, max_size=HOSTS, unique=True))
        hosts = [f"{name}-h{one}" for one in numbers]
        number = ZONES.index(name) + 1
        withhold = draw(
            st.lists(
                st.sampled_from(["office", f"10.{number}.0.0/16", f"fd00:{number}::/64"]),
                unique=True,
                max_size=3,
            )
        )
        state = draw(st.sampled_from(["present", "present", "present", "absent"]))
        policy = draw(st.sampled_from(["auto", "manual"]))
        zones.append(
            {
                "name": name,
                "hosts": hosts,
                "withhold": [] if policy == "manual" else withhold,
                "state": state,
                "policy": policy,
            }
        )
    return {
        "routes": draw(routes(zones, family)),
        "count": draw(st.integers(1, 3)),
        "family": family,
        "at_once": draw(st.integers(1, 3)),
        "zones": zones,
    }


@st.composite
def routes(draw: st.DrawFn, zones: list[dict[str, object]], family: str) -> list[str]:
    """Routes from manual zones to whatever is present."""
    present = [one for one in zones if one["state"] == "present"]
    found = []
    for source in present:
        for target in present:
            if source["policy"] == "auto" or source is target or not draw(st.booleans()):
                continue
            number = ZONES.index(str(target["name"])) + 1
            carried = {
                "ipv4": ["office", f"10.{number}.0.0/16"],
                "ipv6": [f"fd00:{number}::/64"],
                "dual": ["office", f"10.{number}.0.0/16", f"fd00:{number}::/64"],
            }
            subnets = draw(st.lists(st.sampled_from(carried[family]), min_size=1, unique=True))
            quoted = ", ".join(f'"{one}"' for one in subnets)
            found.append(f"from: {source['name']}, to: {target['name']}, subnets: [{quoted}]")
    return found


def spec_of(world: World, file: dict[str, object]) -> Spec:
    """The file as text, read by icplan."""
    ic = world.databases.ic
    lines = [
        "apiVersion: icplan/v1",
        "kind: Interconnect",
        "metadata: {name: law}",
        "icDatabase:",
        f"  hosts: [{', '.join(ic.hosts)}]",
        f"  northboundPort: {ic.ports.northbound}",
        f"  southboundPort: {ic.ports.southbound}",
        f"transitSwitches: {{count: {file['count']}, family: {file['family']}}}",
        f"limits: {{zonesAtOnce: {file['at_once']}, disruptedZones: 9, deletions: 99}}",
        "availabilityZones:",
    ]
    zones = file["zones"]
    assert isinstance(zones, list)
    for zone in zones:
        databases = world.databases.zones[zone["name"]]
        quoted = ", ".join(f'"{one}"' for one in zone["withhold"])
        lines += [
            f"  - name: {zone['name']}",
            "    platform: ovn",
            f"    state: {zone['state']}",
            f"    northbound: [{databases.northbound.network}]",
            f"    southbound: [{databases.southbound.network}]",
            "    router: router",
            f"    gatewayNodes: [{', '.join(zone['hosts'])}]",
            f"    withhold: [{quoted}]",
            f"    routePolicy: {zone['policy']}",
        ]
    listed = file["routes"]
    assert isinstance(listed, list)
    if listed:
        lines += ["routes:", *(f"  - {{{one}}}" for one in listed)]
    return read("\n".join(lines).encode(), "generated.yaml")


def carry_out(world: World, spec: Spec) -> Plan | None:
    """Plans, and writes what the plan says unless it is refused."""
    with Databases(endpoints(spec, {})) as databases:
        plan = make_plan(spec, observe(databases, spec))
        assert not plan.unseen
        if plan.refused:
            event("refused: " + ", ".join(one.code for one in plan.verdicts if one.refuses))
            return None
        for wave in plan.waves:
            for change in wave.changes:
                for step in kind_of(change.address.kind).steps(change, plan.view):
                    assert isinstance(step.operation, Transaction)
                    databases.client(step.operation.database).write(step.operation)
            world.play_ovn_ic()
        return make_plan(spec, observe(databases, spec))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(first=files(), second=files())
def test_apply_then_plan_is_empty(
    world: World, first: dict[str, object], second: dict[str, object]
) -> None:
    world.reset()
    for file in (first, second):
        after = carry_out(world, spec_of(world, file))
        if after is not None:
            assert [str(change.address) for change in after.changes] == []
