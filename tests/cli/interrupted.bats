#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Killed at any moment, stopped, left without workers: the next command copes,
# and nothing is leaked.
load common.bash

setup() {
	begin_test
	rounds ROUNDS 20 4
}

teardown() {
	end_test
}

# random_pause MS: at most that long.
random_pause() {
	local us=$((RANDOM * RANDOM % ($1 * 1000)))
	pause "$((us / 1000000)).$(printf %06d $((us % 1000000)))"
}

# How long a command takes, in ms, at least 1.
takes() {
	local begin
	begin=$(now_ms)
	"$@" >/dev/null
	echo $(($(now_ms) - begin + 1))
}

# killed MS COMMAND ARG...: SIGKILL to the tool after at most MS.
killed() {
	local ms=$1 pid
	shift
	"$REUSEPORTCTL" "$1" --netns "$NS" "${@:2}" >/dev/null 2>&1 3>&- &
	pid=$!
	random_pause "$ms"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

# Maps "attachment" of this test's namespace that exist in the kernel, pinned or
# not: each program of ours holds one.
no_attachment_loaded() {
	local id
	for id in $(bpftool -j map show | jq '.[] | select(.name == "attachment") | .id'); do
		! bpftool -j map dump id "$id" 2>/dev/null | jq -c . |
			grep -q "\"netns_ino\":$NS_INODE[,}]" || return 1
	done
}

no_keeper() {
	local pid
	for pid in $(tools_of "$NS"); do
		kill -KILL "$pid" 2>/dev/null || true
		wait_until 5 gone "$pid"
	done
}

@test "interrupted: attach killed at many moments, then attach works" {
	local round ms
	start_worker --port 8080 --sockets 4
	ms=$(takes ctl attach --port 8080)
	ctl detach --port 8080
	for round in $(seq $ROUNDS); do
		killed "$ms" attach --port 8080
		# It may have left its keeper by then.
		no_keeper
		serves 8080
		succeeds ctl attach --port 8080
		in_sync 8080 tcp
		equal "$(status 8080 tcp .program.attached)" true "attached, round $round"
		serves 8080
		balanced 8080 tcp
		succeeds ctl detach --port 8080
		untouched 8080
	done
	wait_until 5 no_attachment_loaded
}

@test "interrupted: attach killed at many moments, then detach cleans up" {
	local round ms
	start_worker --port 8080 --sockets 4
	ms=$(takes ctl attach --port 8080)
	ctl detach --port 8080
	for round in $(seq $ROUNDS); do
		killed "$ms" attach --port 8080
		no_keeper
		# 3: it was killed before there was anything.
		run --separate-stderr ctl detach --port 8080
		[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$status: $stderr"
		untouched 8080
	done
	wait_until 5 no_attachment_loaded
}

@test "interrupted: detach killed at many moments, then detach or attach works" {
	local round ms
	start_worker --port 8080 --sockets 4
	ctl attach --port 8080
	ms=$(takes ctl detach --port 8080)
	for round in $(seq $((ROUNDS / 2))); do
		ctl attach --port 8080
		killed "$ms" detach --port 8080
		serves 8080
		run --separate-stderr ctl detach --port 8080
		[ "$status" -eq 0 ] || [ "$status" -eq 3 ] || fail "$status: $stderr"
		untouched 8080
	done
	for round in $(seq $((ROUNDS / 2))); do
		ctl attach --port 8080
		killed "$ms" detach --port 8080
		# The keeper had been asked to let go, or had not yet.
		run --separate-stderr ctl attach --port 8080
		if [ "$status" -ne 0 ]; then
			[[ $stderr == *"steered already"* ]] || fail "$status: $stderr"
		fi
		wait_until 2 in_sync 8080 tcp
		wait_until 2 keeper_is_there
		succeeds ctl detach --port 8080
		untouched 8080
	done
}

keeper_is_there() {
	if [ "$(status 8080 tcp .keeper.running)" != true ]; then
		ctl attach --port 8080
	fi
	[ "$(status 8080 tcp .keeper.running)" = true ]
}

@test "interrupted: attach ended by SIGTERM or SIGINT while it waits" {
	local signal pid code
	for signal in TERM INT; do
		# Background jobs of a shell ignore SIGINT.
		env --default-signal=INT "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --wait 3>&- &
		pid=$!
		record $pid
		sleep 0.3
		kill "-$signal" $pid
		code=0
		wait $pid || code=$?
		[ $code -ne 0 ] || fail "it ended with 0"
		equal "$(pins_of "$NS_INODE")" "" pins
	done
}

# -------------------------------------------------------------------- detach

@test "detach: the keeper is stopped" {
	local keeper
	start_worker --port 8080 --sockets 3
	attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	kill -STOP "$keeper"
	serves 8080
	succeeds timeout 20 "$REUSEPORTCTL" detach --netns "$NS" --port 8080
	wait_until 2 gone "$keeper"
	untouched 8080
}

@test "detach: the keeper is dead" {
	start_worker --port 8080 --sockets 3
	attach --port 8080
	kill_keeper 8080 tcp
	succeeds ctl detach --port 8080
	untouched 8080
}

@test "detach: the workers are gone" {
	start_worker --port 8080 --sockets 3
	attach --port 8080
	stop "$worker_pid"
	succeeds ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" "" pins
	wait_until 2 no_tools_of "$NS"
}

@test "detach: the workers are gone and the keeper is dead" {
	start_worker --port 8080 --sockets 3
	attach --port 8080
	kill_keeper 8080 tcp
	stop "$worker_pid" KILL
	succeeds ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "detach: the namespace is gone" {
	local ns inode
	new_netns
	ns=$new_ns inode=$new_ns_inode
	NS=$ns start_worker --port 8080
	ctl attach --netns "$ns" --port 8080
	kill -KILL $(tools_of "$ns")
	wait_until 3 no_tools_of "$ns"
	stop "$worker_pid"
	ip netns del "$ns"
	succeeds "$REUSEPORTCTL" status --netns "$inode" --json
	equal "$(jq '.groups | length' <<<"$output")" 1 "attachments"
	succeeds "$REUSEPORTCTL" detach --netns "$inode" --port 8080
	equal "$(pins_of "$inode")" "" pins
}

@test "detach: two groups of one port, one without a keeper" {
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --addr :: --v6only
	attach --port 8080
	kill -KILL "$(ctl status --addr :: --port 8080 --json | jq '.groups[0].keeper.pid')"
	succeeds ctl detach --port 8080
	untouched 8080
	wait_until 2 no_tools_of "$NS"
}

@test "detach: two at once" {
	local one=0 two=0 first second round
	start_worker --port 8080 --sockets 3
	for round in $(seq $((ROUNDS / 2))); do
		one=0 two=0
		attach --port 8080
		ctl detach --port 8080 2>"$BATS_TEST_TMPDIR/first" &
		first=$!
		ctl detach --port 8080 2>"$BATS_TEST_TMPDIR/second" &
		second=$!
		wait $first || one=$?
		wait $second || two=$?
		# The slower one finds nothing, or helps.
		[[ "$one $two" =~ ^(0 0|0 3|3 0)$ ]] ||
			fail "$one $two: $(cat "$BATS_TEST_TMPDIR/first" "$BATS_TEST_TMPDIR/second")"
		untouched 8080
	done
}

# Loading takes a while, and no pin is there before its end.
@test "attach: a command that comes meanwhile sees nothing yet, or waits" {
	local i pid many
	rounds many 3 1
	start_worker --port 8080
	for ((i = 0; i < many; i++)); do
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 >"$BATS_TEST_TMPDIR/attach" 2>&1 3>&- &
		pid=$!
		while kill -0 "$pid" 2>/dev/null; do
			run --separate-stderr ctl policy --port 8080
			[[ $status == [03] ]] || fail "$status: $stderr"
			run --separate-stderr ctl status --port 8080 --json
			[[ $status == [03] && $(jq '[.groups[].damaged] | any' <<<"$output") != true ]] ||
				fail "$status: $output$stderr"
		done
		wait "$pid" || fail "$(cat "$BATS_TEST_TMPDIR/attach")"
		serves 8080
		ctl detach --port 8080
	done
}

@test "interrupted: a keeper that is killed when it starts is no keeper" {
	command -v strace >/dev/null || skip "strace is not installed"
	skip_if_sanitized "leaks are not looked for in a process that is traced"
	start_worker --port 8080
	refused 1 strace -f -qq -o /dev/null -e trace=setsid -e inject=setsid:signal=KILL \
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080
	record_bpf
	says "steering continues without a keeper"
	equal "$(status 8080 tcp .keeper.running)" false
	succeeds ctl attach --port 8080
	equal "$(status 8080 tcp .keeper.running)" true
}

# As by Ctrl-Z. The helpers that it starts are not traced.
@test "interrupted: another attach that is stopped is not taken for damage" {
	local n tracer pid
	command -v strace >/dev/null || skip "strace is not installed"
	skip_if_sanitized "leaks are not looked for in a process that is traced"
	start_worker --port 8080
	for n in 1 2; do
		spawn "$BATS_TEST_TMPDIR/stopped" strace -qq -o /dev/null -e trace=flock \
			-e "inject=flock:signal=STOP:when=$n" "$REUSEPORTCTL" attach --port 8080
		tracer=$spawned
		wait_until 5 stopped_child "$tracer"
		pid=$(pgrep -P "$tracer")
		record "$pid"
		refused 1 ctl attach --port 8080
		says "is being attached by another process" "nothing was changed"
		kill -CONT "$pid"
		wait "$tracer"
		record_bpf
		equal "$(status 8080 tcp .keeper.running)" true
		succeeds ctl detach --port 8080
	done
}

# Its tracer stops it for a moment at each call that is traced.
stopped_child() {
	local look
	for look in 1 2 3 4 5; do
		grep -q '^State:.[tT]' "/proc/$(pgrep -P "$1")/status" 2>/dev/null || return 1
		pause 0.05
	done
}
