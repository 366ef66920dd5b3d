#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a worker has asked for holds for the next packet, although no keeper takes it: it gets
# nothing new under any policy, nothing is lost, and everything is counted.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/flows.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides"
}

teardown() {
	end_test
}

# ask_for SLOT WHAT: as the slot's worker would by a socket option.
ask_for() {
	"$HELPERS/ask" "$(status 8080 "$proto" .pin)" "$1" "$2"
}

# of SLOT COUNTER
of() {
	status 8080 "$proto" ".workers[$1].$2"
}

all_leave_one_alone() {
	local policy before n
	n=$(packets_of 100)
	begin 4
	for policy in "${POLICIES[@]}"; do
		use $policy
		before=$(of 1 selected)
		ask_for 1 1
		ask "$n" >/dev/null || fail "not all answered under $policy"
		equal "$(of 1 selected)" "$before" "packets to the one that has asked, under $policy"
		ask_for 1 0
		ask "$n" >/dev/null
		[ "$(of 1 selected)" -gt "$before" ] || fail "$policy leaves it alone for ever"
	done
	balanced 8080 "$proto"
}

@test "asked: nothing new under any policy, TCP" {
	here tcp
	all_leave_one_alone
}

@test "asked: nothing new under any policy, UDP" {
	here udp
	all_leave_one_alone
}

@test "asked: all of them have, so the kernel picks" {
	local slot n
	here tcp
	n=$(packets_of 100)
	begin 3
	for slot in 0 1 2; do ask_for "$slot" 1; done
	ask "$n" >/dev/null || fail "not all answered"
	# On a slow machine a SYN may come twice.
	[ "$(status 8080 tcp .counters.fallback)" -ge "$n" ]
	balanced 8080 tcp
}

@test "asked: sticky flows stay, or go to others" {
	local n
	here_udp
	n=$(packets_of 300)
	begin 4 --sticky
	start_flows --flows "$n" --rate $((3000 / RP_THIN))
	whole_round
	phase nothing_new
	ask_for 1 1
	whole_round
	phase nothing
	may_end "$(of 1 cookie)"
	ask_for 1 2
	whole_round
	phase after
	whole_round
	stop_flows
	nothing_lost
	all_steered
	[ "$(in_phase nothing_new ".workers[\"$(of 1 cookie)\"]")" -gt 0 ]
	[ "$(in_phase nothing .flows_moved)" -gt 0 ]
	equal "$(in_phase after ".workers[\"$(of 1 cookie)\"] // 0")" 0 "packets to the one that has asked"
}
