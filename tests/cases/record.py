"""Records the snapshots of all cases from real OVN daemons: python -m tests.cases.record [PATH].

PATH is the start of the paths of the cases to write, such as `adoption` or `rules/IC004`. The
expectations follow by: ICPLAN_UPDATE_CASES=1 pytest tests/test_cases.py
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND, NORTHBOUND, SOUTHBOUND, Database
from icplan.lab import Family, Lab, LabOptions
from tests.cases import engines, kube_ovn, manual, overlaps
from tests.cases.files import file, gone, zone
from tests.cases.world import World

AZ1, AZ2, AZ3 = zone(1), zone(2), zone(3)
BASE = file(AZ1, AZ2)
ABSENT = file(AZ1, AZ2.absent(), limits="deletions: 3")
ANY_LEAVE = "deletions: 9, disruptedZones: 9"


@contextmanager
def world(only: str, zones: int = 2, family: Family = Family.IPV4) -> Iterator[World]:
    names = tuple(f"az{number}" for number in range(1, zones + 1))
    options = LabOptions(zones=names, family=family, play_ovn_controller=True)
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        Lab(Path(parent) / "lab", options) as lab,
    ):
        yield World(lab, only)


def fresh_zones(w: World) -> None:
    """Nothing of icplan is there yet."""
    w.case("start/first-plan", BASE)
    w.case("start/first-plan-two-at-once", file(AZ1, AZ2, limits="zonesAtOnce: 2"))
    w.case("start/first-plan-two-switches", file(AZ1, AZ2, switches="2"))
    w.case(
        "transit_port/address-clash-next-free",
        file(AZ1, AZ2, switches="{subnets: [169.254.100.0/29]}"),
    )
    named = replace(AZ1, name="router")
    w.case("rules/IC002-zone-named-as-router", file(named, AZ2), reach={"router": "az1"})
    w.case("rules/IC008-too-many-zones", file(AZ1, AZ2, switches="{subnets: [169.254.100.0/30]}"))
    w.case("rules/IC034-repeated-server", file(AZ1, replace(AZ2, number=1)))
    w.case("rules/IC009-even-raft", file(AZ1, AZ2, hosts="127.0.0.1, 127.0.0.2"))
    w.case("rules/IC015-router-missing", file(zone(1, router="neutron-1"), AZ2))
    w.nbctl("--add-duplicate", "lr-add", "router")
    w.case("rules/IC015-two-routers-of-one-name", BASE)
    second = w.nbctl(
        "--bare", "--columns=_uuid", "find", "Logical_Router", "name=router", "ports=[]"
    )
    w.nbctl("lr-del", second.strip())
    w.lab.ic.sbctl("create", "Availability_Zone", "name=az2")
    w.case("rules/IC016-name-taken", BASE)
    w.lab.ic.sbctl("destroy", "Availability_Zone", "az2")
    w.nbctl("ls-add", "old", "--", "lsp-add", "old", "ts-az1")
    w.case("rules/IC025-port-name-taken", BASE)
    w.nbctl("ls-del", "old")
    # Once az1's chassis are in az2's database, az2 can have none with their address.
    w.zone(2).add_chassis("twin", "az2-gw3", w.zone(1).hosts["az1-gw1"].address)
    w.case("rules/IC006-tunnel-used-twice", BASE)
    w.zone(2).remove_chassis("twin")


def converged_zones(w: World) -> None:
    """Everything is as the file says; what another file would ask for."""
    w.case("start/nothing-to-do", BASE)
    w.case("transit_port/gateways-reordered", file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2))
    w.case("transit_port/gateway-removed", file(AZ1.with_gateways("az1-gw1"), AZ2))
    w.case("transit_switch/one-to-two", file(AZ1, AZ2, switches="2"))
    w.case("transit_switch/other-subnet", file(AZ1, AZ2, switches="{subnets: [100.64.0.0/24]}"))
    w.case("route_exchange/withhold-added", file(AZ1.with_more("withhold: [10.116.0.0/24]"), AZ2))
    w.case("route_exchange/withhold-by-switch-name", file(AZ1.with_more("withhold: [office]"), AZ2))
    w.case(
        "route_exchange/withhold-what-others-have",
        file(AZ1.with_more("withhold: [10.0.0.0/8]"), AZ2),
    )
    w.case("leaving/before", ABSENT)
    w.case("leaving/everybody", file(AZ1.absent(), AZ2.absent(), limits=ANY_LEAVE))
    w.case("limits/deletions", file(AZ1, AZ2.absent()))
    w.case("limits/disrupted-zones", file(AZ1.absent(), AZ2.absent(), limits="deletions: 6"))
    w.case(
        "limits/protected-leaving",
        file(AZ1, AZ2.absent().with_more("protected: true"), limits="deletions: 3"),
    )
    w.case(
        "limits/protected-outage",
        file(AZ1.with_more("protected: true", "withhold: [office]"), AZ2),
    )
    w.case(
        "limits/protected-unharmed",
        file(AZ1.with_gateways("az1-gw2", "az1-gw1").with_more("protected: true"), AZ2),
    )
    w.case("rules/IC001-duplicate-zone", file(AZ1, AZ2, AZ2), reach={})
    w.case("rules/IC003-repeated-gateway", file(AZ1.with_gateways("az1-gw1", "az1-gw1"), AZ2))
    w.case("rules/IC003-gateway-of-two-zones", file(AZ1, AZ2.with_gateways("az2-gw1", "az1-gw1")))
    w.case("rules/IC004-no-chassis", file(AZ1.with_gateways("az1-gw1", "az1-gw9"), AZ2))
    w.case(
        "rules/IC007-transit-subnets-overlap",
        file(AZ1, AZ2, switches="{count: 2, subnets: [169.254.100.0/24, 169.254.100.128/25]}"),
    )
    w.case("rules/IC010-unknown-switch", file(AZ1.with_more("withhold: [offcie]"), AZ2))
    w.case("rules/IC015-router-renamed-in-the-file", file(zone(1, router="neutron-1"), AZ2))
    w.case("rules/IC008-no-room-any-more", file(AZ1, AZ2, switches="{subnets: [169.254.100.0/30]}"))
    w.case("rules/IC012-foreign-owner", file(AZ1, AZ2, owner="stage"))
    w.case("rules/IC019-renamed", file(replace(AZ1, name="west"), AZ2), reach={"west": "az1"})
    w.case("rules/IC022-gateways-unlike-switches", file(AZ1, AZ2, switches="3"))
    w.case("rules/IC027-undeclared-zone", file(AZ1))
    w.case("rules/IC028-unencrypted", file(AZ1, AZ2, hosts="192.0.2.1"))
    w.case("rules/IC031-repeated-host", file(AZ1, AZ2, hosts="127.0.0.1, 127.0.0.1, 127.0.0.2"))
    w.case(
        "rules/IC032-transit-subnet-used", file(AZ1, AZ2, switches="{subnets: [10.16.100.0/24]}")
    )


def unreadable(w: World) -> None:
    """Something cannot be seen: nothing is planned for it, the rest is."""
    more = file(AZ1.with_more("withhold: [office]"), AZ2, AZ3)
    north3, south3 = Database("az3", NORTHBOUND), Database("az3", SOUTHBOUND)
    w.case("unreadable/one-zone", more, dead=(north3, south3))
    w.case("unreadable/one-southbound", BASE, dead=(Database("az2", SOUTHBOUND),))
    w.case(
        "unreadable/interconnection",
        file(AZ1.with_more("withhold: [office]"), AZ2, switches="2"),
        dead=(Database("ic", IC_NORTHBOUND), Database("ic", IC_SOUTHBOUND)),
    )
    w.case(
        "unreadable/ic-southbound-only",
        file(AZ1, AZ2, switches="2"),
        dead=(Database("ic", IC_SOUTHBOUND),),
    )
    everything = [
        Database("ic", IC_NORTHBOUND),
        Database("ic", IC_SOUTHBOUND),
        *(Database(f"az{n}", name) for n in (1, 2) for name in (NORTHBOUND, SOUTHBOUND)),
    ]
    w.case("unreadable/everything", BASE, dead=everything)


def drift(w: World) -> None:
    """Somebody changed by hand what icplan made; each time icplan itself repairs it."""
    ic = w.lab.ic
    for topic, command in {
        "transit_switch/drift-subnet": "external_ids:subnet=192.168.0.0/24",
        "transit_switch/drift-vendor": "external_ids:vendor=acme",
    }.items():
        ic.nbctl("set", "Transit_Switch", "ts", command)
        w.case(topic, BASE)
        w.apply(BASE)
    ic.nbctl("remove", "Transit_Switch", "ts", "external_ids", "icplan")
    w.case("transit_switch/mark-lost", BASE)
    w.apply(BASE)
    ic.nbctl("ts-add", "ts7", "--", "set", "Transit_Switch", "ts7", "external_ids:icplan=prod")
    w.case("transit_switch/ours-undeclared", file(AZ1, AZ2, limits="deletions: 1"))
    ic.nbctl("ts-del", "ts7")
    ic.nbctl("ts-add", "theirs")
    w.case("transit_switch/of-others", BASE)
    ic.nbctl("ts-del", "theirs")
    w.nbctl("remove", "NB_Global", ".", "external_ids", "icplan")
    w.case("zone_name/mark-lost", BASE)
    w.apply(BASE)
    for name, commands in {
        "drift-mac": ("set", "Logical_Router_Port", "az1-ts", 'mac="02:00:00:00:00:07"'),
        "drift-address": ("set", "Logical_Router_Port", "az1-ts", 'networks="169.254.100.9/24"'),
        "drift-length": ("set", "Logical_Router_Port", "az1-ts", 'networks="169.254.100.150/16"'),
        "drift-gateway-added": ("lrp-set-gateway-chassis", "az1-ts", "chassis-az1-w1", "200"),
        "drift-gateway-gone": ("lrp-del-gateway-chassis", "az1-ts", "chassis-az1-gw2"),
        "drift-no-gateway": (
            *("lrp-del-gateway-chassis", "az1-ts", "chassis-az1-gw1"),
            *("--", "lrp-del-gateway-chassis", "az1-ts", "chassis-az1-gw2"),
        ),
        "drift-priorities": ("lrp-set-gateway-chassis", "az1-ts", "chassis-az1-gw2", "200"),
        "drift-deleted": ("lrp-del", "az1-ts", "--", "lsp-del", "ts-az1"),
        "drift-mark-lost": ("remove", "Logical_Switch_Port", "ts-az1", "external_ids", "icplan"),
    }.items():
        w.nbctl(*commands)
        w.case(f"transit_port/{name}", BASE)
        w.apply(BASE)
    for name, commands in {
        "drift-not-advertising": ("set", "NB_Global", ".", "options:ic-route-adv=false"),
        "drift-not-learning": ("remove", "NB_Global", ".", "options", "ic-route-learn"),
        "drift-mark-lost": ("remove", "NB_Global", ".", "external_ids", "icplan-routes"),
    }.items():
        w.nbctl(*commands)
        w.case(f"route_exchange/{name}", BASE)
        w.apply(BASE)


def _rename(w: World, old: str, new: str) -> None:
    """Both ends at once.

    While they disagree ovn-ic 23.03.1 adds the learned routes again and again, thousands of rows
    a second, and leaves them behind (measured).
    """
    w.nbctl(
        *("set", "Logical_Router_Port", old, f"name={new}"),
        *("--", "set", "Logical_Switch_Port", "ts-az1", f"options:router-port={new}"),
    )


def moved_ports(w: World) -> None:
    """The port was taken to another router, renamed, or is bound by a group."""
    _rename(w, "az1-ts", "hand-made")
    w.case("transit_port/renamed-by-hand", BASE)
    _rename(w, "hand-made", "az1-ts")
    az1 = w.zone(1)
    az1.stop_ovn_ic()
    w.nbctl("lrp-del", "az1-ts")
    w.case("transit_port/half-deleted-by-hand", BASE)
    w.nbctl("lsp-del", "ts-az1")
    az1.start_ovn_ic()
    w.apply(BASE)
    w.nbctl("lr-add", "other")
    uuid = w.nbctl("--bare", "get", "Logical_Router_Port", "az1-ts", "_uuid").strip()
    w.nbctl(
        *("add", "Logical_Router", "other", "ports", uuid),
        *("--", "remove", "Logical_Router", "router", "ports", uuid),
    )
    w.case("transit_port/moved-to-another-router", file(AZ1, AZ2, limits=ANY_LEAVE))
    w.apply(file(AZ1, AZ2, limits=ANY_LEAVE))
    w.nbctl("lr-del", "other")
    w.nbctl(
        *("--id=@member", "create", "HA_Chassis", "chassis_name=chassis-az1-gw1", "priority=9"),
        *("--", "--id=@group", "create", "HA_Chassis_Group", "name=hand", "ha_chassis=@member"),
        *("--", "set", "Logical_Router_Port", "az1-ts", "ha_chassis_group=@group"),
    )
    w.case("transit_port/drift-ha-chassis-group", BASE)
    w.apply(BASE)
    w.nbctl("ha-chassis-group-del", "hand")


def withheld(w: World) -> None:
    """What is withheld, taken back, and denied by others."""
    office = file(AZ1.with_more("withhold: [10.116.0.0/24]"), AZ2)
    w.apply(office)
    w.case("route_exchange/withhold-as-declared", office)
    w.case("route_exchange/withhold-taken-back", BASE)
    w.case("route_exchange/withhold-replaced", file(AZ1.with_more("withhold: [10.16.0.0/16]"), AZ2))
    w.nbctl("set", "NB_Global", ".", "options:ic-route-blacklist=10.99.0.0/24")
    w.case("route_exchange/drift-withheld", office)
    w.nbctl("set", "NB_Global", ".", 'options:ic-route-blacklist="10.99.0.0/24,,10.116.0.0/24"')
    w.case("route_exchange/drift-empty-element", office)
    w.apply(office)
    w.case("route_exchange/foreign-entry-kept", BASE)
    w.apply(BASE)
    w.nbctl("set", "NB_Global", ".", "options:ic-route-blacklist=10.116.0.0/24")
    w.case("rules/IC023-withheld-by-others", BASE)
    w.nbctl("remove", "NB_Global", ".", "options", "ic-route-blacklist")
    w.nbctl("set", "NB_Global", ".", "options:ic-route-denylist=10.99.0.0/24")
    w.case("rules/IC011-foreign-denylist", BASE)
    w.nbctl("remove", "NB_Global", ".", "options", "ic-route-denylist")


def hosts(w: World) -> None:
    """Gateways come and go."""
    single = file(AZ1.with_gateways("az1-gw1"), AZ2)
    w.apply(single)
    w.case("rules/IC021-single-gateway", single)
    w.case("transit_port/gateway-added", BASE)
    # The README shows this plan.
    w.case("readme/gateway-and-withhold", file(AZ1.with_more("withhold: [office]"), AZ2))
    w.case("transit_port/gateway-put-first", file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2))
    replaced = file(AZ1.with_gateways("az1-gw2"), AZ2)
    w.case("rules/IC020-all-replaced", replaced)
    accepted = 'rule: IC020, at: az1, reason: "gw1 is broken, gw2 was tested"'
    w.case("waivers/all-replaced", file(AZ1.with_gateways("az1-gw2"), AZ2, accept=(accepted,)))
    w.apply(BASE)
    az1 = w.zone(1)
    az1.remove_chassis("chassis-az1-gw1")
    w.case("transit_port/chassis-gone", BASE)
    w.case("transit_port/chassis-gone-and-replaced", file(AZ1.with_gateways("az1-gw2"), AZ2))
    address = az1.hosts["az1-gw1"].address
    az1.add_chassis("chassis-az1-gw1", "az1-gw1", address)
    az1.add_chassis("reinstalled", "az1-gw1", "172.31.1.99")
    w.case("rules/IC004-two-chassis", BASE)
    az1.remove_chassis("reinstalled")
    az1.mark_interconn("az1-gw2", interconn=False)
    w.case("rules/IC005-not-marked", BASE)
    az1.mark_interconn("az1-gw2", interconn=True)


def failed_gateway(w: World) -> None:
    """The standby serves in the place of the first gateway, whose tunnels do not answer."""
    az1, first, second, third = w.zone(1), "az1-gw1", "az1-gw2", "az1-w1"
    az1.mark_interconn(third, interconn=True)
    az1.stop_playing()
    az1.bind_gateway("az1-ts", f"chassis-{second}")
    for name, hosts in {
        "rules/IC084-serves-and-goes": (first,),
        "rules/IC084-new-beside-a-dead-one": (first, third),
        "transit_port/standby-put-first": (second, first),
        "transit_port/standby-alone": (second,),
        "transit_port/gateway-added-behind-the-standby": (first, second, third),
    }.items():
        w.case(name, file(AZ1.with_gateways(*hosts), AZ2))
    accepted = 'rule: IC084, at: az1, reason: "gw1 is being repaired"'
    w.case("waivers/serves-and-goes", file(AZ1.with_gateways(first), AZ2, accept=(accepted,)))
    az1.play_ovn_controller()
    az1.mark_interconn(third, interconn=False)


def routers(w: World) -> None:
    """What else hangs on the routers."""
    az1, az2 = w.zone(1), w.zone(2)
    # ovn-ic 23.03 crashes on two equal networks; it must not see them.
    az1.stop_ovn_ic()
    az1.add_subnet("copy", "10.16.0.1/16")
    w.case("rules/IC029-crashing-version", BASE)
    az1.remove_subnet("copy")
    w.nbctl(
        *("lrp-add", "router", "second", "02:00:00:00:00:02", "169.254.100.77/24"),
        *("--", "lsp-add", "ts", "ts-second", "--", "lsp-set-type", "ts-second", "router"),
        *("--", "lsp-set-options", "ts-second", "router-port=second"),
    )
    w.case("rules/IC014-several-ports", BASE)
    w.nbctl("lsp-del", "ts-second", "--", "lrp-del", "second")
    az1.start_ovn_ic()
    w.nbctl("lr-nat-add", "router", "snat", "198.51.100.7", "10.16.0.0/16")
    w.case("rules/IC017-address-translation", BASE)
    why = 'at: az1, reason: "SNAT only towards the internet"'
    for name, waiver in {
        "valid": f"rule: IC017, {why}, until: 2026-06-01",
        "for-good": f"rule: IC017, {why}",
        "expired": f"rule: IC017, {why}, until: 2026-05-31",
        "of-another-zone": f"rule: IC017, {why.replace('az1', 'az2')}",
        "unknown-rule": f"rule: IC000, {why}",
        "not-waivable": f"rule: IC004, {why}",
        "unknown-zone": f"rule: IC017, {why.replace('az1', 'az9')}",
    }.items():
        w.case(f"waivers/{name}", file(AZ1, AZ2, accept=(waiver,)))
    w.nbctl("lr-nat-del", "router")
    az2.add_subnet("copy", "10.16.5.1/24")
    w.case("rules/IC018-advertised-overlap", BASE)
    accepted = 'rule: IC018, at: az2, reason: "moves over next week", until: 2026-07-01'
    w.case("waivers/overlap", file(AZ1, AZ2, accept=(accepted,)))
    w.case("rules/IC018-withheld", file(AZ1, AZ2.with_more("withhold: [copy]")))
    az2.remove_subnet("copy")
    w.nbctl("lr-add", "az2")
    w.case("rules/IC024-router-named-as-zone", BASE)
    w.nbctl("lr-del", "az2")


def two_switches(w: World) -> None:
    """The ECMP width goes up and down."""
    two = file(AZ1, AZ2, switches="2")
    w.apply(two)
    w.case("transit_switch/two-as-declared", two)
    w.case("transit_switch/two-to-one", file(AZ1, AZ2, limits="deletions: 3"))
    w.case(
        "transit_port/gateways-rotate",
        file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2, switches="2"),
    )
    w.case("leaving/two-switches", file(AZ1, AZ2.absent(), switches="2", limits=ANY_LEAVE))
    w.apply(file(AZ1, AZ2, limits="deletions: 3"))


def ports_of_others(w: World) -> None:
    """A zone is to leave, and has ports that are no file's: on their own switch, and on ours."""
    w.lab.ic.nbctl("ts-add", "custom")
    w.nbctl("wait-until", "Logical_Switch", "custom", zone=2)
    w.nbctl(
        *("lrp-add", "router", "az2-custom", "02:00:00:00:00:03", "10.254.0.2/24"),
        *("--", "lsp-add", "custom", "custom-az2", "--", "lsp-set-type", "custom-az2", "router"),
        *("--", "lsp-set-options", "custom-az2", "router-port=az2-custom"),
        zone=2,
    )
    w.nbctl(
        *("lrp-add", "router", "az2-more", "02:00:00:00:00:05", "10.254.1.2/24"),
        *("--", "lsp-add", "custom", "more-az2", "--", "lsp-set-type", "more-az2", "router"),
        *("--", "lsp-set-options", "more-az2", "router-port=az2-more"),
        zone=2,
    )
    w.case("transit_switch/switch-and-ports-of-others", BASE)
    w.nbctl(
        *("lr-add", "other", "--", "lrp-add", "other", "other-ts", "02:00:00:00:00:04"),
        *("169.254.100.66/24", "--", "lsp-add", "ts", "ts-other"),
        *("--", "lsp-set-type", "ts-other", "router"),
        *("--", "lsp-set-options", "ts-other", "router-port=other-ts"),
        zone=2,
    )
    w.case("rules/IC083-ports-of-others", ABSENT)
    for port, half in (("custom-az2", "az2-custom"), ("more-az2", "az2-more")):
        w.nbctl("lsp-del", port, "--", "lrp-del", half, zone=2)
    w.nbctl("lsp-del", "ts-other", "--", "lr-del", "other", zone=2)
    w.lab.ic.nbctl("ts-del", "custom")


