#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Detach leaves nothing, whatever state it finds; and the check for that, which
# runs after every test, sees what is there.
load ../lib.bash

setup() {
	begin_test
	start_workers 3 --port 8080
	start_workers 2 --port 8080 --proto udp
}

teardown() {
	end_test
}

# Ids of an attachment's pinned maps.
map_ids() {
	local pin name
	pin=$(status 8080 tcp .pin)
	for name in sockets workers counters totals attachment; do
		bpftool -j map show pinned "$pin/$name" | jq .id
	done
}

no_map() {
	! bpftool -j map show id "$1" >/dev/null 2>&1
}

program_is_gone() {
	! bpftool -j prog show id "$1" >/dev/null 2>&1
}

@test "leaks: the check sees pins, programs and keepers" {
	attach --port 8080
	[ -n "$(pins_of "$NS_INODE")" ]
	equal "$(tools_of "$NS")" "$(keeper_pid 8080 tcp)" "keepers found"
	equal "$(programs_of "$NS" "$NS_INODE" | grep -c 'steer_hash$')" 1 "steering programs found"
	programs_of "$NS" "$NS_INODE" | grep -q 'watch_'

	# Keeper and pins gone by force, the program is still in the group.
	local pin
	pin=$(status 8080 tcp .pin)
	kill_keeper 8080 tcp
	no_tools_of "$NS"
	rm -r "$pin"
	equal "$(pins_of "$NS_INODE")" ""
	equal "$(programs_of "$NS" "$NS_INODE" | grep -c 'steer_hash$')" 1 "steering programs found"
}

@test "leaks: detach leaves no pin, map, program or process" {
	local maps map program
	attach --port 8080
	attach --port 8080 --proto udp
	maps=$(map_ids)
	program=$(status 8080 tcp .program.id)
	equal "$(wc -w <<<"$maps")" 5 "maps"
	ctl detach --port 8080
	ctl detach --port 8080 --proto udp

	equal "$(pins_of "$NS_INODE")" ""
	no_tools_of "$NS"
	for map in $maps; do
		wait_until 5 no_map "$map"
	done
	wait_until 5 program_is_gone "$program"
	wait_until 5 no_programs_of "$NS" "$NS_INODE"
	# And the kernel picks again, all workers.
	equal "$(client --to 127.0.0.1:8080 --count 200 | cut -d' ' -f2 | sort -nu)" \
		"$(truth_tcp 8080)"
}

@test "leaks: after a keeper's death, events and programs of its own are gone" {
	attach --port 8080
	kill_keeper 8080 tcp
	programs_of "$NS" "$NS_INODE"
	wait_until 5 no_watch
}

no_watch() {
	! programs_of "$NS" "$NS_INODE" | grep -q watch_
}

@test "leaks: attached and detached twenty times" {
	local i
	for i in {1..20}; do
		ctl attach --port 8080
		ctl detach --port 8080
	done
	equal "$(pins_of "$NS_INODE")" ""
	no_tools_of "$NS"
	wait_until 5 no_programs_of "$NS" "$NS_INODE"
}

@test "leaks: all workers left before the detach" {
	attach --port 8080
	local maps map
	maps=$(map_ids)
	end_processes
	ctl detach --port 8080
	for map in $maps; do
		wait_until 5 no_map "$map"
	done
	wait_until 5 no_programs_of "$NS" "$NS_INODE"
}
