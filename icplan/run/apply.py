"""Carries a plan out: locks, writes wave by wave, waits for the evidence, says where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from enum import StrEnum

from icplan.backends.databases import Databases
from icplan.backends.engines import EngineWritePartly, EngineWriteUnknown
from icplan.backends.failures import Stale, WriteRefused, WriteUncertain
from icplan.backends.kubernetes.failures import WriteUnknown
from icplan.backends.ovsdb import LOCK
from icplan.core.address import IC, Address
from icplan.core.change import Action, Change
from icplan.core.engines import InspectHost, MarkContainer, RemoveContainer, RunContainer
from icplan.core.io import Operation, Query, Transaction, Unreadable, settled
from icplan.core.value import Later
from icplan.errors import Exit, IcplanError
from icplan.kinds import KINDS, kind_of
from icplan.kinds.common.contract import Check, Guard, Held, Missing, Resolution, Step
from icplan.kinds.common.zones import declared
from icplan.ovn.facts import NOT_ASKED, decode
from icplan.planning.digest import digest
from icplan.planning.plan import Plan, make_plan
from icplan.planning.waves import Wave
from icplan.run.lock import LockLost, Locks
from icplan.run.observe import observe, read
from icplan.run.progress import Progress
from icplan.run.runlog import RunLog
from icplan.run.stopping import never
from icplan.run.wait import POLL_SECONDS, Evidence, Pending, await_evidence

SETTLE_SECONDS = 15.0
"""Three rounds of Kube-OVN's controller, which looks every 5 s (docs/facts.md section 4)."""


_PERHAPS = "it may be that"
"""Before how things stand, while nobody knows whether a write was done."""


class Outcome(StrEnum):
    """What became of a change."""

    DONE = "done"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    """It was sent, and the run was interrupted before the answer."""
    PARTLY = "partly"
    """Of several writes that it needs, not the last one was done; or of one write a part."""
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


class Unresolved(IcplanError):
    """What a plan shows as known later is not there, or is not what it should be."""

    exit = Exit.STOPPED

    def __init__(self, address: str, reference: str, cause: str, cure: str) -> None:
        super().__init__(
            address,
            cause=f"the {reference} could not be found: {cause}",
            cure=f"{cure}; then run `icplan apply` again",
        )


@dataclass(slots=True)
class ApplyReport:
    """Where a run stands.

    Attributes:
        outcomes: of every change, in order.
        missing: evidence that did not come.
        error: what stopped it.
        interrupted: a person stopped it.
        leaves: how things stand because of the change that was being made; empty where that is no
            matter.
    """

    plan: Plan
    log: str
    outcomes: dict[Address, Outcome] = field(default_factory=dict)
    waves_done: int = 0
    missing: tuple[Pending, ...] = ()
    error: IcplanError | None = None
    interrupted: bool = False
    leaves: str = ""

    @property
    def wrote(self) -> bool:
        """Whether any write was done, or may have been."""
        written = {Outcome.DONE, Outcome.PARTLY, Outcome.UNCERTAIN}
        return bool(written & set(self.outcomes.values()))

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
    sites = _locked(plan)
    without = sorted(plan.view.spec.without)
    log.write("start", owner=plan.owner, digest=digest(plan), sites=sites, without=without)
    with Locks(databases, sites, f"apply {plan.owner}", progress.note, safe_point) as locks:
        log.write("locked", nonce=locks.holder.nonce)
        spec = plan.view.spec
        current = make_plan(spec, observe(databases, spec))
        # A digest names no cluster: of the same changes one may lie in another one now.
        if digest(current) != digest(plan) or not {*_locked(current)} <= {*sites}:
            raise Changed(current)
        facts = current.view.facts
        wanted = [query for kind in KINDS for query in kind.queries(spec, facts)]
        # Hosts are looked at only while something is done there: that takes a login each time.
        seldom = [one for one in wanted if not isinstance(one, InspectHost)]
        # Who follows the IC databases waits for them to be there.
        rest = [one for one in wanted if not (isinstance(one, Query) and one.database.site == IC)]
        with (
            closing(Evidence(databases, seldom)) as whole,
            closing(Evidence(databases, rest)) as without_ic,
        ):
            evidence = _Evidence(whole, without_ic)
            run = _Run(current, databases, locks, log, progress, waits, evidence, safe_point)
            return run.carry_out()


