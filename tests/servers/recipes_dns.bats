#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# reuseport-recipes(7), DNS servers: a new instance beside the old one, then all
# queries to the new one at once, over UDP and TCP.
load ../bash/lib.bash
load ../bash/servers.bash
load dns.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

start_tcp_load() {
	tcp_out=$BATS_TEST_TMPDIR/dns_tcp
	spawn "$tcp_out" "$PYTHON" "$RP_ROOT/tests/servers/dns_tcp.py" 127.0.0.1 5300 host.test 200
	tcp_pid=$spawned
}

# stop_tcp_load AT_LEAST: that many answered, and all of them.
stop_tcp_load() {
	kill -INT "$tcp_pid"
	wait "$tcp_pid" || fail "the load over TCP failed"
	cat "$tcp_out"
	jq -e ".sent == .ok and .ok >= $1" "$tcp_out"
}

rollout() {
	ctl rollout --port 5300 --proto udp "$@"
	ctl rollout --port 5300 --proto tcp "$@"
}

# As soon as the new ones have joined: a server that is ready is not yet a worker.
switch() {
	local proto
	for proto in udp tcp; do
		wait_until 10 ctl rollout --port 5300 --proto $proto switch 2>/dev/null
	done
}

# start SERVER: an instance, $instance, that is ready.
start() {
	local dir=$BATS_TEST_TMPDIR/$1.$((instances = ${instances:-0} + 1))
	mkdir "$dir"
	"launch_$1" "$dir"
	instance=$spawned
	wait_until 10 "$1_ready" "$dir"
}

connections() {
	in_ns ss -Hnt state established 'sport = :5300' | awk '{ print $4 }' | sort
}

# answered CONNECTIONS: none of them is left.
answered() {
	[ -z "$(comm -12 <(echo "$1") <(connections))" ]
}

# retire PID: when all that was accepted so far is answered. At SIGTERM nsd resets a
# connection whose query has not come yet.
retire() {
	wait_until 5 answered "$(connections)"
	stop "$1"
}

# back SERVER: to a new instance and back to the old one, which is $instance again.
back() {
	local old=$instance proto slot
	rollout begin
	start "$1"
	switch
	rollout abort
	for proto in udp tcp; do
		for slot in $(status 5300 $proto '.workers[] | select(.state == "draining").slot'); do
			ctl drain --port 5300 --proto $proto --wait "slot:$slot"
		done
	done
	retire "$instance"
	wait_until 5 sockets_are 5300 udp 4
	instance=$old
}

# passed_by SENT: of so many, those that no program saw, which went to a socket that was
# closing (see net/counters.bats). More than a few are not excused.
passed_by() {
	local n=$(($1 - $(packets 5300 udp)))
	[ "$n" -gt 4 ] || echo "$n"
}

states_are() {
	[ "$(status 5300 udp '[.workers[].state] | sort | unique | tojson')" = "$1" ]
}

# restarts SERVER: under load.
restarts() {
	local i old many
	rounds many 3 1
	start "$1"
	attach --port 5300 --proto any
	# As many at a time as fit into a socket's buffer.
	start_dns_load -q 40 -Q 2000
	start_tcp_load
	back "$1"
	for ((i = 0; i < many; i++)); do
		old=$instance
		rollout begin
		start "$1"
		switch
		rollout finish --wait
		# The last of the new ones may be on its way into its slot.
		wait_until 5 states_are '["active","draining"]'
		retire "$old"
		wait_until 5 sockets_are 5300 udp 4
	done
	stop_dns_load 2000 passed_by
	stop_tcp_load 200
	balanced 5300 udp
	balanced 5300 tcp
	equal "$(status 5300 udp .counters.fallback)" 0 "fallbacks"
	equal "$(status 5300 tcp .counters.migrations)" 0 "migrations"
	no_keeper_error
}

@test "recipes, nsd: a rollout and back, then for good" {
	restarts nsd
}

@test "recipes, unbound: a rollout and back, then for good" {
	restarts unbound
}
