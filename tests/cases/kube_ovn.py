"""The cases of Kube-OVN zones: real API servers, real ovn-ic, the stand-in for the controller."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from icplan.core.address import IC
from icplan.core.io import IC_NORTHBOUND, IC_SOUTHBOUND, Database
from icplan.errors import IcplanError
from icplan.lab import Lab, LabOptions, wait_until
from icplan.lab.kubernetes.cluster import CONFIG_MAPS, DEPLOYMENTS, SUBNETS
from icplan.lab.kubernetes.ic_server import workload
from tests.cases import manual
from tests.cases.files import cluster, file, gone, zone
from tests.cases.world import World
from tests.roles import grant, token_file

CONFIG = "ovn-ic-config"
CONTROLLER = "ovn-ic-controller"
OWNER = "icplan/owner"
SERVER = f"{DEPLOYMENTS}/ovn-ic-server"

AZ1, AZ2 = cluster(1), cluster(2)
BASE = file(AZ1, AZ2)
BOTH = "disruptedZones: 2"
TWO = file(AZ1, AZ2, switches="2", limits=BOTH)


@contextmanager
def world(
    only: str, *, plain: tuple[str, ...] = (), zones: int = 2, members: int = 1, runs: str = ""
) -> Iterator[World]:
    names = (*(f"az{number}" for number in range(1, zones + 1)), *plain)
    options = LabOptions(
        zones=names,
        kubernetes=True,
        plain=plain,
        play_ovn_controller=True,
        play_kube_ovn=True,
        collisions=False,
        members=members,
        ic_cluster=runs,
    )
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        Lab(Path(parent) / "lab", options) as lab,
    ):
        yield World(lab, only)


def fresh(w: World) -> None:
    """Nothing of icplan is there yet."""
    w.case("ic_config/first-plan", BASE)
    w.case("without/not-joined-yet", BASE, without=("az2",))


def converged(w: World) -> None:
    """Everything is as the file says; what another file would ask for."""
    w.case("ic_config/nothing-to-do", BASE)
    w.case("ic_config/gateways-reordered", file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2))
    w.case("ic_config/gateway-added", file(AZ1.with_gateways("az1-gw1", "az1-gw2", "az1-w1"), AZ2))
    w.case("ic_config/no-routes-any-more", file(AZ1.with_more("routePolicy: manual"), AZ2))
    other = file(AZ1, AZ2, hosts="127.0.0.2")
    w.case("ic_config/other-database", other)
    w.case("rules/IC056-left-out", other, without=("az2",))
    w.case("rules/IC056-unseen", other, dead=("az2",))
    w.case("transit_switch/with-an-undeclared-zone", file(AZ1, switches="2"))
    w.case("ic_config/leaving", file(AZ1, AZ2.absent(), limits="deletions: 1"))
    w.case("ic_config/two-switches", file(AZ1, AZ2, switches="2", limits="disruptedZones: 2"))
    w.case("rules/IC012-of-a-cluster", file(AZ1, AZ2, owner="stage"))
    other = "{subnets: [10.98.0.0/24]}"
    w.case("rules/IC057-other-subnet", file(AZ1, AZ2, switches=other))
    w.case("unreadable/one-cluster", BASE, dead=("az2",))
    more = file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2)
    w.case("without/a-cluster", more, without=("az2",))
    w.case("without/would-be-rebuilt", file(AZ1, AZ2, switches="2"), without=("az2",))


def withheld(w: World) -> None:
    """A Subnet is withheld and given back, by icplan and by somebody else."""
    hidden = file(AZ1.with_more("withhold: [office]"), AZ2)
    w.case("subnet_advertisement/withhold", hidden)
    w.apply(hidden)
    w.case("subnet_advertisement/withhold-as-declared", hidden)
    w.case("subnet_advertisement/withhold-taken-back", BASE)
    leaving = file(AZ1.with_more("withhold: [office]").absent(), AZ2, limits="deletions: 1")
    w.case("subnet_advertisement/leaving", leaving)


def stale(w: World) -> None:
    """What the controller keeps denying once nothing withholds it any more."""
    waiver = 'rule: IC037, at: az1, reason: "no window before the weekend"'
    w.apply(file(AZ1, AZ2, accept=(waiver,)))
    w.case("denylist/stale", BASE)
    w.case("denylist/stale-accepted", file(AZ1, AZ2, accept=(f"{waiver}, until: 2026-06-07",)))
    w.apply(BASE)
    w.case("denylist/cured", BASE)


def overlap(w: World, first: int, second: int) -> None:
    """Both have a subnet; one denies it for that, until the other withholds it."""
    w.zone(first).add_subnet("copy", "10.118.0.1/24")
    wait_until(lambda: "10.118.0.1/24" in w.lab.ic.sbctl("list", "Route"), "it is advertised")
    # Else it is a race which of the two learns, and denies, first.
    w.lab.clusters[f"az{first}"].stop_controller()
    w.zone(second).add_subnet("copy", "10.118.0.1/24")
    denied = ("get", "NB_Global", ".", "options:ic-route-blacklist")
    wait_until(lambda: "10.118.0." in w.nbctl(*denied, zone=second), "the second one denies it")
    w.lab.clusters[f"az{first}"].start_controller()
    hidden = {first: ("withhold: [copy]",)}
    declared = (one.with_more(*hidden.get(one.number, ())) for one in (AZ1, AZ2))
    text = file(*declared, limits=BOTH)
    w.case(f"denylist/withheld-in-az{first}-for-az{second}", text)
    w.apply(text)
    for number in (first, second):
        w.zone(number).remove_subnet("copy")
    w.apply(file(AZ1, AZ2, limits=BOTH))


def routes_by_hand(w: World) -> None:
    """A zone reaches the other one by a route that somebody made."""
    manual = AZ2.with_more("routePolicy: manual")
    w.apply(file(AZ1.with_more("routePolicy: manual"), manual, limits=BOTH))
    former, address = _port(w)
    w.nbctl("lr-route-add", "ovn-cluster", "10.16.0.0/16", address, zone=2)
    text = file(AZ1, manual)
    w.case("ic_config/breaks-a-route-by-hand", text)
    w.apply(file(AZ1, manual, limits=BOTH), stops=True)
    wait_until(lambda: _port(w)[0] not in {"", former}, "az1 has another port")
    w.nbctl("lr-route-del", "ovn-cluster", "10.16.0.0/16", zone=2)
    w.nbctl("lr-route-add", "ovn-cluster", "10.16.0.0/16", _port(w)[1], zone=2)
    w.apply(text)
    w.case("ic_config/with-a-route-by-hand", text)
    w.nbctl("lr-route-del", "ovn-cluster", "10.16.0.0/16", zone=2)
    w.case("ic_config/routes-begin", BASE)
    w.apply(BASE)


def _port(w: World) -> tuple[str, str]:
    """The uuid and the address of the port that az1 has on ts, empty while it has none."""
    columns = "--columns=_uuid,networks"
    found = w.nbctl("--bare", columns, "find", "Logical_Router_Port", "name=az1-ts").split()
    uuid, network = found or ("", "")
    return uuid, network.partition("/")[0]


def by_hand(w: World) -> None:
    """Somebody changes by hand what icplan made."""
    api, config = w.cluster().api, f"{CONFIG_MAPS}/{CONFIG}"
    api.patch(config, {"metadata": {"annotations": {OWNER: None}}})
    w.case("ic_config/mark-lost", BASE)
    w.apply(BASE)
    api.patch(config, {"data": {"gw-nodes": "az1-gw2,az1-gw1"}})
    w.case("ic_config/drift-gateways", BASE)
    w.apply(BASE)
    api.patch(config, {"data": {"gw-node": "az1-gw2"}})
    waiver = 'rule: IC036, at: az1, reason: "the old tool still reads it"'
    w.case("rules/IC036-unknown-key", BASE)
    w.case("rules/IC036-accepted", file(AZ1, AZ2, accept=(waiver,)))
    api.patch(config, {"data": {"gw-node": None}})
    api.delete(config)
    w.case("ic_config/drift-deleted", BASE)
    w.apply(BASE)
    subnet = f"{SUBNETS}/office"
    api.patch(subnet, {"spec": {"disableInterConnection": True}})
    w.case("rules/IC046-withheld-by-others", BASE)
    api.patch(subnet, {"spec": {"disableInterConnection": None}})
    # Its controller now denies it for ever.
    w.apply(BASE)
    w.case("ic_config/as-before", BASE)
    port = ("get", "Logical_Router_Port", "az2-ts", "networks")
    hop = w.nbctl(*port, zone=2).strip().strip('[]"').partition("/")[0]
    w.nbctl("lr-route-add", "ovn-cluster", "10.17.5.0/24", hop)
    w.case("rules/IC059-route-by-hand", BASE)
    w.nbctl("lr-route-del", "ovn-cluster", "10.17.5.0/24", hop)
    # Nor does the other one forget what it denied because of it.
    w.apply(BASE)


def equal_addresses(w: World) -> None:
    """Both controllers have drawn the same address."""
    row = ("Logical_Router_Port", "az2-ts", "networks")
    network = w.nbctl("get", "Logical_Router_Port", "az1-ts", "networks").strip()
    w.nbctl("set", *row[:2], f"networks={network}", zone=2)
    w.case("transit_addresses/shared", BASE)
    kept = AZ2.with_more("protected: true")
    w.case("transit_addresses/shared-with-a-protected-zone", file(AZ1, kept))
    w.case("transit_addresses/shared-and-leaving", file(AZ1, AZ2.absent(), limits="deletions: 1"))
    w.case(
        "transit_addresses/cured-by-another-change", file(AZ1, AZ2.with_more("routePolicy: manual"))
    )
    w.apply(BASE)
    w.case("transit_addresses/cured", BASE)


def left_behind(w: World) -> None:
    """The ConfigMap was deleted while no controller ran, so nothing was taken away."""
    zone_ = w.lab.clusters["az2"]
    leaving = file(AZ1, AZ2.absent(), limits="deletions: 1")
    zone_.stop_controller()
    w.cluster(2).api.delete(f"{CONFIG_MAPS}/{CONFIG}")
    zone_.start_controller()
    w.case("ic_config/left-behind-and-leaving", leaving)
    w.case("ic_config/left-behind-and-back", BASE)
    w.apply(leaving)
    w.case("ic_config/left", leaving)
    w.apply(BASE)


def older(w: World) -> None:
    """An older controller leaves what its zone has learned."""
    leaving, one = file(AZ1, AZ2.absent(), limits="deletions: 2"), w.lab.clusters["az2"]
    w.cluster(2).set_version(CONTROLLER, "v1.15.23")
    w.case("learned_route/will-stay-behind", leaving)
    one.start_controller("old")
    wait_until(lambda: "ts-az2" in w.lab.ic.sbctl("list", "Port_Binding"), "az2 is in")
    w.cluster(2).api.delete(f"{CONFIG_MAPS}/{CONFIG}")
    wait_until(lambda: "ts-az2" not in w.lab.ic.sbctl("list", "Port_Binding"), "az2 is out")
    w.case("learned_route/stayed-behind", leaving)
    w.apply(leaving)
    w.case("learned_route/taken-away", leaving)
    w.cluster(2).set_version(CONTROLLER, "v1.17.0")
    one.start_controller()
    w.apply(BASE)


def lost(w: World) -> None:
    """kube-ovn-controller has deleted ts1 at its start, and ovn-ic has made it again."""
    az1 = w.lab.clusters["az1"]
    w.apply(TWO)
    az1.lose_switches()
    wait_until(lambda: "ts1" in az1.nbctl("ls-list"), "ovn-ic makes it again")
    w.case("lost_port/lost", TWO)
    more = file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2, switches="2", limits=BOTH)
    w.case("lost_port/with-another-change", more)
    w.apply(TWO)
    w.case("lost_port/cured", TWO)
    w.case("ic_config/taken-apart", TWO, destroy=True)
    w.apply(file(AZ1, AZ2, limits="disruptedZones: 2, deletions: 1"))


def dangling(w: World) -> None:
    """A zone was renamed while its controller did not run."""
    az2, config = w.lab.clusters["az2"], f"{CONFIG_MAPS}/{CONFIG}"
    az2.stop_controller()
    w.cluster(2).api.patch(config, {"data": {"az-name": "west"}})
    # Two equal networks on one router crash ovn-ic 23.03.
    w.nbctl("set", "Logical_Router_Port", "az2-ts", 'networks="169.254.99.9/24"', zone=2)
    az2.start_controller()
    wait_until(lambda: "west-ts" in w.nbctl("lrp-list", "ovn-cluster", zone=2), "it has its port")
    renamed = file(AZ1, replace(AZ2, name="west"), gone("az2"), limits="deletions: 2")
    w.case("dangling_port/renamed-while-down", renamed, reach={"west": "az2"})


def clusters(w: World) -> None:
    """What the clusters themselves are like."""
    az1, reordered = w.lab.clusters["az1"], file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2)
    w.case("rules/IC020-of-a-cluster", file(AZ1.with_gateways("az1-w1"), AZ2))
    w.case("rules/IC039-no-node", file(AZ1.with_gateways("az1-gw1", "az1-gw9"), AZ2))
    w.case("rules/IC045-no-such-subnet", file(AZ1.with_more("withhold: [offcie]"), AZ2))
    w.case("rules/IC045-part-of-a-subnet", file(AZ1.with_more("withhold: [10.116.0.0/25]"), AZ2))
    more = ("routePolicy: manual", "withhold: [office]")
    w.case("rules/IC049-withheld-in-vain", file(AZ1.with_more(*more), AZ2))
    w.case(
        "limits/protected-cluster",
        file(AZ1.with_more("protected: true", "routePolicy: manual"), AZ2),
    )
    for version, name in (("v1.15.23", "old"), ("latest", "unknown")):
        w.cluster().set_version(CONTROLLER, version)
        w.case(f"rules/IC041-{name}-version", reordered)
    w.case("ic_config/leaving-of-unknown-version", file(AZ1.absent(), AZ2, limits="deletions: 2"))
    w.cluster().set_version(CONTROLLER, "v1.17.0")
    az1.stop_controller()
    w.case("rules/IC038-controller-down", reordered)
    w.case("ic_config/controller-down-and-nothing-to-do", BASE)
    az1.start_controller()
    w.apply(BASE)
    w.cluster(2).add_node("az1-gw2", "172.31.2.99")
    w.case("rules/IC047-node-of-two-clusters", BASE)
    w.cluster(2).remove_node("az1-gw2")
    az1.add_subnet("services", "10.100.0.1/24")
    w.case("rules/IC042-service-addresses", BASE)
    az1.remove_subnet("services")
    row = ("Logical_Router_Port", "az1-ts")
    networks = az1.nbctl("get", *row, "networks").strip()
    az1.nbctl("set", *row, 'networks="169.254.100.0/24"')
    w.case("rules/IC044-first-address", BASE)
    az1.nbctl("set", *row, f"networks={networks}")


def failed_gateway(w: World) -> None:
    """The standby serves in the place of the first gateway, whose tunnels do not answer."""
    az1, first, second = w.zone(), "az1-gw1", "az1-gw2"
    az1.stop_playing()
    az1.bind_gateway("az1-ts", f"chassis-{second}")
    w.case("rules/IC084-of-a-cluster", file(AZ1.with_gateways(first), AZ2))
    w.case("rules/IC084-new-in-a-cluster", file(AZ1.with_gateways(first, "az1-w1"), AZ2))
    w.case("ic_config/standby-put-first", file(AZ1.with_gateways(second, first), AZ2))
    w.case("ic_config/standby-alone", file(AZ1.with_gateways(second), AZ2))
    w.cluster().set_version(CONTROLLER, "v1.15.23")
    w.case("rules/IC084-of-an-older-version", file(AZ1.with_gateways(first), AZ2))
    w.cluster().set_version(CONTROLLER, "v1.17.0")
    az1.play_ovn_controller()


def preview(w: World) -> None:
    """Who may not look into the databases."""
    files = {}
    for number in (1, 2):
        grant(w.cluster(number))
        file_ = w.lab.directory / f"planner{number}.json"
        files[f"az{number}"] = token_file(w.cluster(number), file_, "icplan-plan")
    reordered = file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2)
    w.case("unreadable/not-permitted", reordered, files=files)


def join(w: World) -> None:
    """Both clusters were built with the same join subnet."""
    w.zone(2).remove_subnet("join")
    w.zone(2).add_subnet("join", "100.64.0.1/16")
    w.case("rules/IC043-join-subnets", BASE)


def not_enabled(w: World) -> None:
    """Kube-OVN is installed without ENABLE_IC: there is no controller."""
    w.cluster().api.delete(f"{DEPLOYMENTS}/{CONTROLLER}")
    w.case("rules/IC038-not-enabled", file(AZ1.with_gateways("az1-gw2", "az1-gw1"), AZ2))


def mixed(only: str) -> None:
    """A cluster and a plain OVN zone."""
    with world(only, plain=("az2",), zones=1) as w:
        both = file(AZ1, zone(2))
        w.case("start/mixed", both)
        w.case("rules/IC035-through-a-plain-zone", file(AZ1, zone(2), through="az2"))
        w.apply(both)
        w.case("start/mixed-nothing-to-do", both)
        others_run_them(w)


def unknown_server(w: World) -> None:
    """It cannot be seen whether a cluster makes the switches itself."""
    nobody = {"az2": w.cluster(2).kubeconfig("stranger")}
    w.case("transit_switch/cluster-unreadable", BASE, dead=("az2",))
    w.case("transit_switch/cluster-forbidden", BASE, files=nobody)


def counted(w: World) -> None:
    """Kube-OVN's own Deployment makes the switches; icplan tells it how many."""
    w.lab.clusters["az1"].start_ic_server(1)
    _until_switches(w, "ts")
    w.case("switch_count/first-plan", BASE)
    w.apply(BASE)
    w.case("switch_count/as-declared", BASE)
    w.case("switch_count/taken-apart", BASE, destroy=True)
    w.case("switch_count/one-to-two", TWO)
    w.case("switch_count/cluster-unreadable", TWO, dead=("az2",))
    nobody = {"az2": w.cluster(2).kubeconfig("stranger")}
    w.case("switch_count/cluster-forbidden", TWO, files=nobody)
    dual = file(AZ1, AZ2, switches="{count: 1, family: dual}")
    w.case("rules/IC050-other-family", dual)
    own = "{count: 2, subnets: [169.254.100.0/24, 10.98.0.0/24]}"
    w.case("rules/IC050-other-subnet", file(AZ1, AZ2, switches=own, limits=BOTH))
    w.apply(TWO)
    w.case("switch_count/two-to-one", file(AZ1, AZ2, limits=BOTH))


