#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# reuseport-recipes(7), haproxy: reload without a lost request.
load ../bash/lib.bash
load ../bash/servers.bash
load haproxy.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# Cookies of the sockets, by the descriptors that haproxy has of them.
cookies_by_fd() {
	in_ns ss -Hlntpe 'sport = :8080' | sed -n 's/.*fd=\([0-9]*\)).*sk:\([0-9a-f]*\).*/\1 \2/p' |
		sort -n | cut -d' ' -f2
}

# drain_lowest N: those sockets that a reload with N threads less closes.
drain_lowest() {
	local cookie
	for cookie in $(cookies_by_fd | head -n "$1"); do
		ctl drain --port 8080 --wait "cookie:$((0x$cookie))"
	done
}

@test "recipes, haproxy: reloads, new connections and kept ones" {
	local i n new many
	rounds many 5 2
	HAPROXY_DEFAULTS="option idle-close-on-response"
	start_haproxy 4
	attach --port 8080
	start_http_load 12
	new="$load_pid $load_out"
	start_http_load 12 keep
	for ((i = 0; i < many; i++)); do
		for n in 2 6; do
			[ $n -gt 2 ] || drain_lowest $(($(truth 8080 tcp | wc -l) - n))
			reload $n
		done
	done
	stop_http_load
	no_failed_http 200
	read -r load_pid load_out <<<"$new"
	stop_http_load
	no_failed_http 200
	wait_until 2 in_sync 8080 tcp
	equal "$(status 8080 tcp '[.workers[].pid] | unique | tojson')" "[$(children)]" "process"
	equal "$(status 8080 tcp .counters.migrations)" 0 "migrations"
	no_keeper_error
	balanced 8080 tcp
}
