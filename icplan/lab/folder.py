"""The lab's folder: claiming it, and leaving nothing of it, whatever state it is in."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from pathlib import Path

from icplan.errors import IcplanError
from icplan.lab.daemons import end_all, mentioned
from icplan.lab.namespaces import remove_namespaces
from icplan.lab.state import FILE
from icplan.lab.waiting import POLL_SECONDS

# sun_path holds 108 bytes including the closing zero; Python and OVN's peers cannot go beyond.
_SOCKET_BYTES = 107
# The longest socket below a lab's folder, beside the zone's and the host's name.
_LONGEST_SOCKET = "ovn-controller.4194304.ctl"
_STRAGGLER_SECONDS = 2.0


def lab_id(directory: Path) -> str:
    """Six characters that tell this lab's namespaces from any other lab's on this machine."""
    return hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:6]


def claim(directory: Path) -> None:
    """Make the folder ours by an empty lab.json, before anything else is in it.

    Raises:
        IcplanError: a lab is there already, something else is, or it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if directory.stat().st_uid != os.getuid():
            raise IcplanError(
                "directory of the lab",
                place=str(directory),
                cause="belongs to another user",
                cure="choose another with --directory",
            )
        if (directory / FILE).exists():
            raise IcplanError(
                "directory of the lab",
                place=str(directory),
                cause="a lab is already there",
                cure="use it, or end it with icplan lab down",
            )
        if any(directory.iterdir()):
            raise IcplanError(
                "directory of the lab",
                place=str(directory),
                cause="is not empty, and icplan lab down removes all of it",
                cure="choose a new one with --directory",
            )
        (directory / FILE).touch(exist_ok=False)
    except OSError as error:
        raise IcplanError(
            "directory of the lab",
            place=str(directory),
            cause=str(error),
            cure="choose another with --directory",
        ) from error


def check_socket_paths(directory: Path, names: list[str]) -> None:
    """Refuse a folder so deep that its unix sockets would have names beyond the system's limit.

    Args:
        directory: the lab's folder.
        names: the relative folders that will hold sockets.

    Raises:
        IcplanError: it says how many bytes are too many.
    """
    longest = max(len(os.fsencode(directory / name / _LONGEST_SOCKET)) for name in names)
    if longest > _SOCKET_BYTES:
        raise IcplanError(
            "directory of the lab",
            place=str(directory),
            cause=f"unix sockets in it would have paths of {longest} bytes, "
            f"and the system allows {_SOCKET_BYTES}",
            cure=f"choose one at least {longest - _SOCKET_BYTES} bytes shorter with --directory",
        )


def remove(directory: Path) -> bool:
    """End every process and namespace of the lab and remove its folder.

    Needs nothing but the folder: also works on a lab whose start was killed half way, and does
    nothing when there is no lab.

    Returns:
        Whether there was a lab.

    Raises:
        IcplanError: the folder is no lab, or a process would not end.
    """
    # One spelling only: our processes are known by mentioning it.
    directory = directory.resolve()
    if not directory.exists():
        # Its namespaces may be left even when somebody has removed the folder.
        return remove_namespaces(lab_id(directory))
    if not (directory / FILE).exists():
        if any(directory.iterdir()):
            raise IcplanError(
                "directory of the lab",
                place=str(directory),
                cause=f"holds other files and no {FILE}, so it is no lab",
                cure="name the lab's directory with --directory",
            )
        directory.rmdir()
        return False
    _end_processes(directory)
    remove_namespaces(lab_id(directory))
    for each in directory.iterdir():
        if each.name == FILE:
            continue
        remove_tree(each)
    # Last, so that a down which is interrupted can be repeated.
    (directory / FILE).unlink()
    directory.rmdir()
    return True


def _end_processes(directory: Path) -> None:
    """End everything that has a pidfile in the folder.

    After a killed start something may have no pidfile yet. It is not touched, as a pager showing a
    log would look the same; it gets time to end by itself or to write its pidfile.
    """
    deadline = time.monotonic() + _STRAGGLER_SECONDS
    while True:
        # Nothing that these processes hold outlives the folder: they need no time for goodbyes.
        left = end_all(directory.rglob("*.pid"), directory)
        if left:
            raise IcplanError(
                "processes of the lab",
                place=", ".join(map(str, left)),
                cause="do not end, not even by SIGKILL",
                cure="they hang in the kernel; run icplan lab down again later",
            )
        if time.monotonic() > deadline or not mentioned(directory):
            return
        time.sleep(POLL_SECONDS)


def remove_tree(path: Path) -> None:
    """Remove a file or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