def counted_by_hand(w: World) -> None:
    """Somebody changes by hand what the Deployment is told, or the switches themselves."""
    api, ic = w.cluster().api, w.lab.ic
    three = file(AZ1, AZ2, switches="3", limits=BOTH)
    unmarked = {"metadata": {"annotations": {OWNER: None}}}
    api.patch(SERVER, unmarked)
    w.case("switch_count/mark-lost", TWO)
    w.apply(TWO)
    _told(w, [{"name": "TS_NUM", "value": "1"}])
    _until_switches(w, "ts")
    for place in (1, 2):
        wait_until(partial(_rebuilt, w, place), f"az{place} is rebuilt")
    w.case("switch_count/drift-number", TWO)
    _told(w, [])
    w.case("switch_count/drift-not-set", TWO)
    api.patch(SERVER, unmarked)
    w.case("switch_count/not-set", TWO)
    number = {"configMapKeyRef": {"name": "switches", "key": "number", "optional": True}}
    _told(w, [{"name": "TS_NUM", "valueFrom": number}])
    w.case("rules/IC055-from-elsewhere", TWO)
    _told(w, [{"name": "TS_NUM", "value": "2"}])
    w.apply(TWO)
    ic.nbctl("ts-add", "mine")
    w.case("rules/IC053-made-by-hand", three)
    ic.nbctl("ts-del", "mine")
    w.cluster().kwok.stop()
    api.patch(SERVER, {"spec": {"replicas": 2}})
    w.case("rules/IC054-not-available", three)
    api.patch(SERVER, {"spec": {"replicas": 1}})
    w.cluster().kwok.start()
    w.cluster(2).add_workload(workload("v1.17.0", 1, "az2-gw1", "172.31.2.11"))
    w.cluster(2).wait_for_workload("ovn-ic-server")
    w.case("rules/IC052-two-clusters", TWO)


