"""Files on a host of the IC databases: which there are, and their removal. Knows no engine."""

from __future__ import annotations

from icplan.backends.deadline import Deadline
from icplan.backends.engines.failures import CommandFailed, last_line
from icplan.backends.engines.road import Road


def existing(road: Road, files: tuple[str, ...], deadline: Deadline) -> tuple[str, ...]:
    """Those of the files that there are.

    Raises:
        CommandFailed: it cannot be seen; a folder that may not be looked into is not empty.
    """
    if not files:
        return ()
    done = road.run(("env", "LC_ALL=C", "ls", "-d", "--", *files), deadline)
    there = done.out.split("\n")
    absent = done.err.count("No such file or directory")
    if len([one for one in files if one in there]) + absent < len(files):
        raise CommandFailed(
            f"it cannot be seen which files there are: {last_line(done.err)}",
            "use root there, or a user who may look into that folder",
        )
    return tuple(one for one in files if one in there)


def delete(road: Road, files: tuple[str, ...], deadline: Deadline) -> None:
    """Removes files; one that is not there is none the less removed.

    Raises:
        CommandFailed: not all of them are gone.
    """
    if not files:
        return
    done = road.run(("rm", "-f", "--", *files), deadline)
    if done.code != 0:
        raise CommandFailed(
            f"the files of the databases cannot be removed: {last_line(done.err)}",
            f"remove them as root: rm {' '.join(files)}",
        )