def leaving(w: World) -> None:
    """A zone is taken out, and the run is interrupted half way."""
    w.apply(ABSENT, stops=True)
    w.case("leaving/waiting-for-the-operator", ABSENT)
    for host in ("az2-gw1", "az2-gw2"):
        w.zone(2).mark_interconn(host, interconn=False)
    w.case("leaving/half-way", ABSENT)
    w.case("leaving/turned-back", BASE)
    w.apply(ABSENT)
    w.case("leaving/done", ABSENT)
    for host in ("az2-gw1", "az2-gw2"):
        w.zone(2).mark_interconn(host, interconn=True)


def two_fresh_zones(only: str) -> None:
    with world(only) as w:
        fresh_zones(w)
        w.apply(BASE)
        for scene in (
            converged_zones, unreadable, drift, moved_ports, withheld, hosts, failed_gateway,
            routers, two_switches, ports_of_others, leaving, taken_apart,
        ):  # fmt: skip
            scene(w)


def families(only: str) -> None:
    """IPv6 and both families."""
    for family, topic in ((Family.IPV6, "ipv6"), (Family.DUAL, "dual-stack")):
        with world(only, family=family) as w:
            text = file(AZ1, AZ2, switches=f"{{count: 1, family: {family}}}")
            w.case(f"families/{topic}-first-plan", text)
            w.apply(text)
            w.case(f"families/{topic}-nothing-to-do", text)
            w.case(
                f"families/{topic}-withhold",
                file(AZ1.with_more("withhold: [office]"), AZ2, switches=f"{{family: {family}}}"),
            )
            if family is Family.DUAL:
                w.case("families/dual-stack-to-ipv4", BASE)