def _told(w: World, variables: list[dict[str, object]]) -> None:
    """The Deployment has this environment."""
    path = "/spec/template/spec/containers/0/env"
    w.cluster().api.patch(SERVER, [{"op": "add", "path": path, "value": variables}])
    w.cluster().wait_for_workload("ovn-ic-server")


def _rebuilt(w: World, number: int) -> bool:
    """Whether a zone has its port on ts, none on ts1, and has learned routes again."""
    ports = w.nbctl("--bare", "--columns=name", "list", "Logical_Router_Port", zone=number).split()
    routes = w.nbctl("lr-route-list", "ovn-cluster", zone=number)
    return f"az{number}-ts" in ports and f"az{number}-ts1" not in ports and "learned" in routes


def _until_switches(w: World, *names: str) -> None:
    def there() -> bool:
        try:
            found = w.lab.ic.nbctl("--bare", "--columns=name", "list", "Transit_Switch").split()
        except IcplanError:
            return False  # the databases are being restarted
        return {*found} == {*names}

    wait_until(there, f"the transit switches are {', '.join(names)}")


def counted_with_a_plain_zone(only: str) -> None:
    """A plain OVN zone leaves a switch before the Deployment deletes it."""
    with world(only, plain=("az2",), zones=1) as w:
        w.lab.clusters["az1"].start_ic_server(2)
        _until_switches(w, "ts", "ts1")
        w.apply(file(AZ1, zone(2), switches="2"))
        w.case("switch_count/two-to-one-with-a-plain-zone", file(AZ1, zone(2)))


