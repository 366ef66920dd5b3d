#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A worker that dies is gone at once: the keeper holds no socket longer than an
# update takes, so no client waits for a dead worker.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

listens() {
	truth_tcp 8080 | grep -qx "$1"
}

@test "no black hole: a worker killed under load" {
	local cookie i
	start_workers 4 --port 8080
	attach --port 8080
	start_load --to 127.0.0.1:8080 --rate 1000
	for i in 0 1 2; do
		cookie=${worker_ids[i]}
		listens "$cookie"
		stop "${worker_pids[i]}" KILL
		if listens "$cookie"; then
			fail "the listener outlives its process"
		fi
		pause 0.3
	done
	stop_load
	# What a killed worker had accepted is lost with it: at most its own.
	load_is '.timeout == 0 and .refused == 0 and .other == 0 and .reset <= 3'
	equal "$(shown 8080 | wc -l)" 1
}

@test "no black hole: workers killed while the keeper takes their sockets" {
	local i many
	rounds many 20 8
	start_worker --port 8080
	attach --port 8080
	start_load --to 127.0.0.1:8080 --rate 500
	for ((i = 0; i < many; i++)); do
		start_worker --port 8080
		stop "$worker_pid" KILL
		if listens "$worker_cookies"; then
			# The keeper may be in the middle of its update: once.
			sleep 0.05
			if listens "$worker_cookies"; then
				fail "the listener outlives its process"
			fi
		fi
	done
	stop_load
	load_is '.timeout == 0 and .refused == 0 and .other == 0 and .reset <= 20'
	wait_until 1 in_sync 8080 tcp
}

@test "no black hole: workers killed while no keeper runs" {
	start_workers 3 --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	start_load --to 127.0.0.1:8080 --rate 1000
	stop "${worker_pids[0]}" KILL
	pause 0.3
	stop_load
	load_is '.timeout == 0 and .refused == 0 and .other == 0 and .reset <= 1'
	balanced 8080 tcp
}

@test "no black hole: no process but its own holds a worker's socket" {
	local pid
	start_workers 3 --port 8080
	attach --port 8080
	in_sync 8080 tcp
	for pid in "${worker_pids[@]}"; do
		equal "$(status 8080 tcp ".workers[] | select(.pid == $pid) | .pids | tojson")" "[$pid]"
	done
	pid=$(keeper_pid 8080 tcp)
	# Sockets of the workers in the keeper would show by their inodes.
	in_ns ss -Hlnte "sport = :8080" | sed -n 's/.*ino:\([0-9]*\).*/socket:[\1]/p' |
		sort >"$BATS_TEST_TMPDIR/workers"
	equal "$(wc -l <"$BATS_TEST_TMPDIR/workers")" 3
	find "/proc/$pid/fd" -printf '%l\n' | sort >"$BATS_TEST_TMPDIR/keeper"
	equal "$(comm -12 "$BATS_TEST_TMPDIR/workers" "$BATS_TEST_TMPDIR/keeper")" ""
}
