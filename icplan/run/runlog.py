"""The record of a run: JSON lines, on disk before anything goes on. Never read by icplan."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from icplan.errors import IcplanError

DIRECTORY = Path(".icplan/runs")


class RunLog:
    """An open record.

    Args:
        path: the file; absent: a new one under `.icplan/runs`.

    Raises:
        IcplanError: it cannot be written, so nothing else may be.
    """

    def __init__(self, path: Path | None) -> None:
        started = datetime.now(UTC)
        name = f"{started:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}.jsonl"
        self.path = path or DIRECTORY / name
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab")
            _sync_directory(self.path.parent)
        except FileExistsError as error:
            raise _unwritable(self.path, f"{self.path.parent} is a file") from error
        except OSError as error:
            raise _unwritable(self.path, _reason(error)) from error

    def write(self, event: str, **details: object) -> None:
        """Adds a line and waits until the disk has it.

        Raises:
            IcplanError: the disk does not take it.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = orjson.dumps({"time": now, "event": event, **details}, default=str)
        try:
            self._file.write(line + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, _reason(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # What the disk did not take is tried once more here, and was told already.
        with suppress(OSError):
            self._file.close()


def _sync_directory(path: Path) -> None:
    """Waits until the disk knows the name of a new file in it."""
    directory = os.open(path, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _unwritable(path: Path, cause: str) -> IcplanError:
    return IcplanError(
        "run log",
        place=str(path),
        cause=f"it cannot be written: {cause}",
        cure="make room or name another place with --run-log; without a record nothing is written",
    )
