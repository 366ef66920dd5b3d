#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Requests that wait for an answer at once: http_queue.py PORT COUNT

Connects COUNT times, sends a request on each connection, prints "ready", and
waits for the answers. Prints {"answered":N,"failed":N} as JSON: a request fails
by a reset, by an end without an answer, or if none comes in ten seconds.
"""
import json
import socket
import sys


def connect(port):
    sock = socket.create_connection(("127.0.0.1", port), 5)
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    sock.settimeout(10)
    return sock


def answered(sock):
    try:
        return b" 200 " in sock.recv(4096)
    except OSError:
        return False


def main(port, count):
    socks = [connect(port) for _ in range(count)]
    print("ready", flush=True)
    good = sum(answered(sock) for sock in socks)
    print(json.dumps({"answered": good, "failed": count - good}))


main(int(sys.argv[1]), int(sys.argv[2]))
