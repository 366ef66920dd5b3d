#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# activation.py: the sockets outlive a restart and a crash, and no connection fails. No systemd runs
# here: service_manager.py speaks its protocols.
load common.bash

# started TIMES
started() {
	[ "$(grep -c '^ready' "$manager_out")" -ge "$1" ]
}

slots() {
	status 8080 tcp '[.workers[] | [.slot, .cookie]] | sort | tojson'
}

@test "activation.py: the same slots and no failed connection across restart and crash" {
	local before pids manager_out=$BATS_TEST_TMPDIR/manager main manager
	spawn "$manager_out" "$PYTHON" "$RP_ROOT/tests/examples/service_manager.py" 8080 \
		"$PYTHON" "$RP_ROOT/examples/activation.py" 4
	manager=$spawned
	wait_until 10 started 1
	sockets_are 8080 tcp 4
	attach --port 8080
	before=$(slots)
	equal "$(jq length <<<"$before")" 4 "workers"
	pids=$(status 8080 tcp '[.workers[].pid] | unique | tojson')
	equal "$(jq length <<<"$pids")" 4 "a process for each"
	start_load --to 127.0.0.1:8080 --rate 300
	kill -HUP "$manager"
	wait_until 20 started 2
	equal "$(slots)" "$before" "slots after a restart"
	main=$(children_named "$manager" '.*activation.py.*')
	kill -KILL "$main"
	wait_until 20 started 3
	equal "$(slots)" "$before" "slots after a crash"
	stop_load
	no_failed_request
	load_is '.sent > 300'
	[ "$(status 8080 tcp '[.workers[].pid] | unique | tojson')" != "$pids" ] || fail "no restart"
	equal "$(status 8080 tcp '[.workers[].selected > 0] | all')" true "each gets its share"
	balanced 8080 tcp
}
