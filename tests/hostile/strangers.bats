#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Sockets of others on the same port: another user's group at the same address, a socket
# without SO_REUSEPORT there, sockets of another network namespace. None of them gets a slot
# or the program, or decides what becomes of the server's group.
load common.bash

setup() {
	begin_test
	NS1=$NS
}

teardown() {
	NS=$NS1
	end_strangers
	end_test
}

# The server's workers are root's, and the stranger was there first: it has the lowest
# cookie, and the kernel lists it last.
server_and_stranger() {
	start_stranger --port 8080 --proto udp --also-reuseaddr --sockets 2
	strangers=($worker_cookies)
	start_worker --port 8080 --proto udp --also-reuseaddr --sockets 3
	servers=($worker_cookies)
}

two_groups() {
	equal "$(ctl list --port 8080 --proto udp --json | jq -c '[.groups[] | [.uid, .sockets]] | sort')" \
		'[[0,3],[65534,2]]' "groups"
}

# ------------------------------------------------------ another user's group

@test "strangers: --uid steers the group of one user, and leaves the other's alone" {
	server_and_stranger
	two_groups
	attach --port 8080 --proto udp --uid 0 --policy consistent
	two_groups
	equal "$(workers_of 0 8080 udp)" "$(sorted "${servers[@]}")" "root's workers"
	equal "$(workers_of $STRANGER 8080 udp)" "" "the stranger's workers"
	equal "$(programs_of 0 8080 udp)" reuseport_steer
	equal "$(programs_of $STRANGER 8080 udp)" null
	serves 8080 udp
	equal "$(balanced 8080 udp .counters.selected)" 20 "selected"
	# One that comes later does not join either.
	start_stranger --port 8080 --proto udp --also-reuseaddr
	start_worker --port 8080 --proto udp --also-reuseaddr
	wait_until 15 joined "$worker_cookies"
	equal "$(workers_of 0 8080 udp)" "$(sorted "${servers[@]}" "$worker_cookies")" "root's workers"
	equal "$(programs_of $STRANGER 8080 udp)" null
	succeeds ctl detach --port 8080 --proto udp
	untouched 8080 udp
}

joined() {
	workers_of 0 8080 udp | grep -qw "$1"
}

@test "strangers: without --uid each user's group is steered by itself" {
	server_and_stranger
	attach --port 8080 --proto udp >"$BATS_TEST_TMPDIR/said"
	grep -q '^udp 0.0.0.0:8080 uid 0: steering 3 workers' "$BATS_TEST_TMPDIR/said"
	grep -q '^udp 0.0.0.0:8080 uid 65534: steering 2 workers' "$BATS_TEST_TMPDIR/said"
	equal "$(workers_of 0 8080 udp)" "$(sorted "${servers[@]}")" "root's workers"
	equal "$(workers_of $STRANGER 8080 udp)" "$(sorted "${strangers[@]}")" "the stranger's workers"
	equal "$(ctl status --port 8080 --proto udp | grep -c 'uid')" 2 "uids in the status"
	# The names of the pins differ.
	equal "$(pins_of "$NS_INODE" | xargs -n1 basename | sort | xargs)" \
		"udp-0_0_0_0-8080-$NS_INODE udp-0_0_0_0-8080-$NS_INODE-uid65534"
	# No command takes one for the other.
	refused 2 ctl policy --port 8080 --proto udp consistent
	says "uid 0" "uid 65534" "--uid"
	refused 2 ctl drain --port 8080 --proto udp slot:0
	says "uid 0" "uid 65534"
}

rules_of() {
	look 8080 udp | jq -r ".groups[] | select(.uid == $1) |
		[.rules, .policy, .keeper.pid, .keeper.running, [.workers[] | [.slot, .cookie, .weight, .state]]] | tojson"
}

@test "strangers: what is done to one user's group leaves the other's as it was" {
	local before command
	server_and_stranger
	attach --port 8080 --proto udp
	before=$(rules_of 0)
	for command in "policy --port 8080 weighted" "weight --port 8080 slot:0 7" \
		"drain --port 8080 slot:1" "policy --port 8080 consistent" "rollout --port 8080 begin"; do
		ctl $command --proto udp --uid $STRANGER >/dev/null
		equal "$(rules_of 0)" "$before" "after $command"
	done
	succeeds ctl detach --port 8080 --proto udp --uid $STRANGER
	equal "$(rules_of 0)" "$before" "after detach"
	equal "$(programs_of $STRANGER 8080 udp)" null
	equal "$(programs_of 0 8080 udp)" reuseport_steer
	equal "$(pins_of "$NS_INODE" | xargs -n1 basename)" "udp-0_0_0_0-8080-$NS_INODE"
	serves 8080 udp
	equal "$(balanced 8080 udp .counters.selected)" 20 "selected"
	# The one with the plain name goes first.
	attach --port 8080 --proto udp --uid $STRANGER
	before=$(rules_of $STRANGER)
	succeeds ctl detach --port 8080 --proto udp --uid 0
	equal "$(rules_of $STRANGER)" "$before" "after the other's detach"
	equal "$(programs_of 0 8080 udp)" null
	succeeds ctl detach --port 8080 --proto udp
	untouched 8080 udp
}

