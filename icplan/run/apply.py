"""Carries a plan out: locks, writes wave by wave, waits for the evidence, says where it stands."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum

from icplan.backends.databases import Databases
from icplan.backends.failures import Stale, WriteUncertain
from icplan.backends.ovsdb import LOCK
from icplan.core.address import IC, Address
from icplan.core.change import Change
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
from icplan.run.stopping import never
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
    plan: Plan,
    databases: Databases,
    log: RunLog,
    progress: Progress,
    waits: Waits,
    safe_point: Callable[[], None] = never,
) -> ApplyReport:
    """Does exactly what the plan says, or stops and says where it stands.

    Under the locks everything is observed and planned once more: only the same plan is done.
    `safe_point` is called wherever the run may be stopped, and stops it with KeyboardInterrupt.

    Raises:
        Changed: it would be another plan now; nothing was written.
        Locked: somebody else is at work; nothing was written.
        IcplanError: a database could not be read; nothing was written.
    """
    sites = [IC, *sorted({one.address.site for one in plan.changes} - {IC})]
    log.write("start", owner=plan.owner, digest=digest(plan), sites=sites)
    with Locks(databases, sites, f"apply {plan.owner}", progress.note, safe_point) as locks:
        log.write("locked", nonce=locks.holder.nonce)
        spec = plan.view.spec
        current = make_plan(spec, observe(databases, spec))
        if digest(current) != digest(plan):
            raise Changed(current)
        queries = (query for kind in KINDS for query in kind.queries(spec, current.view.facts))
        with closing(Evidence(databases, queries)) as evidence:
            run = _Run(current, databases, locks, log, progress, waits, evidence, safe_point)
            return run.carry_out()


class _Run:
    """One run under its locks."""

    def __init__(
        self,
        plan: Plan,
        databases: Databases,
        locks: Locks,
        log: RunLog,
        progress: Progress,
        waits: Waits,
        evidence: Evidence,
        safe_point: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._databases = databases
        self._locks = locks
        self._log = log
        self._progress = progress
        self._waits = waits
        self._evidence = evidence
        self._safe_point = safe_point
        self._report = ApplyReport(plan, str(log.path))
        self._report.outcomes = {change.address: Outcome.SKIPPED for change in plan.changes}

    def carry_out(self) -> ApplyReport:
        """All waves, or as far as it goes."""
        report = self._report
        try:
            for wave in self._plan.waves:
                if not self._wave(wave):
                    break
                report.waves_done = wave.number
        except IcplanError as error:
            report.error = error
        except KeyboardInterrupt:
            report.interrupted = True
        try:
            self._log.write(
                "end",
                exit=int(report.exit),
                outcomes={str(one): outcome.value for one, outcome in report.outcomes.items()},
                error=str(report.error) if report.error else None,
            )
        except IcplanError as error:
            # Where the run stands is worth more than its record.
            report.error = report.error or error
        return report

    def _wave(self, wave: Wave) -> bool:
        self._progress.wave(wave, len(self._plan.waves))
        if not self._await("require", wave, wave.requires):
            return False
        for change in wave.changes:
            self._safe_point()
            self._write(change)
        return self._await("await", wave, wave.awaits)

    def _write(self, change: Change) -> None:
        operation = kind_of(change.address.kind).operation(change, self._plan.view)
        address = change.address
        self._progress.writing(change)
        self._log.write("write", address=str(address), action=change.action.value)
        receipt = self._locks.receipt(operation.database)
        self._report.outcomes[address] = Outcome.UNCERTAIN
        try:
            self._databases.client(operation.database).write(operation, receipt)
        except WriteUncertain:
            self._log.write("uncertain", address=str(address))
            raise
        except IcplanError as error:
            self._report.outcomes[address] = Outcome.FAILED
            self._log.write("failed", address=str(address), error=str(error))
            if isinstance(error, Stale) and error.subject == LOCK:
                raise LockLost(error.place) from error
            raise
        self._report.outcomes[address] = Outcome.DONE
        self._log.write("written", address=str(address))
        self._progress.written(change)

    def _await(self, event: str, wave: Wave, checks: tuple[Check, ...]) -> bool:
        if not checks:
            return True
        self._log.write(event, wave=wave.number, checks=[check.claim for check in checks])
        self._report.missing = await_evidence(
            checks,
            self._evidence,
            self._waits.machine,
            self._waits.operator,
            self._progress.waiting,
            self._safe_point,
        )
        claims = [check.claim for check, _ in self._report.missing]
        self._log.write("missing" if claims else "seen", wave=wave.number, missing=claims)
        if not claims:
            self._progress.seen(len(checks), beforehand=event == "require")
        return not claims
