"""What commands print: only what was asked for on stdout, nothing that a terminal would obey."""

from __future__ import annotations

import itertools
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from icplan.cli.main import _COMMANDS, run
from icplan.spec.schema import json_schema
from tests.cli.conftest import Json, Run, World
from tests.spec.test_schema import keys

pytestmark = pytest.mark.real

HOSTILE = "\x1b[2J\x1b[31mevil\nzone\u202egnol"
UNPRINTABLE = re.compile(r"[^\n -~\u00a0-\u1fff\u2010-\u2027\u2030-\uffff]")
REFUSED = ("az1-gw2", "az1-gw9")
MORE = ("az1-gw1, az1-gw2", "az1-gw2, az1-gw1")
SHELL = f"{sys.executable} -m icplan"


# JSON


@pytest.mark.parametrize("command", ["validate", "plan", "status", "verify", "apply"])
def test_json_is_all_there_is_on_stdout(icplan: Run, served: World, command: str) -> None:
    served.file()
    assert icplan(command, "--json").json
    served.file(REFUSED)
    assert icplan(command, "--json").json
    served.file(
        ("127.0.0.1:", "127.0.0.1:9, tcp:127.0.0.1:"), ("hosts: [127.0.0.1]", "hosts: ['::1']")
    )
    assert icplan(command, "--json").json


def test_json_of_a_refused_apply_says_why(icplan: Run, served: World) -> None:
    served.file(REFUSED)
    document = icplan("apply", "--json", "--auto-approve").json
    assert document["exit"] == 4
    assert document["outcomes"] == []
    refused = [one for one in document["verdicts"] if one["status"] == "refused"]
    assert [one["code"] for one in refused] == ["IC004"]


def test_json_of_a_wrong_file_lists_its_problems(icplan: Run, fresh: World) -> None:
    fresh.file(("kind: Interconnect", "kind: Internet"))
    document = icplan("validate", "--json").json
    assert document["valid"] is False
    assert [one["line"] for one in document["problems"]] == [2]


@pytest.mark.parametrize("command", ["plan", "apply", "status", "verify"])
def test_json_of_an_error(icplan: Run, fresh: World, command: str) -> None:
    document = icplan(command, "--json").json
    assert document["error"]["place"] == "interconnect.yaml"
    assert set(document["error"]) == {"thing", "place", "cause", "cure"}
    assert document["exit"] == 1
    fresh.file(("kind: Interconnect", "kind: Internet"))
    assert [one["line"] for one in icplan(command, "--json").json["problems"]] == [2]


