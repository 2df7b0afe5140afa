"""The words of the recordings' edits, and what each of them does to the zones of a test."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from icplan.lab import wait_until
from tests.lab.standin_zones import StandinZone, StandinZones

Edit = Callable[..., None]
_EDITS: list[tuple[re.Pattern[str], Edit]] = []


def do(zones: StandinZones, words: str) -> None:
    """Do an edit, and return at once: nobody has reacted to it, unless it has two parts."""
    for pattern, edit in _EDITS:
        if found := pattern.fullmatch(words):
            edit(zones, **found.groupdict())
            return
    raise AssertionError(f"no function for the edit: {words}")


def _edit(pattern: str) -> Callable[[Edit], Edit]:
    def register(function: Edit) -> Edit:
        _EDITS.append((re.compile(pattern), function))
        return function

    return register


def _set(zone: StandinZone, key: str, value: str | None) -> None:
    assert zone.cluster.config_map is not None
    zone.cluster.edit_config(**{key: value})


def _add_network(zone: StandinZone, name: str, block: str, last: str) -> None:
    """What kube-ovn-controller does for a new Subnet."""
    gateway, length = block.removesuffix(".0.0/16") + ".0.1", 16
    zone.databases.nbctl(
        *("ls-add", name, "--", "lrp-add", "ovn-cluster", f"ovn-cluster-{name}"),
        *(f"00:00:00:00:0{zone.number}:{last}", f"{gateway}/{length}"),
    )


def _remove_subnet(zone: StandinZone, name: str) -> None:
    del zone.cluster.subnets[name]
    zone.databases.nbctl("lrp-del", f"ovn-cluster-{name}", "--", "ls-del", name)


def _peer_address(zones: StandinZones) -> str:
    networks = zones.zones["az2"].databases.nbctl(
        "--bare", "get", "Logical_Router_Port", "az2-ts", "networks"
    )
    return networks.strip().strip('[]"').partition("/")[0]


@_edit("nothing declared")
def _nothing(zones: StandinZones) -> None:
    pass


@_edit("transit switch ts made, both ConfigMaps created")
def _begin(zones: StandinZones) -> None:
    _add_switch(zones, "ts")
    for name, zone in zones.zones.items():
        zone.cluster.config_map = zones.config(name)


@_edit(r"(?P<zone>az\d) gw-nodes( re-ordered| replaced)?: (?P<nodes>.*)")
def _gateways(zones: StandinZones, zone: str, nodes: str) -> None:
    _set(zones.zones[zone], "gw-nodes", nodes)


@_edit(r"(?P<zone>az\d) gw-nodes emptied")
def _no_gateways(zones: StandinZones, zone: str) -> None:
    _set(zones.zones[zone], "gw-nodes", "")


@_edit(r"both zones auto-route: (?P<value>.*)")
def _auto_route(zones: StandinZones, value: str) -> None:
    for zone in zones.zones.values():
        _set(zone, "auto-route", value)


@_edit(r"(?P<zone>az\d) unknown key note added( \(its address changes\))?")
def _note(zones: StandinZones, zone: str) -> None:
    _set(zones.zones[zone], "note", "x")


@_edit(r"(?P<zone>az\d) unknown key note removed")
def _no_note(zones: StandinZones, zone: str) -> None:
    _set(zones.zones[zone], "note", None)


@_edit(r"az1 annotation only")
def _annotation(zones: StandinZones) -> None:
    """The stand-in reads no annotation: there is nothing to do to its inputs."""


@_edit(r"transit switch (?P<name>ts\d) added")
def _add_switch(zones: StandinZones, name: str) -> None:
    number = 100 + int(name.removeprefix("ts") or 0)
    zones.ic.nbctl(
        *("ts-add", name, "--", "set", "Transit_Switch", name),
        *(f"external_ids:subnet=169.254.{number}.0/24", "external_ids:vendor=kube-ovn"),
    )


@_edit(r"transit switch (?P<name>ts\d) removed")
def _remove_switch(zones: StandinZones, name: str) -> None:
    zones.ic.nbctl("ts-del", name)


@_edit(r"(?P<zone>az\d) enable-ic: false, then true")
def _cycle(zones: StandinZones, zone: str) -> None:
    _set(zones.zones[zone], "enable-ic", "false")
    wait_until(zones.zones[zone].controller.poll, f"{zone} is disabled")
    _set(zones.zones[zone], "enable-ic", "true")


@_edit(
    r"(?P<zone>az\d) (?P<key>auto-route|enable-ic|az-name|ic-db-host): "
    r"(?P<value>\S+)( \(capital\)| \(nobody there\)| again)?"
)
def _key(zones: StandinZones, zone: str, key: str, value: str) -> None:
    _set(zones.zones[zone], key, value)


@_edit(r"(?P<zone>az\d) ConfigMap deleted")
def _delete(zones: StandinZones, zone: str) -> None:
    zones.zones[zone].cluster.config_map = None


@_edit(r"(?P<zone>az\d) ConfigMap created")
def _create(zones: StandinZones, zone: str) -> None:
    zones.zones[zone].cluster.config_map = zones.config(zone)


@_edit(r"(?P<zone>az\d) subnet (?P<name>\S+) (?P<block>\S+) added, disableInterConnection true")
def _withheld(zones: StandinZones, zone: str, name: str, block: str) -> None:
    zones.zones[zone].cluster.subnets[name] = _subnet(block) | {"disableInterConnection": True}
    _add_network(zones.zones[zone], name, block, "99")


@_edit(r"(?P<zone>az\d) subnet (?P<name>\S+): disableInterConnection false")
def _not_withheld(zones: StandinZones, zone: str, name: str) -> None:
    zones.zones[zone].cluster.subnets[name]["disableInterConnection"] = False


@_edit(r"(?P<zone>az\d) subnet (?P<name>\S+) deleted")
@_edit(r"subnet (?P<name>\S+) deleted in (?P<zone>az\d)")
def _no_subnet(zones: StandinZones, zone: str, name: str) -> None:
    _remove_subnet(zones.zones[zone], name)


@_edit(r"subnet (?P<name>\S+) (?P<block>\S+) added in both zones")
def _same(zones: StandinZones, name: str, block: str) -> None:
    for zone in zones.zones.values():
        zone.cluster.subnets[name] = _subnet(block)
        _add_network(zone, name, block, "50")
    # Both learn it. Who looks first denies it, and the other never sees it again: that was az1.
    gateway = block.removesuffix(".0.0/16") + ".0.1/16"
    first, second = zones.zones.values()
    wait_until(lambda: gateway in _learned(first), f"{first.name} learns {gateway}")
    wait_until(lambda: gateway in _learned(second), f"{second.name} learns {gateway}")
    first.controller.poll()
    if first.controller.generation.denies_overlaps:
        wait_until(lambda: gateway not in _learned(second), f"{second.name} loses {gateway}")


@_edit(r"az1 static route (?P<prefix>\S+) to az2's address left in an advertising zone")
@_edit(r"az1 manual route (?P<prefix>\S+)")
def _route(zones: StandinZones, prefix: str) -> None:
    zones.zones["az1"].databases.nbctl("lr-route-add", "ovn-cluster", prefix, _peer_address(zones))


@_edit("that route given options:origin=static")
def _origin(zones: StandinZones) -> None:
    databases = zones.zones["az1"].databases
    (uuid,) = _manual_routes(zones)
    databases.nbctl("set", "Logical_Router_Static_Route", uuid, "options:origin=static")


@_edit("that route removed|manual route removed")
def _no_route(zones: StandinZones) -> None:
    (uuid,) = _manual_routes(zones)
    zones.zones["az1"].databases.nbctl(
        "remove", "Logical_Router", "ovn-cluster", "static_routes", uuid
    )


@_edit(r"(?P<zone>az\d) controller restarted")
def _restart(zones: StandinZones, zone: str) -> None:
    zones.zones[zone].restart()


def _manual_routes(zones: StandinZones) -> list[str]:
    rows = zones.zones["az1"].databases.nbctl(
        *("--bare", "--columns=_uuid", "find", "Logical_Router_Static_Route", "external_ids={}")
    )
    return rows.split()


def _learned(zone: StandinZone) -> list[str]:
    return [route.prefix for route in zone.ovn.routes() if route.learned]


def _subnet(block: str) -> dict[str, Any]:
    return {"cidrBlock": block, "protocol": "IPv4", "vpc": "ovn-cluster"}
