#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Limits are not facts: with too few descriptors nothing is taken for gone, damaged or
# detached. A command either does all that it does otherwise, or says why it cannot and
# changes nothing; a keeper goes on, and sees everything once it can.
load ../cli/common.bash

setup() {
	begin_test
	# Every number of descriptors, or every third.
	rounds STEP 1 3
}

teardown() {
	end_test
}

with_descriptors() {
	local n=$1
	shift
	prlimit --nofile="$n:$n" "$@" 3>&-
}

# limited N CMD...: with descriptors 0 to N - 1. Sets $status, $output and $stderr; fails if
# it failed for another reason than that.
limited() {
	local n=$1
	shift
	run --separate-stderr with_descriptors "$n" "$@"
	case $status:$stderr in
	0:*) ;;
	*"open shared object"* | *"Too many open files"*) ;;
	*) fail "with $n descriptors: status $status, '$output', '$stderr'" ;;
	esac
}

tool() {
	local name=$1 n=$2
	shift 2
	limited "$n" "$REUSEPORTCTL" "$name" --netns "$NS" "$@"
}

# From what no command can do with to what each can.
FEW=4 ENOUGH=64

# What holds for the group, as long as nothing was changed.
steered() {
	status 8080 "${1:-tcp}" '[.damaged, .keeper.running, .keeper.pid, .program.attached,
		.unregistered, [.workers[] | [.slot, .cookie, .pid, .state]]] | tojson'
}

# What a command says, but for how long that has been so.
undated() {
	sed -E 's/("[a-z_]*age"): [0-9.]+/\1: N/; s/ [0-9]+s / Ns /' <<<"$1" | tr -s ' '
}

# looks WHAT ARGS...: with more and more descriptors, until the command that only looks has
# said twice what it says without a limit. Before that it fails.
looks() {
	local n right=0 wanted
	wanted=$(undated "$("$REUSEPORTCTL" "$1" --netns "$NS" "${@:2}")")
	for ((n = FEW; n <= ENOUGH && right < 2; n += STEP)); do
		tool "$1" $n "${@:2}"
		[ $status -ne 0 ] || equal "$(undated "$output")" "$wanted" "$* with $n descriptors"
		right=$((right + !status))
	done
	equal $right 2 "$*"
}

@test "limits: commands that look say the same, or why they cannot" {
	start_worker --port 8080 --sockets 2
	start_worker --port 8081
	attach --port 8080
	looks status --json
	looks list --json
	looks explain --src 127.0.0.1:999 --dst 127.0.0.1:8080 --json
	kill_keeper 8080 tcp
	looks status --port 8080
}

@test "limits: attach is whole or not at all" {
	local n worked=0
	start_worker --port 8080 --sockets 2
	for ((n = FEW; n <= ENOUGH && worked < 2; n += STEP)); do
		tool attach $n --port 8080
		if [ $status -ne 0 ]; then
			untouched 8080
			continue
		fi
		worked=$((worked + 1))
		equal "$(steered | cut -d, -f1,2,4,5)" "[false,true,true,0" "with $n descriptors"
		in_sync 8080 tcp
		ctl detach --port 8080
	done
	equal $worked 2 "attached"
}

# The pins of an attachment whose keeper has ended are not those of one that was never made.
@test "limits: an attach that adopts takes nothing for damaged" {
	local n before
	start_worker --port 8080 --sockets 2
	attach --port 8080
	ctl drain --port 8080 slot:1
	kill_keeper 8080 tcp
	before=$(status 8080 tcp '[.program.id, [.workers[] | [.slot, .cookie, .state]]] | tojson')
	for ((n = FEW; n <= ENOUGH; n += STEP)); do
		tool attach $n --port 8080
		equal "$(status 8080 tcp '[.program.id, [.workers[] | [.slot, .cookie, .state]]] |
			tojson')" "$before" "with $n descriptors"
		[ $status -ne 0 ] || break
	done
	equal "$(status 8080 tcp .keeper.running)" true
}

@test "limits: detach is whole or not at all" {
	local n before proto
	for proto in tcp udp; do
		start_worker --port 8080 --sockets 2 --proto $proto
		attach --port 8080 --proto $proto
		before=$(steered $proto)
		for ((n = FEW; n <= ENOUGH; n += STEP)); do
			tool detach $n --port 8080 --proto $proto
			[ $status -ne 0 ] || break
			equal "$(steered $proto)" "$before" "with $n descriptors"
		done
		equal $status 0 "detach"
		untouched 8080 $proto
	done
}

