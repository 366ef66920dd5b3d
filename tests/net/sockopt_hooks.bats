#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The programs of the socket options: what a socket is answered before it is bound, where nothing
# steers it, where its group is steered, and as a member; what they write for the steering program
# and for the keeper; how they are there beside other sets of hooks and other tools' programs.
# The helper "asker" plays the keeper of a group of its own, which the real one knows nothing of.
load ../bash/lib.bash
load ../bash/own_cgroup.bash

HOOKS=$PINS/hooks
PORT=9000 # nothing is attached there

setup() {
	begin_test
	skip_without socket-options
}

teardown() {
	unshare_cgroup
	end_test
}

# hook: there are hooks, of another group.
hook() {
	start_workers 1 --port 8080
	attach --port 8080
	[ -e "$HOOKS/setsockopt" ] && [ -e "$HOOKS/getsockopt" ] || fail "there are no hooks"
}

asker() {
	in_ns "$HELPERS/asker" "$HOOKS" "$@"
}

# answers LINES COMMAND...: asker prints these.
answers() {
	local lines=$1
	shift
	equal "$(asker "$@" 2>&1)" "$lines"
}

# Errnos of a program's own need Linux 5.18.
own_errnos() {
	[ "$(printf '5.18\n%s' "$(uname -r)" | sort -V | head -n 1)" = 5.18 ] || skip "Linux $(uname -r)"
}

# of_kind KIND: sets kind, addr, and up, which makes a bound socket a member.
KINDS=(tcp4 tcp6 udp4 udp6)
of_kind() {
	kind=$1 addr=127.0.0.1 up=
	[[ $kind == *4 ]] || addr=::1
	[[ $kind == udp* ]] || up=listen
}

# ------------------------------------------------------------------------ answers

@test "sockopt hooks: before bind all is remembered, and what is wrong is refused" {
	own_errnos
	hook
	for of in "${KINDS[@]}"; do
		of_kind "$of"
		answers "READY 1: 0
WEIGHT 1000: 0
ID 4294967295: 0
DRAIN 2: 0
READY 2: EINVAL
READY 4294967295: EINVAL
DRAIN 3: EINVAL
WEIGHT 1001: EINVAL
ID of 3 bytes: EINVAL
ID of 8 bytes: EINVAL
ID of 5000 bytes: EINVAL
READY of 0 bytes: EINVAL
0 1: ENOPROTOOPT
5 1: ENOPROTOOPT
7 1: ENOPROTOOPT
state 0 4294967295 0 1000 4294967295 0 0 0 0" \
			"$kind" set READY 1 set WEIGHT 1000 set ID 4294967295 set DRAIN 2 set READY 2 \
			set READY 4294967295 set DRAIN 3 set WEIGHT 1001 long ID 3 long ID 8 long ID 5000 \
			long READY 0 set 0 1 set 5 1 set 7 1 state
	done
}

@test "sockopt hooks: the state is as long as it is asked for" {
	own_errnos
	hook
	for of in "${KINDS[@]}"; do
		of_kind "$of"
		answers "state: EINVAL
state 0, 4 bytes of 4
state 0, 6 bytes of 6
state 0 4294967295, 8 bytes of 8
state 0 4294967295 0 1 0 0 0 0, 39 bytes of 39
state 0 4294967295 0 1 0 0 0 0 0
state 0 4294967295 0 1 0 0 0 0 0
state 0 4294967295 0 1 0 0 0 0 0" \
			"$kind" state 3 state 4 state 6 state 8 state 39 state 40 state 41 state 9000
	done
}

@test "sockopt hooks: once it is bound, where nothing steers it" {
	own_errnos
	hook
	for of in "${KINDS[@]}"; do
		of_kind "$of"
		answers "READY 1: 0
READY 1: ENOTCONN
DRAIN 1: ENOTCONN
WEIGHT 5: ENOTCONN
ID 5: ENOTCONN
state: ENOTCONN
READY 0: ENOTCONN
WEIGHT 1001: EINVAL
ID of 3 bytes: EINVAL
state: EINVAL
5 1: ENOPROTOOPT" \
			"$kind" set READY 1 bind "$addr" $PORT set READY 1 set DRAIN 1 set WEIGHT 5 set ID 5 \
			state "${up:-bound}" set READY 0 set WEIGHT 1001 long ID 3 state 3 set 5 1
	done
}

@test "sockopt hooks: in a group that is steered, without a slot yet" {
	own_errnos
	hook
	for of in "${KINDS[@]}"; do
		of_kind "$of"
		answers "WEIGHT 7: 0
READY 0: 0
ID 8: 0
state 1 4294967295 0 7 8 0 0 0 0
state 1 4294967295 0 7 8 0 0 0 0
no request
nobody
DRAIN 0: EPERM
state 1 4294967295 0 7 8 0 0 0 0
DRAIN 0: ENOTCONN" \
			"$kind" set WEIGHT 7 bind "$addr" $PORT steer set READY 0 set ID 8 state \
			"${up:-bound}" state request owner 0 8 steer no-sockopt set DRAIN 0 state forget \
			set DRAIN 0
	done
}

