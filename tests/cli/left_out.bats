#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Members that cannot be taken: attach refuses, names process, count and reason; with --partial it
# steers the others. status shows each.
load common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# rows: those without a slot, "REASON PID".
rows() {
	ctl status --port 8080 --json | jq -r '.groups[].workers[] | select(.slot == null) |
		"\(.reason) \(.pid)"' | sort
}

# refused_and_partial REASON PID WORDS...: of two workers and two members of that process.
refused_and_partial() {
	local reason=$1 pid=$2
	shift 2
	refused 1 ctl attach --port 8080
	says "2 of 4 members of tcp 0.0.0.0:8080 cannot be steered" "(--partial)" "$@"
	[ ! -e "$PINS" ] || fail "$PINS is left"
	run -0 --separate-stderr ctl attach --port 8080 --partial
	[[ $output == *"steering 2 workers"* ]] || fail "$output"
	[[ $stderr == *"2 of 4 members could not be given a slot: "* ]] || fail "$stderr"
	equal "$(rows)" "$reason $pid"$'\n'"$reason $pid" "rows"
	equal "$(status 8080 tcp '[.workers[].slot | numbers] | tojson')" "[0,1]" "slots, without gaps"
	equal "$(status 8080 tcp .unregistered)" 2
	run -0 ctl status --port 8080
	# The kernel's order decides until then.
	[[ $output == *"2 group members without a slot: the kernel picks them too"* ]] || fail "$output"
	equal "$(grep -c " $reason " <<<"$output")" 2 "rows as text"
	run ctl policy --port 8080 random
	run -0 ctl status --port 8080
	[[ $output == *"2 group members without a slot: the policy does not select them"* ]] ||
		fail "$output"
	# It is told what the name means, not that it means nobody.
	refused 1 ctl drain --port 8080 "pid:$pid"
	says "pid:$pid means 2 members of tcp 0.0.0.0:8080 without a slot" "$@" "nothing was changed"
	refused 1 ctl weight --port 8080 "$pid" 3
	says "2 members" "$@"
	refused 3 ctl drain --port 8080 pid:1
}

# reaches STATUS N OF: what a change says of those that it does not reach.
reaches() {
	local slot
	run -"$1" --separate-stderr ctl policy --port 8080 consistent
	[[ $stderr == *"tcp 0.0.0.0:8080: this does not reach $2 of $3 members (mptcp)"* ]] ||
		fail "$stderr"
	slot=$(status 8080 tcp '[.workers[].slot | numbers][0]')
	run -"$1" --separate-stderr ctl drain --port 8080 "slot:$slot"
	[[ $output == *"draining 1 worker"* && $stderr == *"does not reach $2 of $3 members"* ]] ||
		fail "$output $stderr"
	run -"$1" --separate-stderr ctl rollout --port 8080 begin
	[[ $output == *"begun"* && $stderr == *"does not reach $2 of $3 members"* ]] ||
		fail "$output $stderr"
}

logged() {
	grep -q "process $1 (worker) listens with MPTCP" "$BATS_TEST_TMPDIR/keeper.log"
}

@test "left out: changes say whom they do not reach, and fail where nobody agreed to that" {
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_workers 2 --port 8080
	attach --port 8080
	start_worker --port 8080 --mptcp
	wait_until 5 rows_are 1
	wait_until 8 logged "$worker_pid"
	reaches 1 1 3
	# New workers that cannot have a slot are not "none that has joined".
	start_worker --port 8080 --mptcp
	wait_until 5 rows_are 2
	refused 1 ctl rollout --port 8080 switch
	says "generation 1 has no worker with a slot" "2 members cannot have one" "(worker) listens with MPTCP"
	# What can be done is done.
	run -1 --separate-stderr ctl drain --port 8080 --wait --timeout 5 slot:0
	[[ $output == *"slot 0 pid "*": empty"* ]] || fail "$output $stderr"
	run -1 --separate-stderr ctl rollout --port 8080 abort
	run -1 --separate-stderr ctl undrain --port 8080
}

@test "left out: attach says it of what is steered already, --partial agrees to it" {
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_workers 2 --port 8080
	attach --port 8080
	start_worker --port 8080 --mptcp
	wait_until 5 rows_are 1
	run -1 --separate-stderr ctl attach --port 8080
	[[ $output == *"is steered already, 2 workers"* ]] || fail "$output"
	[[ $stderr == *"1 of 3 members of tcp 0.0.0.0:8080 cannot be steered (mptcp)"*--partial* ]] ||
		fail "$stderr"
	kill_keeper 8080 tcp
	run -1 --separate-stderr ctl attach --port 8080
	[[ $output == *"adopted, 2 workers"* && $stderr == *"1 of 3 members"* ]] || fail "$output $stderr"
	succeeds ctl attach --port 8080 --partial
	equal "$(status 8080 tcp .partial)" true
	reaches 0 1 3
	kill_keeper 8080 tcp
	run -0 ctl attach --port 8080
	equal "$(status 8080 tcp .partial)" true
	# What cannot be changed on the way is a difference.
	refused 1 ctl attach --port 8080 --keep-weights
	says "with --keep-weights off instead of on" "'reuseportctl detach --port 8080"
}

