#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""The layout that python/reuseport.py takes the library's structures to have.

    python_layout.py        a line for each member: STRUCT.MEMBER OFFSET SIZE
    python_layout.py c      a C program that prints the same, as the headers have it
"""
import ctypes
import sys

import reuseport

STRUCTURES = {
    "reuseport_error": reuseport._Error,
    "reuseport_key": reuseport._Key,
    "reuseport_filter": reuseport._Filter,
    "reuseport_policy_opts": reuseport._PolicyOpts,
    "reuseport_drain_opts": reuseport._DrainOpts,
    "reuseport_policy_info": reuseport._PolicyInfo,
    "reuseport_generations": reuseport._Generations,
    "reuseport_counters": reuseport._Counters,
    "reuseport_worker": reuseport._Worker,
    "reuseport_status": reuseport._Status,
    "reuseport_group_policy": reuseport._GroupPolicy,
    "reuseport_drain_status": reuseport._DrainStatus,
}
# What is passed in has its size in it: no member may be missing at the end.
PASSED = ["reuseport_filter", "reuseport_policy_opts", "reuseport_drain_opts"]
CONSTANTS = (
    "SOL_REUSEPORT_BPF REUSEPORT_READY REUSEPORT_DRAIN REUSEPORT_WEIGHT REUSEPORT_ID"
    " REUSEPORT_STATE REUSEPORT_NO_SLOT"
).split()
ENUMS = {
    "REUSEPORT_WORKER": reuseport.WorkerState,
    "REUSEPORT_ROLLOUT": [*reuseport.RolloutPhase, *reuseport.RolloutStep],
}


def words() -> dict[str, int]:
    named = {name: getattr(reuseport, name) for name in CONSTANTS}
    named["REUSEPORT_WEIGHT_MAX"] = reuseport.WEIGHT_MAX
    for prefix, members in ENUMS.items():
        for member in members:
            name = "FREE" if member.name == "NOT_BOUND" else member.name
            named[f"{prefix}_{name}"] = member.value
    return named


def c_program() -> None:
    print("#include <reuseport_bpf.h>\n#include <reuseport_sockopt.h>\n#include <stdio.h>")
    print("#define SIZE(type, member) sizeof(((struct type *)0)->member)")
    print("int main(void)\n{")
    for name, structure in STRUCTURES.items():
        for member, _ in structure._fields_:
            print(f'\tprintf("{name}.{member} %zu %zu\\n", offsetof(struct {name}, {member}),')
            print(f"\t       SIZE({name}, {member}));")
    for name in PASSED:
        print(f'\tprintf("{name} %zu\\n", sizeof(struct {name}));')
    for name in words():
        print(f'\tprintf("{name} %lld\\n", (long long){name});')
    print("}")


def table() -> None:
    for name, structure in STRUCTURES.items():
        for member, _ in structure._fields_:
            at = getattr(structure, member)
            print(f"{name}.{member} {at.offset} {at.size}")
    for name in PASSED:
        print(name, ctypes.sizeof(STRUCTURES[name]))
    for name, value in words().items():
        print(name, int(value))


if sys.argv[1:] == ["c"]:
    c_program()
else:
    table()
