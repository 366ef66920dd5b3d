#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Weights, with real packets: nothing for weight 0, exact shares where the table
# or the turn gives them, and the shares of chance elsewhere.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides; the commands are in cli/policy.bats"
}

teardown() {
	end_test
}

# One CPU of those that the test may use.
one_cpu() {
	taskset -cp $$ | sed 's/.*: //; s/[-,].*//'
}

# ask_on CPU N ARGS...: on loopback the packet is steered by the CPU that sends it.
ask_on() {
	local cpu=$1 n=$2
	shift 2
	in_ns taskset -c "$cpu" "$HELPERS/client" --proto "$proto" --to "$to" --count "$n" "$@"
}

# ------------------------------------------------------------------- nothing

nothing_for_zero() {
	local policy answers
	begin 4
	weight "pid:${worker_pids[1]}" 0
	weight "pid:${worker_pids[2]}" 7
	for policy in "${POLICIES[@]}"; do
		use $policy
		answers=$(ask 200) || fail "not all answered under $policy"
		equal "$(grep -c " ${worker_ids[1]}\$" <<<"$answers")" 0 "requests to weight 0, $policy"
		equal "$(answers_by_worker <<<"$answers" | wc -l)" 3 "workers in use, $policy"
	done
	equal "$(status 8080 "$proto" ".workers[] | select(.cookie == ${worker_ids[1]}) | .selected")" 0
	equal "$(status 8080 "$proto" .counters.fallback)" 0 "fallback"
	balanced 8080 "$proto"

	# It gets work again, of every policy, once it has a weight.
	weight "pid:${worker_pids[1]}" 1
	for policy in hash weighted least-queue; do
		use $policy
		equal "$(ask 200 | answers_by_worker | wc -l)" 4 "workers in use, $policy"
	done
}

@test "weights: 0 gets nothing under any policy, TCP" {
	here tcp
	nothing_for_zero
}

@test "weights: 0 gets nothing under any policy, UDP" {
	here udp
	nothing_for_zero
}

@test "weights: 0 is kept through the keeper's death and by the next one" {
	here tcp
	begin 3
	weight slot:1 0
	kill_keeper 8080 tcp
	equal "$(ask 300 | answers_by_worker | wc -l)" 2 "workers in use"
	use consistent
	equal "$(ask 300 | answers_by_worker | wc -l)" 2 "workers in use"
	attach --port 8080
	equal "$(ask 300 | answers_by_worker | wc -l)" 2 "workers in use"
	equal "$(status 8080 tcp '.workers[] | select(.slot == 1) | "\(.weight) \(.selected)"')" "0 0"
}

@test "weights: all 0, the kernel picks and it is counted" {
	local policy packets=0 worker
	for proto in tcp udp; do
		here $proto
		begin 4
		for worker in "${worker_pids[@]}"; do
			weight "pid:$worker" 0
		done
		packets=0
		for policy in "${POLICIES[@]}"; do
			use $policy
			ask 100 >/dev/null || fail "not all answered under $policy"
			packets=$((packets + 100))
		done
		equal "$(status 8080 $proto '.counters |
			"\(.packets) \(.selected) \(.fallback) \(.fallbacks.nobody)"')" \
			"$packets 0 $packets $packets" "packets, selected, fallbacks, nobody"
		balanced 8080 $proto
	done
}

# -------------------------------------------------------------------- shares

# set_weights W...: of the slots from 0 on.
set_weights() {
	local slot=0 one
	for one; do
		weight slot:$slot "$one"
		slot=$((slot + 1))
	done
}

# table_has ENTRIES...: of the slots from 0 on.
table_has() {
	local slot=0 one
	equal "$(table | xargs)" "$(for one; do
		[ "$one" -eq 0 ] || echo "$slot $one"
		slot=$((slot + 1))
	done | xargs)" "table"
}

@test "weighted: the table has the exact shares" {
	here tcp
	begin 4 --policy weighted --table 1024
	table_has 1 1 1 1
	set_weights 1 3 4 0
	table_has 1 3 4 0
	set_weights 10 20 30 40
	table_has 1 2 3 4
	# Over consistent all entries are used: the largest remainders are rounded up.
	use weighted --over consistent
	table_has 102 205 307 410
	set_weights 1 3 4 0
	table_has 128 384 512 0
	set_weights 0 0 1000 24
	table_has 0 0 1000 24
	use round-robin
	table_has 0 0 125 3
}

shares() {
	local policy answers slot weights=(1 3 0 4)
	begin 4
	learn_slots
	set_weights "${weights[@]}"
	for policy in weighted "weighted --key src" "weighted --over consistent" consistent random; do
		use $policy
		answers=$(ask 800 | by_slot | answers_by_worker)
		for slot in 0 1 3; do
			near "$(sed -n "s/^$slot //p" <<<"$answers")" 800 "${weights[slot]}/8" \
				"$policy, slot $slot"
		done
		equal "$(wc -l <<<"$answers")" 3 "workers in use, $policy"
	done
}

@test "weights: shares of 1 to 3 to 4, TCP" {
	here tcp
	shares
}

@test "weights: shares of 1 to 3 to 4, UDP" {
	here udp
	shares
}

@test "weighted over consistent: a change of weight moves no more than it must" {
	local first moves
	here udp
	begin 4 --policy weighted --over consistent
	learn_slots
	first=$(ask 1000)
	weight slot:2 2
	# From a quarter to two fifths.
	moves=$(moved "$first" "$(ask 1000)")
	# A few others may move, for the sake of exact shares.
	[ "$(by_slot <<<"$moves" | grep -cv ' 2$')" -le 30 ] || fail "keys moved between the others"
	near "$(lines "$moves")" 1000 0.15 "keys that moved"
	echo "# $(lines "$moves") of 1000 keys moved to weight 2 of 5" >&3
	weight slot:2 1
	# And all are back.
	diff <(echo "$first") <(ask 1000)
}

# --------------------------------------------------------------- turns, chance

# within_one COUNTS DUE: each count is due, but for one: a series may begin and end within a round.
within_one() {
	local due=($2) count i=0
	for count in $1; do
		((count >= due[i] - 1 && count <= due[i] + 1)) || fail "'$1' instead of '$2'"
		i=$((i + 1))
	done
	equal "$i" "${#due[@]}" "numbers in '$1'"
}

turns() {
	local cpu
	cpu=$(one_cpu)
	begin 4 --policy round-robin
	learn_slots
	within_one "$(ask_on "$cpu" 400 | answers_by_worker | cut -d' ' -f2 | xargs)" "100 100 100 100"
	# Not in long runs: seven requests have a whole round in them, which reaches all four.
	equal "$(ask_on "$cpu" 7 | answers_by_worker | wc -l)" 4
	set_weights 1 3 0 4
	within_one "$(ask_on "$cpu" 400 --src 127.9.0.1 --hosts 1 | by_slot | answers_by_worker |
		xargs)" "0 50 1 150 3 200"
}

@test "round-robin: the same number for each, by weight, TCP" {
	here tcp
	turns
}

@test "round-robin: the same number for each, by weight, UDP" {
	here udp
	turns
}

@test "random: one client reaches every worker" {
	local count
	for proto in tcp udp; do
		here $proto
		begin 4 --policy random
		# Without a port of its own for each, the tuple is the same each time.
		for count in $(ask 800 --src 127.9.0.1 --hosts 1 | answers_by_worker | cut -d' ' -f2); do
			near "$count" 800 0.25
		done
		diff <(ask 100) <(ask 100) >/dev/null && fail "random is the same twice"
		balanced 8080 $proto
	done
}
