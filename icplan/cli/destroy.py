"""`icplan destroy`."""

from __future__ import annotations

import signal

import click

from icplan.cli.carrying import Run
from icplan.cli.options import ACCESS, FILE, JSON, TIMEOUT, console, read_spec
from icplan.cli.planning import open_databases, plan_now
from icplan.cli.writing import AUTO_APPROVE, RUN_LOG, WAIT, WAIT_OPERATOR, asked
from icplan.errors import Exit
from icplan.render.document import PlanDocument, plan_document
from icplan.render.paint import escape
from icplan.render.reports import refusal_document
from icplan.render.text import plan_text
from icplan.run.apply import Waits

_BEFOREHAND = "--auto-approve, or icplan plan --destroy --out PLANFILE and icplan apply PLANFILE"


@click.command("destroy")
@FILE
@ACCESS
@JSON
@TIMEOUT
@AUTO_APPROVE
@RUN_LOG
@WAIT
@WAIT_OPERATOR
@click.pass_context
def command(
    context: click.Context,
    file: str,
    access: str | None,
    as_json: bool,
    timeout: float,
    auto_approve: bool,
    run_log: str | None,
    wait: float,
    wait_operator: float,
) -> int:
    """Take everything apart that the file declares: zones first, then what they shared.

    It shows a plan, as `icplan plan --destroy` does, and asks for the interconnection's name. Its
    deletions and outages are not counted against `limits`; a zone that is `protected` refuses it.
    """
    # A pipeline that is cancelled sends SIGTERM: like Ctrl-C, it must not leave the locks behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    out = console(context)
    spec = read_spec(file, (), access, destroy=True)
    with open_databases(spec, timeout) as databases:
        plan = plan_now(spec, databases)
        document = plan_document(plan)
        if not as_json:
            out.print(plan_text(document, out.out))
        # Its name, as `yes` is typed too easily.
        question = f"Destroy all of this? Type its name, {escape(plan.owner)}: "

        def approves(document: PlanDocument) -> bool:
            unshown = document if as_json else None
            return auto_approve or asked(out, "destroy", unshown, question, plan.owner, _BEFOREHAND)

        run = Run(out, databases, run_log, Waits(wait, wait_operator), as_json, approves)
        if (refused := run.refusal(plan)) is not None:
            if as_json:
                out.print_json(refusal_document(document, refused))
            return refused
        if not plan.changes:
            if as_json:
                out.print_json(refusal_document(document, Exit.DONE))
            return Exit.DONE
        if not approves(document):
            out.tell("Not destroyed; nothing was written.\n")
            return Exit.FAILED
        return run.carry_out(plan, document)
