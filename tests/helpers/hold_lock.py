# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""hold_lock PID NAME SECONDS [COMM]: holds a lock as a process does that PID has just forked.

It shares PID's descriptor of the directory NAME, and with it the lock, for so long, under
another name if COMM is given. Prints "ready" when it does.
"""
import ctypes
import os
import sys
import time

pid, name, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
if len(sys.argv) > 4:
    with open("/proc/self/comm", "w") as comm:
        comm.write(sys.argv[4])

SYS_PIDFD_GETFD = 438
libc = ctypes.CDLL(None, use_errno=True)
pidfd = os.pidfd_open(pid)
held = []
for fd in os.listdir(f"/proc/{pid}/fd"):
    try:
        if os.path.basename(os.readlink(f"/proc/{pid}/fd/{fd}")) == name:
            held.append(libc.syscall(SYS_PIDFD_GETFD, pidfd, int(fd), 0))
    except OSError:
        pass
if not held or min(held) < 0:
    sys.exit(f"{name}: no descriptor of process {pid}")
print("ready", flush=True)
time.sleep(seconds)
