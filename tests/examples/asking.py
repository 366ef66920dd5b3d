#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Clients of 127.0.0.1:8080 that ask: asking.py RATE

Each connects, sends a line three times, 20 ms apart, and closes. Prints "begun" at the first
answer. At SIGINT it lets those under way end, and prints the JSON line that tests/helpers/load.c
prints, with what went wrong, and with each worker by the first word of its answers.
"""
import asyncio
import collections
import json
import signal
import sys

counts: collections.Counter[str] = collections.Counter()
workers: collections.Counter[str] = collections.Counter()


async def three_questions() -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", 8080)
    try:
        for number in range(3):
            writer.write(b"question\n")
            answer = await reader.readline()
            if not answer.endswith(b"\n"):
                return "reset"
            await asyncio.sleep(0.02 if number < 2 else 0)
        if not counts["ok"]:
            print("begun", flush=True)
        workers[answer.split()[0].decode()] += 1
        return "ok"
    finally:
        writer.close()


async def client() -> None:
    counts["sent"] += 1
    try:
        result = await asyncio.wait_for(three_questions(), 5)
    except ConnectionRefusedError:
        result = "refused"
    except ConnectionError:
        result = "reset"
    except asyncio.TimeoutError:
        result = "timeout"
    except OSError as failure:
        print(failure, file=sys.stderr)
        result = "other"
    counts[result] += 1


async def main(rate: int) -> None:
    ending = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, ending.set)
    start = loop.time()
    clients: set[asyncio.Task[None]] = set()
    while not ending.is_set():
        while len(clients) < (loop.time() - start) * rate:
            clients.add(asyncio.create_task(client()))
        await asyncio.sleep(0.005)
    await asyncio.wait(clients)
    names = "sent ok refused reset timeout other".split()
    print(json.dumps({**{name: counts[name] for name in names}, "workers": workers}), flush=True)


asyncio.run(main(int(sys.argv[1])))
