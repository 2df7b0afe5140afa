"""`--access FILE`: one interconnect file, reached from each machine in its own way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.conftest import Run, World

pytestmark = pytest.mark.real

MORE = ("az1-gw1, az1-gw2", "az1-gw2, az1-gw1")
ACCESS = ("--access", "here/access.yaml")


def elsewhere(world: World) -> list[tuple[str, str]]:
    """Takes all zones out of reach: each has addresses that only another machine can dial."""
    return [
        (f"{one.remote.network}]", f"tcp:127.0.0.1:{number}]")
        for zone in world.zones.values()
        for number, one in enumerate(zone.servers, start=1 + 2 * int(zone.name[2:]))
    ]


def access_file(world: World, *zones: str, swap: bool = False) -> None:
    """Says how zones are reached from here; the sockets' paths count from the file."""
    folder = Path("here")
    folder.mkdir(exist_ok=True)
    lines = []
    for name in zones:
        other = {"az1": "az2", "az2": "az1"}[name] if swap else name
        north, south = (one.socket for one in world.zones[other].servers)
        lines += [
            f"{name}:",
            f"  northbound: unix:{os.path.relpath(north, folder)}",
            f"  southbound: unix:{os.path.relpath(south, folder)}",
        ]
    (folder / "access.yaml").write_text("\n".join(lines) + "\n")


def test_it_leads_to_the_databases_although_the_file_s_addresses_are_wrong(
    icplan: Run, served: World
) -> None:
    access_file(served, "az1", "az2")
    served.file()
    plain = icplan("plan", "--json").json
    served.file(*elsewhere(served))
    assert icplan("plan").exit == 1
    ran = icplan("plan", *ACCESS, "--json")
    assert ran.exit == 0
    # It is no part of the plan.
    assert ran.json == plain
    assert "access.yaml" not in ran.out
    for command in ("status", "verify"):
        assert icplan(command).exit == 1
        assert icplan(command, *ACCESS).exit == 0
    served.file(MORE, *elsewhere(served))
    assert icplan("plan", *ACCESS, "--out", "plan.json").exit == 0
    assert "here" not in Path("plan.json").read_text()
    assert icplan("apply", "plan.json").exit == 1
    assert icplan("apply", "plan.json", *ACCESS).exit == 0
    served.file(*elsewhere(served))
    assert icplan("apply", "--auto-approve", *ACCESS).exit == 0
    served.file()
    assert icplan("plan", "--detailed-exitcode").exit == 0


def test_a_zone_that_it_does_not_name_is_reached_as_before(icplan: Run, served: World) -> None:
    access_file(served, "az2")
    az1, az2 = elsewhere(served)[:2], elsewhere(served)[2:]
    served.file(*az2)
    assert icplan("plan", *ACCESS, "--detailed-exitcode").exit == 0
    served.file(*az1)
    ran = icplan("plan", *ACCESS)
    assert ran.exit == 1
    assert "northbound database of az1" in ran.out
    assert "northbound database of az2" not in ran.out
    assert icplan("plan", *ACCESS, "--without", "az1", "--detailed-exitcode").exit == 0


def test_two_zones_are_never_taken_for_one(icplan: Run, fresh: World) -> None:
    access_file(fresh, "az1")
    text = Path("here/access.yaml").read_text()
    Path("here/access.yaml").write_text(text + text.replace("az1:", "az2:"))
    fresh.file()
    ran = icplan("plan", *ACCESS)
    assert ran.exit == 4
    assert "IC034 az2  here/access.yaml:5:15\n" in ran.out
    assert icplan("plan").exit == 0


def test_a_lock_is_removed_over_it(icplan: Run, fresh: World) -> None:
    access_file(fresh, "az1", "az2")
    lock = (
        '{\\"holder\\": \\"eve\\", \\"purpose\\": \\"x\\", \\"ttl\\": 20, \\"nonce\\": \\"beef\\"}'
    )
    fresh.nbctl("az1", "set", "NB_Global", ".", f'external_ids:icplan-lock="{lock}"')
    fresh.file(*elsewhere(fresh))
    assert icplan("unlock", "beef").exit == 1
    assert icplan("unlock", "beef", *ACCESS).exit == 0


@pytest.mark.parametrize("command", ["plan", "apply", "verify", "status"])
def test_what_is_wrong_with_it_is_shown_at_its_place(
    icplan: Run, fresh: World, command: str
) -> None:
    fresh.file()
    ran = icplan(command, "--access", "nowhere.yaml")
    assert ran.exit == 1
    assert "error: access file\n  place  nowhere.yaml\n" in ran.err
    assert "cure   name another file with --access FILE" in ran.err
    Path("access.yaml").write_text("az1:\n  kubernetes: {context: az1}\naz7: {}\n")
    ran = icplan(command, "--access", "access.yaml")
    assert ran.exit == 1
    assert ran.out == ""
    assert "access.yaml:2:3: IC141 az1.kubernetes: a key of Kube-OVN zones" in ran.err
    assert "access.yaml:3:1: IC121 the file: there is no availability zone" in ran.err
    assert "access.yaml: 4 problems\n" in ran.err
    problems = icplan(command, "--access", "access.yaml", "--json").json["problems"]
    assert [one["file"] for one in problems] == ["access.yaml"] * 4


def test_its_warnings_show_its_lines(icplan: Run, fresh: World) -> None:
    access_file(fresh, "az1")
    path = Path("here/access.yaml")
    path.write_text(path.read_text() + "  tls: {ca: a, certificate: b, key: c}\n")
    fresh.file()
    ran = icplan("plan", *ACCESS)
    assert ran.exit == 0
    problem = "IC135 az1.tls: no address starts with ssl:, so nothing is encrypted"
    assert ran.err.startswith(
        f"here/access.yaml:4:3: {problem}\n"
        "      tls: {ca: a, certificate: b, key: c}\n"
        "      ^^^\n"
    )
