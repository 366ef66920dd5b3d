#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# haproxy, unmodified: one process with a socket for each thread, and a reload
# that hands the sockets to a new process.
load ../bash/lib.bash
load ../bash/servers.bash
load haproxy.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
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
	no_failed_http 500
	no_keeper_error
}

# Each time with 4, 6, 2 and 4 threads, under load; sets $load_result.
reloads() {
	local i n
	start_http_load 48
	for ((i = 0; i < many; i++)); do
		for n in 4 6 2 4; do
			reload $n
			[ -z "${steered:-}" ] || wait_until 1 right $n
		done
	done
	stop_http_load
}

@test "haproxy: reloads under load" {
	local plain="not counted" steered= before many
	rounds many 2 1
	start_haproxy 4
	# For the eye.
	if [ "${RP_SOAK:-}" ]; then
		reloads
		plain=$(failed_requests)
	fi

	attach --port 8080
	before=$(shown 8080)
	steered=yes
	reload 4
	wait_until 1 right 4
	equal "$(shown 8080)" "$before" "cookies handed to the new process"
	reloads
	echo "# failed requests in $((4 * many)) reloads: kernel alone $plain, steered $(failed_requests)" >&3
	no_failed_http 500
	no_keeper_error
	balanced 8080 tcp
}
