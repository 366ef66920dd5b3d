#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# keeper.cpp keeps a group: it follows its workers, prints what each was given, and detaches.
load common.bash

# prints N: its last line is about so many workers, with slots, processes and packets.
prints() {
	[ "$(tail -n 1 "$out" | grep -oE 'slot [0-9]+ pid [0-9]+ selected [0-9]+' | wc -l)" -eq "$1" ]
}

keeps() {
	[ "$(keeper_pid 8080 tcp)" = "$1" ]
}

selected() {
	tail -n 1 "$out" | grep -oE 'selected [0-9]+' | awk '{ n += $2 } END { print n + 0 }'
}

all_printed() {
	[ "$(selected)" -eq "$1" ]
}

# said LINE...: each of them, by now.
said() {
	local line
	for line; do
		grep -qx "$line" "$out" || return
	done
}

@test "keeper.cpp: from the first worker on it prints what they do and were given, and detaches" {
	local out
	start keeper 8080
	out=$BATS_TEST_TMPDIR/example.1
	wait_until 10 keeps "$pid"
	start_workers 2 --port 8080
	record_bpf
	wait_until 10 prints 2
	equal "$(status 8080 tcp .policy)" least-queue policy
	client --to 127.0.0.1:8080 --count 100
	wait_until 10 all_printed 100
	start_worker --port 8080
	wait_until 10 prints 3
	wait_until 10 said "joined: slot 0 pid ${worker_pids[0]}" "ready: slot 0 pid ${worker_pids[0]}" \
		"joined: slot 2 pid $worker_pid"
	stop "$worker_pid"
	# The next packets tell that it has gone.
	client --to 127.0.0.1:8080 --count 20
	wait_until 10 said "left: slot 2 pid .*"
	kill -TERM "$pid"
	ended "$pid"
	equal "$code" 0 "exit status"
	equal "$(pins_of "$NS_INODE")" "" "pins after detach"
	client --to 127.0.0.1:8080 --count 20
}

@test "keeper.cpp: workers of another user" {
	local out=$BATS_TEST_TMPDIR/example.1
	start keeper 8080 65534
	wait_until 10 keeps "$pid"
	start_as_nobody worker
	wait_until 10 prints 1
	equal "$(ask)" hello
}

@test "keeper.cpp: what fails is said, with the library's words" {
	start_workers 1 --port 8080
	attach --port 8080
	example_of keeper 8080
	run in_ns "${example[@]}"
	equal "$status" 1
	[[ $output == "keeper: "*"keeps"* || $output == "keeper: "*"keeper"* ]] || fail "$output"
}
