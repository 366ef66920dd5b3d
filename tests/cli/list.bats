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
	local id columns='PROTO +LOCAL +NETNS +UID +SOCKETS'
	start_worker --port 8080 --sockets 2
	id=$(foreign "$worker_pid" pass)
	start_worker --port 8081
	foreign "$worker_pid" classic
	start_worker --port 8082 --addr ::1
	succeeds ctl list
	grep -Eq "^$columns +QUEUE +LIMIT +STATE +PROGRAM\$" <<<"$output" || fail "$output"
	grep -Eq "^tcp +0.0.0.0:8080 +$NS +0 +2 +0 +8192 foreign +$id foreign_pass\$" <<<"$output" ||
		fail "$output"
	grep -Eq "^tcp +0.0.0.0:8081 .* foreign +cbpf\$" <<<"$output" || fail "$output"
	grep -Eq "^tcp +\[::1\]:8082 .* 1 +0 +4096 plain +-\$" <<<"$output" || fail "$output"
	equal "$(wc -l <<<"$output")" 4 lines
	succeeds ctl list --port 8082
	grep -Eq "^$columns +PROCESS +QUEUE" <<<"$output" || fail "$output"
	grep -Eq " 1 worker $worker_pid +0 +4096 plain " <<<"$output" || fail "$output"
}

@test "list: processes, with --who or a port" {
	start_worker --port 8080 --fork 3
	start_worker --port 8081
	equal "$(rows '.groups | map(.processes, .unowned)')" '[null,null,null,null]'
	succeeds ctl list --who --json
	equal "$(jq -c '.groups[] | select(.port == 8081) | [.processes[], .unowned]' <<<"$output")" \
		"[{\"comm\":\"worker\",\"has\":1,\"pid\":$worker_pid,\"serves\":1},0]"
	# The parent has made all sockets, and serves none.
	equal "$(rows '.groups[0] | [.sockets, (.processes | map([.serves, .has]))]' --port 8080)" \
		"[3,[[1,3],[1,3],[1,3],[0,3]]]"
	succeeds ctl list --who
	grep -Eq "^tcp +0.0.0.0:8080 .* 3 worker [0-9]+ \+3 +0 +12288 plain +-\$" <<<"$output" || fail "$output"
}

# TCP: connections to accept; UDP: bytes to receive.
@test "list: queues and their limits, as ss has them" {
	local proto
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --proto udp
	for pid in $(ctl list --port 8080 --json | jq '.groups[].processes[].pid'); do
		kill -STOP "$pid"
	done
	spawn "$BATS_TEST_TMPDIR/clients" bash -c 'for i in {1..9}; do
		exec {fd}<>/dev/tcp/127.0.0.1/8080; echo data >/dev/udp/127.0.0.1/8080; done; exec sleep 60'
	wait_until 5 queued_are 9
	for proto in tcp udp; do
		equal "$(rows ".groups[] | select(.proto == \"$proto\") | .queue")" \
			"$(in_ns ss "-Hln${proto:0:1}" 'sport = :8080' | awk '{ n += $2 } END { print n }')"
	done
	equal "$(rows '.groups[] | select(.proto == "tcp") | .queue_limit')" \
		"$(in_ns ss -Hlnt 'sport = :8080' | awk '{ n += $3 } END { print n }')"
	equal "$(rows '.groups[] | select(.proto == "udp") | .queue_limit')" \
		"$(in_ns ss -Hlnum 'sport = :8080' | sed -n 's/.*,rb\([0-9]*\),.*/\1/p' | paste -sd+ | bc)"
}

queued_are() {
	[ "$(in_ns ss -Hlnt 'sport = :8080' | awk '{ n += $2 } END { print n }')" = "$1" ] &&
		[ "$(in_ns ss -Hlnu 'sport = :8080' | awk '$2 { n++ } END { print n + 0 }')" -gt 0 ]
}

@test "list: connected UDP sockets, in one line of counts" {
	start_worker --port 5300 --proto udp --sockets 2 --connect-udp 127.0.0.1:9
	start_worker --port 5301 --proto udp --addr 127.0.0.1 --connect-udp 127.0.0.1:9
	succeeds ctl list
	equal "$(grep -c "^connected UDP sockets, which are in no group: 2 in $NS\$" <<<"$output")" 1 "$output"
	equal "$(rows '[.connected_udp[] | .sockets, .netns]')" "[2,$NS_INODE]"
	equal "$(rows '.groups | map([.port, .sockets, .connected_sockets])')" '[[5300,2,1],[5301,1,1]]'
	equal "$(rows '.connected_udp[0].sockets' --port 5300)" 1
	equal "$(rows '.connected_udp' --proto tcp --port 5300 2>/dev/null)" '[]'
}

@test "list: a filter that selects nothing" {
	local filter
	start_worker --port 8080
	for filter in "--port 8081" "--port 8080 --proto udp" "--addr 127.0.0.1" "--uid 65534" "--dev lo"; do
		# shellcheck disable=SC2086 # words
		refused 3 ctl list $filter
		says "no group matches" "list"
	done
	run -3 --separate-stderr ctl list --port 8081 --json
	equal "$(jq -c '.groups' <<<"$output")" '[]'
	new_netns
	refused 3 "$REUSEPORTCTL" list --netns "$new_ns"
	refused 1 "$REUSEPORTCTL" list --netns no-such-namespace
	# Without a filter there may be groups of other tests.
	run -0 --separate-stderr "$REUSEPORTCTL" list
}
