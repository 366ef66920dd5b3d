# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""set_incoming_cpu PID CPU: sets SO_INCOMING_CPU, of each socket with SO_REUSEPORT of a process.

-1 unsets it.
"""
import ctypes
import os
import socket
import sys

SYS_PIDFD_GETFD = 438
SO_INCOMING_CPU = 49
pid, cpu = int(sys.argv[1]), int(sys.argv[2])
libc = ctypes.CDLL(None, use_errno=True)
pidfd = os.pidfd_open(pid)
done = 0
for fd in os.listdir(f"/proc/{pid}/fd"):
    if not os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
        continue
    with socket.socket(fileno=libc.syscall(SYS_PIDFD_GETFD, pidfd, int(fd), 0)) as one:
        if one.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT):
            one.setsockopt(socket.SOL_SOCKET, SO_INCOMING_CPU, cpu)
            done += 1
if not done:
    sys.exit(f"process {pid} has no socket with SO_REUSEPORT")
