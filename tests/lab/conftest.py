"""What the tests of the lab share: a folder to be left clean, and interconnecting by hand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from icplan.lab import Lab, Mode
from icplan.lab.folder import lab_id
from icplan.lab.namespaces import namespaces_of, why_no_namespaces

Interconnect = Callable[[Lab], None]


def processes_mentioning(directory: Path) -> list[str]:
    """The command lines of all processes on this machine that mention a folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = each.read_bytes()
        except OSError:
            continue
        if os.fsencode(directory) in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.fixture
def directory() -> Iterator[Path]:
    """A folder for a lab, not yet made. Afterwards nothing of the lab may be left.

    Not tmp_path: with the name of the test in it, sockets would have too long paths.
    """
    with tempfile.TemporaryDirectory(prefix="icl-") as parent:
        path = Path(parent).resolve() / "lab"
        yield path
        assert processes_mentioning(path) == []
        assert namespaces_of(lab_id(path)) == []
        assert list(Path(parent).iterdir()) == []


def demand(mode: Mode) -> None:
    """Skip a test whose mode this user cannot have here; in CI that is a failure."""
    reason = why_no_namespaces() if mode is Mode.NAMESPACES else None
    if reason and os.environ.get("CI") == "true":
        pytest.fail(f"mode {mode} must work in CI: {reason}")
    if reason:
        pytest.skip(f"mode {mode}: {reason}")


@pytest.fixture(params=[Mode.NAMESPACES, Mode.UNPRIVILEGED], ids=str)
def packet_mode(request: pytest.FixtureRequest) -> Mode:
    """Each of the modes with packets."""
    mode: Mode = request.param
    demand(mode)
    return mode


@pytest.fixture
def interconnect() -> Interconnect:
    """What icplan would do, by hand: one transit switch and all zones of a lab on it."""
    return _interconnect


def _interconnect(lab: Lab) -> None:
    lab.ic.nbctl("--may-exist", "ts-add", "ts")
    for number, zone in enumerate(lab.zones.values(), start=1):
        router_port, switch_port = f"{zone.name}-ts", f"ts-{zone.name}"
        zone.nbctl(
            *("set", "NB_Global", ".", f"name={zone.name}"),
            *("options:ic-route-adv=true", "options:ic-route-learn=true"),
        )
        zone.nbctl("wait-until", "Logical_Switch", "ts")
        mac, address = f"02:00:00:00:01:{number:02x}", f"169.254.100.{200 + number}/24"
        zone.nbctl(
            *("lrp-add", zone.router, router_port, mac, address, f"fe80:a9fe:64::{number}/112"),
            *("--", "lsp-add", "ts", switch_port),
            *("--", "lsp-set-type", switch_port, "router"),
            *("--", "lsp-set-addresses", switch_port, "router"),
            *("--", "lsp-set-options", switch_port, f"router-port={router_port}"),
        )
        for priority, host in zip((100, 99), zone.gateway_hosts, strict=True):
            chassis = zone.hosts[host].chassis
            zone.nbctl("lrp-set-gateway-chassis", router_port, chassis, str(priority))
