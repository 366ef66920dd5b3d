#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Restarts of TCP servers without loss: drained workers and those that wait get
# nothing new, what is queued or half open is served, and a rollout moves all new
# connections in one step.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides; the commands are in cli/drain.bats"
	here tcp
}

teardown() {
	end_test
}

selected() {
	status 8080 tcp ".workers[] | select(.cookie == $1) | .selected"
}

state() {
	status 8080 tcp ".workers[] | select(.cookie == $1) | .state"
}

# Given to any of these workers, by cookie.
selected_by() {
	local cookies=$*
	status 8080 tcp "[.workers[] | select(.cookie | IN(${cookies// /,})) | .selected] | add"
}

more_selected() {
	[ "$(selected "$1")" -ge "$2" ]
}

fallback_nobody() {
	status 8080 tcp .counters.fallbacks.nobody
}

drain() {
	ctl drain --port 8080 "$@"
}

rollout() {
	ctl rollout --port 8080 "$@"
}

# ------------------------------------------------------------------- nothing new

# Under load: nothing from the moment the command returned, and then a share again.
drains_under_load() {
	local one before
	begin 3 --policy "$1"
	one=${worker_ids[1]}
	start_load --to 127.0.0.1:8080 --rate 1000
	drain "cookie:$one"
	before=$(selected "$one")
	sleep 0.3
	equal "$(selected "$one")" "$before" "new connections to a drained worker"
	equal "$(state "$one")" draining
	ctl undrain --port 8080 "cookie:$one"
	wait_until 5 more_selected "$one" $((before + 20))
	stop_load
	no_failed_request
	equal "$(status 8080 tcp .counters.fallback)" 0 "fallback"
	balanced 8080 tcp
}

@test "drain: nothing new under load, and undrain: hash" {
	drains_under_load hash
}

@test "drain: nothing new under load, and undrain: consistent" {
	drains_under_load consistent
}

@test "drain: nothing new under load, and undrain: least-queue" {
	drains_under_load least-queue
}

@test "drain: nothing new under load, and undrain: cpu" {
	drains_under_load cpu
}

@test "drain: by every policy, and the policy changes meanwhile" {
	local policy answers
	begin 3
	drain slot:1
	for policy in "${POLICIES[@]}"; do
		use $policy
		answers=$(ask 200) || fail "not all answered under $policy"
		equal "$(answers_by_worker <<<"$answers" | wc -l)" 2 "workers in use, $policy"
	done
	equal "$(selected "$(status 8080 tcp '.workers[1].cookie')")" 0 "to the drained one"
	equal "$(status 8080 tcp .counters.fallback)" 0 "fallback"
	balanced 8080 tcp
}

# Not the kernel's pick, which would not spare it, but whoever may get work.
@test "drain: nothing new while all others but one die, without a keeper" {
	local policy i
	for policy in hash consistent cpu least-queue; do
		begin 8 --policy "$policy"
		drain "cookie:${worker_ids[0]}"
		kill_keeper 8080 tcp
		for i in 1 2 3 4 5 6; do
			stop "${worker_pids[i]}" KILL
		done
		ask 200 >"$BATS_TEST_TMPDIR/answers" || fail "not all answered under $policy"
		equal "$(answers_by_worker <"$BATS_TEST_TMPDIR/answers")" "${worker_ids[7]} 200" "$policy"
		equal "$(selected "${worker_ids[0]}")" 0 "to the drained one, $policy"
		balanced 8080 tcp
		stop "${worker_pids[0]}"
		stop "${worker_pids[7]}"
		ctl detach --port 8080
	done
}

@test "drain: of all, the kernel picks and it is counted" {
	local policy packets=0 i
	begin 3
	for i in 0 1 2; do
		drain "cookie:${worker_ids[i]}" 2>/dev/null
	done
	for policy in hash consistent weighted cpu least-queue; do
		use $policy
		ask 100 >/dev/null || fail "not all answered under $policy"
		packets=$((packets + 100))
		equal "$(fallback_nobody)" $packets "counted as nobody, $policy"
	done
	equal "$(status 8080 tcp .counters.selected)" 0
	balanced 8080 tcp
}

# ---------------------------------------------------------------- what is queued

