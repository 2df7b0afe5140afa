"""The traps that the recordings do not hold: restarts, first enables, switches, marks, TS_NUM."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from icplan.lab import StandaloneDatabases, wait_until
from icplan.lab.standin import NEW, OLD, GatewayMarks, Generation, SwitchKeeper
from tests.lab import recorded_edits
from tests.lab.standin_zones import StandinZone, StandinZones

pytestmark = pytest.mark.real
Begin = Callable[[Generation], StandinZones]
BOTH = pytest.mark.parametrize("generation", [NEW, OLD], ids=["new", "old"])


@pytest.fixture
def begin(directory: Path) -> Iterator[Begin]:
    """Starts the recordings' zones with a generation, nothing declared."""
    started = []
    with StandaloneDatabases(directory) as databases:

        def start(generation: Generation) -> StandinZones:
            started.append(StandinZones(databases, generation, None))
            return started[0]

        yield start
        for zones in started:
            zones.close()


def until(zones: StandinZones, condition: Callable[[], bool], thing: str) -> None:
    def go_on() -> bool:
        zones.round()
        return condition()

    wait_until(go_on, thing)


def gateways(zone: StandinZone) -> list[str]:
    return sorted(
        zone.databases.nbctl("--bare", "--columns=chassis_name", "list", "Gateway_Chassis").split()
    )


def ports(zone: StandinZone) -> list[str]:
    rows = zone.databases.nbctl("--bare", "--columns=name", "list", "Logical_Router_Port").split()
    return sorted(name for name in rows if "-ts" in name)


def established(begin: Begin, generation: Generation) -> tuple[StandinZones, StandinZone]:
    zones = begin(generation)
    recorded_edits.do(zones, "transit switch ts made, both ConfigMaps created")
    until(zones, lambda: all(ports(each) for each in zones.zones.values()), "both have ports")
    return zones, zones.zones["az1"]


@BOTH
def test_gateways_changed_around_a_restart(begin: Begin, generation: Generation) -> None:
    zones, az1 = established(begin, generation)
    az1.cluster.edit_config(gw_nodes="az1-gw2")
    az1.restart()
    for _ in range(3):
        zones.round()
    # OLD: silently ignored.
    wanted = "chassis-az1-gw2" if generation is NEW else "chassis-az1-gw1"
    assert gateways(az1) == [wanted]


@BOTH
def test_a_config_map_deleted_while_the_controller_was_down_leaves_ports_and_rows(
    begin: Begin, generation: Generation
) -> None:
    zones, az1 = established(begin, generation)
    az1.cluster.config_map = None
    az1.restart()
    for _ in range(3):
        zones.round()
    assert ports(az1) == ["az1-ts"]
    assert "az1" in zones.ic.sbctl("--bare", "--columns=name", "list", "Availability_Zone").split()
    assert dict(az1.ovn.global_options()).keys().isdisjoint({"ic-route-adv", "ic-route-learn"})


@BOTH
def test_a_first_enable_with_another_text_fails_for_ever(
    begin: Begin, generation: Generation
) -> None:
    zones = begin(generation)
    recorded_edits.do(zones, "transit switch ts made, both ConfigMaps created")
    az1 = zones.zones["az1"]
    az1.cluster.edit_config(enable_ic="True")
    for _ in range(4):
        zones.round()
    assert not az1.controller.poll()
    assert ports(az1) == []
    assert az1.databases.nbctl("get", "NB_Global", ".", "name").strip() == "az1"


@BOTH
def test_a_gateway_without_chassis_stops_the_zone(begin: Begin, generation: Generation) -> None:
    zones = begin(generation)
    recorded_edits.do(zones, "transit switch ts made, both ConfigMaps created")
    az1 = zones.zones["az1"]
    az1.databases.sbctl("chassis-del", "chassis-az1-gw1")
    for _ in range(4):
        zones.round()
    assert not az1.controller.poll()
    assert ports(az1) == []


def test_a_switch_is_seen_once_it_has_the_vendor(begin: Begin) -> None:
    zones, az1 = established(begin, NEW)
    zones.ic.nbctl(
        *("ts-add", "ts1", "--", "set", "Transit_Switch", "ts1"),
        "external_ids:subnet=169.254.101.0/24",
    )
    for _ in range(3):
        zones.round()
    assert ports(az1) == ["az1-ts"]
    zones.ic.nbctl("set", "Transit_Switch", "ts1", "external_ids:vendor=kube-ovn")
    until(zones, lambda: ports(az1) == ["az1-ts", "az1-ts1"], "az1 has a port on ts1")


def test_two_sticky_reasons_end_with_a_cycle_of_auto_route(begin: Begin) -> None:
    zones, az1 = established(begin, NEW)
    recorded_edits.do(
        zones, "az1 subnet no-advertise 10.199.0.0/16 added, disableInterConnection true"
    )
    zones.round()
    recorded_edits.do(zones, "az1 subnet no-advertise: disableInterConnection false")
    for _ in range(3):
        zones.round()
    assert "10.199.0.0/16" in az1.ovn.global_options()["ic-route-blacklist"]
    for value in ("false", "true"):
        recorded_edits.do(zones, f"az1 auto-route: {value}")
        until(zones, lambda: bool(ports(az1)) and az1.controller.poll(), "az1 is rebuilt")
    assert "10.199.0.0/16" not in az1.ovn.global_options()["ic-route-blacklist"]


def test_labels_mark_the_chassis_and_so_the_gateways(begin: Begin) -> None:
    zones, az1 = established(begin, NEW)
    marks = GatewayMarks(az1.cluster, az1.ovn)

    def rows() -> set[str]:
        names = zones.ic.sbctl("--bare", "--columns=hostname", "list", "Gateway").split()
        return {name for name in names if name.startswith("az1")}

    assert marks.sync()
    wait_until(lambda: rows() == {"az1-gw1"}, "only the labelled node is a gateway")
    az1.cluster.edit_config(gw_nodes="az1-gw3,az1-gw2")
    zones.round()
    assert marks.sync()
    wait_until(lambda: rows() == {"az1-gw2", "az1-gw3"}, "the others are")


def test_as_many_switches_as_ts_num_whatever_they_are_called(begin: Begin) -> None:
    ic = begin(NEW).ic
    keeper = SwitchKeeper(ic.northbound.network, "dual")

    def names() -> set[str]:
        return set(ic.nbctl("--bare", "--columns=name", "list", "Transit_Switch").split())

    assert keeper.keep(2)
    assert names() == {"ts", "ts1"}
    ic.nbctl("ts-add", "mine")
    # One too many, and the third by name is not there.
    assert not keeper.keep(2)
    # Counted, so ts2 is not made.
    assert keeper.keep(3)
    assert names() == {"ts", "ts1", "mine"}
    ic.nbctl("ts-del", "mine")
    ic.nbctl("ts-add", "ts2")
    assert keeper.keep(1)
    assert names() == {"ts"}
