# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""What the fuzzers share: noise that a seed decides, and the judgement of one run.

A run fails if it crashes, if a sanitizer reports something, if it hangs, if its exit status
is none of 0 to 3, or if it prints a byte that a terminal takes for an order.
"""
import os
import random
import re
import subprocess
import sys
import time

TOOL = os.environ["REUSEPORTCTL"]
HANG = 5  # seconds; a busy machine gets a second chance
SECOND_CHANCE = 60
# Control characters, as bytes and in UTF-8, and characters that turn or hide text.
ORDERS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]"
                    rb"|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf")
REPORT = re.compile(rb"Sanitizer|runtime error:")


class Fuzzer:
    def __init__(self, kind, seconds, seed):
        self.kind, self.seed, self.runs = kind, seed, 0
        self.seconds = seconds
        self.random = random.Random(f"{kind} {seed}")
        self.statuses = {}
        # Those of keepers, which have no standard error, come here as well.
        self.reports = os.path.join(os.getcwd(), "reports")
        os.makedirs(self.reports, exist_ok=True)
        self.env = dict(os.environ, LC_ALL="C.UTF-8",
                        ASAN_OPTIONS=f"log_path={self.reports}/asan:detect_leaks=1",
                        UBSAN_OPTIONS=f"log_path={self.reports}/ubsan:print_stacktrace=1")

    def rounds(self):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end or self.runs < 3:
            yield self.random

    def fail(self, why, argv, env, out):
        changed = {k: v for k, v in env.items() if os.environ.get(k) != v}
        sys.exit(f"{self.kind}, seed {self.seed}, run {self.runs}: {why}\n"
                 f"command: {argv!r}\nenvironment: {changed!r}\n{out[-4000:]!r}\n")

    def run(self, argv, env=None, stdin=b""):
        env = {**self.env, **(env or {})}
        self.runs += 1
        for limit in (HANG, SECOND_CHANCE):
            try:
                done = subprocess.run([TOOL, *argv], env=env, input=stdin, timeout=limit,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      check=False)
                break
            except subprocess.TimeoutExpired as over:
                if limit == SECOND_CHANCE:
                    self.fail("it hangs", argv, env, over.output or b"")
        if not 0 <= done.returncode <= 3:
            self.fail(f"exit status {done.returncode}", argv, env, done.stdout)
        if REPORT.search(done.stdout):
            self.fail("a sanitizer's report", argv, env, done.stdout)
        if ORDERS.search(done.stdout):
            self.fail("raw bytes", argv, env, done.stdout)
        for name in os.listdir(self.reports):
            with open(os.path.join(self.reports, name), "rb") as file:
                self.fail("a sanitizer's report", argv, env, file.read())
        self.statuses[done.returncode] = self.statuses.get(done.returncode, 0) + 1
        return done

    def finish(self):
        if self.runs < 3 or not self.statuses:
            sys.exit(f"{self.kind}: {self.runs} runs prove nothing")
        print(f"# {self.kind}: seed {self.seed}, {self.runs} runs, by exit status: "
              f"{dict(sorted(self.statuses.items()))}")


def noise(rng, longest=24):
    """Bytes without NUL and slash: they name no file outside of the folder."""
    special = [b"\x1b[2J", b"\n", b"%s%n", b"\xc2\x9b", b"\xe2\x80\xae", b"-", b"--", b",", b":",
               b"=", b" ", b"'", b"\xff", b"0", b"9" * 30, b"\t"]
    text = b"".join(rng.choice(special) if rng.random() < 0.4 else bytes([rng.randrange(1, 256)])
                    for _ in range(rng.randrange(longest)))
    return text.replace(b"/", b"|")


def mutate(rng, data, words=()):
    """Some changes to a file: bits, bytes, numbers at the edge, parts lost, doubled, moved."""
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8, 30))):
        at = rng.randrange(len(data) + 1)
        what = rng.randrange(8)
        if what == 0 and at < len(data):
            data[at] ^= 1 << rng.randrange(8)
        elif what == 1 and at < len(data):
            data[at] = rng.choice((0, 1, 0x7f, 0x80, 0xff, rng.randrange(256)))
        elif what == 2:
            edge = rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 65535, 65536, rng.getrandbits(32)))
            data[at:at + 4] = edge.to_bytes(4, rng.choice(("little", "big")))
        elif what == 3:
            del data[at:at + rng.choice((1, 2, 4, 16, 100))]
        elif what == 4:
            data[at:at] = data[at:at + rng.choice((1, 4, 16, 64))] * rng.choice((1, 2, 50))
        elif what == 5:
            data[at:at] = rng.choice(words) if words else rng.randbytes(rng.randrange(20))
        elif what == 6:
            data[at:at + 2] = rng.randbytes(2)
        else:
            del data[at:]
            at = 0
    return bytes(data)
