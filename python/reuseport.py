# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""reuseport-bpf for Python: one file, without dependencies.

A worker controls itself by socket options. It needs no library, no privilege and no path:

    listener.listen()
    reuseport.ready(listener)              # with "attach --admit manual": work from here on
    ...
    before = reuseport.state(listener)
    if before and reuseport.drain(listener):
        while not reuseport.drained(listener, before.seq):
            serve(timeout=0.01)            # what it has been given by then
    listener.close()

Where nothing steers the socket's group, these functions return False or None: carry on.

A tool looks at all workers and controls them. This needs libreuseport-bpf and root:

    control = reuseport.Control(port=8080)
    for group in control.status():
        for worker in group.workers:
            print(worker.slot, worker.pid, worker.state, worker.selected)
    control.drain("pid:1234")

See reuseport_sockopt(7), reuseport_worker(3), reuseport_status(3) and reuseport_rollout(3).
"""
from __future__ import annotations

import ctypes
import enum
import errno
import os
import socket
import struct
import time
from typing import Any, NamedTuple, Optional, Union

SOL_REUSEPORT_BPF = 0x5250
REUSEPORT_READY = 1
REUSEPORT_DRAIN = 2
REUSEPORT_WEIGHT = 3
REUSEPORT_ID = 4
REUSEPORT_STATE = 7
REUSEPORT_NO_SLOT = 0xFFFFFFFF
WEIGHT_MAX = 1000

# EPERM: the attachment has --no-sockopt; or the kernel is older than 5.18 and has no other errno.
_NOT_STEERED = (errno.ENOTCONN, errno.ENOPROTOOPT, errno.EOPNOTSUPP, errno.EPERM)

Socket = Union[socket.socket, int]


class WorkerState(enum.IntEnum):
    NOT_BOUND = 0
    JOINING = 1  # waits to be admitted, gets nothing yet
    ACTIVE = 2
    DRAINING = 3  # gets nothing new, keeps its sticky flows
    LEAVING = 4  # gets nothing; its sticky flows go to others


class State(NamedTuple):
    """What REUSEPORT_STATE says of a socket."""

    state: WorkerState
    slot: Optional[int]  # None: it has no slot (yet)
    generation: int
    weight: int
    id: int
    queue: int  # TCP: connections to accept; UDP: bytes to receive
    half_open: int  # TCP: handshakes that have begun
    flows: int  # sticky flows
    seq: int  # how many of this socket's requests are in effect


def _as_socket(sock: Socket) -> socket.socket:
    # A descriptor stays the caller's.
    return sock if isinstance(sock, socket.socket) else socket.socket(fileno=os.dup(sock))


def _ask(sock: Socket, name: int, value: int) -> bool:
    own = _as_socket(sock)
    try:
        own.setsockopt(SOL_REUSEPORT_BPF, name, struct.pack("=L", value))
    except OSError as failure:
        if failure.errno not in _NOT_STEERED:
            raise
        return False
    finally:
        if own is not sock:
            own.close()
    return True


def ready(sock: Socket, on: bool = True) -> bool:
    """Ask for work; on=False: for none, until it is ready again.

    Return whether somebody listens: False where nothing steers the group.
    """
    return _ask(sock, REUSEPORT_READY, int(on))


def drain(sock: Socket, release: bool = False) -> bool:
    """Ask for nothing new; release: sticky flows go to others as well. Return as ready()."""
    return _ask(sock, REUSEPORT_DRAIN, 2 if release else 1)


def undrain(sock: Socket) -> bool:
    """Take drain() back. Return as ready()."""
    return _ask(sock, REUSEPORT_DRAIN, 0)


def weight(sock: Socket, value: int) -> bool:
    """Ask for a weight, 0 to WEIGHT_MAX. Return as ready()."""
    if not 0 <= value <= WEIGHT_MAX:
        raise ValueError(f"weight {value} is not within 0 to {WEIGHT_MAX}")
    return _ask(sock, REUSEPORT_WEIGHT, value)


def set_id(sock: Socket, number: int) -> bool:
    """Give the worker a number, 0 to 2**32 - 1, which no other worker of its generation has.

    FileExistsError: another one has it. Return as ready().
    """
    if not 0 <= number < 2**32:
        raise ValueError(f"id {number} is not within 0 to 4294967295")
    return _ask(sock, REUSEPORT_ID, number)


def state(sock: Socket) -> Optional[State]:
    """Return the worker's state, or None where nothing steers the group."""
    own = _as_socket(sock)
    try:
        raw = own.getsockopt(SOL_REUSEPORT_BPF, REUSEPORT_STATE, 40)
    except OSError as failure:
        if failure.errno not in _NOT_STEERED:
            raise
        return None
    finally:
        if own is not sock:
            own.close()
    what, slot, *others = struct.unpack("=8LQ", raw.ljust(40, b"\0"))
    return State(WorkerState(what), None if slot == REUSEPORT_NO_SLOT else slot, *others)