@test "sockopt hooks: a wildcard, both families, a v6only one" {
	own_errnos
	hook
	answers "READY 1: 0
READY 1: ENOTCONN
READY 1: 0
READY 1: ENOTCONN" \
		udp4 bind 0.0.0.0 $PORT steer set READY 1 udp4 bind 127.0.0.1 $PORT set READY 1 \
		udp6 bind :: 9001 steer set READY 1 udp6 v6only bind :: 9002 steer forget set READY 1
	answers "READY 1: 0" udp6 v6only bind :: $PORT steer set READY 1
	answers "READY 1: ENOTCONN" udp6 v6only bind :: $PORT steer udp6 bind :: 9003 set READY 1
}

@test "sockopt hooks: a member, and what the steering program and the keeper see of it" {
	own_errnos
	hook
	for of in "${KINDS[@]}"; do
		of_kind "$of"
		answers "state 2 5 4 10 0 0 0 3 0
WEIGHT 20: 0
request 1 0 0 20 0
word 0 0, shown 0
DRAIN 1: 0
word 1 2, shown 1
DRAIN 2: 0
word 2 3, shown 1
DRAIN 0: 0
word 0 4, shown 1
READY 0: 0
word 1 5, shown 1
READY 1: 0
word 0 6, shown 1
request 6 1 0 20 0
READY 2: EINVAL
request 6 1 0 20 0
state 2 5 4 10 0 0 0 3 6
word 0 0, shown 1
READY 0: 0
word 0 0, shown 1
request 6 1 0 20 0" \
			"$kind" bind "$addr" $PORT "${up:-bound}" steer words join 5 4 0 - state set WEIGHT 20 \
			request word 5 set DRAIN 1 word 5 set DRAIN 2 word 5 set DRAIN 0 word 5 set READY 0 \
			word 5 set READY 1 word 5 request set READY 2 request join 5 4 6 - state word 4 leave \
			set READY 0 word 4 request
	done
}

@test "sockopt hooks: what waits in the queue is in the state" {
	hook
	answers "state 1 4294967295 0 1 0 2 0 0 0" tcp4 bind 127.0.0.1 $PORT listen steer \
		connect connect state
	# Of a datagram the kernel counts its memory.
	run asker udp4 bind 127.0.0.1 $PORT steer send send state
	equal "$(cut -d' ' -f 1-6 <<<"$output")" "state 1 4294967295 0 1 0"
	[ "$(cut -d' ' -f 7 <<<"$output")" -ge 20 ]
}

@test "sockopt hooks: a connection is no worker, though it has a worker's address" {
	own_errnos
	hook
	answers "READY 1: 0
READY 1: ENOTCONN
state: ENOTCONN" tcp4 bind 127.0.0.1 $PORT listen steer set READY 1 accept set READY 1 state
}

@test "sockopt hooks: --no-sockopt holds for a worker that gets another address" {
	own_errnos
	start_workers 1 --port 8080
	attach --port 8080 --no-sockopt
	answers "DRAIN 1: EPERM
DRAIN 1: EPERM
no request" tcp4 bind 0.0.0.0 8080 listen await 2 set DRAIN 1 device lo set DRAIN 1 request
}

@test "sockopt hooks: a raw socket is another one" {
	hook
	answers "READY 1: ENOPROTOOPT
state: EOPNOTSUPP" raw set READY 1 state
}

@test "sockopt hooks: an id is one worker's in a generation" {
	own_errnos
	hook
	answers "ID 7: 0
this
ID 7: EEXIST
ID 7: 0
this
ID 8: 0
nobody
ID 7: EEXIST
another
this
ID 7: 0
ID 7: 0
request 3 0 0 0 7" \
		udp4 bind 127.0.0.1 $PORT steer join 0 1 0 - set ID 7 owner 1 7 \
		udp4 bind 127.0.0.1 $PORT join 1 1 0 - set ID 7 \
		udp4 bind 127.0.0.1 $PORT join 2 2 0 - set ID 7 owner 2 7 set ID 8 owner 2 7 \
		socket 1 set ID 7 owner 1 7 socket 0 owner 1 7 set ID 7 set ID 7 request
}

@test "sockopt hooks: who asks for many ids has two at most" {
	local i ids=()
	hook
	for ((i = 100; i < 300; i++)); do ids+=(set ID "$i"); done
	asker udp4 bind 127.0.0.1 $PORT steer set ID 99 join 0 1 0 50 "${ids[@]}" >/dev/null
	equal "$(bpftool -j map dump pinned "$HOOKS/worker_ids" | jq length)" 1
}

@test "sockopt hooks: the keeper is told once until it has read, and of each request after that" {
	hook
	answers "READY 1: 0
told
READY 1: 0
READY 1: 0
WEIGHT 1: 0
told 3
ID 1: 0
told
ID 1: 0
ID 2: 0
told 3" udp4 bind 127.0.0.1 $PORT steer follow set READY 1 told join 3 1 1 - set READY 1 \
		set READY 1 set WEIGHT 1 told set ID 1 told join 3 1 5 - set ID 1 set ID 2 told
}

# ------------------------------------------------------------ more than one set

