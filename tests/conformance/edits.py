"""What can be done to zones and databases, as sentences: what a person or a peer would do."""

from __future__ import annotations

import ipaddress
from functools import partial

from icplan.lab import wait_until
from icplan.lab.standin import SwitchKeeper
from tests.conformance import expectations as expect
from tests.conformance.case import After, Edit, Expectation, after
from tests.conformance.in_process import InProcessWorld
from tests.conformance.views import ROUTER
from tests.conformance.world import World, ZoneUnderTest

ZONES = ("az1", "az2")


# The ConfigMap


def set_keys(zone: str, **keys: str | None) -> Edit:
    """Keys of the ConfigMap (underscores for hyphens); none removes one."""
    named = {key.replace("_", "-"): value for key, value in keys.items()}

    def do(world: World) -> None:
        data = world.zones[zone].config_map()
        assert data is not None
        merged = {key: value for key, value in (data | named).items() if value is not None}
        world.zones[zone].write_config_map(merged)

    return Edit(f"{zone}'s ConfigMap: {named}", do)


def create_config_map(zone: str, **keys: str) -> Edit:
    """The usual one; keys as in `set_keys`."""
    named = {key.replace("_", "-"): value for key, value in keys.items()}

    def do(world: World) -> None:
        world.zones[zone].write_config_map(world.config(zone) | named)

    return Edit(f"{zone}'s ConfigMap is created {named or ''}", do)


def delete_config_map(zone: str) -> Edit:
    return Edit(
        f"{zone}'s ConfigMap is deleted", lambda world: world.zones[zone].write_config_map(None)
    )


def annotate_config_map(zone: str) -> Edit:
    return Edit(
        f"{zone}'s ConfigMap gets a label and an annotation",
        lambda world: world.zones[zone].annotate_config_map(),
    )


# The controller


def stop_controller(zone: str) -> Edit:
    return Edit(f"{zone}'s controller stops", lambda world: world.zones[zone].stop_controller())


def start_controller(zone: str) -> Edit:
    return Edit(f"{zone}'s controller starts", lambda world: world.zones[zone].start_controller())


def restart_controller(zone: str) -> Edit:
    return both(stop_controller(zone), start_controller(zone))


def both(*edits: Edit) -> Edit:
    """One edit of several, at once after each other."""

    def do(world: World) -> None:
        for each in edits:
            each.do(world)

    return Edit("; ".join(each.words for each in edits), do)


# Transit switches


def add_switch(name: str, subnet: str = "", *, vendor: bool = True) -> Edit:
    number = 100 + int(name.removeprefix("ts") or 0)
    marks = [f'external_ids:subnet="{subnet or f"169.254.{number}.0/24"}"']
    marks += ["external_ids:vendor=kube-ovn"] * vendor

    def do(world: World) -> None:
        world.ic.nbctl("ts-add", name, "--", "set", "Transit_Switch", name, *marks)

    return Edit(f"transit switch {name} is made, with {', '.join(marks)}", do)


def remove_switch(name: str) -> Edit:
    return Edit(f"transit switch {name} is removed", lambda world: _ic(world, "ts-del", name))


def mark_switch(name: str) -> Edit:
    mark = ("set", "Transit_Switch", name, "external_ids:vendor=kube-ovn")
    return Edit(f"transit switch {name} gets the vendor", lambda world: _ic(world, *mark))


def _ic(world: World, *arguments: str) -> None:
    world.ic.nbctl(*arguments)


def add_foreign_switch(name: str) -> Edit:
    """A row that nobody with Kube-OVN's names would make."""
    return Edit(f"transit switch {name} is made by hand", lambda world: _ic(world, "ts-add", name))


def ic_server_keeps(count: int) -> Edit:
    """What the leader of the Deployment ovn-ic-server does at each look."""

    def do(world: World) -> None:
        SwitchKeeper(world.ic.northbound.network).keep(count)

    return Edit(f"the leader of ovn-ic-server looks, with TS_NUM {count}", do)


def delete_local_switch(zone: str, switch: str) -> Edit:
    """As kube-ovn-controller does at its start; returns when ovn-ic has made it again."""

    def do(world: World) -> None:
        databases = world.zones[zone].databases
        find = ("--bare", "--columns=_uuid", "find", "Logical_Switch", f"name={switch}")
        old = databases.nbctl(*find).strip()
        databases.nbctl("ls-del", switch)
        wait_until(
            lambda: databases.nbctl(*find).strip() not in ("", old),
            f"ovn-ic makes {switch} again in {zone}",
        )

    return Edit(f"kube-ovn-controller of {zone} starts and deletes {switch}", do)


