"""The table of exit codes, over commands, flags and states. One table for all commands."""

from __future__ import annotations

import itertools
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from icplan.errors import IcplanError
from icplan.lab import wait_until
from icplan.render.paint import Paint
from icplan.render.reports import apply_text
from icplan.run.apply import ApplyReport
from icplan.run.runlog import RunLog
from tests.cli.conftest import Run, World

pytestmark = pytest.mark.real

CLOSED = ("northbound: [tcp:127.0.0.1:", "northbound: [tcp:127.0.0.1:9, tcp:127.0.0.1:")
REFUSED = ("az1-gw2", "az1-gw9")
MORE = ("az1-gw1, az1-gw2", "az1-gw2, az1-gw1")
ABSENT = (
    "    platform: ovn\n    northbound",
    "    platform: ovn\n    state: absent\n    northbound",
)


def unreachable(text: str) -> tuple[str, str]:
    """Takes the second zone's southbound database out of reach."""
    address = text.rpartition("southbound: [")[2].partition("]")[0]
    return f"southbound: [{address}]", "southbound: [tcp:127.0.0.1:9]"


# plan


@pytest.mark.parametrize("json", [(), ("--json",)])
@pytest.mark.parametrize("detailed", [(), ("--detailed-exitcode",)])
@pytest.mark.parametrize("out", [(), ("--out", "plan.json")])
def test_plan(
    icplan: Run, served: World, json: tuple[str, ...], detailed: tuple[str, ...],
    out: tuple[str, ...],
) -> None:  # fmt: skip
    lost = unreachable(served.text)
    table: list[tuple[tuple[tuple[str, str], ...], int]] = [
        ((), 0),
        ((MORE,), 2 if detailed else 0),
        ((REFUSED,), 4),
        # When several hold: 1, then 4, then 2.
        ((lost,), 1),
        ((REFUSED, lost), 1),
    ]
    for changes, expected in table:
        Path("plan.json").unlink(missing_ok=True)
        served.file(*changes)
        ran = icplan("plan", *json, *detailed, *out)
        assert ran.exit == expected, (changes, ran)
        if json:
            assert ran.json["refused"] is (REFUSED in changes)
        # A plan that did not see everything cannot be saved.
        assert Path("plan.json").exists() is bool(out and lost not in changes)


@pytest.mark.parametrize("command", ["plan", "apply", "status", "verify", "unlock"])
def test_a_file_that_is_wrong_missing_or_not_supported(
    icplan: Run, fresh: World, command: str
) -> None:
    nonce = ("0",) if command == "unlock" else ()
    assert icplan(command, *nonce, "-f", "nowhere.yaml").exit == 1
    fresh.file(("kind: Interconnect", "kind: Internet"))
    assert icplan(command, *nonce).exit == 1
    fresh.file(("metadata", "limits: {canary: az1}\nmetadata"))
    ran = icplan(command, *nonce)
    assert ran.exit == 1
    assert "interconnect.yaml:3:18: IC199 limits.canary is not supported yet" in ran.err
    assert ran.out == ""


# validate, show, schema, status, verify


def test_validate(icplan: Run, fresh: World) -> None:
    for json in ((), ("--json",)):
        fresh.file()
        assert icplan("validate", *json).exit == 0
        fresh.file(("kind: Interconnect", "kind: Internet"))
        assert icplan("validate", *json).exit == 1
        fresh.file(("az1-gw1, az1-gw2", "az1-gw1, az1-gw1"))
        assert icplan("validate", *json).exit == 1
        # What this version cannot carry out is no mistake of the file.
        fresh.file(("metadata", "limits: {canary: az1}\nmetadata"))
        assert icplan("validate", *json).exit == 0


