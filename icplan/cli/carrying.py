"""Does what was approved, and tells how it ended; a second round too, at most. Decides no plan."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from icplan.backends.databases import Databases
from icplan.cli.console import Console
from icplan.cli.planning import plan_now
from icplan.errors import Exit, IcplanError
from icplan.planning.plan import Plan
from icplan.render.difference import difference_text
from icplan.render.document import PlanDocument, plan_document
from icplan.render.paint import escape
from icplan.render.problems import error_document, error_text, internal_error_text
from icplan.render.progress import TextProgress
from icplan.render.reports import apply_document, apply_text, refusal_document
from icplan.render.text import plan_text
from icplan.run.apply import ApplyReport, Changed, Waits, apply
from icplan.run.runlog import RunLog
from icplan.run.stopping import SIGNALS, Stopping

Asked = Callable[[PlanDocument], bool]
"""Whether somebody approves a plan that was shown, unless the output is a document."""

_PLAN_AGAIN = (
    "The IC databases run now, and what rests on them could not be planned before: run "
    "`icplan plan` again.\n"
)
_GOES_ON = "The IC databases run now: what rests on them is planned.\n"
_ENDED_AGAIN = "Stopped: the IC databases ran, and do not run any more: see their logs.\n"
_NOT_ALL = "Stopped: the IC databases were started, and nothing else was written.\n"


@dataclass(frozen=True, slots=True)
class Run:
    """How an approved plan is carried out.

    Attributes:
        run_log: where its record goes; None: the usual place.
        as_json: stdout carries one document about all that was done.
        asked: asks about the second round of a run that could only start the IC databases; None:
            what was approved is one plan, and there is no second round.
    """

    out: Console
    databases: Databases
    run_log: str | None
    waits: Waits
    as_json: bool
    asked: Asked | None

    def refusal(self, plan: Plan) -> Exit | None:
        """Says why a plan is not carried out, and gives the exit code; None when it may be."""
        out = self.out
        if plan.unseen or plan.preview or (plan.unclear and not plan.refused):
            out.tell(out.err.bad("Not applied: not everything could be seen.") + "\n")
            return Exit.FAILED
        if plan.refused:
            out.tell(out.err.bad("Not applied: the plan is refused.") + "\n")
            return Exit.REFUSED
        return None

    def carry_out(self, plan: Plan, document: PlanDocument) -> int:
        """Does what was approved; gives the exit code.

        Raises:
            IcplanError: nothing was written.
        """
        ended = self._do(plan, document)
        if not isinstance(ended, ApplyReport):
            self._print_json(ended)
            return Exit.STOPPED
        if ended.exit is not Exit.DONE or not plan.only_starts:
            self._tell(ended, ended.exit)
            return ended.exit
        if self.asked is None:
            # What was approved is done, and the file is not served yet.
            self._tell(ended, Exit.STOPPED)
            self.out.tell(_PLAN_AGAIN)
            return Exit.STOPPED
        if not self.as_json:
            self._tell(ended, Exit.DONE)
        self.out.tell(_GOES_ON)
        return self._second(plan, ended)

    def _second(self, first: Plan, started: ApplyReport) -> Exit:
        """What can be planned now, once; whatever becomes of it, something was written before."""
        document: Mapping[str, object]
        try:
            # Until it is carried out, a signal stops it as it stopped the first one.
            for number in SIGNALS:
                signal.signal(number, signal.default_int_handler)
            plan = plan_now(first.view.spec, self.databases)
            planned = plan_document(plan)
            if not self.as_json:
                self.out.print(plan_text(planned, self.out.out))
            ended = self._approved(plan, planned)
            if isinstance(ended, Exit):
                document = refusal_document(planned, ended)
            else:
                document, ended = self._reported(ended)
        # Whatever it is, the exit must not say that nothing was written.
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001
            ended = Exit.STOPPED
            stopped = isinstance(error, KeyboardInterrupt)
            self.out.tell("interrupted\n" if stopped else _told(self.out, error))
            self.out.tell(_NOT_ALL)
            document = error_document(_as_error(error, "run"), ended)
        self._print_json({**document, "started": apply_document(started)})
        return ended

    def _approved(
        self, plan: Plan, planned: PlanDocument
    ) -> Exit | ApplyReport | dict[str, object]:
        """What becomes of the second plan, or that it is not carried out."""
        if self.refusal(plan) is not None:
            self.out.tell(_NOT_ALL)
            return Exit.STOPPED
        if plan.view.facts.ic_stopped:
            self.out.tell(_ENDED_AGAIN)
            return Exit.STOPPED
        if not plan.changes:
            return Exit.DONE
        if self.asked is None or not self.asked(planned):
            self.out.tell(_NOT_ALL)
            return Exit.STOPPED
        return self._do(plan, planned)

    def _reported(
        self, ended: ApplyReport | dict[str, object]
    ) -> tuple[Mapping[str, object], Exit]:
        if not isinstance(ended, ApplyReport):
            return ended, Exit.STOPPED
        # The first round has written, whatever this one did.
        code = Exit.DONE if ended.exit is Exit.DONE else Exit.STOPPED
        self._say(ended)
        return {**apply_document(ended), "exit": int(code)}, code

    def _do(self, plan: Plan, document: PlanDocument) -> ApplyReport | dict[str, object]:
        """One round: its report, or the document of an error after some writes.

        Raises:
            IcplanError: nothing was written.
        """
        out = self.out
        progress = TextProgress(
            out.tell, out.err, terminal=out.terminal, columns=lambda: out.columns
        )
        log = RunLog(Path(self.run_log) if self.run_log else None)
        # What `Stopping` goes back to: once the run is over, no signal may change how it ended.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        with log, Stopping() as stopping:
            try:
                with closing(progress):
                    return apply(plan, self.databases, log, progress, self.waits, stopping.check)
            except Changed as error:
                out.tell(difference_text({**document}, plan_document(error.plan), out.err))
                raise
            except (Exception, KeyboardInterrupt) as error:
                if not progress.wrote:
                    raise
                # Whatever it was, the exit must not say that nothing was written.
                out.tell(_told(out, error))
                where = escape(str(log.path))
                out.tell(f"stopped after some writes; the record of them: {where}\n")
                return error_document(_as_error(error, str(log.path)), Exit.STOPPED)

    def _tell(self, report: ApplyReport, code: Exit) -> None:
        self._print_json({**apply_document(report), "exit": int(code)})
        self._say(report)

    def _say(self, report: ApplyReport) -> None:
        """How a round ended, for people."""
        out = self.out
        if not self.as_json:
            # How the run ended counts, not whether it could be printed.
            try:
                out.print(apply_text(report, out.out))
            except IcplanError as error:
                out.tell(error_text(error, out.err))
        if report.error is not None:
            out.tell(error_text(report.error, out.err))

    def _print_json(self, document: Mapping[str, object]) -> None:
        if not self.as_json:
            return
        try:
            self.out.print_json(document)
        except IcplanError as error:
            self.out.tell(error_text(error, self.out.err))


def _as_error(error: Exception | KeyboardInterrupt, place: str) -> IcplanError:
    if isinstance(error, IcplanError):
        return error
    cause = f"stopped after some writes: {type(error).__name__}"
    return IcplanError("run", place=place, cause=cause, cure="read its record")


def _told(out: Console, error: Exception | KeyboardInterrupt) -> str:
    match error:
        case KeyboardInterrupt():
            return "interrupted again, while the run was being brought to its end\n"
        case IcplanError():
            return error_text(error, out.err)
    return internal_error_text(error)
