"""Cases of section 5: the rows of Transit_Switch, and who keeps them."""

from __future__ import annotations

from tests.conformance import edits as do
from tests.conformance import expectations as expect
from tests.conformance.case import Case, after

IPV4, IPV6 = "169.254.100.0/24", "fe80:a9fe:64::/112"
SERVER = "the leader of ovn-ic-server is another program, which the lab plays itself"

CASES = (
    *(
        Case(
            "5.01",
            f"a subnet of {words}",
            given=(),
            edit=do.both(do.add_switch("ts", ",".join(networks)), do.create_config_map("az1")),
            expect=[
                expect.has_ports_on("az1", "ts"),
                expect.addresses_in_lower_half("az1", *networks),
            ],
        )
        for words, networks in (("IPv4", [IPV4]), ("IPv6", [IPV6]), ("both", [IPV4, IPV6]))
    ),
    Case(
        "5.01",
        "the second switch has the next subnet",
        given=(),
        edit=do.both(do.add_switch("ts"), do.add_switch("ts1"), do.create_config_map("az1")),
        expect=[
            expect.switch_is_marked("ts1", "169.254.101.0/24"),
            expect.has_ports_on("az1", "ts", "ts1"),
            expect.addresses_in_lower_half("az1", "169.254.101.0/24", switch="ts1"),
        ],
    ),
    Case(
        "5.02",
        "a switch without vendor is not seen",
        given=do.interconnected(),
        watched=True,
        edit=do.add_switch("ts1", vendor=False),
        only="new",
        expect=[
            expect.has_switches("ts", "ts1"),
            expect.has_ports_on("az1", "ts"),
            *expect.untouched("az1"),
            *expect.untouched("az2"),
        ],
    ),
    Case(
        "5.02",
        "the missing vendor added rebuilds every zone",
        given=[
            *do.interconnected(),
            after(do.add_switch("ts1", vendor=False), expect.has_ports_on("az1", "ts")),
        ],
        edit=do.mark_switch("ts1"),
        only="new",
        expect=[
            expect.has_ports_on("az1", "ts", "ts1"),
            expect.has_ports_on("az2", "ts", "ts1"),
            *expect.rebuilt("az1"),
            *expect.rebuilt("az2"),
        ],
    ),
    Case(
        "5.03",
        "TS_NUM raised",
        given=[after(do.ic_server_keeps(1), *do.interconnected_on_what_is_there())],
        edit=do.ic_server_keeps(2),
        expect=[
            expect.switch_is_marked("ts", IPV4),
            expect.switch_is_marked("ts1", "169.254.101.0/24"),
            *expect.rebuilt("az1"),
            *expect.rebuilt("az2"),
            *expect.talk(),
        ],
        stand_in_only=SERVER,
    ),
    Case(
        "5.03",
        "a switch made by hand is deleted",
        given=do.interconnected("ts", "ts1"),
        edit=do.ic_server_keeps(1),
        expect=[expect.has_switches("ts"), *expect.rebuilt("az1"), *expect.talk()],
        stand_in_only=SERVER,
    ),
    Case(
        "5.03",
        "a switch of another name is counted, and another one deleted for it",
        given=[
            *do.interconnected("ts", "ts1", "ts2"),
            after(
                do.remove_switch("ts1"),
                do.add_foreign_switch("mine"),
                expect.has_switches("ts", "ts2", "mine"),
            ),
        ],
        edit=do.ic_server_keeps(2),
        expect=[expect.has_switches("ts", "mine"), *expect.talk()],
        stand_in_only=SERVER,
    ),
    Case(
        "5.04",
        "kube-ovn-controller starts",
        given=do.interconnected("ts", "ts1"),
        watched=True,
        edit=do.delete_local_switch("az1", "ts1"),
        expect=[
            expect.switch_without_local_port("az1", "ts1"),
            *expect.untouched("az1"),
        ],
    ),
)
