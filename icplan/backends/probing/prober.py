"""What a place to ping from is, and the one that a command of the user's leads to."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from icplan.errors import IcplanError

_SLICE_SECONDS = 0.2
NOT_FOUND = 127


class ProbeFailed(IcplanError):
    """A command could not be run at a place to ping from, or no such place could be had."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    output: str


class Prober(Protocol):
    """A place to ping from."""

    @property
    def place(self) -> str:
        """Where it is, in words: "pod default/web of az1"."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others ping: its addresses without lengths."""

    @property
    def subnet(self) -> str:
        """The name of its subnet, if that is known."""

    @property
    def can_ping(self) -> bool:
        """Whether commands can be run there; else it can only be pinged."""

    def run(self, command: Sequence[str], seconds: float, cancelled: Callable[[], bool]) -> Said:
        """Runs a command to its end.

        Raises:
            ProbeFailed: it could not be run, or did not end in time.
        """


@dataclass(frozen=True, slots=True)
class CommandProber:
    """A place that a command of the user's leads to, such as `ip netns exec qdhcp-1`.

    Attributes:
        zone: the zone it is in.
        addresses: of that place.
        prefix: what a command line there begins with; nothing when it can only be pinged.
    """

    zone: str
    addresses: tuple[str, ...]
    prefix: tuple[str, ...] = ()
    subnet: str = field(default="", init=False)

    @property
    def place(self) -> str:
        """Its address."""
        return f"{self.addresses[0]} of {self.zone}"

    @property
    def can_ping(self) -> bool:
        """Whether the user has said how."""
        return bool(self.prefix)

    def run(self, command: Sequence[str], seconds: float, cancelled: Callable[[], bool]) -> Said:
        """Runs a command behind the user's one; no shell is between.

        Raises:
            ProbeFailed: it could not be run, or did not end in time.
        """
        whole = [*self.prefix, *command]
        end = time.monotonic() + seconds
        try:
            # In a session of its own: Ctrl-C is for us, and we end it.
            process = subprocess.Popen(
                whole,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            raise self._failed(f"it cannot be run: {(error.strerror or str(error)).lower()}") from (
                error
            )
        with process:
            while True:
                try:
                    output, _ = process.communicate(timeout=_SLICE_SECONDS)
                    return Said(process.returncode, output)
                except subprocess.TimeoutExpired:
                    if time.monotonic() > end or cancelled():
                        process.kill()
                        process.communicate()
                        raise self._failed(f"it did not end within {seconds:.3g} s") from None

    def _failed(self, cause: str) -> ProbeFailed:
        return ProbeFailed(
            f"command to ping from {self.place}",
            place=shlex.join(self.prefix),
            cause=cause,
            cure="try it by hand with ping -c 1 behind it, and correct --probe",
        )