def test_show_and_schema(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    for json in ((), ("--json",)):
        assert icplan("show", "plan.json", *json).exit == 0
        assert icplan("show", "nowhere.json", *json).exit == 1
        assert icplan("show", "interconnect.yaml", *json).exit == 1
    assert icplan("schema").exit == 0


def test_status_and_verify(icplan: Run, served: World) -> None:
    lost = unreachable(served.text)
    table: list[tuple[tuple[tuple[str, str], ...], int, int]] = [
        ((), 0, 0),
        ((MORE,), 0, 6),
        ((lost,), 1, 1),
        ((MORE, lost), 1, 1),
    ]
    for (changes, status, verify), json in itertools.product(table, ((), ("--json",))):
        served.file(*changes)
        assert icplan("status", *json).exit == status, changes
        assert icplan("verify", *json).exit == verify, changes


# apply


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_apply_with_nothing_to_do_unseen_refused_or_unapproved(
    icplan: Run, served: World, json: tuple[str, ...]
) -> None:
    lost = unreachable(served.text)
    approve = ("--auto-approve",)
    table: list[tuple[tuple[tuple[str, str], ...], tuple[str, ...], int]] = [
        ((), (), 0),
        ((), approve, 0),
        ((lost,), approve, 1),
        ((REFUSED,), approve, 4),
        ((REFUSED, lost), approve, 1),
        ((MORE,), (), 64),
        ((MORE,), ("--expect-digest", "sha256:0"), 4),
        ((MORE,), (*approve, "--expect-digest", "sha256:0"), 4),
        ((MORE,), (*approve, "--run-log", "/proc/nowhere/run.jsonl"), 1),
    ]
    for changes, flags, expected in table:
        served.file(*changes)
        ran = icplan("apply", *json, *flags)
        assert ran.exit == expected, (changes, flags, ran)
    served.file()
    assert icplan("plan", "--detailed-exitcode").exit == 0, "nothing was written"


def test_apply_does_a_plan_and_only_that_one(icplan: Run, served: World) -> None:
    served.file(MORE)
    icplan("plan", "--out", "first.json")
    digest = icplan("plan", "--json").json["digest"]
    assert icplan("apply", "first.json").exit == 0
    served.file()
    icplan("plan", "--out", "back.json")
    done = icplan("apply", "first.json")
    assert done.exit == 4, "it is done already, so it is not what would be done now"
    assert "No changes." in done.out
    assert icplan("apply", "--expect-digest", digest).exit == 4
    assert icplan("apply", "back.json", "--json").json["exit"] == 0
    assert icplan("apply", "first.json").exit == 0, "the same plan against the same state"
    assert icplan("apply", "--auto-approve").exit == 0


def test_apply_refuses_a_plan_that_has_changed(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    fresh.nbctl("az1", "set", "NB_Global", ".", "options:ic-route-adv=true")
    ran = icplan("apply", "plan.json")
    assert ran.exit == 4
    assert "az1/route-exchange" in ran.err
    assert "nothing was written" in ran.err
    assert fresh.nbctl("az1", "get", "NB_Global", ".", "name").strip() == '""'


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_apply_stops_after_some_writes(icplan: Run, fresh: World, json: tuple[str, ...]) -> None:
    fresh.file()
    # Nothing copies the transit switch into the zones: no daemon runs.
    ran = icplan("apply", "--auto-approve", "--wait", "0", *json)
    assert ran.exit == 3
    if json:
        assert ran.json["exit"] == 3
        assert {one["outcome"] for one in ran.json["outcomes"]} == {"done", "skipped"}
    else:
        assert "Stopped: 3 of 7 changes written, 0 of 3 waves complete." in ran.out
        assert "run `icplan plan` and `icplan apply` again" in ran.out


@pytest.mark.parametrize(
    "error",
    [
        OSError("disk on fire"),
        KeyboardInterrupt(),
        IcplanError("log", cause="full", cure="empty it"),
    ],
)
def test_whatever_happens_after_the_first_write_it_stopped(
    icplan: Run, fresh: World, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    write = RunLog.write

    def fails_in_the_end(log: RunLog, event: str, **details: object) -> None:
        if event == "end":
            raise error
        write(log, event, **details)

    monkeypatch.setattr(RunLog, "write", fails_in_the_end)
    fresh.file()
    ran = icplan("apply", "--auto-approve", "--wait", "0", "--run-log", "run.jsonl")
    assert ran.exit == 3
    assert "run.jsonl" in ran.out + ran.err


def test_a_signal_after_the_run_does_not_change_its_exit(
    icplan: Run, fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(report: ApplyReport, paint: Paint) -> str:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        return apply_text(report, paint)

    monkeypatch.setattr("icplan.cli.carrying.apply_text", interrupted)
    fresh.file()
    ran = icplan("apply", "--auto-approve", "--wait", "0")
    assert ran.exit == 3
    assert "Stopped: 3 of 7 changes written" in ran.out


def _lock(world: World, zone: str = "az1", nonce: str = "beef") -> None:
    value = {"holder": "eve@elsewhere", "purpose": "apply prod", "ttl": 20.0, "nonce": nonce}
    text = orjson.dumps(value).decode().replace('"', '\\"')
    world.nbctl(zone, "set", "NB_Global", ".", f'external_ids:icplan-lock="{text}"')


@contextmanager
def locked(world: World) -> Iterator[None]:
    """Somebody else holds the lock of a zone, and is alive."""
    _lock(world)
    done = threading.Event()

    def live() -> None:
        beats = 0
        while not done.wait(0.1):
            beats += 1
            world.nbctl("az1", "set", "NB_Global", ".", f"external_ids:icplan-lock-beat={beats}")

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def test_apply_when_somebody_else_is_at_work(icplan: Run, fresh: World) -> None:
    fresh.file()
    with locked(fresh):
        ran = icplan("apply", "--auto-approve")
        assert ran.exit == 5
        assert "eve@elsewhere" in ran.err
        assert "icplan unlock beef" in ran.err
        note = icplan("plan").err
        assert "lock of the northbound database of az1 is held by eve@elsewhere" in note
        assert "taken over within 20 s, or: icplan unlock beef\n" in note
    assert fresh.nbctl("az1", "get", "NB_Global", ".", "name").strip() == '""'


def test_unlock(icplan: Run, fresh: World) -> None:
    fresh.file()
    assert icplan("unlock", "beef").exit == 1
    _lock(fresh)
    assert icplan("unlock", "f00d").exit == 1
    ran = icplan("unlock", "beef")
    assert ran.exit == 0
    assert "removed the lock of az1: eve@elsewhere" in ran.out
    assert icplan("unlock", "beef").exit == 1


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "icplan", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_before_and_after_the_first_write(
    icplan: Run, fresh: World, how: signal.Signals
) -> None:
    assert icplan("--version").exit == 0
    fresh.file()
    with locked(fresh), started("apply", "--auto-approve", "--run-log", "run.jsonl") as process:
        assert process.stderr is not None
        while "watching" not in process.stderr.readline():
            pass
        process.send_signal(how)
        _, err = process.communicate(timeout=30)
        # It may have found the lock alive a moment before.
        assert process.returncode in {130, 5}
        assert "Traceback" not in err
        if process.returncode == 130:
            assert "nothing was written" in err
    fresh.nbctl("az1", "remove", "NB_Global", ".", "external_ids", "icplan-lock")
    with started("apply", "--auto-approve", "--run-log", "after.jsonl") as process:
        wait_until(
            lambda: Path("after.jsonl").exists() and '"await"' in Path("after.jsonl").read_text(),
            "icplan waits for evidence",
        )
        process.send_signal(how)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 3
        assert "3 of 7 changes written" in out
        assert "interrupted by you" in out
        assert "Traceback" not in err
    assert "icplan-lock" not in fresh.nbctl("az1", "get", "NB_Global", ".", "external_ids")


# destroy


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_destroy_with_nothing_to_do_unseen_refused_or_unapproved(
    icplan: Run, served: World, json: tuple[str, ...]
) -> None:
    lost = unreachable(served.text)
    approve = ("--auto-approve",)
    protected = ("  - name: az1\n", "  - name: az1\n    protected: true\n")
    table: list[tuple[tuple[tuple[str, str], ...], tuple[str, ...], int, int]] = [
        ((), (), 64, 0),
        ((lost,), approve, 1, 1),
        ((protected,), approve, 4, 4),
        ((protected, lost), approve, 1, 1),
        ((), ("--without", "az1"), 64, 0),
        ((), (*approve, "--run-log", "/proc/nowhere/run.jsonl"), 1, 0),
    ]
    for changes, flags, expected, planned in table:
        served.file(*changes)
        ran = icplan("destroy", *json, *flags)
        assert ran.exit == expected, (changes, flags, ran)
        assert icplan("plan", "--destroy", *json).exit == planned
    assert icplan("plan", "--destroy", "--without", "az1").exit == 64
    served.file()
    assert icplan("plan", "--detailed-exitcode").exit == 0, "nothing was written"


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_destroy_of_what_was_never_built(icplan: Run, fresh: World, json: tuple[str, ...]) -> None:
    fresh.file()
    ran = icplan("destroy", *json)
    assert ran.exit == 0
    if json:
        assert ran.json["exit"] == 0
    else:
        assert ran.out == "No changes. Nothing is left of this interconnection.\n"
    assert icplan("plan", "--destroy", "--detailed-exitcode").exit == 0


# Wrong usage


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--no-such-flag"],
        ["plan", "extra"],
        ["plan", "--timeout", "0"],
        ["plan", "--timeout", "soon"],
        ["plan", "--timeout", "inf"],
        ["plan", "--timeout", "nan"],
        ["plan", "--timeout", "1e300"],
        ["apply", "--wait", "nan"],
        ["apply", "--wait-operator", "inf"],
        ["plan", "--out"],
        ["plan", "--without"],
        ["plan", "--access"],
        ["destroy", "--without", "az1"],
        ["destroy", "plan.json"],
        ["show", "plan.json", "--without", "az1"],
        ["apply", "one", "two"],
        ["apply", "--wait", "-1"],
        ["show"],
        ["unlock"],
        ["schema", "--json"],
        ["validate", "-f"],
        ["pln"],
        ["--color", "sometimes", "plan"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage(icplan: Run, arguments: list[str]) -> None:
    ran = icplan(*arguments)
    assert ran.exit == 64
    assert ran.out == ""
    assert "Error: " in ran.err or "Usage: " in ran.err


@pytest.mark.parametrize(
    "command",
    ["validate", "plan", "show", "apply", "destroy", "verify", "status", "schema", "unlock"],
)
def test_help_is_no_error(icplan: Run, command: str) -> None:
    ran = icplan(command, "--help")
    assert ran.exit == 0
    assert f"Usage: icplan {command}" in ran.out
    assert ran.err == ""


def test_a_saved_plan_is_readable_by_its_owner_only(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    assert stat.S_IMODE(os.stat("plan.json").st_mode) == 0o600  # noqa: PTH116
