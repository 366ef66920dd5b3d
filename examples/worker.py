#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The shortest worker in Python, of TCP port 8080: python3 worker.py & python3 worker.py &
# It says that it is ready. Where its group is not steered it serves all the same.
import contextlib
import socket

SOL_REUSEPORT_BPF, REUSEPORT_READY = 0x5250, 1
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listener.bind(("", 8080))
listener.listen(1024)
with contextlib.suppress(OSError):  # nothing steers this group
    listener.setsockopt(SOL_REUSEPORT_BPF, REUSEPORT_READY, 1)
while True:
    with contextlib.suppress(ConnectionError), listener.accept()[0] as client:
        client.sendall(b"hello\n")
