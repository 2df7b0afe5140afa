"""`icplan status`."""

from __future__ import annotations

import click

from icplan.cli.options import ACCESS, FILE, JSON, TIMEOUT, WITHOUT, console, read_spec
from icplan.cli.planning import open_databases, plan_now
from icplan.errors import Exit
from icplan.render.status import status_document, status_text


@click.command("status")
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
    """Show all zones on one page: gateways, ports, routes. Judges nothing."""
    out = console(context)
    spec = read_spec(file, without, access)
    with open_databases(spec, timeout) as databases:
        document = status_document(plan_now(spec, databases))
    if as_json:
        out.print_json(document)
    else:
        out.print(status_text(document, out.out))
    return Exit.FAILED if document["unreadable"] else Exit.DONE
