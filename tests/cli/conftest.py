"""What the tests of the command line share: databases, files, and commands run in this process."""

from __future__ import annotations

import json
import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from icplan.cli.main import run
from icplan.lab import Lab, LabOptions, StandaloneDatabases, ZoneDatabases
from icplan.run.stopping import SIGNALS

# What the json module gives back.
Json: TypeAlias = Any


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        """Its output, which must be a document of a known format and nothing else."""
        document = json.loads(self.out)
        assert document["format_version"] == "1.0"
        return document


Run = Callable[..., Ran]


@contextmanager
def signals_kept() -> Iterator[None]:
    """A command may end its process deaf to signals; the process of the tests goes on."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.fixture
def icplan(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a command in a folder of its own; in this process, as most tests need no other."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ICPLAN_FILE", raising=False)
    monkeypatch.delenv("ICPLAN_DEBUG", raising=False)

    def start(*arguments: str) -> Ran:
        capsys.readouterr()
        with signals_kept():
            code = run([*arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Ran(int(code), said.out, said.err)

    return start


@dataclass
class World:
    """Databases, and the text of the file that fits them.

    Attributes:
        text: a file that can be planned and applied.
    """

    databases: StandaloneDatabases | Lab
    text: str

    @property
    def zones(self) -> dict[str, ZoneDatabases]:
        """The zones' databases."""
        return {**self.databases.zones}

    def nbctl(self, zone: str, *arguments: str) -> str:
        """ovn-nbctl in a zone."""
        databases: ZoneDatabases = self.databases.zones[zone]
        return databases.nbctl(*arguments)

    def file(self, *changes: tuple[str, str]) -> str:
        """Writes the file with some texts exchanged; gives its name."""
        text = self.text
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        Path("interconnect.yaml").write_text(text)
        return "interconnect.yaml"


def file_text(databases: StandaloneDatabases | Lab) -> str:
    """Two zones with a gateway each; a closed port stands by for a zone that is not there."""
    ports = databases.ic.ports
    lines = [
        "apiVersion: icplan/v1",
        "kind: Interconnect",
        "metadata: {name: prod}",
        f"icDatabase: {{hosts: [127.0.0.1], northboundPort: {ports.northbound}, "
        f"southboundPort: {ports.southbound}}}",
        "availabilityZones:",
    ]
    for zone in databases.zones.values():
        lines += [
            f"  - name: {zone.name}",
            "    platform: ovn",
            f"    northbound: [{zone.northbound.network}]",
            f"    southbound: [{zone.southbound.network}]",
            "    router: router",
            f"    gatewayNodes: [{zone.name}-gw1, {zone.name}-gw2]",
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def standalone() -> Iterator[StandaloneDatabases]:
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        StandaloneDatabases(Path(parent) / "databases") as databases,
    ):
        yield databases


@pytest.fixture
def fresh(standalone: StandaloneDatabases) -> World:
    """Two zones with a router and two gateways; no daemon turns the rows into anything."""
    standalone.reset()
    for number, zone in enumerate(standalone.zones.values(), start=1):
        zone.nbctl(
            *("lr-add", "router", "--", "lrp-add", "router", "pods"),
            *(f"02:00:00:00:00:0{number}", f"10.{number}.0.1/24"),
        )
        arguments: list[str] = []
        for host in (1, 2):
            name = f"{zone.name}-gw{host}"
            arguments += ["--", "chassis-add", name, "geneve", f"172.31.{number}.{host}"]
            arguments += ["--", "set", "Chassis", name, f"hostname={name}"]
            arguments += ["other_config:is-interconn=true"]
        zone.sbctl(*arguments[1:])
    return World(standalone, file_text(standalone))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    with (
        tempfile.TemporaryDirectory(prefix="icl-") as parent,
        Lab(Path(parent) / "lab", LabOptions(play_ovn_controller=True)) as lab,
    ):
        file = Path(parent) / "interconnect.yaml"
        file.write_text(file_text(lab))
        log = str(Path(parent) / "run.jsonl")
        with signals_kept():
            assert run(["apply", "--auto-approve", "--run-log", log, "-f", str(file)]) == 0
        yield lab


@pytest.fixture
def served(lab: Lab) -> World:
    """A lab that is as its file says; a test that changes it puts it back."""
    return World(lab, file_text(lab))