# queue_up N INDEX: connections for this worker, of worker_pids, which is stopped.
queue_up() {
	local n=$1 pid
	queue_out=$BATS_TEST_TMPDIR/queue
	kill -STOP "${worker_pids[$2]}"
	for pid in "${worker_pids[@]}"; do
		[ "$pid" = "${worker_pids[$2]}" ] || weight "pid:$pid" 0
	done
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	spawn "$queue_out" "$HELPERS/queue" --to 127.0.0.1:8080 --count "$n" <"$BATS_TEST_TMPDIR/go"
	queue_pid=$spawned
	wait_until 10 grep -q ready "$queue_out"
	for pid in "${worker_pids[@]}"; do
		weight "pid:$pid" 1
	done
}

# queue_is FILTER: what became of it.
queue_is() {
	echo >&"$go"
	wait "$queue_pid"
	jq -e "$1" <<<"$(tail -n 1 "$queue_out")" >/dev/null || fail "$(tail -n 1 "$queue_out")"
}

@test "drain: what is queued is accepted by the drained worker, and a clean end loses none" {
	local one pid
	begin 2
	one=${worker_ids[0]} pid=${worker_pids[0]}
	queue_up 100 0
	drain "cookie:$one"
	equal "$(ask 50 | answers_by_worker)" "${worker_ids[1]} 50" "new ones go to the other"

	run --separate-stderr drain "cookie:$one" --wait --timeout 1
	equal "$status" 1 "exit status of a --timeout, with $output"
	[[ $output == *"pid $pid: 100 to accept, 0 half open"* ]] || fail "$output"
	[[ $stderr == *"after 1 s 1 worker is still busy"* ]] || fail "$stderr"

	kill -CONT "$pid"
	run --separate-stderr drain "cookie:$one" --wait --timeout 60
	equal "$status" 0 "exit status once it is empty, with $stderr"
	[[ $output == *"pid $pid: empty"* ]] || fail "$output"
	equal "$(selected "$one")" 100
	stop "$pid"
	queue_is '.answered == 100'
	equal "$(status 8080 tcp .counters.migrations)" 0 "migrated, as nothing was left"
}

@test "drain: --wait waits for handshakes that have begun, which end where they began" {
	local out=$BATS_TEST_TMPDIR/half one waiting
	begin 2
	one=${worker_ids[0]}
	weight "cookie:${worker_ids[1]}" 0
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	spawn "$out" "$HELPERS/half_open" --port 8080 --count 20 <"$BATS_TEST_TMPDIR/go"
	local client=$spawned
	wait_until 10 grep -q ready "$out"
	weight "cookie:${worker_ids[1]}" 1

	run --separate-stderr drain "cookie:$one" --wait --timeout 1
	equal "$status" 1 "exit status, with $output"
	[[ $output == *": 0 to accept, 20 half open"* ]] || fail "$output"
	spawn "$BATS_TEST_TMPDIR/waiting" "$REUSEPORTCTL" drain --netns "$NS" --port 8080 "cookie:$one" --wait
	waiting=$spawned
	sleep 0.5
	gone "$waiting" && fail "it did not wait: $(cat "$BATS_TEST_TMPDIR/waiting")"
	echo >&"$go"
	wait "$waiting"
	[[ $(cat "$BATS_TEST_TMPDIR/waiting") == *empty* ]] || fail "$(cat "$BATS_TEST_TMPDIR/waiting")"
	wait "$client"
	equal "$(tail -n 1 "$out")" "answered 20"
	equal "$(selected "$one")" 20
	equal "$(selected "${worker_ids[1]}")" 0
}

# ------------------------------------------------------------------------- admit

@test "admit: a worker that waits gets nothing, whoever dies, until it is let in" {
	local policy i=0 newcomer
	begin 10 --admit manual
	start_load --to 127.0.0.1:8080 --rate 500
	start_worker --port 8080
	newcomer=$worker_cookies
	wait_until 3 in_sync 8080 tcp
	equal "$(state "$newcomer")" joining
	for policy in hash consistent least-queue cpu; do
		use "$policy"
		stop "${worker_pids[i++]}" KILL
		wait_until 3 in_sync 8080 tcp
		stop "${worker_pids[i++]}" KILL
		sleep 0.2
		equal "$(selected "$newcomer")" 0 "to the one that waits, $policy"
	done
	kill_keeper 8080 tcp
	stop "${worker_pids[i++]}" KILL
	sleep 0.3
	equal "$(selected "$newcomer")" 0 "to the one that waits, without a keeper"
	equal "$(ctl admit --port 8080)" "admitted 1 worker"
	wait_until 5 more_selected "$newcomer" 20
	stop_load
	# What a killed worker had accepted is lost with it: at most its own.
	load_is '.timeout == 0 and .refused == 0 and .other == 0 and .reset <= 9'
	equal "$(status 8080 tcp '.counters.fallbacks | "\(.nobody) \(.exhausted)"')" "0 0"
	balanced 8080 tcp
}

