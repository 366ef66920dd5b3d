#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# list: what becomes of the packets of a group, in a word; each made for real.
load common.bash

setup_file() {
	build_foreign
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# state_on PORT [PROTO]: the state and the program's name of each row there.
state_on() {
	ctl list --port "$1" --proto "${2:-tcp}" --json |
		jq -r '.groups[] | "\(.state) \(.program.name // "-")"'
}

@test "list: steered, unserved, lost, foreign" {
	local id
	start_workers 2 --port 8080
	equal "$(state_on 8080)" "plain -"
	attach --port 8080
	equal "$(state_on 8080)" "steered reuseport_steer"
	ctl drain --port 8080 slot:0
	equal "$(state_on 8080)" "steered reuseport_steer" "one worker is left"
	ctl weight --port 8080 slot:1 0
	equal "$(state_on 8080)" "unserved reuseport_steer" "one is drained, one has no weight"
	ctl undrain --port 8080
	equal "$(state_on 8080)" "steered reuseport_steer"
	kill_keeper 8080 tcp
	equal "$(state_on 8080)" "steered reuseport_steer" "without a keeper"
	# A group that is born anew has no program, and nobody is there to put it back.
	stop "${worker_pids[0]}"
	stop "${worker_pids[1]}"
	equal "$(state_on 8080)" "unserved -" "no socket is left"
	equal "$(ctl list --port 8080 --json | jq -c '.groups[] | [.sockets, .is_group, .queue_limit]')" \
		"[0,false,0]"
	start_workers 2 --port 8080
	equal "$(state_on 8080)" "lost -"
	id=$(foreign "$worker_pid" pass)
	equal "$(state_on 8080)" "foreign foreign_pass"
	foreign "$worker_pid" classic
	equal "$(state_on 8080)" "foreign cbpf"
	foreign "$worker_pid" none
	equal "$(state_on 8080)" "lost -"
	succeeds ctl list
	grep -Eq "^tcp +0.0.0.0:8080 +$NS +0 +2 +0 +8192 +lost +-\$" <<<"$output" || fail "$output"
	attach --port 8080
	equal "$(state_on 8080)" "steered reuseport_steer"
}

# Where the pins are in a bpffs that is not visible, or were removed.
@test "list: foreign: a program of this toolkit that is not pinned here" {
	start_workers 2 --port 8080
	unshare -m sh -c 'mount -t bpf bpf /sys/fs/bpf && exec "$@"' sh "$REUSEPORTCTL" attach \
		--netns "$NS" --port 8080 --foreground >"$BATS_TEST_TMPDIR/keeper" 2>&1 3>&- &
	record $!
	wait_until 10 grep -q steering "$BATS_TEST_TMPDIR/keeper" || fail "$(cat "$BATS_TEST_TMPDIR/keeper")"
	equal "$(state_on 8080)" "foreign reuseport_steer"
	succeeds ctl list
	grep -Eq ' foreign +[0-9]+ reuseport_steer \(not pinned here\)$' <<<"$output" || fail "$output"
}

@test "list: reuseaddr: UDP sockets that share a port with SO_REUSEADDR alone" {
	start_workers 3 --port 5300 --proto udp --reuseaddr
	start_worker --port 5301 --proto udp --reuseaddr
	# Of multicast each gets a copy.
	start_workers 2 --port 5302 --proto udp --reuseaddr --addr 239.1.2.3
	equal "$(ctl list --json | jq -c '[.groups[] | [.port, .sockets, .state, .is_group, .program]]')" \
		'[[5300,3,"reuseaddr",false,null]]'
	# One of them gets all.
	client --to 127.0.0.1:5300 --proto udp --count 20 >"$BATS_TEST_TMPDIR/answers"
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 1 "sockets that get packets"
	succeeds ctl list
	grep -Eq "^udp +0.0.0.0:5300 +$NS +0 +3 .* reuseaddr +-\$" <<<"$output" || fail "$output"
}

# Each packet of two groups that are both steered is steered.
@test "list: a steered group is shadowed by one that is not" {
	start_workers 2 --port 8080
	attach --port 8080
	start_workers 2 --port 8080 --addr 127.0.0.1
	equal "$(state_on 8080)" "shadowed reuseport_steer"$'\n'"plain -"
	attach --port 8080 --addr 127.0.0.1
	equal "$(state_on 8080)" "steered reuseport_steer"$'\n'"steered reuseport_steer"
}
