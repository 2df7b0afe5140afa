"""`icplan verify`."""

from __future__ import annotations

import click

from icplan.cli.options import ACCESS, FILE, JSON, TIMEOUT, WITHOUT, console, read_spec
from icplan.cli.planning import open_databases, plan_now
from icplan.errors import Exit
from icplan.render.reports import verify_document, verify_text
from icplan.run.verify import verify


@click.command("verify")
@FILE
@WITHOUT
@ACCESS
@JSON
@TIMEOUT
@click.pass_context
def command(
    context: click.Context,
    file: str,
    without: tuple[str, ...],
    access: str | None,
    as_json: bool,
    timeout: float,
) -> int:
    """Check that reality serves the file: the chain of evidence of every zone and pair."""
    out = console(context)
    spec = read_spec(file, without, access)
    with open_databases(spec, timeout) as databases:
        report = verify(plan_now(spec, databases))
    if as_json:
        out.print_json(verify_document(report))
    else:
        out.print(verify_text(report, out.out))
    if report.unseen or report.plan.unseen:
        return Exit.FAILED
    return Exit.MISSING if report.missing or report.drift else Exit.DONE