@test "limits: drain, weight and policy change all or nothing" {
	local n what changed
	start_worker --port 8080 --sockets 2
	attach --port 8080 --policy weighted
	for what in "drain --port 8080 slot:0" "undrain --port 8080 slot:0" \
		"weight --port 8080 slot:1 7" "policy --port 8080 hash"; do
		changed=
		for ((n = FEW; n <= ENOUGH; n += STEP)); do
			before=$(rules_and_workers 8080)
			tool ${what%% *} $n ${what#* }
			[ $status -ne 0 ] || break
			equal "$(rules_and_workers 8080)" "$before" "$what with $n descriptors"
		done
		equal $status 0 "$what"
		[ "$(rules_and_workers 8080)" != "$before" ] || fail "$what changed nothing"
	done
}

# ----------------------------------------------------------------- a keeper

# The keeper has fewer descriptors than it has open, so it can open none.
starve() {
	prlimit --nofile="8:$(ulimit -Hn)" --pid "$1"
}

feed() {
	prlimit --nofile="$(ulimit -Hn):$(ulimit -Hn)" --pid "$1"
}

# keeper_lives_on PROTO: while it can open nothing, workers come and go, all of them in
# the end; then it sees what is there.
keeper_lives_on() {
	local proto=$1 keeper first second
	start_worker --port 8080 --proto "$proto"
	first=$worker_pid
	attach --port 8080 --proto "$proto"
	keeper=$(keeper_pid 8080 "$proto")
	starve "$keeper"
	start_worker --port 8080 --proto "$proto"
	second=$worker_pid
	stop "$first"
	pause 1
	stop "$second"
	# Without a worker it looks once a second whether the namespace is there.
	pause 2.5
	equal "$(keeper_pid 8080 "$proto")" "$keeper" "keeper"
	! grep -E "removed|being detached|no network namespace" "$BATS_TEST_TMPDIR/keeper.log" ||
		fail "the log"
	# By now, or when it compares everything.
	wait_until 10 grep -q "Too many open files" "$BATS_TEST_TMPDIR/keeper.log"
	start_worker --port 8080 --proto "$proto"
	feed "$keeper"
	wait_until 8 in_sync 8080 "$proto"
	equal "$(steered "$proto" | cut -d, -f1-5)" "[false,true,$keeper,true,0"
	serves 8080 "$proto"
	ctl detach --port 8080 --proto "$proto"
	untouched 8080 "$proto"
}

@test "limits: a keeper without descriptors keeps, TCP" {
	keeper_lives_on tcp
}

@test "limits: a keeper without descriptors keeps, UDP" {
	keeper_lives_on udp
}

@test "limits: a keeper without descriptors keeps, by polling" {
	REUSEPORT_DISABLE=events keeper_lives_on tcp
}

@test "limits: a keeper without descriptors, whose pins are removed, tries again" {
	local keeper
	start_worker --port 8080
	attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	starve "$keeper"
	rm -r "$(pin_of 8080)"
	pause 0.5
	! gone "$keeper" || fail "it has ended"
	feed "$keeper"
	wait_until 8 gone "$keeper"
	untouched 8080
}

@test "limits: a keeper without descriptors releases the group" {
	local keeper
	start_worker --port 8080
	attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	starve "$keeper"
	succeeds ctl detach --port 8080
	wait_until 2 gone "$keeper"
	untouched 8080
}

# soft_limits PID: those that are lower than the hard ones.
soft_limits() {
	awk '/^Max (cpu time|file size|address space|data size)/ && $(NF - 2) != $(NF - 1)' \
		"/proc/$1/limits"
}

@test "limits: a keeper that is left behind does not have those of its caller" {
	local keeper
	start_worker --port 8080
	bash -c 'ulimit -S -t 20 -f 100 -v 4000000 -d 4000000 && exec "$@"' limited \
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 \
		--log "$BATS_TEST_TMPDIR/keeper.log" 3>&-
	record_bpf
	keeper=$(keeper_pid 8080 tcp)
	equal "$(soft_limits "$keeper")" ""
	# And one that it cannot lift is an error of the log, no more.
	prlimit --fsize=1:1 -p "$keeper"
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	# With less than two descriptors not even poll() works.
	prlimit --nofile=1: -p "$keeper"
	start_worker --port 8080
	pause 0.3
	prlimit --nofile=1000: -p "$keeper"
	wait_until 10 in_sync 8080 tcp
	equal "$(keeper_pid 8080 tcp)" "$keeper" "keeper"
	prlimit --nofile=1: -p "$keeper"
	pause 0.2
	kill "$keeper"
	wait_until 5 gone "$keeper"
}

@test "limits: a file that may not grow is a log that takes nothing" {
	start_worker --port 8080
	head -c 1024 /dev/zero >"$BATS_TEST_TMPDIR/log"
	refused 1 bash -c 'ulimit -f 1; exec "$@"' limited "$REUSEPORTCTL" attach --netns "$NS" \
		--port 8080 --log "$BATS_TEST_TMPDIR/log"
	says "cannot write to --log"
	untouched 8080
}
