#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# rollout: the steps in and out of order, what status shows of them, whoever keeps
# or does not keep, interrupted, at once.
load common.bash


setup() {
	begin_test
	rounds ROUNDS 4 2
}

teardown() {
	end_test
}

# "STATE GENERATION" of each worker, by slot.
workers() {
	status 8080 tcp '[.workers[] | "\(.state) \(.generation)"] | join(", ")'
}

phase() {
	status 8080 tcp '.rollout | "\(.phase) \(.serving) \(.other)"'
}

# step WORD SAYS: succeeds, and says so.
step() {
	succeeds ctl rollout --port 8080 "$1"
	[[ $output == "$2"* ]] || fail "$output"
}

# Joined, and waiting for the switch.
newcomers() {
	start_workers "$1" --port 8080
	wait_until 3 in_sync 8080 tcp
}

# One worker, and so many of the next generation.
begun() {
	start_worker --port 8080
	attach --port 8080
	step begin begun
	newcomers "$1"
}

# ------------------------------------------------------------------------ words

@test "rollout: --help and wrong usage" {
	local args
	succeeds "$REUSEPORTCTL" rollout --help
	[[ $output == *"begin|switch|finish|abort"* && $output == *--wait* && $output == *--timeout* &&
		$output != *--release* ]] || fail "$output"
	for args in rollout "rollout begin" "rollout --port 8080" "rollout --port 8080 begin switch" \
		"rollout --port 8080 finish --release" "rollout --port 8080 begin --json"; do
		run --separate-stderr "$REUSEPORTCTL" $args
		equal "$status" 2 "exit status of '$args'"
		equal "$output" "" "standard output of '$args'"
	done
	start_worker --port 8080
	attach --port 8080
	for args in bgin Begin start '' beginn; do
		refused 2 ctl rollout --port 8080 "$args"
		says "'$args' is not a step" "begin, switch, finish, abort"
	done
	for args in begin switch abort; do
		refused 2 ctl rollout --port 8080 $args --wait
		says "--wait can be used only with finish"
	done
	refused 2 ctl rollout --port 8080 finish --timeout 5
	says "--timeout requires --wait"
	refused 2 ctl rollout --port 8080 finish --wait --timeout 0
	says "1 to 86400"
	equal "$(phase)" "none 0 0"
}

@test "rollout: nothing attached" {
	local word
	start_worker --port 8080
	for word in begin switch finish abort; do
		refused 3 ctl rollout --port 8080 $word
		says "nothing is attached"
	done
	untouched 8080
}

# ------------------------------------------------------------------------ steps

@test "rollout: begin, switch, finish, and what status shows" {
	start_worker --port 8080
	attach --port 8080
	equal "$(phase)" "none 0 0"
	step begin begun
	equal "$(phase)" "begun 0 1"
	newcomers 2
	equal "$(workers)" "active 0, joining 1, joining 1"
	succeeds ctl status --port 8080
	[[ $output == *"rollout begun: generation 1 waits, generation 0 serves"* && $output == *" GEN "* ]] ||
		fail "$output"
	step switch switched
	equal "$(phase)" "switched 1 0"
	equal "$(workers)" "draining 0, active 1, active 1"
	succeeds ctl status --port 8080
	[[ $output == *"rollout switched: generation 1 serves"* ]] || fail "$output"
	step finish finished
	equal "$(phase)" "none 1 0"
	equal "$(workers)" "draining 0, active 1, active 1"
	# Who comes now is of the generation that serves.
	newcomers 1
	equal "$(workers)" "draining 0, active 1, active 1, active 1"
	serves 8080
	equal "$(status 8080 tcp '.workers[0].selected')" 0
}

@test "rollout: out of order" {
	start_worker --port 8080
	attach --port 8080
	for word in switch finish abort; do
		refused 1 ctl rollout --port 8080 $word
		says "no rollout has begun" "begin one first"
	done
	step begin begun
	refused 1 ctl rollout --port 8080 finish
	says "generation 1 has not been switched to yet" switch
	equal "$(phase)" "begun 0 1"
	newcomers 1
	step switch switched
	step finish finished
	for word in switch finish abort; do
		refused 1 ctl rollout --port 8080 $word
		says "no rollout has begun"
	done
	equal "$(phase)" "none 1 0"
}

@test "rollout: a step twice" {
	begun 1
	refused 1 ctl rollout --port 8080 begin
	says "generation 1 has begun already" "switch to it, or abort"
	step switch switched
	refused 1 ctl rollout --port 8080 switch
	says "switched to generation 1 already" finish abort
	refused 1 ctl rollout --port 8080 begin
	says "has begun already" "finish it, or abort"
	equal "$(phase)" "switched 1 0"
}

overtaken() {
	[ "$(phase)" = "switched 1 0" ]
}

