"""`icplan validate`."""

from __future__ import annotations

import click

from icplan.cli.console import Console
from icplan.cli.options import FILE, JSON, console, read_spec, tell_warnings
from icplan.errors import Exit
from icplan.planning.verdicts import Verdict, offline
from icplan.render.document import FORMAT_VERSION, verdict_document
from icplan.render.problems import diagnostic_text, diagnostics_document
from icplan.render.text import verdict_lines
from icplan.spec.diagnostic import Diagnostic, FileError, escape
from icplan.spec.load import Spec


@click.command("validate")
@FILE
@JSON
@click.pass_context
def command(context: click.Context, file: str, as_json: bool) -> int:
    """Check the file alone, offline, every problem at once."""
    out = console(context)
    try:
        spec = read_spec(file)
    except FileError as error:
        if not as_json:
            raise
        out.print_json(
            {
                "format_version": FORMAT_VERSION,
                "valid": False,
                "problems": diagnostics_document(error.diagnostics),
                "verdicts": [],
            }
        )
        return Exit.FAILED
    verdicts = offline(spec)
    refused = any(verdict.refuses for verdict in verdicts)
    if as_json:
        out.print_json(
            {
                "format_version": FORMAT_VERSION,
                "valid": not refused,
                "problems": diagnostics_document(spec.warnings),
                "verdicts": [verdict_document(one) for one in verdicts],
            }
        )
        return Exit.FAILED if refused else Exit.DONE
    tell_warnings(out, spec)
    if verdicts:
        out.tell("\n".join(_verdict_text(out, spec, one) for one in verdicts))
    if refused:
        out.tell(out.err.bad(f"{escape(file)} cannot be planned.") + "\n")
        return Exit.FAILED
    count = len(spec.interconnect.availability_zones)
    zones = "1 availability zone" if count == 1 else f"{count} availability zones"
    out.print(out.out.good(f"{escape(file)} is valid: {zones}.") + "\n")
    return Exit.DONE


def _verdict_text(out: Console, spec: Spec, verdict: Verdict) -> str:
    if verdict.origin is None:
        return "\n".join(verdict_lines(verdict_document(verdict), out.err)) + "\n"
    message = f"{verdict.at}: {verdict.message}"
    problem = Diagnostic(verdict.code, verdict.origin, message, verdict.cure)
    return diagnostic_text(problem, spec.document.lines, out.err, warning=not verdict.refuses)
