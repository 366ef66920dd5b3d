#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Sticky UDP flows, with real packets: a flow stays with its worker whatever
# changes, until that worker dies or is released; then it is like a new one.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/flows.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides; the commands are in cli and rollout.bats"
}

teardown() {
	end_test
}

# One CPU of those that the test may use: round-robin takes turns by CPU.
one_cpu() {
	taskset -cp $$ | sed 's/.*: //; s/[-,].*//'
}

ask_on_one() {
	local n=$1
	shift
	in_ns taskset -c "$(one_cpu)" "$HELPERS/client" --proto udp --to "$to" --count "$n" "$@"
}

# The flows of each worker by its status are those that it answered.
flows_are_counted() {
	diff <(answers_by_worker <<<"$1") \
		<(status 8080 udp '.workers[] | select(.flows > 0) | "\(.cookie) \(.flows)"' | sort -n)
}

# ------------------------------------------------------------- through changes

@test "sticky: 1,000 flows stay through a join, a drain, weights and policies" {
	local drained n
	here_udp
	begin 4 --sticky --policy consistent
	n=$(packets_of 1000)
	start_flows --flows "$n" --rate $((5000 / RP_THIN))
	disturb
	stop_flows
	show_moves "sticky flows"
	nothing_lost
	none_moved
	all_steered
	drained=$(in_phase release .flows_moved)
	[ "$drained" -gt 0 ]
	# Each went to another worker once, when its own was released.
	flows_are ".moved == $drained"
	equal "$(sticky '"\(.entered) \(.occupied) \(.evicted) \(.moved)"')" \
		"$n $n 0 $drained" "entered, occupied, evicted, moved"
	equal "$(status 8080 udp '[.workers[].flows] | add')" "$n" "flows of all workers"
	# The joiner got flows that were released, but none before.
	equal "$(in_phase join ".workers[\"${worker_ids[4]}\"] // 0")" 0 "old flows to the joiner"
	equal "$(in_phase drain ".workers[\"${worker_ids[4]}\"] // 0")" 0 "old flows to the joiner"
	[ "$(in_phase release ".workers[\"${worker_ids[4]}\"] // 0")" -gt 0 ]
	# A drained worker kept its own.
	[ "$(in_phase drain ".workers[\"${worker_ids[1]}\"]")" -gt 0 ]
}

# For the eye: what the same does to the kernel's own pick.
@test "sticky: what moves without steering" {
	local i
	[ "${RP_SOAK:-}" ] || skip "make soak shows it"
	here_udp
	start_workers 4 --port 8080 --proto udp "${listen[@]}"
	start_flows --flows 1000 --rate 5000
	phase join
	start_worker --port 8080 --proto udp "${listen[@]}"
	worker_pids+=("$worker_pid") worker_ids+=("$worker_cookies")
	whole_round
	phase leave
	stop "${worker_pids[1]}"
	whole_round
	phase restart
	for i in 0 2 3 4; do
		start_worker --port 8080 --proto udp "${listen[@]}"
		stop "${worker_pids[i]}"
	done
	whole_round
	stop_flows
	show_moves "without steering"
}

@test "sticky: the same over IPv6" {
	here_udp v6
	begin 4 --sticky --policy random
	start_flows --flows 500 --rate 2000
	disturb
	stop_flows
	nothing_lost
	none_moved
	all_steered
}

@test "sticky: an attachment without it moves flows at a join" {
	here_udp
	begin 4 --policy round-robin
	diff <(ask 200) <(ask 200) >/dev/null && fail "round-robin does not move flows"
	equal "$(sticky .)" null
}

# ------------------------------------------------------------- who has a flow

# CPUs that meet at a flow's first datagrams agree on its worker, but where one is taken
# away (by a hypervisor) while it enters the flow. Without a lock 200 and more are split.
@test "sticky: two CPUs at the same time enter the same flow" {
	local result
	[ "$(nproc)" -ge 2 ] || skip "one CPU"
	here_udp
	begin 4 --sticky --policy random
	result=$(in_ns "$HELPERS/twins" --to "$to" --count 2000)
	echo "$result"
	jq -e '.flows == 2000 and .split <= 2 and .strayed == 0 and .lost == 0' <<<"$result"
	balanced 8080 udp
	equal "$(status 8080 udp '.counters | "\(.packets) \(.selected)"')" "6000 6000"
	equal "$(status 8080 udp '[.workers[].selected] | add')" 6000 "selected, by worker"
	equal "$(sticky '"\(.entered) \(.occupied) \(.moved)"')" "2000 2000 0"
}

# The flows of a worker that died go to the policy's choice and stay there; who takes
# its slot inherits none.
@test "sticky: a worker dies, another one takes its slot" {
	local before after dead slot heirs
	here_udp
	begin 4 --sticky --policy round-robin
	before=$(ask_on_one 400)
	diff <(echo "$before") <(ask 400)
	flows_are_counted "$before"

	dead=${worker_ids[1]}
	slot=$(worker "$dead" .slot)
	stop "${worker_pids[1]}" KILL
	joined
	join
	equal "$(worker "$worker_cookies" '"\(.slot) \(.flows)"')" "$slot 0" "slot and flows of the newcomer"
	after=$(ask_on_one 400)
	# Nobody else's moved.
	diff <(grep -v " $dead\$" <<<"$before") \
		<(grep -xF -f <(grep -v " $dead\$" <<<"$before") <<<"$after")
	# Round-robin gave each of the four, on one CPU, a quarter of them.
	heirs=$(moved "$before" "$after" | answers_by_worker)
	equal "$(cut -d' ' -f2 <<<"$heirs" | xargs)" "25 25 25 25" "flows of the dead, by heir"
	equal "$(sticky '"\(.entered) \(.moved)"')" "400 100" "entered, moved"
	diff <(echo "$after") <(ask 400)
	flows_are_counted "$after"
	balanced 8080 udp
}

# Nobody tells the program: it finds the slot empty.
@test "sticky: a worker dies without a keeper, under every policy" {
	local policy before after died=0
	here_udp
	begin 14 --sticky
	kill_keeper 8080 udp
	for policy in "${POLICIES[@]}"; do
		use $policy
		before=$(ask 300 --seed "$died")
		diff <(echo "$before") <(ask 300 --seed "$died")
		stop "${worker_pids[died]}" KILL
		after=$(ask 300 --seed "$died") || fail "not all answered under $policy"
		equal "$(grep -c " ${worker_ids[died]}\$" <<<"$after")" 0
		diff <(grep -v " ${worker_ids[died]}\$" <<<"$before") \
			<(grep -xF -f <(grep -v " ${worker_ids[died]}\$" <<<"$before") <<<"$after")
		# What the kernel had to pick for is not remembered.
		[ "$(lines "$(moved "$after" "$(ask 300 --seed "$died")")")" -le 3 ]
		died=$((died + 1))
	done
	balanced 8080 udp
}

@test "sticky: a drained worker keeps its flows and gets no new one; released, it loses them" {
	local before after cookie
	here_udp
	begin 4 --sticky --policy round-robin
	before=$(ask 400)
	cookie=$(status 8080 udp '.workers[] | select(.slot == 2) | .cookie')
	ctl drain --port 8080 --proto udp slot:2
	equal "$(worker "$cookie" .state)" draining
	diff <(echo "$before") <(ask 400)
	equal "$(ask 200 --seed 7 | grep -c " $cookie\$")" 0 "new flows to the drained worker"
	ctl undrain --port 8080 --proto udp slot:2
	[ "$(ask 200 --seed 8 | grep -c " $cookie\$")" -gt 0 ]
	ctl drain --port 8080 --proto udp --release slot:2
	equal "$(worker "$cookie" '"\(.state) \(.flows)"')" "leaving 0"
	after=$(ask 400)
	equal "$(grep -c " $cookie\$" <<<"$after")" 0 "to the released worker"
	diff <(cut -d' ' -f1 <<<"$(moved "$before" "$after")") <(sed -n "s/ $cookie\$//p" <<<"$before")
	balanced 8080 udp
}

# --------------------------------------------------------------- the flow table

@test "sticky: ten times as many flows as there is room for" {
	local first left last cookie
	here_udp
	begin 4 --sticky --flows 1024 --policy round-robin
	first=$(ask 10240)
	equal "$(sticky '"\(.flows) \(.entered) \(.moved)"')" "1024 10240 0"
	left=$(sticky .occupied)
	[ "$left" -le 1024 ] && [ "$left" -ge 512 ]
	equal "$(sticky .evicted)" $((10240 - left)) "evicted"
	equal "$(bpftool -j map dump pinned "$(status 8080 udp .pin)/flows" |
		jq '[.[].formatted.value.flow[] | select(.tag != 0)] | length')" "$left"
	equal "$(status 8080 udp '[.workers[].flows] | add')" "$left" "flows of all workers"
	# What is new by now goes to slot 3 only.
	weight slot:0 0
	weight slot:1 0
	weight slot:2 0
	# The first ones have gone, and follow the policy.
	cookie=$(status 8080 udp '.workers[] | select(.slot == 3) | .cookie')
	equal "$(ask 200 | grep -vc " $cookie\$" || true)" 0 "old flows that were kept"
	# The latest are there still.
	last=$(ask 10240 --skip 10140)
	[ "$(lines "$(moved "$(tail -n 100 <<<"$first")" "$last")")" -le 10 ]
	balanced 8080 udp
	equal "$(status 8080 udp .counters.fallback)" 0
}

@test "sticky: after its idle time a flow is new again" {
	local first i
	here_udp
	begin 4 --sticky --idle 2 --policy round-robin
	# 101: each gets another turn than the time before.
	first=$(ask_on_one 101)
	# Longer than the idle time, but never idle.
	for i in {1..7}; do
		pause 0.4
		diff <(echo "$first") <(ask_on_one 101)
	done
	equal "$(sticky '"\(.entered) \(.moved) \(.idle)"')" "101 0 2"
	flows_are_counted "$first"
	pause 3.5
	equal "$(status 8080 udp '[.workers[].flows] | add')" 0 "flows that are not idle"
	equal "$(lines "$(moved "$first" "$(ask_on_one 101)")")" 101 "flows that were new again"
	equal "$(sticky '"\(.entered) \(.moved)"')" "101 101"
	equal "$(status 8080 udp '[.workers[].flows] | add')" 101
	balanced 8080 udp
}

@test "sticky: flows that are in use are counted at any moment, with an idle time" {
	local i
	here_udp
	begin 4 --sticky --idle 2
	start_flows --flows 1000 --rate 5000
	phase counted
	for i in {1..8}; do
		equal "$(status 8080 udp '[.workers[].flows] | add')" 1000 "flows of all workers"
	done
	stop_flows
	nothing_lost
	none_moved
}

# ------------------------------------------------------------------- the tuples

# explained ANSWERS: the tool finds each flow in the table, by the same key as the
# program, and says who has it; round-robin could say that of none.
explained() {
	local src cookie
	while read -r src cookie; do
		equal "$(ctl explain --proto udp --src "$src" --dst "$to" --json |
			jq -r 'select(.certain) | .workers[0].cookie')" "$cookie" "explain $src"
	done <<<"$1"
}

@test "sticky: explain finds each flow" {
	local answers
	here_udp
	begin 4 --sticky --policy round-robin
	answers=$(ask 30)
	explained "$(head -n 12 <<<"$answers")"
	# Of a new one it can say nothing.
	ctl explain --proto udp --src 127.9.9.9:999 --dst "$to" --json | jq -e '.certain | not'
}

@test "sticky: a dual-stack group, IPv4 and IPv6" {
	local v4 v6
	here_udp dual
	begin 4 --sticky --policy round-robin
	v4=$(ask 25)
	to='[::1]:8080'
	v6=$(ask 25)
	diff <(echo "$v6") <(ask 25)
	explained "$(head -n 6 <<<"$v6")"
	to=127.0.0.1:8080
	diff <(echo "$v4") <(ask 25)
	explained "$(head -n 6 <<<"$v4")"
	equal "$(sticky '"\(.entered) \(.occupied) \(.moved)"')" "50 50 0"
	balanced 8080 udp
}
