#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A group that has another tool's program: refused, unless --force; and when
# even that fails, it is as it was before.
load common.bash

setup_file() {
	build_foreign
}

setup() {
	begin_test
	FOREIGN_PIN=/sys/fs/bpf/rp-test-$$-$RANDOM
}

teardown() {
	rm -f "$FOREIGN_PIN-program" "$FOREIGN_PIN-array"
	end_test
}

# Still on the group, and still the same.
as_before() {
	equal "$(program_id_on 8080)" "$1" "program on the group"
	equal "$(pins_of "$NS_INODE")" "" pins
	equal "$(tools_of "$NS")" "" "processes of the tool"
	serves 8080
}

# The worker that a program with an array selects: that of slot 0.
selected_by_foreign() {
	client --to 127.0.0.1:8080 --count 40 | cut -d' ' -f2 | sort -u
}

@test "foreign: refused, and how to go on" {
	local id
	start_workers 3 --port 8080
	id=$(foreign "${worker_pids[0]}" pass)
	refused 1 ctl attach --port 8080
	says "another program" "id $id" foreign_pass "force the attach" "(--force)" detach
	as_before "$id"
}

@test "foreign: replaced with --force, then detached" {
	local id
	start_workers 3 --port 8080
	id=$(foreign "${worker_pids[0]}" pass)
	succeeds ctl attach --port 8080 --force
	in_sync 8080 tcp
	equal "$(program_on 8080)" reuseport_steer
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20
	# Nothing held it any longer.
	run ! bpftool prog show id "$id"
	succeeds ctl detach --port 8080
	untouched 8080
}

@test "foreign: UDP, the same" {
	local id
	start_workers 3 --port 8080 --proto udp
	id=$(foreign "${worker_pids[0]}" pass)
	refused 1 ctl attach --port 8080 --proto udp
	says "id $id" foreign_pass "force the attach" "(--force)"
	equal "$(program_id_on 8080 udp)" "$id"
	succeeds ctl attach --port 8080 --proto udp --force
	in_sync 8080 udp
	succeeds ctl detach --port 8080 --proto udp
	untouched 8080 udp
}

@test "foreign: a classic BPF program" {
	start_workers 3 --port 8080
	foreign "${worker_pids[0]}" classic
	refused 1 ctl attach --port 8080
	says "another program" classic "force the attach" "(--force)"
	equal "$(program_id_on 8080)" 0
	equal "$(pins_of "$NS_INODE")" "" pins
	serves 8080
	succeeds ctl attach --port 8080 --force
	in_sync 8080 tcp
	equal "$(program_on 8080)" reuseport_steer
	succeeds ctl detach --port 8080
	untouched 8080
}

@test "foreign: its array holds the sockets" {
	local id before
	start_worker --port 8080 --sockets 3
	id=$(foreign "$worker_pid" array)
	before=$(selected_by_foreign)
	refused 1 ctl attach --port 8080
	says "another program" "id $id" foreign_select "force the attach" "(--force)"
	as_before "$id"
	equal "$(selected_by_foreign)" "$before" "its selection"
}

@test "foreign: its array goes with it, so --force replaces it" {
	local id
	start_worker --port 8080 --sockets 3
	id=$(foreign "$worker_pid" array)
	succeeds ctl attach --port 8080 --force
	in_sync 8080 tcp
	equal "$(program_on 8080)" reuseport_steer
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20
	succeeds ctl detach --port 8080
	untouched 8080
}

@test "foreign: its array is pinned, and --force takes the sockets out of it" {
	start_worker --port 8080 --sockets 3
	foreign --pin-program "$FOREIGN_PIN-program" --pin-array "$FOREIGN_PIN-array" \
		"$worker_pid" array >/dev/null
	succeeds ctl attach --port 8080 --force
	in_sync 8080 tcp
	equal "$(program_on 8080)" reuseport_steer
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20
}

@test "foreign: only its array is pinned, and --force takes the sockets out of it" {
	start_worker --port 8080 --sockets 3
	foreign --pin-array "$FOREIGN_PIN-array" "$worker_pid" array >/dev/null
	succeeds ctl attach --port 8080 --force
	in_sync 8080 tcp
	equal "$(program_on 8080)" reuseport_steer
}

@test "foreign: --force that fails after it took the sockets puts them back" {
	local id before
	start_worker --port 8080 --sockets 3
	id=$(foreign "$worker_pid" array)
	before=$(selected_by_foreign)
	# In the way of a pin, which comes after the array is filled.
	mkdir -p "$PINS/tcp-0_0_0_0-8080-$NS_INODE/workers"
	refused 1 ctl attach --port 8080 --force
	says "cannot pin"
	as_before "$id"
	equal "$(selected_by_foreign)" "$before" "its selection"
}

@test "foreign: refused --force without the right to look programs up by id" {
	local id
	start_worker --port 8080 --sockets 3
	id=$(foreign --pin-program "$FOREIGN_PIN-program" --pin-array "$FOREIGN_PIN-array" \
		"$worker_pid" array)
	# bpf_prog_get_fd_by_id needs CAP_SYS_ADMIN.
	refused 1 in_ns setpriv --inh-caps -sys_admin --bounding-set -sys_admin \
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 --force
	as_before "$id"
}

@test "foreign: --force that fails for another reason leaves it" {
	local id
	start_worker --port 8080 --sockets 3
	id=$(foreign "$worker_pid" pass)
	refused 1 ctl attach --port 8080 --force --slots 2
	says "3 workers"
	as_before "$id"
}

@test "foreign: sockets in the array of a program that is not attached" {
	local id
	start_worker --port 8080 --sockets 3
	id=$(foreign --pin-array "$FOREIGN_PIN-array" "$worker_pid" array)
	# The other tool takes its program off and forgets the array.
	foreign "$worker_pid" pass >/dev/null
	id=$(program_id_on 8080)
	refused 1 ctl attach --port 8080 --force
	says sockarray "bpftool map"
	as_before "$id"
	rm "$FOREIGN_PIN-array"
	wait_until 2 ctl attach --port 8080 --force
	in_sync 8080 tcp
}

@test "foreign: set on a steered group, status tells, detach leaves it" {
	local id
	start_worker --port 8080 --sockets 3
	attach --port 8080
	id=$(foreign "$worker_pid" pass)
	equal "$(status 8080 tcp .program.attached)" false attached
	equal "$(program_id_on 8080)" "$id"
	succeeds ctl detach --port 8080
	as_before "$id"
}

@test "foreign: set on a steered group, the next attach asks for --force" {
	local id
	start_worker --port 8080 --sockets 3
	attach --port 8080
	kill_keeper 8080 tcp
	id=$(foreign "$worker_pid" pass)
	refused 1 ctl attach --port 8080
	says "another program" "id $id" "force the attach" "(--force)"
	equal "$(program_id_on 8080)" "$id"
	# The pins are as they were: adopted with --force, same slots.
	succeeds ctl attach --port 8080 --force
	equal "$(program_on 8080)" reuseport_steer
	in_sync 8080 tcp
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20
}

@test "foreign: one of ours whose pins were removed is one" {
	local id
	start_worker --port 8080 --sockets 3
	attach --port 8080
	kill_keeper 8080 tcp
	rm -r "$(pin_of 8080)"
	equal "$(program_on 8080)" reuseport_steer
	id=$(program_id_on 8080)
	refused 1 ctl attach --port 8080
	says reuseport_steer "id $id" "not pinned here" "force the attach" "(--force)"
	as_before "$id"
	succeeds ctl attach --port 8080 --force
	in_sync 8080 tcp
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20
}
