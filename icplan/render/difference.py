"""The difference between a plan that was approved and the plan of now, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from icplan.render.document import PlanDocument
from icplan.render.paint import Paint, escape

_MOST = 20
_FEW = 3
"""How many of those are named that only follow from what is written."""
_IMPACT = "impact"
"""What a change is told about last: it follows from the rest."""

Entry = Mapping[str, object]
Told = dict[str, str]
"""What is said of one thing, by what it is about."""


def difference_text(approved: Mapping[str, object], now: PlanDocument, paint: Paint) -> str:
    """What differs, one line each: the approved plan's value, then the value of now.

    First what is written, object by object, then what comes of it; no more than is read.
    """
    lines = [paint.bad("The plan has changed since it was approved:")]
    found = list(_differences(approved, {**now}))
    lines += [f"  {escape(line)}" for line in found[:_MOST]]
    if len(found) > _MOST:
        lines.append(f"  and {len(found) - _MOST} more")
    if not found:
        lines.append("  its digest differs, but nothing that is shown does")
    return "\n".join(lines) + "\n"


def _differences(approved: Entry, now: Entry) -> Iterator[str]:
    old, new = _changes(approved), _changes(now)
    yield from _compared(
        {address: _written(one, alone=address not in new) for address, one in old.items()},
        {address: _written(one, alone=address not in old) for address, one in new.items()},
    )
    yield from _compared(_verdicts(approved), _verdicts(now))
    yield from _compared(_pairs(approved), _pairs(now))
    moved = [
        f"{address} ({one['wave']} -> {new[address]['wave']})"
        for address, one in sorted(old.items())
        if address in new and one.get("wave") != new[address].get("wave")
    ]
    yield from _few("in another wave", moved)
    before, after = _claims(approved), _claims(now)
    yield from _few("awaited as well", [one for one in after if one not in before])
    yield from _few("not awaited any more", [one for one in before if one not in after])


def _compared(old: Mapping[str, Told], new: Mapping[str, Told]) -> Iterator[str]:
    # It takes 0.3 s to import, and is needed only when something is wrong.
    from deepdiff import DeepDiff

    flat_old, flat_new = _flat(old), _flat(new)
    # Without the threshold, what has little in common is one difference, of everything.
    groups = DeepDiff(flat_old, flat_new, view="tree", threshold_to_diff_deeper=0).values()
    found = {level.path(output_format="list")[0] for group in groups for level in group}
    for name, about in sorted(found, key=lambda one: (one[0], one[1] == _IMPACT, one[1])):
        was, is_ = (flat.get((name, about), "nothing") for flat in (flat_old, flat_new))
        yield f"{name}{about and f': {about}'}: approved {_cut(was)}, now {_cut(is_)}"


def _flat(told: Mapping[str, Told]) -> dict[tuple[str, str], str]:
    return {(name, about): text for name, one in told.items() for about, text in one.items()}


def _few(what: str, members: Sequence[str]) -> Iterator[str]:
    """One line for all that follows from something else."""
    if members:
        rest = len(members) - _FEW
        more = f"; and {rest} more" if rest > 0 else ""
        yield f"{what}: {'; '.join(members[:_FEW])}{more}"


def _entries(document: Entry, part: str) -> list[Entry]:
    listed = document.get(part)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _changes(document: Entry) -> dict[str, Entry]:
    return {str(one.get("address")): one for one in _entries(document, "resource_changes")}


def _written(change: Entry, *, alone: bool) -> Told:
    """What a change does: in a word where the other plan has none, else by its attributes."""
    action = str(change.get("action"))
    body = change.get("change")
    before, after = (
        (_attributes(body.get(side)) for side in ("before", "after"))
        if isinstance(body, dict)
        else ({}, {})
    )
    if alone:
        altered = [
            f"{one} {before.get(one, 'nothing')} -> {after.get(one, 'nothing')}"
            for one in after
            if before and before.get(one) != after.get(one)
        ]
        return {"": f"{action}: {', '.join(altered)}" if altered else action}
    effects = "; ".join(str(one.get("sentence")) for one in _entries(change, "effects"))
    return {
        "action": action,
        **{f"{name} before": text for name, text in before.items()},
        **{f"{name} after": text for name, text in after.items()},
        _IMPACT: effects or "none",
    }


def _attributes(values: object) -> Told:
    return {str(k): _value(v) for k, v in values.items()} if isinstance(values, dict) else {}


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "(none)"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _verdicts(document: Entry) -> dict[str, Told]:
    return {
        f"{one.get('code')} {one.get('at')}: {one.get('message')}": {"": str(one.get("status"))}
        for one in _entries(document, "verdicts")
    }


def _pairs(document: Entry) -> dict[str, Told]:
    found: dict[str, Told] = {}
    for one in _entries(document, "disrupted_pairs"):
        peers = one.get("peers")
        names = ", ".join(map(str, peers)) if isinstance(peers, list) else ""
        found[f"{one.get('zone')} from {names}"] = {"": str(one.get("outcome"))}
    return found


def _claims(document: Entry) -> dict[str, None]:
    """What is awaited, in order."""
    found: dict[str, None] = {}
    for wave in _entries(document, "waves"):
        for part in ("requires", "awaits"):
            claims = wave.get(part)
            found |= {str(one): None for one in claims} if isinstance(claims, list) else {}
    return found


def _cut(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"
