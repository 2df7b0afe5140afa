"""What stands against a plan: findings of rules, waived or not, limits, protected zones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from icplan.core.change import Action, Change
from icplan.core.origin import Origin
from icplan.planning.effects import Consequences
from icplan.planning.rules import LIVE, OFFLINE, RULES, Finding, Rule, Seen, Severity
from icplan.spec.load import Spec
from icplan.spec.model import GoneZone, ZoneState

BAD_WAIVER = "IC013"
IDLE_WAIVER = "IC026"
LIMIT = "limit"
PROTECTED = "protected"
WITHOUT = "without"

_SEVERITIES = {rule.code: rule.severity for rule in RULES}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing to be said about a plan.

    Attributes:
        code: the rule's code, or `limit`, `protected` or `without`.
        refuses: the plan cannot be applied because of it.
        waived: why it does not refuse although its rule would; empty when nobody waived it.
    """

    code: str
    refuses: bool
    at: str
    message: str
    cure: str
    origin: Origin | None
    waived: str = ""


def waivable(code: str) -> bool:
    """Whether the file can accept what a rule refuses; limits and their like, it cannot."""
    severity = _SEVERITIES.get(code)
    return severity is not None and severity.waivable


def offline(spec: Spec) -> tuple[Verdict, ...]:
    """What the file alone decides; `validate` shows it."""
    found = (_plain_verdict(rule, finding) for rule in OFFLINE for finding in rule.find(spec))
    return (*found, *_bad_codes(spec))


def judge(seen: Seen, consequences: Consequences) -> tuple[Verdict, ...]:
    """All that stands for or against a plan, by code, zone and message."""
    verdicts = [*offline(seen.spec)]
    used: set[int] = set()
    today = seen.facts.observed_at[:10]
    for rule in LIVE:
        for finding in rule.find(seen):
            verdict = _plain_verdict(rule, finding)
            if rule.severity.waivable:
                verdict = _waived(seen.spec, verdict, today, used)
            verdicts.append(verdict)
    verdicts += _waivers(seen.spec, today, used)
    verdicts += _limits(seen, consequences)
    verdicts += _protected(seen, consequences)
    verdicts += _left_out(seen.spec, consequences)
    return tuple(sorted(verdicts, key=lambda one: (one.code, one.at, one.message)))


def _plain_verdict(rule: Rule, finding: Finding) -> Verdict:
    return Verdict(
        rule.code,
        rule.severity in {Severity.ERROR, Severity.WAIVABLE},
        finding.at,
        finding.message,
        finding.cure,
        finding.origin,
    )


def _waived(spec: Spec, verdict: Verdict, today: str, used: set[int]) -> Verdict:
    for index, waiver in enumerate(spec.interconnect.accept):
        if waiver.rule != verdict.code or waiver.at != verdict.at:
            continue
        used.add(index)
        if waiver.until is None or waiver.until.isoformat() >= today:
            until = f", until {waiver.until.isoformat()}" if waiver.until else ""
            return Verdict(
                verdict.code,
                False,
                verdict.at,
                verdict.message,
                verdict.cure,
                verdict.origin,
                f"{waiver.reason}{until}",
            )
    return verdict


def _bad_codes(spec: Spec) -> Iterator[Verdict]:
    for index, waiver in enumerate(spec.interconnect.accept):
        if not waivable(waiver.rule):
            message = (
                f"there is no rule {waiver.rule}"
                if waiver.rule not in _SEVERITIES
                else f"{waiver.rule} is not waivable"
            )
            cure = "Remove the waiver, or correct the code."
            origin = spec.origin("accept", index, "rule")
            yield Verdict(BAD_WAIVER, True, waiver.at, message, cure, origin)


def _waivers(spec: Spec, today: str, used: set[int]) -> Iterator[Verdict]:
    """What only the day and the findings can tell of a waiver."""
    for index, waiver in enumerate(spec.interconnect.accept):
        if not waivable(waiver.rule):
            continue
        origin = spec.origin("accept", index, "rule")
        if waiver.until is not None and waiver.until.isoformat() < today:
            message = f"the waiver of {waiver.rule} expired on {waiver.until.isoformat()}"
            origin = spec.origin("accept", index, "until")
            cure = "Remove it with its cause, or have it reviewed and extended."
            yield Verdict(BAD_WAIVER, True, waiver.at, message, cure, origin)
        # Nobody looked whether there is something to waive in a zone that is left out, and of what
        # is taken apart nothing has to be.
        elif index not in used and waiver.at not in spec.without and not spec.destroyed:
            message = f"the waiver of {waiver.rule} matches nothing"
            yield Verdict(IDLE_WAIVER, False, waiver.at, message, "Remove it.", origin)


def _limits(seen: Seen, consequences: Consequences) -> Iterator[Verdict]:
    limits = seen.spec.interconnect.limits
    if seen.spec.destroyed:
        return  # it asks on its own
    deletions = [one for one in seen.changes if one.action is Action.DELETE]
    if len(deletions) > limits.deletions:
        yield Verdict(
            LIMIT,
            True,
            "ic",
            f"the plan deletes {_count(len(deletions), 'object')}, limits.deletions allows "
            f"{limits.deletions}",
            _raised(seen.spec, "deletions", len(deletions)),
            _limit_origin(seen.spec, "deletions"),
        )
    disrupted = consequences.disrupted
    if len(disrupted) > limits.disrupted_zones:
        yield Verdict(
            LIMIT,
            True,
            "ic",
            f"{_count(len(disrupted), 'zone')} would have an outage ({', '.join(disrupted)}), "
            f"limits.disruptedZones allows {limits.disrupted_zones}",
            "Change fewer zones at a time. " + _raised(seen.spec, "disruptedZones", len(disrupted)),
            _limit_origin(seen.spec, "disruptedZones"),
        )


def _raised(spec: Spec, limit: str, number: int) -> str:
    """What to write for a plan to be within a limit."""
    if spec.document.has(("limits",)):
        return f"If that is meant, write `{limit}: {number}` in `limits`."
    return f"If that is meant, write `limits: {{{limit}: {number}}}`."


def _limit_origin(spec: Spec, limit: str) -> Origin | None:
    path = ("limits", limit)
    return spec.document.origin(path) if spec.document.has(path) else None


def _protected(seen: Seen, consequences: Consequences) -> Iterator[Verdict]:
    for index, zone in enumerate(seen.spec.interconnect.availability_zones):
        if isinstance(zone, GoneZone) or not zone.protected:
            continue
        leaving = zone.state is ZoneState.ABSENT and _changed(seen.changes, zone.name)
        if leaving or zone.name in consequences.disrupted:
            what = "taken out" if leaving else "disrupted"
            yield Verdict(
                PROTECTED,
                True,
                zone.name,
                f"{zone.name} is protected and would be {what}",
                "Remove `protected` in a change of its own first.",
                seen.spec.origin("availabilityZones", index, "protected"),
            )


def _left_out(spec: Spec, consequences: Consequences) -> Iterator[Verdict]:
    """What is left out is left in peace: nothing may interrupt it from elsewhere either."""
    for zone in sorted(spec.without):
        changes = consequences.harmed.get(zone, ())
        if changes:
            listed = ", ".join(str(change.address) for change in changes)
            yield Verdict(
                WITHOUT,
                True,
                zone,
                f"{zone} is left out and would be disrupted by {listed}",
                f"Plan with {zone}, or take that out of the file until {zone} can be planned.",
                changes[0].origin,
            )


def _changed(changes: Sequence[Change], zone: str) -> bool:
    return any(change.address.site == zone for change in changes)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
