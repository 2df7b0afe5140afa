"""Cases of section 3: what a change does, row by row."""

from __future__ import annotations

from tests.conformance import edits as do
from tests.conformance import expectations as expect
from tests.conformance.case import Case, after
from tests.conformance.expectations import SUBNETS

AZ1, AZ2 = SUBNETS["az1"], SUBNETS["az2"]
NOBODY_THERE = "127.0.0.9"

ONLY_GATEWAYS = (
    Case(
        "3.01",
        "a gateway is added",
        given=do.interconnected(),
        edit=do.set_keys("az1", gw_nodes="az1-gw1,az1-gw2"),
        expect=[
            expect.gateways("az1", "gw1", "gw2"),
            expect.labels("az1", gw1="true", gw2="true"),
            *expect.talk(),
        ],
        new=expect.untouched("az1"),
        old=expect.rebuilt("az1"),
    ),
    Case(
        "3.01",
        "gateways are re-ordered",
        given=do.interconnected(gw_nodes="az1-gw1,az1-gw2"),
        edit=do.set_keys("az1", gw_nodes="az1-gw2,az1-gw1"),
        expect=[expect.gateways("az1", "gw2", "gw1"), *expect.talk()],
        new=expect.untouched("az1"),
        old=expect.rebuilt("az1"),
    ),
    Case(
        "3.01",
        "a gateway is replaced",
        given=do.interconnected(),
        edit=do.set_keys("az1", gw_nodes="az1-gw3"),
        expect=[
            expect.gateways("az1", "gw3"),
            expect.labels("az1", gw1="false", gw3="true"),
            *expect.talk(),
        ],
        new=expect.untouched("az1"),
        old=expect.rebuilt("az1"),
    ),
    Case(
        "3.01",
        "a gateway is replaced around a restart",
        given=do.interconnected(),
        watched=True,
        edit=do.both(
            do.stop_controller("az1"),
            do.set_keys("az1", gw_nodes="az1-gw2"),
            do.start_controller("az1"),
        ),
        expect=[expect.ports_kept("az1"), *expect.talk()],
        new=[expect.gateways("az1", "gw2")],
        old=[expect.gateways("az1", "gw1")],
    ),
)

OTHER_KEYS = (
    Case(
        "3.02",
        "auto-route off",
        given=do.interconnected(),
        edit=do.set_keys("az1", auto_route="false"),
        expect=[
            *expect.rebuilt("az1"),
            *expect.untouched("az2"),
            expect.does_not_learn("az2", AZ1),
        ],
        new=[expect.does_not_learn("az1", AZ2)],
    ),
    Case(
        "3.02",
        "auto-route on",
        given=do.interconnected_by_hand(),
        edit=do.both(do.set_keys("az1", auto_route="true"), do.set_keys("az2", auto_route="true")),
        expect=[*expect.rebuilt("az1"), *expect.rebuilt("az2"), *expect.talk()],
    ),
    Case(
        "3.02",
        "ic-db-host names the same host twice",
        given=do.interconnected(),
        edit=do.set_keys("az1", ic_db_host="127.0.0.1,127.0.0.1"),
        expect=[*expect.rebuilt("az1"), *expect.untouched("az2"), *expect.talk()],
    ),
    Case(
        "3.02",
        "an unknown key added",
        given=do.interconnected(),
        edit=do.set_keys("az1", note="x"),
        expect=[*expect.rebuilt("az1"), *expect.untouched("az2"), *expect.talk()],
    ),
    Case(
        "3.02",
        "an unknown key removed",
        given=do.interconnected(note="x"),
        edit=do.set_keys("az1", note=None),
        expect=[*expect.rebuilt("az1"), *expect.untouched("az2"), *expect.talk()],
    ),
    Case(
        "3.02",
        "gw-nodes together with another key",
        given=do.interconnected(),
        edit=do.set_keys("az1", gw_nodes="az1-gw2", note="x"),
        expect=[*expect.rebuilt("az1"), expect.gateways("az1", "gw2"), *expect.talk()],
    ),
)

TRANSIT_SWITCHES = (
    Case(
        "3.03",
        "a transit switch is added",
        given=do.interconnected(),
        edit=do.add_switch("ts1"),
        expect=[
            *expect.rebuilt("az1"),
            *expect.rebuilt("az2"),
            expect.has_ports_on("az1", "ts", "ts1"),
            expect.has_ports_on("az2", "ts", "ts1"),
            *expect.talk(),
        ],
    ),
    Case(
        "3.03",
        "a transit switch is removed",
        given=do.interconnected("ts", "ts1"),
        edit=do.remove_switch("ts1"),
        expect=[
            *expect.rebuilt("az1"),
            *expect.rebuilt("az2"),
            expect.has_ports_on("az1", "ts"),
            expect.has_ports_on("az2", "ts"),
            *expect.talk(),
        ],
    ),
)

NO_GATEWAYS = (
    Case(
        "3.04",
        "gw-nodes emptied",
        given=do.interconnected(),
        watched=True,
        edit=do.set_keys("az1", gw_nodes=""),
        expect=[expect.unlabelled("az1")],
        # Routes without a way out: the blackhole.
        new=[*expect.untouched("az1"), expect.gateways("az1"), *expect.talk()],
        old=[
            expect.has_no_ports("az1"),
            expect.keeps_stale_route("az1", AZ2),
            expect.does_not_learn("az2", AZ1),
        ],
    ),
)

