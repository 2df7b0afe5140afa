"""The stand-in as a program: one zone's controller, in the foreground or as a daemon of the lab.

Seen from outside it is a controller like the real one: it takes a kubeconfig and the addresses of
the zone's databases, and knows a zone by nothing else. `python -m icplan.lab.standin --help`.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from icplan.lab.background import serve
from icplan.lab.standin.controller import Controller, Pace
from icplan.lab.standin.decisions import draw_share
from icplan.lab.standin.gateway_marks import GatewayMarks
from icplan.lab.standin.generation import GENERATIONS
from icplan.lab.standin.kubernetes_rest import RestCluster
from icplan.lab.standin.ovn_databases import OvnDatabases
from icplan.lab.standin.switch_keeper import SwitchKeeper

_log = logging.getLogger(__name__)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT; ovn-ic ends with the program."""
    options = _parser().parse_args(arguments)
    if options.detach:
        serve(lambda: _prepare(options))
        return
    if options.pidfile:
        options.pidfile.write_text(f"{os.getpid()}\n")
    try:
        _prepare(options)()
    finally:
        if options.pidfile:
            options.pidfile.unlink(missing_ok=True)


def _prepare(options: argparse.Namespace) -> Callable[[], None]:
    logging.basicConfig(
        filename=None if options.detach else options.log_file,
        level=logging.INFO,
        format="%(asctime)s stand-in %(levelname)s %(message)s",
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    cluster = RestCluster(options.kubeconfig, options.context)
    ovn = OvnDatabases(options.northbound, options.southbound, options.directory)
    generation = GENERATIONS[options.generation]
    draw_below: Callable[[int], int] = random.Random(options.seed).randrange
    if options.share is not None:
        draw_below = partial(draw_share, draw_below, options.share)
    controller = Controller(generation, cluster, ovn, draw_below=draw_below)
    beside: list[Callable[[], object]] = []
    if options.mark_gateways:
        beside.append(GatewayMarks(cluster, ovn).sync)
    if options.keep_switches:
        keeper = SwitchKeeper(options.keep_switches, options.protocol)
        beside.append(lambda: keeper.keep_as_deployed(cluster))
    pace = Pace(options.round_seconds, options.policy_seconds)
    _log.info("stand-in for Kube-OVN's controller, generation %s", generation.name)

    def run() -> None:
        try:
            controller.run(stop, pace=pace, beside=beside)
        finally:
            ovn.close()
            cluster.close()

    return run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m icplan.lab.standin",
        description="A stand-in for Kube-OVN's interconnection controller; not the real one.",
    )
    add = parser.add_argument
    add("--generation", choices=sorted(GENERATIONS), required=True)
    add("--kubeconfig", type=Path, required=True, help="of JSON")
    add("--context", help="by default the kubeconfig's current one")
    add("--northbound", required=True, help="the zone's NB, as OVN writes it")
    add("--southbound", required=True, help="the zone's SB, as OVN writes it")
    add("--directory", type=Path, required=True, help="for the files of ovn-ic")
    add("--seed", type=int, help="makes the random addresses the same each time")
    add(
        "--share",
        type=int,
        help="draw from one in eight addresses: zones with different shares never collide",
    )
    add("--mark-gateways", action="store_true", help="play kube-ovn-cni: labels mark the chassis")
    add(
        "--keep-switches",
        metavar="IC_NORTHBOUND",
        help="play the leader of the Deployment ovn-ic-server: TS_NUM transit switches there",
    )
    add("--protocol", choices=("ipv4", "ipv6", "dual"), default="ipv4", help="of those switches")
    pace = Pace()
    add("--round-seconds", type=float, default=pace.rounds)
    add("--policy-seconds", type=float, default=pace.policies)
    add("--pidfile", type=Path)
    add("--log-file", type=Path)
    add("--detach", action="store_true", help="return when ready; needs both files")
    # The lab gives these to each of its daemons.
    add("--no-chdir", action="store_true", help=argparse.SUPPRESS)
    add("-v", action="append", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
