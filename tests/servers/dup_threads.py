#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""One socket under many descriptors, as h2o and memcached have it:
dup_threads.py PORT THREADS

Each thread polls a duplicate of its own. Answers each connection with "PID
COOKIE". Prints "ready PID COOKIE" when it listens.
"""
import os
import select
import signal
import socket
import sys
import threading

SO_COOKIE = 57


def serve(listener, answer):
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    while True:
        poll.poll()
        try:
            client, _ = listener.accept()
        except OSError:
            continue  # another thread was quicker, or the client has gone
        with client:
            try:
                client.sendall(answer)
            except OSError:
                pass


def main(port, threads):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(1024)
    listener.setblocking(False)
    cookie = int.from_bytes(listener.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)
    answer = b"%d %d\n" % (os.getpid(), cookie)
    for _ in range(threads):
        threading.Thread(target=serve, args=(listener.dup(), answer), daemon=True).start()
    print("ready", answer.decode(), end="", flush=True)
    signal.sigwait({signal.SIGTERM})


signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
main(int(sys.argv[1]), int(sys.argv[2]))
