"""What became of an apply, and what verify found: as text and as documents. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

from icplan.core.change import Reason
from icplan.core.io import Unreadable
from icplan.core.words import FEW, REPAIRED, listed
from icplan.kinds.common.contract import Check, Held, Missing
from icplan.render.document import FORMAT_VERSION, Json, PlanDocument
from icplan.render.paint import Paint, escape
from icplan.render.problems import error_parts
from icplan.render.sources import subjects
from icplan.render.text import LEFT_OUT
from icplan.run.apply import ApplyReport, Outcome
from icplan.run.verify import VerifyReport


def apply_document(report: ApplyReport) -> dict[str, Json]:
    """The outcome of every change, and what is missing."""
    return {
        "format_version": FORMAT_VERSION,
        "owner": report.plan.owner,
        "log": report.log,
        "exit": int(report.exit),
        "outcomes": [
            {"address": str(address), "outcome": outcome.value}
            for address, outcome in report.outcomes.items()
        ],
        "waves": len(report.plan.waves),
        "waves_done": report.waves_done,
        "missing": [
            {"claim": check.claim, "why": _why(verdict), "cure": verdict.cure}
            for check, verdict in report.missing
        ],
        "error": None if report.error is None else error_parts(report.error),
        "leaves": report.leaves,
    }


def refusal_document(document: PlanDocument, exit_code: int) -> dict[str, Json]:
    """An apply that wrote nothing: because of the plan's verdicts, or as there was nothing to do.

    The same keys as those of an apply that did something, and what stands against the plan.
    """
    return {
        "format_version": FORMAT_VERSION,
        "owner": document["owner"],
        "log": "",
        "exit": exit_code,
        "outcomes": [],
        "waves": len(document["waves"]),
        "waves_done": 0,
        "missing": [],
        "error": None,
        "leaves": "",
        "verdicts": cast("Json", document["verdicts"]),
        "unreadable": cast("Json", document["unreadable"]),
    }


def apply_text(report: ApplyReport, paint: Paint) -> str:
    """Where a run stands, in the end."""
    return "\n".join(_apply_lines(report, paint)) + "\n"


def _apply_lines(report: ApplyReport, paint: Paint) -> Iterator[str]:
    done = sum(outcome is Outcome.DONE for outcome in report.outcomes.values())
    total = len(report.outcomes)
    if report.error is None and not report.missing and not report.interrupted:
        yield paint.good(f"Applied: {done} of {total} changes written, all evidence seen.")
        return
    yield paint.bad(
        f"Stopped: {done} of {total} changes written, "
        f"{report.waves_done} of {len(report.plan.waves)} waves complete."
    )
    for address, outcome in report.outcomes.items():
        if outcome is not Outcome.DONE:
            yield f"  {outcome.value:<9} {escape(str(address))}"
    for check, verdict in report.missing:
        if isinstance(verdict, Missing):
            who = "waiting for you" if check.operator else "missing"
            yield f"  {paint.altered(who)}: {escape(verdict.why)}"
            yield f"    cure: {escape(verdict.cure)}"
    unseen = Counter(one for _, one in report.missing if isinstance(one, Unreadable))
    for one, count in unseen.items():
        yield f"  {paint.altered('could not see')} {_pieces(count)}: {escape(one.cause)}"
        yield f"    cure: {escape(one.cure)}"
    if report.leaves:
        yield f"  {paint.bad(escape(report.leaves))}"
    if report.interrupted:
        yield "  interrupted by you"
    yield "Nothing is lost: run `icplan plan` and `icplan apply` again, they go on from here."
    yield paint.faint(f"Run log: {escape(report.log)}")


def verify_document(report: VerifyReport) -> dict[str, Json]:
    """Every link of the chain."""
    return {
        "format_version": FORMAT_VERSION,
        "owner": report.plan.owner,
        "without": cast("Json", sorted(report.plan.view.spec.without)),
        "drift": [str(change.address) for change in report.drift],
        "checks": [
            {
                "address": str(check.address),
                "peer": check.peer,
                "claim": check.claim,
                "result": _result(report, check, verdict),
                "why": "" if isinstance(verdict, Held) else _why(verdict),
                "cure": "" if isinstance(verdict, Held) else verdict.cure,
            }
            for check, verdict in report.results
        ],
        "held": report.held,
        "missing": len(report.missing),
        "degraded": len(report.degraded),
        "unseen": len(report.unseen),
        "unwatched": [*report.unwatched],
        "notes": [
            {"code": one.code, "at": one.at, "message": one.message, "cure": one.cure}
            for one in report.notes
        ],
    }


def verify_text(report: VerifyReport, paint: Paint) -> str:
    """The first broken link of each chain with its cure, and one line of numbers."""
    return "\n".join(_verify_lines(report, paint)) + "\n"


def _verify_lines(report: VerifyReport, paint: Paint) -> Iterator[str]:
    for zone in sorted(report.plan.view.spec.without):
        yield f"{escape(zone)} is left out: {LEFT_OUT}"
    for subject, one in _unseen(report):
        yield paint.bad(f"could not see {escape(subject)}")
        yield f"  cause: {escape(one.cause)}"
        yield f"  cure:  {escape(one.cure)}"
    for change in report.drift:
        where = f"  {escape(str(change.origin))}" if change.origin else ""
        what = ", ".join(change.differing) if change.reason is Reason.DIFFERS else change.reason
        head = f"differs from the file: {escape(str(change.address))}"
        yield f"{paint.altered(head)} ({what}){where}"
    if report.drift:
        yield f"  cure:  {_drift_cure(report)}"
    # What needs an object that differs says nothing more than the difference does.
    drifted = {change.address for change in report.drift}
    first = [one for one in report.first_broken() if not one[0].needs & drifted]
    for check, missing in first:
        yield paint.bad(f"missing: {escape(check.claim)}")
        yield f"  cause: {escape(missing.why)}"
        yield f"  cure:  {escape(missing.cure)}"
    spared = {check.address: (check, one) for check, one in reversed(report.degraded)}
    for check, missing in sorted(spared.values(), key=lambda one: one[0].address):
        yield paint.altered(f"served, but not as safe as declared: {escape(check.claim)}")
        yield f"  cause: {escape(missing.why)}"
        yield f"  cure:  {escape(missing.cure)}"
    rest = len(report.missing) - len(first)
    if rest > 0:
        yield paint.faint(f"{rest} more that follow from these (--json lists them)")
    yield _numbers(report, paint)
    if report.unwatched:
        yield paint.faint(_unwatched(report.unwatched))
    yield from _notes(report, paint)


def _numbers(report: VerifyReport, paint: Paint) -> str:
    if report.drift or report.missing or report.unseen:
        return (
            f"Evidence: {report.held} there, {len(report.missing)} missing, {len(report.unseen)} "
            f"could not be looked at. Objects that differ from the file: {len(report.drift)}."
        )
    if report.degraded:
        other = len(report.degraded)
        return f"{report.held} pieces of evidence are there, {other} can be spared for a while."
    return paint.good(f"All {report.held} pieces of evidence are there.")


def _unwatched(zones: tuple[str, ...]) -> str:
    names = listed([escape(one) for one in zones], FEW)
    what = f"gateways of {names} answer" if zones[1:] else f"gateway of {names} answers"
    return f"Not known: whether the single {what}. Only packets tell: icplan verify --ping"


def _notes(report: VerifyReport, paint: Paint) -> Iterator[str]:
    for note in report.notes:
        yield paint.altered(f"note: {escape(note.message)} ({note.code})")
        yield f"  cure:  {escape(note.cure)}"


def _drift_cure(report: VerifyReport) -> str:
    codes = sorted({verdict.code for verdict in report.plan.verdicts if verdict.refuses})
    if codes:
        return f"apply is refused now, see `icplan plan`: {', '.join(codes)}"
    if report.plan.unseen or report.plan.unclear:
        return (
            "icplan plan shows the difference, icplan apply repairs it once everything can be seen"
        )
    return REPAIRED


def _unseen(report: VerifyReport) -> Iterator[tuple[str, Unreadable]]:
    """One line for each cause, not for each link that it hides."""
    counts = Counter(one for _, one in report.unseen)
    databases: dict[Unreadable, list[str]] = {}
    unseen = (*subjects(report.plan.unseen), *subjects(report.plan.not_permitted))
    for subject, one in unseen:
        databases.setdefault(one, []).append(f"the {subject}")
    for one in [*databases, *(one for one in counts if one not in databases)]:
        count = counts[one]
        if one not in databases:
            yield _pieces(count), one
        else:
            hidden = f" ({_pieces(count)})" if count else ""
            yield f"{' and '.join(databases[one])}{hidden}", one


def _pieces(count: int) -> str:
    return "1 piece of evidence" if count == 1 else f"{count} pieces of evidence"


def _why(verdict: Missing | Unreadable) -> str:
    return verdict.why if isinstance(verdict, Missing) else verdict.cause


def _result(report: VerifyReport, check: Check, verdict: Held | Missing | Unreadable) -> str:
    match verdict:
        case Held():
            return "held"
        case Missing():
            return "degraded" if report.spared(check) else "missing"
        case Unreadable():
            return "unseen"