IMAGE = "docker.io/kubeovn/kube-ovn:v1.17.0"
HERE = f"zone: az1, image: {IMAGE}"
HOSTS = tuple(f"198.51.100.{number}" for number in (1, 2, 3))
NO_DATABASES = (Database(IC, IC_NORTHBOUND), Database(IC, IC_SOUTHBOUND))


def deployed(
    *hosts: str,
    how: str = HERE,
    switches: str = "1",
    limits: str = "",
    owner: str = "prod",
    ports: str = "",
) -> str:
    """A file that lets az1 run the IC databases."""
    return file(
        AZ1,
        AZ2,
        hosts=", ".join(hosts or HOSTS[:1]),
        deployment=f"runtime: kubernetes, {how}",
        switches=switches,
        limits=limits,
        owner=owner,
        ports=ports,
    )


def _masters(w: World, *numbers: int) -> None:
    """These nodes run databases, and no others."""
    for number in (1, 2, 3):
        value = "master" if number in numbers else None
        w.cluster().set_node_label(f"az1-m{number}", "kube-ovn/role", value)


def nothing_deployed(w: World) -> None:
    """There are no IC databases yet."""
    w.case("ic_server/first-plan-of-three", deployed(*HOSTS), dead=NO_DATABASES)
    _masters(w)
    w.case("rules/IC096-no-master", deployed(), dead=NO_DATABASES)
    _masters(w, 1)
    w.case("ic_server/first-plan", deployed(switches="2"), dead=NO_DATABASES)
    w.case("rules/IC096-other-hosts", deployed("192.0.2.7"), dead=NO_DATABASES)
    other = "northboundPort: 7645, southboundPort: 6646, "
    w.case("rules/IC097-other-ports", deployed(ports=other), dead=NO_DATABASES)
    w.case("ic_server/left-out", deployed(), dead=NO_DATABASES, without=("az1",))
    w.case("ic_server/cluster-unreadable", deployed(), dead=(*NO_DATABASES, "az1"))