# A server that restarts whole: its old workers stop, and then there are the new ones.
@test "rollout: the new workers serve when no old one is left" {
	local old
	start_workers 2 --port 8080
	old=("${worker_pids[@]}")
	attach --port 8080
	step begin begun
	stop "${old[0]}"
	newcomers 1
	equal "$(workers | sed 's|, |\n|g' | sort | xargs)" "active 0 joining 1"
	equal "$(phase)" "begun 0 1"
	stop "${old[1]}"
	newcomers 1
	wait_until 8 overtaken
	equal "$(workers)" "active 1, active 1"
	grep -q "no worker of generation 0 is left: the rollout has switched to generation 1" \
		"$BATS_TEST_TMPDIR/keeper.log"
	serves 8080
	equal "$(status 8080 tcp '.counters.fallbacks.nobody')" 0
	# The steps that were to come are as ever.
	step switch switched
	refused 1 ctl rollout --port 8080 abort
	says "no worker of generation 0 is left"
	step finish finished
	equal "$(phase)" "none 1 0"
}

@test "rollout: the new workers serve when no old one is left, without a keeper" {
	start_workers 1 --port 8080
	attach --port 8080
	step begin begun
	kill_keeper 8080 tcp
	stop "${worker_pids[0]}"
	start_worker --port 8080
	attach --port 8080
	wait_until 8 overtaken
	equal "$(workers)" "active 1"
}

@test "rollout: no switch to a generation that nobody is of" {
	start_worker --port 8080
	attach --port 8080
	step begin begun
	refused 1 ctl rollout --port 8080 switch
	says "no worker of generation 1 has joined" "start the new workers first"
	equal "$(phase)" "begun 0 1"
	equal "$(workers)" "active 0"
}

@test "rollout: no switch to workers that may get nothing" {
	begun 2
	ctl weight --port 8080 slot:1 0
	ctl drain --port 8080 slot:2
	refused 1 ctl rollout --port 8080 switch
	says "no worker of generation 1"
	ctl undrain --port 8080 slot:2 >/dev/null
	# It is of the serving generation now.
	refused 1 ctl rollout --port 8080 switch
	ctl weight --port 8080 slot:1 1
	step switch switched
}

@test "rollout: abort before the switch, and after it" {
	begun 1
	step abort aborted
	equal "$(phase)" "none 0 0"
	equal "$(workers)" "active 0, draining 1"
	# The next one is a generation of its own.
	step begin begun
	equal "$(phase)" "begun 0 2"
	newcomers 1
	equal "$(workers)" "active 0, draining 1, joining 2"
	step switch switched
	equal "$(workers)" "draining 0, draining 1, active 2"
	step abort aborted
	equal "$(phase)" "none 0 0"
	equal "$(workers)" "active 0, draining 1, draining 2"
	serves 8080
	equal "$(status 8080 tcp '[.workers[1, 2].selected] | add')" 0
	succeeds ctl undrain --port 8080 slot:1
	equal "$(workers)" "active 0, active 0, draining 2"
}

@test "rollout: no abort to a generation that nobody is left of" {
	local old
	start_worker --port 8080
	old=$worker_pid
	attach --port 8080
	step begin begun
	newcomers 1
	step switch switched
	stop "$old"
	wait_until 3 in_sync 8080 tcp
	refused 1 ctl rollout --port 8080 abort
	says "no worker of generation 0 is left to return to"
	equal "$(phase)" "switched 1 0"
	step finish finished
}

@test "rollout: who was drained stays drained" {
	start_workers 2 --port 8080
	attach --port 8080
	ctl drain --port 8080 slot:0
	step begin begun
	newcomers 2
	ctl drain --port 8080 slot:2
	equal "$(workers)" "draining 0, active 0, draining 1, joining 1"
	step switch switched
	equal "$(workers)" "draining 0, draining 0, draining 1, active 1"
	step abort aborted
	equal "$(workers)" "draining 0, active 0, draining 1, draining 1"
}

@test "rollout: under --admit manual the switch lets the newcomers in" {
	start_worker --port 8080
	attach --port 8080 --admit manual
	step begin begun
	newcomers 2
	succeeds ctl admit --port 8080
	[[ $output == "admitted 0 workers"*"rollout"* ]] || fail "$output"
	equal "$(workers)" "active 0, joining 1, joining 1"
	step switch switched
	equal "$(workers)" "draining 0, active 1, active 1"
	step finish finished
	newcomers 1
	equal "$(workers)" "draining 0, active 1, active 1, joining 1"
}

@test "rollout: finish --wait says what is left" {
	local pid
	start_worker --port 8080
	pid=$worker_pid
	attach --port 8080
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	kill -STOP "$pid"
	spawn "$BATS_TEST_TMPDIR/queue" "$HELPERS/queue" --to 127.0.0.1:8080 --count 5 \
		<"$BATS_TEST_TMPDIR/go"
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/queue"
	step begin begun
	newcomers 1
	step switch switched
	run --separate-stderr ctl rollout --port 8080 finish --wait --timeout 1
	equal "$status" 1 "exit status"
	[[ $output == *"pid $pid: 5 to accept, 0 half open"* && $stderr == *"still busy"* ]] ||
		fail "$output $stderr"
	equal "$(phase)" "none 1 0"
	kill -CONT "$pid"
	# What is left can be waited for by the worker, too.
	succeeds ctl drain --port 8080 "pid:$pid" --wait
	[[ $output == *"pid $pid: empty"* ]] || fail "$output"
}

