#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""An asyncio server with one process for each worker: a line is answered with "PID".

It says that it is ready when it can serve. At SIGTERM it asks for nothing new, accepts what it has
been given by then, lets its clients finish for at most five seconds, and ends.

    export PYTHONPATH=/usr/local/share/reuseport-bpf/python
    python3 asyncio_server.py 8080 & python3 asyncio_server.py 8080 &    # port
    sudo reuseportctl attach --port 8080 --admit manual
    python3 asyncio_server.py 8080 & sleep 1; kill %1                    # no connection fails
"""
import asyncio
import contextlib
import os
import signal
import socket
import sys
import time

import reuseport

PATIENCE = 5
clients: set[asyncio.Task[None]] = set()


def listener(port: int) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("", port))
    return sock


async def drained(sock: socket.socket) -> None:
    """Wait until nothing new can come, and until all that has come is accepted."""
    before = reuseport.state(sock)
    if before is None or not reuseport.drain(sock):
        return  # nothing steers this group
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and not reuseport.drained(sock, before.seq):
        await asyncio.sleep(0.01)


async def main(port: int) -> None:
    sock = listener(port)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        clients.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while await reader.readline():
                writer.write(b"%d\n" % os.getpid())
                await writer.drain()
        clients.discard(task)
        writer.close()

    ending = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.set)
    server = await asyncio.start_server(serve, sock=sock, backlog=1024)
    reuseport.ready(sock)
    await ending.wait()
    await drained(sock)
    server.close()
    if clients:
        await asyncio.wait(clients, timeout=PATIENCE)


asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8080))