# Subnets, nodes, networks


def add_subnet(
    zone: str, name: str, block: str, *, withheld: bool = False, vpc: str = ROUTER
) -> Edit:
    """A Subnet, and its network on the router of its VPC, as kube-ovn-controller makes it."""

    def do(world: World) -> None:
        spec = {"cidrBlock": block, "protocol": "IPv4", "vpc": vpc}
        world.zones[zone].write_subnet(
            name, spec | ({"disableInterConnection": True} if withheld else {})
        )
        gateway = ipaddress.ip_network(block)
        address = f"{gateway[1]}/{gateway.prefixlen}"
        _add_network(world.zones[zone], name, vpc, address)

    flag = ", disableInterConnection true" if withheld else ""
    return Edit(f"{zone} gets Subnet {name} {block} in VPC {vpc}{flag}", do)


def _add_network(zone: ZoneUnderTest, name: str, router: str, address: str) -> None:
    mac = "02:00:" + ":".join(f"{octet:02x}" for octet in ipaddress.ip_interface(address).ip.packed)
    zone.databases.nbctl(
        *("--may-exist", "lr-add", router, "--", "ls-add", name),
        *("--", "lrp-add", router, f"{router}-{name}", mac, address),
    )


def add_network(zone: str, name: str, address: str) -> Edit:
    """A network of the default router that no Subnet knows."""
    return Edit(
        f"{zone}'s router gets {address}",
        lambda world: _add_network(world.zones[zone], name, ROUTER, address),
    )


def remove_subnet(zone: str, name: str) -> Edit:
    """A Subnet of the default VPC, and its network."""

    def do(world: World) -> None:
        world.zones[zone].write_subnet(name, None)
        world.zones[zone].databases.nbctl("lrp-del", f"{ROUTER}-{name}", "--", "ls-del", name)

    return Edit(f"{zone} loses Subnet {name}", do)


def release_subnet(zone: str, name: str) -> Edit:
    def do(world: World) -> None:
        spec = dict(world.zones[zone].subnets()[name])
        world.zones[zone].write_subnet(name, spec | {"disableInterConnection": False})

    return Edit(f"Subnet {name} of {zone}: disableInterConnection false", do)


def node_agents_mark(zone: str) -> Edit:
    """What kube-ovn-cni and ovn-controller do on each node: label, Open vSwitch, Chassis."""

    def do(world: World) -> None:
        values = world.zones[zone].labels()
        world.zones[zone].mark_chassis({node: value == "true" for node, value in values.items()})

    return Edit(f"the node agents of {zone} do as the labels say", do)


def lose_chassis(zone: str, node: str) -> Edit:
    return Edit(
        f"the Chassis of {zone}-{node} is deleted",
        lambda world: _sb(world, zone, "chassis-del", f"chassis-{zone}-{node}"),
    )


def _sb(world: World, zone: str, *arguments: str) -> None:
    world.zones[zone].databases.sbctl(*arguments)


def rename_chassis(zone: str, node: str, hostname: str) -> Edit:
    return Edit(
        f"the Chassis of {zone}-{node} says host name {hostname}",
        lambda world: _sb(
            world, zone, "set", "Chassis", f"chassis-{zone}-{node}", f"hostname={hostname}"
        ),
    )


def lose_gateways(zone: str) -> Edit:
    def do(world: World) -> None:
        world.zones[zone].databases.nbctl(
            "clear", "Logical_Router_Port", f"{zone}-ts", "gateway_chassis"
        )

    return Edit(f"somebody deletes the Gateway_Chassis of {zone}", do)


# Routes


def add_route(
    zone: str,
    prefix: str,
    next_hop: str,
    *,
    origin: str | None = None,
    by: str = "dst-ip",
    router: str = ROUTER,
) -> Edit:
    """A static route; `by` is its policy."""

    def do(world: World) -> None:
        policy = f"policy={by}"
        _create_route(world.zones[zone], prefix, next_hop, origin, policy, router=router)

    with_origin = "" if origin is None else f' with origin "{origin}"'
    words = f"{zone}'s {router} gets a {by} route to {prefix} by {next_hop}{with_origin}"
    return Edit(words, do)


