#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# haproxy, unmodified: one process with a socket for each thread, and a reload
# that hands the sockets to a new process.
load ../lib.bash
load ../servers.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# configure THREADS
configure() {
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-END
		global
			nbthread $1
			stats socket $BATS_TEST_TMPDIR/stats mode 600 level admin expose-fd listeners
		defaults
			mode http
			timeout client 10s
			timeout connect 10s
			timeout server 10s
		frontend web
			bind :8080 shards by-thread
			http-request return status 200 content-type text/plain string ok
	END
}

# start_haproxy THREADS: sets $haproxy, the master.
start_haproxy() {
	configure "$1"
	spawn "$BATS_TEST_TMPDIR/haproxy.log" haproxy -W -db -f "$BATS_TEST_TMPDIR/haproxy.cfg" \
		-p "$BATS_TEST_TMPDIR/haproxy.pid"
	haproxy=$spawned
	wait_until 5 sockets_are 8080 tcp "$1"
	wait_until 5 one_child
}

children() {
	children_named "$haproxy" '.*'
}

one_child() {
	[ "$(children | wc -l)" -eq 1 ]
}

# reload THREADS: until the old process has gone.
reload() {
	local old
	old=$(children)
	configure "$1"
	kill -USR2 "$haproxy"
	wait_until 10 reloaded "$1" "$old"
}

reloaded() {
	one_child && [ "$(children)" != "$2" ] && sockets_are 8080 tcp "$1"
}

# right THREADS: what status shows is what ss and ps show.
right() {
	local json child
	child=$(children)
	json=$(ctl status --port 8080 --json)
	in_sync 8080 tcp && no_slot_twice 8080 tcp &&
		jq -e ".groups[0].workers | length == $1 and all(.pid == $child and
			.pids == [$child] and .comm == \"haproxy\")" <<<"$json" >/dev/null
}

@test "haproxy: attach, keeper's death, adoption, detach under load" {
	start_haproxy 4
	attach --port 8080
	right 4
	ctl detach --port 8080
	start_http_load
	cycles 8080 tcp 4
	stop_http_load
	no_failed_http 1000
	no_keeper_error
}

# reloads TIMES: each with 4, 6, 2 and 4 threads, under load; sets $load_result.
reloads() {
	local i n
	start_http_load 48
	for ((i = 0; i < $1; i++)); do
		for n in 4 6 2 4; do
			reload $n
			[ -z "${steered:-}" ] || wait_until 1 right $n
		done
	done
	stop_http_load
}

@test "haproxy: reloads under load" {
	local plain steered= before
	start_haproxy 4
	reloads 2
	plain=$(failed_requests)

	attach --port 8080
	before=$(shown 8080)
	steered=yes
	reload 4
	wait_until 1 right 4
	equal "$(shown 8080)" "$before" "cookies handed to the new process"
	reloads 2
	echo "# failed requests in 8 reloads: kernel alone $plain, steered $(failed_requests)" >&3
	no_failed_http 1000
	no_keeper_error
	balanced 8080 tcp
}
