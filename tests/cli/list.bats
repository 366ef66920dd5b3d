#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# list: every reuseport group of the host, steered, foreign or neither.
load common.bash

setup_file() {
	build_foreign
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# rows FILTER ARGS...: a jq filter over the groups of this test's namespace.
rows() {
	local filter=$1
	shift
	ctl list --json "$@" | jq -c "$filter"
}

@test "list: steered, foreign and neither, with sockets and programs" {
	local id program
	start_workers 3 --port 8080
	attach --port 8080
	program=$(status 8080 tcp .program.id)
	start_workers 2 --port 8081
	id=$(foreign "$worker_pid" pass)
	start_workers 4 --port 8082
	succeeds ctl list
	equal "$(rows '.groups | sort_by(.port) | map([.port, .sockets, .steered, .program.name,
		.program.id, .program.own])')" \
		"[[8080,3,true,\"reuseport_steer\",$program,true],[8081,2,false,\"foreign_pass\",$id,false],[8082,4,false,null,null,null]]"
	equal "$(rows '.groups | map(.proto + .family + .addr) | unique')" '["tcpinet0.0.0.0"]'
	equal "$(rows '.groups | map(.netns) | unique')" "[$NS_INODE]"
	equal "$(rows '.groups | map(.netns_name) | unique')" "[\"$NS\"]"
	equal "$(rows '.groups | map(.uid) | unique')" "[0]"
}

@test "list: TCP and UDP, IPv4 and IPv6, one address" {
	start_worker --port 8080 --sockets 2
	start_worker --port 8080 --sockets 3 --proto udp
	start_worker --port 8080 --sockets 4 --addr :: --v6only
	start_worker --port 8080 --sockets 5 --addr ::1 --proto udp
	start_worker --port 8081 --sockets 6 --addr 127.0.0.1
	equal "$(rows '.groups | map("\(.proto) \(.addr) \(.port) \(.sockets)") | sort')" \
		'["tcp 0.0.0.0 8080 2","tcp 127.0.0.1 8081 6","tcp :: 8080 4","udp 0.0.0.0 8080 3","udp ::1 8080 5"]'
	equal "$(rows '.groups | length' --port 8080)" 4
	equal "$(rows '.groups | length' --proto udp)" 2
	equal "$(rows '.groups | length' --addr 127.0.0.1)" 1
	equal "$(rows '.groups | length' --port 8080 --proto tcp --addr ::)" 1
}

@test "list: single sockets, each a group of its own" {
	start_worker --port 8080
	start_worker --port 8081 --proto udp
	start_worker --port 8082
	start_worker --port 8082 --addr 127.0.0.1
	equal "$(rows '.groups | map("\(.proto) \(.addr) \(.port) \(.sockets)") | sort')" \
		'["tcp 0.0.0.0 8080 1","tcp 0.0.0.0 8082 1","tcp 127.0.0.1 8082 1","udp 0.0.0.0 8081 1"]'
}

@test "list: sockets without SO_REUSEPORT are no group" {
	start_worker --port 8080 --no-reuseport
	start_worker --port 8081 --proto udp --reuseaddr
	equal "$(rows '.groups | length')" 0
}

@test "list: one port in two namespaces" {
	local first=$NS first_inode=$NS_INODE id
	start_workers 2 --port 8080
	attach --port 8080
	new_netns
	NS=$new_ns NS_INODE=$new_ns_inode
	start_workers 3 --port 8080
	id=$(foreign "$worker_pid" pass)
	# All of the host, other tests' groups among them.
	succeeds "$REUSEPORTCTL" list --port 8080 --json
	equal "$(jq -c --argjson a "$first_inode" --argjson b "$NS_INODE" '[.groups[] |
		select(.netns == $a or .netns == $b) |
		[(.netns == $a), .netns_name, .sockets, .steered, .program.name]] | sort' \
		<<<"$output")" \
		"[[false,\"$NS\",3,false,\"foreign_pass\"],[true,\"$first\",2,true,\"reuseport_steer\"]]"
	equal "$("$REUSEPORTCTL" list --netns "$first" --json | jq '.groups | map(.sockets)[]')" 2
	equal "$("$REUSEPORTCTL" list --netns "$worker_pid" --json | jq '.groups | map(.sockets)[]')" 3
}

@test "list: a namespace without a name, kept by its processes" {
	local inode out=$BATS_TEST_TMPDIR/unnamed pid
	unshare -n "$HELPERS/worker" --port 8080 --sockets 2 >"$out" 3>&- &
	pid=$!
	record $pid
	wait_until 5 grep -q ^ready "$out"
	inode=$(stat -L -c %i "/proc/$pid/ns/net")
	equal "$("$REUSEPORTCTL" list --netns "$pid" --json |
		jq -c '.groups | map([.netns, .netns_name, .sockets])')" "[[$inode,\"\",2]]"
}

@test "list: a connected UDP socket, which has left the group" {
	start_worker --port 8080 --proto udp --sockets 2 --connect-udp 127.0.0.1:9
	equal "$(rows '.groups | map(.addr)')" '["0.0.0.0"]'
	equal "$(rows '.groups | map(.sockets)')" '[2]'
}

@test "list: a group that was attached, then detached" {
	start_worker --port 8080 --sockets 2
	attach --port 8080 --policy linux39
	equal "$(rows '.groups | map(.program.name)')" '["reuseport_steer"]'
	ctl detach --port 8080
	equal "$(rows '.groups | map(.program)')" '[null]'
}

@test "list: for people" {
	local id
	start_worker --port 8080 --sockets 2
	id=$(foreign "$worker_pid" pass)
	start_worker --port 8081
	foreign "$worker_pid" classic
	start_worker --port 8082 --addr ::1
	succeeds ctl list
	grep -Eq "^tcp +0.0.0.0:8080 +$NS +0 +2 +$id foreign_pass \(foreign\)\$" <<<"$output" || fail "$output"
	grep -Eq "^tcp +0.0.0.0:8081 .*classic BPF \(foreign\)\$" <<<"$output" || fail "$output"
	grep -Eq "^tcp +\[::1\]:8082 .* 1 +-\$" <<<"$output" || fail "$output"
	equal "$(wc -l <<<"$output")" 4 lines
}
