"""The cases of manual routes: in plain OVN zones, in clusters, and between the two."""

from __future__ import annotations

from icplan.lab import wait_until
from tests.cases.files import Zone, cluster, file, zone
from tests.cases.world import World

AZ1, AZ2, AZ3 = zone(1), zone(2), zone(3)
THERE = "from: az1, to: az2, subnets: [pods]"
BACK = "from: az2, to: az1, subnets: [10.16.0.0/16]"
BOTH = (THERE, BACK)
BASE = file(AZ1, AZ2, routes=BOTH)
ANY = "deletions: 9, disruptedZones: 9"
AUTO = "routePolicy: auto"


def hop(w: World, name: str, switch: str = "ts") -> str:
    """The address that a zone has on a switch."""
    row = ("Logical_Router_Port", f"{name}-{switch}", "networks")
    return w.lab.zones[name].nbctl("get", *row).strip().strip('[]"').partition("/")[0]


def typed(w: World, number: int, prefix: str, to: str, *more: str) -> None:
    """A route as people type it."""
    router = w.zone(number).router
    w.nbctl(*more, "lr-route-add", router, prefix, hop(w, to), zone=number)


def untyped(w: World, number: int, prefix: str) -> None:
    w.nbctl("lr-route-del", w.zone(number).router, prefix, zone=number)


def plain(w: World) -> None:
    """Two plain zones from nothing, and what else may be there or be asked for."""
    w.case("manual_route/first-plan", BASE)
    w.case("manual_route/first-plan-two-switches", file(AZ1, AZ2, switches="2", routes=BOTH))
    w.apply(BASE)
    w.case("manual_route/nothing-to-do", BASE)
    w.case("manual_route/one-more-subnet", file(AZ1, AZ2, routes=(f"{THERE[:-1]}, office]", BACK)))
    w.case("manual_route/one-less", file(AZ1, AZ2, routes=(THERE,), limits=ANY))
    moved = "{subnets: [100.64.0.0/24]}"
    w.case("manual_route/other-addresses", file(AZ1, AZ2, switches=moved, routes=BOTH, limits=ANY))
    w.case("manual_route/peer-left-out", BASE, without=("az2",))
    w.case("manual_route/peer-unreadable", BASE, dead=w.databases("az2"))
    w.case("manual_route/leaving", file(AZ1, AZ2.absent(), limits=ANY))
    w.case("manual_route/to-automatic", file(AZ1, AZ2, limits=ANY))
    w.case(
        "manual_route/automatic-and-withheld",
        file(AZ1.with_more(AUTO, "withhold: [10.17.0.0/16]"), AZ2, routes=BOTH),
    )
    rules(w)
    by_hand(w)
    two = file(AZ1, AZ2, switches="2", routes=BOTH)
    w.case("manual_route/one-to-two", two)
    w.apply(two)
    w.case("manual_route/two-to-one", file(AZ1, AZ2, routes=BOTH, limits=ANY))
    w.apply(file(AZ1, AZ2, routes=BOTH, limits=ANY))
    w.apply(file(AZ1, AZ2, limits=ANY))
    w.case("manual_route/from-automatic", file(AZ1, AZ2, routes=BOTH, limits=ANY))