def wait(sock: Socket, seq: int, timeout: Optional[float] = None) -> bool:
    """Wait until State.seq is more than seq: no packet goes by an older plan any more.

    seq is what it was before the request. Return False after timeout seconds, or where nothing
    steers the group. Nothing is served meanwhile: a server calls drained() from its loop.
    """
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        now = state(sock)
        if now is None or now.seq > seq:
            return now is not None
        if end is not None and time.monotonic() >= end:
            return False
        time.sleep(0.001)


def drained(sock: Socket, seq: int) -> bool:
    """Whether a worker that asked for nothing new, when State.seq was seq, can close its socket.

    Nothing new comes, nothing is half open, and nothing waits in its queue. True also where nothing
    steers the group (any longer). Sticky flows do not count: see State.flows.
    """
    now = state(sock)
    return now is None or (now.seq > seq and not now.queue and not now.half_open)


# ------------------------------------------------------------------------------- the library
# Structures as the library returns them: prefixes, which are only read through its pointers.


class _Error(ctypes.Structure):
    _fields_ = [("code", ctypes.c_int), ("text", ctypes.c_char * 400)]


class _Key(ctypes.Structure):
    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("proto", ctypes.c_int),
        ("family", ctypes.c_int),
        ("netns", ctypes.c_uint64),
        ("netns_cookie", ctypes.c_uint64),
        ("addr", ctypes.c_uint8 * 16),
        ("ifindex", ctypes.c_uint32),
        ("uid", ctypes.c_uint32),
        ("port", ctypes.c_uint16),
        ("v6only", ctypes.c_bool),
        ("has_uid", ctypes.c_bool),
    ]


class _Filter(ctypes.Structure):
    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("proto", ctypes.c_int),
        ("family", ctypes.c_int),
        ("addr", ctypes.c_char_p),
        ("netns", ctypes.c_uint64),
        ("netns_cookie", ctypes.c_uint64),
        ("ifindex", ctypes.c_uint32),
        ("uid", ctypes.c_uint32),
        ("port", ctypes.c_uint16),
        ("has_uid", ctypes.c_bool),
        ("v6only", ctypes.c_int8),
    ]


class _PolicyOpts(ctypes.Structure):
    _fields_ = [
        ("sz", ctypes.c_size_t),
        ("policy", ctypes.c_char_p),
        ("over", ctypes.c_char_p),
        ("key", ctypes.c_char_p),
        ("hash_key", ctypes.c_char_p),
        ("cpu_map", ctypes.c_char_p),
    ]


class _DrainOpts(ctypes.Structure):
    _fields_ = [("sz", ctypes.c_size_t), ("release", ctypes.c_bool), ("force", ctypes.c_bool)]


class _PolicyInfo(ctypes.Structure):
    _fields_ = [("policy", ctypes.c_char * 16), ("key", ctypes.c_char * 32)]


class _Generations(ctypes.Structure):
    _fields_ = [("phase", ctypes.c_int), ("serving", ctypes.c_uint), ("other", ctypes.c_uint)]


_COUNTERS = (
    "packets migrations selected migrated empty refused next_best exhausted nobody unregistered"
    " connected incoming_cpu unreadable flows flows_moved flows_evicted"
).split()


class _Counters(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in _COUNTERS]


class _Worker(ctypes.Structure):
    _fields_ = [
        ("slot", ctypes.c_uint),
        ("pid", ctypes.c_uint32),
        ("pids", ctypes.POINTER(ctypes.c_uint32)),
        ("n_pids", ctypes.c_size_t),
        ("comm", ctypes.c_char * 16),
        ("cookie", ctypes.c_uint64),
        ("state", ctypes.c_uint),
        ("weight", ctypes.c_uint),
        ("generation", ctypes.c_uint),
        ("queue", ctypes.c_uint32),
        ("selected", ctypes.c_uint64),
        ("migrated", ctypes.c_uint64),
        ("fallback", ctypes.c_uint64),
        ("flows", ctypes.c_uint64),
    ]


