#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The counters are exact, add up, and bpftool shows the same.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/flows.bash
load ../bash/churn.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# "COOKIE COUNT" for each worker, as the clients saw it.
answered() {
	cut -d' ' -f2 "$1" | sort -n | uniq -c | awk '{ print $2, $1 }'
}

# "COOKIE COUNT" for each worker, as status shows it.
selected() {
	status 8080 "$1" '.workers[] | "\(.cookie) \(.selected)"' | sort -n
}

# "SLOT COUNT" for each slot in use, as bpftool shows the pinned map.
dumped() {
	local pin
	pin=$(status 8080 "$1" .pin)
	bpftool -j map dump pinned "$pin/counters" |
		jq -r '.[].formatted | "\(.key) \([.values[].value.selected] | add)"' |
		awk '$2 != 0' | sort -n
}

exact() {
	local proto=$1 answers=$BATS_TEST_TMPDIR/answers

	start_workers 4 --port 8080 --proto "$proto"
	attach --port 8080 --proto "$proto"
	equal "$(packets 8080 "$proto")" 0 "packets at first"
	client --proto "$proto" --to 127.0.0.1:8080 --count 500 >"$answers"

	equal "$(packets 8080 "$proto")" 500 "packets"
	balanced 8080 "$proto"
	equal "$(status 8080 "$proto" .counters.selected)" 500 "selected"
	equal "$(status 8080 "$proto" .counters.fallback)" 0 "fallback"
	equal "$(status 8080 "$proto" '[.workers[].selected] | add')" 500 "sum over workers"
	diff <(answered "$answers") <(selected "$proto")
	diff <(dumped "$proto") <(status 8080 "$proto" '.workers[] | "\(.slot) \(.selected)"' | sort -n)
}

@test "counters: TCP, per worker and in total" {
	exact tcp
}

@test "counters: UDP, per worker and in total" {
	exact udp
}

@test "counters: a worker that takes over a slot starts at zero" {
	local answers=$BATS_TEST_TMPDIR/answers
	start_workers 3 --port 8080
	attach --port 8080 --slots 3
	client --to 127.0.0.1:8080 --count 300 >/dev/null
	stop "${worker_pids[1]}"
	wait_until 1 in_sync 8080 tcp
	start_worker --port 8080
	wait_until 1 in_sync 8080 tcp
	equal "$(status 8080 tcp ".workers[] | select(.cookie == $worker_cookies) | .selected")" 0

	client --to 127.0.0.1:8080 --count 300 --seed 2 >"$answers"
	equal "$(status 8080 tcp ".workers[] | select(.cookie == $worker_cookies) | .selected")" \
		"$(grep -c " $worker_cookies\$" "$answers")" "what the new worker got"
	equal "$(packets 8080 tcp)" 600 "packets"
	equal "$(status 8080 tcp .counters.selected)" 600 "selected, of the departed too"
	balanced 8080 tcp
}

@test "counters: a member without a slot is served and counted as unregistered" {
	local answers=$BATS_TEST_TMPDIR/answers cookie
	start_workers 3 --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	start_worker --port 8080
	equal "$(status 8080 tcp .unregistered)" 1
	client --to 127.0.0.1:8080 --count 400 >"$answers"
	equal "$(status 8080 tcp .counters.fallbacks.unregistered)" \
		"$(grep -c " $worker_cookies\$" "$answers")"
	[ "$(grep -c " $worker_cookies\$" "$answers")" -gt 0 ]
	balanced 8080 tcp
}

@test "counters: more workers than slots are served and counted as unregistered" {
	start_workers 4 --port 8080
	attach --port 8080 --slots 4
	start_worker --port 8080
	equal "$(status 8080 tcp .unregistered)" 1
	client --to 127.0.0.1:8080 --count 200 >"$BATS_TEST_TMPDIR/answers"
	equal "$(status 8080 tcp .counters.fallbacks.unregistered)" \
		"$(grep -c " $worker_cookies\$" "$BATS_TEST_TMPDIR/answers")"
	balanced 8080 tcp
	# When a slot is free again, the one left over gets it: without a packet, when the keeper
	# compares everything.
	stop "${worker_pids[0]}"
	wait_until 10 in_sync 8080 tcp
	equal "$(status 8080 tcp .unregistered)" 0
}

@test "counters: SO_INCOMING_CPU leaves the pick to the kernel, and says so" {
	skip_without_incoming_cpu
	start_workers 2 --port 8080 --proto udp --incoming-cpu 0
	attach --port 8080 --proto udp
	client --proto udp --to 127.0.0.1:8080 --count 200 >/dev/null
	equal "$(status 8080 udp .counters.fallbacks.incoming_cpu)" 200
	balanced 8080 udp
}

@test "counters: a connected UDP member changes nothing for the others" {
	start_workers 2 --port 8080 --proto udp --addr 127.0.0.1
	start_worker --port 8080 --proto udp --addr 127.0.0.1 --connect-udp 127.0.0.9:9
	attach --port 8080 --proto udp
	client --proto udp --to 127.0.0.1:8080 --count 300 >"$BATS_TEST_TMPDIR/answers"
	equal "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/answers" | sort -nu)" "$(truth_udp 8080)"
	equal "$(packets 8080 udp)" 300
	balanced 8080 udp
}

# The kernel takes a UDP socket that closes out of the group, and a moment later out of
# its table. A process that has to wait for a processor in between makes that longer.
# Over IPv4 the newest one stands first in that, and gets what comes between.
@test "counters: what the program does not see is what a UDP socket takes as it closes" {
	local round closes seen
	rounds closes 300 100
	here_udp
	begin 1 --admit manual
	start_flows --flows 100 --rate 20000
	begin_churn udp
	for ((round = 0; round < closes; round++)); do
		churn_join
		churn_leave term
	done
	stop_flows
	seen=$(packets 8080 udp)
	echo "# $seen of $(jq .sent <<<"$flows_result") datagrams seen, through $closes closes" >&3
	balanced 8080 udp
	flows_are ".sent > 3000 and .lost == .sent - $seen and .lost < 3 + .sent / 50
		and .again == 0"
}