@test "left out: MPTCP" {
	local pid
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_worker --port 8080 --mptcp --sockets 2
	pid=$worker_pid
	refused 1 ctl attach --port 8080
	says "process $pid (worker)" MPTCP
	start_workers 2 --port 8080
	refused_and_partial mptcp "$pid" "process $pid (worker)" MPTCP
	# What joins later and can be taken is.
	start_worker --port 8080
	wait_until 5 workers_are 3
	# And one that cannot is shown.
	start_worker --port 8080 --mptcp
	wait_until 5 rows_are 3
}

workers_are() {
	[ "$(ctl status --port 8080 --json | jq '[.groups[].workers[] | select(.slot != null)] | length')" \
		-eq "$1" ]
}

rows_are() {
	[ "$(rows | wc -l)" -eq "$1" ]
}

@test "left out: a whole group beside others" {
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_workers 2 --port 8080
	start_worker --port 8080 --mptcp --addr ::1
	run -1 --separate-stderr ctl attach --port 8080
	[[ $output == *"steering 2 workers"* ]] || fail "$output"
	message=$stderr
	says "tcp [::1]:8080 cannot be steered: process $worker_pid (worker) listens with MPTCP" --partial
	refused 1 ctl attach --port 8080 --addr ::1
	says MPTCP
	succeeds ctl attach --port 8080 --partial
	succeeds ctl attach --port 8080 --addr 0.0.0.0
}

@test "left out: the registered files of an io_uring" {
	local pid
	start_worker --port 8080 --io-uring --sockets 2 || skip "this kernel has no io_uring"
	pid=$worker_pid
	refused 1 ctl attach --port 8080
	says "process $pid (worker)" io_uring
	start_workers 2 --port 8080
	refused_and_partial io_uring "$pid" "process $pid (worker)" io_uring
}

@test "left out: who joins later with an io_uring, in the log" {
	start_workers 2 --port 8080
	attach --port 8080
	start_worker --port 8080 --io-uring || skip "this kernel has no io_uring"
	wait_until 8 grep -q "1 member without a slot.*(only in an io_uring, or" \
		"$BATS_TEST_TMPDIR/keeper.log"
}

@test "left out: another PID namespace" {
	local out=$BATS_TEST_TMPDIR/container
	start_worker --port 8080
	run -1 in_ns unshare -m --pid --fork --kill-child --mount-proc sh -ec '
		"$2" --port 8080 >"$3" &
		while ! grep -q ^ready "$3"; do sleep 0.05; done
		"$1" attach --port 8080 2>&1' sh "$REUSEPORTCTL" "$HELPERS/worker" "$out" 3>&-
	[[ $output == *"1 of 2 members"*"in another PID namespace"*"(--partial)"* ]] || fail "$output"
	[[ $output != *CAP_SYS_PTRACE* && $output != *"run as root"* ]] || fail "$output"
	in_ns unshare -m --pid --fork --kill-child --mount-proc sh -ec '
		"$2" --port 8080 >"$3" &
		while ! grep -q ^ready "$3"; do sleep 0.05; done
		"$1" attach --port 8080 --partial
		"$1" status --port 8080 --json >"$3"
		"$1" detach --port 8080' sh "$REUSEPORTCTL" "$HELPERS/worker" "$out" 3>&-
	equal "$(jq -c '[.groups[].workers[] | select(.slot == null) | .reason]' "$out")" \
		'["pid-namespace"]'
}

# The worker ends as soon as the attach, which has seen its socket, has made its directory: to
# load the program takes longer.
@test "left out: a server that stops meanwhile is blamed for nothing" {
	local out=$BATS_TEST_TMPDIR/container
	run -3 in_ns unshare -m --pid --fork --kill-child --mount-proc sh -c '
		"$2" --port 8080 >"$3" & worker=$!
		while ! grep -q ^ready "$3"; do sleep 0.05; done
		(until [ -e /sys/fs/bpf/reuseport/tcp-0_0_0_0-8080-*/attaching ]; do :; done
		kill -KILL $worker) &
		"$1" attach --port 8080 2>&1' sh "$REUSEPORTCTL" "$HELPERS/worker" "$out" 3>&-
	[[ $output == *"the server has closed its sockets meanwhile"* ]] || fail "$output"
	[[ $output != *"PID namespace"* ]] || fail "$output"
	compgen -G "/sys/fs/bpf/reuseport/*-8080-*" && fail "pins are left"
	return 0
}

@test "left out: nothing is said where nothing is left out" {
	start_workers 3 --port 8080
	succeeds ctl attach --port 8080 --partial
	equal "$(rows)" ""
	equal "$(status 8080 tcp .unregistered)" 0
}
