"""`icplan lab`: up, down, status, ping."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from icplan.cli.options import JSON, console
from icplan.errors import Exit
from icplan.lab import operations
from icplan.lab.state import Family, LabOptions, Mode
from icplan.render.document import FORMAT_VERSION

DIRECTORY = click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="The lab's folder [default: one for each user]",
)


@click.group("lab")
def command() -> None:
    """Real OVN zones on this machine, to try icplan and to test it.

    Real ovsdb-server, ovn-northd and ovn-ic, and, with packets, ovn-controller and Open vSwitch:
    everything in one folder, nothing of it left after `down`.
    """


@command.command("up")
@DIRECTORY
@click.option("--zones", type=click.IntRange(1, 60), default=2, show_default=True)
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    help="With packets as root, with packets without privilege, or without packets "
    "[default: the first that is possible here]",
)
@click.option(
    "--family",
    type=click.Choice([family.value for family in Family]),
    default=Family.IPV4.value,
    show_default=True,
)
@click.option(
    "--members",
    type=click.Choice(["1", "3"]),
    default="1",
    show_default=True,
    help="Members of the IC databases' cluster.",
)
@click.option(
    "--kubernetes",
    is_flag=True,
    help="Zones are clusters: real kube-apiserver and etcd, kwok, and a stand-in for Kube-OVN's "
    "controller.",
)
@click.option(
    "--collisions",
    is_flag=True,
    help="Clusters may draw the same transit address, as real ones do once in about 127 times.",
)
@click.option("--tls", is_flag=True, help="The zones' databases speak TLS.")
@click.option(
    "--gateways",
    type=click.IntRange(1, 4),
    default=2,
    show_default=True,
    help="Gateway hosts in each zone.",
)
@click.pass_context
def up(
    context: click.Context,
    directory: Path | None,
    zones: int,
    mode: str | None,
    family: str,
    members: str,
    kubernetes: bool,
    collisions: bool,
    tls: bool,
    gateways: int,
) -> int:
    """Start a lab, and write an interconnect.yaml for it."""
    out = console(context)
    options = LabOptions(
        zones=tuple(f"az{number}" for number in range(1, zones + 1)),
        mode=Mode(mode) if mode else operations.best_mode(),
        family=Family(family),
        members=int(members),
        kubernetes=kubernetes,
        collisions=collisions,
        tls=tls,
        gateways=gateways,
    )
    lab = operations.up(options, directory)
    out.print(f"{options.mode.value} lab of {zones} zones is up; its file:\n")
    out.print(f"{lab.interconnect_file}\n")
    if kubernetes:
        out.tell("A stand-in plays Kube-OVN's controller: it is not the real one.\n")
    return Exit.DONE


@command.command("down")
@DIRECTORY
@click.pass_context
def down(context: click.Context, directory: Path | None) -> int:
    """End a lab and leave nothing of it."""
    there = operations.down(directory)
    console(context).print("the lab is gone\n" if there else "there is no lab\n")
    return Exit.DONE


@command.command("status")
@DIRECTORY
@JSON
@click.pass_context
def status(context: click.Context, directory: Path | None, as_json: bool) -> int:
    """Show what a running lab is made of."""
    out = console(context)
    lab = operations.describe(directory)
    if as_json:
        out.print_json({"format_version": FORMAT_VERSION, **asdict(lab)})
        return Exit.DONE
    out.print(f"{lab.mode.value} lab in {lab.directory}\n")
    out.print(f"file            {lab.interconnect_file}\n")
    out.print(f"IC northbound   {lab.ic_northbound}\nIC southbound   {lab.ic_southbound}\n")
    for zone in lab.zones:
        out.print(f"\n{zone.name}\n  northbound  {zone.northbound}\n")
        out.print(f"  southbound  {zone.southbound}\n  router      {zone.router}\n")
        out.print(f"  gateways    {', '.join(zone.gateway_hosts)}\n")
        for name, addresses in zone.pods.items():
            out.print(f"  pod         {name}  {', '.join(addresses)}\n")
        for daemon in zone.stopped:
            out.print(f"  stopped     {daemon}\n")
    return Exit.DONE


@command.command("ping")
@click.argument("source")
@click.argument("destination")
@click.option("--count", type=click.IntRange(1, 1000), default=3, show_default=True)
@DIRECTORY
@click.pass_context
def ping(
    context: click.Context, source: str, destination: str, count: int, directory: Path | None
) -> int:
    """Ping from a pod (az1/pods) to another, or to an address."""
    result = operations.ping(source, destination, directory=directory, count=count)
    text = f"{source} -> {destination}: {result.received} of {result.sent} answered\n"
    console(context).print(text)
    return Exit.DONE if result.received else Exit.MISSING