def test_json_of_an_apply_whose_plan_has_changed(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    fresh.nbctl("az1", "set", "NB_Global", ".", "options:ic-route-adv=true")
    assert icplan("apply", "plan.json", "--json").json["exit"] == 4
    # Two documents would be none.
    assert icplan("plan", "--json", "--out", "nowhere/plan.json").json["digest"]


def test_a_changed_plan_that_is_refused_shows_the_difference_too(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    fresh.zones["az1"].sbctl("chassis-del", "az1-gw2")
    ran = icplan("apply", "plan.json")
    assert ran.exit == 4
    changed = ran.err.index("The plan has changed since it was approved:")
    assert changed < ran.err.index("Not applied: the plan is refused.")
    assert "IC004" in ran.err


def test_names_and_streams_that_are_no_utf_8(icplan: Run, fresh: World) -> None:
    fresh.file()
    name = os.fsdecode(b"b\xff.yaml")
    Path("interconnect.yaml").rename(name)
    assert icplan("plan", "--json", "-f", name, "--out", "plan.json").json["file"] == "b?.yaml"
    assert icplan("show", "plan.json").exit == 0
    Path("é.yaml").write_text(Path(name).read_text())
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    for flags, said in (((), b"\\xe9.yaml"), (("--json",), b'"\\u00e9.yaml"')):
        done = subprocess.run(
            [sys.executable, "-m", "icplan", "plan", "-f", "é.yaml", *flags],
            capture_output=True,
            env=environment,
            timeout=60,
            check=True,
        )
        assert said in done.stdout


def test_validate_shows_the_place_and_judges_codes_of_waivers(icplan: Run, fresh: World) -> None:
    waiver = "accept: [{rule: IC999, at: az1, reason: none}]\nmetadata"
    fresh.file(("metadata", waiver))
    ran = icplan("validate")
    assert ran.exit == 1
    assert ran.err.startswith("interconnect.yaml:3:17: IC013 az1: there is no rule IC999\n")
    assert "                    ^^^^^\n  cure: Remove the waiver" in ran.err


def test_warnings_and_notes_go_to_stderr(icplan: Run, fresh: World) -> None:
    fresh.file(("az1-gw1, az1-gw2", "az1-gw1"))
    ran = icplan("validate")
    assert ran.exit == 0
    assert ran.out == "interconnect.yaml is valid: 2 availability zones.\n"
    assert "IC021 az1" in ran.err


def test_show_prints_what_plan_printed(icplan: Run, fresh: World) -> None:
    fresh.file(MORE)
    planned = icplan("plan", "--out", "plan.json")
    assert icplan("show", "plan.json").out == planned.out
    shown = icplan("show", "plan.json", "--json").json
    assert shown == icplan("plan", "--json").json


def test_the_same_plan_is_saved_as_the_same_bytes(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "one.json")
    icplan("plan", "--out", "two.json")
    assert Path("one.json").read_bytes() == Path("two.json").read_bytes()


def test_the_file_can_be_named_by_the_environment(
    icplan: Run, fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh.file()
    Path("interconnect.yaml").rename("other.yaml")
    monkeypatch.setenv("ICPLAN_FILE", "other.yaml")
    assert icplan("validate").out.startswith("other.yaml is valid")


# Colours


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """What a command prints when stdout is a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", **environment}
    if "NO_COLOR" not in environment:
        env.pop("NO_COLOR", None)
    subprocess.run(
        [sys.executable, "-m", "icplan", *arguments], stdout=theirs, env=env, timeout=60, check=True
    )
    os.close(theirs)
    chunks = []
    try:
        while chunk := os.read(ours, 65536):
            chunks.append(chunk)
    except OSError:  # Linux says so at the end of a terminal
        pass
    os.close(ours)
    return b"".join(chunks).decode()


def test_colours_on_a_terminal_only_and_not_against_the_reader_s_will(
    icplan: Run, fresh: World
) -> None:
    fresh.file()
    assert "\x1b[" in on_a_terminal("validate")
    assert "\x1b[" not in on_a_terminal("validate", NO_COLOR="1")
    assert "\x1b[" not in on_a_terminal("validate", TERM="dumb")
    assert "\x1b[" not in on_a_terminal("--color", "never", "validate")
    assert "\x1b[" in on_a_terminal("--color=always", "validate", NO_COLOR="1")
    assert "\x1b[" not in icplan("plan").out
    assert "\x1b[" in icplan("--color", "always", "plan").out
    assert icplan("--color=always", "plan", "--json").json


def test_colours_add_nothing_but_colour(icplan: Run, fresh: World) -> None:
    for changes in ((), (REFUSED,)):
        fresh.file(*changes)
        for command in ("plan", "status", "verify", "validate"):
            plain, coloured = icplan(command), icplan("--color", "always", command)
            stripped = re.sub(r"\x1b\[\d+m", "", coloured.out + coloured.err)
            assert stripped == plain.out + plain.err


def test_errors_are_coloured_as_asked(icplan: Run) -> None:
    assert icplan("plan").err.startswith("error: interconnect file")
    assert icplan("--color", "always", "plan").err.startswith("\x1b[31merror: ")


# Hostile content


@pytest.fixture
def hostile(fresh: World) -> World:
    """Names in all databases that want to be obeyed by a terminal."""
    text = '"' + HOSTILE.replace("\x1b", "\\u001b").replace("\n", "\\n") + '"'
    ic = fresh.databases.ic
    ic.sbctl("create", "Availability_Zone", f"name={text}")
    ic.nbctl("create", "Transit_Switch", f"name={text}", "external_ids:icplan=prod")
    fresh.nbctl("az1", "create", "Logical_Router", f"name={text}")
    fresh.nbctl("az1", "set", "NB_Global", ".", f"external_ids:icplan-lock={text}")
    fresh.nbctl("az1", "set", "NB_Global", ".", f"options:ic-route-denylist={text}")
    fresh.nbctl("az2", "set", "NB_Global", ".", f"name={text}", f"external_ids:icplan={text}")
    fresh.zones["az2"].sbctl("set", "Chassis", "az2-gw1", f"hostname={text}")
    return fresh


def test_hostile_names_are_shown_and_not_obeyed(icplan: Run, hostile: World) -> None:
    hostile.file()
    for command in ("plan", "status", "verify"):
        ran = icplan(command)
        assert ran.exit == {"plan": 4, "status": 0, "verify": 6}[command]
        assert "evil" in ran.out
        assert not UNPRINTABLE.search(ran.out + ran.err)
        assert not any(line.startswith("zone") for line in ran.out.splitlines())
        assert icplan(command, "--json").json
    note = re.search(
        r"the lock of the northbound database of az1 is held by .* or: icplan unlock (\S+)\n",
        icplan("plan").err,
    )
    assert note
    nonce = note[1]
    ran = icplan("unlock", nonce)
    assert ran.exit == 0
    assert not UNPRINTABLE.search(ran.out)


def test_hostile_arguments_and_files(icplan: Run, fresh: World) -> None:
    for arguments in (["show", HOSTILE], ["plan", "-f", HOSTILE], ["unlock", HOSTILE]):
        fresh.file()
        assert not UNPRINTABLE.search(icplan(*arguments).err)
    fresh.file(("az1-gw1,", '"az1\\e[2J-gw1",'))
    for command in ("validate", "plan"):
        ran = icplan(command)
        assert ran.exit == 1
        assert not UNPRINTABLE.search(ran.err)


# Damaged plan files


def damaged(good: Json) -> Iterator[tuple[str, object]]:
    yield "it is not JSON", b""
    yield "it is not JSON", orjson.dumps(good)[:-40]
    yield "it is not JSON", b"\xff\xfe\x00"
    yield "it is no saved plan", []
    yield "it is no saved plan", {"format": "terraform"}
    yield "its format version is 2.0, this icplan reads 1.x", good | {"format_version": "2.0"}
    yield "its format version is None", {**good, "format_version": None}
    for key in ("file", "content", "digest", "plan"):
        yield "parts of it are missing", {one: good[one] for one in good if one != key}
        yield "parts of it are missing", good | {key: 7}


def test_damaged_plan_files_are_told_from_good_ones(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    good = orjson.loads(Path("plan.json").read_bytes())
    for cause, content in damaged(good):
        data = content if isinstance(content, bytes) else orjson.dumps(content)
        Path("plan.json").write_bytes(data)
        for command in (("show",), ("show", "--json"), ("apply", "--auto-approve")):
            ran = icplan(*command, "plan.json")
            assert ran.exit == 1, (cause, ran)
            assert "error: plan file\n  place  plan.json\n" in ran.err
            assert cause in " ".join(ran.err.split())
            assert "make a new one: icplan plan --out FILE" in " ".join(ran.err.split())
            if "--json" in command:
                assert ran.json["error"]["thing"] == "plan file"
                assert ran.json["exit"] == 1
            else:
                assert ran.out == ""


def test_a_plan_file_whose_document_is_damaged(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    good = orjson.loads(Path("plan.json").read_bytes())
    values: tuple[object, ...] = (None, 7, "x", [7], {})
    for key, value in itertools.product(good["plan"], values):
        Path("plan.json").write_bytes(orjson.dumps(good | {"plan": good["plan"] | {key: value}}))
        shown = icplan("show", "plan.json")
        assert shown.exit in {0, 1}
        assert "internal error" not in shown.err, (key, value, shown)
        other = {"digest": "sha256:0", "plan": good["plan"] | {key: value}}
        Path("plan.json").write_bytes(orjson.dumps(good | other))
        applied = icplan("apply", "plan.json")
        assert applied.exit == 4
        assert "internal error" not in applied.err, (key, value, applied)


def test_a_tampered_plan_file_is_never_done(icplan: Run, fresh: World) -> None:
    fresh.file()
    icplan("plan", "--out", "plan.json")
    good = orjson.loads(Path("plan.json").read_bytes())
    content = good["content"].replace("az1-gw1, az1-gw2", "az1-gw2, az1-gw1")
    Path("plan.json").write_bytes(orjson.dumps(good | {"content": content}))
    ran = icplan("apply", "plan.json", "--auto-approve")
    assert ran.exit == 4
    assert "az1/port/ts" in ran.err


def test_a_plan_that_cannot_be_saved(icplan: Run, fresh: World) -> None:
    fresh.file()
    ran = icplan("plan", "--out", "nowhere/plan.json")
    assert ran.exit == 1
    assert "it cannot be written: no such file or directory" in ran.err


# Streams that are not there


def test_a_reader_that_has_seen_enough(icplan: Run, fresh: World) -> None:
    assert icplan("--version").exit == 0
    fresh.file()
    for command, code in {
        f"{SHELL} schema | head -c 10 >/dev/null": 0,
        f"{SHELL} plan --detailed-exitcode | true": 2,
        f"{SHELL} plan --detailed-exitcode 2>&1 | true": 2,
        # It must not stop between two writes because nobody listens.
        f"{SHELL} apply --auto-approve --wait 0 2>&1 | true": 3,
    }.items():
        done = subprocess.run(
            ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stderr) == (code, ""), command


def test_streams_that_cannot_be_written_or_are_closed(icplan: Run, fresh: World) -> None:
    assert icplan("--version").exit == 0
    fresh.file()
    for command, code, said in (
        (f"{SHELL} plan >/dev/full", 1, "cause  it cannot be written: no space left on device"),
        (f"{SHELL} plan 2>/dev/full >/dev/null", 0, ""),
        (f"{SHELL} apply <&-", 64, "nobody is there to approve the plan"),
        (f"{SHELL} apply </dev/null", 64, "--auto-approve"),
        (f"{SHELL} apply --auto-approve --wait 0 2>/dev/full", 3, ""),
    ):
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, (command, done)
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_the_question_at_a_terminal(icplan: Run, fresh: World) -> None:
    assert icplan("--version").exit == 0
    fresh.file()
    for answer in ("y\n", "no\n", "\n", "YES\n", "\x04"):
        ours, theirs = pty.openpty()
        os.write(ours, answer.encode())
        done = subprocess.run(
            [sys.executable, "-m", "icplan", "apply"],
            stdin=theirs,
            capture_output=True,
            text=True,
            timeout=60,
        )
        os.close(theirs)
        os.close(ours)
        assert done.returncode == 1
        assert "Only `yes` is taken as one" in done.stderr
        assert "nothing was written" in done.stderr
    assert fresh.nbctl("az1", "get", "NB_Global", ".", "name").strip() == '""'


# What is not supported


UNSUPPORTED = {
    "limits.canary": ("metadata", "limits: {canary: az1}\nmetadata"),
    "expect": (
        "metadata",
        'expect: [{from: "*", to: "*", reachable: true}]\nmetadata',
    ),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_what_is_not_supported_yet_is_named_with_its_line(
    icplan: Run, fresh: World, what: str
) -> None:
    fresh.file(UNSUPPORTED[what])
    assert icplan("validate").exit == 0
    ran = icplan("plan")
    assert ran.exit == 1
    text = Path("interconnect.yaml").read_text().splitlines()
    found = re.search(
        rf"^interconnect.yaml:(\d+):(\d+): IC199 {what} is not supported yet", ran.err
    )
    assert found, ran.err
    key = UNSUPPORTED[what][1].strip().split("\n")[0]
    assert text[int(found[1]) - 1].strip() in key or key in text[int(found[1]) - 1]


def test_every_unsupported_place_is_named_at_once(icplan: Run, fresh: World) -> None:
    fresh.file(UNSUPPORTED["expect"], UNSUPPORTED["limits.canary"])
    assert icplan("plan").err.count(" is not supported yet") == 2


def test_the_schema_says_what_is_not_supported_yet() -> None:
    said = {
        where.rpartition(".")[2]
        for where, one in keys(json_schema())
        if "Not carried out yet: plan" in str(one.get("description"))
    }
    assert said == {what.rpartition(".")[2] for what in UNSUPPORTED}


# Whatever happens


@pytest.mark.parametrize(
    "error", [RuntimeError(HOSTILE), RecursionError(), MemoryError(), KeyError(3)]
)
def test_an_internal_error_is_no_traceback(
    icplan: Run, fresh: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object) -> None:
        raise error

    fresh.file()
    monkeypatch.setattr("icplan.cli.plan.plan_now", broken)
    ran = icplan("plan")
    assert ran.exit == 1
    assert ran.err.startswith(f"internal error: {type(error).__name__}")
    assert "ICPLAN_DEBUG=1" in ran.err
    assert not UNPRINTABLE.search(ran.err)
    monkeypatch.setenv("ICPLAN_DEBUG", "1")
    with pytest.raises(type(error)):
        run(["plan"])


def test_ctrl_c_outside_of_apply(
    icplan: Run, fresh: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    fresh.file()
    for command in ("plan", "status", "verify"):
        monkeypatch.setattr(f"icplan.cli.{command}.plan_now", interrupted)
        ran = icplan(command)
        assert ran.exit == 130
        assert "nothing was written" in ran.err


def test_every_command_is_listed_and_has_its_module(icplan: Run) -> None:
    text = icplan("--help").out
    for command, help_text in _COMMANDS.items():
        assert f"  {command} " in text
        assert help_text in text
        assert icplan(command, "--help").exit == 0
