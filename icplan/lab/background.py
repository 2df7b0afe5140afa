"""Turning a Python process of the lab into a daemon with a pidfile, as OVN's programs do it.

The contract is theirs: the command returns when the daemon is ready, and fails when it is not.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path


def option(name: str) -> Path:
    """The value of one of the options that all daemons of the lab get."""
    prefix = f"--{name}="
    return Path(next(each[len(prefix) :] for each in sys.argv if each.startswith(prefix)))


def serve(prepare: Callable[[], Callable[[], None]]) -> None:
    """Detach, prepare, write the pidfile, let the caller go, and serve until the end.

    Args:
        prepare: opens what is needed and returns the function that serves; if it raises, the
            command that started the daemon fails.
    """
    ready, report = os.pipe()
    if os.fork():
        os.close(report)
        sys.exit(0 if os.read(ready, 1) else 1)
    os.close(ready)
    os.setsid()
    if os.fork():
        os._exit(0)
    log = os.open(option("log-file"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    pidfile = option("pidfile")
    pidfile.write_text(f"{os.getpid()}\n")
    work = prepare()
    os.write(report, b"r")
    os.close(report)
    work()
