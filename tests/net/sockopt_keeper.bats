#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What workers have asked for by socket options outlives the keeper.
load ../bash/lib.bash
load ../bash/sockopt_workers.bash

EEXIST=17

setup() {
	begin_test
	skip_without socket-options
}
teardown() { end_test; }

no_keeper() {
	kill_keeper 8080 tcp
}

has_keeper() {
	[ -n "$(keeper_pid 8080 tcp)" ]
}

another_keeper() {
	ctl attach --port 8080
	wait_until 10 has_keeper
}

@test "sockopt keeper: a worker that is not ready stays so with the next keeper" {
	start_askers 2 --port 8080
	attach --port 8080
	becomes 0 "$ACTIVE"
	answers 0 0 "$READY" 0
	takes_effect 0 1
	becomes 0 "$JOINING"
	no_keeper
	another_keeper
	# The next request shows that the keeper has looked at all.
	answers 0 0 "$WEIGHT" 3
	takes_effect 0 2
	state_of 0
	equal "$state $weight" "$JOINING 3"
	answers 0 0 "$READY" 1
	becomes 0 "$ACTIVE"
}

@test "sockopt keeper: the id of a worker that left while no keeper ran is free" {
	start_askers 2 --port 8080
	attach --port 8080
	becomes 0 "$ACTIVE"
	answers 0 0 "$ID" 5
	takes_effect 0 1
	no_keeper
	stop "${asker_pids[0]}"
	another_keeper
	answers 1 0 "$ID" 5
	takes_effect 1 1
	state_of 1
	equal "$id" 5
}

@test "sockopt keeper: what a worker asked for before it joined by a command's look" {
	start_askers 1 --port 8080
	attach --port 8080
	becomes 0 "$ACTIVE"
	no_keeper
	start_asker --port 8080 --set "$WEIGHT=7" --set "$READY=0"
	# Without a keeper the command lets workers join.
	ctl weight --port 8080 slot:0 2
	another_keeper
	takes_effect 1 2
	state_of 1
	equal "$state $weight" "$JOINING 7"
}

@test "sockopt keeper: requests while no keeper runs" {
	start_askers 2 --port 8080
	attach --port 8080
	becomes 0 "$ACTIVE"
	answers 0 0 "$ID" 5
	takes_effect 0 1
	no_keeper
	answers 0 0 "$WEIGHT" 9
	answers 0 0 "$ID" 6
	answers 1 "$EEXIST" "$ID" 6
	state_of 0
	equal "$seq $weight" "1 1"
	another_keeper
	takes_effect 0 3
	state_of 0
	equal "$weight $id" "9 6"
	# The former one is free.
	answers 1 0 "$ID" 5
}

@test "sockopt keeper: a group that its own process keeps, and what was asked before" {
	start_worker --port 8090
	attach --port 8090 # it brings the hooks
	start_asker --port 8080 --set "$WEIGHT=7" --set "$ID=3"
	spawn "$BATS_TEST_TMPDIR/keeper" "$REUSEPORTCTL" attach --port 8080 --foreground
	wait_until 10 has_keeper
	takes_effect 0 2
	equal "$weight $id" "7 3"
}
