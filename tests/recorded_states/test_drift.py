"""What was edited by hand, seen by the file of the first ConfigMaps: those keys, and no others."""

from __future__ import annotations

import pytest

from icplan.core.change import Change
from icplan.core.value import plain
from tests.recorded_states.files import FIRST
from tests.recorded_states.planned import announced, codes, differing, missing_now, plan
from tests.recorded_states.recording import EVERY_STEP, NEW, OLD, STEPS, Step

GATEWAYS = {"az1": {"gw-nodes"}}
MANUAL = {"az1": {"auto-route"}, "az2": {"auto-route"}}
NOTE = {"az2": {"other-keys"}}
EDITED: dict[int, dict[str, set[str]]] = {
    **dict.fromkeys((2, 3, 4, 6, 8, 9, 10, 11, 12), GATEWAYS),
    0: {"az1": {"create"}, "az2": {"create"}},
    5: {"az1": {"gw-nodes", "auto-route"}},
    7: {"az1": {"gw-nodes", "other-keys"}},
    14: {"az1": {"enable-ic"}},
    15: {"az1": {"enable-ic"}},
    17: {"az1": {"az-name"}},
    19: {"az1": {"create"}},
    **dict.fromkeys((31, 32, 33), MANUAL),
    **dict.fromkeys((34, 35), MANUAL | {"az2": {"auto-route", "other-keys"}}),
    **dict.fromkeys((36, 38, 39), NOTE),
    37: NOTE | {"az1": {"ic-db-host"}},
}
"""By step the keys of the ConfigMaps that are not as in the first ones."""

BESIDES: dict[tuple[str, int], dict[str, set[str]]] = {
    **{(one, 0): {"ic/transit-switch/ts": {"create"}} for one in (OLD, NEW)},
    **{(one, 10): {"ic/transit-switch/ts1": {"delete"}} for one in (OLD, NEW)},
    (OLD, 11): {"az2/transit-addresses": {"shared"}},
    (NEW, 22): {"az1/denylist": {"stale-entries"}},
    (NEW, 26): {"az2/denylist": {"stale-entries"}},
    (NEW, 29): {"az1/denylist": {"stale-entries"}},
}
"""What is altered besides: everything that is there bears the file's mark, ts1 included."""

REFUSED: dict[int, set[str]] = {
    # All gateways of az1 would be replaced; where there are none any more, nobody is.
    **{number: {"IC020"} for number in (4, 5, 6, 7, 8, 9, 10, 11)},
    # Subnets that overlap, and a route by hand in a zone that advertises, or is to do so again.
    28: {"IC018"},
    **{number: {"IC059"} for number in (25, 32, 33, 34)},
}

every_step = pytest.mark.parametrize("step", EVERY_STEP, ids=lambda step: step.name)


@every_step
def test_exactly_what_was_edited_differs(step: Step) -> None:
    edited = {f"{zone}/ic-config": keys for zone, keys in EDITED.get(step.number, {}).items()}
    besides = BESIDES.get((step.controller, step.number), {})
    assert differing(plan(step, FIRST)) == edited | besides


@every_step
def test_it_is_refused_for_its_own_sake_only(step: Step) -> None:
    assert codes(plan(step, FIRST), refusing=True) == REFUSED.get(step.number, set())


@every_step
def test_no_zone_is_said_to_be_a_stranger(step: Step) -> None:
    # az1 registers as az1b in step 17: it is still the same cluster.
    assert "IC027" not in codes(plan(step, FIRST))


@every_step
def test_verify_names_the_config_maps_that_differ(step: Step) -> None:
    found = missing_now(plan(step, FIRST))
    named = {claim for claim in found if claim.startswith("the ConfigMap of ")}
    # A key that no controller knows is not declared, and takes nothing away from what is.
    drifted = {zone for zone, keys in EDITED.get(step.number, {}).items() if keys - {"other-keys"}}
    assert named == {f"the ConfigMap of {zone} is as declared" for zone in drifted}


def change(step: Step, address: str) -> Change:
    (found,) = (one for one in plan(step, FIRST).changes if str(one.address) == address)
    return found


def test_an_unknown_key_is_shown_with_its_value() -> None:
    for controller in (OLD, NEW):
        one = change(STEPS[controller][36], "az2/ic-config")
        assert plain(one.before or {}, "other-keys") == ('note="x"',)
        assert plain(one.after or {}, "other-keys") == ()


REPAIRS: dict[int, tuple[str, str]] = {
    2: ("az1-gw1 stays active, addresses are kept", "with new addresses"),
    3: ("az1-gw1 takes over from az1-gw2, a gap below 1 s", "with new addresses"),
    4: ("az1-gw1 takes over from az1-gw3, a gap of 1 to 2 s, as BFD begins", "with new addresses"),
    12: ("az1-gw1 becomes active, addresses are kept", "with new addresses"),
    14: ("its addresses on the transit switches change",) * 2,
    17: ("it registers anew as az1",) * 2,
    19: ("az1 joins",) * 2,
}
"""What the repair is said to do, by a newer controller and by an older one."""


@pytest.mark.parametrize("number", REPAIRS)
def test_what_the_repair_is_said_to_do(number: int) -> None:
    for controller, words in zip((NEW, OLD), REPAIRS[number], strict=True):
        said = announced(plan(STEPS[controller][number], FIRST))["az1"]
        assert said.says(words), said