STILL_ENABLED = (
    Case(
        "3.05",
        "enable-ic with a capital while enabled",
        given=do.interconnected(),
        edit=do.set_keys("az1", enable_ic="False"),
        expect=[*expect.rebuilt("az1"), expect.exchanges_routes("az1"), *expect.talk()],
    ),
)

CLEAN = (
    expect.is_gone_from_ic("az1"),
    expect.has_no_ports("az1"),
    expect.unlabelled("az1"),
    expect.exchanges_no_routes("az1"),
    expect.is_named("az1", "az1"),
    expect.does_not_learn("az2", AZ1),
    *expect.untouched("az2"),
)

DISABLED = (
    Case(
        "3.06",
        "ConfigMap deleted",
        given=do.interconnected(),
        edit=do.delete_config_map("az1"),
        expect=CLEAN,
        new=[expect.does_not_learn("az1", AZ2)],
        old=[expect.keeps_stale_route("az1", AZ2)],
    ),
    Case(
        "3.06",
        "enable-ic false",
        given=do.interconnected(),
        edit=do.set_keys("az1", enable_ic="false"),
        expect=CLEAN,
        new=[expect.does_not_learn("az1", AZ2)],
        old=[expect.keeps_stale_route("az1", AZ2)],
    ),
    Case(
        "3.06",
        "ConfigMap re-created",
        given=[
            *do.interconnected(),
            after(do.delete_config_map("az1"), expect.is_gone_from_ic("az1")),
        ],
        edit=do.create_config_map("az1"),
        expect=[
            expect.has_ports_on("az1", "ts"),
            expect.is_registered("az1", "ts"),
            expect.labels("az1", gw1="true"),
            *expect.talk(),
        ],
    ),
)

CUT_OFF = (
    expect.has_no_ports("az1"),
    expect.is_gone_from_ic("az1"),
    expect.does_not_learn("az2", AZ1),
)
WRONG_HOST = after(do.set_keys("az1", ic_db_host=NOBODY_THERE), *CUT_OFF)
RIGHT_HOST_AGAIN = after(do.set_keys("az1", ic_db_host="127.0.0.1"), *CUT_OFF)

DEADLOCK = (
    Case(
        "3.07",
        "ic-db-host where nobody answers",
        given=do.interconnected(),
        watched=True,
        edit=do.set_keys("az1", ic_db_host=NOBODY_THERE),
        expect=CUT_OFF,
        new=[expect.does_not_learn("az1", AZ2)],
        old=[expect.keeps_stale_route("az1", AZ2)],
    ),
    Case(
        "3.07",
        "the right ic-db-host put back does not heal",
        given=[*do.interconnected(), WRONG_HOST],
        watched=True,
        edit=do.set_keys("az1", ic_db_host="127.0.0.1"),
        expect=CUT_OFF,
    ),
    Case(
        "3.07",
        "a restart of the controller heals",
        given=[*do.interconnected(), WRONG_HOST, RIGHT_HOST_AGAIN],
        edit=do.restart_controller("az1"),
        expect=[
            expect.has_ports_on("az1", "ts"),
            expect.is_registered("az1", "ts"),
            *expect.talk(),
        ],
    ),
)

RESTARTED = (
    Case(
        "3.08",
        "the controller is restarted",
        given=do.interconnected(),
        watched=True,
        edit=do.restart_controller("az1"),
        expect=[*expect.untouched("az1"), expect.gateways("az1", "gw1"), *expect.talk()],
    ),
    Case(
        "3.08",
        "the controller is restarted and finds no gateways",
        given=do.interconnected(),
        watched=True,
        edit=do.both(
            do.stop_controller("az1"), do.lose_gateways("az1"), do.start_controller("az1")
        ),
        expect=expect.untouched("az1"),
        new=[expect.gateways("az1", "gw1")],
        old=[expect.gateways("az1")],
    ),
)

RENAMED = (
    Case(
        "3.09",
        "az-name changed in place",
        given=do.interconnected(),
        edit=do.set_keys("az1", az_name="az1b"),
        expect=[
            expect.is_named("az1", "az1b"),
            expect.has_ports_on("az1", "ts"),
            expect.ports_rebuilt("az1"),
            expect.is_registered("az1b", "ts"),
            expect.is_gone_from_ic("az1"),
            *expect.talk(),
        ],
    ),
)

UNATTENDED = (
    Case(
        "3.10",
        "ConfigMap deleted while the controller is down",
        given=do.interconnected(),
        watched=True,
        edit=do.both(
            do.stop_controller("az1"), do.delete_config_map("az1"), do.start_controller("az1")
        ),
        # The peer goes on sending: the blackhole.
        expect=[*expect.untouched("az1"), expect.is_registered("az1", "ts"), *expect.talk()[1:]],
    ),
)

CASES = (
    *ONLY_GATEWAYS,
    *OTHER_KEYS,
    *TRANSIT_SWITCHES,
    *NO_GATEWAYS,
    *STILL_ENABLED,
    *DISABLED,
    *DEADLOCK,
    *RESTARTED,
    *RENAMED,
    *UNATTENDED,
)