def rules(w: World) -> None:
    """What is refused, and what is said."""
    w.case("rules/IC060-advertises", file(AZ1.with_more(AUTO), AZ2, routes=BOTH))
    w.case("rules/IC061-taken-out", file(AZ1, AZ2.absent(), routes=(THERE,), limits=ANY))
    for name, text in {
        "no-such-name": "offcie",
        "no-such-prefix": "10.99.0.0/24",
        "part": "10.17.5.0/24",
    }.items():
        route = f"from: az1, to: az2, subnets: [{text}]"
        w.case(f"rules/IC062-{name}", file(AZ1, AZ2, routes=(route, BACK)))
    hidden = AZ2.with_more("withhold: [pods]")
    w.case("rules/IC062-withheld", file(AZ1, hidden, routes=BOTH))
    w.case("rules/IC063-no-way-back", file(AZ1, AZ2, routes=(THERE,), limits=ANY))
    w.zone(2).add_subnet("copy", "10.16.5.1/24")
    copy = "from: az1, to: az2, subnets: [pods, copy]"
    w.case("rules/IC064-its-own", file(AZ1, AZ2, routes=(copy, BACK)))
    w.zone(2).remove_subnet("copy")
    policy = ("lr-policy-add", "router", "29000", "ip4.src == 10.16.0.0/16", "reroute")
    w.nbctl(*policy, "10.116.0.9")
    w.nbctl("lr-policy-add", "router", "100", "ip4.dst == 10.99.0.0/16", "reroute", "10.116.0.9")
    w.case("rules/IC065-rerouted", BASE)
    w.nbctl("lr-policy-del", "router")
    w.nbctl("lr-policy-add", "router", "1000", "ip4.dst == 10.17.5.0/24", "drop")
    w.case("rules/IC065-dropped-in-part", BASE)
    w.nbctl("lr-policy-del", "router")
    w.nbctl("lr-route-add", "router", "10.17.0.0/17", "10.116.0.9")
    w.case("rules/IC066-narrower", BASE)
    w.nbctl("lr-route-del", "router", "10.17.0.0/17")
    w.nbctl("--ecmp", "lr-route-add", "router", "10.17.0.0/16", "10.116.0.9")
    w.case("rules/IC066-another-way", BASE)
    accepted = 'rule: IC066, at: az1, reason: "the leased line leads there, too"'
    w.case("rules/IC066-accepted", file(AZ1, AZ2, routes=BOTH, accept=(accepted,)))
    w.nbctl("lr-route-del", "router", "10.17.0.0/16", "10.116.0.9")
    w.case("rules/IC068-one-of-two", file(AZ1.with_more("routePolicy: manual"), AZ2, limits=ANY))
    six = "from: az1, to: az2, subnets: [pods, 'fd00:17::/64']"
    w.zone(2).add_subnet("six", "fd00:17::1/64")
    w.case("rules/IC069-ipv6", file(AZ1, AZ2, routes=(six, BACK)))
    w.zone(2).remove_subnet("six")


def by_hand(w: World) -> None:
    """Somebody made the routes, or changed those of the file."""
    for name, commands in {
        "drift-next-hop": ("set", "Logical_Router_Static_Route", "@", "nexthop=169.254.100.9"),
        "drift-policy": ("set", "Logical_Router_Static_Route", "@", "policy=src-ip"),
        "drift-mark-lost": ("remove", "Logical_Router_Static_Route", "@", "external_ids", "icplan"),
        "drift-deleted": ("remove", "Logical_Router", "router", "static_routes", "@"),
    }.items():
        found = ("--bare", "--columns=_uuid", "find", "Logical_Router_Static_Route")
        uuid = w.nbctl(*found, "ip_prefix=10.17.0.0/16").strip()
        w.nbctl(*(uuid if one == "@" else one for one in commands))
        w.case(f"manual_route/{name}", BASE)
        w.apply(file(AZ1, AZ2, routes=BOTH, limits=ANY))
    w.apply(
        file(
            AZ1,
            AZ2.with_more("routePolicy: manual"),
            routes=("from: az1, to: az2, subnets: [office]",),
            limits=ANY,
        )
    )
    typed(w, 1, "10.17.0.0/16", "az2")
    typed(w, 2, "10.16.0.0/16", "az1")
    w.case("manual_route/typed-by-hand", file(AZ1, AZ2, routes=BOTH, limits=ANY))
    w.apply(file(AZ1, AZ2, routes=BOTH, limits=ANY))
    w.case("manual_route/adopted", BASE)


def third(w: World) -> None:
    """Three zones, of which two have the same subnet."""
    for number in (2, 3):
        w.zone(number).add_subnet("same", "10.200.0.1/24")
    same = tuple(f"from: az1, to: {to}, subnets: [same]" for to in ("az2", "az3"))
    w.case("rules/IC067-same-prefix", file(AZ1, AZ2, AZ3, routes=same))
    for number in (2, 3):
        w.zone(number).remove_subnet("same")


def three(w: World) -> None:
    """Three zones that advertise are to have manual routes, and those of one pair stand in it."""
    w.case("manual_route/three-from-automatic", file(AZ1, AZ2, AZ3, routes=BOTH, limits=ANY))
    # Whoever is no longer in the file advertises still, and nobody learns it.
    w.case(
        "manual_route/three-one-way-and-one-dropped", file(AZ1, AZ2, routes=(THERE,), limits=ANY)
    )
    first = (AZ1.with_more("routePolicy: manual"), AZ2.with_more(AUTO), AZ3.with_more(AUTO))
    w.case("manual_route/three-one-of-them", file(*first, routes=BOTH, limits=ANY))