def _locked(plan: Plan) -> list[str]:
    """The sites whose locks a run needs, the global one first.

    While there are no IC databases all zones' locks stand in for the global one.
    """
    if plan.view.facts.ic_absent or plan.view.facts.ic_stopped:
        return sorted(zone.name for zone in declared(plan.view.spec))
    return [IC, *sorted(_written(plan) - {IC})]


def _written(plan: Plan) -> set[str]:
    """The sites of a plan's changes, and those where their objects lie."""
    steps = (
        step
        for change in plan.changes
        for step in kind_of(change.address.kind).steps(change, plan.view)
    )
    return {change.address.site for change in plan.changes} | {
        _place(one.operation) for one in steps
    }


def _takes_databases(change: Change) -> bool:
    return kind_of(change.address.kind).founding and change.action is Action.DELETE


def _place(operation: Operation) -> str:
    match operation:
        case Transaction():
            return operation.database.site
        case RunContainer() | MarkContainer() | RemoveContainer():
            return operation.engine.site
    return operation.resource.collection.site


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is seen of everything, and of everything but what the IC databases hold."""

    whole: Evidence
    without_ic: Evidence


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
        evidence: _Evidence,
        safe_point: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._databases = databases
        self._locks = locks
        self._log = log
        self._progress = progress
        self._waits = waits
        self._evidence = evidence.whole
        self._without_ic = evidence.without_ic
        self._safe_point = safe_point
        self._found: dict[Later, str] = {}
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
        if all(_takes_databases(change) for change in wave.changes):
            self._locks.leave(IC)
        elif not all(kind_of(change.address.kind).founding for change in wave.changes):
            self._locks.join(IC)
        awaits = self._since_now(wave.awaits)
        self._found.clear()
        for change in wave.changes:
            self._safe_point()
            if not self._write(change):
                return False
        return self._await("await", wave, awaits)

    def _since_now(self, checks: tuple[Check, ...]) -> tuple[Check, ...]:
        """Transitions are measured from what is there before the wave's first write."""
        if all(check.since is None for check in checks):
            return checks
        facts = self._evidence.facts()
        return tuple(
            replace(check, holds=check.since(facts)) if check.since is not None else check
            for check in checks
        )

    def _write(self, change: Change) -> bool:
        """All steps of a change; false when the evidence between two of them does not come."""
        self._progress.writing(change)
        evidence = self._without_ic if kind_of(change.address.kind).founding else self._evidence
        needless = 0
        for step in kind_of(change.address.kind).steps(change, self._plan.view):
            if needless:
                needless -= 1
                continue
            self._settle(change.address, step.settles)
            if step.unless and self._all_hold(step.unless):
                needless = step.skips
                continue
            self._require(change.address, step.guards)
            self._step(change, step)
            # Half of a change is nowhere to stop at: a zone may be switched off just now.
            if not self._see("between", str(change.address), step.awaits, never, evidence):
                return False
        self._report.outcomes[change.address] = Outcome.DONE
        self._report.leaves = ""
        self._log.write("written", address=str(change.address))
        self._progress.written(change)
        return True

    def _settle(self, address: Address, checks: Sequence[Check]) -> None:
        """Lets what is on its way come to its end, for a while."""
        if checks:
            claims = [check.claim for check in checks]
            self._log.write("settle", address=str(address), checks=claims)
            seconds = min(SETTLE_SECONDS, self._waits.machine)
            await_evidence(checks, self._evidence, seconds, 0.0, self._progress.waiting, never)

    def _all_hold(self, checks: Sequence[Check]) -> bool:
        facts = self._evidence.facts()
        return all(isinstance(check.holds(facts), Held) for check in checks)

    def _require(self, address: Address, guards: Sequence[Guard]) -> None:
        """Looks once more at what a write rests on, and no precondition of its own can tell."""
        for guard in guards:
            verdict = guard.check.holds(decode(read(self._databases, guard.queries)))
            if isinstance(verdict, Held):
                continue
            cause = verdict.why if isinstance(verdict, Missing) else verdict.cause
            raise self._unguarded(address, cause, verdict.cure)

    def _unguarded(self, address: Address, cause: str, cure: str) -> WriteRefused:
        self._log.write("unguarded", address=str(address), cause=cause)
        return WriteRefused(str(address), cause=cause, cure=cure)

    def _resolved(self, address: Address, step: Step) -> Operation:
        """The write with what was only known later; within a wave it is looked for once.

        Raises:
            Unresolved: that did not come in time.
            WriteRefused: what the write is made of could not be read anew.
        """
        if step.afresh is not None:
            made = step.afresh.operation(decode(read(self._databases, step.afresh.queries)))
            if isinstance(made, Unreadable):
                raise self._unguarded(address, made.cause, made.cure)
            return made
        for one in step.resolutions:
            if one.later not in self._found:
                self._found[one.later] = self._find(address, one)
        return settled(step.operation, self._found) if step.resolutions else step.operation

    def _find(self, address: Address, resolution: Resolution) -> str:
        """Waits until a value is there, and is what the plan says of it.

        Raises:
            Unresolved: it did not come in time.
        """
        end = time.monotonic() + self._waits.machine
        while True:
            self._safe_point()
            found = resolution.find(decode(read(self._databases, resolution.queries)))
            if isinstance(found, str):
                self._log.write(
                    "resolved",
                    address=str(address),
                    reference=resolution.later.reference,
                    value=found,
                )
                return found
            if time.monotonic() > end:
                cause = found.why if isinstance(found, Missing) else found.cause
                self._log.write("unresolved", address=str(address), cause=cause)
                raise Unresolved(str(address), resolution.later.reference, cause, found.cure)
            time.sleep(POLL_SECONDS)

    def _step(self, change: Change, step: Step) -> None:
        address = change.address
        operation = self._resolved(address, step)
        self._log.write("write", address=str(address), action=change.action.value)
        before, stood = self._report.outcomes[address], self._report.leaves
        self._report.outcomes[address] = Outcome.UNCERTAIN
        if unsure := step.leaves or stood:
            self._report.leaves = f"{_PERHAPS} {unsure}"
        try:
            self._send(operation)
        except (WriteUncertain, WriteUnknown, EngineWriteUnknown):
            self._log.write("uncertain", address=str(address))
            raise
        except EngineWritePartly as error:
            self._report.outcomes[address] = Outcome.PARTLY
            self._report.leaves = step.leaves or stood
            self._log.write("partly", address=str(address), error=str(error))
            raise
        except IcplanError as error:
            # Of a change in several steps the first may be done already.
            failed = before is Outcome.SKIPPED
            self._report.outcomes[address] = Outcome.FAILED if failed else Outcome.PARTLY
            self._report.leaves = stood
            self._log.write("failed", address=str(address), error=str(error))
            if isinstance(error, Stale) and error.subject == LOCK:
                raise LockLost(error.place) from error
            raise
        self._report.outcomes[address] = Outcome.PARTLY
        self._report.leaves = step.leaves

    def _send(self, operation: Operation) -> None:
        match operation:
            case Transaction():
                receipt = self._locks.receipt(operation.database)
                self._databases.client(operation.database).write(operation, receipt)
            case RunContainer() | MarkContainer() | RemoveContainer():
                self._locks.require_held(IC)
                self._databases.engines[operation.engine].write(operation)
            case _:
                site = _place(operation)
                self._locks.require_held(site)
                self._databases.clusters[site].write(operation)

    def _await(self, event: str, wave: Wave, checks: tuple[Check, ...]) -> bool:
        founding = all(kind_of(change.address.kind).founding for change in wave.changes)
        last = wave.number == len(self._plan.waves)
        early = self._plan.view.facts.ic_stopped or (founding and not last)
        first, then = self._apart(checks) if early else ((), checks)
        what = f"wave {wave.number}"
        held = self._see(event, what, first, self._safe_point, self._without_ic) and self._see(
            event, what, then, self._safe_point, self._evidence
        )
        if held and checks:
            self._progress.seen(len(checks), beforehand=event == "require")
        return held

    def _apart(self, checks: tuple[Check, ...]) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
        """What can be seen without following the IC databases, and what waits for them."""
        facts = self._without_ic.facts()
        then = tuple(one for one in checks if one.holds(facts) == NOT_ASKED)
        return tuple(one for one in checks if one not in then), then

    def _see(
        self,
        event: str,
        what: str,
        checks: tuple[Check, ...],
        safe_point: Callable[[], None],
        evidence: Evidence,
    ) -> bool:
        if not checks:
            return True
        self._log.write(event, what=what, checks=[check.claim for check in checks])
        self._report.missing = await_evidence(
            checks,
            evidence,
            self._waits.machine,
            self._waits.operator,
            self._progress.waiting,
            safe_point,
        )
        claims = [check.claim for check, _ in self._report.missing]
        self._log.write("missing" if claims else "seen", what=what, missing=claims)
        return not claims
