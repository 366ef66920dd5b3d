#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A call of reuseport_group__process() does a bounded part of the work, however many
# descriptors the host has, and what needs a walk through /proc still gets done.
load ../bash/lib.bash

FDS=20000

setup() {
	begin_test
	spawn "$BATS_TEST_TMPDIR/descriptors" "$HELPERS/descriptors" $FDS
	wait_until 20 grep -q ready "$BATS_TEST_TMPDIR/descriptors"
	start_workers 2 --port 8080
}

teardown() {
	end_test
}

# begin_calls ARGS...: a program that keeps the group by the library, see
# tests/helpers/calls.c.
begin_calls() {
	calls_out=$BATS_TEST_TMPDIR/calls
	spawn "$calls_out" "$LIBRARY_HELPERS/calls" --port 8080 --netns "$NS" "$@"
	calls_pid=$spawned
	wait_until 20 grep -q ready "$calls_out" || fail "no attachment"
	record_bpf
}

# end_calls: none was long. When a call walked through all of /proc, the longest one took
# the processor for 72 to 331 ms, and 0.2 to 1.2 s of time; now 0.7 to 2.1 ms. The time
# varies with what else the machine does, so the processor's is what counts.
end_calls() {
	stop "$calls_pid"
	calls=$(tail -n 1 "$calls_out")
	echo "# $calls" >&3
	jq -e ".longest_cpu_ms < $((50 * RP_PATIENCE))" <<<"$calls" >/dev/null
}

# A walk through /proc takes this many calls at least.
walks() {
	[ "$(jq .calls <<<"$calls")" -gt $(($1 * FDS / 1000)) ] || fail "no walk in $calls"
}

# start_orphan: its socket's maker has ended, which is where it is looked for first.
start_orphan() {
	start_worker --port 8080 --orphan
	read -r _ worker_pid _ <"$worker_out"
	record "$worker_pid"
}

# The processes that the keeper has recorded for its workers, one a line.
recorded() {
	bpftool -j map dump pinned "$(status 8080 tcp .pin)/workers" |
		jq -r '.[].formatted.value | select(.cookie != 0) | .pid' | sort -n
}

recorded_are() {
	[ "$(recorded)" = "$(printf '%s\n' "$@" | sort -n)" ]
}

@test "slices: calls are short while workers join and pids are read again" {
	local first second
	start_worker --port 8080 --shared 2
	{ read -r _ first _ && read -r _ second _; } <"$worker_out"
	begin_calls
	in_sync 8080 tcp
	recorded_are "${worker_pids[@]}" "$first" || recorded_are "${worker_pids[@]}" "$second"
	# Another process serves the socket from now on, and no event tells.
	recorded_are "${worker_pids[@]}" "$first" || { local other=$first; first=$second second=$other; }
	kill "$first"
	start_worker --port 8080
	wait_until 1 in_sync 8080 tcp
	wait_until 5 recorded_are "${worker_pids[@]}" "$second" "$worker_pid"
	end_calls
	walks 1
}

@test "slices: a worker whose socket another process has made joins soon" {
	local start
	begin_calls
	# Only the process that serves it is left when the keeper hears of it.
	kill -STOP "$calls_pid"
	start_orphan
	kill -CONT "$calls_pid"
	start=$(now_ms)
	wait_until 4 in_sync 8080 tcp
	echo "# joined within $(($(now_ms) - start)) ms" >&3
	# And while a walk is under way that does not look for it.
	start_worker --port 8080
	for _ in 1 2 3 4 5; do
		pause 0.2
		kill -STOP "$calls_pid"
		start_orphan
		kill -CONT "$calls_pid"
		wait_until 4 in_sync 8080 tcp
	done
	no_slot_twice 8080 tcp
	end_calls
	walks 2
}

@test "slices: 200 workers that join at once, and leave at once" {
	begin_calls
	start_worker --port 8080 --sockets 200
	wait_until 4 in_sync 8080 tcp
	equal "$(shown 8080 | wc -l)" 202
	no_slot_twice 8080 tcp
	stop "$worker_pid" KILL
	wait_until 4 in_sync 8080 tcp
	equal "$(shown 8080 | wc -l)" 2
	end_calls
}

@test "slices: without events, by polling" {
	export REUSEPORT_DISABLE=events
	begin_calls
	start_worker --port 8080 --sockets 20
	start_orphan
	wait_until 3 in_sync 8080 tcp
	equal "$(shown 8080 | wc -l)" 23
	stop "$worker_pid" KILL
	wait_until 3 in_sync 8080 tcp
	end_calls
	walks 1
}

@test "slices: the handle is closed in the middle of a walk, and the child of a fork has none" {
	begin_calls --fork
	wait_until 10 grep -q longest "$calls_out"
	equal "$(sed -n 's/^left //p' "$calls_out")" 0 "directories of /proc in the child"
	begin_calls
	in_sync 8080 tcp
	end_calls
}
