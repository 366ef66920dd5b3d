#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# reuseport-recipes(7), a service of two instances: the steps of its unit file, by
# hand.
load ../bash/lib.bash
load ../bash/servers.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# exec_start I, exec_start_post I, exec_stop I: of instance I, as systemd runs them;
# $MAINPID there is ${pids[I]} here.
exec_start() {
	spawn "$BATS_TEST_TMPDIR/web.$1.$RANDOM" "$PYTHON" \
		"$RP_ROOT/tests/servers/asyncio_worker.py" 8080
	pids[$1]=$spawned
}

exec_start_post() {
	until ctl admit --port 8080 "pid:${pids[$1]}"; do sleep 0.1; done
}

exec_stop() {
	ctl drain --port 8080 --wait --timeout 30 "pid:${pids[$1]}"
}

start_instance() {
	exec_start "$1"
	exec_start_post "$1"
}

stop_instance() {
	exec_stop "$1"
	stop "${pids[$1]}"
}

state_of() {
	status 8080 tcp ".workers[] | select(.pid == $1) | [.state, .selected] | tojson"
}

waits() {
	[ "$(state_of "$1")" = '["joining",0]' ]
}

all_selected() {
	[ "$(status 8080 tcp '[.workers[].selected > 0] | all')" = true ]
}

@test "recipes, service: rolling restarts of two instances" {
	local i n pids=() many
	rounds many 5 2
	spawn "$BATS_TEST_TMPDIR/steering" "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --wait \
		--foreground --admit manual --log "$BATS_TEST_TMPDIR/keeper.log"
	start_instance 1
	start_instance 2
	record_bpf
	start_load --to 127.0.0.1:8080 --rate 300
	for ((i = 0; i < many; i++)); do
		for n in 1 2; do
			stop_instance $n
			exec_start $n
			# Started, but not ready: nothing comes.
			[ $i -gt 0 ] || { wait_until 5 waits "${pids[n]}" && sleep 0.5 && waits "${pids[n]}"; }
			exec_start_post $n
		done
	done
	wait_until 5 all_selected
	stop_load
	no_failed_request
	load_is ".sent > 100 * $many and (.workers | length) == 2 + 2 * $many"
	equal "$(status 8080 tcp '.counters | [.migrations, .fallbacks.nobody] | tojson')" '[0,0]'
	balanced 8080 tcp
	no_keeper_error
}

@test "recipes, service: an instance that died or is not steered stops and starts as ever" {
	local pids=()
	exec_start 1
	run ctl drain --port 8080 --wait --timeout 30 "pid:${pids[1]}"
	equal "$status" 3
	attach --port 8080 --wait --admit manual
	exec_start 2
	exec_start_post 2
	exec_start_post 2
	stop "${pids[2]}" KILL
	run ctl drain --port 8080 --wait --timeout 30 "pid:${pids[2]}"
	equal "$status" 3
}
