"""`--without ZONE`: a zone out of reach does not hold up the others, and nobody touches it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from icplan.lab import Lab, LabOptions, Zone
from tests.cli.conftest import Run, World, file_text
from tests.real.rows import NORTHBOUND, tables

pytestmark = pytest.mark.real

MORE = ("az1-gw1, az1-gw2", "az1-gw2, az1-gw1")
OUT = ("--without", "az3")


@pytest.fixture
def three() -> Iterator[Lab]:
    """Three zones of which none is interconnected yet."""
    options = LabOptions(zones=("az1", "az2", "az3"), play_ovn_controller=True)
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        Lab(Path(parent) / "lab", options) as lab,
    ):
        yield lab


@contextmanager
def stopped(zone: Zone) -> Iterator[None]:
    """Nobody answers for the databases of a zone."""
    zone.stop_playing()
    for one in zone.servers:
        one.daemon.stop()
    try:
        yield
    finally:
        for one in zone.servers:
            one.start()
        zone.play_ovn_controller()


def rows(zone: Zone) -> list[object]:
    """All that a zone's databases hold."""
    return [tables(zone.nbctl, NORTHBOUND), tables(zone.sbctl, ("Chassis", "SB_Global"))]


def test_a_zone_that_does_not_answer_is_left_out_and_joins_later(icplan: Run, three: Lab) -> None:
    world, az3 = World(three, file_text(three)), three.zones["az3"]
    world.file()
    before = rows(az3)
    with stopped(az3):
        assert icplan("plan", "--detailed-exitcode").exit == 1
        assert icplan("apply", "--auto-approve").exit == 1
        ran = icplan("plan", *OUT, "--detailed-exitcode")
        assert ran.exit == 2, ran
        assert "  az3 is left out: " in ran.out
        assert "az3/" not in ran.out
        done = icplan("apply", *OUT, "--auto-approve")
        assert done.exit == 0, done
        assert icplan("plan", *OUT, "--detailed-exitcode").exit == 0
        # az3 was not there before either: nobody calls it unknown.
        assert icplan("verify", *OUT).exit == 0
        assert icplan("verify").exit == 1
        status = icplan("status", *OUT)
        assert status.exit == 0
        assert "\naz3   not registered, left out\n" in status.out
        assert "No changes against the file, az3 left out." in status.out
        assert icplan("status").exit == 1
    assert rows(az3) == before
    assert icplan("apply", "--auto-approve").exit == 0
    assert icplan("verify").exit == 0
    with stopped(az3):
        world.file(MORE)
        assert icplan("apply", *OUT, "--auto-approve").exit == 0
        shown = icplan("status", *OUT, "--json").json["zones"][2]
        assert (shown["name"], shown["declared"], shown["left_out"]) == ("az3", "present", True)
        assert shown["registered"], "what the IC databases know of it is shown"
        verified = icplan("verify", *OUT, "--json").json
        assert verified["without"] == ["az3"]
        assert "az3" not in {one["peer"] for one in verified["checks"]}
    assert icplan("plan", "--detailed-exitcode").exit == 0
    # Were its locks taken, its databases would say so.
    assert "icplan-lock" not in az3.nbctl("get", "NB_Global", ".", "external_ids")


# Saved plans


def test_a_saved_plan_says_itself_what_it_leaves_out(icplan: Run, fresh: World) -> None:
    fresh.file()
    digest = icplan("plan", "--json").json["digest"]
    assert icplan("plan", "--without", "az2", "--out", "plan.json").exit == 0
    saved = orjson.loads(Path("plan.json").read_bytes())
    assert saved["without"] == ["az2"]
    assert saved["digest"] != digest
    shown = icplan("show", "plan.json")
    assert "  az2 is left out: " in shown.out
    ran = icplan("apply", "plan.json", "--without", "az2")
    assert ran.exit == 64
    assert "a saved plan says itself which zones it leaves out" in ran.err
    # No daemon makes anything of the rows here: it is written, and the evidence does not come.
    ran = icplan("apply", "plan.json", "--wait", "0")
    assert ran.exit == 3
    assert fresh.nbctl("az1", "get", "NB_Global", ".", "name").strip() == "az1"
    assert fresh.nbctl("az2", "get", "NB_Global", ".", "name").strip() == '""'