K1, K2 = cluster(1), cluster(2)
K_BOTH = (
    "from: az1, to: az2, subnets: [ovn-default]",
    "from: az2, to: az1, subnets: [10.16.0.0/16]",
)
K_BASE = file(K1, K2, routes=K_BOTH)


def turned(one: Zone) -> Zone:
    return one.with_gateways(*reversed(one.gateways))


def of_a_vpc(w: World) -> None:
    """The route is one that Kube-OVN's own controller makes of `spec.staticRoutes` of its Vpc."""
    found = ("--bare", "--columns=_uuid", "find", "Logical_Router_Static_Route")
    row = ("Logical_Router_Static_Route", w.nbctl(*found, "ip_prefix=10.17.0.0/16").strip())
    w.nbctl("set", *row, "external_ids:vendor=kube-ovn")
    w.case("rules/IC089-of-the-vpc", K_BASE)
    w.nbctl("set", *row, "nexthop=10.116.0.9")
    w.case("rules/IC066-of-the-vpc", K_BASE)
    w.nbctl("set", *row, f"nexthop={hop(w, 'az2')}")
    w.nbctl("remove", *row, "external_ids", "vendor")


def clusters(w: World) -> None:
    """Two clusters from nothing; addresses that only their controllers know."""
    w.case("manual_route/clusters-first-plan", K_BASE)
    w.apply(file(K1.with_more("routePolicy: manual"), K2.with_more("routePolicy: manual")))
    typed(w, 1, "10.17.0.0/16", "az2")
    w.case("manual_route/clusters-typed-by-hand", K_BASE)
    of_a_vpc(w)
    w.apply(K_BASE)
    w.case("manual_route/clusters-nothing-to-do", K_BASE)
    drop = ("ovn-cluster", "30000", "ip4.dst == 10.17.0.0/16")
    w.nbctl("lr-policy-add", *drop, "drop")
    w.case("rules/IC065-of-a-cluster", K_BASE)
    w.nbctl("lr-policy-del", *drop)
    w.case("manual_route/clusters-gateways-in-place", file(K1, turned(K2), routes=K_BOTH))
    for tag, name in (("v1.15.23", "older"), ("latest", "unknown")):
        w.cluster(2).set_version("ovn-ic-controller", tag)
        w.case(f"manual_route/clusters-gateways-{name}", file(K1, turned(K2), routes=K_BOTH))
    w.cluster(2).set_version("ovn-ic-controller", "v1.17.0")
    w.case("manual_route/clusters-to-automatic", file(K1, K2, limits=ANY))
    w.case("manual_route/clusters-peer-unreadable", K_BASE, dead=("az2",))
    w.case("manual_route/clusters-peer-left-out", K_BASE, without=("az2",))
    two = file(K1, K2, switches="2", routes=K_BOTH, limits=ANY)
    w.case("manual_route/clusters-one-to-two", two)
    w.apply(two)
    w.case("manual_route/clusters-two-to-one", file(K1, K2, routes=K_BOTH, limits=ANY))
    w.apply(file(K1, K2, routes=K_BOTH, limits=ANY))
    wait_until(lambda: "ts1" not in w.lab.ic.nbctl("ts-list"), "ts1 is gone")
    w.apply(file(K1, K2, limits=ANY))
    w.case("manual_route/clusters-from-automatic", file(K1, K2, routes=K_BOTH, limits=ANY))
    # One way is none: nobody gets an answer.
    for name, route in (("one-way", K_BOTH[0]), ("to-join", "from: az1, to: az2, subnets: [join]")):
        text = file(K1, K2, routes=(route,), limits=ANY)
        w.case(f"manual_route/clusters-from-automatic-{name}", text)
    half = file(K1.with_more(AUTO), K2, routes=(K_BOTH[1],), limits=ANY)
    w.case("manual_route/clusters-from-automatic-half", half)


def mixed(w: World) -> None:
    """A cluster and a plain zone."""
    text = file(K1, AZ2, routes=("from: az1, to: az2, subnets: [pods]", K_BOTH[1]))
    w.case("manual_route/mixed-first-plan", text)
    w.apply(text)
    w.case("manual_route/mixed-nothing-to-do", text)
