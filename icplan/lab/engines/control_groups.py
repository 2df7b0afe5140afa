"""Removing the control groups that an engine host's containers were in."""

from __future__ import annotations

import errno
from functools import partial
from pathlib import Path

from icplan.lab.waiting import wait_until

_ROOT = Path("/sys/fs/cgroup")


def remove_control_groups(prefix: str) -> None:
    """Remove the control groups whose name begins so, once their processes have ended.

    Raises:
        IcplanError: a process in one of them does not end.
    """
    # One hierarchy, or one for each controller.
    for root in (_ROOT, *_ROOT.glob("*/")):
        for group in root.glob(f"{prefix}*/"):
            folders = sorted((one for one in group.rglob("*") if one.is_dir()), reverse=True)
            for folder in (*folders, group):
                wait_until(partial(_removed, folder), "control group empties", place=str(folder))


def _removed(folder: Path) -> bool:
    """Whether a group is gone; one with processes in it stays."""
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True
