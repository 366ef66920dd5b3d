#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The keeper may die at any instant: steering goes on, and the next one adopts
# what is there. There is never more than one.
load ../bash/lib.bash

setup() {
	begin_test
	start_workers 3 --port 8080
}

teardown() {
	end_test
}

slots() {
	status 8080 tcp '.workers[] | "\(.cookie) \(.slot)"' | sort -n
}

running() {
	[ "$(status 8080 tcp .keeper.running)" = "$1" ]
}

ask() {
	client --to 127.0.0.1:8080 --count "$1" >/dev/null
}

@test "keeper: killed, steering goes on" {
	attach --port 8080
	running true
	ask 100
	kill_keeper 8080 tcp
	running false
	ask 100
	equal "$(packets 8080 tcp)" 200
	equal "$(status 8080 tcp .counters.selected)" 200
	equal "$(status 8080 tcp .program.attached)" true
}

@test "keeper: the next one adopts the slots and the counters" {
	local before program
	attach --port 8080
	# A hole, so that a renumbering would show.
	stop "${worker_pids[0]}"
	start_worker --port 8080
	start_worker --port 8080
	stop "${worker_pids[1]}"
	wait_until 1 in_sync 8080 tcp
	ask 100
	before=$(slots)
	program=$(status 8080 tcp .program.id)
	kill_keeper 8080 tcp
	attach --port 8080
	running true
	diff <(echo "$before") <(slots)
	equal "$(packets 8080 tcp)" 100
	equal "$(status 8080 tcp '[.workers[].selected] | add')" 100
	equal "$(status 8080 tcp .program.attached)" true
	ask 100
	equal "$(packets 8080 tcp)" 200
	balanced 8080 tcp
	# And follows the workers again.
	start_worker --port 8080
	wait_until 1 in_sync 8080 tcp
}

@test "keeper: an adoption without --policy keeps the policy" {
	attach --port 8080 --policy linux39
	kill_keeper 8080 tcp
	attach --port 8080
	equal "$(status 8080 tcp .policy)" linux39
	equal "$(status 8080 tcp .program.name)" reuseport_steer
}

@test "keeper: a second attach changes nothing" {
	local before
	attach --port 8080
	before=$(ctl status --port 8080 --json)
	ctl attach --port 8080
	diff <(ageless <<<"$before") <(ctl status --port 8080 --json | ageless)
	running true
}

@test "keeper: two attaches at once" {
	local round first second one two many
	rounds many 5 2
	for ((round = 0; round < many; round++)); do
		ctl attach --port 8080 2>>"$BATS_TEST_TMPDIR/attach.log" &
		first=$!
		ctl attach --port 8080 2>>"$BATS_TEST_TMPDIR/attach.log" &
		second=$!
		one=0 two=0
		wait $first || one=$?
		wait $second || two=$?
		equal "$one $two" "0 0" "exit statuses"
		running true
		in_sync 8080 tcp
		equal "$(tools_of "$NS" | wc -l)" 1 "keepers"
		ctl detach --port 8080
	done
}

@test "keeper: ends cleanly on SIGTERM, steering remains" {
	attach --port 8080
	ask 100
	kill_keeper 8080 tcp TERM
	running false
	ask 100
	equal "$(packets 8080 tcp)" 200
	equal "$(status 8080 tcp .program.attached)" true
}

@test "keeper: in the foreground, tells the service manager, ends with 0" {
	local socket=$BATS_TEST_TMPDIR/notify pid code=0
	"$HELPERS/notify" "$socket" 20 >"$BATS_TEST_TMPDIR/notified" 3>&- &
	local notify=$!
	record $notify
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/notified"

	NOTIFY_SOCKET=$socket ctl attach --port 8080 --foreground \
		>"$BATS_TEST_TMPDIR/foreground.log" 2>&1 &
	wait $notify
	grep -qx READY=1 "$BATS_TEST_TMPDIR/notified"
	# Ready means steered.
	in_sync 8080 tcp
	pid=$(keeper_pid 8080 tcp)
	record "$pid"
	kill -TERM "$pid"
	wait $! || code=$?
	equal $code 0 "exit status of the keeper"
	running false
	ask 50
	equal "$(packets 8080 tcp)" 50
}

@test "keeper: workers came and went without one" {
	attach --port 8080
	kill_keeper 8080 tcp
	stop "${worker_pids[1]}"
	start_worker --port 8080
	equal "$(status 8080 tcp '.workers | length')" 2 "workers shown without a keeper"
	attach --port 8080
	in_sync 8080 tcp
	no_slot_twice 8080 tcp
	equal "$(status 8080 tcp .unregistered)" 0
	ask 200
	equal "$(status 8080 tcp .counters.selected)" 200
}

@test "keeper: nothing fails through attach, death, adoption and detach" {
	local round many
	rounds many 5 2
	start_load --to 127.0.0.1:8080 --rate 1000
	for ((round = 0; round < many; round++)); do
		attach --port 8080
		kill_keeper 8080 tcp
		attach --port 8080
		ctl detach --port 8080
	done
	stop_load
	no_failed_request
}

@test "keeper: detach without one, and without workers" {
	attach --port 8080
	kill_keeper 8080 tcp
	ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" ""

	attach --port 8080
	local pid
	for pid in "${worker_pids[@]}"; do
		stop "$pid"
	done
	ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" ""
	wait_until 5 no_tools_of "$NS"
}