def databases_deployed(w: World) -> None:
    """They are there, with one member; what another file would ask for, or somebody changed."""
    two = deployed(switches="2", limits=BOTH)
    w.case("ic_server/as-declared", deployed())
    w.case("ic_server/two-switches", two)
    w.case("ic_server/two-switches-left-out", two, without=("az1",))
    w.case("ic_server/two-switches-cluster-unreadable", two, dead=("az1",))
    newer = f"zone: az1, image: {IMAGE.replace('1.17.0', '1.17.1')}"
    w.case("ic_server/another-image", deployed(how=newer))
    w.case("ic_server/databases-silent", deployed(how=newer), dead=NO_DATABASES)
    w.case("ic_server/declared-no-more", deployed(how=""))
    w.case("rules/IC012-of-the-deployment", deployed(owner="stage"))
    w.case("rules/IC052-in-another-cluster", deployed(how=HERE.replace("az1", "az2")))
    _masters(w, 1, 2)
    w.case("rules/IC096-even-masters", deployed())
    _masters(w, 1, 2, 3)
    w.case("ic_server/members-added", deployed(HOSTS[1], HOSTS[0], HOSTS[2]))
    _masters(w, 2)
    w.case("rules/IC098-replaced", deployed(HOSTS[1]))
    _masters(w, 1)
    api = w.cluster().api
    api.patch(SERVER, {"metadata": {"annotations": {OWNER: None}}})
    w.case("ic_server/unmarked", deployed())
    w.case("ic_server/unmarked-and-other", two.replace(HERE, newer))
    w.apply(deployed())
    _masters(w, 1, 2, 3)
    w.apply(deployed(*HOSTS, limits=BOTH))
    w.case("ic_server/as-declared-of-three", deployed(*HOSTS))
    _masters(w, 1, 2)
    w.cluster().add_node("az1-m4", f"{w.lab.ic.hosts[0].removesuffix('1')}4")
    w.cluster().set_node_label("az1-m4", "kube-ovn/role", "master")
    fourth = deployed(*HOSTS[:2], "198.51.100.4")
    w.case("ic_server/member-replaced", fourth)
    w.cluster().remove_node("az1-m4")
    _masters(w, 1, 2, 3)
    api.delete(SERVER)
    w.case("ic_server/drift-deleted", deployed(*HOSTS, limits=BOTH), dead=NO_DATABASES)