def by_hand(w: World, number: int, address: str, priorities: tuple[int, int] = (20, 10)) -> None:
    """What the documentation of OVN says, with an operator's own names."""
    one = w.zone(number)
    w.lab.ic.nbctl("--may-exist", "ts-add", "ts")
    one.nbctl("set", "NB_Global", ".", f"name={one.name}")
    one.nbctl("set", "NB_Global", ".", "options:ic-route-adv=true", "options:ic-route-learn=true")
    one.nbctl("wait-until", "Logical_Switch", "ts")
    one.nbctl(
        *("lrp-add", "router", "uplink", f"aa:aa:aa:aa:aa:0{number}", address),
        *("--", "lsp-add", "ts", f"transit-{one.name}"),
        *("--", "lsp-set-type", f"transit-{one.name}", "router"),
        *("--", "lsp-set-addresses", f"transit-{one.name}", "router"),
        *("--", "lsp-set-options", f"transit-{one.name}", "router-port=uplink"),
    )
    for host, priority in zip(one.gateway_hosts, priorities, strict=True):
        one.nbctl("lrp-set-gateway-chassis", "uplink", f"chassis-{host}", str(priority))


def adoption(only: str) -> None:
    """Zones that somebody interconnected by hand."""
    with world(only) as w:
        by_hand(w, 1, "169.254.100.11/24")
        by_hand(w, 2, "169.254.100.12/24")
        w.case("adoption/as-it-is", BASE)
        w.case("adoption/half-of-it", file(AZ1))
        different = AZ1.with_gateways("az1-gw2", "az1-gw1").with_more("withhold: [office]")
        w.case("adoption/with-differences", file(different, AZ2))
        w.case(
            "adoption/not-on-the-switch-s-subnet",
            file(AZ1, AZ2, switches="{subnets: [169.254.200.0/24]}"),
        )
        w.nbctl("set", "NB_Global", ".", "options:ic-route-blacklist=10.116.0.0/24")
        w.case("adoption/withheld-already", file(AZ1.with_more("withhold: [office]"), AZ2))
        w.nbctl("remove", "NB_Global", ".", "options", "ic-route-blacklist")
        w.case("adoption/only-to-be-taken-out", file(AZ1, AZ2.absent(), limits=ANY_LEAVE))
        w.apply(BASE)
        w.case("adoption/done", BASE)


