#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Generations of UDP workers, with real packets: each step of a rollout is atomic,
# nothing is lost, and sticky flows stay; with a keeper, without one, and while it
# dies. And workers that wait to be admitted.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/flows.bash

setup() {
	begin_test
	rounds flows 1000 1000 100
	rounds rate 5000 5000 1000
	rounds switches 64 12 6
}

teardown() {
	end_test
}

rolled() {
	status 8080 udp '.rollout | "\(.phase) \(.serving) \(.other)"'
}

# two_more: a process with two sockets; adds to worker_pids, sets newcomers.
two_more() {
	start_worker --port 8080 --proto udp --sockets 2 "${listen[@]}"
	worker_pids+=("$worker_pid")
	newcomers=$worker_cookies
}

# only_by NAME COOKIES...: nobody else answered anything of a phase.
only_by() {
	local name=$1
	shift
	jq -e --arg name "$name" --args '.phases[] | select(.name == $name)
		| .sent > 0 and .sent == .answered and (.workers | keys) - $ARGS.positional == []' \
		"$@" <<<"$flows_result" >/dev/null ||
		fail "$name: not only $*: $(in_phase "$name" tojson)"
}

# ------------------------------------------------------------------ with a keeper

@test "rollout: sticky flows, begin, switch, finish, and the old workers end" {
	local cookie
	here_udp
	begin 4 --sticky
	start_flows --flows "$flows" --rate "$rate"
	equal "$(rolled)" "none 0 0"
	replace_all
	stop_flows
	show_moves "rollout"
	nothing_lost
	none_moved
	all_steered
	equal "$(rolled)" "none 1 0"
	# All flows moved once, when their own worker was released or later to the next.
	equal "$(in_phase begin .moved)$(in_phase switch .moved)$(in_phase finish .moved)" 000
	for cookie in "${worker_ids[@]:4}"; do
		for name in begin switch finish; do
			equal "$(in_phase $name ".workers[\"$cookie\"] // 0")" 0 "flows of the old in $name"
		done
	done
	equal "$(in_phase release-all .flows_moved)" "$flows"
	# No flow went from one that was to be released to another such one.
	equal "$(in_phase release-all .moved)" "$flows" "moves"
	equal "$(status 8080 udp '[.workers[] | "\(.state) \(.generation)"] | unique | join(",")')" "active 1"
}

# Two workers a generation; each switch is finished or aborted in turn, and both ways
# new flows go where they should from the moment that the command has returned.
switch_often() {
	local i old newcomers newest old_pid
	local -A expected
	here_udp
	start_worker --port 8080 --proto udp --sockets 2 "${listen[@]}"
	worker_pids=("$worker_pid")
	old=$worker_cookies old_pid=$worker_pid
	attach --port 8080 --proto udp "$@"
	start_flows --fresh --rate 1500
	for ((i = 0; i < switches; i++)); do
		rollout begin
		two_more
		# It is refused until one of the two has joined.
		wait_until 15 rollout switch 2>/dev/null
		phase "switched-$i"
		expected[switched-$i]=$newcomers
		pause 0.02
		phase "between-$i"
		if ((i % 2)); then
			rollout abort
			phase "aborted-$i"
			expected[aborted-$i]=$old
			pause 0.02
			phase "after-$i"
			newest=$worker_pid
		else
			rollout finish
			newest=$old_pid
			old=$newcomers old_pid=$worker_pid
		fi
		ctl drain --port 8080 --proto udp --wait --timeout 20 "pid:$newest" >/dev/null
		stop "$newest"
	done
	stop_flows
	nothing_lost
	all_steered
	for i in "${!expected[@]}"; do
		only_by "$i" ${expected[$i]}
	done
	equal "$(rolled)" "none $(((switches - 1) / 2 * 2 + 1)) 0"
	echo "# $switches switches, $(jq .sent <<<"$flows_result") new flows," \
		"$(jq '[.phases[] | select(.name | test("^(switched|aborted)-")) | .sent] | add' \
			<<<"$flows_result") of them just after a step" >&3
}

@test "rollout: many switches, new flows all the time" {
	switch_often
}

@test "rollout: switches of sticky flows under round-robin" {
	switches=$((switches / 8 + 1))
	switch_often --sticky --flows 1024 --policy round-robin
}

@test "rollout: aborted under load, before and after the switch" {
	local old
	here_udp
	begin 3
	old=("${worker_ids[@]}")
	start_flows --fresh --rate 1000

	rollout begin
	two_more
	joined
	phase begun
	sleep 0.2
	equal "$(status 8080 udp '[.workers[] | select(.generation == 1) | .state] | join(" ")')" \
		"joining joining"
	rollout abort
	phase aborted
	sleep 0.2
	equal "$(rolled)" "none 0 0"
	equal "$(status 8080 udp '[.workers[] | select(.generation == 1) | .state] | join(" ")')" \
		"draining draining"

	phase begun-again
	rollout begin
	equal "$(rolled)" "begun 0 2"
	two_more
	joined
	rollout switch
	phase switched
	sleep 0.2
	phase between
	rollout abort
	phase returned
	sleep 0.2
	stop_flows
	nothing_lost
	all_steered
	only_by begun "${old[@]}"
	only_by aborted "${old[@]}"
	[ "$(in_phase switched '.workers | length')" -eq 2 ]
	only_by switched $newcomers
	[ "$(in_phase returned '.workers | length')" -eq 3 ]
	only_by returned "${old[@]}"
	equal "$(status 8080 udp '[.workers[] | "\(.generation) \(.state)"] | unique | join(",")')" \
		"0 active,1 draining,2 draining"
}

# ------------------------------------------------------- the keeper that is killed