def databases_in_a_cluster(only: str) -> None:
    with world(only, members=3, runs="az1") as w:
        nothing_deployed(w)
        w.apply(deployed())
        databases_deployed(w)


def others_run_them(w: World) -> None:
    """There is no Deployment, and there are IC databases."""
    plain = file(AZ1, zone(2), deployment="runtime: kubernetes, " + HERE.replace("az1", "az2"))
    w.case("rules/IC095-plain-zone", plain)
    w.cluster().add_node("az1-m1", "127.0.0.1")
    w.cluster().set_node_label("az1-m1", "kube-ovn/role", "master")
    w.case(
        "rules/IC099-run-by-others", file(AZ1, zone(2), deployment=f"runtime: kubernetes, {HERE}")
    )


def main(only: str) -> None:
    with world(only) as w:
        w.zone(1).add_subnet("office", "10.116.0.1/24")
        fresh(w)
        w.apply(BASE)
        for scene in (converged, withheld, stale, by_hand):
            scene(w)
        for first, second in ((1, 2), (2, 1)):
            overlap(w, first, second)
        for scene in (
            routes_by_hand, preview, equal_addresses, left_behind, older, lost, clusters,
            failed_gateway, join, not_enabled,
        ):  # fmt: skip
            scene(w)
    mixed(only)
    with world(only) as w:
        w.apply(BASE)
        dangling(w)
    with world(only) as w:
        manual.clusters(w)
    with world(only, plain=("az2",), zones=1) as w:
        manual.mixed(w)
    with world(only) as w:
        for scene in (unknown_server, counted, counted_by_hand):
            scene(w)
    counted_with_a_plain_zone(only)
    databases_in_a_cluster(only)
