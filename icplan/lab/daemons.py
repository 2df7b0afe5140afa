"""Starting background processes and ending them, by pidfile and id. Never by a process name."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from icplan.errors import IcplanError
from icplan.lab.programs import TIMEOUT_SECONDS, complete, find_program

_LOG_LINES = 8


@dataclass(frozen=True, slots=True)
class Daemon:
    """A background process that writes a pidfile, a log and a control socket into its folder.

    Attributes:
        name: the stem of those three files ("nb" gives nb.pid, nb.log, nb.ctl).
        directory: the absolute folder; the process mentions it on its command line, which is how
            a pid from a pidfile is known to be still ours.
        program: the program's name, or its path.
        arguments: what it does; the options common to all daemons are added.
        namespace: the network namespace it runs in; empty means the caller's.
        names_control: whether it takes the option that names its control socket.
    """

    name: str
    directory: Path
    program: str
    arguments: tuple[str, ...]
    namespace: str = ""
    names_control: bool = True

    @property
    def pidfile(self) -> Path:
        """Where the process writes its id."""
        return self.directory / f"{self.name}.pid"

    @property
    def logfile(self) -> Path:
        """Where the process writes its log."""
        return self.directory / f"{self.name}.log"

    @property
    def control(self) -> Path:
        """The socket for ovs-appctl."""
        return self.directory / f"{self.name}.ctl"

    def start(self) -> None:
        """Start the process and return when it says it is ready.

        Raises:
            IcplanError: it could not be started; the cause holds the last lines of its log.
        """
        program = self.program if "/" in self.program else find_program(self.program)
        inside = (find_program("ip"), "netns", "exec", self.namespace) if self.namespace else ()
        command = [
            *inside,
            program,
            *self.arguments,
            "--detach",
            "--no-chdir",
            f"--pidfile={self.pidfile}",
            f"--log-file={self.logfile}",
            *((f"--unixctl={self.control}",) if self.names_control else ()),
            "-vconsole:off",
            "-vsyslog:off",
        ]
        try:
            done = complete(command, self.directory, TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise self.failed(f"not ready after {TIMEOUT_SECONDS:.0f} s") from error
        if done.returncode != 0:
            raise self.failed(done.stderr.strip() or f"exit {done.returncode}")

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> None:
        """End the process, harder if it does not end within ten seconds; it may be gone already."""
        end_all([self.pidfile], self.directory, signal_number)

    def send(self, signal_number: signal.Signals) -> None:
        """Send the process a signal; nothing happens when it is gone."""
        handle = _open_ours(self.pidfile, self.directory)
        if handle is not None:
            _send(handle, signal_number)
            os.close(handle)

    def running(self) -> bool:
        """Whether the process of the pidfile lives and is ours."""
        handle = _open_ours(self.pidfile, self.directory)
        if handle is None:
            return False
        os.close(handle)
        return True

    def log_tail(self) -> str:
        """The last lines of the log, or nothing when there is no log."""
        try:
            lines = self.logfile.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-_LOG_LINES:])

    def failed(self, cause: str) -> IcplanError:
        """The error that says this daemon failed, with the last lines of its log."""
        return IcplanError(
            f"lab daemon {Path(self.program).name} ({self.name})",
            place=str(self.directory),
            cause="\n".join(filter(None, (cause, self.log_tail()))),
            cure="the cause holds the end of its log; on a machine under heavy load try again",
        )


def end_all(
    pidfiles: Iterable[Path], root: Path, first: signal.Signals = signal.SIGKILL
) -> list[int]:
    """End the processes of these pidfiles that are ours, and return those that would not end.

    A process is ours when its command line mentions the folder `root`. The pid is held by a
    process descriptor from before that check until the signal, so a pid that the kernel has
    given to somebody else meanwhile is never hit.

    Args:
        pidfiles: files holding one process id each; missing and stale ones are skipped.
        root: the absolute folder that our processes mention.
        first: the first signal; SIGKILL follows after ten seconds.
    """
    handles: dict[int, Path] = {}
    for pidfile in pidfiles:
        handle = _open_ours(pidfile, root)
        if handle is not None:
            handles[handle] = pidfile
    waiting = set(handles)
    for signal_number, patience in ((first, 10.0), (signal.SIGKILL, TIMEOUT_SECONDS)):
        for handle in waiting:
            _send(handle, signal_number)
        _wait_for_end(waiting, patience)
    for handle, pidfile in handles.items():
        if handle not in waiting:
            pidfile.unlink(missing_ok=True)
        os.close(handle)
    return [int(handles[handle].read_text()) for handle in waiting]


def mentioned(root: Path) -> bool:
    """Whether any process but this one mentions a path in the folder on its command line.

    For waiting only: a process is never ended for what it mentions.
    """
    needle, own = os.fsencode(root) + b"/", str(os.getpid())
    for folder in Path("/proc").glob("[0-9]*"):
        if folder.name == own:
            continue
        with contextlib.suppress(OSError):
            if needle in (folder / "cmdline").read_bytes():
                return True
    return False


def _send(handle: int, signal_number: signal.Signals) -> None:
    try:
        signal.pidfd_send_signal(handle, signal_number)
    except ProcessLookupError:
        return


def _wait_for_end(handles: set[int], patience: float) -> None:
    """Remove from the set whatever ends within so many seconds."""
    poller = select.poll()
    for handle in handles:
        poller.register(handle, select.POLLIN)
    deadline = time.monotonic() + patience
    while handles and (left := deadline - time.monotonic()) > 0:
        for handle, _ in poller.poll(left * 1000):
            poller.unregister(handle)
            handles.discard(handle)


def _open_ours(pidfile: Path, root: Path) -> int | None:
    """A process descriptor for the pidfile's process, if it lives and mentions our folder."""
    try:
        pid = int(pidfile.read_text())
        handle = os.pidfd_open(pid)
    except (OSError, ValueError):
        return None
    try:
        command_line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        command_line = b""
    if os.fsencode(root) + b"/" not in command_line:
        os.close(handle)
        return None
    return handle
