"""What the stand-in decides, without any database."""

from __future__ import annotations

import random

import pytest

from icplan.lab.standin import NEW, OLD, Generation
from icplan.lab.standin.decisions import (
    Step,
    denied_overlaps,
    draw_networks,
    gateway_nodes,
    ic_address,
    next_step,
    owned_router_port,
    owned_switch_port,
    rotated,
)
from icplan.lab.standin.switch_keeper import switch_name, switch_subnet

CONFIG = {"enable-ic": "true", "az-name": "az1", "gw-nodes": "a,b", "auto-route": "true"}


@pytest.mark.parametrize("generation", [NEW, OLD], ids=["new", "old"])
@pytest.mark.parametrize(
    ("change", "new", "old"),
    [
        ({}, Step.NOTHING, Step.NOTHING),
        ({"gw-nodes": "b"}, Step.GATEWAYS, Step.REBUILD),
        ({"gw-nodes": "b", "auto-route": "false"}, Step.REBUILD, Step.REBUILD),
        ({"note": "x"}, Step.REBUILD, Step.REBUILD),
        ({"enable-ic": "False"}, Step.REBUILD, Step.REBUILD),
    ],
)
def test_only_the_gateways_change_in_place_and_only_with_new(
    generation: Generation, change: dict[str, str], new: Step, old: Step
) -> None:
    step = next_step(generation, enabled=True, last=CONFIG, now=CONFIG | change)
    assert step is (new if generation is NEW else old)


def test_a_first_enable_wants_the_exact_text() -> None:
    for text, step in (("true", Step.ESTABLISH), ("True", Step.REBUILD), ("yes", Step.REBUILD)):
        now = CONFIG | {"enable-ic": text}
        assert next_step(NEW, enabled=False, last=None, now=now) is step


def test_addresses_are_drawn_from_the_lower_half_with_the_first() -> None:
    draw = random.Random(1).randrange
    drawn = {draw_networks("169.254.100.0/24", (), draw)[0] for _ in range(3000)}
    assert drawn == {f"169.254.100.{last}/24" for last in range(128)}


def test_a_taken_address_is_drawn_again_but_not_with_dual_stack() -> None:
    numbers = iter([5, 5, 6])
    assert draw_networks("169.254.100.0/24", {"169.254.100.5/24"}, lambda _: next(numbers)) == (
        "169.254.100.6/24",
    )
    assert draw_networks(
        "169.254.100.0/24,fe80:a9fe:64::/112", {"169.254.100.5/24"}, lambda _: 5
    ) == ("169.254.100.5/24", "fe80:a9fe:64::5/112")


def test_gateways_are_rotated_by_the_index_of_the_switch() -> None:
    orders = [rotated(["a", "b", "c"], index) for index in range(4)]
    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_no_gateways_are_none_for_new_and_one_without_name_for_old() -> None:
    assert gateway_nodes(NEW, {"gw-nodes": ""}) == []
    assert gateway_nodes(OLD, {"gw-nodes": ""}) == [""]
    assert gateway_nodes(OLD, {"gw-nodes": "a, b,"}) == ["a", "b"]


def test_nothing_in_the_address_has_a_default() -> None:
    assert ic_address("192.0.2.1,192.0.2.2", "6645") == "tcp:[192.0.2.1]:6645,tcp:[192.0.2.2]:6645"
    assert ic_address("192.0.2.1", "") == "tcp:[192.0.2.1]:"


def test_both_sides_of_an_overlap_are_denied_and_stay() -> None:
    local = ["10.17.0.0/16", "100.65.0.0/16"]
    first = denied_overlaps(local, ["10.17.5.0/24"], ["192.168.42.21", "100.65.0.0/16"])
    assert first == ["10.17.0.0/16", "10.17.5.0/24", "100.65.0.0/16"]
    assert denied_overlaps(local, [], first) == first
    assert denied_overlaps(["100.65.0.0/16"], [], first) == ["100.65.0.0/16"]


def test_own_ports_are_known_by_their_names() -> None:
    assert owned_switch_port("ts1-a-z", "a-z", "ts") == "ts1"
    assert owned_switch_port("ts1-b", "a-z", "ts") is None
    assert owned_router_port("a-z-ts1", "a-z", "ts")
    assert not owned_router_port("a-z-ovn-default", "a-z", "ts")


def test_transit_switches_are_numbered_from_none() -> None:
    assert [switch_name(index) for index in range(3)] == ["ts", "ts1", "ts2"]
    assert switch_subnet(1, "dual") == "169.254.101.0/24,fe80:a9fe:65::/112"
