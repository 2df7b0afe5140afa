"""Saved plans: the file's content, the digest, and the document to be shown. No I/O.

A saved plan is never carried out as it stands: it is planned anew from the content, and only the
same digest goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from icplan.errors import IcplanError

FORMAT = "icplan-plan"
MAJOR = 1


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A saved plan.

    Attributes:
        file: the interconnect file as the user named it; relative paths in it count from there.
        content: its text.
        digest: of the plan that was saved.
        document: the plan as it was shown.
        without: the zones that it leaves out.
        destroyed: it takes everything apart.
    """

    file: str
    content: str
    digest: str
    document: Mapping[str, object]
    without: tuple[str, ...] = ()
    destroyed: bool = False


def encode(plan_file: PlanFile) -> bytes:
    """The bytes of a saved plan; the same plan gives the same bytes."""
    # Absent unless it is so: what cannot read it must not take it for another plan.
    destroyed = {"destroyed": True} if plan_file.destroyed else {}
    return orjson.dumps(
        {
            "format": FORMAT,
            "format_version": f"{MAJOR}.1",
            "file": plan_file.file,
            "content": plan_file.content,
            "without": list(plan_file.without),
            "digest": plan_file.digest,
            "plan": plan_file.document,
            **destroyed,
        },
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )


def decode(data: bytes, place: str) -> PlanFile:
    """A saved plan out of its bytes.

    Raises:
        IcplanError: it is none, or one of a later major version.
    """
    try:
        raw = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _bad(place, f"it is not JSON: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise _bad(place, "it is no saved plan")
    version = str(raw.get("format_version"))
    if version.partition(".")[0] != str(MAJOR):
        raise _bad(place, f"its format version is {version}, this icplan reads {MAJOR}.x")
    document = raw.get("plan")
    file, content, digest = (raw.get(key) for key in ("file", "content", "digest"))
    # Plans that were saved before there was such an option leave nothing out.
    without = raw.get("without", [])
    if (
        isinstance(file, str)
        and isinstance(content, str)
        and isinstance(digest, str)
        and isinstance(document, dict)
        and isinstance(without, list)
        and all(isinstance(zone, str) for zone in without)
    ):
        destroyed = raw.get("destroyed") is True
        return PlanFile(file, content, digest, document, tuple(without), destroyed)
    raise _bad(place, "parts of it are missing")


def _bad(place: str, cause: str) -> IcplanError:
    return IcplanError(
        "plan file", place=place, cause=cause, cure="make a new one: icplan plan --out FILE"
    )
