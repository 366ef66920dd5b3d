#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# reuseport-recipes(7), nginx: reload and binary upgrade without a lost request.
load ../bash/lib.bash
load ../bash/servers.bash
load nginx.bash

setup() {
	begin_server_test
}

teardown() {
	end_server_test
}

# ------------------------------------------------------------------- reload

# "if" and "return" as the page has them: while the file is there, each answer
# closes its connection.
with_closing_file() {
	closing=$BATS_TEST_TMPDIR/closing
	# Whoever may look into this directory.
	NGINX_USER=root
	NGINX_SERVER="error_page 418 = @closing;
		location / { if (-f $closing) { return 418; } return 200 \"ok\\n\"; }
		location @closing { keepalive_timeout 0; return 200 \"ok\\n\"; }"
}

more_connections() {
	[ "$(packets 8080 tcp)" -gt "$1" ]
}

# Every client has come once and was told to close.
close_kept() {
	touch "$closing"
	sleep 0.4
	wait_until 5 more_connections $(($(packets 8080 tcp) + 100))
}

# drain_youngest N: those workers that a reload to N fewer takes away.
drain_youngest() {
	local pid
	for pid in $(nginx_workers | tail -n "$1"); do
		ctl drain --port 8080 --wait "pid:$pid"
	done
}

@test "recipes, nginx: reloads, new connections and kept ones" {
	local i n new many
	rounds many 5 2
	with_closing_file
	start_nginx 4
	attach --port 8080
	start_http_load 12
	new="$load_pid $load_out"
	start_http_load 12 keep
	for ((i = 0; i < many; i++)); do
		for n in 2 4; do
			[ $n -gt 2 ] || drain_youngest 2
			close_kept
			reload $n
			rm "$closing"
		done
	done
	stop_http_load
	no_failed_http 200
	read -r load_pid load_out <<<"$new"
	stop_http_load
	no_failed_http 200
	equal "$(status 8080 tcp .counters.migrations)" 0 "migrations"
	no_keeper_error
	balanced 8080 tcp
}

queue_of() {
	status 8080 tcp ".workers[] | select(.cookie == $1).queue"
}

has_queue() {
	[ "$(queue_of "$1")" -gt 0 ]
}

# Processes that have a socket open, by its cookie.
holders() {
	in_ns ss -Hlntpe 'sport = :8080' | grep "sk:$(printf %x "$1") " |
		grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -n | xargs
}

only_holder() {
	[ "$(holders "$1")" = "$2" ]
}

# The last of four workers hangs with requests in its queue, and a reload wants two.
# Sets $victim and $cookie; its answer is in $out, and $waiting had come to it.
hang_last() {
	out=$BATS_TEST_TMPDIR/requests
	attach --port 8080
	victim=$(nginx_workers | tail -n 1)
	cookie=$(status 8080 tcp ".workers[] | select(.pid == $victim).cookie")
	kill -STOP "$victim"
	[ -z "$1" ] || "$@"
	spawn "$out" "$PYTHON" "$RP_ROOT/tests/servers/http_queue.py" 8080 80
	wait_until 10 grep -q ready "$out"
}

lose_last() {
	hang_last "$@"
	wait_until 2 has_queue "$cookie"
	waiting=$(queue_of "$cookie")
	[ -z "$kernel" ] || ctl detach --port 8080
	configure 2
	kill -HUP "$nginx"
	# Nobody serves it any more, but it is open, and so in the group.
	wait_until 5 only_holder "$cookie" "$victim"
	[ "$(truth 8080 tcp | wc -l)" -gt 2 ]
	kill -CONT "$victim"
	wait_until 5 sockets_are 8080 tcp 2
	wait "$spawned"
	tail -n 1 "$out"
}

@test "recipes, nginx: a reload closes the sockets of workers that are no more, and what waits there moves" {
	local kernel= victim cookie waiting out
	start_nginx 4
	lose_last ''
	equal "$(tail -n 1 "$out")" '{"answered": 80, "failed": 0}'
	# The worker may have accepted some before it heard that it is to end.
	[ "$(status 8080 tcp .counters.migrated)" -gt $((waiting / 2)) ]
	balanced 8080 tcp
}

@test "recipes, nginx: the kernel alone resets what waits there" {
	local kernel=yes victim cookie waiting out
	start_nginx 4
	lose_last ''
	jq -se ".[0].failed > $((waiting / 2)) and .[0].failed <= $waiting" \
		<(grep '{' "$out")
}

@test "recipes, nginx: nothing waits at a worker that is drained before the reload" {
	local victim cookie out
	start_nginx 4
	hang_last drain_youngest 1
	wait "$spawned"
	equal "$(tail -n 1 "$out")" '{"answered": 80, "failed": 0}'
	equal "$(queue_of "$cookie")" 0 "queue"
	configure 2
	kill -HUP "$nginx"
	wait_until 5 only_holder "$cookie" "$victim"
	kill -CONT "$victim"
	wait_until 5 sockets_are 8080 tcp 2
}

# ------------------------------------------------------------ binary upgrade

# upgrade WORKERS: starts a new master, as $new, beside the old one, $old.
upgrade() {
	local dir=$BATS_TEST_TMPDIR
	old=$nginx
	configure "$1"
	kill -USR2 "$old"
	wait_until 10 test -s "$dir/nginx.pid.oldbin"
	wait_until 10 test -s "$dir/nginx.pid"
	new=$(cat "$dir/nginx.pid")
	record "$new"
	nginx=$new
	wait_until 10 workers_are "$1"
}

no_workers_of() {
	[ -z "$(children_named "$1" 'nginx: worker process.*')" ]
}

# finish: the old workers go, then the old master.
finish() {
	kill -WINCH "$old"
	wait_until 10 no_workers_of "$old"
	kill -QUIT "$old"
	wait_until 10 gone "$old"
	[ ! -e "$BATS_TEST_TMPDIR/nginx.pid.oldbin" ]
}

served_by_new() {
	pids_are 8080 tcp $(nginx_workers)
}

@test "recipes, nginx: binary upgrades" {
	local i old new cookies many
	rounds many 3 2
	start_nginx_daemon 4
	attach --port 8080
	cookies=$(shown 8080)
	start_http_load 24
	for ((i = 0; i < many; i++)); do
		upgrade 4
		finish
		wait_until 2 served_by_new
	done
	stop_http_load
	no_failed_http 200
	equal "$(shown 8080)" "$cookies" "cookies"
	equal "$(status 8080 tcp .counters.migrations)" 0 "migrations"
	balanced 8080 tcp
	no_keeper_error
}

@test "recipes, nginx: back from a binary upgrade" {
	local old new
	start_nginx_daemon 4
	attach --port 8080
	start_http_load 24
	upgrade 6
	kill -WINCH "$old"
	wait_until 10 no_workers_of "$old"
	# The old master starts its workers again, then the new one goes.
	nginx=$old
	kill -HUP "$old"
	wait_until 10 workers_are 4
	kill -QUIT "$new"
	wait_until 10 gone "$new"
	wait_until 5 sockets_are 8080 tcp 4
	wait_until 2 served_by_new
	stop_http_load
	no_failed_http 200
	equal "$(cat "$BATS_TEST_TMPDIR/nginx.pid")" "$old" "master"
	no_keeper_error
}

# Slots whose socket a process has not open.
slots_without() {
	status 8080 tcp ".workers[] | select(.pids | index($1) | not) | .slot"
}

@test "recipes, nginx: a binary upgrade to fewer workers" {
	local old new slot slots
	start_nginx_daemon 4
	attach --port 8080
	start_http_load 24
	upgrade 2
	slots=$(slots_without "$new")
	equal "$(wc -w <<<"$slots")" 2 "slots that only the old ones serve"
	for slot in $slots; do
		ctl drain --port 8080 --wait "slot:$slot"
	done
	kill -WINCH "$old"
	wait_until 10 no_workers_of "$old"
	# Open in the old master, served by nobody, and nothing comes.
	sleep 0.5
	equal "$(truth 8080 tcp | wc -l)" 4 "sockets"
	for slot in $slots; do
		equal "$(status 8080 tcp ".workers[] | select(.slot == $slot) | [.pid, .queue] | tojson")" \
			"[$old,0]" "slot $slot"
	done
	kill -QUIT "$old"
	wait_until 10 gone "$old"
	wait_until 5 sockets_are 8080 tcp 2
	stop_http_load
	no_failed_http 200
	equal "$(status 8080 tcp .counters.migrations)" 0 "migrations"
	balanced 8080 tcp
	no_keeper_error
}