def test_a_saved_plan_that_was_tampered_with_is_another_plan(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--without", "az2", "--out", "plan.json")
    saved = orjson.loads(Path("plan.json").read_bytes())
    for zones in ([], ["az1"]):
        Path("other.json").write_bytes(orjson.dumps(saved | {"without": zones}))
        assert icplan("apply", "other.json", "--wait", "0").exit == 4
    for wrong in ("az2", [1], {"az2": True}):
        Path("other.json").write_bytes(orjson.dumps(saved | {"without": wrong}))
        ran = icplan("apply", "other.json")
        assert ran.exit == 1
        assert "parts of it are missing" in ran.err
    assert fresh.nbctl("az1", "get", "NB_Global", ".", "name").strip() == '""'


def test_a_plan_saved_before_there_was_the_option_leaves_nothing_out(
    icplan: Run, fresh: World
) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    saved = orjson.loads(Path("plan.json").read_bytes())
    del saved["without"]
    Path("plan.json").write_bytes(orjson.dumps(saved | {"format_version": "1.0"}))
    assert icplan("apply", "plan.json", "--wait", "0").exit == 3


# What is asked, and what is wrong usage


def test_a_cluster_that_is_left_out_is_not_even_logged_in_to(icplan: Run, fresh: World) -> None:
    cluster = (
        "availabilityZones:\n"
        "  - {name: az9, kubernetes: {kubeconfig: nowhere}, gatewayNodes: [az9-n1, az9-n2]}\n"
    )
    fresh.file(("availabilityZones:\n", cluster))
    for command in ("plan", "verify", "status"):
        ran = icplan(command)
        assert ran.exit == 1, command
        assert "nowhere" in ran.out + ran.err
    # The databases of the other two are empty: that is no error, and no evidence. Only the transit
    # switches cannot be planned, which the cluster might make itself.
    for command, expected in (("plan", 1), ("verify", 6), ("status", 0)):
        ran = icplan(command, "--without", "az9")
        assert ran.exit == expected, ran
        assert "nowhere" not in ran.out + ran.err
        assert "az9" in ran.out


@pytest.mark.parametrize("command", ["plan", "apply", "verify", "status"])
@pytest.mark.parametrize("json", [(), ("--json",)])
def test_a_zone_that_the_file_does_not_have(
    icplan: Run, fresh: World, command: str, json: tuple[str, ...]
) -> None:
    fresh.file()
    ran = icplan(command, *json, "--without", "az1", "--without", "az7")
    assert ran.exit == 64
    assert ran.err == (
        "error: --without az7\n"
        "  place  interconnect.yaml\n"
        "  cause  there is no availability zone az7\n"
        "  cure   name one of az1, az2\n"
    )
    assert ran.json["exit"] == 64 if json else ran.out == ""


def test_the_road_cannot_be_left_out(icplan: Run, fresh: World) -> None:
    cluster = (
        "availabilityZones:\n"
        "  - {name: az9, kubernetes: {kubeconfig: nowhere}, gatewayNodes: [az9-n1, az9-n2]}\n"
    )
    fresh.file(
        ("availabilityZones:\n", cluster),
        ("icDatabase: {", "icDatabase: {reach: {through: az9}, "),
    )
    ran = icplan("plan", "--without", "az9")
    assert ran.exit == 64
    assert "place  interconnect.yaml:4:31\n" in ran.err
    assert "cause  the IC databases are reached through az9\n" in ran.err
    assert icplan("plan", "--without", "az2").exit == 1, "the road itself leads nowhere"
