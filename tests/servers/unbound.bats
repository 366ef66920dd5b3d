#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# unbound, unmodified: UDP, one process with a socket for each thread.
load ../bash/lib.bash
load ../bash/servers.bash
load dns.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# start_unbound: with four threads; sets $unbound.
start_unbound() {
	launch_unbound "$BATS_TEST_TMPDIR"
	unbound=$spawned
	wait_until 5 sockets_are 5300 udp 4
}

@test "unbound: attach, keeper's death, adoption, detach under load" {
	start_unbound
	start_dns_load
	cycles 5300 udp 4
	stop_dns_load 3000
	no_keeper_error
}

@test "unbound: every socket is shown with its process" {
	start_unbound
	attach --port 5300 --proto udp
	equal "$(status 5300 udp '[.workers[] | [.pid, .pids, .comm]] | unique | tojson')" \
		"[[$unbound,[$unbound],\"unbound\"]]"
	# TCP on the same port is another group and is left alone.
	equal "$(ctl list --json | jq -c '[.groups[] | select(.port == 5300 and .netns == '"$NS_INODE"') |
		[.proto, .program.id != null]] | sort')" '[["tcp",false],["udp",true]]'
}
