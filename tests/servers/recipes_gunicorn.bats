#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# reuseport-recipes(7), a service of two instances, with a server that forks: gunicorn's master
# makes the socket, and its workers accept from it. The lines of the unit are the page's.
load ../bash/lib.bash
load ../bash/servers.bash

setup() {
	begin_server_test
	make_cgroup
}

teardown() {
	end_server_test
	[ -z "$CGROUP" ] || rmdir "$CGROUP"/web@* "$CGROUP"
}

# Each instance is in a cgroup of its own, as under systemd, where one can be made.
make_cgroup() {
	local root
	for root in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ ! -e "$root/cgroup.subtree_control" ] || break
	done
	CGROUP=$root/rp-test-$$-$RANDOM.slice
	mkdir "$CGROUP" "$CGROUP"/web@{1,2}.service 2>/dev/null || CGROUP=
}

# as_systemd NAME I: runs that line of the page's web@.service for instance I.
as_systemd() {
	local line
	line=$(sed -n "/web@.service/,/WantedBy/s/^$1=-*//p" "$RP_ROOT/man/reuseport-recipes.7.scd")
	[ -n "$line" ] || fail "no $1 in the page"
	line=${line//\/usr\/local\/sbin\/reuseportctl/$REUSEPORTCTL}
	MAINPID=${pids[$2]} in_ns sh -c "$line" 3>&-
}

exec_start() {
	spawn "$BATS_TEST_TMPDIR/web.$1.$RANDOM" gunicorn --reuse-port --preload --workers 2 \
		--bind 127.0.0.1:8080 --chdir "$RP_ROOT/tests/servers" app:app
	pids[$1]=$spawned
	[ -z "$CGROUP" ] || echo "$spawned" >"$CGROUP/web@$1.service/cgroup.procs"
}

start_instance() {
	exec_start "$1"
	as_systemd ExecStartPost "$1"
	wait_until 10 has_children "${pids[$1]}"
}

has_children() {
	[ "$(pgrep -c -P "$1")" -eq 2 ]
}

# of I FILTER: of the member that the master of instance I has open.
of() {
	status 8080 tcp ".workers[] | select(.pids | index(${pids[$1]})) | $2"
}

is() {
	[ "$(of "$1" .state)" = "$2" ]
}

# selects_none I COMMAND...: the instance gets nothing while the command takes.
selects_none() {
	local before
	before=$(of "$1" .selected)
	"${@:2}"
	equal "$(of "$1" .selected)" "$before" "what instance $1 was given"
}

# drained_by NAME: drains instance 1 only, and takes it back.
drained_by() {
	run -0 ctl drain --port 8080 --wait --timeout 5 "$1"
	equal "$(status 8080 tcp "[.workers[] | select(.state == \"draining\").pids |
		index(${pids[1]}) != null] | tojson")" "[true]" "whether instance 1 drains, and no other"
	run -0 ctl undrain --port 8080 "$1"
	equal "$output" "undrained 1 worker"
}

@test "recipes, service: rolling restarts of two instances of gunicorn" {
	local n pids=() packets
	spawn "$BATS_TEST_TMPDIR/steering" "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --wait \
		--foreground --admit manual --log "$BATS_TEST_TMPDIR/keeper.log"
	start_instance 1
	start_instance 2
	record_bpf
	# One member for an instance: its master and both workers have it open.
	equal "$(status 8080 tcp '[.workers[].pids | length] | tojson')" "[3,3]"
	start_http_load
	for n in 1 2; do
		run -0 as_systemd ExecStop $n
		[[ $output == *": empty"* ]] || fail "$output"
		equal "$(of $n .state)" draining
		packets=$(packets 8080 tcp)
		selects_none $n wait_until 5 more_than "$packets" 50
		stop "${pids[n]}"
		exec_start $n
		wait_until 10 is $n joining
		packets=$(packets 8080 tcp)
		wait_until 5 more_than "$packets" 50
		equal "$(of $n .selected)" 0
		as_systemd ExecStartPost $n
		is $n active
		wait_until 10 has_children "${pids[n]}"
	done
	drained_by "pid:${pids[1]}"
	drained_by "pid:$(pgrep -P "${pids[1]}" | tail -n 1)"
	[ -z "$CGROUP" ] || drained_by unit:web@1
	run -1 ctl drain --port 8080 comm:gunicorn
	[[ $output == *"comm:gunicorn means 2 workers"* ]] || fail "$output"
	stop_http_load
	no_failed_http 400
	equal "$(status 8080 tcp '.counters | [.migrations, .fallbacks.nobody] | tojson')" '[0,0]'
	balanced 8080 tcp
	no_keeper_error
}

more_than() {
	[ "$(packets 8080 tcp)" -gt $(($1 + $2)) ]
}
