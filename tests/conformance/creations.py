"""Cases of section 4: what the controller creates, and what ovn-ic makes of it."""

from __future__ import annotations

from tests.conformance import edits as do
from tests.conformance import expectations as expect
from tests.conformance.case import Case, after
from tests.conformance.expectations import SUBNETS

AZ1, AZ2 = SUBNETS["az1"], SUBNETS["az2"]
CHANCE = "the addresses are chosen, which is possible inside the stand-in only"
POD = "10.16.0.9"

FROM_NOTHING = do.both(
    do.add_switch("ts"), do.create_config_map("az1"), do.create_config_map("az2")
)

GLOBAL_ROW = (
    Case(
        "4.01",
        "auto-route true",
        given=(),
        edit=FROM_NOTHING,
        expect=[
            expect.is_named("az1", "az1"),
            expect.exchanges_routes("az1"),
            *expect.talk(),
        ],
    ),
    Case(
        "4.01",
        "auto-route false",
        given=do.interconnected(),
        edit=do.set_keys("az1", auto_route="false"),
        expect=[expect.is_named("az1", "az1"), expect.exchanges_no_routes("az1")],
    ),
)

BLACKLIST = (
    Case(
        "4.02",
        "join and all nodes",
        given=(),
        edit=FROM_NOTHING,
        expect=[
            expect.denies_only_join_and_nodes("az1", "100.64.0.0/16"),
            expect.denies_only_join_and_nodes("az2", "100.65.0.0/16"),
            expect.does_not_learn("az2", "100.64.0.1/16"),
            *expect.talk(),
        ],
    ),
    Case(
        "4.02",
        "a Subnet is withheld",
        given=do.interconnected(),
        edit=do.add_subnet("az1", "office", "10.199.0.0/16", withheld=True),
        expect=[
            expect.denies("az1", "10.199.0.0/16"),
            expect.does_not_learn("az2", "10.199.0.1/16"),
            *expect.untouched("az1"),
            *expect.talk(),
        ],
    ),
    # The peer's Subnet stands in a VPC of its own: only az2 can notice, so only az2 denies.
    Case(
        "4.02",
        "an overlap is denied on both its sides, another VPC included",
        given=[
            *do.interconnected(),
            after(
                do.add_subnet("az1", "same", "10.50.0.0/16"), expect.learns("az2", "10.50.0.1/16")
            ),
        ],
        edit=do.add_subnet("az2", "other", "10.50.7.0/24", vpc="vpc1"),
        expect=expect.talk(),
        new=[
            expect.denies("az2", "10.50.7.0/24", "10.50.0.1/16"),
            expect.does_not_deny("az1", "10.50.0.0/16"),
            expect.does_not_learn("az2", "10.50.0.1/16"),
        ],
        old=[
            expect.does_not_deny("az2", "10.50.7.0/24", "10.50.0.1/16"),
            expect.learns("az2", "10.50.0.1/16"),
        ],
    ),
    Case(
        "4.02",
        "an overlap silently disconnects",
        given=[
            *do.interconnected(),
            after(
                do.add_subnet("az1", "same", "10.50.0.0/16"), expect.learns("az2", "10.50.0.1/16")
            ),
        ],
        edit=do.add_subnet("az2", "same", "10.50.0.0/16"),
        expect=expect.talk(),
        new=[
            # On the side that learns first; then the other never has anything to deny.
            expect.somebody_denies("10.50.0.0/16", "10.50.0.1/16"),
            expect.does_not_learn("az1", "10.50.0.1/16"),
            expect.does_not_learn("az2", "10.50.0.1/16"),
        ],
        old=[expect.learns("az1", "10.50.0.1/16"), expect.learns("az2", "10.50.0.1/16")],
    ),
)

WITHHELD_ONCE = (
    *do.interconnected(),
    after(
        do.add_subnet("az1", "office", "10.199.0.0/16", withheld=True),
        expect.denies("az1", "10.199.0.0/16"),
    ),
)
STILL_DENIED = after(do.release_subnet("az1", "office"), expect.denies("az1", "10.199.0.0/16"))

