# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""hand_on PORT CPU OTHER: a worker whose socket another process gets, while the first lives on.

The first process runs on CPU and serves a TCP socket. At SIGUSR1 it sends the socket to a second
one, which runs on OTHER and serves it, and closes its own. Prints "ready PID COOKIE" and the pid
of the second.
"""
import os
import select
import signal
import socket
import sys

SO_COOKIE = 57
port, cpu, other = (int(word) for word in sys.argv[1:])


def serve(listener, cookie, until):
    poll = select.epoll()
    poll.register(listener, select.EPOLLIN)
    if until:
        poll.register(until, select.EPOLLIN)
    while True:
        for fd, _ in poll.poll():
            if fd != listener.fileno():
                return
            peer, _ = listener.accept()
            with peer:
                peer.send(f"{os.getpid()} {cookie}\n".encode())


def inherit(channel, cookie):
    os.sched_setaffinity(0, {other})
    _, fds, _, _ = socket.recv_fds(channel, 16, 1)
    serve(socket.socket(fileno=fds[0]), cookie, None)


ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
cookie = int.from_bytes(listener.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8), sys.byteorder)
second = os.fork()
if not second:
    listener.close()
    ours.close()
    inherit(theirs, cookie)
theirs.close()
os.sched_setaffinity(0, {cpu})
listener.bind(("0.0.0.0", port))
listener.listen(64)
signals, wake = os.pipe()
os.set_blocking(wake, False)
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.set_wakeup_fd(wake)
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR1})
print(f"second {second}", flush=True)
print(f"ready {os.getpid()} {cookie}", flush=True)
serve(listener, cookie, signals)
socket.send_fds(ours, [b"x"], [listener.fileno()])
listener.close()
signal.pause()
