#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""DNS queries over TCP, each on a connection of its own:
dns_tcp.py ADDR PORT NAME RATE

Paced, until SIGINT; then prints {"sent":N,"ok":N,"failed":N} as JSON. A query
fails if it has no answer without error within two seconds, once; nothing is
tried again.
"""
import asyncio
import json
import signal
import struct
import sys


def query(name, number):
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)


async def ask(addr, port, message):
    reader, writer = await asyncio.open_connection(addr, port)
    try:
        writer.write(struct.pack(">H", len(message)) + message)
        length, = struct.unpack(">H", await reader.readexactly(2))
        answer = await reader.readexactly(length)
        return answer[:2] == message[:2] and answer[3] & 15 == 0
    finally:
        writer.close()


async def main(addr, port, name, rate):
    count = {"sent": 0, "ok": 0, "failed": 0}
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stopped.set)
    tasks = set()

    async def one(number):
        try:
            good = await asyncio.wait_for(ask(addr, port, query(name, number)), 2)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            print(repr(error), file=sys.stderr)
            good = False
        count["ok" if good else "failed"] += 1

    due = loop.time()
    while not stopped.is_set():
        task = loop.create_task(one(count["sent"] & 0xffff))
        count["sent"] += 1
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        due += 1 / rate
        await asyncio.sleep(max(0, due - loop.time()))
    if tasks:
        await asyncio.wait(tasks)
    print(json.dumps(count))


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