def equal_addresses(only: str) -> None:
    """Two zones were given the same address by hand, and each learns the other through itself."""
    with world(only) as w:
        by_hand(w, 1, "169.254.100.200/24")
        by_hand(w, 2, "169.254.100.200/24")
        w.case("transit_port/two-equal-addresses", BASE)
        w.apply(BASE)
        w.case("transit_port/equal-addresses-cured", BASE)


def without(w: World) -> None:
    """One of three zones is left out; whatever becomes of it meanwhile, the others are planned."""
    alone = ("az3",)
    w.case("without/nothing-to-do", file(AZ1, AZ2, AZ3), without=alone)
    more = file(AZ1.with_more("withhold: [office]"), AZ2, AZ3, switches="2")
    w.case("without/the-others-are-planned", more, without=alone)
    moved = file(AZ1, AZ2, AZ3, switches="{subnets: [100.64.0.0/24]}", limits=ANY_LEAVE)
    w.case("without/would-be-on-another-subnet", moved, without=alone)
    w.case(
        "without/all-but-one", file(AZ1.with_gateways("az1-gw2"), AZ2, AZ3), without=("az2", *alone)
    )
    w.zone(1).add_subnet("copy", "10.18.5.1/24")
    w.case("without/overlap", file(AZ1, AZ2, AZ3), without=alone)
    w.zone(1).remove_subnet("copy")
    two = file(AZ1, AZ2, AZ3, switches="2")
    w.apply(two)
    w.case("without/would-lose-a-switch", file(AZ1, AZ2, AZ3, limits=ANY_LEAVE), without=alone)
    w.apply(file(AZ1, AZ2, AZ3, limits=ANY_LEAVE))


