#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# nsd, unmodified: UDP, each socket open in the server process that serves it
# and in two others that do not.
load ../bash/lib.bash
load ../bash/servers.bash
load dns.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# start_nsd: with four servers; sets $nsd, the main process.
start_nsd() {
	launch_nsd "$BATS_TEST_TMPDIR"
	nsd=$spawned
	wait_until 5 sockets_are 5300 udp 4
	wait_until 5 servers_are 4
}

# "PID COOKIE" of each server and its socket, as ss sees them by name.
server_sockets() {
	in_ns ss -Hlnupe 'sport = :5300' |
		sed -n 's/.*"nsd: server [0-9]*",pid=\([0-9]*\),.*sk:\([0-9a-f]*\).*/\1 0x\2/p' |
		xargs -r printf '%d %d\n' | sort -n
}

servers_are() {
	[ "$(server_sockets | wc -l)" -eq "$1" ]
}

@test "nsd: each socket is shown with the server that serves it" {
	start_nsd
	attach --port 5300 --proto udp
	in_sync 5300 udp
	equal "$(status 5300 udp '.workers[] | "\(.pid) \(.cookie)"' | sort -n)" "$(server_sockets)"
	equal "$(status 5300 udp '[.workers[] | (.pids | length) == 3] | all')" true "holders"
	equal "$(status 5300 udp '.workers[].comm' | sort | xargs)" \
		"nsd: server 1 nsd: server 2 nsd: server 3 nsd: server 4"
}

@test "nsd: no query is lost through attach and detach" {
	start_nsd
	start_dns_load
	cycle 5300 udp 4
	stop_dns_load 2000
	no_keeper_error
}
