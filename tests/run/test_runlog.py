"""The record of a run is on the disk before anything goes on, or nothing goes on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from icplan.errors import IcplanError
from icplan.run.runlog import RunLog


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_event_is_a_line_of_json(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with RunLog(path) as log:
        log.write("start", owner="prod", sites=["ic", "az1"])
        log.write("failed", error='a "quoted" cause\nof two lines: é🔒', place=tmp_path)
    first, second = _lines(path)
    assert list(first) == ["time", "event", "owner", "sites"]
    assert (first["event"], first["sites"]) == ("start", ["ic", "az1"])
    assert second["error"] == 'a "quoted" cause\nof two lines: é🔒'
    assert second["place"] == str(tmp_path)
    told = datetime.fromisoformat(str(second["time"]))
    assert told.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - told) < timedelta(minutes=5)


def test_the_disk_has_a_line_before_anything_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.jsonl"
    synced: list[tuple[int, int]] = []
    really = os.fsync

    def watching(handle: int) -> None:
        really(handle)
        synced.append((os.fstat(handle).st_ino, os.fstat(handle).st_size))

    monkeypatch.setattr(os, "fsync", watching)
    with RunLog(path) as log:
        # The name of the file, too.
        assert synced[0][0] == tmp_path.stat().st_ino
        for number in range(3):
            log.write("write", number=number)
            assert synced[-1] == (path.stat().st_ino, path.stat().st_size)
            assert _lines(path)[-1]["number"] == number
    assert len(synced) == 4


def test_what_was_written_survives_a_killed_process(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    program = (
        "import os, sys; from pathlib import Path; from icplan.run.runlog import RunLog;"
        "log = RunLog(Path(sys.argv[1])); log.write('write'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], timeout=60)
    assert [line["event"] for line in _lines(path)] == ["write"]


def test_an_earlier_record_at_the_same_place_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    for number in range(2):
        with RunLog(path) as log:
            log.write("start", number=number)
    assert [line["number"] for line in _lines(path)] == [0, 1]


def test_without_a_path_each_run_has_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with RunLog(None) as one, RunLog(None) as two:
        one.write("start")
        two.write("start")
    assert one.path != two.path
    for log in (one, two):
        assert re.fullmatch(r"\.icplan/runs/\d{8}T\d{6}\.\d{6}Z-\d+\.jsonl", str(log.path))
        assert len(_lines(log.path)) == 1


def _refused(path: Path) -> IcplanError:
    with pytest.raises(IcplanError) as caught, RunLog(path) as log:
        log.write("start")
    assert caught.value.thing == "run log"
    assert caught.value.place == str(path)
    assert "--run-log" in caught.value.cure
    return caught.value


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for path, cause in (
        (tmp_path, "is a directory"),
        (file / "run.jsonl", f"{file} is a file"),
        (tmp_path / ("x" * 300), "file name too long"),
        (Path("/proc/icplan/run.jsonl"), "no such file or directory"),
    ):
        assert _refused(path).cause == f"it cannot be written: {cause}"


def test_a_full_disk_is_told_once_and_leaving_is_no_second_error() -> None:
    assert _refused(Path("/dev/full")).cause == "it cannot be written: no space left on device"
