"""`icplan apply`."""

from __future__ import annotations

import signal
from contextlib import closing, suppress
from pathlib import Path

import click

from icplan import planfile
from icplan.backends.databases import Databases
from icplan.cli.console import Console
from icplan.cli.options import (
    ACCESS,
    FILE,
    JSON,
    TIMEOUT,
    WITHOUT,
    console,
    for_this_run,
    read_bytes,
    read_spec,
)
from icplan.cli.planning import open_databases, plan_now
from icplan.cli.writing import AUTO_APPROVE, RUN_LOG, WAIT, WAIT_OPERATOR, asked
from icplan.errors import Exit, IcplanError, UsageError
from icplan.planning.digest import digest
from icplan.planning.plan import Plan
from icplan.render.difference import difference_text
from icplan.render.document import PlanDocument, plan_document
from icplan.render.paint import escape
from icplan.render.problems import error_document, error_text, internal_error_text
from icplan.render.progress import TextProgress
from icplan.render.reports import apply_document, apply_text, refusal_document
from icplan.render.text import plan_text, summary_text
from icplan.run.apply import Changed, Waits, apply
from icplan.run.runlog import RunLog
from icplan.run.stopping import SIGNALS, Stopping
from icplan.spec.load import read

_QUESTION = "Apply this plan? Only `yes` is taken as one: "
_BEFOREHAND = "icplan apply PLANFILE, or --auto-approve"


@click.command("apply")
@click.argument("saved", metavar="[PLANFILE]", required=False)
@FILE
@WITHOUT
@ACCESS
@JSON
@TIMEOUT
@AUTO_APPROVE
@click.option(
    "--expect-digest", metavar="DIGEST", help="Refuse any plan but the one with this digest."
)
@RUN_LOG
@WAIT
@WAIT_OPERATOR
@click.pass_context
def command(
    context: click.Context,
    saved: str | None,
    file: str,
    without: tuple[str, ...],
    access: str | None,
    as_json: bool,
    timeout: float,
    auto_approve: bool,
    expect_digest: str | None,
    run_log: str | None,
    wait: float,
    wait_operator: float,
) -> int:
    """Carry a plan out, or stop and say where it stands.

    Without PLANFILE it plans, shows and asks. With a PLANFILE it does that plan, or refuses.
    """
    # A pipeline that is cancelled sends SIGTERM: like Ctrl-C, it must not leave the locks behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = console(context)
    approved: planfile.PlanFile | None = None
    if saved is None:
        spec = read_spec(file, without, access)
    else:
        if without:
            raise _said_already(saved)
        approved = planfile.decode(read_bytes(saved, "plan file"), saved)
        spec = read(approved.content.encode(), approved.file)
        spec = for_this_run(spec, approved.without, access, destroy=approved.destroyed)
    with open_databases(spec, timeout) as databases:
        plan = plan_now(spec, databases)
        document = plan_document(plan)
        known = approved is not None and approved.digest == document["digest"]
        if not as_json:
            # An approved plan was read before; a person at a terminal wants one line of it.
            text = summary_text(document, out.out) if known else plan_text(document, out.out)
            out.print(text)
        # Of an incomplete plan there is no digest, and nothing to compare.
        if approved is not None and not known and document["digest"] is not None:
            out.tell(difference_text(approved.document, document, out.err))
        if (refused := refusal(out, plan)) is not None:
            if as_json:
                out.print_json(refusal_document(document, refused))
            return refused
        _require_same(plan, approved, expect_digest)
        if not plan.changes:
            if as_json:
                out.print_json(refusal_document(document, Exit.DONE))
            return Exit.DONE
        decided = auto_approve or approved is not None or expect_digest is not None
        unshown = document if as_json else None
        if not decided and not asked(out, "apply", unshown, _QUESTION, "yes", _BEFOREHAND):
            out.tell("Not applied; nothing was written.\n")
            return Exit.FAILED
        return carry_out(
            out, plan, document, databases, run_log, Waits(wait, wait_operator), as_json=as_json
        )


def _said_already(saved: str) -> UsageError:
    return UsageError(
        "--without",
        place=saved,
        cause="a saved plan says itself which zones it leaves out",
        cure="remove the option, or make another plan: icplan plan --without ZONE --out FILE",
    )


def refusal(out: Console, plan: Plan) -> Exit | None:
    """Says why a plan is not carried out, and gives the exit code; None when it may be."""
    if plan.unseen or plan.preview or (plan.unclear and not plan.refused):
        out.tell(out.err.bad("Not applied: not everything could be seen.") + "\n")
        return Exit.FAILED
    if plan.refused:
        out.tell(out.err.bad("Not applied: the plan is refused.") + "\n")
        return Exit.REFUSED
    return None


def _require_same(plan: Plan, approved: planfile.PlanFile | None, expected: str | None) -> None:
    """Lets only that plan pass which was approved.

    Raises:
        IcplanError: it is another one.
    """
    found = digest(plan)
    if approved is not None and approved.digest != found:
        raise Changed(plan)
    if expected is not None and expected != found:
        raise _unexpected(expected, found)


def _unexpected(expected: str, found: str) -> IcplanError:
    error = IcplanError(
        "plan",
        cause=f"its digest is {found}, expected was {expected}",
        cure="plan again and have the new plan reviewed; nothing was written",
    )
    error.exit = Exit.REFUSED
    return error


def carry_out(
    out: Console,
    plan: Plan,
    document: PlanDocument,
    databases: Databases,
    run_log: str | None,
    waits: Waits,
    *,
    as_json: bool,
) -> int:
    """Does what was approved, and tells how it ended; gives the exit code.

    Raises:
        IcplanError: nothing was written.
    """
    progress = TextProgress(out.tell, out.err, terminal=out.terminal, columns=lambda: out.columns)
    log = RunLog(Path(run_log) if run_log else None)
    # What `Stopping` goes back to: once the run is over, no signal may change how it ended.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    with log, Stopping() as stopping:
        try:
            with closing(progress):
                report = apply(plan, databases, log, progress, waits, stopping.check)
        except Changed as error:
            out.tell(difference_text({**document}, plan_document(error.plan), out.err))
            raise
        except (Exception, KeyboardInterrupt) as error:
            if not progress.wrote:
                raise
            # Whatever it was, the exit must not say that nothing was written.
            out.tell(_told(out, error))
            out.tell(f"stopped after some writes; the record of them: {escape(str(log.path))}\n")
            if as_json:
                with suppress(IcplanError):
                    out.print_json(error_document(_stopped(log, error), Exit.STOPPED))
            return Exit.STOPPED
    try:
        if as_json:
            out.print_json(apply_document(report))
        else:
            out.print(apply_text(report, out.out))
    except IcplanError as error:
        # How the run ended counts, not whether it could be printed.
        out.tell(error_text(error, out.err))
    if report.error is not None:
        out.tell(error_text(report.error, out.err))
    return report.exit


def _stopped(log: RunLog, error: Exception | KeyboardInterrupt) -> IcplanError:
    if isinstance(error, IcplanError):
        return error
    cause = f"stopped after some writes: {type(error).__name__}"
    return IcplanError("run", place=str(log.path), cause=cause, cure="read its record")


def _told(out: Console, error: Exception | KeyboardInterrupt) -> str:
    match error:
        case KeyboardInterrupt():
            return "interrupted again, while the run was being brought to its end\n"
        case IcplanError():
            return error_text(error, out.err)
    return internal_error_text(error)
