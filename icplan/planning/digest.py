"""The fingerprint of a plan: two plans with the same one do the same and risk the same."""

from __future__ import annotations

import hashlib

import orjson

from icplan.core.value import Attributes, Later, Value
from icplan.planning.plan import Plan


def digest(plan: Plan) -> str:
    """SHA-256 over owner, zones left out, ordered changes with waves and effects, and verdicts.

    No uuid, no line number and no clock goes in: rows that changed without any meaning for the
    plan leave it as it is.
    """
    content: dict[str, object] = {
        "owner": plan.owner,
        "changes": [
            {
                "address": str(change.address),
                "action": change.action.value,
                "before": _values(change.before),
                "after": _values(change.after),
                "wave": wave.number,
                "effects": [
                    [effect.impact.name, effect.sentence]
                    for effect in plan.consequences.effects[change.address]
                ],
            }
            for wave in plan.waves
            for change in wave.changes
        ],
        "verdicts": [
            [one.code, one.at, one.message, one.waived]
            for one in plan.verdicts
            if one.refuses or one.waived
        ],
    }
    if plan.view.spec.without:
        # Absent when empty: plans that were saved before there was such an option stay good.
        content["without"] = sorted(plan.view.spec.without)
    if plan.view.spec.destroyed:
        content["destroyed"] = True
    canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    return "sha256:" + hashlib.sha256(canonical).hexdigest()


def _values(attributes: Attributes | None) -> dict[str, object] | None:
    if attributes is None:
        return None
    return {name: _value(value) for name, value in attributes.items()}


def _value(value: Value) -> object:
    if isinstance(value, Later):
        return {"later": value.reference, "source": str(value.source)}
    return value.value