STICKY = (
    Case(
        "4.03",
        "a Subnet is withheld and released",
        given=WITHHELD_ONCE,
        watched=True,
        edit=do.release_subnet("az1", "office"),
        new=[expect.denies("az1", "10.199.0.0/16"), expect.does_not_learn("az2", "10.199.0.1/16")],
        old=[
            expect.does_not_deny("az1", "10.199.0.0/16"),
            expect.learns("az2", "10.199.0.1/16"),
        ],
    ),
    Case(
        "4.03",
        "a cycle of auto-route ends it",
        given=[
            *WITHHELD_ONCE,
            STILL_DENIED,
            after(do.set_keys("az1", auto_route="false"), expect.exchanges_no_routes("az1")),
        ],
        edit=do.set_keys("az1", auto_route="true"),
        only="new",
        expect=[
            expect.does_not_deny("az1", "10.199.0.0/16"),
            expect.learns("az2", "10.199.0.1/16"),
        ],
    ),
    Case(
        "4.03",
        "a cycle of enable-ic ends it",
        given=[
            *WITHHELD_ONCE,
            STILL_DENIED,
            after(do.set_keys("az1", enable_ic="false"), expect.exchanges_no_routes("az1")),
        ],
        edit=do.set_keys("az1", enable_ic="true"),
        only="new",
        expect=[
            expect.does_not_deny("az1", "10.199.0.0/16"),
            expect.learns("az2", "10.199.0.1/16"),
        ],
    ),
)

THREE = "az1-gw1,az1-gw2,az1-gw3"
PORTS = (
    Case(
        "4.04",
        "names, address, remote port",
        given=(),
        edit=FROM_NOTHING,
        expect=[
            expect.has_ports_on("az1", "ts"),
            expect.has_ports_on("az2", "ts"),
            expect.addresses_in_lower_half("az1", "169.254.100.0/24"),
            expect.gateways("az2", "gw1", "gw2"),
            expect.sees_remote_port_of("az1", "az2"),
            expect.sees_remote_port_of("az2", "az1"),
        ],
    ),
    Case(
        "4.04",
        "the gateways are rotated by the index of the switch",
        given=(),
        edit=do.both(
            do.add_switch("ts"),
            do.add_switch("ts1"),
            do.add_switch("ts2"),
            do.create_config_map("az1", gw_nodes=THREE),
        ),
        expect=[
            expect.gateways("az1", "gw1", "gw2", "gw3"),
            expect.gateways("az1", "gw2", "gw3", "gw1", switch="ts1"),
            expect.gateways("az1", "gw3", "gw1", "gw2", switch="ts2"),
        ],
    ),
    Case(
        "4.04",
        "the address of the network itself is drawn",
        given=(),
        edit=do.both(do.next_draw("az1", 0), FROM_NOTHING),
        expect=[expect.has_address("az1", "169.254.100.0"), *expect.talk()],
        stand_in_only=CHANCE,
    ),
)

# az2 has looked for addresses that are taken, and draws; before it has its number, az1 makes
# its port with the same.
BOTH_DRAW_127 = do.both(
    do.add_switch("ts"),
    do.next_draw("az1", 127),
    do.next_draw("az2", 127, before=do.both(do.create_config_map("az1"), do.make_its_port("az1"))),
    do.create_config_map("az2"),
)
DUAL = "169.254.100.0/24,fe80:a9fe:64::/112"

SAME_ADDRESS = (
    Case(
        "4.05",
        "both zones draw before they see each other",
        given=(),
        edit=BOTH_DRAW_127,
        expect=[
            expect.has_address("az1", "169.254.100.127"),
            expect.has_address("az2", "169.254.100.127"),
            expect.goes_to_itself("az1"),
            expect.goes_to_itself("az2"),
        ],
        stand_in_only=CHANCE,
    ),
    Case(
        "4.05",
        "a cycle of enable-ic in one zone heals it",
        given=[
            after(BOTH_DRAW_127, expect.goes_to_itself("az1"), expect.goes_to_itself("az2")),
            after(do.set_keys("az1", enable_ic="false"), expect.is_gone_from_ic("az1")),
        ],
        edit=do.set_keys("az1", enable_ic="true"),
        expect=[expect.has_address("az2", "169.254.100.127"), *expect.talk()],
        stand_in_only=CHANCE,
    ),
    # az1 cannot make its port yet, but its ovn-ic shows it az2's: then the number is drawn again.
    Case(
        "4.05",
        "the address of a remote port that is seen is not taken",
        given=[
            after(
                do.add_switch("ts"),
                do.next_draw("az2", 7),
                do.create_config_map("az1", gw_nodes="az1-gw9"),
                do.create_config_map("az2"),
                expect.sees_remote_port_of("az1", "az2"),
            )
        ],
        edit=do.both(do.next_draw("az1", 7, 9), do.set_keys("az1", gw_nodes="az1-gw1")),
        expect=[expect.has_address("az1", "169.254.100.9"), *expect.talk()],
        stand_in_only=CHANCE,
    ),
    Case(
        "4.05",
        "with dual stack even a seen address is taken",
        given=[
            after(
                do.add_switch("ts", DUAL),
                do.next_draw("az2", 7, 7),
                do.create_config_map("az1", gw_nodes="az1-gw9"),
                do.create_config_map("az2"),
                expect.sees_remote_port_of("az1", "az2"),
            )
        ],
        edit=do.both(do.next_draw("az1", 7, 7), do.set_keys("az1", gw_nodes="az1-gw1")),
        expect=[
            expect.has_address(zone, "169.254.100.7", "fe80:a9fe:64::7") for zone in ("az1", "az2")
        ],
        stand_in_only=CHANCE,
    ),
)

