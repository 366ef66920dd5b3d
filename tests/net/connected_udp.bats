#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A UDP server that makes a connected socket for each peer, on the same address and port (DTLS,
# KCP, many QUIC servers): those get no slot or lose it.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# slots: how many the keeper's records have.
slots_in_use() {
	bpftool -j map dump pinned "$(status 8080 udp .pin)/workers" |
		jq '[.[] | (.formatted.value // .value) | select(.cookie != 0)] | length'
}

slots_are() {
	[ "$(slots_in_use)" -eq "$1" ]
}

# with_peers N MS: workers, each with a socket more that is connected so long after its bind; MS
# "mixed": at once, or a millisecond later.
with_peers() {
	local i after=$2
	start_workers 3 --port 8080 --proto udp --addr 127.0.0.1
	attach --port 8080 --proto udp --policy consistent
	for ((i = 0; i < $1; i++)); do
		[ "$2" != mixed ] || after=$((i % 2))
		start_worker --port 8080 --proto udp --addr 127.0.0.1 \
			--connect-udp "127.0.0.1:$((5000 + i))" --connect-after-ms "$after"
	done
	wait_until 10 slots_are $(($1 + 3))
	serves_all $(($1 + 3))
	equal "$(status 8080 udp .connected_sockets)" "$1" "connected sockets"
}

@test "connected UDP: sockets that are connected after they have joined lose their slots" {
	with_peers 4 150
}

# Some are connected between the look whether they are, and the array.
@test "connected UDP: sockets that are connected while they join" {
	with_peers 40 mixed
}

# serves_all WORKERS: no datagram is left to the kernel.
serves_all() {
	equal "$(status 8080 udp '.workers | length')" "$1" "workers"
	equal "$(client --proto udp --to 127.0.0.1:8080 --count 300 | wc -l)" 300 "answers"
	equal "$(status 8080 udp .counters.fallback)" 0 "fallbacks"
}
