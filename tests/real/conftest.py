"""What the end-to-end tests share: icplan as a user runs it, on a lab of real daemons."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from icplan.lab import Lab, LabOptions, Mode, wait_until
from icplan.lab.namespaces import why_no_namespaces


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    exit: int
    out: str
    err: str

    def json(self) -> dict[str, object]:
        """Its output as a document."""
        document: dict[str, object] = json.loads(self.out)
        return document


class Icplan:
    """icplan in a directory of its own, with one file.

    Args:
        directory: where it runs; run logs go there.
        file: the interconnect file.
    """

    def __init__(self, directory: Path, file: Path) -> None:
        self.directory = directory
        self.file = file

    def __call__(self, *arguments: str) -> Result:
        """Runs a command to its end."""
        command, *rest = arguments
        done = subprocess.run(
            self.argv(command, *rest),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    def argv(self, command: str, *rest: str) -> list[str]:
        """The command line."""
        named = [] if command in {"show", "lab", "schema", "import"} else ["-f", str(self.file)]
        return [sys.executable, "-m", "icplan", command, *named, *rest]

    def start(self, command: str, *rest: str) -> subprocess.Popen[str]:
        """Starts a command in the background."""
        return subprocess.Popen(
            self.argv(command, *rest),
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def typed(self, command: str, prompt: str, answers: Sequence[str]) -> tuple[int, str]:
        """The exit code and the messages, after somebody has typed answers at a terminal.

        Args:
            command: the command.
            prompt: how a question ends.
            answers: one for each question.
        """
        controller, terminal = pty.openpty()
        with subprocess.Popen(
            self.argv(command),
            cwd=self.directory,
            stdin=terminal,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            os.close(terminal)
            assert process.stderr is not None
            said = ""
            for answer in answers:
                asked = said.count(prompt) + 1
                while said.count(prompt) < asked and (more := process.stderr.read(1)):
                    said += more
                os.write(controller, f"{answer}\n".encode())
            said += process.communicate(timeout=200)[1]
        os.close(controller)
        return process.returncode, said

    def apply(self) -> Result:
        """Applies without asking; it must succeed."""
        done = self("apply", "--auto-approve")
        assert done.exit == 0, done.out + done.err
        return done

    def changes(self) -> dict[str, str]:
        """What the plan would do now: action by address."""
        done = self("plan", "--json")
        assert done.exit in {0, 4}, done.out + done.err
        changes = done.json()["resource_changes"]
        assert isinstance(changes, list)
        return {one["address"]: one["action"] for one in changes}

    def edit(self, old: str, new: str) -> None:
        """Changes the file."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


def kill_at_write(icplan: Icplan, number: int, command: str = "apply") -> None:
    """Ends an apply, or a destroy, with SIGKILL as soon as its record announces that write."""
    log = icplan.directory / "killed.jsonl"
    log.unlink(missing_ok=True)
    running = icplan.start(command, "--auto-approve", "--run-log", str(log))

    def announced() -> bool:
        text = log.read_text() if log.exists() else ""
        return text.count('"event":"write"') >= number or running.poll() is not None

    wait_until(announced, f"write {number} is announced")
    os.kill(running.pid, signal.SIGKILL)
    running.communicate()
    events = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
    nonce = next((one["nonce"] for one in events if one["event"] == "locked"), None)
    if nonce is not None:
        icplan("unlock", nonce)


def demand_namespaces() -> None:
    """Skips where this user cannot have network namespaces; in CI that is a failure."""
    if (reason := why_no_namespaces()) is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"network namespaces must work in CI: {reason}")
    pytest.skip(reason)


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A folder with a short name: unix sockets have room for 107 bytes only."""
    with tempfile.TemporaryDirectory(prefix="icp-") as name:
        yield Path(name).resolve()


@pytest.fixture
def lab(short_path: Path) -> Iterator[Lab]:
    """Two zones without packets; each gateway port is claimed as ovn-controller would."""
    with Lab(short_path / "lab", LabOptions(play_ovn_controller=True)) as lab:
        yield lab


@pytest.fixture
def icplan(lab: Lab, short_path: Path) -> Icplan:
    """icplan on that lab."""
    return Icplan(short_path, lab.interconnect_file)


@pytest.fixture
def packets(short_path: Path) -> Iterator[Lab]:
    """Two zones with hosts and pods in network namespaces."""
    demand_namespaces()
    with Lab(short_path / "lab", LabOptions(mode=Mode.NAMESPACES)) as lab:
        yield lab