GATEWAY_MARKS = (
    Case(
        "4.06",
        "labels become gateways in IC SB",
        given=[
            *do.interconnected(),
            after(
                do.set_keys("az1", gw_nodes="az1-gw3,az1-gw2"),
                expect.labels("az1", gw1="false", gw2="true", gw3="true"),
            ),
        ],
        edit=do.node_agents_mark("az1"),
        expect=[expect.is_gateway_in_ic("az1", "gw2", "gw3")],
    ),
)

STATIC = "10.77.0.0/16"
POLICIES = (
    *(
        Case(
            "4.07",
            f"a route with origin {origin or 'empty'}",
            given=do.interconnected(),
            edit=do.add_route("az1", STATIC, POD, origin=origin),
            expect=[expect.allows("az1", STATIC), *expect.untouched("az1")],
        )
        for origin in ("connected", "static", "")
    ),
    Case(
        "4.07",
        "a route without origin",
        given=do.interconnected(),
        watched=True,
        edit=do.add_route("az1", STATIC, POD),
        expect=[expect.has_no_policy_for("az1", STATIC), expect.advertises("az1", STATIC)],
    ),
    Case(
        "4.07",
        "learned routes and the end of one",
        given=[
            *do.interconnected(),
            after(
                do.add_subnet("az2", "more", "10.88.0.0/16"),
                expect.learns("az1", "10.88.0.1/16"),
                expect.allows("az1", "10.88.0.1/16"),
            ),
        ],
        edit=do.remove_subnet("az2", "more"),
        expect=[
            expect.does_not_learn("az1", "10.88.0.1/16"),
            expect.has_no_policy_for("az1", "10.88.0.1/16"),
            expect.allows("az1", AZ2),
        ],
    ),
)

LEARNED = (
    Case(
        "4.08",
        "the mark and the host bits",
        given=(),
        edit=FROM_NOTHING,
        expect=[
            expect.learns("az1", "10.17.0.1/16"),
            expect.does_not_learn("az1", "10.17.0.0/16"),
            expect.marks_are_the_routes_of_ic("az1", "10.17.0.1/16"),
        ],
    ),
)

ADVERTISED = (
    Case(
        "4.09",
        "a connected network and a static route",
        given=do.interconnected(),
        edit=do.both(
            do.add_subnet("az1", "more", "10.88.0.0/16"), do.add_route("az1", STATIC, POD)
        ),
        expect=[
            expect.advertises("az1", AZ1, "10.88.0.1/16", STATIC),
            expect.learns("az2", STATIC),
            expect.learns("az2", "10.88.0.1/16"),
        ],
    ),
    Case(
        "4.09",
        "link-local networks, default routes and routes by source",
        given=do.interconnected(),
        watched=True,
        edit=do.both(
            do.add_network("az1", "local", "169.254.200.1/24"),
            do.add_route("az1", "0.0.0.0/0", POD),
            do.add_route("az1", "10.78.0.0/16", POD, by="src-ip"),
            # The last one is advertised: so the others have been looked at.
            do.add_route("az1", STATIC, POD),
        ),
        expect=[
            expect.advertises("az1", STATIC),
            expect.does_not_advertise("az1", "169.254.200.1/24", "0.0.0.0/0", "10.78.0.0/16"),
        ],
    ),
)

DEFAULT_VPC = (
    Case(
        "4.10",
        "another router",
        given=do.interconnected(),
        watched=True,
        edit=do.both(
            do.add_subnet("az1", "mine", "10.60.0.0/16", vpc="vpc1"),
            do.add_route("az1", "10.61.0.0/16", "10.60.0.9", origin="static", router="vpc1"),
            do.add_route("az1", STATIC, POD),
        ),
        expect=[
            expect.advertises("az1", STATIC),
            expect.does_not_advertise("az1", "10.60.0.1/16", "10.61.0.0/16"),
            expect.has_no_policy_for("az1", "10.61.0.0/16"),
            expect.has_ports_on("az1", "ts"),
        ],
    ),
)

CASES = (
    *GLOBAL_ROW,
    *BLACKLIST,
    *STICKY,
    *PORTS,
    *SAME_ADDRESS,
    *GATEWAY_MARKS,
    *POLICIES,
    *LEARNED,
    *ADVERTISED,
    *DEFAULT_VPC,
)
