#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The examples that restart without loss: a new instance gets work when it says that it is ready,
# the old one ends when it has served what it was given, and no connection fails.
load common.bash

# Whether each worker has been given something: so the plan is in use that has it.
all_have_work() {
	[ "$(status 8080 tcp '[.workers[] | .selected > 0] | length == 2 and all')" = true ]
}

# replaced COMMAND...: which starts a second instance. That joins by itself, and the first one,
# $pid, ends; three times.
replaced() {
	local old i
	for i in 1 2 3; do
		old=$pid
		"$@"
		wait_until 10 states_are "active active"
		wait_until 10 all_have_work
		# Its queue fills first.
		kill -STOP "$old"
		pause 0.2
		kill -TERM "$old"
		kill -CONT "$old"
		ended "$old"
		equal "$code" 0 "exit status"
		wait_until 10 states_are active
	done
}

# whole: no connection failed.
whole() {
	stop_load
	no_failed_request
	load_is '.sent > 10'
	balanced 8080 tcp
}

# Where workers wait to be admitted, none gets anything before it is; and each serves all that it
# was given: nothing had to move to another one.
never_the_kernel() {
	equal "$(status 8080 tcp '.counters | [.fallback, .migrations] | tojson')" "[0,0]" \
		"packets left to the kernel, requests of closing workers"
}

@test "restart.c and restart.py: each replaces itself and the other, as nobody without capabilities" {
	start_as_nobody restart
	wait_until 10 sockets_are 8080 tcp 1
	attach --port 8080 --admit manual
	states_are active
	start_load --to 127.0.0.1:8080 --rate 500
	replaced start_as_nobody restart
	replaced start_as_nobody restart.py
	replaced start_as_nobody restart
	whole
	never_the_kernel
}

@test "restart.c: while no keeper runs the old instance gets nothing new either, and gives up waiting" {
	local old cookie given
	start_tcp 1 restart
	old=$pid
	attach --port 8080 --admit manual
	start_load --to 127.0.0.1:8080 --rate 300
	start restart
	wait_until 10 states_are "active active"
	wait_until 10 all_have_work
	cookie=$(status 8080 tcp ".workers[] | select(.pid == $old) .cookie")
	kill_keeper 8080 tcp
	kill -TERM "$old"
	pause 0.3
	given=$(status 8080 tcp ".workers[] | select(.cookie == $cookie) .selected")
	[ "$given" -gt 0 ]
	pause 0.5
	equal "$(status 8080 tcp ".workers[] | select(.cookie == $cookie) .selected")" "$given" \
		"what it was given"
	ended "$old"
	equal "$code" 0 "exit status"
	stop_load
	no_failed_request
}

@test "asyncio_server.py: replaced, while clients go on to ask on their connections" {
	start_tcp 1 asyncio_server.py 8080
	attach --port 8080 --admit manual
	start_asking 100
	replaced start asyncio_server.py 8080
	whole
	never_the_kernel
	load_is '(.workers | length) == 4'
}

# replaced_by_parent: the workers of tcp_epoll, $pid, are others than $old.
replaced_by_parent() {
	local now
	now=$(children_named "$pid" '.*tcp_epoll.*')
	[ "$(wc -l <<<"$now")" -eq 3 ] && ! grep -qx "$1" <<<"$now" && states_are "active active active"
}

@test "tcp_epoll.c: each worker is ended and replaced, with its number, and no client notices" {
	local child first
	start_tcp 3 tcp_epoll 8080 3
	attach --port 8080
	start_asking 100
	first=$(children_named "$pid" '.*tcp_epoll.*')
	for child in $first; do
		kill -TERM "$child"
		wait_until 20 replaced_by_parent "$child"
	done
	whole
	load_is '(.workers | length) > 3'
	equal "$(for i in {1..60}; do ask; done | cut -d' ' -f2 | sort -u | xargs)" "1 2 3" numbers
}

@test "worker.c and worker.py: each is admitted by what it says itself" {
	local first
	start_worker --port 8080
	attach --port 8080 --admit manual
	start worker
	first=$pid
	wait_until 10 states_are "active active"
	start worker.py
	wait_until 10 states_are "active active active"
	# One that says nothing waits.
	start_worker --port 8080
	wait_until 10 states_are "active active active joining"
	pause 0.3
	states_are "active active active joining"
	equal "$(for i in {1..40}; do ask; done | grep -c hello)" \
		"$(status 8080 tcp "[.workers[] | select(.pid == $first or .pid == $pid) .selected] | add")"
	balanced 8080 tcp
}
