#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What systemd does for a service with a socket unit and an fd store, for one service.

    service_manager.py PORT COMMAND...

Makes the socket, starts the command with LISTEN_FDS, and keeps what it passes with FDSTORE=1.
Prints "ready", and for each restart "ready" again, when the command says READY=1. SIGHUP: a
restart. If the command ends by itself, it is started again after half a second. SIGTERM: ends it.
"""
import array
import os
import select
import signal
import socket
import sys
import time


class Manager:
    def __init__(self, port: int, command: list[str]) -> None:
        self.command = command
        first = socket.socket()
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.bind(("0.0.0.0", port))
        first.listen(1024)
        self.kept = [first.detach()]
        self.notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notes.bind("")  # the kernel chooses an abstract name
        self.notes.setblocking(False)

    def start(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        os.setpgid(0, 0)
        # Out of the way of the numbers that they are to have.
        name = "@" + self.notes.getsockname()[1:].decode()
        high = [os.dup2(fd, 100 + i) for i, fd in enumerate(self.kept)]
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.closerange(3 + len(high), 100 + len(high))
        os.environ.update(
            LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(high)), NOTIFY_SOCKET=name
        )
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        os.execvp(self.command[0], self.command)

    def read_notes(self) -> None:
        size = 16 * array.array("i").itemsize
        while select.select([self.notes], [], [], 0)[0]:
            text, ancillary, _, _ = self.notes.recvmsg(4096, socket.CMSG_SPACE(size))
            words = text.decode().split("\n")
            for _, _, data in ancillary:
                fds = array.array("i", data[: len(data) // 4 * 4])
                if "FDSTORE=1" in words:
                    self.kept.extend(fds)
            if "READY=1" in words:
                print("ready", flush=True)


def end(pid: int) -> None:
    """End the service as systemd does: its processes get the signal, and it waits for them."""
    os.killpg(pid, signal.SIGTERM)
    os.waitpid(pid, 0)


def main() -> None:
    manager = Manager(int(sys.argv[1]), sys.argv[2:])
    signals = {signal.SIGHUP, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    pid = manager.start()
    while True:
        manager.read_notes()
        got = signal.sigtimedwait(signals, 0.02)
        if got:
            end(pid)
        elif os.waitpid(pid, os.WNOHANG)[0]:
            os.killpg(pid, signal.SIGKILL)  # its control group
        else:
            continue
        manager.read_notes()
        if got and got.si_signo == signal.SIGTERM:
            return
        time.sleep(0.5)
        pid = manager.start()


main()
