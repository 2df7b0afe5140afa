"""Ethernet, ARP, IP and ICMP echo in both families: bytes in, bytes out. No sockets."""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field

_IPV4, _ARP, _IPV6 = 0x0800, 0x0806, 0x86DD
_ICMP, _ICMPV6 = 1, 58
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
_ECHO_REQUEST_V6, _ECHO_REPLY_V6, _SOLICITATION, _ADVERTISEMENT = 128, 129, 135, 136
_BROADCAST = b"\xff" * 6
_IDENTIFIER = 7
_HOPS_V4, _HOPS_V6 = 64, 255
"""255 in IPv6, because neighbour discovery requires it."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(slots=True)
class Endpoint:
    """A host's network stack as far as ping needs it.

    Attributes:
        mac: its Ethernet address.
        interfaces: its addresses with prefix length.
        gateways: its default gateways.
        outgoing: frames to be sent, taken away by the caller.
        answers: sequence numbers of echo replies received, taken away by the caller.
    """

    mac: bytes
    interfaces: tuple[ipaddress.IPv4Interface | ipaddress.IPv6Interface, ...]
    gateways: tuple[Address, ...]
    outgoing: list[bytes] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    _neighbours: dict[Address, bytes] = field(default_factory=dict)
    _waiting: dict[Address, list[tuple[int, bytes]]] = field(default_factory=dict)

    def ping(self, destination: Address, sequence: int) -> None:
        """Send an echo request; its answer appears in `answers`.

        Raises:
            ValueError: there is no address of that family, or no way to the destination.
        """
        source = self._source(destination.version)
        body = struct.pack("!HH", _IDENTIFIER, sequence & 0xFFFF) + b"icplan lab ping "
        kind = _ECHO_REQUEST if destination.version == 4 else _ECHO_REQUEST_V6
        self._send_icmp(source, destination, kind, body)

    def receive(self, frame: bytes) -> None:
        """Take a frame from the wire; what it calls for is put into `outgoing` and `answers`."""
        # The lowest bit of the first byte marks broadcast and multicast.
        if frame[:6] != self.mac and not frame[0] & 1:
            return
        sender, payload = frame[6:12], frame[14:]
        ethernet_type = int.from_bytes(frame[12:14], "big")
        if ethernet_type == _ARP:
            self._receive_arp(payload)
        elif ethernet_type == _IPV4:
            self._receive_ipv4(sender, payload)
        elif ethernet_type == _IPV6:
            self._receive_ipv6(sender, payload)

    # In

    def _receive_arp(self, payload: bytes) -> None:
        operation = int.from_bytes(payload[6:8], "big")
        sender_mac = payload[8:14]
        sender, target = (ipaddress.IPv4Address(payload[at : at + 4]) for at in (14, 24))
        if operation == 1 and self._is_mine(target):
            self._emit(sender_mac, _ARP, self._arp(2, target, sender_mac, sender))
        elif operation == 2:
            self._learn(sender, sender_mac)

    def _receive_ipv4(self, sender_mac: bytes, packet: bytes) -> None:
        header = (packet[0] & 0xF) * 4
        length = int.from_bytes(packet[2:4], "big")
        source, target = (ipaddress.IPv4Address(packet[at : at + 4]) for at in (12, 16))
        if packet[9] != _ICMP or not self._is_mine(target):
            return
        message = packet[header:length]
        if message[0] == _ECHO_REQUEST:
            self._answer(sender_mac, target, source, _ECHO_REPLY, message[4:])
        elif message[0] == _ECHO_REPLY:
            self._note_answer(message)

    def _receive_ipv6(self, sender_mac: bytes, packet: bytes) -> None:
        source, target = (ipaddress.IPv6Address(packet[at : at + 16]) for at in (8, 24))
        if packet[6] != _ICMPV6:
            return
        message = packet[40 : 40 + int.from_bytes(packet[4:6], "big")]
        if message[0] == _SOLICITATION:
            wanted = ipaddress.IPv6Address(message[8:24])
            if self._is_mine(wanted):
                # Solicited and override flags, then the target's link-layer address (option 2).
                body = b"\x60\0\0\0" + wanted.packed + b"\x02\x01" + self.mac
                self._answer(sender_mac, wanted, source, _ADVERTISEMENT, body)
        elif message[0] == _ADVERTISEMENT:
            self._learn(ipaddress.IPv6Address(message[8:24]), sender_mac)
        elif message[0] == _ECHO_REQUEST_V6 and self._is_mine(target):
            self._answer(sender_mac, target, source, _ECHO_REPLY_V6, message[4:])
        elif message[0] == _ECHO_REPLY_V6 and self._is_mine(target):
            self._note_answer(message)

    def _note_answer(self, message: bytes) -> None:
        identifier, sequence = struct.unpack("!HH", message[4:8])
        if identifier == _IDENTIFIER:
            self.answers.append(sequence)

    def _learn(self, address: Address, mac: bytes) -> None:
        self._neighbours[address] = mac
        for ethernet_type, packet in self._waiting.pop(address, []):
            self._emit(mac, ethernet_type, packet)

    # Out

    def _answer(
        self, mac: bytes, source: Address, destination: Address, kind: int, body: bytes
    ) -> None:
        """Answer to the Ethernet address that asked, as every small stack does."""
        ethernet_type, packet = _icmp_packet(source, destination, kind, body)
        self._emit(mac, ethernet_type, packet)

    def _send_icmp(self, source: Address, destination: Address, kind: int, body: bytes) -> None:
        ethernet_type, packet = _icmp_packet(source, destination, kind, body)
        next_hop = self._next_hop(destination)
        if mac := self._neighbours.get(next_hop):
            self._emit(mac, ethernet_type, packet)
            return
        # One packet waits for the neighbour, as in other stacks; older ones are lost.
        self._waiting[next_hop] = [(ethernet_type, packet)]
        self._solicit(source, next_hop)

    def _solicit(self, source: Address, wanted: Address) -> None:
        if isinstance(source, ipaddress.IPv4Address):
            self._emit(_BROADCAST, _ARP, self._arp(1, source, b"\0" * 6, wanted))
            return
        group = ipaddress.IPv6Address(b"\xff\x02" + b"\0" * 9 + b"\x01\xff" + wanted.packed[-3:])
        # Reserved bytes, the address wanted, then our own link-layer address (option 1).
        body = b"\0\0\0\0" + wanted.packed + b"\x01\x01" + self.mac
        _, packet = _icmp_packet(source, group, _SOLICITATION, body)
        self._emit(b"\x33\x33" + group.packed[-4:], _IPV6, packet)

    def _arp(self, operation: int, source: Address, target_mac: bytes, target: Address) -> bytes:
        head = struct.pack("!HHBBH", 1, _IPV4, 6, 4, operation)
        return head + self.mac + source.packed + target_mac + target.packed

    def _emit(self, mac: bytes, ethernet_type: int, packet: bytes) -> None:
        self.outgoing.append(mac + self.mac + ethernet_type.to_bytes(2, "big") + packet)

    def _is_mine(self, address: Address) -> bool:
        return any(each.ip == address for each in self.interfaces)

    def _source(self, version: int) -> Address:
        for each in self.interfaces:
            if each.version == version:
                return each.ip
        raise ValueError(f"no IPv{version} address")

    def _next_hop(self, destination: Address) -> Address:
        if any(destination in each.network for each in self.interfaces):
            return destination
        for gateway in self.gateways:
            if gateway.version == destination.version:
                return gateway
        raise ValueError(f"no way to {destination}")


def _icmp_packet(
    source: Address, destination: Address, kind: int, body: bytes
) -> tuple[int, bytes]:
    """An IP packet with an ICMP message in it, and its Ethernet type."""
    message = struct.pack("!BBH", kind, 0, 0) + body
    if isinstance(source, ipaddress.IPv4Address):
        message = _with_checksum(message, 2, b"")
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 1, 0, _HOPS_V4, _ICMP, 0)
        header = _with_checksum(header + source.packed + destination.packed, 10, b"")
        return _IPV4, header + message
    pseudo = source.packed + destination.packed + struct.pack("!II", len(message), _ICMPV6)
    message = _with_checksum(message, 2, pseudo)
    header = struct.pack("!IHBB", 6 << 28, len(message), _ICMPV6, _HOPS_V6)
    return _IPV6, header + source.packed + destination.packed + message


def _with_checksum(data: bytes, at: int, pseudo: bytes) -> bytes:
    """The data with its Internet checksum written at a place that holds zeros."""
    covered = pseudo + data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(covered) // 2}H", covered))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return data[:at] + struct.pack("!H", ~total & 0xFFFF) + data[at + 2 :]
