# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Fuzzes what is pinned: noise in the values of an attachment's maps.

pins.py SECONDS SEED
The group is on port 8080 of the namespace where it runs, and the bpffs is of its own.
"""
import ctypes
import os
import platform
import struct
import sys

from judge import Fuzzer, mutate

PINS = "/sys/fs/bpf/reuseport"
SYS_BPF = {"x86_64": 321, "aarch64": 280}.get(platform.machine(), 321)
LOOKUP, UPDATE, NEXT_KEY, OBJ_GET, GET_INFO = 1, 2, 4, 7, 15
HASH, MAPS_OF_MAPS, SOCKET_STORAGE = 1, (12, 13), 24  # types of maps
libc = ctypes.CDLL(None, use_errno=True)


def bpf(command, attr):
    buffer = ctypes.create_string_buffer(attr.ljust(128, b"\0"))
    ret = libc.syscall(SYS_BPF, command, buffer, 128)
    if ret < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return ret


def address(buffer):
    return ctypes.addressof(buffer)


class Map:
    def __init__(self, path):
        name = ctypes.create_string_buffer(path.encode())
        self.fd = bpf(OBJ_GET, struct.pack("<Q", address(name)))
        info = ctypes.create_string_buffer(256)
        try:
            bpf(GET_INFO, struct.pack("<IIQ", self.fd, 256, address(info)))
        except OSError:
            os.close(self.fd)
            raise
        self.type, _, self.key_size, self.value_size, self.entries = struct.unpack_from("<5I", info.raw)

    def key(self, rng):
        """Returns a key that may be there."""
        if self.type in MAPS_OF_MAPS or self.type == SOCKET_STORAGE:
            raise OSError("its values are no noise that the kernel takes")
        key = ctypes.create_string_buffer(max(self.key_size, 8))
        if self.type != HASH:
            key[:4] = struct.pack("<I", rng.randrange(min(self.entries, 3)))
            return key
        following = ctypes.create_string_buffer(len(key))
        bpf(NEXT_KEY, struct.pack("<IIQQ", self.fd, 0, 0, address(following)))
        for _ in range(rng.randrange(3)):
            key.raw = following.raw
            try:
                bpf(NEXT_KEY, struct.pack("<IIQQ", self.fd, 0, address(key), address(following)))
            except OSError:
                return key
        return following

    def change(self, rng):
        cpus = os.cpu_count() if self.type in (5, 6) else 1
        size = (self.value_size + 7) // 8 * 8 * max(cpus, 256 if cpus > 1 else 1)
        key = self.key(rng)
        value = ctypes.create_string_buffer(size)
        # fd, key, value, flags; both pointers are aligned to 8
        attr = struct.pack("<IIQQQ", self.fd, 0, address(key), address(value), 0)
        bpf(LOOKUP, attr)
        data = rng.randbytes(size) if rng.random() < 0.3 else mutate(rng, value.raw)
        value.raw = data[:size].ljust(size, b"\0")
        bpf(UPDATE, attr)


def damage(rng, pin):
    names = sorted(set(os.listdir(pin)) - {"program"})
    try:
        found = Map(os.path.join(pin, rng.choice(names)))
    except OSError:
        return  # a directory
    try:
        found.change(rng)
    except OSError:
        pass  # the kernel does not take it
    finally:
        os.close(found.fd)


COMMANDS = (
    "status", "status --json", "list", "list --json", "policy --port 8080",
    "policy --port 8080 consistent", "policy --port 8080 weighted --over consistent",
    "policy --port 8080 numa", "weight --port 8080 slot:0 3", "weight --port 8080 slot:1 0",
    "drain --port 8080 slot:0", "undrain --port 8080 slot:0", "admit --port 8080",
    "rollout --port 8080 begin", "rollout --port 8080 switch", "rollout --port 8080 abort",
    "rollout --port 8080", "simulate --port 8080 --generate 200",
    "explain --src 127.0.0.1:9 --dst 127.0.0.1:8080 PROTO", "status --port 8080",
    "explain --json --src 127.0.0.1:9 --dst 127.0.0.1:8080 PROTO", "attach --port 8080",
)


def main():
    fuzzer = Fuzzer("pins", float(sys.argv[1]), sys.argv[2])
    print(f"# pins: seed {sys.argv[2]}", flush=True)
    for rng in fuzzer.rounds():
        proto = rng.choice((["--proto", "tcp"], ["--proto", "udp"]))
        sticky = ["--sticky"] if proto[1] == "udp" and rng.random() < 0.5 else []
        if fuzzer.run(["attach", "--port", "8080", *proto, *sticky]).returncode:
            fuzzer.fail("attach failed", proto, {}, b"")
        for _ in range(rng.randrange(5, 60)):
            for pin in os.listdir(PINS) if os.path.isdir(PINS) else ():
                # Beside the directories there is the keeper's map.
                if not os.path.isdir(os.path.join(PINS, pin)):
                    continue
                for _ in range(rng.choice((1, 1, 2, 10))):
                    damage(rng, os.path.join(PINS, pin))
            argv = rng.choice(COMMANDS).replace("PROTO", "").split()
            fuzzer.run(argv + (proto if "--port" in argv or argv[0] == "explain" else []))
        # Whatever is pinned there, it can be given back.
        detached = fuzzer.run(["detach", "--port", "8080", *proto, "--force"])
        if detached.returncode or os.path.isdir(PINS):
            fuzzer.fail("detach left something", ["detach"], {}, detached.stdout)
    fuzzer.finish()


main()
