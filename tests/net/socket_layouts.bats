#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Where a server's sockets live: one process, many, a master with children that
# inherit all, one socket shared, several descriptors of one socket.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# Whatever the layout: right in status, and all that is sent is steered.
works() {
	local proto=$1 n=$2
	in_sync 8080 "$proto"
	equal "$(shown 8080 "$proto" | wc -l)" "$n" "workers"
	no_slot_twice 8080 "$proto"
	client --proto "$proto" --to 127.0.0.1:8080 --count 200 >"$BATS_TEST_TMPDIR/answers"
	equal "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/answers" | sort -nu)" "$(shown 8080 "$proto")" \
		"workers in use"
	equal "$(status 8080 "$proto" .counters.selected)" 200 "selected"
	balanced 8080 "$proto"
}

# Pids of a forking worker's children, ascending.
children() {
	sed -n 's/^child \([0-9]*\) .*/\1/p' "$worker_out" | sort -n
}

@test "layouts: one process with all sockets" {
	local proto
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto --sockets 8
		attach --port 8080 --proto $proto
		works $proto 8
		equal "$(status 8080 $proto '[.workers[].pid] | unique | tojson')" "[$worker_pid]"
		equal "$(status 8080 $proto '[.workers[].pids] | unique | tojson')" "[[$worker_pid]]"
		equal "$(status 8080 $proto '[.workers[].comm] | unique | tojson')" '["worker"]'
	done
}

@test "layouts: a process for each socket" {
	local proto
	for proto in tcp udp; do
		start_workers 6 --port 8080 --proto $proto
		attach --port 8080 --proto $proto
		works $proto 6
		equal "$(status 8080 $proto '.workers[].pid' | sort -n)" \
			"$(printf '%s\n' "${worker_pids[@]}" | sort -n)" "pids"
	done
}

@test "layouts: a master with all sockets, served by one child each" {
	local proto
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto --fork 4
		attach --port 8080 --proto $proto
		works $proto 4
		# The pid is the child's that serves; all have it open.
		equal "$(status 8080 $proto '.workers[] | "child \(.pid) \(.cookie)"' | sort)" \
			"$(grep ^child "$worker_out" | sort)"
		equal "$(status 8080 $proto '.workers[].pids | tojson' | sort -u)" \
			"$({ echo "$worker_pid"; children; } | sort -n | jq -sc .)"
	done
}

@test "layouts: one socket, shared by forked children" {
	start_worker --port 8080 --shared 3
	attach --port 8080
	works tcp 1
	equal "$(status 8080 tcp '.workers[0].pids | tojson')" \
		"$({ echo "$worker_pid"; children; } | sort -n | jq -sc .)"
	children | grep -qx "$(status 8080 tcp '.workers[0].pid')"
}

@test "layouts: several descriptors of one socket" {
	local proto
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto --sockets 2 --dup 3
		attach --port 8080 --proto $proto
		works $proto 2
		# And as a later join.
		start_worker --port 8080 --proto $proto --dup 2
		wait_until 1 in_sync 8080 $proto
		equal "$(shown 8080 $proto | wc -l)" 3
	done
}

@test "layouts: IPv4 and IPv6 groups on one port" {
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --addr :: --v6only
	attach --port 8080
	equal "$(ctl status --port 8080 --json | jq -c '[.groups[].family] | sort')" '["inet","inet6"]'
	in_sync 8080 tcp
	client --to 127.0.0.1:8080 --count 100 >/dev/null
	client --to '[::1]:8080' --count 50 >/dev/null
	equal "$(ctl status --port 8080 --json |
		jq -c '[.groups[] | {(.family): .counters.selected}] | add')" '{"inet":100,"inet6":50}'
	# One address alone can be detached.
	ctl detach --port 8080 --addr 0.0.0.0
	equal "$(ctl status --port 8080 --json | jq -c '[.groups[].family]')" '["inet6"]'
}

@test "layouts: a mixed group, joined by every kind" {
	start_worker --port 8080 --sockets 2
	attach --port 8080
	start_worker --port 8080 --fork 2
	start_worker --port 8080 --dup 1
	start_worker --port 8080 --shared 2
	wait_until 1 in_sync 8080 tcp
	works tcp 6
}

@test "layouts: the attachment outlives the process whose socket it came through" {
	start_workers 3 --port 8080
	attach --port 8080
	stop "${worker_pids[0]}" KILL
	wait_until 1 in_sync 8080 tcp
	works tcp 2
}
