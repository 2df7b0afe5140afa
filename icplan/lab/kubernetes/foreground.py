"""Daemons that do not detach by themselves: etcd, the API server, kwok."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icplan.lab.daemons import Daemon
from icplan.lab.programs import TIMEOUT_SECONDS, complete
from icplan.lab.waiting import POLL_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

# The process writes its own pidfile before it becomes the program, in a session of its own: it
# outlives us, and a starter killed in between leaves no program without a pidfile.
_BECOME = 'echo $$ >"$0" && exec "$@"'
_DETACH = f"""log=$1 pidfile=$2; shift 2
setsid /bin/sh -c '{_BECOME}' "$pidfile" "$@" </dev/null >>"$log" 2>&1 &"""


@dataclass(frozen=True, slots=True)
class ForegroundDaemon(Daemon):
    """A program that stays in the foreground and logs to standard error."""

    def start(self) -> None:
        """Start the process and return at once; `wait_until_ready` says when it serves.

        Raises:
            IcplanError: it could not be started.
        """
        # An old pidfile would make a process that is not there yet look like one that has died.
        self.pidfile.unlink(missing_ok=True)
        files = (str(self.logfile), str(self.pidfile))
        command = ["/bin/sh", "-c", _DETACH, "sh", *files, self.program, *self.arguments]
        try:
            done = complete(command, self.directory, TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self.failed(f"not started after {TIMEOUT_SECONDS:.0f} s") from error
        if done.returncode != 0:
            raise self.failed(done.stderr.strip() or f"exit {done.returncode}")

    def wait_until_ready(self, ready: Callable[[], bool]) -> None:
        """Wait until it serves.

        Args:
            ready: whether it does; asked again and again.

        Raises:
            IcplanError: it ended, or it was not ready in time; the cause holds the end of its log.
        """
        deadline = time.monotonic() + TIMEOUT_SECONDS
        looks_without_life = 0
        while not ready():
            looks_without_life = 0 if self._alive() else looks_without_life + 1
            # Twice: between two programs a process has no command line for a moment.
            if looks_without_life > 1:
                raise self.failed("it has ended")
            if time.monotonic() > deadline:
                raise self.failed(f"not ready after {TIMEOUT_SECONDS:.0f} s")
            time.sleep(POLL_SECONDS)

    def _alive(self) -> bool:
        """Whether it runs, or has not yet come so far that it has written its pidfile."""
        try:
            return not self.pidfile.read_text() or self.running()
        except FileNotFoundError:
            return True
