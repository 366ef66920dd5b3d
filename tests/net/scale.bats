#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A thousand sockets in one group, thousands of slots.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# attach_many PROTO N ARGS...: in under 10 s, where 2 s are expected.
attach_many() {
	local proto=$1 n=$2 start took
	shift 2
	start_worker --port 8080 --proto "$proto" --sockets "$n"
	start=$(now_ms)
	attach --port 8080 --proto "$proto" "$@"
	took=$(($(now_ms) - start))
	echo "# $n $proto sockets attached in $took ms" >&3
	[ "$took" -lt 10000 ]
	equal "$(shown 8080 "$proto" | wc -l)" "$n" "workers"
	in_sync 8080 "$proto"
	no_slot_twice 8080 "$proto"
}

@test "scale: 1,000 TCP sockets, and one more" {
	attach_many tcp 1000
	start_worker --port 8080
	wait_until 2 in_sync 8080 tcp
	client --to 127.0.0.1:8080 --count 2000 >/dev/null
	equal "$(status 8080 tcp .counters.selected)" 2000
	balanced 8080 tcp
}

@test "scale: 1,000 UDP sockets, and one more" {
	attach_many udp 1000
	start_worker --port 8080 --proto udp
	wait_until 2 in_sync 8080 udp
	client --proto udp --to 127.0.0.1:8080 --count 2000 >/dev/null
	equal "$(status 8080 udp .counters.selected)" 2000
	balanced 8080 udp
}

@test "scale: 4,096 slots" {
	attach_many tcp 1500 --slots 4096
	equal "$(status 8080 tcp .slots)" 4096
}

@test "scale: linux39 over 1,000 sockets" {
	skip_if_sanitized "the program is the same"
	attach_many tcp 1000 --policy linux39
	client --to 127.0.0.1:8080 --count 500 >/dev/null
	equal "$(status 8080 tcp .counters.selected)" 500
}
