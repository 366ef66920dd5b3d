#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""All that python/reuseport.py does by socket options: python_options.py PORT

A group on the port is steered, and workers wait to be admitted.
"""
import socket
import sys
import time
from typing import Callable

import reuseport
from reuseport import WorkerState


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, reuseport.state(sock)
        time.sleep(0.01)


def is_in(state: WorkerState) -> Callable[[], bool]:
    return lambda: reuseport.state(sock).state == state


def listener(number: int) -> socket.socket:
    new = socket.socket()
    new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    assert reuseport.state(new) == (WorkerState.NOT_BOUND, None, 0, 1, 0, 0, 0, 0, 0)
    assert reuseport.set_id(new, number) is True
    assert reuseport.state(new).id == number
    new.bind(("", int(sys.argv[1])))
    new.listen()
    return new


sock = listener(4000000000)
assert reuseport.wait(sock, 0, 20) is True
joined = reuseport.state(sock)
assert joined.state == WorkerState.JOINING and joined.id == 4000000000, joined
assert joined.slot is not None
before = reuseport.state(sock).seq
assert reuseport.ready(sock) is True
assert reuseport.wait(sock, before, 20) is True
assert is_in(WorkerState.ACTIVE)()
assert reuseport.wait(sock, before + 1, 0.01) is False

assert reuseport.weight(sock.fileno(), 5) is True
until(lambda: reuseport.state(sock.fileno()).weight == 5)
other = listener(1)
until(lambda: reuseport.state(other).slot is not None)
try:
    reuseport.set_id(other, 4000000000)
except FileExistsError:
    pass
else:
    raise AssertionError("one id twice")

before = reuseport.state(sock).seq
assert not reuseport.drained(sock, before)
assert reuseport.drain(sock) is True
until(lambda: reuseport.drained(sock, before))
assert is_in(WorkerState.DRAINING)()
assert reuseport.undrain(sock) is True
until(is_in(WorkerState.ACTIVE))
assert reuseport.drain(sock, release=True) is True
until(is_in(WorkerState.LEAVING))
assert reuseport.undrain(sock) is True
until(is_in(WorkerState.ACTIVE))
assert reuseport.ready(sock, False) is True
until(is_in(WorkerState.JOINING))
print("fine")
