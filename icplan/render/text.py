"""A plan's document as text for people. Every line follows from the document alone."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.change import Reason
from icplan.core.words import FEW, listed
from icplan.planning.verdicts import waivable
from icplan.render.document import (
    ChangeDocument,
    Json,
    PlanDocument,
    VerdictDocument,
)
from icplan.render.paint import Paint, escape
from icplan.render.wrapping import wrapped

_PLACE_COLUMN = 56
_SIGNS = {"create": "+", "update": "~", "adopt": "=", "delete": "-"}
_MOST_AWAITS = 3
LEFT_OUT = "only the IC databases were asked about it, and nothing of it is written"
"""What is said of a zone that is left out."""


def plan_text(document: PlanDocument, paint: Paint) -> str:
    """The whole plan, ending with one line of numbers."""
    lines = [
        *_unreadable(document, paint),
        *_waves(document, paint),
        *_verdicts(document, paint),
        *_not_checked(document, paint),
        *_summary(document, paint),
    ]
    return "\n".join(lines) + "\n"


def summary_text(document: PlanDocument, paint: Paint) -> str:
    """The plan in one line of numbers."""
    return "\n".join(_summary(document, paint)) + "\n"


def _unreadable(document: PlanDocument, paint: Paint) -> Iterator[str]:
    if not document["unreadable"]:
        return
    yield paint.bad("Nothing can be planned for:")
    for one in document["unreadable"]:
        yield f"  {escape(one['subject'])}"
        yield from _wrapped(f"cause: {one['cause']}", 6)
        yield from _wrapped(f"cure:  {one['cure']}", 6)
    yield ""


def _not_checked(document: PlanDocument, paint: Paint) -> Iterator[str]:
    if not document["not_checked"] and not document["without"]:
        return
    yield paint.strong("Not checked:")
    for zone in document["without"]:
        yield f"  {escape(zone)} is left out: {LEFT_OUT}"
    for one in document["not_checked"]:
        yield f"  {escape(one['subject'])}"
        yield from _wrapped(f"cause: {one['cause']}", 6)
        yield from _wrapped(f"cure:  {one['cure']}", 6)
    yield ""


def _waves(document: PlanDocument, paint: Paint) -> Iterator[str]:
    changes = {change["address"]: change for change in document["resource_changes"]}
    total = len(document["waves"])
    said: set[str] = set()
    for wave in document["waves"]:
        yield paint.strong(f"Wave {wave['number']} of {total}: {escape(wave['title'])}")
        # What an earlier wave awaits already need not be said twice.
        unsaid = [claim for claim in wave["requires"] if claim not in said]
        yield from _awaits("first waits until", unsaid, paint)
        for address in wave["changes"]:
            yield from _change(changes[address], paint)
        yield from _awaits("then waits until", wave["awaits"], paint)
        said |= {*wave["requires"], *wave["awaits"]}
        yield ""


def _change(change: ChangeDocument, paint: Paint) -> Iterator[str]:
    sign = _SIGNS[change["action"]]
    colour = {"+": paint.good, "-": paint.bad}.get(sign, paint.altered)
    origin = change["origin"]
    place = f"{escape(origin['file'])}:{origin['line']}:{origin['column']}" if origin else ""
    head = f"  {sign} {escape(change['address'])}"
    gap = " " * max(2, _PLACE_COLUMN - len(head)) if place else ""
    yield colour(head) + gap + paint.faint(place)
    if change["action"] in {"adopt", "delete"}:
        # Else an adoption that alters nothing would show nothing.
        unaltered = change["action"] == "adopt" and not change["change"]["differing"]
        only = "; only icplan's mark is added" if unaltered else ""
        yield paint.faint(f"      ({change['reason']}{only})")
    yield from _attributes(change)
    for effect in change["effects"]:
        text = "\n".join(_wrapped(f"impact: {effect['sentence']}", 6))
        mark = {"outage": paint.bad, "brief": paint.altered}.get(effect["impact"], str)
        yield mark(text)


def _attributes(change: ChangeDocument) -> Iterator[str]:
    before, after = change["change"]["before"], change["change"]["after"]
    names = change["change"]["differing"]
    width = max((len(name) for name in names), default=0)
    for name in names:
        old = _value((before or {}).get(name))
        new = _value((after or {}).get(name), unknown=name in change["change"]["after_unknown"])
        if before is None:
            shown = new
        elif after is None:
            shown = old
        else:
            shown = f"{old} -> {new}"
        yield f"      {name.ljust(width)}  {shown}"


def _value(value: Json, *, unknown: bool = False) -> str:
    match value:
        case str() if unknown:
            return escape(value)  # words about it, and not the text itself
        case None:
            return "(none)"
        case bool():
            return "true" if value else "false"
        case list():
            return ", ".join(escape(str(one)) for one in value) or "(none)"
        case str():
            return f'"{escape(value)}"'
    return str(value)


def _awaits(label: str, claims: list[str], paint: Paint) -> Iterator[str]:
    if not claims:
        return
    shown = "; ".join(claims[:_MOST_AWAITS])
    if (more := len(claims) - _MOST_AWAITS) > 0:
        shown += f"; and {more} more"
    for line in _wrapped(f"{label}: {shown}", 4):
        yield paint.faint(line)


def _verdicts(document: PlanDocument, paint: Paint) -> Iterator[str]:
    titles = (
        ("refused", "Refused:"),
        ("waived", "Accepted by the file:"),
        ("warning", "Warnings:"),
    )
    for status, headline in titles:
        found = [one for one in document["verdicts"] if one["status"] == status]
        if found:
            yield paint.bad(headline) if status == "refused" else paint.strong(headline)
            for one in found:
                yield from verdict_lines(one, paint)
            yield ""


def verdict_lines(verdict: VerdictDocument, paint: Paint) -> Iterator[str]:
    """A verdict with its place, and what to do."""
    origin = verdict["origin"]
    place = f"  {escape(origin['file'])}:{origin['line']}:{origin['column']}" if origin else ""
    colour = {"refused": paint.bad, "warning": paint.altered}.get(verdict["status"], str)
    yield f"  {colour(verdict['code'])} {escape(verdict['at'])}{paint.faint(place)}"
    yield from _wrapped(verdict["message"], 6)
    if verdict["status"] == "waived":
        yield from _wrapped(f"accepted: {verdict['waived']}", 6)
    else:
        yield from _wrapped(f"cure: {verdict['cure']}", 6)
    if verdict["status"] == "refused" and waivable(verdict["code"]):
        entry = f"{{rule: {verdict['code']}, at: {verdict['at']}, reason: WHY}}"
        yield from _wrapped(f"or waive it, once reviewed, by an entry of `accept`: {entry}", 6)


def _summary(document: PlanDocument, paint: Paint) -> Iterator[str]:
    summary = document["summary"]
    counts = [
        f"{summary['create']} to create",
        f"{summary['change']} to change",
        *([f"{summary['adopt']} to adopt"] if summary["adopt"] else []),
        f"{summary['destroy']} to destroy",
    ]
    if not document["resource_changes"]:
        if document["unreadable"]:
            yield paint.bad("No changes, as far as can be seen.")
        elif document["refused"]:
            yield "No changes."
        elif document["preview"]:
            yield "No changes, as far as may be seen."
        elif document.get("destroyed"):
            yield paint.good("No changes. Nothing is left of this interconnection.")
        elif document["without"]:
            yield paint.good("No changes. But for what is left out, all is what the file says.")
        else:
            yield paint.good("No changes. What is there is what the file says.")
    else:
        yield paint.strong(f"Plan: {', '.join(counts)}.") + f" {_disruption(document)}"
        if document.get("destroyed") and summary["destroy"]:
            yield paint.bad("Everything that the file declares is taken apart.")
    yield from _not_to_be_applied(document, paint)


def _not_to_be_applied(document: PlanDocument, paint: Paint) -> Iterator[str]:
    """Why apply will not carry a plan out."""
    incomplete = document["unreadable"] and document["resource_changes"]
    if incomplete and not document["refused"]:
        yield paint.bad(
            "This plan is incomplete: apply will not carry it out before all that can be seen."
        )
    if document["preview"]:
        yield paint.altered(
            "This is a preview: without what is not checked it has no digest and cannot be saved."
        )
    if document["refused"]:
        yield paint.bad("This plan is refused: apply will not carry it out.")


def _disruption(document: PlanDocument) -> str:
    summary = document["summary"]
    disrupted = summary["disrupted_zones"]
    if not disrupted:
        return f"No zone disrupted{_if_gone(document)}."
    zones = "1 zone" if len(disrupted) == 1 else f"{len(disrupted)} zones"
    details = "; ".join(
        f"{escape(group['zone'])} from {_peers(group['peers'])}: {group['outcome']}"
        for group in document["disrupted_pairs"]
    )
    if not summary["pairs"]:
        return f"{zones} disrupted ({details})."
    return (
        f"{zones} disrupted: {summary['pairs_disrupted']} of {summary['pairs']} AZ pairs "
        f"({details})."
    )


def _if_gone(document: PlanDocument) -> str:
    """What that rests on: of zones that are taken for dead only the file says that they are."""
    changes = document["resource_changes"]
    gone = [one["address"].rpartition("/")[2] for one in changes if one["reason"] == Reason.GONE]
    if not gone:
        return ""
    return f", if {_peers(gone)} {'is' if len(gone) == 1 else 'are'} no more"


def _peers(peers: list[str]) -> str:
    if not peers:
        return "zones that could not be seen"
    return listed([*map(escape, peers)], FEW)


def _wrapped(text: str, indent: int) -> list[str]:
    return wrapped(text, " " * indent, " " * (indent + 2))