def add_manual_route(
    zone: str, prefix: str, *, switch: str = "ts", origin: str | None = None, owner: str = ""
) -> Edit:
    """To the peer's address on a transit switch, read there as the documentation says."""
    peer = "az2" if zone == "az1" else "az1"

    def do(world: World) -> None:
        port = world.look().zones[peer].ports[switch]
        marks = [f"external_ids:{owner}"] if owner else []
        _create_route(world.zones[zone], prefix, port.addresses[0], origin, *marks)

    words = f"{zone} gets a manual route to {prefix} by {peer}'s address on {switch}"
    words += "" if origin is None else f' with origin "{origin}"'
    return Edit(words + (f", marked {owner}" if owner else ""), do)


def _create_route(
    zone: ZoneUnderTest,
    prefix: str,
    next_hop: str,
    origin: str | None,
    *columns: str,
    router: str = ROUTER,
) -> None:
    # Not lr-route-add: it refuses a second next hop without --ecmp, and sets no options.
    options = [] if origin is None else [f'options:origin="{origin}"']
    zone.databases.nbctl(
        *("--id=@route", "create", "Logical_Router_Static_Route"),
        *(f'ip_prefix="{prefix}"', f'nexthop="{next_hop}"', *options, *columns),
        *("--", "add", "Logical_Router", router, "static_routes", "@route"),
    )


def give_origin(zone: str, prefix: str, origin: str) -> Edit:
    def do(world: World) -> None:
        for route in world.look().zones[zone].unlearned(prefix):
            world.zones[zone].databases.nbctl(
                "set", "Logical_Router_Static_Route", route.uuid, f'options:origin="{origin}"'
            )

    return Edit(f'{zone}\'s route to {prefix} gets origin "{origin}"', do)


def remove_route(zone: str, prefix: str) -> Edit:
    def do(world: World) -> None:
        for route in world.look().zones[zone].unlearned(prefix):
            world.zones[zone].databases.nbctl(
                "remove", "Logical_Router", ROUTER, "static_routes", route.uuid
            )

    return Edit(f"{zone}'s route to {prefix} is removed", do)


# Chance, where the controller is the stand-in in this process


def next_draw(zone: str, *numbers: int, before: Edit | None = None) -> Edit:
    """The next random addresses; `before` is done when the first is about to be given."""

    def do(world: World) -> None:
        assert isinstance(world, InProcessWorld)
        draws = world.own[zone].draws
        draws.chosen = [*numbers]
        draws.before = partial(_prepare_draw, world, zone, before)

    return Edit(f"the next numbers that {zone} draws are {numbers}", do)


def _prepare_draw(world: World, zone: str, before: Edit | None) -> None:
    # Without the switch the port could not be made, and the number would be lost.
    wait_until(lambda: "ts" in world.look().zones[zone].switches, f"ovn-ic makes ts in {zone}")
    if before:
        before.do(world)


def make_its_port(zone: str) -> Edit:
    """Returns when the zone has its port on ts; nobody else's controller goes on meanwhile."""

    def do(world: World) -> None:
        def made() -> bool:
            world.zones[zone].nudge()
            return bool(world.look().zones[zone].ports)

        wait_until(made, f"{zone} has its port")

    return Edit(f"{zone} makes its port", do)


# What many cases begin with


def interconnected(*switches: str, **az1: str) -> tuple[After, ...]:
    """Both zones, on ts or on these switches; keys of az1's ConfigMap as in `set_keys`."""
    names = switches or ("ts",)
    return (
        after(
            *(add_switch(name) for name in names),
            *(create_config_map(zone, **(az1 if zone == "az1" else {})) for zone in ZONES),
            *(expect.has_ports_on(zone, *names) for zone in ZONES),
            *expect.talk(),
        ),
    )


def interconnected_by_hand(*switches: str) -> tuple[After, ...]:
    """Both zones, with auto-route false: nothing is advertised and nothing learned."""
    names = switches or ("ts",)
    return (
        after(
            *(add_switch(name) for name in names),
            *(create_config_map(zone, auto_route="false") for zone in ZONES),
            *(expect.has_ports_on(zone, *names) for zone in ZONES),
            *(expect.sees_remote_port_of(zone, peer) for zone, peer in (ZONES, ZONES[::-1])),
        ),
    )


def interconnected_on_what_is_there() -> tuple[Edit | Expectation, ...]:
    """Both zones, on a ts that somebody else makes: a part of an `after`."""
    return (
        *(create_config_map(zone) for zone in ZONES),
        *(expect.has_ports_on(zone, "ts") for zone in ZONES),
        *expect.talk(),
    )
