#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Workers whose sockets outlive the service: systemd's socket activation with its fd store.

systemd makes the first socket. The server makes the others, and has systemd keep them. When the
service is restarted, also after a crash, it gets all of them back, with the connections that have
come meanwhile: no worker leaves, and no connection fails. A client is answered with "PID SLOT".

    # server.socket                   # server.service
    [Socket]                          [Service]
    ListenStream=0.0.0.0:8080         ExecStart=/usr/bin/python3 activation.py 4    # workers
    ReusePort=yes                     Type=notify
                                      FileDescriptorStoreMax=64
                                      Restart=always

    systemctl start server.socket server.service && reuseportctl attach --port 8080
    systemctl restart server.service                                # "status": the same slots

The kernel wants one user for all sockets of a group. systemd makes them as root: for a service with
another User=, write a .socket unit for each, with the same ListenStream= and Service=.
"""
import contextlib
import os
import select
import signal
import socket
import struct
import sys

LEVEL, READY, STATE = 0x5250, 1, 7
ending: list[bool] = []


def inherited() -> list[socket.socket]:
    """Return the sockets that systemd has passed: sd_listen_fds(3)."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    return [socket.socket(fileno=3 + i) for i in range(int(os.environ["LISTEN_FDS"]))]


def notify(text: str, *fds: int) -> None:
    """Tell systemd something, and pass descriptors to it: sd_notify(3)."""
    to = os.environ.get("NOTIFY_SOCKET")
    if to:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.connect("\0" + to[1:] if to[0] == "@" else to)
            socket.send_fds(sock, [text.encode()], fds)


def another(first: socket.socket) -> socket.socket:
    """Return another socket of the group, which systemd keeps."""
    sock = socket.socket(first.family)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(first.getsockname())
    # systemd forgets a TCP socket that does not listen.
    sock.listen(1024)
    notify("FDSTORE=1\nFDNAME=worker", sock.fileno())
    return sock


def answer(listener: socket.socket) -> None:
    slot = -1
    with contextlib.suppress(OSError):
        slot = struct.unpack("=8LQ", listener.getsockopt(LEVEL, STATE, 40))[1]
    with contextlib.suppress(BlockingIOError, ConnectionError), listener.accept()[0] as client:
        client.sendall(b"%d %d\n" % (os.getpid(), slot))


def worker(listener: socket.socket) -> None:
    listener.setblocking(False)
    with contextlib.suppress(OSError):  # nothing steers this group
        listener.setsockopt(LEVEL, READY, 1)
    # It does not drain: what waits in its queue, the next one accepts.
    while not ending:
        if select.select([listener], [], [], 0.1)[0]:
            answer(listener)


def main(workers: int) -> int:
    signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
    sockets = inherited()
    if not sockets:
        print("activation.py: systemd has passed no socket", file=sys.stderr)
        return 1
    while len(sockets) < workers:
        sockets.append(another(sockets[0]))
    pids = []
    for sock in sockets:
        pids.append(os.fork())
        if not pids[-1]:
            for other in set(sockets) - {sock}:
                other.close()
            worker(sock)
            os._exit(0)

    def end(*_: object) -> None:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)
    if ending:
        end()
    notify("READY=1")
    # If one ends, all do: systemd starts them again.
    _, status = os.wait()
    end()
    with contextlib.suppress(ChildProcessError):
        while True:
            os.wait()
    return os.waitstatus_to_exitcode(status)


sys.exit(main(int(sys.argv[1])))
