#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# nginx, unmodified: the master makes a socket for each worker, and every
# process has every socket open.
load ../bash/lib.bash
load ../bash/servers.bash
load nginx.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# right WORKERS: what status shows is what ss and ps show.
right() {
	in_sync 8080 tcp && no_slot_twice 8080 tcp && pids_are 8080 tcp $(nginx_workers) &&
		[ "$(shown 8080 | wc -l)" -eq "$1" ]
}

@test "nginx: attach, keeper's death, adoption, detach under load" {
	start_nginx 4
	start_http_load
	cycles 8080 tcp 4
	stop_http_load
	no_failed_http 500
	no_keeper_error
}

@test "nginx: each socket is shown with the worker that serves it" {
	local json pid cookie
	start_nginx 4
	attach --port 8080
	json=$(ctl status --port 8080 --json)
	equal "$(jq -c '[.groups[].workers[].comm]' <<<"$json")" '["nginx","nginx","nginx","nginx"]'
	equal "$(jq '.groups[].workers[].pid' <<<"$json" | sort -n)" "$(nginx_workers)" "workers"
	equal "$(jq -c '.groups[].workers[].pids' <<<"$json" | sort -u)" \
		"$({ echo "$nginx"; nginx_workers; } | sort -n | jq -sc .)" "holders"

	# A worker that is stopped leaves its own socket's queue to grow, and no other.
	for pid in $(nginx_workers); do
		cookie=$(jq ".groups[].workers[] | select(.pid == $pid).cookie" <<<"$json")
		kill -STOP "$pid"
		start_http_load 32
		wait_until 3 queue_is_of "$cookie"
		kill -CONT "$pid"
		kill -INT "$load_pid"
		wait "$load_pid"
	done
}

# The one socket with connections to accept, by status and by ss.
queue_is_of() {
	[ "$(status 8080 tcp '.workers[] | select(.queue > 0).cookie')" = "$1" ] &&
		[ "$(in_ns ss -Hlnte 'sport = :8080' |
			awk '$2 > 0 { print }' | grep -o 'sk:[0-9a-f]*')" = "sk:$(printf %x "$1")" ]
}

# Through 6 and 2 to 4 workers, under load; sets $load_result.
reloads() {
	local i n
	start_http_load 48
	for ((i = 0; i < many; i++)); do
		for n in 6 2 4; do
			reload $n
			[ -z "${steered:-}" ] || wait_until 1 right $n
		done
	done
	stop_http_load
}

@test "nginx: reloads from 4 to 6 to 2 workers under load" {
	local plain="not counted" steered= many
	rounds many 2 1
	start_nginx 4
	# For the eye.
	if [ "${RP_SOAK:-}" ]; then
		reloads
		plain=$(failed_requests)
	fi

	attach --port 8080
	steered=yes
	reloads
	echo "# failed requests in $((3 * many)) reloads: kernel alone $plain," \
		"steered $(failed_requests)" >&3
	# One may be reset by a listener that closes in its very last ACK: see docs/limits.md.
	no_failed_http 500 1
	no_keeper_error
	balanced 8080 tcp
}

steered() {
	[ "$(status 8080 tcp .program.attached)" = true ] && in_sync 8080 tcp
}

# When the keeper did it, by its log.
steered_at() {
	date -d "$(grep 'is steered again' "$BATS_TEST_TMPDIR/keeper.log" | cut -c1-23)" +%s%3N
}

@test "nginx: stopped and started again, it is steered again" {
	local start before
	start_nginx 4
	attach --port 8080
	start_http_load
	stop_http_load
	before=$(packets 8080 tcp)
	[ "$before" -gt 0 ]
	stop "$nginx" QUIT
	equal "$(truth 8080 tcp)" ""
	equal "$(status 8080 tcp '.workers | length')" 0 "workers shown"

	start=$(now_ms)
	launch 4
	wait_until 5 sockets_are 8080 tcp 4
	wait_until 2 steered
	echo "# steered again $(($(steered_at) - start)) ms after nginx was started," \
		"its own start included" >&3
	wait_until 2 workers_are 4
	wait_until 1 right 4
	equal "$(packets 8080 tcp)" "$before" "packets, kept"

	start_http_load
	stop_http_load
	no_failed_http 100
	equal "$(status 8080 tcp .counters.fallback)" 0 "fallbacks"
	[ "$(packets 8080 tcp)" -gt "$before" ]
	no_keeper_error
}

@test "nginx: a killed worker's successor serves the same socket" {
	local victim before cookie
	start_nginx 4
	attach --port 8080
	before=$(status 8080 tcp '.workers[] | "\(.slot) \(.cookie)"')
	victim=$(status 8080 tcp '.workers[2].pid')
	cookie=$(status 8080 tcp '.workers[2].cookie')
	kill -KILL "$victim"
	wait_until 5 workers_are 4
	wait_until 2 right 4
	equal "$(status 8080 tcp '.workers[] | "\(.slot) \(.cookie)"')" "$before" "slots"
	[ "$(status 8080 tcp ".workers[] | select(.cookie == $cookie).pid")" -ne "$victim" ]
	start_http_load
	stop_http_load
	no_failed_http 100
	no_keeper_error
}
