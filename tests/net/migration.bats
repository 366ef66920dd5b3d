#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Connections that wait in a closing worker's queue are served by the others.
load ../bash/lib.bash

setup() {
	begin_test
	skip_without migration
}

teardown() {
	end_test
}

# Connections that wait in a listener's queue.
queued() {
	in_ns ss -Hlnte "sport = :8080" | grep "sk:$(printf %x "$1") " | awk '{ print $2 }'
}

# Four workers, one of them stopped, 200 connections: about 50 wait for it.
# Then that one is killed. Sets $waiting and $result.
kill_with_queue() {
	local out=$BATS_TEST_TMPDIR/queue
	start_workers 4 --port 8080
	attach --port 8080
	[ "$1" = keeper ] || kill_keeper 8080 tcp
	kill -STOP "${worker_pids[1]}"

	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	spawn "$out" "$HELPERS/queue" --to 127.0.0.1:8080 --count 200 <"$BATS_TEST_TMPDIR/go"
	wait_until 5 grep -q ready "$out"
	waiting=$(queued "${worker_ids[1]}")
	echo "$waiting connections wait"
	[ "$waiting" -ge 20 ]

	stop "${worker_pids[1]}" KILL
	echo >&"$go"
	wait "$spawned"
	result=$(tail -n 1 "$out")
	echo "$result"
}

@test "migration: a killed worker's queue is answered by the others" {
	kill_with_queue keeper
	jq -e '.connected == 200 and .answered == 200 and .reset == 0' <<<"$result"
	equal "$(status 8080 tcp .counters.migrations)" "$waiting" "migrations"
	equal "$(status 8080 tcp .counters.migrated)" "$waiting" "migrated"
	equal "$(status 8080 tcp '[.workers[].migrated] | add')" "$waiting" "migrated, by worker"
	equal "$(packets 8080 tcp)" 200 "packets"
	balanced 8080 tcp
}

@test "migration: also while no keeper runs" {
	kill_with_queue no-keeper
	jq -e '.answered == 200' <<<"$result"
	equal "$(status 8080 tcp .counters.migrated)" "$waiting" "migrated"
}

@test "migration: without it, the kernel resets the queue" {
	export REUSEPORT_DISABLE=migration
	kill_with_queue keeper
	jq -e ".answered == 200 - $waiting and .reset == $waiting" <<<"$result"
	equal "$(status 8080 tcp .counters.migrated)" 0 "migrated"
	balanced 8080 tcp
}
