"""Cases of section 7: routes that an operator writes."""

from __future__ import annotations

from tests.conformance import edits as do
from tests.conformance import expectations as expect
from tests.conformance.case import Case, after
from tests.conformance.expectations import SUBNETS

AZ1, AZ2 = SUBNETS["az1"], SUBNETS["az2"]
PEER, PART_OF_PEER = "10.17.0.0/16", "10.17.5.0/24"

WRITTEN = (
    Case(
        "7.01",
        "to the address of the remote port, in each zone",
        given=do.interconnected_by_hand(),
        watched=True,
        edit=do.both(do.add_manual_route("az1", PEER), do.add_manual_route("az2", "10.16.0.0/16")),
        expect=[
            expect.has_manual_route("az1", PEER),
            expect.has_manual_route("az2", "10.16.0.0/16"),
            expect.has_no_policy_for("az1", PEER),
            *expect.untouched("az1"),
        ],
    ),
    Case(
        "7.02",
        "origin static makes the policy",
        given=[
            *do.interconnected_by_hand(),
            after(do.add_manual_route("az1", PEER), expect.has_no_policy_for("az1", PEER)),
        ],
        edit=do.give_origin("az1", PEER, "static"),
        expect=[expect.allows("az1", PEER), expect.has_manual_route("az1", PEER)],
    ),
    Case(
        "7.03",
        "a route with a mark of its owner is left alone",
        given=[
            *do.interconnected_by_hand(),
            after(
                do.add_manual_route("az1", PEER, origin="static", owner="owner=icplan"),
                expect.allows("az1", PEER),
            ),
        ],
        watched=True,
        edit=do.restart_controller("az1"),
        expect=[expect.manual_route_untouched("az1", PEER), expect.allows("az1", PEER)],
    ),
    Case(
        "7.04",
        "the own zone is rebuilt",
        given=[
            *do.interconnected_by_hand(),
            after(do.add_manual_route("az1", PEER), expect.has_manual_route("az1", PEER)),
        ],
        watched=True,
        edit=do.set_keys("az1", note="x"),
        expect=[*expect.rebuilt("az1"), expect.manual_route_untouched("az1", PEER)],
    ),
    Case(
        "7.04",
        "the peer is rebuilt",
        given=[
            *do.interconnected_by_hand(),
            after(do.add_manual_route("az1", PEER), expect.has_manual_route("az1", PEER)),
        ],
        watched=True,
        edit=do.set_keys("az2", note="x"),
        # Its next hop is the address that az2 had.
        expect=[*expect.rebuilt("az2"), expect.manual_route_untouched("az1", PEER)],
    ),
    Case(
        "7.05",
        "one next hop on each transit switch",
        given=do.interconnected_by_hand("ts", "ts1"),
        edit=do.both(
            do.add_manual_route("az1", PEER, origin="static"),
            do.add_manual_route("az1", PEER, switch="ts1", origin="static"),
        ),
        expect=[
            expect.has_manual_route("az1", PEER, by=("ts", "ts1")),
            expect.allows("az1", PEER),
        ],
    ),
)

DENIED = after(
    do.add_manual_route("az1", PART_OF_PEER),
    expect.denies("az2", "10.17.0.0/16"),
    expect.does_not_learn("az1", AZ2),
)
LEFTOVER_REMOVED = after(
    do.remove_route("az1", PART_OF_PEER),
    expect.does_not_advertise("az1", PART_OF_PEER),
    expect.denies("az2", "10.17.0.0/16"),
)

LEFT_OVER = (
    Case(
        "7.06",
        "left in a zone that advertises",
        given=do.interconnected(),
        edit=do.add_manual_route("az1", PART_OF_PEER),
        expect=[expect.advertises("az1", PART_OF_PEER), expect.learns("az2", AZ1)],
        new=[
            expect.denies("az2", "10.17.0.0/16", PART_OF_PEER),
            expect.does_not_learn("az2", PART_OF_PEER),
            expect.does_not_learn("az1", AZ2),
        ],
        old=[expect.learns("az2", PART_OF_PEER), expect.learns("az1", AZ2)],
    ),
    Case(
        "7.06",
        "NEW is not healed by the end of the leftover",
        given=[*do.interconnected(), DENIED],
        watched=True,
        edit=do.remove_route("az1", PART_OF_PEER),
        only="new",
        expect=[
            expect.has_no_manual_route("az1", PART_OF_PEER),
            expect.does_not_advertise("az1", PART_OF_PEER),
            expect.denies("az2", "10.17.0.0/16"),
            expect.does_not_learn("az1", AZ2),
        ],
    ),
    *(
        Case(
            "7.06",
            f"NEW is healed by a cycle of {key} in the peer".replace("_", "-"),
            given=[
                *do.interconnected(),
                DENIED,
                LEFTOVER_REMOVED,
                after(do.set_keys("az2", **{key: "false"}), expect.exchanges_no_routes("az2")),
            ],
            edit=do.set_keys("az2", **{key: "true"}),
            only="new",
            expect=[expect.does_not_deny("az2", "10.17.0.0/16"), *expect.talk()],
        )
        for key in ("auto_route", "enable_ic")
    ),
    Case(
        "7.06",
        "OLD is healed by the end of the leftover",
        given=[
            *do.interconnected(),
            after(do.add_manual_route("az1", PART_OF_PEER), expect.learns("az2", PART_OF_PEER)),
        ],
        edit=do.remove_route("az1", PART_OF_PEER),
        only="old",
        expect=[expect.does_not_learn("az2", PART_OF_PEER), *expect.talk()],
    ),
)

CASES = (*WRITTEN, *LEFT_OVER)
