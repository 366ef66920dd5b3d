#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Members that are hard to reach: the socket takes no program, the process hides from others
# of its user, its main thread has ended, a thread has the socket in a table of its own. What
# one member refuses does not decide for the others; each that can be reached gets a slot.
load common.bash

setup() {
	begin_test
}

teardown() {
	end_strangers
	end_test
}

# steers PROTO COOKIE...: these get slots and all packets, and detach leaves nothing.
steers() {
	local proto=$1
	shift
	equal "$(workers_of $STRANGER 8080 "$proto")" "$(sorted "$@")" "workers"
	equal "$(programs_of $STRANGER 8080 "$proto")" reuseport_steer
	client --to 127.0.0.1:8080 --proto "$proto" --count 200 >"$BATS_TEST_TMPDIR/answers"
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | cut -d' ' -f1 | xargs)" "$(sorted "$@")" \
		"who answers"
	equal "$(balanced 8080 "$proto" '[.counters | .packets, .selected] | tojson')" "[200,200]"
}

gives_back() {
	succeeds ctl detach --port 8080 --proto "$1"
	untouched 8080 "$1"
}

# beside PROTO OPTION: such a member is there first, and others after it.
beside() {
	local proto=$1 odd
	shift
	start_stranger --port 8080 --proto "$proto" "$@"
	odd=$worker_cookies
	start_stranger --port 8080 --proto "$proto" --sockets 2
	attach --port 8080 --proto "$proto"
	steers "$proto" "$odd" $worker_cookies
	gives_back "$proto"
}

# alone PROTO OPTION: the group has no other member.
alone() {
	local proto=$1
	shift
	start_stranger --port 8080 --proto "$proto" "$@"
	attach --port 8080 --proto "$proto"
	steers "$proto" $worker_cookies
	gives_back "$proto"
}

# later PROTO OPTION: such a member joins a group that is steered.
later() {
	local proto=$1 first
	shift
	start_stranger --port 8080 --proto "$proto" --sockets 2
	first=$worker_cookies
	attach --port 8080 --proto "$proto"
	start_stranger --port 8080 --proto "$proto" "$@"
	wait_until 15 in_sync 8080 "$proto"
	steers "$proto" $first $worker_cookies
	gives_back "$proto"
}

# ------------------------------------------------------------ SO_LOCK_FILTER

@test "locked: a member with SO_LOCK_FILTER, TCP" {
	beside tcp --lock-filter
}

@test "locked: a member with SO_LOCK_FILTER, UDP" {
	beside udp --lock-filter
}

@test "locked: a member with SO_LOCK_FILTER joins" {
	later tcp --lock-filter
}

@test "locked: all members have SO_LOCK_FILTER" {
	start_stranger --port 8080 --sockets 2 --lock-filter
	refused 1 ctl attach --port 8080
	says SO_LOCK_FILTER
	untouched 8080
}

# The first of a group that was recreated; the next one takes the program.
@test "locked: a member with SO_LOCK_FILTER is the first of a new group" {
	start_stranger --port 8080
	attach --port 8080
	end_strangers
	wait_until 15 nobody_left
	start_stranger --port 8080 --lock-filter
	odd=$worker_cookies
	wait_until 15 in_sync 8080 tcp
	start_stranger --port 8080
	wait_until 15 in_sync 8080 tcp
	steers tcp "$odd" "$worker_cookies"
	gives_back tcp
}

nobody_left() {
	[ -z "$(shown 8080 tcp)" ]
}

# -------------------------------------------------------- a stranger's group

@test "locked: a stranger's locked group at another address, and the server's" {
	start_stranger --port 8080 --addr 127.0.0.2 --lock-filter
	start_worker --port 8080 --addr 127.0.0.1 --sockets 2
	attach --port 8080
	equal "$(workers_of 0 8080 tcp)" "$(sorted $worker_cookies)" "root's workers"
	equal "$(programs_of $STRANGER 8080 tcp)" null
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20 "selected"
	succeeds ctl detach --port 8080
	untouched 8080
}

# ----------------------------------------------------------- odd processes

@test "locked: a process that hides, PR_SET_DUMPABLE" {
	beside tcp --undumpable
	end_strangers
	alone udp --undumpable
	end_strangers
	later tcp --undumpable
}

@test "locked: a process whose main thread has ended" {
	beside tcp --main-ends
	end_strangers
	alone udp --main-ends
	end_strangers
	later tcp --main-ends
}

# Linux 6.9 and newer give a descriptor of a thread.
@test "locked: descriptors in a thread's own table" {
	beside tcp --own-table
	end_strangers
	alone udp --own-table
	end_strangers
	later tcp --own-table
}

@test "locked: all of it at once" {
	later udp --own-table --main-ends --undumpable --lock-filter
}
