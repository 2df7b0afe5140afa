"""What engine hosts call runc: adapts a container to this machine, then becomes the real runc.

Run by its path as a program, and imports nothing of icplan's. Two adaptations:

- Capabilities that this machine itself lacks are not demanded: `--privileged` asks for all that
  the kernel knows, and runc refuses what is beyond its own. Where none is missing nothing changes.
- The container's control group lies below one of its host: containers of the same name on several
  hosts are not in one group, and nothing is left when a host is gone.

Usage: runc_wrapper.py RUNC CONTROL-GROUP [what runc gets]
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# In the kernel's order: the number of a capability is its place (capabilities(7)).
_CAPABILITIES = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
    NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO
    SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME
    SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG
    WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
"""


def missing_capabilities(status: str) -> set[str]:
    """The capabilities that a process with this /proc status can never have."""
    line = next(line for line in status.splitlines() if line.startswith("CapBnd:"))
    bounding = int(line.split()[1], 16)
    return {
        f"CAP_{name}"
        for number, name in enumerate(_CAPABILITIES.split())
        if not bounding >> number & 1
    }


def without(process: dict[str, Any], missing: set[str]) -> dict[str, Any]:
    """The description of a process that does not ask for these capabilities."""
    asked = process.get("capabilities")
    if not asked:
        return process
    kept = {kind: [one for one in names if one not in missing] for kind, names in asked.items()}
    return process | {"capabilities": kept}


def adapted(container: dict[str, Any], missing: set[str], group: str) -> dict[str, Any]:
    """The description of a container without these capabilities, below that control group."""
    linux = container.get("linux", {})
    path = "/" + linux.get("cgroupsPath", "").strip("/")
    inside = path if path.startswith(f"/{group}/") else f"/{group}{path}"
    process = without(container.get("process", {}), missing)
    return container | {"process": process, "linux": linux | {"cgroupsPath": inside}}


def option(arguments: list[str], long: str, short: str) -> str | None:
    """The value of one of runc's options."""
    for number, argument in enumerate(arguments):
        if argument in {long, short}:
            return arguments[number + 1]
        if argument.startswith(f"{long}="):
            return argument.partition("=")[2]
    return None


def _main(runc: str, group: str, arguments: list[str]) -> None:
    missing = missing_capabilities(Path("/proc/self/status").read_text(encoding="ascii"))
    if bundle := option(arguments, "--bundle", "-b"):
        _rewrite(Path(bundle) / "config.json", lambda one: adapted(one, missing, group))
    if process := option(arguments, "--process", "-p"):
        _rewrite(Path(process), lambda one: without(one, missing))
    os.execv(runc, [runc, *arguments])


def _rewrite(file: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    if file.exists():
        file.write_text(json.dumps(change(json.loads(file.read_text()))))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.argv[3:])
