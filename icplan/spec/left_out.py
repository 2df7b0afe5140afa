"""Zones that a run leaves out. Whether a plan spares them is judged in planning, never here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from icplan.errors import UsageError
from icplan.spec.diagnostic import escape
from icplan.spec.load import Spec


def leave_out(spec: Spec, zones: Iterable[str]) -> Spec:
    """The spec with zones of which nothing is looked at and nothing is written.

    Raises:
        UsageError: the file has no such zone, or it is the road to the IC databases.
    """
    names = [zone.name for zone in spec.interconnect.availability_zones]
    wanted = list(dict.fromkeys(zones))
    unknown = [one for one in wanted if one not in names]
    if unknown:
        raise UsageError(
            _option(unknown),
            place=escape(spec.document.file),
            cause=f"there is no availability zone {', '.join(map(escape, unknown))}",
            cure=f"name one of {', '.join(sorted({*names}))}",
        )
    reach = spec.interconnect.ic_database.reach
    # Even as a mere road it would be logged in to and have commands executed in it: whoever leaves
    # a zone out relies on nobody touching it, and most often it could not carry them anyway.
    if reach is not None and reach.through in wanted:
        raise UsageError(
            _option([reach.through]),
            place=escape(str(spec.origin("icDatabase", "reach", "through"))),
            cause=f"the IC databases are reached through {reach.through}",
            cure="leave `reach` to another zone, or go where the databases can be reached directly",
        )
    return replace(spec, without=frozenset(wanted))


def _option(zones: Iterable[str]) -> str:
    return " ".join(f"--without {escape(zone)}" for zone in zones)
