# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Writes a capture with one packet of each kind that matters.
make_capture.py LINKTYPE [cut]
LINKTYPE: ether, vlan, qinq, sll, sll2, raw, null, wifi. "cut": the file ends in a packet.
"""
import struct
import sys

SYN, ACK = 2, 16


def tcp(sport, dport, flags):
    return struct.pack(">HHIIBBHHH", sport, dport, 1, 0, 0x50, flags, 0, 0, 0)


def udp(sport, dport):
    return struct.pack(">HHHH", sport, dport, 12, 0) + b"data"


def ipv4(proto, payload, fragment=0, options=b""):
    return struct.pack(">BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                       20 + len(options) + len(payload), 1, fragment, 64, proto, 0,
                       bytes([192, 0, 2, 7]), bytes([192, 0, 2, 1])) + options + payload


def ipv6(proto, payload):
    addr = b"\x20\x01\x0d\xb8" + 11 * b"\0"
    return struct.pack(">IHBB", 6 << 28, len(payload), proto, 64) + addr + b"\7" + addr + b"\1" + \
        payload


def extension(proto, payload):
    return struct.pack(">BB6x", proto, 0) + payload


def fragment(proto, offset, payload):
    return struct.pack(">BBHI", proto, 0, offset << 3, 9) + payload


PACKETS = [
    # taken: 4 of TCP, 3 of UDP
    (4, ipv4(6, tcp(1000, 80, SYN))),
    (4, ipv4(6, tcp(1001, 80, SYN), options=b"\1\1\1\0")),
    (6, ipv6(6, tcp(1002, 80, SYN))),
    (6, ipv6(0, extension(60, extension(6, tcp(1003, 80, SYN))))),
    (4, ipv4(17, udp(2000, 53))),
    (6, ipv6(17, udp(2001, 53))),
    (4, ipv4(17, udp(2002, 53), fragment=0x2000)),
    # later segments: 3
    (4, ipv4(6, tcp(80, 1000, SYN | ACK))),
    (4, ipv4(6, tcp(1000, 80, ACK))),
    (6, ipv6(6, tcp(1002, 80, 1))),
    # neither TCP nor UDP, later fragments: 4
    (4, ipv4(1, b"\x08\0\0\0\0\0\0\0")),
    (4, ipv4(17, udp(2002, 53), fragment=100)),
    (6, ipv6(44, fragment(17, 5, udp(2003, 53)))),
    (6, ipv6(58, b"\x80\0\0\0\0\0\0\0")),
    # cut: 3
    (4, ipv4(6, tcp(1004, 80, SYN))[:30]),
    (4, ipv4(17, b"")),
    (6, ipv6(6, b"")[:39]),
]

TYPE = {4: 0x0800, 6: 0x86dd}
LINKS = {
    "ether": (1, lambda v: 12 * b"\1" + struct.pack(">H", TYPE[v])),
    "vlan": (1, lambda v: 12 * b"\1" + struct.pack(">HHH", 0x8100, 5, TYPE[v])),
    "qinq": (1, lambda v: 12 * b"\1" + struct.pack(">HHHHH", 0x88a8, 5, 0x8100, 6, TYPE[v])),
    "sll": (113, lambda v: 14 * b"\0" + struct.pack(">H", TYPE[v])),
    "sll2": (276, lambda v: struct.pack(">H", TYPE[v]) + 18 * b"\0"),
    "raw": (101, lambda v: b""),
    "null": (0, lambda v: struct.pack("<I", 2 if v == 4 else 10)),
    "wifi": (105, lambda v: b""),
}

number, header = LINKS[sys.argv[1]]
out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, number)
for version, packet in PACKETS:
    packet = header(version) + packet
    out += struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet
if "cut" in sys.argv:
    out = out[:-3]
sys.stdout.buffer.write(out)
