#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The helper that stands by lets workers join. It stays, holds nothing, and is replaced if it ends.
load ../bash/lib.bash

setup() {
	begin_test
	start_workers 2 --port 8080
	attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	wait_until 5 stands_by
}

teardown() {
	end_test
}

# The keeper's children, one a line.
helpers() {
	pgrep -P "$keeper" -x reuseport-look || true
}

# Those that work go in a moment.
stands_by() {
	helper=$(helpers)
	[ "$(wc -w <<<"$helper")" -eq 1 ]
}

joins() {
	local i
	for ((i = 0; i < $1; i++)); do
		start_worker --port 8080
		wait_until 5 in_sync 8080 tcp
	done
}

@test "standby: the same process lets one worker after the other join" {
	local first=$helper
	joins 8
	wait_until 5 stands_by
	equal "$helper" "$first"
	client --to 127.0.0.1:8080 --count 200 >/dev/null
	equal "$(status 8080 tcp .counters.selected)" 200
}

@test "standby: has nothing but what it is spoken to by" {
	local links
	joins 2
	wait_until 5 stands_by
	links=$(find "/proc/$helper/fd" -type l -printf '%l\n' | sed 's/:.*//' | sort | paste -sd' ')
	equal "$links" "pipe socket" "its descriptors"
	# ps does not show it as another keeper.
	equal "$(tr -d '\0' <"/proc/$helper/cmdline")" reuseport-look
	run ! grep -q bpf-map "/proc/$helper/maps"
	run ! grep -q bpf-map "/proc/$helper/smaps"
}

@test "standby: killed, workers join, and another one stands by" {
	local i first
	for i in 1 2 3; do
		first=$helper
		kill -KILL "$first"
		joins 1
		wait_until 5 stands_by
		[ "$helper" != "$first" ] || fail "process $helper again"
	done
	equal "$(status 8080 tcp '.workers | length')" 5
}

@test "standby: killed, and nothing is to be done: the keeper sleeps" {
	local first=$helper before
	joins 1
	wait_until 5 stands_by
	before=$(ps -o cputimes= -p "$keeper")
	kill -KILL "$first"
	wait_until 10 replaced "$first"
	sleep 2
	[ $(($(ps -o cputimes= -p "$keeper") - before)) -le 1 ] || fail "it does not sleep"
}

replaced() {
	stands_by && [ "$helper" != "$1" ]
}

@test "standby: all leave, and the first that comes gets the program too" {
	local i
	skip_if_sanitized "the program is the same"
	for ((i = 0; i < 10; i++)); do
		end_processes
		start_workers 2 --port 8080
		wait_until 5 in_sync 8080 tcp
		equal "$(status 8080 tcp .program.attached)" true
	done
}

@test "standby: ends with the keeper" {
	kill -KILL "$keeper"
	wait_until 5 gone "$helper"
	ctl attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	wait_until 5 stands_by
	ctl detach --port 8080
	wait_until 5 gone "$helper"
}