class _Status(ctypes.Structure):
    _fields_ = [
        ("key", ctypes.POINTER(_Key)),
        ("netns_name", ctypes.c_char * 64),
        ("pin", ctypes.c_char * 192),
        ("damaged", ctypes.c_bool),
        ("keeper_running", ctypes.c_bool),
        ("keeper_pid", ctypes.c_uint32),
        ("program_id", ctypes.c_uint32),
        ("program_name", ctypes.c_char * 64),
        ("program_tag", ctypes.c_char * 17),
        ("attached", ctypes.c_bool),
        ("foreign", ctypes.c_bool),
        ("admit_manual", ctypes.c_bool),
        ("policy", ctypes.POINTER(_PolicyInfo)),
        ("modes", ctypes.c_void_p),
        ("generations", ctypes.POINTER(_Generations)),
        ("counters", ctypes.POINTER(_Counters)),
        ("slots", ctypes.c_uint),
        ("flows", ctypes.c_uint),
        ("idle_s", ctypes.c_uint),
        ("flows_occupied", ctypes.c_uint64),
        ("unregistered", ctypes.c_uint),
        ("workers", ctypes.POINTER(ctypes.POINTER(_Worker))),
        ("n_workers", ctypes.c_size_t),
    ]


class _GroupPolicy(ctypes.Structure):
    _fields_ = [
        ("key", ctypes.POINTER(_Key)),
        ("netns_name", ctypes.c_char * 64),
        ("policy", ctypes.POINTER(_PolicyInfo)),
    ]


class _DrainStatus(ctypes.Structure):
    _fields_ = [
        ("slot", ctypes.c_uint),
        ("pid", ctypes.c_uint32),
        ("cookie", ctypes.c_uint64),
        ("queue", ctypes.c_uint32),
        ("half_open", ctypes.c_uint32),
        ("flows", ctypes.c_uint64),
    ]


class Key(NamedTuple):
    """What names a group."""

    proto: str  # "tcp" or "udp"
    addr: str
    port: int
    netns: int  # inode


class Worker(NamedTuple):
    """A worker, as struct reuseport_worker has it."""

    slot: int
    pid: int  # the process that serves it; 0: none is visible
    pids: list[int]  # all that have it open
    comm: str
    cookie: int
    state: WorkerState
    weight: int
    generation: int
    queue: int
    selected: int
    migrated: int
    fallback: int
    flows: int


class Policy(NamedTuple):
    """The policy of a group."""

    policy: str
    key: str  # what is hashed


class Group(NamedTuple):
    """A group that is steered, as struct reuseport_status has it."""

    key: Key
    netns_name: str
    pin: str
    damaged: bool  # then all that follows but keeper_pid is zero
    keeper_pid: Optional[int]  # None: no keeper runs
    attached: bool
    admit_manual: bool
    policy: Policy
    phase: RolloutPhase
    serving: int  # generation
    other: int
    counters: dict[str, int]
    unregistered: int  # members without a slot
    workers: list[Worker]


class Left(NamedTuple):
    """What a drained worker still has."""

    slot: int
    pid: int
    cookie: int
    queue: int
    half_open: int
    flows: int


class RolloutPhase(enum.IntEnum):
    NONE = 0
    BEGUN = 1
    SWITCHED = 2


class RolloutStep(enum.IntEnum):
    BEGIN = 1
    SWITCH = 2
    FINISH = 3
    ABORT = 4


def _text(raw: bytes) -> str:
    return raw.decode(errors="surrogateescape")


def _bytes(text: Optional[str]) -> Optional[bytes]:
    return None if text is None else text.encode(errors="surrogateescape")


def _key(key: _Key) -> Key:
    raw = bytes(key.addr)[: 4 if key.family == socket.AF_INET else 16]
    proto = "tcp" if key.proto == socket.IPPROTO_TCP else "udp"
    return Key(proto, socket.inet_ntop(key.family, raw), key.port, key.netns)


def _worker(worker: _Worker) -> Worker:
    return Worker(
        worker.slot,
        worker.pid,
        worker.pids[: worker.n_pids],
        _text(worker.comm),
        worker.cookie,
        WorkerState(worker.state),
        *(getattr(worker, name) for name in Worker._fields[6:]),
    )


def _policy(info: _PolicyInfo) -> Policy:
    return Policy(_text(info.policy), _text(info.key))


def _group(status: _Status) -> Group:
    generations, counters = status.generations.contents, status.counters.contents
    return Group(
        _key(status.key.contents),
        _text(status.netns_name),
        _text(status.pin),
        status.damaged,
        status.keeper_pid if status.keeper_running else None,
        status.attached,
        status.admit_manual,
        _policy(status.policy.contents),
        RolloutPhase(generations.phase),
        generations.serving,
        generations.other,
        {name: getattr(counters, name) for name in _COUNTERS},
        status.unregistered,
        [_worker(status.workers[i].contents) for i in range(status.n_workers)],
    )


