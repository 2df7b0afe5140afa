"""`icplan destroy`."""

from __future__ import annotations

import signal
import sys

import click

from icplan.cli.apply import carry_out, refusal
from icplan.cli.console import Console
from icplan.cli.options import ACCESS, FILE, JSON, TIMEOUT, Seconds, console, read_spec
from icplan.cli.planning import open_databases, plan_now
from icplan.errors import Exit, UsageError
from icplan.render.document import plan_document
from icplan.render.paint import escape
from icplan.render.reports import refusal_document
from icplan.render.text import plan_text
from icplan.run.apply import Waits


@click.command("destroy")
@FILE
@ACCESS
@JSON
@TIMEOUT
@click.option("--auto-approve", is_flag=True, help="Do not ask; for pipelines.")
@click.option("--run-log", metavar="FILE", help="Where the record goes [default: .icplan/runs]")
@click.option(
    "--wait",
    type=Seconds(0),
    default=Waits.machine,
    show_default=True,
    metavar="SECONDS",
    help="How long evidence may take after a wave.",
)
@click.option(
    "--wait-operator",
    type=Seconds(0),
    default=Waits.operator,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for what you must do on a host.",
)
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
        if (refused := refusal(out, plan)) is not None:
            if as_json:
                out.print_json(refusal_document(document, refused))
            return refused
        if not plan.changes:
            if as_json:
                out.print_json(refusal_document(document, Exit.DONE))
            return Exit.DONE
        unshown = plan_text(document, out.err) if as_json else ""
        if not auto_approve and not _asked(out, plan.owner, unshown):
            out.tell("Not destroyed; nothing was written.\n")
            return Exit.FAILED
        waits = Waits(wait, wait_operator)
        return carry_out(out, plan, document, databases, run_log, waits, as_json=as_json)


def _asked(out: Console, owner: str, unshown: str) -> bool:
    """Whether a person has typed the interconnection's name: `yes` is typed too easily.

    Raises:
        UsageError: nobody is there.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "destroy",
            cause="nobody is there to approve the plan",
            cure="approve it beforehand: --auto-approve, or icplan plan --destroy --out PLANFILE "
            "and icplan apply PLANFILE",
        )
    out.tell(unshown)
    out.tell(f"Destroy all of this? Type its name, {escape(owner)}: ")
    return sys.stdin.readline().strip() == owner
