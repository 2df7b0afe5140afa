"""The parts of the lab that need no process: addresses, ping arithmetic, frames, claims."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Any

import pytest

from icplan.errors import IcplanError
from icplan.lab import Family, LabOptions, folder
from icplan.lab.frames import Endpoint
from icplan.lab.gateway_claims import claims
from icplan.lab.numbering import default_subnets, ethernet_address, pod_addresses
from icplan.lab.ping import PingResult, longest_gap
from icplan.lab.ports import reserve_port
from icplan.lab.state import Host, IcPorts, LabState, Mode, Pod, ZoneState


def test_subnets_of_a_zone() -> None:
    assert default_subnets(1, Family.IPV4) == {
        "pods": ("10.16.0.1/16",),
        "office": ("10.116.0.1/24",),
    }
    assert default_subnets(2, Family.DUAL)["pods"] == ("10.17.0.1/16", "fd00:10:17::1/64")


def test_too_many_zones_are_refused() -> None:
    default_subnets(140, Family.IPV4)
    with pytest.raises(IcplanError, match="addresses for 140 zones"):
        default_subnets(141, Family.IPV4)


def test_pod_addresses_follow_the_gateway() -> None:
    addresses, gateways = pod_addresses(("10.16.0.1/16", "fd00:10:16::1/64"), 2)
    assert addresses == ("10.16.0.3/16", "fd00:10:16::3/64")
    assert gateways == ("10.16.0.1", "fd00:10:16::1")


def test_ethernet_addresses_are_stable_and_distinct() -> None:
    assert ethernet_address("az1", "pods") == ethernet_address("az1", "pods")
    assert ethernet_address("az1", "pods") != ethernet_address("az2", "pods")


@pytest.mark.parametrize(
    ("answers", "gap"),
    [([], 10.0), ([1.0, 2.0, 9.0], 7.0), ([9.0, 1.0, 2.0], 7.0), ([4.0], 6.0), ([11.0], 10.0)],
)
def test_longest_gap(answers: list[float], gap: float) -> None:
    assert longest_gap(0.0, answers, 10.0) == gap


def test_a_ping_without_requests_is_not_ok() -> None:
    assert not PingResult(sent=0, received=0, longest_gap_seconds=1.0).ok
    assert not PingResult(sent=2, received=1, longest_gap_seconds=1.0).ok
    assert PingResult(sent=2, received=2, longest_gap_seconds=1.0).ok


# Frames


def _endpoint(mac: str, addresses: list[str], gateways: list[str]) -> Endpoint:
    return Endpoint(
        bytes.fromhex(mac.replace(":", "")),
        tuple(map(ipaddress.ip_interface, addresses)),
        tuple(map(ipaddress.ip_address, gateways)),
    )


def _exchange(one: Endpoint, other: Endpoint) -> None:
    """Carry frames between two endpoints until both are silent."""
    while one.outgoing or other.outgoing:
        for source, target in ((one, other), (other, one)):
            frames, source.outgoing = source.outgoing, []
            for frame in frames:
                target.receive(frame)


@pytest.mark.parametrize("destination", ["10.0.0.2", "fd00::2"])
def test_endpoints_find_and_answer_each_other(destination: str) -> None:
    one = _endpoint("02:00:00:00:00:01", ["10.0.0.1/24", "fd00::1/64"], [])
    other = _endpoint("02:00:00:00:00:02", ["10.0.0.2/24", "fd00::2/64"], [])
    one.ping(ipaddress.ip_address(destination), 1)
    _exchange(one, other)
    one.ping(ipaddress.ip_address(destination), 2)
    assert len(one.outgoing) == 1, "the neighbour is known by now"
    _exchange(one, other)
    assert one.answers == [1, 2]


def test_a_ping_beyond_the_subnet_asks_for_the_gateway() -> None:
    one = _endpoint("02:00:00:00:00:01", ["10.0.0.1/24"], ["10.0.0.254"])
    one.ping(ipaddress.ip_address("192.0.2.1"), 1)
    (request,) = one.outgoing
    assert request.endswith(ipaddress.ip_address("10.0.0.254").packed)


def test_a_ping_without_a_way_is_refused() -> None:
    one = _endpoint("02:00:00:00:00:01", ["10.0.0.1/24"], [])
    with pytest.raises(ValueError, match="no way to 192"):
        one.ping(ipaddress.ip_address("192.0.2.1"), 1)
    with pytest.raises(ValueError, match="no IPv6 address"):
        one.ping(ipaddress.ip_address("fd00::1"), 1)


def test_frames_for_others_are_ignored() -> None:
    one = _endpoint("02:00:00:00:00:01", ["10.0.0.1/24"], [])
    other = _endpoint("02:00:00:00:00:02", ["10.0.0.2/24"], [])
    other.ping(ipaddress.ip_address("10.0.0.3"), 1)
    one.receive(other.outgoing[0])
    assert one.outgoing == []


# Claims


def _reference(*uuids: str) -> list[Any]:
    return ["uuid", uuids[0]] if len(uuids) == 1 else ["set", [["uuid", each] for each in uuids]]


def _port(chassis: list[Any], group: list[Any]) -> dict[str, Any]:
    return {
        "_uuid": _reference("port"),
        "chassis": chassis,
        "ha_chassis_group": group,
        "gateway_chassis": ["set", []],
    }


_GROUP = {"_uuid": _reference("group"), "ha_chassis": _reference("first", "second")}


def _candidate(name: str, priority: int, chassis: list[Any]) -> dict[str, Any]:
    return {"_uuid": _reference(name), "priority": priority, "chassis": chassis}


def test_the_highest_priority_wins() -> None:
    candidates = [
        _candidate("first", 100, _reference("one")),
        _candidate("second", 99, _reference("two")),
    ]
    port = _port(["set", []], _reference("group"))
    assert claims([port], [_GROUP], candidates) == [("port", "one")]


def test_a_chassis_without_a_row_cannot_win() -> None:
    candidates = [
        _candidate("first", 100, ["set", []]),
        _candidate("second", 99, _reference("two")),
    ]
    port = _port(_reference("one"), _reference("group"))
    assert claims([port], [_GROUP], candidates) == [("port", "two")]


def test_a_right_binding_is_left_alone_and_a_wrong_one_taken_off() -> None:
    candidates = [_candidate("first", 100, _reference("one"))]
    right = _port(_reference("one"), _reference("group"))
    assert claims([right], [_GROUP], candidates) == []
    assert claims([right], [_GROUP], []) == [("port", None)]


# Ports, paths, state


def test_a_reserved_port_is_taken_for_others_but_not_for_its_server() -> None:
    with reserve_port(["127.0.0.1", "127.0.0.2"]) as port, socket.socket() as other:
        assert port.number < 32768
        for host in ("127.0.0.1", "127.0.0.2"):
            with pytest.raises(OSError, match="in use"):
                other.bind((host, port.number))
        # create_server binds as ovsdb-server does, with SO_REUSEADDR.
        socket.create_server(("127.0.0.1", port.number)).close()


def test_too_deep_a_folder_is_refused_with_the_number_of_bytes() -> None:
    with pytest.raises(IcplanError, match=r"107.*at least \d+ bytes shorter"):
        folder.check_socket_paths(Path("/tmp") / ("x" * 90), ["az1/az1-gw1"])


def test_state_survives_its_file(tmp_path: Path) -> None:
    host = Host("az1-gw1", "chassis-az1-gw1", "172.31.1.11", 1)
    addresses, gateways = ("10.16.0.2/16",), ("10.16.0.1",)
    pod = Pod("az1/pods", "az1", "az1-gw1", "pods", "02:00:00:00:00:01", addresses, gateways, 1)
    options = LabOptions(zones=("az1",), mode=Mode.NAMESPACES, family=Family.DUAL, tls=True)
    state = LabState(
        options, IcPorts(1, 2, 3, 4), [ZoneState("az1", 1, 10, 11, hosts=[host], pods=[pod])]
    )
    state.write(tmp_path)
    assert LabState.read(tmp_path) == state


def test_unreadable_state_says_how_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(IcplanError, match="no lab here"):
        LabState.read(tmp_path)
    (tmp_path / "lab.json").touch()
    with pytest.raises(IcplanError, match="icplan lab down"):
        LabState.read(tmp_path)
