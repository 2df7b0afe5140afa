"""The comments of an imported file: where it is from, and what it does not say. No data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from icplan.core.address import IC
from icplan.planning.importing.asked import HEAD, Entry, Unsaid
from icplan.planning.importing.draft import NEAR_ZONES, Draft
from icplan.spec.diagnostic import escape
from icplan.spec.source import Path
from icplan.spec.writing import Page, element, paragraph

SECTIONS = ("metadata", "icDatabase", "transitSwitches")
"""Those keys at the top that have something to say, and may not be there."""


def page(draft: Draft, schema: str) -> Page:
    """The file with its comments.

    Args:
        draft: what the file says.
        schema: what its first line names as its schema, for editors.
    """
    comments: dict[Path, tuple[str, ...]] = {(): tuple(_head(draft, schema))}
    comments["metadata", "name"] = paragraph(draft.owner.note)
    places = {one.name: place for place, one in enumerate(draft.entries)}
    data = draft.data
    for one in draft.entries:
        notes = (line for note in one.notes for line in paragraph(note))
        told = _told(u for u in draft.unsaid if u.near == HEAD and u.at == one.name)
        _above(comments, (NEAR_ZONES, places[one.name]), (*told, *notes))
    outside = [one for one in draft.unsaid if one.near == NEAR_ZONES]
    _above(comments, (NEAR_ZONES, len(draft.entries)), _end(outside, draft.left_out))
    for near in SECTIONS:
        told = _told(one for one in draft.unsaid if one.near == near)
        if near in data:
            _above(comments, (near,), told)
    for place, waiver in enumerate(draft.waivers):
        _above(
            comments,
            ("accept", place),
            paragraph(
                f"Written by the import, so that {waiver.at} is not disturbed: review it, and take "
                "it out when its cause may be removed."
            ),
        )
    return Page(data, comments)


def _above(comments: dict[Path, tuple[str, ...]], path: Path, lines: Iterable[str]) -> None:
    found = (*comments.get(path, ()), *lines)
    if found:
        comments[path] = found


def _head(draft: Draft, schema: str) -> Iterator[str]:
    yield f"yaml-language-server: $schema={escape(schema)}"
    yield ""
    named = ", ".join(one.title for one in draft.asked.zones)
    yield from paragraph(f"Imported from what runs, by `icplan import`: {named}.")
    if not draft.unsaid:
        yield from paragraph("The plan of this file changes nothing but owner marks.")
        return
    count = len(draft.unsaid)
    things = "One thing runs" if count == 1 else f"{count} things run"
    yield from paragraph(
        f"{things} otherwise than this file can say: look for NOT SAID. Read `icplan plan` before "
        "you apply the file."
    )
    known = {one.name for one in draft.entries}
    for one in draft.unsaid:
        of_zone = one.near == HEAD and one.at in known
        if not of_zone and one.near != NEAR_ZONES and one.near not in draft.data:
            yield ""
            yield from _told([one])


def _told(unsaid: Iterable[Unsaid]) -> tuple[str, ...]:
    return tuple(
        line
        for one in unsaid
        for line in (
            *paragraph(f"NOT SAID: {_where(one)}: {one.what}.", rest="  "),
            *paragraph(f"{one.cure[0].upper()}{one.cure[1:]}.", first="  ", rest="  "),
        )
    )


def _where(one: Unsaid) -> str:
    return one.thing if one.at == IC or one.at in one.thing else f"{one.thing} of {one.at}"


def _end(unsaid: Iterable[Unsaid], left_out: Iterable[Entry]) -> Iterator[str]:
    """What is not among the zones; of those that could be, the entry to begin with."""
    yield from _told(unsaid)
    for one in left_out:
        if one.data:
            yield from map(escape, element(one.data))
