#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Python's asyncio, unmodified: separate processes that join and leave.
load ../bash/lib.bash
load ../bash/servers.bash

setup() {
	begin_server_test
	pids=()
	cookies=()
}

teardown() {
	end_server_test
}

join() {
	local out=$BATS_TEST_TMPDIR/asyncio.${#pids[@]}.$RANDOM
	spawn "$out" "$PYTHON" "$RP_ROOT/tests/servers/asyncio_worker.py" 8080
	wait_until 10 grep -q ^ready "$out"
	pids+=("$spawned")
	cookies+=("$(cut -d' ' -f3 "$out")")
}

# leave I: the I-th of those that are there. Its SIGTERM drops what asyncio has just
# accepted, whoever picks: so it is drained, and has a moment for that.
leave() {
	ctl drain --port 8080 "pid:${pids[$1]}" --wait --timeout 5
	sleep 0.2
	stop "${pids[$1]}" TERM
	unset "pids[$1]" "cookies[$1]"
	pids=("${pids[@]}")
	cookies=("${cookies[@]}")
}

expected() {
	local i
	for i in "${!pids[@]}"; do
		echo "${pids[i]} [${pids[i]}] ${cookies[i]}"
	done | sort -n
}

# Each process with its socket, by what the workers themselves said and by ss.
right() {
	in_sync 8080 tcp && no_slot_twice 8080 tcp &&
		[ "$(status 8080 tcp '.workers[] | "\(.pid) \(.pids) \(.cookie)"' | sort -n)" = \
			"$(expected)" ]
}

@test "asyncio: workers join and leave under load" {
	local step
	join
	join
	join
	attach --port 8080
	right
	start_load --to 127.0.0.1:8080 --rate 1000
	for step in join join 'leave 0' 'leave 1' join 'leave 3' join 'leave 2'; do
		$step
		wait_until 1 right || fail "after $step"
	done
	stop_load
	no_failed_request
	load_is '.sent > 1000'
	balanced 8080 tcp
	no_keeper_error
}

@test "asyncio: attach, keeper's death, adoption, detach under load" {
	join
	join
	join
	start_load --to 127.0.0.1:8080 --rate 1000
	cycle 8080 tcp 3
	cycle 8080 tcp 3
	stop_load
	no_failed_request
	no_keeper_error
}
