"""What came of pings, as text and as a document: good directions together, bad ones apart."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.io import Unreadable
from icplan.core.ping import Echo, PathMtu
from icplan.core.words import listed
from icplan.kinds.common.contract import Held, Missing
from icplan.planning.probes import Pinged
from icplan.render.document import Json
from icplan.render.paint import Paint, escape
from icplan.run.ping import PingReport

_MOST_NAMES = 8


def ping_text(report: PingReport, paint: Paint) -> str:
    """All directions, and one line of numbers."""
    return "\n".join(ping_lines(report, paint)) + "\n"


def ping_lines(report: PingReport, paint: Paint) -> Iterator[str]:
    """Line by line."""
    yield paint.strong("Pings")
    yield from _good(report, paint)
    for one in report.pinged:
        if not isinstance(one.verdict, Held):
            yield from _other(one, paint)
    for note in sorted({one.note for one in report.pinged if one.echo and one.note}):
        yield f"  {paint.altered('note')}: {escape(note)}"
    for pod in report.left:
        yield f"  {paint.bad('not removed')}: {escape(pod)}"
        yield "    cure: the next `icplan verify --ping` from this machine removes it"
    yield from _numbers(report)


def _good(report: PingReport, paint: Paint) -> Iterator[str]:
    """What is as it should be: one line for each zone that pings, however many it reaches."""
    by_source: dict[tuple[str, str], list[Pinged]] = {}
    for one in report.pinged:
        if isinstance(one.verdict, Held):
            by_source.setdefault((one.source, _size(one.mtu)), []).append(one)
    for (source, size), found in by_source.items():
        names = list(dict.fromkeys(one.target for one in found))
        echoes = [one.echo for one in found if one.echo is not None]
        lost, sent = sum(one.lost for one in echoes), sum(one.sent for one in echoes)
        line = (
            f"  {source} -> {listed(names, _MOST_NAMES)}: {sent - lost} of {sent} "
            f"answered{_times(echoes)}{size}"
        )
        yield paint.altered(line) if lost else paint.good(line)


def _size(mtu: PathMtu | None) -> str:
    if mtu is None:
        return ""
    told = f" (a router tells of it; interfaces take {mtu.own})" if mtu.told is not None else ""
    return f", packets of {mtu.passes} bytes pass{told}"


def _times(echoes: list[Echo]) -> str:
    averages = [one.average_ms for one in echoes if one.average_ms is not None]
    if not averages:
        return ""
    low, high = f"{min(averages):.1f}", f"{max(averages):.1f}"
    return f", {low} ms" if low == high else f", {low} to {high} ms"


def _other(one: Pinged, paint: Paint) -> Iterator[str]:
    name = f"{one.source} -> {one.target}"
    whom = f" from {one.place} to {one.address}" if one.place and one.address else ""
    match one.verdict:
        case None:
            yield f"  {name}: not pinged, the file gives no way there"
            yield f"    cause: {escape(one.note)}"
        case Missing(why, cure):
            head = "no answer" if one.echo is None or not one.echo.received else "MTU"
            yield paint.bad(f"  {name}: {head}{escape(whom)}")
            yield f"    cause: {escape(why)}"
            yield f"    cure:  {escape(cure)}"
        case Unreadable(cause=cause, cure=cure):
            yield paint.altered(f"  {name}: not probed")
            yield f"    cause: {escape(cause)}"
            yield f"    cure:  {escape(cure)}"


def _numbers(report: PingReport) -> Iterator[str]:
    held = sum(isinstance(one.verdict, Held) for one in report.pinged)
    yield (
        f"  As they should be: {held} of {len(report.pinged)} directions. Not so: "
        f"{len(report.missing)}. Not probed: {len(report.unseen)}."
    )
    if report.pairs < report.possible:
        yield (
            f"  {report.pairs} of {report.possible} pairs of zones were pinged: "
            f"--pairs {report.possible} pings all."
        )


def ping_document(report: PingReport) -> dict[str, Json]:
    """Every direction."""
    return {
        "pairs": report.pairs,
        "possible_pairs": report.possible,
        "not_removed": list(report.left),
        "pings": [_document(one) for one in report.pinged],
    }


def _document(one: Pinged) -> dict[str, Json]:
    result, why, cure = "not-expected", one.note, ""
    match one.verdict:
        case Held():
            result, why = "answered", ""
        case Missing(why, cure):
            silent = one.echo is None or not one.echo.received
            result = "silent" if silent else "mtu-hole"
        case Unreadable(cause=why, cure=cure):
            result = "not-probed"
    echo, mtu = one.echo, one.mtu
    return {
        "from": one.source,
        "to": one.target,
        "place": one.place,
        "address": one.address,
        "result": result,
        "why": why,
        "cure": cure,
        "sent": echo.sent if echo else 0,
        "received": echo.received if echo else 0,
        "fastest_us": _microseconds(echo.fastest_ms if echo else None),
        "average_us": _microseconds(echo.average_ms if echo else None),
        "mtu": None
        if mtu is None
        else {"interface": mtu.own, "passes": mtu.passes, "told": mtu.told},
        "note": one.note,
    }


def _microseconds(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds * 1000)