def _left(left: _DrainStatus) -> Left:
    return Left(*(getattr(left, name) for name in Left._fields))


class Control:
    """The attachments that a filter selects, to look at and to change.

    proto: "tcp", "udp" or None for both. netns: an inode; 0: any, or for changes one's own. A worker
    is named by text: "slot:3", "pid:1234", "cookie:4097", "comm:nginx", "unit:nginx". Failures are
    OSError with the library's text; FileNotFoundError: nothing is attached there, or there is no
    such worker. Each call needs the capabilities that reuseport_bpf.h names; root has them.
    """

    def __init__(
        self,
        port: int = 0,
        proto: Optional[str] = "tcp",
        addr: Optional[str] = None,
        netns: int = 0,
        uid: Optional[int] = None,
        library: str = "libreuseport-bpf.so.0",
    ) -> None:
        protos = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP, None: 0}
        self._lib = ctypes.CDLL(library)
        self._filter = _Filter(
            sz=ctypes.sizeof(_Filter),
            proto=protos[proto],
            addr=_bytes(addr),
            netns=netns,
            uid=uid or 0,
            port=port,
            has_uid=uid is not None,
        )

    def _call(self, name: str, *args: Any) -> int:
        err = _Error()
        ret = getattr(self._lib, name)(ctypes.byref(self._filter), *args, ctypes.byref(err))
        if ret < 0:
            raise OSError(-ret, _text(err.text) or os.strerror(-ret))
        return ret

    def _list(self, name: str, kind: str, item: Any, make: Any, *args: Any) -> list[Any]:
        found = ctypes.c_void_p()
        self._call(name, *args, ctypes.byref(found))
        count = getattr(self._lib, f"reuseport_{kind}__count")
        get = getattr(self._lib, f"reuseport_{kind}__get")
        free = getattr(self._lib, f"reuseport_{kind}__free")
        count.argtypes, count.restype = [ctypes.c_void_p], ctypes.c_size_t
        get.argtypes, get.restype = [ctypes.c_void_p, ctypes.c_size_t], ctypes.POINTER(item)
        free.argtypes, free.restype = [ctypes.c_void_p], None
        try:
            return [make(get(found, i).contents) for i in range(count(found))]
        finally:
            free(found)

    def status(self) -> list[Group]:
        """Return the groups that are steered, as they are at this moment."""
        return self._list("reuseport_get_status", "status_list", _Status, _group)

    def policy(self) -> list[Policy]:
        """Return the policy of each group; cheaper than status()."""
        return self._list(
            "reuseport_get_policy",
            "policy_list",
            _GroupPolicy,
            lambda group: _policy(group.policy.contents),
        )

    def set_policy(
        self,
        policy: Optional[str] = None,
        over: Optional[str] = None,
        key: Optional[str] = None,
        hash_key: Optional[str] = None,
        cpu_map: Optional[str] = None,
    ) -> int:
        """Change the policy, as "reuseportctl policy" does. Return the number of groups."""
        words = [_bytes(word) for word in (policy, over, key, hash_key, cpu_map)]
        opts = _PolicyOpts(ctypes.sizeof(_PolicyOpts), *words)
        return self._call("reuseport_set_policy", ctypes.byref(opts))

    def weight(self, worker: str, value: int) -> int:
        """Set a worker's weight, 0 to WEIGHT_MAX. Return the number of workers."""
        return self._call("reuseport_set_weight", _bytes(worker), ctypes.c_uint(value))

    def drain(self, worker: str, release: bool = False, force: bool = False) -> int:
        """Give nothing new to a worker. Return the number of workers."""
        opts = _DrainOpts(ctypes.sizeof(_DrainOpts), release, force)
        return self._call("reuseport_drain", _bytes(worker), ctypes.byref(opts))

    def undrain(self, worker: Optional[str] = None) -> int:
        """Give work to a drained worker again, or to all. Return the number of workers."""
        return self._call("reuseport_undrain", _bytes(worker))

    def admit(self, worker: Optional[str] = None) -> int:
        """Admit a worker that waits, or all. Return the number of workers."""
        return self._call("reuseport_admit", _bytes(worker))

    def drain_status(self, worker: Optional[str] = None) -> list[Left]:
        """Return what drained workers still have; one that has gone is not listed."""
        return self._list(
            "reuseport_get_drain_status", "drain_list", _DrainStatus, _left, _bytes(worker)
        )

    def rollout(self, step: RolloutStep) -> int:
        """Take a step of a rollout. Return the number of groups."""
        return self._call("reuseport_rollout", ctypes.c_int(step))
