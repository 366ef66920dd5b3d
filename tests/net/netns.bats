#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Network namespaces: the same address and port in two of them are two
# attachments, and no attachment keeps its namespace alive.
load ../bash/lib.bash

setup() {
	begin_test
	NS1=$NS
}

teardown() {
	NS=$NS1
	end_test
}

selected_in() {
	ctl status --port 8080 --netns "$1" --json | jq '.groups[0].counters.selected'
}

@test "netns: the same port in two namespaces" {
	start_workers 2 --port 8080
	new_netns
	NS2=$new_ns
	NS=$NS2
	start_workers 3 --port 8080
	attach --port 8080 --netns "$NS1"
	ctl attach --port 8080 --netns "$NS2"

	equal "$(ctl status --port 8080 --netns "$NS1" --json | jq '.groups[0].workers | length')" 2
	equal "$(ctl status --port 8080 --netns "$NS2" --json | jq '.groups[0].workers | length')" 3
	equal "$(ctl status --netns "$NS2" --json | jq '.groups[0].netns')" "$new_ns_inode"
	in_netns "$NS1" "$HELPERS/client" --to 127.0.0.1:8080 --count 70 >/dev/null
	in_netns "$NS2" "$HELPERS/client" --to 127.0.0.1:8080 --count 30 >/dev/null
	equal "$(selected_in "$NS1")" 70
	equal "$(selected_in "$NS2")" 30

	ctl detach --port 8080 --netns "$NS1"
	equal "$(ctl status --port 8080 --netns "$NS2" --json |
		jq -c '.groups[0] | [.keeper.running, .program.attached]')" '[true,true]'
	in_netns "$NS2" "$HELPERS/client" --to 127.0.0.1:8080 --count 30 >/dev/null
	equal "$(selected_in "$NS2")" 60
	start_worker --port 8080
	wait_until 1 in_sync 8080 tcp
}

@test "netns: given by a process in it" {
	start_workers 2 --port 8080
	attach --port 8080 --netns "$worker_pid"
	record "$(keeper_pid 8080 tcp)"
	equal "$(status 8080 tcp .netns)" "$NS_INODE"
	in_sync 8080 tcp
	ctl detach --port 8080 --netns "$worker_pid"
	equal "$(pins_of "$NS_INODE")" ""
}

# The keeper sees the end of its namespace, removes the pins and ends.
deleted() {
	local keeper inode=$NS_INODE nsid
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --proto udp
	attach --port 8080
	attach --port 8080 --proto udp
	keeper=$(keeper_pid 8080 tcp)
	[ -n "$(pins_of "$inode")" ]
	nsid=$(awk -v "name=$NS" '$1 == name { print $3 }' "$BATS_TEST_TMPDIR/namespaces")
	if netns_is_gone "$nsid"; then
		fail "the check for a namespace that is there does not see it"
	fi

	end_processes
	ip netns del "$NS"
	wait_until 10 netns_is_gone "$nsid"
	wait_until 10 gone "$keeper"
	wait_until 10 no_tools_of "$NS"
	equal "$(pins_of "$inode")" "" "pins"
}

@test "netns: deleted while a keeper runs" {
	deleted
}

@test "netns: deleted while a keeper runs, without events" {
	export REUSEPORT_DISABLE=events
	deleted
}

# The kernel gives the lowest free inode: a container started in place of another
# often has the one of its predecessor, whose keeper may not yet have found out.
no_pins_of() {
	[ -z "$(pins_of "$1")" ]
}

@test "netns: a new one with the inode of one that is gone" {
	local old=$NS old_inode=$NS_INODE tries
	start_workers 2 --port 8080
	attach --port 8080
	end_processes
	ip netns del "$old"
	for tries in {1..20}; do
		new_netns
		[ "$new_ns_inode" != "$old_inode" ] || break
	done
	if [ "$new_ns_inode" != "$old_inode" ]; then
		# The old one's end comes late on a busy machine, and what the keeper does at it.
		wait_until 60 no_pins_of "$old_inode"
		skip "the kernel gave the inode to somebody else"
	fi
	NS=$new_ns
	start_workers 3 --port 8080
	attach --port 8080
	in_sync 8080 tcp
	equal "$(status 8080 tcp .keeper.pid)" "$(keeper_pid 8080 tcp)"
	# The old one may go on, with the new namespace.
	pause 1
	[ "$(status 8080 tcp .keeper.running)" = true ] || fail "the new keeper is gone too"
	in_sync 8080 tcp
}
