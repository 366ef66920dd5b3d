#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# With policy "hash", attaching changes no pick: each tuple reaches the worker
# that the kernel alone would give it.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

N=$(packets_of 300)

# all_steered ANSWERS: those since attach, of the workers that there are. All went through
# the program, and it counted for each worker what that one answered: its own pick is the
# kernel's.
all_steered() {
	local seen answered
	seen=$(balanced 8080 "$proto" '"\(.counters | "\(.packets) \(.fallback)")",
		(.workers[] | "\(.cookie) \(.selected)")')
	equal "$(head -n 1 <<<"$seen")" "$(lines "$1") 0" "packets, fallback"
	answered=$(answers_by_worker <<<"$1")
	seen=$(tail -n +2 <<<"$seen" | sort -n)
	# Who has left is not shown any more.
	equal "$(awk 'NR == FNR { shown[$1]; next } $1 in shown' <(echo "$seen") - <<<"$answered")" \
		"$seen" "by worker"
}

# parity PROTO TO WORKER_ARGS...
parity() {
	proto=$1 to=$2
	local before first during after
	shift 2

	start_workers 5 --port 8080 --proto "$proto" "$@"
	before=$(ask $N)
	equal "$(sort -u -k2,2 <<<"$before" | wc -l)" 5 "workers in use"

	attach --port 8080 --proto "$proto"
	during=$(ask $N)
	all_steered "$during"
	diff <(echo "$before") <(echo "$during")
	first=$during

	# The kernel moves its last member into the hole that the third leaves.
	stop "${worker_pids[2]}"
	start_worker --port 8080 --proto "$proto" "$@"
	wait_until 1 in_sync 8080 "$proto"
	during=$(ask $N)
	all_steered "$first"$'\n'"$during"
	ctl detach --port 8080 --proto "$proto"
	after=$(ask $N)
	diff <(echo "$after") <(echo "$during")
	if [ "$before" = "$after" ]; then
		fail "the change of workers moved nothing"
	fi
}

@test "parity: TCP" {
	parity tcp 127.0.0.1:8080
}

@test "parity: UDP" {
	parity udp 127.0.0.1:8080
}

@test "parity: TCP over IPv6" {
	parity tcp '[::1]:8080' --addr :: --v6only
}

@test "parity: UDP over IPv6" {
	parity udp '[::1]:8080' --addr :: --v6only
}

@test "parity: IPv4 clients of a dual-stack TCP server" {
	parity tcp 127.0.0.1:8080 --addr ::
}

@test "parity: IPv4 clients of a dual-stack UDP server" {
	parity udp 127.0.0.1:8080 --addr ::
}

@test "parity: a TCP group with an address of its own" {
	parity tcp 127.0.0.2:8080 --addr 127.0.0.2
}

@test "parity: a UDP group with an address of its own" {
	parity udp 127.0.0.2:8080 --addr 127.0.0.2
}

@test "parity: probe reads instead of plain loads, TCP" {
	export REUSEPORT_DISABLE=plain-reads
	parity tcp 127.0.0.1:8080
}

@test "parity: probe reads instead of plain loads, UDP" {
	export REUSEPORT_DISABLE=plain-reads
	parity udp 127.0.0.1:8080
}

@test "parity: without the select-or-migrate attach type" {
	export REUSEPORT_DISABLE=migration
	parity tcp 127.0.0.1:8080
}

@test "parity: requests during attach and detach go where they did before" {
	local before round asking n many
	rounds n 1000 400
	rounds many 3 1
	start_workers 5 --port 8080
	proto=tcp to=127.0.0.1:8080
	before=$(ask "$n")
	for ((round = 0; round < many; round++)); do
		ask "$n" >"$BATS_TEST_TMPDIR/answers" &
		asking=$!
		attach --port 8080
		wait "$asking"
		diff <(echo "$before") "$BATS_TEST_TMPDIR/answers"
		ask "$n" >"$BATS_TEST_TMPDIR/answers" &
		asking=$!
		ctl detach --port 8080
		wait "$asking"
		diff <(echo "$before") "$BATS_TEST_TMPDIR/answers"
	done
}

# Its picks are checked against the walk in tests/unit/decide.c; here, that they
# are obeyed.
linux39() {
	local kernel first second count
	proto=$1 to=127.0.0.1:8080

	start_workers 5 --port 8080 --proto "$proto"
	kernel=$(ask $N)
	attach --port 8080 --proto "$proto" --policy linux39
	equal "$(status 8080 "$proto" .policy)" linux39
	first=$(ask $N)
	all_steered "$first"
	second=$(ask $N)
	diff <(echo "$first") <(echo "$second")
	equal "$(cut -d' ' -f2 <<<"$first" | sort -nu)" "$(truth 8080 "$proto")" "workers in use"
	if [ "$first" = "$kernel" ]; then
		fail "linux39 picks as the kernel does"
	fi
	for count in $(answers_by_worker <<<"$first" | cut -d' ' -f2); do
		near "$count" "$N" 1/5
	done
}

@test "linux39: TCP is stable and reaches every worker" {
	linux39 tcp
}

@test "linux39: UDP is stable and reaches every worker" {
	linux39 udp
}
