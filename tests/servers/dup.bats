#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A server whose threads have duplicates of one socket: it is one worker, and
# adding it to the array once for each descriptor would fail with EBUSY.
load ../bash/lib.bash
load ../bash/servers.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# start_dup: sets $dup_pid and $dup_cookie.
start_dup() {
	local out=$BATS_TEST_TMPDIR/dup.$RANDOM
	spawn "$out" "$PYTHON" "$RP_ROOT/tests/servers/dup_threads.py" 8080 4
	dup_pid=$spawned
	wait_until 10 grep -q ^ready "$out"
	dup_cookie=$(cut -d' ' -f3 "$out")
	# The listener and a duplicate for each thread.
	equal "$(in_ns ss -Hlntpe 'sport = :8080' | grep -o "pid=$dup_pid,fd=" | wc -l)" 5
}

@test "dup: one socket under five descriptors is one worker" {
	local first_pid first_cookie
	start_dup
	attach --port 8080
	in_sync 8080 tcp
	equal "$(status 8080 tcp '.workers | map([.slot, .pid, .pids, .cookie]) | tojson')" \
		"[[0,$dup_pid,[$dup_pid],$dup_cookie]]"

	# And one that joins.
	first_pid=$dup_pid first_cookie=$dup_cookie
	start_dup
	wait_until 1 in_sync 8080 tcp
	equal "$(status 8080 tcp '.workers | map([.slot, .pid, .pids, .cookie]) | tojson')" \
		"[[0,$first_pid,[$first_pid],$first_cookie],[1,$dup_pid,[$dup_pid],$dup_cookie]]"
	no_keeper_error
	not_in_log busy
}

@test "dup: attach, keeper's death, adoption, detach under load" {
	start_dup
	start_dup
	start_load --to 127.0.0.1:8080 --rate 500
	cycle 8080 tcp 2
	cycle 8080 tcp 2
	stop_load
	no_failed_request
	no_keeper_error
	not_in_log busy
}
