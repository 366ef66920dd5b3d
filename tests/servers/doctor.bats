#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# doctor with real servers under load: silent while they are well, and right about what is not.
load ../bash/lib.bash
load ../bash/servers.bash
load ../bash/doctor.bash
load nginx.bash
load dns.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# silent ARGS...: several looks find nothing about the group.
silent() {
	local i
	for i in 1 2 3; do
		doctor 0 "$@"
		equal "$(jq '[.findings[] | select(.group)] | length' <<<"$findings")" 0 findings
		sleep 0.3
	done
}

@test "doctor: nginx under load, then with a hung worker, then with one that has died" {
	local victim
	start_nginx 4
	attach --port 8080
	start_http_load
	silent --port 8080
	victim=$(status 8080 tcp '.workers[] | select(.slot == 2).pid')
	kill -STOP "$victim"
	sleep 1
	doctor 4 --port 8080
	found worker-hung warning
	equal "$(of worker-hung '"\(.evidence.pid) \(.evidence.process_state)"')" "$victim T"
	mend worker-hung
	sleep 1
	silent --port 8080
	# Its master, which is stopped, does not start another one.
	kill -STOP "$nginx"
	kill -KILL "$victim"
	wait_until 5 gone "$victim"
	doctor 4 --port 8080
	found worker-unpolled warning
	equal "$(of worker-unpolled .evidence.slot)" 2
	kill -CONT "$nginx"
	kill -INT "$load_pid"
	wait "$load_pid" || true
}

tcp_counter() {
	in_ns nstat -asz "$1" | awk -v name="$1" '$1 == name { print $2 }'
}

# The kernel counts each of its handshakes as dropped by the socket, until data comes.
@test "doctor: nginx that defers has lost nothing" {
	NGINX_LISTEN=deferred start_nginx 2
	attach --port 8080
	start_http_load
	wait_until 5 has_deferred
	silent --port 8080
	equal "$(tcp_counter TcpExtListenDrops)" 0
	kill -INT "$load_pid"
	wait "$load_pid" || true
}

has_deferred() {
	[ "$(tcp_counter TcpExtTCPDeferAcceptDrop)" -gt 100 ]
}

@test "doctor: nsd and unbound under load" {
	local server
	for server in nsd unbound; do
		under_load "$server"
	done
}

# Forty clients are uneven by any hash.
under_load() {
	mkdir "$BATS_TEST_TMPDIR/$1"
	"launch_$1" "$BATS_TEST_TMPDIR/$1"
	wait_until 5 sockets_are 5300 udp 4
	attach --port 5300 --proto udp --policy round-robin
	start_dns_load
	sleep 1
	silent --port 5300 --proto udp
	kill -INT "$load_pid"
	wait "$load_pid" || true
	ctl detach --port 5300 --proto udp
	end_processes
	wait_until 5 sockets_are 5300 udp 0
}