def three_zones(only: str) -> None:
    """Groups of pairs, and a zone that joins."""
    with world(only, zones=3) as w:
        three = file(AZ1, AZ2, AZ3)
        w.apply(BASE)
        w.case("start/a-third-zone-joins", three)
        w.apply(three)
        without(w)
        manual.three(w)
        w.case("limits/one-of-three-leaves", file(AZ1, AZ2, AZ3.absent(), limits="deletions: 3"))
        w.case(
            "limits/two-of-three-withhold",
            file(AZ1.with_more("withhold: [office]"), AZ2.with_more("withhold: [office]"), AZ3),
        )


def manual_routes(only: str) -> None:
    """Zones whose routes stand in the file."""
    with world(only) as w:
        manual.plain(w)
    with world(only, zones=3) as w:
        manual.third(w)


def taken_apart(w: World) -> None:
    """Everything is taken apart, or would be."""
    two = file(AZ1, AZ2, switches="2")
    w.apply(two)
    w.case("switch_copy/taken-apart", two, destroy=True)
    w.case(
        "limits/protected-taken-apart", file(AZ1.with_more("protected: true"), AZ2), destroy=True
    )
    w.case("rules/IC073-undeclared-zone", file(AZ1), destroy=True)
    w.nbctl("lsp-add", "ts", "mine")
    w.case("rules/IC074-used-by-somebody", two, destroy=True)
    w.nbctl("lsp-del", "mine")
    for host in ("az1-gw1", "az1-gw2", "az2-gw1", "az2-gw2"):
        w.zone(int(host[2])).mark_interconn(host, interconn=False)
    w.apply(two, destroy=True)
    w.case("switch_copy/nothing-left", two, destroy=True)
    w.case("switch_copy/built-again", two)


