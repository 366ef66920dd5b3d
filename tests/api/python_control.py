#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""All that python/reuseport.py does through the library, on the group of a TCP port.

    python_control.py PORT COOKIE...

The workers' cookies are those; "manual" is the admission, and all of them have been admitted.
"""
import sys

import reuseport
from reuseport import RolloutPhase, RolloutStep, WorkerState

port, cookies = int(sys.argv[1]), sorted(map(int, sys.argv[2:]))
control = reuseport.Control(port=port)


def group() -> reuseport.Group:
    (only,) = control.status()
    return only


def state_of(slot: int) -> WorkerState:
    return group().workers[slot].state


first = group()
assert first.key[:3] == ("tcp", "0.0.0.0", port), first.key
assert first.pin.endswith(f"/tcp-0_0_0_0-{port}-{first.key.netns}"), first.pin
assert first.keeper_pid and first.attached and first.admit_manual and not first.damaged
assert first.policy == ("hash", "tuple"), first.policy
assert sorted(worker.cookie for worker in first.workers) == cookies, first.workers
assert [worker.slot for worker in first.workers] == list(range(len(cookies)))
assert all(worker.pid in worker.pids and worker.comm == "worker" for worker in first.workers)
counters = first.counters
assert counters["packets"] == counters["selected"] > 0, counters
assert sum(worker.selected for worker in first.workers) == counters["selected"]

assert control.drain("slot:0") == 1 and state_of(0) == WorkerState.DRAINING
(left,) = control.drain_status()
assert (left.slot, left.cookie) == (0, first.workers[0].cookie), left
assert control.undrain("slot:0") == 1 and state_of(0) == WorkerState.ACTIVE
assert control.drain(f"cookie:{cookies[0]}", release=True) == 1
assert WorkerState.LEAVING in [worker.state for worker in group().workers]
assert control.undrain() == 1 and control.drain_status() == []
assert control.admit() == 0
assert control.weight("slot:1", 7) == 1 and group().workers[1].weight == 7
assert control.set_policy("consistent", key="src") == 1
assert control.policy() == [("consistent", "src")]
assert control.rollout(RolloutStep.BEGIN) == 1 and group().phase == RolloutPhase.BEGUN
assert control.rollout(RolloutStep.ABORT) == 1 and group().phase == RolloutPhase.NONE

for call, error in (
    (lambda: reuseport.Control(port=port + 1).drain("slot:0"), FileNotFoundError),
    (lambda: control.drain("slot:99"), FileNotFoundError),
    (lambda: control.weight("slot:0", 1001), OSError),
    (lambda: control.rollout(RolloutStep.FINISH), OSError),
    (lambda: reuseport.Control(port=0).drain("slot:0"), OSError),
):
    try:
        call()
    except error as failure:
        assert str(failure.strerror), failure
    else:
        raise AssertionError("no error")
assert reuseport.Control(port=port + 1).status() == []
assert reuseport.Control(port=port, proto="udp").status() == []
print("fine")
