#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A process without rights makes the kernel hold whoever looks at it: by an epoll set, by an
# exec that does not end, by the lock of its socket, by a directory of /proc. Every command
# ends all the same, the keeper goes on, and the others are served.
load ../cli/common.bash

setup() {
	begin_test
	FUSE=$BATS_TEST_TMPDIR/fuse
	mknod "$FUSE" c 10 229 && chmod 666 "$FUSE"
	chmod o+x "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR"/.. "$BATS_TEST_TMPDIR"/../..
	# The commands may take so long, with two processors that have other work, too.
	BOUND=$((8 * RP_PATIENCE))
}

teardown() {
	end_test
}

# Each way costs every command its patience, and differs in the kernel only.
one_way_is_enough() {
	skip_if_sanitized "our code is the same as in the other tests here"
}

# Ends within the bound. Sets $status and $output, with what it says on standard error.
bounded() {
	local from
	from=$(now_ms)
	run timeout -k 1 $((BOUND + 2)) "$@" 3>&-
	echo "$*: status $status after $(($(now_ms) - from)) ms: $output"
	[ "$status" -ne 124 ] && [ "$status" -ne 137 ] || fail "it hangs: $*"
}

# holder HOW PROTO ADDR PORT: sets $held_pid and $held_cookie.
holder() {
	local out word
	out=$BATS_TEST_TMPDIR/holder.$((holder_count = ${holder_count:-0} + 1))
	spawn "$out" setpriv --reuid 65534 --regid 65534 --clear-groups --bounding-set=-all \
		"$HELPERS/holder" "$1" "$2" "$3" "$4" "$FUSE"
	wait_until 10 test -s "$out" || {
		grep -q 'fuse\|mount\|unshare' "$BATS_TEST_TMPDIR/spawned.log" &&
			skip "no FUSE for users here: $(tail -n 1 "$BATS_TEST_TMPDIR/spawned.log")"
		fail "holder $* does not hold"
	}
	read -r word held_pid held_cookie <"$out"
}

# Workers of the same user, so that they are of the holder's group.
worker_of_stranger() {
	local out=$BATS_TEST_TMPDIR/stranger.$((stranger_count = ${stranger_count:-0} + 1))
	spawn "$out" setpriv --reuid 65534 --regid 65534 --clear-groups "$HELPERS/worker" "$@"
	wait_until 10 worker_ready "$out" || fail "worker $* is not ready"
}

tool() {
	local name=$1
	shift
	[ "$name" != attach ] || set -- --log "$BATS_TEST_TMPDIR/keeper.log" "$@"
	bounded "$REUSEPORTCTL" "$name" --netns "$NS" --port 8080 --proto "$PROTO" "$@"
}

workers_with_slot() {
	"$REUSEPORTCTL" status --netns "$NS" --port 8080 --proto "$PROTO" --json 2>/dev/null |
		jq '[.groups[].workers[].cookie] | length'
}

has_slots() {
	[ "$(workers_with_slot)" -ge "$1" ]
}

# Whatever it holds: those that answer are served, and each command ends. They look in a few ways,
# and wait each time, so but for one way to hold it is a command of each of them.
all_commands_end() {
	local cookie
	cookie=$("$REUSEPORTCTL" status --netns "$NS" --port 8080 --proto "$PROTO" --json 2>/dev/null |
		jq -r '.groups[0].workers[0].cookie')
	tool status
	equal "$status" 0 "status"
	tool drain "cookie:$cookie"
	equal "$status" 0 "drain"
	[ "$1" = epoll ] || return 0
	tool list
	equal "$status" 0 "list"
	tool policy consistent
	tool policy hash
	equal "$status" 0 "policy"
	tool weight "cookie:$cookie" 2
	tool undrain "cookie:$cookie"
	equal "$status" 0 "undrain"
}

# held_before HOW: it is a member before the attach.
held_before() {
	start_two
	holder "$1" "$PROTO" 127.0.0.1 8080
	tool attach
	equal "$status" 0 "attach"
	wait_until 10 has_slots 2 || fail "the others have no slot"
	all_commands_end "$1"
	# Another one joins.
	worker_of_stranger --port 8080 --proto "$PROTO" --addr 127.0.0.1
	wait_until 10 has_slots 3 || fail "the newcomer has no slot"
	tool detach
	equal "$status" 0 "detach"
}

start_two() {
	worker_of_stranger --port 8080 --proto "$PROTO" --addr 127.0.0.1
	worker_of_stranger --port 8080 --proto "$PROTO" --addr 127.0.0.1
}

# held_after HOW: it joins while the keeper runs.
held_after() {
	start_two
	tool attach
	equal "$status" 0 "attach"
	holder "$1" "$PROTO" 127.0.0.1 8080
	worker_of_stranger --port 8080 --proto "$PROTO" --addr 127.0.0.1
	wait_until 10 has_slots 3 || fail "the newcomer has no slot"
	# The keeper looks who serves each socket a second after a change.
	pause 2
	all_commands_end "$1"
	kill -0 "$(keeper_pid 8080 "$PROTO")" || fail "no keeper"
	tool detach
	equal "$status" 0 "detach"
}

@test "hang: an epoll set, before the attach" {
	PROTO=tcp held_before epoll
}

@test "hang: an exec, before the attach" {
	one_way_is_enough
	PROTO=tcp held_before exec
}

@test "hang: the lock of a TCP socket, before the attach" {
	one_way_is_enough
	PROTO=tcp held_before lock
}

@test "hang: the lock of a UDP socket, before the attach" {
	PROTO=udp held_before lock
}

@test "hang: a directory of /proc, before the attach" {
	one_way_is_enough
	PROTO=tcp held_before getdents
}

@test "hang: an epoll set, of one that joins" {
	PROTO=tcp held_after epoll
}

@test "hang: an exec, of one that joins" {
	one_way_is_enough
	PROTO=tcp held_after exec
}

@test "hang: the lock of a socket, of one that joins" {
	one_way_is_enough
	PROTO=tcp held_after lock
}

@test "hang: a directory of /proc, of one that joins" {
	one_way_is_enough
	PROTO=udp held_after getdents
}

# Looked at where it has to be, it is named.
@test "hang: the process is named" {
	PROTO=tcp
	holder exec tcp 127.0.0.1 8080
	start_two
	tool attach
	equal "$status" 0 "attach"
	[[ $output == *"process $held_pid"*"does not let itself be inspected"* ]] ||
		fail "not named: $output"
}

@test "hang: a stranger on another address of the port" {
	one_way_is_enough
	PROTO=tcp
	start_two
	holder exec tcp 127.0.0.2 8080
	tool attach
	equal "$status" 0 "attach"
	wait_until 10 has_slots 2 || fail "the others have no slot"
	worker_of_stranger --port 8080 --proto tcp --addr 127.0.0.1
	wait_until 10 has_slots 3 || fail "the newcomer has no slot"
	tool detach
	equal "$status" 0 "detach"
}
