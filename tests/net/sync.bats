#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The array follows the workers: after each of many joins and leaves under load,
# what status shows is what ss shows.
load ../bash/lib.bash
load ../bash/churn.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# One jq for all looks: a start of jq takes longer than the rest of a look.
begin_judge() {
	mkfifo "$BATS_TEST_TMPDIR/case" "$BATS_TEST_TMPDIR/verdict"
	exec {judge_to}<>"$BATS_TEST_TMPDIR/case" {judge_from}<>"$BATS_TEST_TMPDIR/verdict"
	jq '.there as $there | .shown.groups[0]
		| .unregistered == 0 and .damaged == false and .keeper.running
		and ([.workers[].slot] | length == (unique | length))
		and ([.workers[].state] | all(. == "active"))
		and ([.workers[].cookie] | sort) == $there' \
		<"$BATS_TEST_TMPDIR/case" >"$BATS_TEST_TMPDIR/verdict" 3>&- &
	record $!
}

# What is shown is the truth, each worker once, in a slot of its own.
right() {
	local there json verdict
	there=$(truth 8080 "$proto" | paste -sd,)
	json=$(ctl status --port 8080 --proto "$proto" --json) || return 1
	echo "{\"there\":[$there],\"shown\":$json}" >&"$judge_to"
	read -r -t $((10 * RP_PATIENCE)) -u "$judge_from" verdict && [ "$verdict" = true ]
}

# joins_and_leaves N KILLS: N of each in random order, KILLS of the leaves by
# SIGKILL, from four workers on and never fewer than two.
joins_and_leaves() {
	local n=$1 seed=${SEED:-$RANDOM} kills=$2 joins=$1 leaves=$1 step start took worst=0 what
	echo "# $proto: $n joins, $n leaves, $kills of them killed, seed $seed" >&3
	RANDOM=$seed
	for ((step = 1; step <= 2 * n; step++)); do
		if ((leaves == 0 || joins > 0 && (${#live[@]} <= 2 || RANDOM % 2))); then
			what=join
			churn_join
			joins=$((joins - 1))
		elif ((RANDOM % leaves < kills)); then
			what=kill
			churn_leave kill
			kills=$((kills - 1)) leaves=$((leaves - 1))
		else
			what=leave
			churn_leave term
			leaves=$((leaves - 1))
		fi
		start=$(now_ms)
		if ! wait_until 1 right; then
			echo "step $step, after a $what, seed $seed: shown, truth:"
			ctl status --port 8080 --proto "$proto" --json
			truth 8080 "$proto"
			return 1
		fi
		took=$(($(now_ms) - start))
		((took <= worst)) || worst=$took
	done
	equal "$kills $joins $leaves" "0 0 0" "left to do"
	echo "# $proto: right after $worst ms at worst, two looks included" >&3
}

begin() {
	proto=$1
	begin_churn "$proto"
	begin_judge
	churn_join && churn_join && churn_join && churn_join
	attach --port 8080 --proto "$proto"
	right
	start_load --proto "$proto" --to 127.0.0.1:8080 --rate 200
}

end() {
	stop_load
	balanced 8080 "$proto"
	# Whoever is in the array is also picked.
	equal "$(client --proto "$proto" --to 127.0.0.1:8080 --count "$(packets_of 500)" | cut -d' ' -f2 | sort -nu)" \
		"$(shown 8080 "$proto")" "workers in use"
	balanced 8080 "$proto"
}

@test "sync: TCP, joins and leaves in random order, half of these killed, under load" {
	local n
	rounds n 200 14 8
	[ "$RP_THIN" -eq 1 ] || n=5
	begin tcp
	joins_and_leaves $n $((n / 2))
	end
	# A killed worker may take with it what it had accepted, and no more.
	load_is '.refused == 0 and .timeout == 0 and .other == 0'
	load_is ".reset <= $n / 2"
}

@test "sync: TCP, nothing fails while workers leave in order" {
	local n
	rounds n 40 8
	[ "$RP_THIN" -eq 1 ] || n=5
	begin tcp
	joins_and_leaves $n 0
	end
	only_races_failed "$n"
}

@test "sync: UDP, joins and leaves in random order, half of these killed, under load" {
	local n
	rounds n 200 14 8
	[ "$RP_THIN" -eq 1 ] || n=5
	begin udp
	joins_and_leaves $n $((n / 2))
	end
	# A datagram that waits in a closing socket is lost, with any policy.
	load_is ".refused == 0 and .other == 0 and .timeout <= $n"
}

@test "sync: TCP without events, by polling" {
	local n
	rounds n 20 4
	[ "$RP_THIN" -eq 1 ] || n=2
	export REUSEPORT_DISABLE=events
	begin tcp
	joins_and_leaves $n $((n / 2))
	end
	load_is '.refused == 0 and .timeout == 0 and .other == 0'
}

@test "sync: UDP without events, by polling" {
	local n
	rounds n 20 4
	[ "$RP_THIN" -eq 1 ] || n=2
	export REUSEPORT_DISABLE=events
	begin udp
	joins_and_leaves $n $((n / 2))
	end
	load_is '.refused == 0 and .other == 0 and .timeout <= 20'
}

@test "sync: 50 workers that join and 50 that leave at once" {
	begin_judge
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto
		attach --port 8080 --proto $proto
		start_worker --port 8080 --proto $proto --sockets 50
		wait_until 1 right
		equal "$(shown 8080 $proto | wc -l)" 51
		stop "$worker_pid" KILL
		wait_until 1 right
		equal "$(shown 8080 $proto | wc -l)" 1
		start_worker --port 8080 --proto $proto --sockets 50
		wait_until 1 right
	done
}

# Events are of a port: each keeper hears of all, and takes its own.
@test "sync: two groups on one port, a newcomer is of its own" {
	local i
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	start_worker --port 8080 --addr 127.0.0.2
	attach --port 8080
	for i in 1 2 3; do
		start_worker --port 8080
		start_worker --port 8080 --addr :: --v6only
		start_worker --port 8080 --addr 127.0.0.2
	done
	wait_until 5 in_sync 8080 tcp
	equal "$(ctl status --port 8080 --json | jq -c '[.groups[] | [(.workers | length), .unregistered]]')" \
		"[[4,0],[4,0],[4,0]]" "workers and members without a slot, by group"
}
