"""Carries a plan out: locks, writes wave by wave, waits for the evidence, says where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from icplan.backends.databases import Databases
from icplan.backends.failures import Stale, WriteUncertain
from icplan.backends.ovsdb import LOCK
from icplan.core.address import IC, Address
from icplan.core.change import Change
from icplan.core.io import Transaction
from icplan.errors import Exit, IcplanError
from icplan.kinds import KINDS, kind_of
from icplan.kinds.common.contract import Check
from icplan.planning.digest import digest
from icplan.planning.plan import Plan, make_plan
from icplan.planning.waves import Wave
from icplan.run.lock import LockLost, Locks
from icplan.run.observe import observe
from icplan.run.progress import Progress
from icplan.run.runlog import RunLog
from icplan.run.wait import Evidence, Pending, await_evidence


class Outcome(StrEnum):
    """What became of a change."""

    DONE = "done"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """It was sent, and the run was interrupted before the answer."""
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Waits:
    """How long evidence may take, in seconds."""

    machine: float = 60.0
    """ovn-ic needs up to 25 s after a lost quorum (measured), normally less than one."""
    operator: float = 600.0


class Changed(IcplanError):
    """What was approved is not what would be done now.

    Attributes:
        plan: what would be done now.
    """

    exit = Exit.REFUSED

    def __init__(self, plan: Plan) -> None:
        super().__init__(
            "plan",
            cause="what is there has changed since the plan was made, and the plan with it",
            cure="read the difference and run `icplan plan` again; nothing was written",
        )
        self.plan = plan


@dataclass(slots=True)
class ApplyReport:
    """Where a run stands.

    Attributes:
        outcomes: of every change, in order.
        missing: evidence that did not come.
        error: what stopped it.
        interrupted: a person stopped it.
    """

    plan: Plan
    log: str
    outcomes: dict[Address, Outcome] = field(default_factory=dict)
    waves_done: int = 0
    missing: tuple[Pending, ...] = ()
    error: IcplanError | None = None
    interrupted: bool = False

    @property
    def wrote(self) -> bool:
        """Whether any write was done, or may have been."""
        return bool({Outcome.DONE, Outcome.UNCERTAIN} & set(self.outcomes.values()))

    @property
    def exit(self) -> Exit:
        """The process's exit code."""
        if self.error is None and not self.missing and not self.interrupted:
            return Exit.DONE
        if self.wrote:
            return Exit.STOPPED
        if self.interrupted:
            return Exit.INTERRUPTED
        return Exit.FAILED


def apply(
    plan: Plan, databases: Databases, log: RunLog, progress: Progress, waits: Waits
) -> ApplyReport:
    """Does exactly what the plan says, or stops and says where it stands.

    Under the locks everything is observed and planned once more: only the same plan is done.

    Raises:
        Changed: it would be another plan now; nothing was written.
        Locked: somebody else is at work; nothing was written.
        IcplanError: a database could not be read; nothing was written.
    """
    sites = [IC, *sorted({one.address.site for one in plan.changes} - {IC})]
    log.write("start", owner=plan.owner, digest=digest(plan), sites=sites)
    with Locks(databases, sites, f"apply {plan.owner}", progress.note) as locks:
        log.write("locked", nonce=locks.holder.nonce)
        spec = plan.view.spec
        current = make_plan(spec, observe(databases, spec))
        if digest(current) != digest(plan):
            raise Changed(current)
        report = ApplyReport(current, str(log.path))
        report.outcomes = {change.address: Outcome.SKIPPED for change in current.changes}
        evidence = Evidence(
            databases,
            (query for kind in KINDS for query in kind.queries(spec, current.view.facts)),
        )

        def await_all(event: str, wave: Wave, checks: tuple[Check, ...]) -> bool:
            if not checks:
                return True
            log.write(event, wave=wave.number, checks=[check.claim for check in checks])
            report.missing = await_evidence(
                checks, evidence, waits.machine, waits.operator, progress.waiting
            )
            claims = [check.claim for check, _ in report.missing]
            log.write("missing" if claims else "seen", wave=wave.number, missing=claims)
            if not claims:
                progress.seen(len(checks))
            return not claims

        try:
            for wave in current.waves:
                progress.wave(wave, len(current.waves))
                if not await_all("require", wave, wave.requires):
                    break
                _write(wave, databases, locks, log, progress, report)
                if not await_all("await", wave, wave.awaits):
                    break
                report.waves_done = wave.number
        except IcplanError as error:
            report.error = error
        except KeyboardInterrupt:
            report.interrupted = True
        finally:
            evidence.close()
        log.write(
            "end",
            exit=int(report.exit),
            outcomes={str(one): outcome.value for one, outcome in report.outcomes.items()},
            error=str(report.error) if report.error else None,
        )
    return report


def _write(
    wave: Wave,
    databases: Databases,
    locks: Locks,
    log: RunLog,
    progress: Progress,
    report: ApplyReport,
) -> None:
    for change in wave.changes:
        operation = kind_of(change.address.kind).operation(change, report.plan.view)
        _one(change, operation, databases, locks, log, progress, report)


def _one(
    change: Change,
    operation: Transaction,
    databases: Databases,
    locks: Locks,
    log: RunLog,
    progress: Progress,
    report: ApplyReport,
) -> None:
    address = change.address
    progress.writing(change)
    log.write("write", address=str(address), action=change.action.value)
    receipt = locks.receipt(operation.database)
    report.outcomes[address] = Outcome.UNCERTAIN
    try:
        databases.client(operation.database).write(operation, receipt)
    except WriteUncertain:
        log.write("uncertain", address=str(address))
        raise
    except IcplanError as error:
        report.outcomes[address] = Outcome.FAILED
        log.write("failed", address=str(address), error=str(error))
        if isinstance(error, Stale) and error.subject == LOCK:
            raise LockLost(error.place) from error
        raise
    report.outcomes[address] = Outcome.DONE
    log.write("written", address=str(address))
    progress.written(change)
