# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Fuzzes what reuseportctl is given: captures, files of packets, its words, its environment.

inputs.py capture|text|words|environment SECONDS SEED
In the folder where it runs it may write files. The words are for a namespace of its own, in
which the port 8080 has a group.
"""
import os
import subprocess
import sys

from judge import Fuzzer, mutate, noise, TOOL

HERE = os.path.dirname(os.path.abspath(__file__))
LINKS = ("ether", "vlan", "qinq", "sll", "sll2", "raw", "null", "wifi")
TEXT = b"""# a comment
192.0.2.7:1000 192.0.2.1:80
192.0.2.7:1000 192.0.2.1:80 udp

[2001:db8::7]:1002 [2001:db8::1]:80 tcp
  192.0.2.9:65535\t192.0.2.1:1 tcp
"""
WORDS_OF_TEXT = (b"[::]:0 ", b":", b"[", b"]", b"65536", b"-1", b"\n", b"\0", b" " * 5000, b"udp",
                 b"::ffff:1.2.3.4", b"#", b"1.2.3.4:5 1.2.3.4:5 sctp\n", b"\r\n", b"\x1b[2J")


def captures():
    make = os.path.join(HERE, "../helpers/make_capture.py")
    made = [subprocess.run([sys.executable, make, link], stdout=subprocess.PIPE, check=True).stdout
            for link in LINKS]
    # In the other byte order, with nanoseconds, and one of a newer format.
    return made + [b"\xd4\xc3\xb2\xa1"[::-1] + made[0][4:], b"\x4d\x3c\xb2\xa1" + made[0][4:],
                   b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0" + b"\xff" * 8 +
                   b"\x1c\0\0\0" + made[0][24:]]


def fuzz_file(fuzzer, option, corpus, words=()):
    for rng in fuzzer.rounds():
        data = mutate(rng, rng.choice(corpus), words)
        name = rng.choice(("input", "-"))
        with open("input", "wb") as file:
            file.write(data)
        argv = ["simulate", option, name, "--workers", "3", "--policy",
                rng.choice(("consistent", "hash", "round-robin"))]
        if rng.random() < 0.5:
            argv += ["--dport", rng.choice(("80", "53", "1"))]
        if rng.random() < 0.3:
            argv += ["--json"]
        fuzzer.run(argv, stdin=data)
    fuzzer.finish()


# ----------------------------------------------------------------------- words

COMMANDS = ("attach", "detach", "status", "list", "policy", "weight", "drain", "undrain", "admit",
            "rollout", "explain", "simulate", "features", "help", "--version", "nonsense")
VALUES = ("0", "1", "-1", "65535", "65536", "4294967295", "4294967296", "18446744073709551616",
          "1e3", "0x10", " 1", "+1", "tcp", "udp", "sctp", "hash", "consistent", "weighted",
          "round-robin", "cpu", "numa", "least-queue", "random", "linux39", "auto", "manual",
          "src", "dst", "tuple", "src-prefix/24", "src-prefix/129", "src-prefix/", "f" * 32,
          "f" * 31, "g" * 32, "0-3:0,4:1", "0:0", "0-:1", "5-3:1", ":", ",", "0-99999999:1",
          "slot:0", "slot:99999", "pid:1", "cookie:1", "cookie:18446744073709551615", "slot:",
          "begin", "switch", "commit", "abort", "127.0.0.1", "::", "::1", "fe80::1%lo",
          "127.0.0.1:8080", "[::1]:8080", "[::1", "1.2.3.4:99999", "lo", "root", "nobody",
          "1,1,2,5", "1,", "1000", "/dev/null", "/dev/full", "/", ".", "", "x" * 5000, "all",
          "16384", "524288", "--", "-", "-h", "--help", "--json", "--port=8080", "1", "self")
# These wait, or take as long as they are told to.
NOT_FOR = {"attach": ("--foreground", "--wait")}
SLOW = {"--generate": "2000", "--clients": "100", "--workers": "5", "--timeout": "1",
        "--slots": "16", "--table": "16384", "--flows": "1024"}


def options_of(command):
    text = subprocess.run([TOOL, command, "--help"], stdout=subprocess.PIPE, check=False).stdout
    return [line.split()[0] for line in text.decode().splitlines() if line.startswith("  --")]


def value(rng):
    return noise(rng) if rng.random() < 0.15 else rng.choice(VALUES).encode()


def words_for(rng, known):
    command = rng.choice(COMMANDS)
    argv = [command.encode() if rng.random() < 0.97 else noise(rng)]
    options = [o for o in known.get(command, []) if o not in NOT_FOR.get(command, ())]
    if rng.random() < 0.8:
        argv += [b"--port", rng.choice((b"8080", b"8080", b"8081", b"1"))]
    if command == "simulate" and rng.random() < 0.95:
        argv += [b"--generate", b"500"]
    for _ in range(rng.randrange(6)):
        option = rng.choice(options) if options and rng.random() < 0.85 else None
        if option in SLOW and rng.random() < 0.9:
            argv += [option.encode(), SLOW[option].encode()]
        elif option:
            argv += [option.encode()] + ([value(rng)] if rng.random() < 0.8 else [])
        else:
            argv.append(value(rng))
    if b"--wait" in argv:
        argv = [a for a in argv if a != b"--wait"]
    # More packets than that is work, not a mistake.
    return [b"2000" if a.isdigit() and b"--generate" == argv[i - 1] and int(a) > 2000 else a
            for i, a in enumerate(argv)]


def fuzz_words(fuzzer):
    known = {command: options_of(command) for command in COMMANDS[:13]}
    for rng in fuzzer.rounds():
        fuzzer.run(words_for(rng, known), {"LC_ALL": rng.choice(("C", "C.UTF-8"))},
                   stdin=mutate(rng, TEXT))
    fuzzer.finish()


# ----------------------------------------------------------------- environment

VARIABLES = ("REUSEPORT_DISABLE", "NOTIFY_SOCKET", "NO_COLOR", "COLUMNS", "LINES", "TERM", "LANG",
             "LC_CTYPE", "LC_ALL", "LC_MESSAGES", "LANGUAGE", "TZ", "TMPDIR", "HOME", "PATH",
             "POSIXLY_CORRECT", "LIBSMARTCOLS_DEBUG_PADDING", "LOCPATH", "NLSPATH", "USER")
SETTINGS = (b"", b"0", b"1", b"-1", b"80", b"99999999999999999999", b"C", b"POSIX", b"C.UTF-8",
            b"en_US.UTF-8", b"de_DE@euro", b"../../../../tmp", b"@abstract", b"/", b"/dev/null",
            b"/nonexistent/socket", b"iterators", b"iterators,mmap", b"iterators,,mmap", b"events",
            b"netns-cookie,test-run", b"all", b"x" * 5000, b",", b"%s%n")


def fuzz_environment(fuzzer):
    commands = (["status"], ["status", "--json"], ["list"], ["features"], ["features", "--json"],
                ["status", "--port", "8080"], ["policy", "--list"], ["list", "--json"],
                ["attach", "--port", "8080"], ["detach", "--port", "8080"],
                ["drain", "--port", "8080", "slot:0"], ["simulate", "--generate", "100"],
                ["explain", "--src", "127.0.0.1:9", "--dst", "127.0.0.1:8080"],
                ["attach", "--port", "1", "--foreground"], ["weight", "--help"])
    for rng in fuzzer.rounds():
        env = {}
        for _ in range(rng.randrange(1, 4)):
            name = rng.choice(VARIABLES)
            env[name] = noise(rng) if rng.random() < 0.3 else rng.choice(SETTINGS)
        fuzzer.run(rng.choice(commands), {k: os.fsdecode(v) for k, v in env.items()})
    fuzzer.finish()


def main():
    kind, seconds, seed = sys.argv[1], float(sys.argv[2]), sys.argv[3]
    fuzzer = Fuzzer(kind, seconds, seed)
    print(f"# {kind}: seed {seed}", flush=True)
    if kind == "capture":
        fuzz_file(fuzzer, "--pcap", captures())
    elif kind == "text":
        fuzz_file(fuzzer, "--file", [TEXT, TEXT * 20, b""], WORDS_OF_TEXT)
    elif kind == "words":
        fuzz_words(fuzzer)
    else:
        fuzz_environment(fuzzer)


main()
