"""Network namespaces of a lab, known by a prefix that only this lab has."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from icplan.lab.programs import find_program

_FOLDER = Path("/run/netns")


def namespace_name(lab: str, name: str) -> str:
    """The name of a namespace of the lab with this id."""
    return f"icl-{lab}-{name}"


def namespaces_of(lab: str) -> list[str]:
    """The names of the lab's namespaces that exist."""
    if not _FOLDER.is_dir():
        return []
    return sorted(path.name for path in _FOLDER.glob(f"{namespace_name(lab, '')}*"))


def why_no_namespaces() -> str | None:
    """Why this user cannot make network namespaces here; none when it works."""
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    probe = namespace_name(f"probe{os.getpid()}", "")
    ip = find_program("ip")
    made = subprocess.run([ip, "netns", "add", probe], capture_output=True, text=True, check=False)
    subprocess.run([ip, "netns", "del", probe], capture_output=True, check=False)
    if made.returncode != 0:
        return f"ip netns add: {made.stderr.strip()}"
    return None


def remove_namespaces(lab: str) -> bool:
    """Remove the lab's namespaces and end what still runs in them; whether there were any."""
    names = namespaces_of(lab)
    for name in names:
        ip = find_program("ip")
        # Whatever runs inside is ours by that alone: a ping of a starter that was killed.
        pids = subprocess.run(
            [ip, "netns", "pids", name], capture_output=True, text=True, check=False
        )
        for pid in pids.stdout.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        subprocess.run([ip, "netns", "del", name], capture_output=True, check=False)
    return bool(names)
