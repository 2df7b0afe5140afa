"""A pod that is a process: speaks raw frames over a unix socket with a dummy network device.

Run by the lab as a daemon; pings on request over its control socket, one series a connection:
the client writes one JSON object (address, interval), the pod answers lines of sequence number
and, for answers, the time, until the client closes the connection.
"""

from __future__ import annotations

import ipaddress
import json
import selectors
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icplan.lab.background import option, serve
from icplan.lab.frames import Address, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

_RECONNECT_SECONDS = 0.05


@dataclass(slots=True)
class _Series:
    """One client's pings; sequence numbers are given out over all clients."""

    client: socket.socket
    destination: Address
    interval: float
    next_at: float
    numbers: dict[int, int]


class _Pod:
    def __init__(self, device: Path, control: Path, endpoint: Endpoint) -> None:
        self._device_path = device
        self._endpoint = endpoint
        self._selector = selectors.DefaultSelector()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(control))
        self._listener.listen()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._series: list[_Series] = []
        self._number = 0
        self._received = b""
        self._device: socket.socket | None = None

    def work(self) -> None:
        while True:
            if self._device is None:
                self._connect()
            for key, _ in self._selector.select(self._patience()):
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._device:
                    self._read_device()
                else:
                    self._end_series(key.fileobj)
            self._send_due()
            self._tell_answers()
            self._flush()

    def _patience(self) -> float:
        """Seconds until something is due."""
        due = [series.next_at - time.monotonic() for series in self._series]
        if self._device is None:
            due.append(_RECONNECT_SECONDS)
        return max(0.0, min(due, default=60.0))

    def _connect(self) -> None:
        device = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            device.connect(str(self._device_path))
        except OSError:
            device.close()
            return
        self._received = b""
        self._device = device
        self._selector.register(device, selectors.EVENT_READ)

    def _disconnect(self) -> None:
        if self._device is not None:
            self._selector.unregister(self._device)
            self._device.close()
            self._device = None

    def _read_device(self) -> None:
        """Frames on the stream are preceded by their length in two bytes."""
        assert self._device is not None
        try:
            data = self._device.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            self._disconnect()
            return
        self._received += data
        while len(self._received) >= 2:
            end = 2 + int.from_bytes(self._received[:2], "big")
            if len(self._received) < end:
                return
            frame, self._received = self._received[2:end], self._received[end:]
            self._endpoint.receive(frame)

    def _flush(self) -> None:
        frames, self._endpoint.outgoing = self._endpoint.outgoing, []
        if self._device is None:
            return
        try:
            for frame in frames:
                self._device.sendall(struct.pack("!H", len(frame)) + frame)
        except OSError:
            self._disconnect()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        request = json.loads(client.makefile().readline())
        series = _Series(
            client,
            ipaddress.ip_address(request["address"]),
            float(request["interval"]),
            time.monotonic(),
            {},
        )
        self._series.append(series)
        self._selector.register(client, selectors.EVENT_READ)

    def _end_series(self, client: object) -> None:
        for series in [each for each in self._series if each.client is client]:
            self._selector.unregister(series.client)
            series.client.close()
            self._series.remove(series)

    def _send_due(self) -> None:
        now = time.monotonic()
        for series in list(self._series):
            if series.next_at > now:
                continue
            series.next_at += series.interval
            self._number += 1
            series.numbers[self._number & 0xFFFF] = len(series.numbers) + 1
            try:
                self._endpoint.ping(series.destination, self._number)
            except ValueError as error:
                self._tell(series, f"! {error}")
                self._end_series(series.client)
            else:
                self._tell(series, str(len(series.numbers)))

    def _tell_answers(self) -> None:
        answers, self._endpoint.answers = self._endpoint.answers, []
        for number in answers:
            for series in list(self._series):
                if number in series.numbers:
                    self._tell(series, f"{series.numbers[number]} {time.time()}")

    def _tell(self, series: _Series, line: str) -> None:
        try:
            series.client.sendall(f"{line}\n".encode())
        except OSError:
            self._end_series(series.client)


def _prepare() -> Callable[[], None]:
    device, mac, addresses, gateways = sys.argv[1:5]
    endpoint = Endpoint(
        bytes.fromhex(mac.replace(":", "")),
        tuple(map(ipaddress.ip_interface, addresses.split(","))),
        tuple(map(ipaddress.ip_address, gateways.split(","))),
    )
    return _Pod(Path(device), option("unixctl"), endpoint).work


if __name__ == "__main__":
    serve(_prepare)