@test "rollout: in all groups of the port, or in none" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	attach --port 8080
	phases() {
		ctl status --port 8080 --json | jq -c '[.groups[].rollout.phase]'
	}
	step begin begun
	equal "$(phases)" '["begun","begun"]'
	start_worker --port 8080
	wait_until 3 eval '[ "$(ctl status --port 8080 --json | jq "[.groups[].workers[]] | length")" = 3 ]'
	refused 1 ctl rollout --port 8080 switch
	says "[::]:8080" "no worker of generation 1"
	equal "$(phases)" '["begun","begun"]'
	succeeds ctl rollout --port 8080 --addr 0.0.0.0 switch
	refused 1 ctl rollout --port 8080 begin
	step abort aborted
	equal "$(phases)" '["none","none"]'
}

# ------------------------------------------------- keepers, and interruptions

@test "rollout: without a keeper" {
	start_worker --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	# It joined before the rollout began, though nobody saw it.
	start_worker --port 8080
	step begin begun
	start_workers 2 --port 8080
	step switch switched
	equal "$(workers)" "draining 0, draining 0, active 1, active 1"
	serves 8080
	equal "$(status 8080 tcp '[.workers[0, 1].selected] | add')" 0
	attach --port 8080
	equal "$(phase)" "switched 1 0"
	equal "$(workers)" "draining 0, draining 0, active 1, active 1"
	step finish finished
}

@test "rollout: the keeper dies between the steps" {
	begun 1
	kill_keeper 8080 tcp
	attach --port 8080
	equal "$(phase)" "begun 0 1"
	equal "$(workers)" "active 0, joining 1"
	step switch switched
	kill_keeper 8080 tcp
	attach --port 8080
	equal "$(workers)" "draining 0, active 1"
}

@test "rollout: while a keeper starts" {
	local round pid
	start_worker --port 8080
	attach --port 8080
	for round in $(seq $((ROUNDS / 2))); do
		kill_keeper 8080 tcp
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 >/dev/null 3>&- &
		pid=$!
		step begin begun
		wait "$pid" || fail "attach, round $round"
		equal "$(status 8080 tcp '"\(.rollout.phase) \(.keeper.running)"')" "begun true"
		step abort aborted
	done
}

@test "rollout: many at once, one of them takes the step" {
	local i pids=() done=0
	begun 1
	for i in {1..6}; do
		"$REUSEPORTCTL" rollout --netns "$NS" --port 8080 switch >/dev/null \
			2>"$BATS_TEST_TMPDIR/switch.$i" 3>&- &
		pids+=($!)
	done
	for i in {1..6}; do
		if wait "${pids[i - 1]}"; then
			done=$((done + 1))
		else
			grep -q "switched to generation 1 already" "$BATS_TEST_TMPDIR/switch.$i"
		fi
	done
	equal $done 1 "switches"
	equal "$(phase)" "switched 1 0"
}

# killed STEP: SIGKILL to the tool at some moment of the $ms that it takes.
killed() {
	local pid
	"$REUSEPORTCTL" rollout --netns "$NS" --port 8080 "$1" >/dev/null 2>&1 3>&- &
	pid=$!
	pause "$(printf '%d.%03d' 0 $((RANDOM % ms)))"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# is_served_by COOKIE...: and by no other.
is_served_by() {
	client --to 127.0.0.1:8080 --count 40 >"$BATS_TEST_TMPDIR/answers" || fail "not all answered"
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | cut -d' ' -f1 |
		grep -vxF "$(printf '%s\n' "$@")" || true)" "" "answers by the wrong generation"
}

# The state is that before or that after, and never one between.
@test "rollout: killed at many moments, each step is taken or not" {
	local round ms old
	begun 2
	old=$(status 8080 tcp '.workers[0].cookie')
	ms=$(now_ms)
	ctl rollout --port 8080 switch >/dev/null
	ms=$(($(now_ms) - ms + 1))
	[ "$ms" -lt 1000 ] || ms=999
	ctl rollout --port 8080 abort >/dev/null
	for round in $(seq 2 $ROUNDS); do
		stop "${worker_pids[0]}"
		stop "${worker_pids[1]}"
		killed begin
		case $(phase) in
		none*) step begin begun ;;
		begun*) ;;
		*) fail "$(phase), round $round" ;;
		esac
		newcomers 2
		killed switch
		case $(phase) in
		begun*)
			equal "$(workers)" "active 0, joining $round, joining $round"
			is_served_by "$old"
			step switch switched
			;;
		switched*)
			equal "$(workers)" "draining 0, active $round, active $round"
			is_served_by "${worker_ids[@]}"
			;;
		*) fail "$(phase), round $round" ;;
		esac
		killed abort
		case $(phase) in
		switched*) step abort aborted ;;
		none*) ;;
		*) fail "$(phase), round $round" ;;
		esac
		equal "$(workers)" "active 0, draining $round, draining $round"
		is_served_by "$old"
	done
	equal "$(status 8080 tcp .counters.fallback)" 0
	balanced 8080 tcp
}
