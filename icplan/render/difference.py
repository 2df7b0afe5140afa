"""The difference between a plan that was approved and the plan of now, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from icplan.render.document import PlanDocument
from icplan.render.paint import Paint, escape

_SHOWN = ("resource_changes", "verdicts", "waves", "disrupted_pairs")
_NAMES = ("address", "message", "title", "zone")
_MOST = 20


def difference_text(approved: Mapping[str, object], now: PlanDocument, paint: Paint) -> str:
    """What differs, one line each: the approved plan's value, then the value of now."""
    lines = [paint.bad("The plan has changed since it was approved:")]
    found = list(_differences(approved, {**now}))
    lines += [f"  {line}" for line in found[:_MOST]]
    if len(found) > _MOST:
        lines.append(f"  and {len(found) - _MOST} more")
    if not found:
        lines.append("  its digest differs, but nothing that is shown does")
    return "\n".join(lines) + "\n"


def _differences(approved: Mapping[str, object], now: Mapping[str, object]) -> Iterator[str]:
    # It takes 0.3 s to import, and is needed only when something is wrong.
    from deepdiff import DeepDiff

    for part in _SHOWN:
        difference = DeepDiff(
            _by_name(approved.get(part)), _by_name(now.get(part)), verbose_level=2, view="tree"
        )
        for kind in sorted(difference):
            for level in sorted(difference[kind], key=lambda one: str(one.path())):
                path = "/".join(str(one) for one in level.path(output_format="list"))
                old, new = _value(level.t1), _value(level.t2)
                yield escape(f"{part}: {path}: approved {old}, now {new}")


def _by_name(entries: object) -> dict[str, object]:
    """Lists of named things by their names, so that an addition does not shift all others."""
    named: dict[str, object] = {}
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            name = next(
                (
                    str(entry[key])
                    for key in ("address", "message", "title", "zone")
                    if key in entry
                ),
                str(index),
            )
            # Where the file says it is no part of what is done.
            named[name] = {key: value for key, value in entry.items() if key != "origin"}
    return named


def _value(value: object) -> str:
    text = "nothing" if type(value).__name__ == "NotPresent" else str(value)
    return text if len(text) <= 120 else text[:119] + "…"