# TCP has one user at an address, so the stranger is at another one.
@test "strangers: a group at another address of the port, TCP" {
	start_stranger --port 8080 --addr 127.0.0.2
	start_worker --port 8080 --addr 127.0.0.1 --sockets 3
	attach --port 8080 --uid 0
	equal "$(workers_of 0 8080 tcp)" "$(sorted $worker_cookies)" "root's workers"
	equal "$(programs_of $STRANGER 8080 tcp)" null
	serves 8080
	equal "$(balanced 8080 tcp .counters.selected)" 20 "selected"
	succeeds ctl detach --port 8080
	untouched 8080
}

# --------------------------------------------------- without SO_REUSEPORT

# A socket that only has SO_REUSEADDR, as old servers have it, shares the port with all.
@test "strangers: a socket of another user without SO_REUSEPORT, UDP" {
	local uid
	for uid in "" "--uid 0"; do
		start_stranger --port 8080 --proto udp --reuseaddr
		start_worker --port 8080 --proto udp --also-reuseaddr --sockets 3
		attach --port 8080 --proto udp $uid
		equal "$(workers_of 0 8080 udp)" "$(sorted $worker_cookies)" "root's workers"
		equal "$(programs_of 0 8080 udp)" reuseport_steer
		serves 8080 udp
		succeeds ctl detach --port 8080 --proto udp
		untouched 8080 udp
		end_strangers
		stop "$worker_pid"
	done
}

@test "strangers: the same by sock_diag, which does not tell groups" {
	export REUSEPORT_DISABLE=iterators
	start_stranger --port 8080 --proto udp --reuseaddr
	start_worker --port 8080 --proto udp --also-reuseaddr --sockets 3
	attach --port 8080 --proto udp --uid 0
	equal "$(workers_of 0 8080 udp)" "$(sorted $worker_cookies)" "root's workers"
	succeeds ctl detach --port 8080 --proto udp
	unset REUSEPORT_DISABLE
	equal "$(programs_of 0 8080 udp)" null
	untouched 8080 udp
}

@test "strangers: detach by sock_diag, with a group of another user there first" {
	export REUSEPORT_DISABLE=iterators
	server_and_stranger
	attach --port 8080 --proto udp --uid 0
	equal "$(workers_of 0 8080 udp)" "$(sorted "${servers[@]}")" "root's workers"
	succeeds ctl detach --port 8080 --proto udp
	unset REUSEPORT_DISABLE
	equal "$(programs_of 0 8080 udp)" null
	untouched 8080 udp
}

# -------------------------------------------------- other network namespaces

# in_another_netns PROTO DISABLED: the same user is there, at the same address. Events come
# from all namespaces, and without a cookie nothing in them tells which.
in_another_netns() {
	local proto=$1 first
	export REUSEPORT_DISABLE=$2
	start_stranger --port 8080 --proto "$proto" --sockets 2
	first=$worker_cookies
	attach --port 8080 --proto "$proto" --policy consistent
	new_netns
	NS=$new_ns
	start_stranger --port 8080 --proto "$proto" --sockets 3
	# What joins here after those there has been looked at after them.
	NS=$NS1
	start_stranger --port 8080 --proto "$proto"
	wait_until 15 joined_here "$proto" "$worker_cookies"
	equal "$(workers_of $STRANGER 8080 "$proto")" "$(sorted $first "$worker_cookies")" "workers"
	equal "$(slots_taken "$proto")" 3 "slots"
	equal "$(programs_in "$new_ns" "$proto")" null "program in the other namespace"
	# Nor when the group is empty, and any newcomer would recreate it.
	end_strangers
	wait_until 15 joined_nobody "$proto"
	NS=$new_ns
	start_stranger --port 8080 --proto "$proto" --sockets 3
	NS=$NS1
	start_stranger --port 8080 --proto "$proto"
	wait_until 15 joined_here "$proto" "$worker_cookies"
	equal "$(workers_of $STRANGER 8080 "$proto")" "$worker_cookies" "workers"
	equal "$(programs_in "$new_ns" "$proto")" null "program in the other namespace"
	equal "$(slots_taken "$proto")" 1 "slots"
	serves 8080 "$proto"
	equal "$(balanced 8080 "$proto" '[.counters | .selected, .fallback] | tojson')" "[20,0]" "packets"
	succeeds ctl detach --port 8080 --proto "$proto"
	untouched 8080 "$proto"
}

# The slots that are taken: status does not show those of sockets that are not here.
slots_taken() {
	bpftool -j map dump pinned "$(pin_of 8080 "$1")/workers" |
		jq '[.[].formatted.value | select(.state != "WORKER_FREE")] | length'
}

joined_here() {
	workers_of $STRANGER 8080 "$1" | grep -qw "$2"
}

joined_nobody() {
	[ -z "$(workers_of $STRANGER 8080 "$1")" ]
}

programs_in() {
	REUSEPORT_DISABLE= "$REUSEPORTCTL" list --netns "$1" --port 8080 --proto "$2" --json 3>&- |
		jq -r '.groups[].program | if . then .name else "null" end' | sort -u | xargs
}

@test "strangers: another network namespace, TCP" {
	in_another_netns tcp ""
}

@test "strangers: another network namespace, UDP" {
	in_another_netns udp ""
}

@test "strangers: another network namespace, without cookies, TCP" {
	in_another_netns tcp netns-cookie
}

@test "strangers: another network namespace, without cookies, UDP" {
	in_another_netns udp netns-cookie
}

@test "strangers: another network namespace, without cookies and iterators" {
	in_another_netns tcp netns-cookie,iterators
}
