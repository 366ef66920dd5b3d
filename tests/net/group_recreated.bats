#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# When all workers have gone and come again, the group is a new one without a
# program: it is steered again with nobody's help.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

stop_all() {
	local pid
	for pid in "${worker_pids[@]}"; do
		stop "$pid"
	done
	equal "$(truth 8080 "$1")" ""
}

steered() {
	[ "$(status 8080 "$1" .program.attached)" = true ] && in_sync 8080 "$1"
}

reborn() {
	local proto=$1 start before
	start_workers 3 --port 8080 --proto "$proto"
	attach --port 8080 --proto "$proto"
	client --proto "$proto" --to 127.0.0.1:8080 --count 100 >/dev/null
	stop_all "$proto"
	equal "$(status 8080 "$proto" '.workers | length')" 0 "workers shown"
	equal "$(status 8080 "$proto" .keeper.running)" true
	# Long enough for the kernel to free the old group.
	sleep 0.3

	start_worker --port 8080 --proto "$proto"
	start=$(now_ms)
	wait_until 2 steered "$proto"
	echo "# $proto: steered again within $(($(now_ms) - start)) ms, the look included" >&3
	before=$(packets 8080 "$proto")
	equal "$before" 100 "packets kept"

	start_workers 2 --port 8080 --proto "$proto"
	wait_until 1 in_sync 8080 "$proto"
	no_slot_twice 8080 "$proto"
	client --proto "$proto" --to 127.0.0.1:8080 --count 100 >/dev/null
	equal "$(packets 8080 "$proto")" 200
	equal "$(status 8080 "$proto" .counters.selected)" 200
	balanced 8080 "$proto"
}

@test "reborn: TCP" {
	reborn tcp
}

@test "reborn: UDP" {
	reborn udp
}

@test "reborn: TCP without events" {
	export REUSEPORT_DISABLE=events
	reborn tcp
}

@test "reborn: again and again" {
	local round many
	rounds many 5 2
	start_workers 3 --port 8080
	attach --port 8080
	for ((round = 0; round < many; round++)); do
		stop_all tcp
		start_workers 3 --port 8080
		wait_until 2 steered tcp
	done
	client --to 127.0.0.1:8080 --count 100 >/dev/null
	equal "$(packets 8080 tcp)" 100
	equal "$(status 8080 tcp .keeper.running)" true
}

@test "reborn: while the keeper was dead, then attached again" {
	start_workers 3 --port 8080
	attach --port 8080
	client --to 127.0.0.1:8080 --count 100 >/dev/null
	kill_keeper 8080 tcp
	stop_all tcp
	start_workers 3 --port 8080
	equal "$(status 8080 tcp .program.attached)" false
	equal "$(status 8080 tcp '.workers | length')" 0
	client --to 127.0.0.1:8080 --count 100 >/dev/null
	equal "$(packets 8080 tcp)" 100

	attach --port 8080
	steered tcp
	client --to 127.0.0.1:8080 --count 100 >/dev/null
	equal "$(packets 8080 tcp)" 200
	balanced 8080 tcp
}
