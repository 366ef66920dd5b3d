#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The keeper of twenty groups is killed at random moments, under load, while workers join and
# leave: nothing is lost, and the next keeper has all groups at once.
load ../bash/lib.bash

WIDTH=20

setup() {
	begin_test
}

teardown() {
	end_test
}

# The first ten ports are TCP's. Each group has two workers and one that comes and goes.
proto_of() {
	if [ "$1" -lt 8090 ]; then echo tcp; else echo udp; fi
}

start_groups() {
	local port
	for ((port = 8080; port < 8080 + WIDTH; port++)); do
		start_worker --port $port --proto "$(proto_of $port)" --sockets 2
		start_worker --port $port --proto "$(proto_of $port)"
		comes[port]=$worker_pid
		ctl attach --port $port --proto "$(proto_of $port)" >/dev/null
	done
}

# A worker leaves and another joins, in a group without load.
change_one() {
	local port=$((8081 + RANDOM % 9 + 10 * (RANDOM % 2)))
	stop "${comes[port]}"
	start_worker --port $port --proto "$(proto_of $port)"
	comes[port]=$worker_pid
}

# start_keeper: sets $keeper, and $log, which it writes.
start_keeper() {
	log=$BATS_TEST_TMPDIR/keeper.$((keeper_count = ${keeper_count:-0} + 1)).log
	keeper_started=$(now_ms)
	spawn "$log" "$REUSEPORTCTL" keeper --log "$log"
	keeper=$spawned
}

has_all() {
	[ "$(grep -c "kept by process $keeper" "$log")" -ge $WIDTH ]
}

# How long the last keeper took from its start, in ms, by its log.
took() {
	local stamp
	stamp=$(grep "kept by process $keeper" "$log" | tail -n 1 | cut -c1-23)
	echo $(($(date -d "$stamp" +%s%3N) - keeper_started))
}

all_in_sync() {
	local port
	for ((port = 8080; port < 8080 + WIDTH; port++)); do
		in_sync $port "$(proto_of $port)" || return
	done
}

@test "keeper killed: at random moments, with twenty groups under load" {
	local many round ms worst=0 tcp_load comes=()
	skip_if_sanitized "a load"
	rounds many 200 20
	start_groups
	start_load --to 127.0.0.1:8080 --rate 500
	tcp_load=$load_pid tcp_out=$load_out
	start_load --to 127.0.0.1:8090 --proto udp --rate 500
	for ((round = 0; round < many; round++)); do
		start_keeper
		[ $((round % 2)) -eq 0 ] || change_one
		wait_until 20 has_all
		ms=$(took)
		[ $ms -le $worst ] || worst=$ms
		change_one
		pause 0.0$((RANDOM % 100))
		stop "$keeper" KILL
		[ $((round % 3)) -ne 0 ] || change_one
	done
	start_keeper
	wait_until 20 has_all
	wait_until 20 all_in_sync
	echo "# all $WIDTH were kept again within $worst ms, at worst of $many" >&3
	stop_load
	no_failed_request
	load_pid=$tcp_load load_out=$tcp_out
	stop_load
	no_failed_request
	stop "$keeper"
}
