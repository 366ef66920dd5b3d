#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A group that comes to a steered port is not steered. The keeper's log and status name it, and
# what they say to do steers it.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# named: how often the log names another group.
named() {
	grep -c 'another group is on this port now' "$BATS_TEST_TMPDIR/keeper.log" || true
}

is_named() {
	[ "$(named)" -ge "$1" ]
}

# unsteered PROTO: the groups that status shows so, of every attachment on the port.
unsteered() {
	ctl status --port 8080 --proto "$1" --json |
		jq -c '[.groups[].unsteered[] | "\(.addr) \(.sockets)"] | unique'
}

# remedy: the command that status shows.
remedy() {
	ctl status | sed -n "s/.*to steer it too: 'reuseportctl \(.*\)'\$/\1/p"
}

@test "other group: comes to a steered port, is named once, and its remedy works" {
	local proto
	for proto in tcp udp; do
		: >"$BATS_TEST_TMPDIR/keeper.log"
		start_workers 2 --port 8080 --proto "$proto"
		attach --port 8080 --proto "$proto"
		equal "$(unsteered "$proto")" '[]'
		start_workers 3 --port 8080 --proto "$proto" --addr 127.0.0.2
		equal "$(unsteered "$proto")" '["127.0.0.2 3"]'
		wait_until 10 is_named 1
		grep -q "$proto 127.0.0.2:8080 with 3 sockets" "$BATS_TEST_TMPDIR/keeper.log"
		# shellcheck disable=SC2046 # words
		ctl $(remedy)
		equal "$(unsteered "$proto")" '[]'
		equal "$(status 8080 "$proto" .policy)" hash
		start_workers 2 --port 8080 --proto "$proto" --addr 127.0.0.2
		start_workers 2 --port 8080 --proto "$proto"
		sleep 2.5
		equal "$(named)" 1 "lines about it"
		ctl detach --port 8080 --proto "$proto"
	done
}

@test "other group: left out on purpose is shown, and one that has gone is not" {
	start_workers 2 --port 8080 --addr ::1
	start_workers 2 --port 8080
	attach --port 8080 --addr 0.0.0.0
	equal "$(unsteered tcp)" '["::1 2"]'
	start_worker --port 8080 --addr 127.0.0.9
	stop "$worker_pid"
	sleep 2.5
	equal "$(named)" 0 "lines"
}

@test "other group: on another port, or of the other protocol, it is none" {
	start_workers 2 --port 8080 --proto udp
	attach --port 8080 --proto udp
	start_worker --port 8080 --addr 127.0.0.2
	start_worker --port 8081 --proto udp
	sleep 2.5
	equal "$(named)" 0 "lines"
	equal "$(unsteered udp)" '[]'
}

@test "other group: of many, a few are named" {
	local i
	start_workers 2 --port 8080 --proto udp
	attach --port 8080 --proto udp
	for ((i = 1; i <= 20; i++)); do
		start_worker --port 8080 --proto udp --addr "127.0.1.$i"
	done
	wait_until 10 is_named 1
	sleep 2.5
	equal "$(named)" 1 "lines"
	equal "$(unsteered udp | jq length)" 16
	equal "$(remedy)" "attach --port 8080 --proto udp --netns $NS"
}
