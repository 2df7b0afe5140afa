"""`icplan plan`."""

from __future__ import annotations

from typing import cast

import click

from icplan import planfile
from icplan.cli.options import (
    ACCESS,
    FILE,
    JSON,
    TIMEOUT,
    WITHOUT,
    console,
    read_spec,
    tell_warnings,
    write_bytes,
)
from icplan.cli.planning import open_databases, plan_now
from icplan.errors import Exit, IcplanError
from icplan.planning.plan import Plan
from icplan.render.document import PlanDocument, plan_document
from icplan.render.encodable import encodable
from icplan.render.paint import escape
from icplan.render.text import plan_text
from icplan.run.lock import holders, place_of


@click.command("plan")
@FILE
@WITHOUT
@ACCESS
@JSON
@TIMEOUT
@click.option("--out", metavar="FILE", help="Save the plan for `icplan apply FILE`.")
@click.option(
    "--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes, 0 when not."
)
@click.option("--destroy", is_flag=True, help="Plan to take everything apart: icplan destroy.")
@click.pass_context
def command(
    context: click.Context,
    file: str,
    without: tuple[str, ...],
    access: str | None,
    as_json: bool,
    timeout: float,
    out: str | None,
    detailed_exitcode: bool,
    destroy: bool,
) -> int:
    """Show what would change, why, and what users would feel. Writes nothing, takes no lock."""
    printer = console(context)
    spec = read_spec(file, without, access, destroy=destroy)
    with open_databases(spec, timeout) as databases:
        plan = plan_now(spec, databases)
        held = {
            place_of(databases, site).title: holder
            for site, holder in holders(plan.view.facts).items()
        }
    document = plan_document(plan)
    tell_warnings(printer, spec)
    if as_json:
        printer.print_json(document)
    else:
        printer.print(plan_text(document, printer.out))
    for lock, holder in held.items():
        printer.tell(
            f"note: the {lock} is held by {escape(str(holder))}; a dead holder is "
            f"taken over within {holder.ttl:.0f} s, or: icplan unlock {escape(holder.nonce)}\n"
        )
    if out is not None:
        _save(out, file, plan, document)
    if plan.unseen:
        return Exit.FAILED
    if plan.refused:
        return Exit.REFUSED
    if plan.unclear:
        return Exit.FAILED
    return Exit.CHANGES if detailed_exitcode and plan.changes else Exit.DONE


def _save(out: str, file: str, plan: Plan, document: PlanDocument) -> None:
    digest = document["digest"]
    if digest is None:
        raise IcplanError(
            "plan file",
            place=out,
            cause="the plan is only a preview: we may not look at what is listed above"
            if plan.preview
            else "the plan is incomplete: something could not be seen",
            cure="plan with the role icplan-apply of examples/rbac"
            if plan.preview
            else "mend what is listed above, then plan again",
        )
    content = "\n".join(plan.view.spec.document.lines) + "\n"
    shown = cast("PlanDocument", encodable(document))
    name = str(encodable(file))
    without = tuple(sorted(plan.view.spec.without))
    spec = plan.view.spec
    saved = planfile.PlanFile(name, content, digest, {**shown}, without, spec.destroyed)
    write_bytes(out, planfile.encode(saved))
