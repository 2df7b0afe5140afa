"""Cases of section 2: what the ConfigMap must be like."""

from __future__ import annotations

from tests.conformance import edits as do
from tests.conformance import expectations as expect
from tests.conformance.case import Case

CASES = (
    Case(
        "2.labels",
        "the ConfigMap gets a label and an annotation",
        given=do.interconnected(),
        watched=True,
        edit=do.annotate_config_map("az1"),
        expect=[*expect.untouched("az1"), *expect.talk()],
    ),
    Case(
        "2.enable-ic",
        "first enabled with a capital",
        given=(),
        watched=True,
        edit=do.both(do.add_switch("ts"), do.create_config_map("az1", enable_ic="True")),
        # The name is as far as it comes.
        expect=[expect.is_named("az1", "az1"), expect.has_no_ports("az1")],
    ),
    Case(
        "2.gw-nodes",
        "a gateway without Chassis",
        given=(),
        watched=True,
        edit=do.both(
            do.lose_chassis("az1", "gw1"), do.add_switch("ts"), do.create_config_map("az1")
        ),
        expect=[expect.is_named("az1", "az1"), expect.has_no_ports("az1")],
    ),
    Case(
        "2.gw-nodes",
        "a gateway without Node",
        given=(),
        watched=True,
        edit=do.both(
            do.rename_chassis("az1", "gw3", "az1-gw9"),
            do.add_switch("ts"),
            do.create_config_map("az1", gw_nodes="az1-gw9"),
        ),
        expect=[expect.is_named("az1", "az1"), expect.has_no_ports("az1")],
    ),
    Case(
        "2.gw-nodes",
        "two Chassis of one host name",
        given=(),
        watched=True,
        edit=do.both(
            do.rename_chassis("az1", "gw3", "az1-gw1"),
            do.add_switch("ts"),
            do.create_config_map("az1"),
        ),
        expect=[expect.is_named("az1", "az1"), expect.has_no_ports("az1")],
    ),
)
