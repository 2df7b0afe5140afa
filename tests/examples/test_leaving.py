"""The examples of zones that leave, carried out on real daemons."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions
from tests.real import rows
from tests.real.conftest import Icplan

pytestmark = pytest.mark.real
EXAMPLES = Path(__file__).parents[2] / "examples"
ZONES = ("stack1", "stack2", "stack3")
ENTRY = re.compile(
    r"(?m)^  - name: (stack\d)\n(?:    .*\n)*|^  - \{name: (stack\d), state: gone\}\n"
)


@pytest.fixture
def lab() -> Iterator[Lab]:
    """The zones of the examples; below a short path, as unix sockets need it."""
    options = LabOptions(zones=ZONES, router="router1", play_ovn_controller=True)
    with (
        tempfile.TemporaryDirectory(prefix="icp-") as parent,
        Lab(Path(parent).resolve() / "lab", options) as lab,
    ):
        yield lab


def example(lab: Lab, name: str) -> str:
    """An example with the lab's addresses in the place of its own."""
    text = (EXAMPLES / name / "interconnect.yaml").read_text()
    ports = lab.ic.ports
    there = (
        f"[127.0.0.1]\n  northboundPort: {ports.northbound}\n  southboundPort: {ports.southbound}"
    )
    text = text.replace("[192.168.65.3]", there)
    for number, zone in enumerate(ZONES, start=1):
        if zone not in lab.zones:
            continue
        for port, server in (
            (6641, lab.zones[zone].northbound),
            (6642, lab.zones[zone].southbound),
        ):
            text = text.replace(f"tcp:10.0.{number}.5:{port}", server.network)
        for host in (1, 2):
            text = text.replace(f"{zone}-net{host}", f"{zone}-gw{host}")
    return text


def interconnected(lab: Lab, folder: Path) -> Icplan:
    """icplan, once all three zones have joined."""
    icplan = Icplan(folder, folder / "interconnect.yaml")
    text = example(lab, "dead-zone")
    entries = {(one[1] or one[2]): one[0] for one in ENTRY.finditer(text)}
    third = entries["stack2"].replace("stack2", "stack3")
    for former, server in (
        (lab.zones["stack2"].northbound, lab.zones["stack3"].northbound),
        (lab.zones["stack2"].southbound, lab.zones["stack3"].southbound),
    ):
        third = third.replace(former.network, server.network)
    icplan.file.write_text(text.replace(entries["stack3"], third))
    icplan.apply()
    return icplan


def registered(lab: Lab) -> set[str]:
    found = rows.table(lab.ic.sbctl, "Availability_Zone").values()
    return {str(one["name"]) for one in found}


@pytest.mark.parametrize(
    ("name", "stays"), [("dead-zone", {"stack1", "stack2"}), ("leaving", {"stack1"})]
)
def test_it_is_planned_and_applied(lab: Lab, tmp_path: Path, name: str, stays: set[str]) -> None:
    icplan = interconnected(lab, tmp_path)
    assert registered(lab) == {*ZONES}
    lab.remove_zone("stack3")
    icplan.file.write_text(example(lab, name))
    plan = icplan("plan")
    assert plan.exit == 0, plan.out
    assert "- ic/zone/stack3" in plan.out
    for zone in {*ZONES[:2]} - stays:
        for host in lab.zones[zone].gateway_hosts:
            lab.zones[zone].mark_interconn(host, False)
    icplan.apply()
    assert registered(lab) == stays
    assert icplan.changes() == {}
    assert icplan("verify").exit == 0
