#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A restart without loss: start a new instance, which says READY; then end the old one, which says
# DRAIN, waits until no packet goes by the plan before, and serves what it has been given by then.
#   python3 restart.py & sudo reuseportctl attach --port 8080 --admit manual
#   python3 restart.py & sleep 1; kill %1
import contextlib
import os
import select
import signal
import socket
import struct
import time

LEVEL, READY, DRAIN, STATE = 0x5250, 1, 2, 7


def serve():
    with contextlib.suppress(BlockingIOError):
        while True:
            with contextlib.suppress(ConnectionError), listener.accept()[0] as client:
                client.sendall(b"%d\n" % os.getpid())


def state():  # state, slot, generation, weight, id, queue, half_open, flows, seq
    return struct.unpack("=8LQ", listener.getsockopt(LEVEL, STATE, 40))


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("", 8080))
listener.listen(1024)
listener.setblocking(False)
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
with contextlib.suppress(OSError):  # nothing steers this group
    listener.setsockopt(LEVEL, READY, 1)
while not ending:
    select.select([listener], [], [], 0.1)
    serve()
with contextlib.suppress(OSError):
    before = state()
    listener.setsockopt(LEVEL, DRAIN, 1)
    end = time.monotonic() + 3
    while time.monotonic() < end and (state()[8] <= before[8] or any(state()[5:7])):
        serve()
        time.sleep(0.01)
serve()
