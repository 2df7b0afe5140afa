"""`icplan apply`."""

from __future__ import annotations

import signal

import click

from icplan import planfile
from icplan.cli.carrying import Asked, Run
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
from icplan.render.reports import refusal_document
from icplan.render.text import plan_text, summary_text
from icplan.run.apply import Changed, Waits
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
        decided = approved is not None or expect_digest is not None
        approves = None if decided else _asks(out, auto_approve=auto_approve, as_json=as_json)
        run = Run(out, databases, run_log, Waits(wait, wait_operator), as_json, approves)
        if (refused := run.refusal(plan)) is not None:
            if as_json:
                out.print_json(refusal_document(document, refused))
            return refused
        _require_same(plan, approved, expect_digest)
        if not plan.changes:
            if as_json:
                out.print_json(refusal_document(document, Exit.DONE))
            return Exit.DONE
        if approves is not None and not approves(document):
            out.tell("Not applied; nothing was written.\n")
            return Exit.FAILED
        return run.carry_out(plan, document)


def _asks(out: Console, *, auto_approve: bool, as_json: bool) -> Asked:
    def approves(document: PlanDocument) -> bool:
        unshown = document if as_json else None
        return auto_approve or asked(out, "apply", unshown, _QUESTION, "yes", _BEFOREHAND)

    return approves


def _said_already(saved: str) -> UsageError:
    return UsageError(
        "--without",
        place=saved,
        cause="a saved plan says itself which zones it leaves out",
        cure="remove the option, or make another plan: icplan plan --without ZONE --out FILE",
    )


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
