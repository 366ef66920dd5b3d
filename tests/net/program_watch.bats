#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The program of a steered group is taken off, or replaced, behind the keeper's back: it
# notices, puts its own back where none is, and leaves another's alone.
load ../bash/lib.bash
load ../cli/common.bash

setup_file() {
	build_foreign
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# log_has PATTERN COUNT: of the keeper's log.
log_has() {
	[ "$(grep -c "$1" "$BATS_TEST_TMPDIR/keeper.log")" -eq "$2" ]
}

ours_is_on() {
	[ "$(program_id_on 8080 "$1")" = "$2" ]
}

# put_back PROTO
put_back() {
	local id
	start_workers 3 --port 8080 --proto "$1"
	attach --port 8080 --proto "$1"
	id=$(program_id_on 8080 "$1")
	pause 1.5
	log_has "program" 0
	foreign "${worker_pids[1]}" none
	wait_until 4 ours_is_on "$1" "$id"
	wait_until 4 log_has "program was gone from the group" 1
	in_sync 8080 "$1"
	equal "$(status 8080 "$1" '[.workers[].state] | unique | join(" ")')" active
	ctl detach --port 8080 --proto "$1"
	untouched 8080 "$1"
}

@test "program watch: taken off, put back, TCP" {
	put_back tcp
}

@test "program watch: taken off, put back, UDP" {
	put_back udp
}

# Connections come after the listeners in the kernel's table, and the look ends there.
@test "program watch: put back under load, with connections there" {
	local id
	start_workers 3 --port 8080 --delay-ms 5
	attach --port 8080
	id=$(program_id_on 8080)
	start_load --to 127.0.0.1:8080 --rate 100
	pause 1
	equal "$(status 8080 tcp .program.attached)" true
	equal "$(ctl list --port 8080 --json | jq '.groups[0].sockets')" 3
	foreign "${worker_pids[1]}" none
	wait_until 6 ours_is_on tcp "$id"
	wait_until 4 log_has "program was gone from the group" 1
	stop_load
	no_failed_request
}

@test "program watch: another's is named once, and not fought" {
	local id other
	start_workers 3 --port 8080
	attach --port 8080
	id=$(program_id_on 8080)
	other=$(foreign "${worker_pids[0]}" pass)
	wait_until 4 log_has "another program picks (id $other, foreign_pass)" 1
	# A worker that joins changes nothing.
	start_worker --port 8080
	pause 2.5
	log_has "another program picks" 1
	equal "$(program_id_on 8080)" "$other"
	# Once it is gone, the way is free.
	foreign "${worker_pids[0]}" none
	wait_until 4 ours_is_on tcp "$id"
	wait_until 4 log_has "program was gone from the group" 1
	in_sync 8080 tcp
}

@test "program watch: classic BPF is named as such" {
	start_workers 2 --port 8080 --proto udp
	attach --port 8080 --proto udp
	foreign "${worker_pids[0]}" classic >/dev/null
	wait_until 4 log_has "another program picks (id 0, classic BPF)" 1
	run -0 ctl status --port 8080 --proto udp
	[[ $output == *"NOT STEERED"* ]]
	ctl attach --port 8080 --proto udp --force
	wait_until 4 log_has "program is there again" 1
}

keeps_running() {
	[ "$(status 8080 udp .keeper.running 2>/dev/null)" = true ]
}

@test "program watch: a keeper in the foreground does so for its group" {
	local id other
	start_workers 2 --port 8080 --proto udp
	spawn /dev/null "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --proto udp --foreground \
		--log "$BATS_TEST_TMPDIR/keeper.log"
	wait_until 5 keeps_running
	record_bpf
	id=$(program_id_on 8080 udp)
	foreign "${worker_pids[0]}" none
	wait_until 4 ours_is_on udp "$id"
	wait_until 4 log_has "program was gone from the group" 1
	other=$(foreign "${worker_pids[0]}" pass)
	wait_until 4 log_has "another program picks (id $other, foreign_pass)" 1
	equal "$(program_id_on 8080 udp)" "$other"
	[ "$(status 8080 udp .keeper.look_age)" != null ]
	ctl attach --port 8080 --proto udp --force
	wait_until 4 log_has "program is there again" 1
	stop "$spawned"
	ctl detach --port 8080 --proto udp
}

# What the look waits for a processor is not what it takes: its age stays low.
@test "program watch: several namespaces at once, on a busy machine" {
	local i burners=() pids=()
	for i in 0 1 2; do
		[ "$i" -eq 0 ] || new_netns
		NS=$new_ns
		for proto in tcp udp; do
			start_workers 2 --port 8080 --proto "$proto"
			pids+=("${worker_pids[-1]}")
		done
		ctl attach --port 8080 --proto any >/dev/null
	done
	for i in {1..8}; do
		spawn /dev/null sh -c 'while :; do :; done'
		burners+=("$spawned")
	done
	# Members are looked for at first, and that they have come.
	pause 1
	for i in {1..6}; do
		pause 0.5
		age=$("$REUSEPORTCTL" status --json 3>&- | jq '[.groups[].keeper.look_age] | max | floor')
		[ "$age" -lt 5 ] || fail "the look is $age s old"
	done
	for i in "${pids[@]}"; do
		foreign "$i" none
	done
	wait_until 8 all_are_on
	kill "${burners[@]}"
}

all_are_on() {
	[ "$("$REUSEPORTCTL" status --json 3>&- | jq -c '[.groups[].program.attached] | unique')" = "[true]" ]
}
