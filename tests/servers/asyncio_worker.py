#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""One asyncio worker: asyncio_worker.py PORT

Answers each connection with "PID COOKIE" and closes it. Prints "ready PID
COOKIE" when it listens. At SIGTERM it stops to listen, answers what it has
accepted, and ends.
"""
import asyncio
import os
import signal
import socket
import sys

SO_COOKIE = 57


def cookie_of(sock):
    return int.from_bytes(sock.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)


async def finish_accepted():
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)
        await asyncio.sleep(0)


async def main(port):
    answer = b""

    async def serve(_reader, writer):
        try:
            writer.write(answer)
            writer.close()
            await writer.wait_closed()
        except ConnectionError:
            pass  # the client has its answer and closed with a reset

    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = await asyncio.start_server(serve, "0.0.0.0", port, reuse_port=True, backlog=1024)
    answer = b"%d %d\n" % (os.getpid(), cookie_of(server.sockets[0]))
    print("ready", answer.decode(), end="", flush=True)
    await stopped.wait()
    server.close()
    await finish_accepted()


asyncio.run(main(int(sys.argv[1])))