# While the rest goes on, the keeper is killed, and started again if it is said.
kill_keepers_until_gone() {
	local pid
	while ! gone "$1"; do
		sleep "0.$((RANDOM % 5))"
		pid=$(keeper_pid 8080 udp)
		[ -n "$pid" ] || continue
		kill -KILL "$pid"
		sleep "0.$((RANDOM % 4))"
		ctl attach --port 8080 --proto udp --log "$BATS_TEST_TMPDIR/keeper.log" >/dev/null
		killed=$((killed + 1))
	done
}

@test "rollout: the keeper is killed time and again" {
	local changes killed=0
	here_udp
	begin 3 --sticky --policy consistent
	start_flows --flows "$((flows / 2))" --rate $((rate / 2))
	{
		disturb
		replace_released
	} >"$BATS_TEST_TMPDIR/changes.log" 2>&1 3>&- &
	changes=$!
	record "$changes"
	kill_keepers_until_gone "$changes"
	wait "$changes" || fail "the changes failed: $(tail -n 3 "$BATS_TEST_TMPDIR/changes.log")"
	echo "# the keeper was killed $killed times" >&3
	[ "$killed" -gt 0 ]
	stop_flows
	nothing_lost
	none_moved
	all_steered
	equal "$(rolled)" "none 1 0"
	joined
	no_slot_twice 8080 udp
}

# After disturb, whose second worker has gone.
replace_released() {
	unset 'worker_pids[1]' 'worker_ids[1]'
	worker_pids=("${worker_pids[@]}") worker_ids=("${worker_ids[@]}")
	replace_all
}

@test "rollout: no keeper at all" {
	here_udp
	begin 3 --sticky --policy consistent
	start_flows --flows "$((flows / 2))" --rate $((rate / 2))
	kill_keeper 8080 udp
	# The commands look for workers themselves: nobody else does.
	joined() { pause 0.1; }
	disturb
	replace_released
	stop_flows
	nothing_lost
	none_moved
	balanced 8080 udp
	equal "$(rolled)" "none 1 0"
	equal "$(status 8080 udp '[.workers[] | "\(.state) \(.generation)"] | unique | join(",")')" "active 1"
	equal "$(status 8080 udp '.keeper.running')" false
}

# --------------------------------------------------------------------- admission

# The newcomer gets nothing: neither by its own word nor by the counters.
gets_nothing() {
	equal "$(grep -c " $newcomer\$" <<<"$1")" 0 "answers by the newcomer"
}

@test "admit: a newcomer gets nothing before it is admitted, under every policy" {
	local policy newcomer
	here_udp
	begin 2 --admit manual
	equal "$(status 8080 udp '[.workers[].state] | unique | join(" ")')" active
	join
	newcomer=$worker_cookies
	for policy in "${POLICIES[@]}"; do
		use $policy
		gets_nothing "$(ask 200)"
	done
	equal "$(worker "$newcomer" '"\(.state) \(.selected)"')" "joining 0"
	equal "$(status 8080 udp .admit)" manual
	equal "$(status 8080 udp .counters.fallback)" 0
	ctl admit --port 8080 --proto udp
	equal "$(worker "$newcomer" .state)" active
	[ "$(ask 200 | grep -c " $newcomer\$")" -gt 0 ]
	balanced 8080 udp
}

# Nobody tells the table that workers died: whoever else may get work does, however many
# entries are empty; not the one that waits, which the kernel would pick.
admit_and_deaths() {
	local newcomer i answers
	here_udp
	begin 4 --admit manual --policy random "$@"
	join
	newcomer=$worker_cookies
	"$how" "$(keeper_pid 8080 udp)"
	for i in 0 1 2; do
		stop "${worker_pids[i]}" KILL
	done
	answers=$(ask 600)
	gets_nothing "$answers"
	equal "$(answers_by_worker <<<"$answers")" "${worker_ids[3]} 600"
	equal "$(status 8080 udp .counters.fallback)" 0 "fallback"
	balanced 8080 udp
}

halt() {
	kill -STOP "$1"
}

kill_it() {
	kill -KILL "$1"
	wait_until 5 gone "$1"
}

@test "admit: all but one die before the keeper reacts" {
	how=halt admit_and_deaths
	kill -CONT "$(keeper_pid 8080 udp)"
}

@test "admit: all but one die without a keeper" {
	how=kill_it admit_and_deaths
}

@test "admit: all but one die without a keeper, sticky" {
	how=kill_it admit_and_deaths --sticky
}

# Who comes while nobody keeps has no slot until a command looks.
@test "admit: without a keeper, then admitted" {
	local newcomer
	here_udp
	begin 2 --admit manual --policy round-robin
	kill_keeper 8080 udp
	start_worker --port 8080 --proto udp "${listen[@]}"
	newcomer=$worker_cookies
	gets_nothing "$(ask 300)"
	equal "$(ctl admit --port 8080 --proto udp)" "admitted 1 worker"
	equal "$(worker "$newcomer" .state)" active
	equal "$(ask 300 | answers_by_worker | wc -l)" 3 "workers in use"
	balanced 8080 udp
}

@test "admit: the next keeper lets nobody in by itself" {
	local newcomer
	here_udp
	begin 2 --admit manual
	kill_keeper 8080 udp
	start_worker --port 8080 --proto udp "${listen[@]}"
	newcomer=$worker_cookies
	attach --port 8080 --proto udp
	joined
	gets_nothing "$(ask 300)"
	kill_keeper 8080 udp
	attach --port 8080 --proto udp
	equal "$(worker "$newcomer" '"\(.state) \(.selected)"')" "joining 0"
	gets_nothing "$(ask 300)"
}