def stale_zones(only: str) -> None:
    """A zone is no more, or seems to be."""
    with world(only, zones=3) as w:
        w.apply(file(AZ1, AZ2, AZ3))
        west = replace(AZ1, name="west")
        w.case("rules/IC070-alive", file(west, AZ2, AZ3, gone("az1")), reach={"west": "az1"})
        hop = _address(w, 3)
        w.lab.remove_zone("az3")
        dead = file(AZ1, AZ2, gone("az3"), limits="deletions: 1")
        w.case("stale_zone/registered", dead)
        w.case("stale_zone/beyond-the-limit", file(AZ1, AZ2, gone("az3")))
        w.case("stale_zone/taken-apart", dead, destroy=True)
        w.nbctl("lr-route-add", "router", "10.99.0.0/16", hop)
        w.case("rules/IC072-route-by-hand", dead)
        w.nbctl("lr-route-del", "router", "10.99.0.0/16")
        w.zone(2).add_subnet("copy", "10.18.0.1/16")
        w.case("stale_zone/equal-prefix", dead)
        w.zone(2).remove_subnet("copy")
        w.apply(dead)
        w.case("stale_zone/nothing-left", dead)
        # Renamed while its ovn-ic did not run.
        az2 = w.zone(2)
        az2.stop_ovn_ic()
        az2.nbctl("set", "NB_Global", ".", "name=west")
        renamed = file(AZ1, replace(AZ2, name="west"), gone("az2"), limits=ANY_LEAVE)
        w.case("rules/IC071-renamed", renamed, reach={"west": "az2"})
        az2.nbctl("set", "NB_Global", ".", "name=az2")
        az2.start_ovn_ic()
        w.apply(BASE)
        # The name is cleared before the ports are gone.
        cleared = ("set", "NB_Global", ".", 'name=""', "--", "clear", "NB_Global", ".", "options")
        az2.nbctl(*cleared)
        w.case("stale_zone/name-cleared-too-early", file(AZ1, AZ2.absent(), limits=ANY_LEAVE))
        w.case("learned_route/in-a-plain-zone", file(AZ1, AZ2.absent(), limits=ANY_LEAVE))


def ovn_ic_stopped(only: str) -> None:
    """The switch that a zone's ovn-ic has made is gone, and nobody makes it anew."""
    with world(only) as w:
        w.apply(BASE)
        w.zone(1).stop_ovn_ic()
        w.nbctl("ls-del", "ts", "--", "lrp-del", "az1-ts")
        w.case("rules/IC079-ovn-ic-stopped", BASE)


def _address(w: World, number: int) -> str:
    """The address of a zone on ts."""
    found = w.nbctl(*("get", "Logical_Router_Port", f"az{number}-ts", "networks"), zone=number)
    return found.strip().strip('[]"').partition("/")[0]


def main(only: str) -> None:
    for scenes in (
        stale_zones,
        ovn_ic_stopped,
        two_fresh_zones,
        families,
        adoption,
        equal_addresses,
        three_zones,
        manual_routes,
        kube_ovn.main,
        overlaps.main,
        engines.main,
    ):
        scenes(only)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
