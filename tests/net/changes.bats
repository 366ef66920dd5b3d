#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Policies and weights are changed while traffic flows: nothing fails, nothing is
# lost, nothing is forgotten, and each packet goes by the old rules or by the new.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/churn.bash

setup() {
	begin_test
	rounds changes 500 100 60
	rounds seconds 10 2
}

teardown() {
	end_test
}

# Both protocols at once, each with five workers, the last without weight.
begin_both() {
	for proto in tcp udp; do
		here $proto
		begin 5
		weight slot:4 0
		places[$proto]=$(places)
	done
}

# What no change may touch.
places() {
	status 8080 "$proto" '.workers[] | "\(.slot) \(.cookie) \(.pid) \(.state)"'
}

start_loads() {
	for proto in tcp udp; do
		start_load --proto $proto --to 127.0.0.1:8080 --rate 300
		load_pids[$proto]=$load_pid load_outs[$proto]=$load_out
	done
}

stop_loads() {
	for proto in tcp udp; do
		load_pid=${load_pids[$proto]} load_out=${load_outs[$proto]}
		stop_load
		load_results[$proto]=$load_result
	done
}

# Nothing failed, each request was one packet that was selected, and was counted
# for the worker that answered it; none for the one without weight.
exact() {
	for proto in tcp udp; do
		load_result=${load_results[$proto]}
		no_failed_request
		equal "$(places)" "${places[$proto]}" "slots, cookies, pids"
		balanced 8080 $proto
		equal "$(status 8080 $proto '.counters | "\(.packets) \(.selected) \(.fallback)"')" \
			"$(jq -r '"\(.sent) \(.sent) 0"' <<<"$load_result")" "packets, selected, fallback"
		diff <(jq -r '.workers | to_entries[] | "\(.key) \(.value)"' <<<"$load_result" | sort -n) \
			<(status 8080 $proto '.workers[] | select(.selected > 0)
				| "\(.cookie) \(.selected)"' | sort -n)
		equal "$(status 8080 $proto '.workers[] | select(.slot == 4) | .selected')" 0 \
			"requests to weight 0"
	done
}

# start_changes ARGS...: see tests/helpers/changes.c
start_changes() {
	changes_out=$BATS_TEST_TMPDIR/changes
	"$LIBRARY_HELPERS/changes" --port 8080 --netns "$NS" "$@" >"$changes_out" \
		2>"$BATS_TEST_TMPDIR/changes.log" 3>&- &
	changes_pid=$!
	record "$changes_pid"
}

end_changes() {
	wait "$changes_pid" || fail "changes: $(tail -n 1 "$BATS_TEST_TMPDIR/changes.log")"
	echo "# $1: $(cat "$changes_out")" >&3
	jq -e ".changes >= $changes and .failed == 0" "$changes_out" >/dev/null
}

# choose_change PROTO: the arguments of a change by the real command, at random, to
# the array change.
choose_change() {
	if ((RANDOM % 2)); then
		change=(policy ${POLICIES[RANDOM % ${#POLICIES[@]}]})
	else
		change=(weight slot:$((RANDOM % 4)) $((1 + RANDOM % 9)))
	fi
	change+=(--port 8080 --proto "$1" --netns "$NS")
}

command_change() {
	local change
	choose_change "$1"
	"$REUSEPORTCTL" "${change[@]}" >/dev/null 3>&-
}

@test "changes: TCP and UDP at once, by the library and by the command" {
	local -A places load_pids load_outs load_results
	local plans protos=(tcp udp) commands=0
	begin_both
	plans=$(status 8080 udp .rules.plans)
	start_loads
	start_changes --slots 4 --count "$changes" --seconds "$seconds"
	while ! gone "$changes_pid"; do
		command_change "${protos[commands % 2]}"
		commands=$((commands + 1))
	done
	end_changes "TCP and UDP"
	echo "# and $commands changes by the command" >&3
	# On a slow machine a command takes a second.
	[ "$commands" -ge 2 ]
	stop_loads
	exact
	# A change to what there is already is none.
	[ "$(status 8080 udp .rules.plans)" -ge $((plans + changes / 2)) ]
}

@test "changes: without a keeper" {
	local -A places load_pids load_outs load_results
	begin_both
	# It keeps both.
	kill_keeper 8080 tcp
	rounds changes 60 12 8
	start_loads
	start_changes --slots 4 --count "$changes"
	end_changes "without a keeper"
	stop_loads
	exact
}

@test "changes: several processes at once" {
	local -A places load_pids load_outs load_results
	local i pids=()
	begin_both
	rounds changes 20 6 3
	start_loads
	for i in 1 2 3; do
		start_changes --slots 4 --count "$changes" --seed "$i"
		pids+=("$changes_pid")
	done
	for changes_pid in "${pids[@]}"; do
		wait "$changes_pid" || fail "changes: $(tail -n 1 "$BATS_TEST_TMPDIR/changes.log")"
	done
	stop_loads
	exact
}

# ---------------------------------------------------------- joins and leaves

# Until a process is gone, workers join and leave, from two to eight beside the
# one that stays. Sets leaves.
churn_until_gone() {
	local joins=0
	leaves=0
	while ! gone "$1"; do
		if ((${#live[@]} <= 2 || (${#live[@]} < 8 && RANDOM % 2))); then
			churn_join
			joins=$((joins + 1))
		else
			churn_leave term
			leaves=$((leaves + 1))
		fi
		pause "${2:-0}"
	done
	echo "# $joins joins, $leaves leaves" >&3
}

@test "changes: TCP, while workers join and leave" {
	here tcp
	begin 1
	begin_churn tcp
	churn_join && churn_join && churn_join && churn_join
	start_load --to 127.0.0.1:8080 --rate 300
	start_changes --proto tcp --slots 6 --count "$changes"
	churn_until_gone "$changes_pid" 0.02
	end_changes "joins and leaves"
	stop_load
	only_races_failed "$leaves"
	wait_until 3 in_sync 8080 tcp
	no_slot_twice 8080 tcp
	balanced 8080 tcp
}

storm() {
	local seconds
	rounds seconds 3 1
	here tcp
	begin 1 --policy $*
	begin_churn tcp
	churn_join && churn_join && churn_join && churn_join
	start_load --to 127.0.0.1:8080 --rate 500 --seconds "$seconds"
	churn_until_gone "$load_pid"
	stop_load
	only_races_failed "$leaves"
	wait_until 3 in_sync 8080 tcp
	no_slot_twice 8080 tcp
	balanced 8080 tcp
	# Who is there now has its part of the table.
	wait_until 3 all_have_entries
}

all_have_entries() {
	[ "$(table | cut -d' ' -f1)" = "$(status 8080 tcp '.workers[].slot' | sort -n)" ]
}

@test "storm: joins and leaves under consistent, TCP" {
	storm consistent
}

@test "storm: joins and leaves under weighted, TCP" {
	storm weighted
}

# ----------------------------------------------------------- a change that dies

# A command that is killed at some time within its run, at every step of it.
killed_change() {
	local change most=16 for
	[ -z "${RP_SANITIZED:-}" ] || most=200
	printf -v for "0.%03d" $((RANDOM % most))
	choose_change "$1"
	"$REUSEPORTCTL" "${change[@]}" >/dev/null 3>&- &
	record $!
	pause "$for"
	kill -KILL $! 2>/dev/null || true
	wait $! || killed=$((killed + 1))
}

@test "changes: the command is killed in the middle, the group works and the next change too" {
	local -A places load_pids load_outs load_results
	local i n killed=0
	rounds n 40 10
	begin_both
	start_loads
	for ((i = 0; i < n; i++)); do
		killed_change tcp
		killed_change udp
		if ((i % 10 == 9)); then
			command_change tcp
			command_change udp
		fi
	done
	echo "# $killed of $((2 * n)) were killed before they ended" >&3
	stop_loads
	exact
	for proto in tcp udp; do
		# Whatever a weight was set to before it was killed, this counts.
		here $proto
		weight slot:0 1
		weight slot:1 3
		weight slot:2 0
		weight slot:3 0
		use round-robin
		equal "$(table | xargs)" "0 1 1 3"
		equal "$(status 8080 $proto '[.workers[].weight] | join(" ")')" "1 3 0 0 0"
		equal "$(status 8080 $proto .policy)" round-robin
	done
}
