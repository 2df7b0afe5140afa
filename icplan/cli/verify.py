"""`icplan verify`."""

from __future__ import annotations

from collections.abc import Callable

import click

from icplan.backends.databases import Databases
from icplan.cli.console import Console
from icplan.cli.options import ACCESS, FILE, JSON, TIMEOUT, WITHOUT, Seconds, console, read_spec
from icplan.cli.planning import open_databases, plan_now
from icplan.cli.probes import commands
from icplan.errors import Exit, UsageError
from icplan.planning.path.chain import way
from icplan.planning.path.ends import Named, parse_both, queries
from icplan.planning.path.links import Way
from icplan.planning.plan import Plan
from icplan.render.paint import escape
from icplan.render.path import path_document, path_text
from icplan.render.ping import ping_document, ping_text
from icplan.render.reports import verify_document, verify_text
from icplan.run.ping import Interrupted, PingReport, Wishes, ping
from icplan.run.stopping import Stopping
from icplan.run.verify import verify

_PINGS = Wishes()
_INTERRUPTED = "interrupted; the pods that were made to ping from are removed\n"
_LEFT = "interrupted; the next `icplan verify --ping` from this machine removes what is left\n"


@click.command("verify")
@click.argument("source", metavar="[FROM", required=False)
@click.argument("target", metavar="TO]", required=False)
@FILE
@WITHOUT
@ACCESS
@JSON
@TIMEOUT
@click.option(
    "--ping",
    "pings",
    is_flag=True,
    help="Also send packets between the zones, small ones and as large as pods send them. In "
    "clusters from a pod that can ping, else from one that is made for it and removed again.",
)
@click.option(
    "--probe",
    "probes",
    multiple=True,
    metavar="ZONE=ADDRESS[=COMMAND]",
    help="Where to ping from and whom to ping in a zone, and what a command line there begins "
    "with: 'stack=10.20.0.5=ip netns exec qdhcp-1'. Plain OVN zones need it. May be repeated.",
)
@click.option(
    "--pairs",
    type=click.IntRange(1),
    default=_PINGS.pairs,
    show_default=True,
    help="How many pairs of zones are pinged at most; few of them still touch every zone.",
)
@click.option(
    "--count",
    type=click.IntRange(1, 1000),
    default=_PINGS.count,
    show_default=True,
    help="How many pings in each direction.",
)
@click.option(
    "--probe-namespace",
    default=_PINGS.namespace,
    show_default=True,
    metavar="NAME",
    help="Where pods to ping from are looked for, and made.",
)
@click.option(
    "--probe-image",
    metavar="IMAGE",
    help="Of pods that are made: it needs ping and sleep [default: Kube-OVN's own]",
)
@click.option(
    "--probe-wait",
    type=Seconds(1),
    default=_PINGS.wait,
    show_default=True,
    metavar="SECONDS",
    help="How long a pod that is made may take to run.",
)
@click.pass_context
def command(
    context: click.Context,
    source: str | None,
    target: str | None,
    file: str,
    without: tuple[str, ...],
    access: str | None,
    as_json: bool,
    timeout: float,
    pings: bool,
    probes: tuple[str, ...],
    pairs: int,
    count: int,
    probe_namespace: str,
    probe_image: str | None,
    probe_wait: float,
) -> int:
    """Check that reality serves the file: the chain of evidence of every zone and pair.

    With FROM and TO, each ZONE/SUBNET or ZONE/CIDR: the chain between these two subnets, there
    and back, link by link, up to where it ends and what to do about it.
    """
    out = console(context)
    spec = read_spec(file, without, access)
    ends = None
    if source is not None:
        if target is None:
            raise UsageError(
                f"verify {source}",
                cause="a way has two ends",
                cure=f"name the other one, too: icplan verify {source} ZONE/SUBNET",
            )
        ends = parse_both(spec, source, target)
    if probes and not pings:
        raise UsageError(
            "--probe", cause="nobody is pinged without --ping", cure="add --ping, or remove it"
        )
    wishes = Wishes(count, pairs, probe_namespace, probe_image, probe_wait, commands(spec, probes))
    with open_databases(spec, timeout) as databases:
        plan = plan_now(spec, databases, queries(ends) if ends else ())

        def sent(found: Way | None) -> PingReport | None:
            return _pinged(out, plan, databases, wishes, found) if pings else None

        if ends is not None:
            return _path(out, plan, ends, sent, as_json=as_json)
        return _everything(out, plan, sent, as_json=as_json)


Pings = Callable[[Way | None], PingReport | None]


def _everything(out: Console, plan: Plan, sent: Pings, *, as_json: bool) -> int:
    report = verify(plan)
    pinged = sent(None)
    if as_json:
        document = verify_document(report)
        out.print_json(document | ({"ping": ping_document(pinged)} if pinged else {}))
    else:
        text = verify_text(report, out.out)
        out.print(f"{text}\n{ping_text(pinged, out.out)}" if pinged else text)
    return _exit(
        unseen=bool(report.unseen or report.plan.unseen),
        missing=bool(report.missing or report.drift),
        pinged=pinged,
    )


def _path(
    out: Console, plan: Plan, ends: tuple[Named, Named], sent: Pings, *, as_json: bool
) -> int:
    found = way(plan, ends)
    pinged = sent(found)
    if as_json:
        out.print_json(path_document(plan, found, pinged))
    else:
        out.print(path_text(found, pinged, out.out))
    return _exit(
        unseen=any(one.unseen for one in found.directions),
        missing=any(one.broken or one.flawed for one in found.directions),
        pinged=pinged,
    )


def _pinged(
    out: Console, plan: Plan, databases: Databases, wishes: Wishes, found: Way | None
) -> PingReport:
    with Stopping() as stopping:
        try:
            return ping(plan, databases, wishes, found, stopping.check)
        except Interrupted as error:
            for one in error.left:
                out.tell(f"not removed: {escape(one)}\n")
            out.tell(_LEFT if error.left else _INTERRUPTED)
            raise click.exceptions.Exit(Exit.INTERRUPTED) from None


def _exit(*, unseen: bool, missing: bool, pinged: PingReport | None) -> int:
    if unseen or (pinged is not None and pinged.unseen):
        return Exit.FAILED
    return Exit.MISSING if missing or (pinged is not None and pinged.missing) else Exit.DONE