# Never worse than no steering.
@test "admit: where nobody else is left, the one that waits is better than a reset" {
	begin 1 --admit manual
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	equal "$(state "$worker_cookies")" joining
	stop "${worker_pids[0]}" KILL
	ask 50 >/dev/null || fail "not all answered"
	wait_until 3 in_sync 8080 tcp
	ask 50 >/dev/null || fail "not all answered, once the keeper knew"
	# On a busy machine a SYN may be sent again.
	status 8080 tcp '.counters | .packets == .fallbacks.nobody + .fallbacks.exhausted
		and .packets >= 100 and .packets < 120' | grep -qx true
	equal "$(state "$worker_cookies")" joining
	balanced 8080 tcp
}

# ----------------------------------------------------------------------- rollout

all_of_generation() {
	equal "$(ask 60 | cut -d' ' -f2 | sort -u | grep -vxF "$(printf '%s\n' "$@")" || true)" "" \
		"answers by the wrong generation"
}

joining() {
	[ "$(status 8080 tcp '[.workers[] | select(.state == "joining")] | length')" -eq "$1" ]
}

# get_nothing COOKIE...: for a while these workers get no connection.
get_nothing() {
	local before
	before=$(selected_by "$@")
	sleep 0.2
	equal "$(selected_by "$@")" "$before" "connections to the generation that does not serve"
}

# replaced OLD NEW POLICY: workers, under load, by way of an abort.
replaced() {
	local old new newer pid
	begin "$1" --policy "$3"
	old=("${worker_ids[@]}") old_pids=("${worker_pids[@]}")
	start_load --to 127.0.0.1:8080 --rate 500

	rollout begin
	start_workers "$2" --port 8080
	new=("${worker_ids[@]}") new_pids=("${worker_pids[@]}")
	wait_until 3 joining "$2"
	get_nothing "${new[@]}"
	equal "$(selected_by "${new[@]}")" 0 "connections before the switch"
	rollout switch
	get_nothing "${old[@]}"
	all_of_generation "${new[@]}"
	rollout abort
	get_nothing "${new[@]}"
	all_of_generation "${old[@]}"

	rollout begin
	start_workers "$2" --port 8080
	newer=("${worker_ids[@]}")
	wait_until 3 joining "$2"
	rollout switch
	get_nothing "${old[@]}" "${new[@]}"
	rollout finish --wait --timeout 60
	for pid in "${old_pids[@]}" "${new_pids[@]}"; do
		stop "$pid"
	done
	wait_until 3 in_sync 8080 tcp
	all_of_generation "${newer[@]}"
	stop_load
	no_failed_request
	equal "$(status 8080 tcp '.rollout | "\(.phase) \(.serving)"')" "none 2"
	equal "$(status 8080 tcp .counters.fallback)" 0 "fallback"
	balanced 8080 tcp
}

@test "rollout: three workers by two, under load, by way of an abort: hash" {
	replaced 3 2 hash
}

@test "rollout: one worker by four, under load, by way of an abort: consistent" {
	replaced 1 4 consistent
}

# Of either generation, and of each step.
@test "rollout: workers that die meanwhile leave their share to their own generation" {
	local old new
	begin 3
	old=("${worker_ids[@]}") old_pids=("${worker_pids[@]}")
	rollout begin
	start_workers 3 --port 8080
	new=("${worker_ids[@]}") new_pids=("${worker_pids[@]}")
	wait_until 3 joining 3
	kill_keeper 8080 tcp
	stop "${old_pids[0]}" KILL
	all_of_generation "${old[@]}"
	stop "${old_pids[1]}" KILL
	all_of_generation "${old[@]}"
	equal "$(selected_by "${new[@]}")" 0
	rollout switch
	stop "${new_pids[0]}" KILL
	all_of_generation "${new[@]}"
	stop "${new_pids[1]}" KILL
	all_of_generation "${new[@]}"
	equal "$(status 8080 tcp .counters.fallback)" 0 "fallback"
	balanced 8080 tcp
}
