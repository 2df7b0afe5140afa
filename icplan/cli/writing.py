"""What the commands that write have in common: their options, and asking. Writes nothing itself."""

from __future__ import annotations

import sys

import click

from icplan.cli.console import Console
from icplan.cli.options import Seconds
from icplan.errors import UsageError
from icplan.render.document import PlanDocument
from icplan.render.text import plan_text
from icplan.run.apply import Waits

AUTO_APPROVE = click.option("--auto-approve", is_flag=True, help="Do not ask; for pipelines.")
RUN_LOG = click.option(
    "--run-log", metavar="FILE", help="Where the record goes [default: .icplan/runs]"
)
WAIT = click.option(
    "--wait",
    type=Seconds(0),
    default=Waits.machine,
    show_default=True,
    metavar="SECONDS",
    help="How long evidence may take after a wave.",
)
WAIT_OPERATOR = click.option(
    "--wait-operator",
    type=Seconds(0),
    default=Waits.operator,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for what you must do on a host.",
)


def asked(
    out: Console,
    command: str,
    unshown: PlanDocument | None,
    question: str,
    answer: str,
    beforehand: str,
) -> bool:
    """Whether a person at the terminal gives the one answer that approves.

    Args:
        out: where it is asked.
        command: what is to be approved, for messages.
        unshown: the plan, when it was not shown yet: nobody can approve what was not.
        question: the words of the question.
        answer: what is taken for an approval.
        beforehand: how to approve where nobody is there.

    Raises:
        UsageError: nobody is there.
    """
    # There is no stdin at all when it was closed: `<&-`.
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            command,
            cause="nobody is there to approve the plan",
            cure=f"approve it beforehand: {beforehand}",
        )
    if unshown is not None:
        out.tell(plan_text(unshown, out.err))
    out.tell(question)
    return sys.stdin.readline().strip() == answer
