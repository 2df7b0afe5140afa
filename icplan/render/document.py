"""A plan as the document that is printed as JSON, saved, compared and rendered as text.

Compatibility: an added key is a minor version, a removed or changed one a major version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

from icplan.core.address import Address
from icplan.core.change import Action, Change, Reason
from icplan.core.engines import MarkContainer, RemoveContainer, RunContainer
from icplan.core.io import Datum, Operation, Transaction, Unreadable
from icplan.core.kubernetes import (
    CreateObject,
    DeleteObject,
    ObjectWrite,
    PatchFields,
    ReplaceData,
    Tree,
    shown,
)
from icplan.core.origin import Origin
from icplan.core.value import Attributes, Later
from icplan.kinds import kind_of
from icplan.kinds.common.contract import Check
from icplan.ovn.northbound import LEARNED_FROM
from icplan.planning.digest import digest
from icplan.planning.plan import Plan
from icplan.planning.verdicts import Verdict
from icplan.planning.waves import Wave
from icplan.render.sources import subjects

FORMAT_VERSION = "1.0"

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


class OriginDocument(TypedDict):
    """A place in the file."""

    file: str
    line: int
    column: int


class EffectDocument(TypedDict):
    """What users of a zone feel: none, brief or outage."""

    zone: str
    impact: str
    sentence: str
    prefixes: list[str]


class ChangeBody(TypedDict):
    """`actions` are Terraform's words; an adoption is an update that imports."""

    actions: list[str]
    before: dict[str, Json] | None
    after: dict[str, Json] | None
    after_unknown: dict[str, bool]
    differing: list[str]
    importing: NotRequired[dict[str, str]]


class PreconditionDocument(TypedDict):
    """What a write expects to find: so many rows, and these values of the fields that are ours."""

    object: str
    rows: int
    fields: dict[str, Json]


class ChangeDocument(TypedDict):
    """One change; its preconditions are null in a plan that cannot be applied."""

    address: str
    site: str
    kind: str
    name: str
    action: str
    reason: str
    change: ChangeBody
    origin: OriginDocument | None
    wave: int
    effects: list[EffectDocument]
    preconditions: list[PreconditionDocument] | None


class WaveDocument(TypedDict):
    """One wave: the addresses of its changes, and what is awaited before and after them."""

    number: int
    title: str
    requires: list[str]
    changes: list[str]
    awaits: list[str]


class PairsDocument(TypedDict):
    """A zone against the zones with the same outcome; it stands once for each outcome."""

    zone: str
    peers: list[str]
    outcome: str


class VerdictDocument(TypedDict):
    """What a rule, a limit, a protected zone or one left out says: refused, waived or warning."""

    code: str
    status: str
    at: str
    message: str
    cure: str
    waived: str
    origin: OriginDocument | None


class UnreadableDocument(TypedDict):
    """Something that could not be seen."""

    subject: str
    cause: str
    cure: str


class SummaryDocument(TypedDict):
    """The plan in numbers."""

    create: int
    change: int
    adopt: int
    destroy: int
    disrupted_zones: list[str]
    pairs_disrupted: int
    pairs: int


class PlanDocument(TypedDict):
    """A plan; `destroyed` is there, and true, when all of it is taken apart."""

    format_version: str
    owner: str
    file: str
    resource_changes: list[ChangeDocument]
    waves: list[WaveDocument]
    disrupted_pairs: list[PairsDocument]
    verdicts: list[VerdictDocument]
    unreadable: list[UnreadableDocument]
    not_checked: list[UnreadableDocument]
    without: list[str]
    preview: bool
    summary: SummaryDocument
    refused: bool
    digest: str | None
    destroyed: NotRequired[bool]


def plan_document(plan: Plan) -> PlanDocument:
    """The document of a plan; it has no digest when something could not be seen."""
    unreadable = [*subjects(plan.unseen), *_named(plan.unclear)]
    not_checked = [*subjects(plan.not_permitted), *_named(plan.unchecked)]
    document: PlanDocument = {
        "format_version": FORMAT_VERSION,
        "owner": plan.owner,
        "file": plan.view.spec.document.file,
        "resource_changes": [
            _change(plan, change, wave.number) for wave in plan.waves for change in wave.changes
        ],
        "waves": [
            {
                "number": wave.number,
                "title": wave.title,
                "requires": _claims(wave.requires),
                "changes": [str(change.address) for change in wave.changes],
                "awaits": _claims(wave.awaits),
            }
            for wave in plan.waves
        ],
        "disrupted_pairs": [
            {"zone": group.zone, "peers": list(group.peers), "outcome": group.outcome.value}
            for group in plan.consequences.groups
        ],
        "verdicts": [verdict_document(verdict) for verdict in plan.verdicts],
        "unreadable": [_unreadable(*one) for one in unreadable],
        "not_checked": [_unreadable(*one) for one in not_checked],
        "without": sorted(plan.view.spec.without),
        "preview": plan.preview,
        "summary": {
            "create": plan.count(Action.CREATE),
            "change": plan.count(Action.UPDATE),
            "adopt": plan.count(Action.ADOPT),
            "destroy": plan.count(Action.DELETE),
            "disrupted_zones": list(plan.consequences.disrupted),
            "pairs_disrupted": plan.consequences.pairs_hit,
            "pairs": plan.consequences.pairs,
        },
        "refused": plan.refused,
        "digest": None if unreadable or plan.preview else digest(plan),
    }
    if plan.view.spec.destroyed:
        document["destroyed"] = True
    return document


