"""TCP flows between pods in network namespaces: who sends, who echoes, what came back when.

Not UDP: the userspace datapath of Open vSwitch leaves UDP ports out of the hash by which it chooses
one of several routes, so that all flows between two pods take the same one (measured with 3.1).

Run inside a pod's namespace: `python -m tests.real.flows echo PORT`, or `… send ADDRESS PORT
COUNT`, which prints a line every tenth of a second until its input ends.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

from icplan.lab import Lab, wait_until
from icplan.lab.folder import lab_id
from icplan.lab.namespaces import namespace_name
from icplan.lab.state import Pod

PORT = 7000
ROUND_SECONDS = 0.1
MESSAGE = b"x" * 200


class Flows:
    """Flows under way: each is a source port of its own, and asks ten times a second.

    Args:
        lab: where the pods are.
        source: the pod that asks.
        destination: the pod that echoes.
        count: how many flows.
    """

    def __init__(self, lab: Lab, source: Pod, destination: Pod, count: int) -> None:
        self._samples: list[tuple[float, list[int]]] = []
        self._echo = _run(lab, destination, "echo", str(PORT))
        self._send = _run(lab, source, "send", str(destination.address(4)), str(PORT), str(count))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._send.stdout is not None
        for line in self._send.stdout:
            at, answers = json.loads(line)
            self._samples.append((at, answers))

    @property
    def answers(self) -> list[int]:
        """How many answers each flow has got so far."""
        return self._samples[-1][1] if self._samples else []

    def wait_for_more(self, what: str, number: int = 10) -> None:
        """Waits until every flow has got so many more answers."""
        wait_until(lambda: bool(self.answers), f"{what}: the flows begin")
        before = self.answers
        wait_until(
            lambda: all(now >= old + number for now, old in zip(self.answers, before, strict=True)),
            what,
        )

    def longest_gap(self) -> float:
        """The longest time in seconds that any flow that had begun was without an answer."""
        longest = 0.0
        for flow in range(len(self.answers)):
            rises = [
                at
                for (_, before), (at, after) in pairwise(self._samples)
                if after[flow] > before[flow]
            ]
            times = [*rises, self._samples[-1][0]] if rises else []
            longest = max([longest, *(later - at for at, later in pairwise(times))])
        return longest

    def stop(self) -> None:
        """Ends both sides."""
        for process in (self._send, self._echo):
            assert process.stdin is not None
            process.stdin.close()
            process.wait()


@contextmanager
def flowing(lab: Lab, source: str, destination: str, count: int) -> Iterator[Flows]:
    """Flows while the block runs; all of them have been answered when it begins."""
    flows = Flows(lab, lab.pods[source], lab.pods[destination], count)
    try:
        flows.wait_for_more(f"all flows from {source} to {destination} are answered", 3)
        yield flows
    finally:
        flows.stop()


def _run(lab: Lab, pod: Pod, *arguments: str) -> subprocess.Popen[str]:
    namespace = namespace_name(lab_id(lab.directory), f"pod-{pod.port}")
    return subprocess.Popen(
        ["ip", "netns", "exec", namespace, sys.executable, "-m", "tests.real.flows", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def tunnelled(lab: Lab, zone: str, host: str) -> dict[str, int]:
    """The bytes that a host has sent so far, by the host of its zone that they went to first.

    Open vSwitch brings these numbers up to date every five seconds.
    """
    names = {one.address: one.name for one in lab.zones[zone].hosts.values()}
    listed = (
        lab.zones[zone]
        .hypervisor(host)
        .vsctl("--format=json", "--columns=options,statistics", "find", "Interface", "type=geneve")
    )
    found = {}
    for options, statistics in json.loads(listed)["data"]:
        remote = dict(options[1])["remote_ip"]
        if remote in names:
            found[names[remote]] = int(dict(statistics[1]).get("tx_bytes", 0))
    return found


def _echo(port: int) -> None:
    with socket.create_server(("", port), backlog=256) as server:
        flows: dict[int, socket.socket] = {}
        while True:
            ready, _, _ = select.select([*flows, server.fileno(), sys.stdin.fileno()], [], [])
            for number in ready:
                if number in flows:
                    if data := flows[number].recv(4096):
                        flows[number].sendall(data)
                    else:
                        flows.pop(number).close()
                elif number == server.fileno():
                    one, _ = server.accept()
                    flows[one.fileno()] = one
                else:
                    return


def _connected(address: str, port: int) -> socket.socket:
    """A connection; whoever echoes may only just have been started."""
    end = time.monotonic() + 60
    while True:
        try:
            return socket.create_connection((address, port), timeout=60)
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _send(address: str, port: int, count: int) -> None:
    flows: dict[int, socket.socket] = {}
    for _ in range(count):
        one = _connected(address, port)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        one.setblocking(False)
        flows[one.fileno()] = one
    received = dict.fromkeys(flows, 0)
    due = time.monotonic()
    while True:
        left = due - time.monotonic()
        if left <= 0:
            for one in flows.values():
                with contextlib.suppress(BlockingIOError):  # what was sent before is under way yet
                    one.send(MESSAGE)
            due = time.monotonic() + ROUND_SECONDS
            answers = [number // len(MESSAGE) for number in received.values()]
            sys.stdout.write(json.dumps([time.monotonic(), answers]) + "\n")
            sys.stdout.flush()
            continue
        ready, _, _ = select.select([*flows, sys.stdin.fileno()], [], [], left)
        for number in ready:
            if number not in flows:
                return
            received[number] += len(flows[number].recv(65536))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["echo", port]:
            _echo(int(port))
        case ["send", address, port, count]:
            _send(address, int(port), int(count))