# other_bpffs: with an attachment of its own, to port 8081; sets $OTHER, its hooks.
other_bpffs() {
	spawn "$BATS_TEST_TMPDIR/other" unshare --mount sh -c \
		'mount -t bpf -o mode=0700 bpf /sys/fs/bpf && echo mounted && exec sleep 600'
	other_pid=$spawned
	wait_until 10 grep -q mounted "$BATS_TEST_TMPDIR/other"
	start_workers 1 --port 8081
	in_other attach --port 8081
	OTHER=/proc/$other_pid/root$HOOKS
	[ -e "$OTHER/setsockopt" ]
}

in_other() {
	nsenter --mount="/proc/$other_pid/ns/mnt" "$REUSEPORTCTL" "$1" --netns "$NS" "${@:2}" 3>&-
}

@test "sockopt hooks: of two sets the one that knows the socket answers" {
	local one two
	own_errnos
	hook
	other_bpffs
	for one in "$HOOKS" "$OTHER"; do
		two=$OTHER
		[ "$one" = "$HOOKS" ] || two=$HOOKS
		answers "READY 2: EINVAL
ID of 8 bytes: EINVAL
WEIGHT 5: 0
state 0 4294967295 0 5 0 0 0 0 0
READY 1: ENOTCONN
READY 2: EINVAL
state: ENOTCONN
READY 1: 0
state 1 4294967295 0 5 0 0 0 0 0
state 2 3 1 10 0 0 0 3 2
WEIGHT 6: 0
READY 2: EINVAL
request 3 1 0 6 0
no request
WEIGHT 7: EPERM
state 2 3 1 10 0 0 0 3 2" \
			udp4 set READY 2 long ID 8 set WEIGHT 5 state bind 127.0.0.1 $PORT set READY 1 \
			set READY 2 state hooks "$one" steer set READY 1 state join 3 1 2 - state set WEIGHT 6 \
			set READY 2 request hooks "$two" request hooks "$one" steer no-sockopt set WEIGHT 7 \
			state leave forget
	done
	in_other detach --port 8081
	answers "READY 1: ENOTCONN" udp4 bind 127.0.0.1 $PORT set READY 1
}

# -------------------------------------------------------------- programs of others

programs_are_there() {
	[ -e "$HOOKS/setsockopt" ] && [ -e "$HOOKS/getsockopt" ]
}

@test "sockopt hooks: another tool's program that admits no other is named, and all else works" {
	local id said
	own_cgroup
	asker exclusive "${CGROUP%/*}"
	id=$(bpftool -j cgroup show "${CGROUP%/*}" | jq '.[0].id')
	start_workers 1 --port 8080
	attach --port 8080
	said="program 'other_tool' (id $id) of another tool is at the root cgroup, and admits no other one there"
	grep -qF "warning: tcp 0.0.0.0:8080: cannot take socket options of workers: $said" \
		"$BATS_TEST_TMPDIR/keeper.log"
	equal "$("$REUSEPORTCTL" features --json | jq -r '.features[] |
		select(.name == "socket-options") | "\(.state): \(.reason)"')" "failed: $said"
	"$REUSEPORTCTL" features | grep -qF "): $said"
	in_ns "$REUSEPORTCTL" doctor --json >"$BATS_TEST_TMPDIR/doctor" 3>&- || true
	jq -r '.findings[] | select(.evidence.feature == "socket-options").text' "$BATS_TEST_TMPDIR/doctor" |
		grep -qF "$said"
	equal "$(status 8080 tcp .ways.joins)" events
	start_worker --port 8080
	wait_until 20 in_sync 8080 tcp
	run ! programs_are_there
	# It leaves, and the keeper finds that out.
	bpftool cgroup detach "${CGROUP%/*}" cgroup_setsockopt id "$id"
	wait_until 20 programs_are_there
	equal "$("$REUSEPORTCTL" features --json | jq -r '.features[] | select(.name == "socket-options").state')" \
		available
	ctl detach --port 8080
	equal "$(bpftool -j cgroup show "${CGROUP%/*}")" "" "programs"
}

@test "sockopt hooks: with 64 other programs that is the reason" {
	own_cgroup
	asker crowd "${CGROUP%/*}"
	start_workers 1 --port 8080
	attach --port 8080
	grep -q 'cannot take socket options of workers: 64 other programs are at the root cgroup' \
		"$BATS_TEST_TMPDIR/keeper.log"
	equal "$(status 8080 tcp .ways.joins)" events
	ctl detach --port 8080
}

@test "sockopt hooks: turned off, and gone with the last attachment" {
	start_workers 1 --port 8080
	REUSEPORT_DISABLE=socket-options attach --port 8080
	grep -q "info: tcp 0.0.0.0:8080: cannot take socket options of workers: .* turns off 'socket-options'" \
		"$BATS_TEST_TMPDIR/keeper.log"
	[ ! -e "$HOOKS/setsockopt" ] && [ ! -e "$HOOKS/members" ] && [ -e "$HOOKS/bind4" ]
	ctl detach --port 8080
	attach --port 8080
	programs_are_there
	ctl detach --port 8080
	[ ! -e "$HOOKS" ]
}
