"""What came of an import: as text and as a document. The imported file itself comes as it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from icplan.planning.importing.asked import Unsaid
from icplan.planning.importing.imported import Imported
from icplan.render.document import FORMAT_VERSION, Json, verdict_document
from icplan.render.paint import Paint, escape
from icplan.render.text import verdict_lines
from icplan.render.wrapping import wrapped


def import_document(
    found: Imported, notes: Sequence[str], out: str | None, exit_code: int
) -> dict[str, object]:
    """The file, what it does not say, and what stands against its plan."""
    refused = [verdict_document(one) for one in found.plan.verdicts if one.refuses]
    return {
        "format_version": FORMAT_VERSION,
        "owner": found.plan.owner,
        "out": out,
        "content": found.text,
        "zones": [one.name for one in found.draft.entries],
        "unsaid": [_unsaid_document(one) for one in found.unsaid],
        "refused": refused,
        "notes": [*notes],
        "exit": exit_code,
    }


def _unsaid_document(one: Unsaid) -> dict[str, Json]:
    return {"at": one.at, "thing": one.thing, "what": one.what, "cure": one.cure}


def import_text(found: Imported, notes: Sequence[str], out: str | None, paint: Paint) -> str:
    """What a user should know besides the file."""
    return "\n".join(_lines(found, notes, out, paint)) + "\n"


def _lines(found: Imported, notes: Sequence[str], out: str | None, paint: Paint) -> Iterator[str]:
    for note in notes:
        yield from wrapped(f"note: {note}", "", "  ")
    if found.unsaid:
        yield paint.strong("Not said in the file:")
    for one in found.unsaid:
        yield f"  {paint.altered(escape(one.at))} {escape(one.thing)}"
        yield from _wrapped(one.what)
        yield from _wrapped(f"cure: {one.cure}")
    refused = [verdict_document(one) for one in found.plan.verdicts if one.refuses]
    if refused:
        yield paint.strong("`icplan plan` refuses the file as long as these stand:")
    for verdict in refused:
        yield from verdict_lines(verdict, paint)
    yield from _summary(found, out, paint)


def _summary(found: Imported, out: str | None, paint: Paint) -> Iterator[str]:
    names = [one.name for one in found.draft.entries]
    zones = f"{len(names)} zone{'' if len(names) == 1 else 's'} ({', '.join(names)})"
    count, place = len(found.unsaid), f" to {out}" if out else ""
    if count:
        rest, colour = (
            f"{'1 thing' if count == 1 else f'{count} things'} it does not say",
            paint.altered,
        )
    else:
        marks = " but owner marks" if found.plan.changes else ""
        rest, colour = f"its plan changes nothing{marks}", paint.good
    for line in wrapped(f"Imported {zones}{place}: {rest}.", "", ""):
        yield colour(line)
    plan = f"Next: icplan plan -f {escape(out or 'FILE')}"
    if count:
        yield f"{plan}, then apply it if that is meant."
    elif found.plan.changes:
        yield f"{plan}, then icplan apply, which sets them."


def _wrapped(text: str) -> list[str]:
    return wrapped(text, " " * 6, " " * 6)
