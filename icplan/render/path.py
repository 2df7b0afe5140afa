"""The way between two subnets as text and as a document. Every word follows from the links."""

from __future__ import annotations

from collections.abc import Iterator

from icplan.core.io import Unreadable
from icplan.kinds.common.contract import Missing
from icplan.planning.path.links import Direction, Link, State, Way
from icplan.planning.plan import Plan
from icplan.render.document import FORMAT_VERSION, Json
from icplan.render.paint import Paint, escape
from icplan.render.ping import ping_document, ping_lines
from icplan.run.ping import PingReport

_WORDS = {
    State.HELD: "ok",
    State.BROKEN: "ENDS",
    State.FLAWED: "flawed",
    State.UNSEEN: "unseen",
}


def path_text(found: Way, pinged: PingReport | None, paint: Paint) -> str:
    """Each direction's links in order, then what it comes to."""
    lines = [line for one in found.directions for line in (*_direction(one, paint), "")]
    if pinged is not None:
        lines += [*ping_lines(pinged, paint), ""]
    return "\n".join([*lines, *_end(found, pinged, paint)]) + "\n"


def _direction(found: Direction, paint: Paint) -> Iterator[str]:
    by_hand = ", by a route made by hand" if found.by_hand else ""
    yield paint.strong(f"{escape(str(found.source))} -> {escape(str(found.target))}{by_hand}")
    for link in found.links:
        if link.state is not State.NOT_CHECKED:
            yield from _link(link, paint)
    behind = sum(link.state is State.NOT_CHECKED for link in found.links)
    if behind:
        links = "1 more link needs" if behind == 1 else f"{behind} more links need"
        yield paint.faint(f"  -       {links} that one (--json lists them)")


def _link(link: Link, paint: Paint) -> Iterator[str]:
    line = f"  {_WORDS[link.state]:<7} {escape(link.claim)}"
    match link.state:
        case State.HELD:
            yield line
        case State.BROKEN:
            yield paint.bad(line)
        case _:
            yield paint.altered(line)
    match link.verdict:
        case Missing(why, cure) | Unreadable(cause=why, cure=cure):
            yield f"          cause: {escape(why)}"
            yield f"          cure:  {escape(cure)}"


def _end(found: Way, pinged: PingReport | None, paint: Paint) -> Iterator[str]:
    lost = {one.source for one in pinged.missing} if pinged is not None else set()
    for one, other in zip(found.directions, reversed(found.directions), strict=True):
        name = f"{escape(str(one.source))} -> {escape(str(one.target))}"
        if one.broken is not None:
            place = one.links.index(one.broken) + 1
            total = len(one.links)
            yield paint.bad(f"{name}: ends at link {place} of {total}: {escape(one.broken.claim)}")
            if one.flawed:
                yield "  what is flawed before it may be the reason: mend it first"
        elif one.source.zone.name in lost:
            yield paint.bad(f"{name}: no link is seen to be broken, and yet not all packets pass")
        elif one.unseen:
            links = "1 link" if len(one.unseen) == 1 else f"{len(one.unseen)} links"
            yield paint.altered(f"{name}: {links} could not be looked at")
        elif one.flawed:
            yield paint.altered(f"{name}: every link that packets need holds, but see `flawed`")
        elif other.broken is not None:
            far = escape(one.target.zone.name)
            yield paint.altered(
                f"{name}: all {len(one.links)} links hold, and no answer of {far} comes back"
            )
        else:
            yield paint.good(f"{name}: all {len(one.links)} links hold")


def path_document(plan: Plan, found: Way, pinged: PingReport | None) -> dict[str, Json]:
    """Every link of both directions."""
    document: dict[str, Json] = {
        "format_version": FORMAT_VERSION,
        "owner": plan.owner,
        "from": str(found.there.source),
        "to": str(found.there.target),
        "directions": [
            _document(one, other)
            for one, other in zip(found.directions, reversed(found.directions), strict=True)
        ],
    }
    if pinged is not None:
        document["ping"] = ping_document(pinged)
    return document


def _document(found: Direction, other: Direction) -> dict[str, Json]:
    return {
        "from": str(found.source),
        "to": str(found.target),
        "prefixes": list(found.prefixes),
        "by_hand": found.by_hand,
        "ends_at": None if found.broken is None else _link_document(found.broken),
        "answered": None if other.broken is None and other.unseen else other.broken is None,
        "links": [_link_document(one) for one in found.links],
    }


def _link_document(link: Link) -> dict[str, Json]:
    why, cure = "", ""
    match link.verdict:
        case Missing(why, cure) | Unreadable(cause=why, cure=cure):
            pass
    return {
        "claim": link.claim,
        "result": link.state.value,
        "vital": link.vital,
        "why": why,
        "cure": cure,
    }