def _named(objects: Mapping[Address, Unreadable]) -> list[tuple[str, Unreadable]]:
    return [(str(address), one) for address, one in objects.items()]


def _unreadable(subject: str, one: Unreadable) -> UnreadableDocument:
    return {"subject": subject, "cause": one.cause, "cure": one.cure}


def _claims(checks: tuple[Check, ...]) -> list[str]:
    """What is awaited; first what a person must do, which no abridged list may leave out."""
    return [check.claim for check in sorted(checks, key=lambda one: not one.operator)]


def verdict_document(verdict: Verdict) -> VerdictDocument:
    """The document of one verdict."""
    status = "refused" if verdict.refuses else "waived" if verdict.waived else "warning"
    return {
        "code": verdict.code,
        "status": status,
        "at": verdict.at,
        "message": verdict.message,
        "cure": verdict.cure,
        "waived": verdict.waived,
        "origin": _origin(verdict.origin),
    }


def _origin(origin: Origin | None) -> OriginDocument | None:
    if origin is None:
        return None
    return {"file": origin.file, "line": origin.line, "column": origin.column}


_ACTIONS = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.ADOPT: "update",
    Action.DELETE: "delete",
}


_REFERENCES = frozenset({"gateway_chassis", "ha_chassis_group", LEARNED_FROM})
"""Columns and keys whose values are uuids: they mean nothing to a reader."""


def _preconditions(plan: Plan, change: Change) -> list[PreconditionDocument] | None:
    if plan.refused or plan.unseen or plan.unclear or plan.preview:
        return None
    steps = kind_of(change.address.kind).steps(change, plan.view)
    return [one for step in steps for one in _expected(step.operation)]


def _expected(operation: Operation) -> list[PreconditionDocument]:
    match operation:
        case RunContainer() | MarkContainer() | RemoveContainer():
            seen = operation.replaces if isinstance(operation, RunContainer) else operation.id
            what = f"container {operation.name} on {operation.engine.host}"
            return [{"object": what, "rows": int(bool(seen)), "fields": {}}]
        case Transaction():
            return _expected_rows(operation)
    return [_expected_object(operation)]


def _expected_rows(operation: Transaction) -> list[PreconditionDocument]:
    return [
        {
            "object": one.subject,
            "rows": one.rows,
            "fields": {
                str(field): _datum(value)
                for field, value in one.fields
                if not {field.column, field.key} & _REFERENCES
            },
        }
        for one in operation.preconditions
    ]


def _expected_object(write: ObjectWrite) -> PreconditionDocument:
    fields: dict[str, Json] = {}
    match write:
        case PatchFields():
            fields = {shown(one.path): _tree(one.before) for one in write.changes}
        case ReplaceData() | DeleteObject():
            fields = {shown(one.path): _tree(one.value) for one in write.expected}
    rows = 0 if isinstance(write, CreateObject) else 1
    return {"object": str(write.resource), "rows": rows, "fields": fields}


def _tree(value: Tree) -> Json:
    if isinstance(value, Mapping):
        return {key: _tree(value[key]) for key in sorted(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_tree(one) for one in value]
    return str(value) if isinstance(value, float) else value


def _datum(value: Datum) -> Json:
    if isinstance(value, tuple):
        return [str(one) for one in value]
    return value if value is None or isinstance(value, str | int) else str(value)


def _change(plan: Plan, change: Change, wave: int) -> ChangeDocument:
    body: ChangeBody = {
        "actions": [_ACTIONS[change.action]],
        "before": _values(change.before, plan.waves),
        "after": _values(change.after, plan.waves),
        "after_unknown": {
            name: True for name, value in (change.after or {}).items() if isinstance(value, Later)
        },
        "differing": list(change.differing),
    }
    if change.action is Action.ADOPT:
        body["importing"] = {"id": str(change.address)}
    return {
        "address": str(change.address),
        "site": change.address.site,
        "kind": change.address.kind,
        "name": change.address.name,
        "action": change.action.value,
        "reason": _reason(plan, change).value,
        "change": body,
        "origin": _origin(change.origin),
        "wave": wave,
        "effects": [
            {
                "zone": effect.zone,
                "impact": effect.impact.name.lower(),
                "sentence": effect.sentence,
                "prefixes": list(effect.prefixes),
            }
            for effect in plan.consequences.effects[change.address]
        ],
        "preconditions": _preconditions(plan, change),
    }


def _reason(plan: Plan, change: Change) -> Reason:
    """Why; where all is taken apart, no zone leaves because the file says so."""
    leaving = change.reason is Reason.LEAVING
    return Reason.DESTROYED if leaving and plan.view.spec.destroyed else change.reason


def _values(attributes: Attributes | None, waves: Sequence[Wave]) -> dict[str, Json] | None:
    if attributes is None:
        return None
    values: dict[str, Json] = {}
    for name, value in attributes.items():
        if isinstance(value, Later):
            values[name] = f"({value.reference}, {_when(value, waves)}; {value.constraint})"
        else:
            values[name] = list(value.value) if isinstance(value.value, tuple) else value.value
    return values


def _when(later: Later, waves: Sequence[Wave]) -> str:
    """When a value will be known; one that no change of the plan brings about is on its way."""
    for wave in waves:
        if any(change.address == later.source for change in wave.changes):
            return f"known after wave {wave.number}"
    return "known as soon as it is there"
