#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Policies "cpu" and "numa": the worker of the CPU where the packet arrives. On
# loopback that is the CPU that sends it.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	mapfile -t cpus < <(usable_cpus)
}

teardown() {
	end_test
}

usable_cpus() {
	local range
	for range in $(taskset -cp $$ | sed 's/.*: //; s/,/ /g'); do
		seq "${range%-*}" "${range#*-}"
	done
}

needs_two_cpus() {
	[ ${#cpus[@]} -ge 2 ] || skip "needs two CPUs"
}

pin_worker() {
	taskset -cp "$2" "${worker_pids[$1]}" >/dev/null
}

# ask_from CPU N: the client's lines.
ask_from() {
	in_ns taskset -c "$1" "$HELPERS/client" --proto "$proto" --to "$to" --count "$2"
}

# mostly_from CPU INDEX: at least 99 of 100 reach that worker.
mostly_from() {
	local mine
	local n
	n=$(packets_of 500)
	mine=$(ask_from "$1" "$n" | grep -c " ${worker_ids[$2]}\$")
	echo "# $proto: $mine of $n from CPU $1 reached its worker" >&3
	[ "$mine" -ge $((n * 99 / 100)) ]
}

all_from() {
	! ask_from "$1" 20 | grep -qv " ${worker_ids[$2]}\$"
}

# Workers 0 and 1 on the first two CPUs, and steering.
begin_places() {
	start_workers 2 --port 8080 --proto "$proto"
	pin_worker 0 "${cpus[0]}"
	pin_worker 1 "${cpus[1]}"
	attach --port 8080 --proto "$proto" --policy cpu "$@"
}

by_affinity() {
	local start i
	needs_two_cpus
	begin_places
	mostly_from "${cpus[0]}" 0
	mostly_from "${cpus[1]}" 1

	# Back and forth.
	for i in 1 0 1; do
		start=$(now_ms)
		pin_worker 0 "${cpus[i]}"
		pin_worker 1 "${cpus[1 - i]}"
		wait_until 3 all_from "${cpus[0]}" "$i"
		wait_until 3 all_from "${cpus[1]}" "$((1 - i))"
		echo "# $proto: the map followed within $(($(now_ms) - start)) ms" >&3
	done
	mostly_from "${cpus[0]}" 1
	equal "$(status 8080 "$proto" .counters.fallback)" 0 "fallback"
	balanced 8080 "$proto"
}

@test "cpu: packets reach the worker of their CPU, and the map follows, TCP" {
	here tcp
	by_affinity
}

@test "cpu: packets reach the worker of their CPU, and the map follows, UDP" {
	here udp
	by_affinity
}

set_incoming_cpu() {
	python3 "$RP_ROOT/tests/helpers/set_incoming_cpu.py" "${worker_pids[$1]}" "$2"
}

by_incoming_cpu() {
	needs_two_cpus
	# The affinity is across.
	start_workers 1 --port 8080 --proto "$proto" --incoming-cpu "${cpus[0]}"
	start_worker --port 8080 --proto "$proto" --incoming-cpu "${cpus[1]}"
	worker_pids+=("$worker_pid") worker_ids+=("$worker_cookies")
	pin_worker 0 "${cpus[1]}"
	pin_worker 1 "${cpus[0]}"
	attach --port 8080 --proto "$proto" --policy cpu
	mostly_from "${cpus[0]}" 0
	mostly_from "${cpus[1]}" 1
	# It is followed,
	set_incoming_cpu 0 "${cpus[1]}"
	set_incoming_cpu 1 "${cpus[0]}"
	wait_until 3 all_from "${cpus[0]}" 1
	wait_until 3 all_from "${cpus[1]}" 0
	# also by who changes a plan without the keeper.
	use cpu
	weight "pid:${worker_pids[0]}" 7
	all_from "${cpus[0]}" 1
	all_from "${cpus[1]}" 0
	# Unset, and set to what is no CPU: by affinity.
	set_incoming_cpu 0 -1
	set_incoming_cpu 1 4095
	pin_worker 0 "${cpus[0]}"
	pin_worker 1 "${cpus[1]}"
	wait_until 3 all_from "${cpus[0]}" 0
	wait_until 3 all_from "${cpus[1]}" 1
	balanced 8080 "$proto"
}

@test "cpu: SO_INCOMING_CPU counts, not the affinity, and is followed, TCP" {
	here tcp
	by_incoming_cpu
}

@test "cpu: SO_INCOMING_CPU counts, not the affinity, and is followed, UDP" {
	here udp
	by_incoming_cpu
}

early_in_ten_seconds() {
	local uptime
	read -r uptime _ </proc/uptime
	[[ ${uptime%.*} =~ [1-6]$ ]]
}

@test "cpu: another process on the same socket is followed, while the first lives on" {
	local start out=$BATS_TEST_TMPDIR/hand_on
	needs_two_cpus
	here tcp
	start_workers 1 --port 8080
	pin_worker 0 "${cpus[0]}"
	spawn "$out" python3 "$RP_ROOT/tests/helpers/hand_on.py" 8080 "${cpus[0]}" "${cpus[1]}"
	wait_until 10 worker_ready "$out"
	record "$(sed -n 's/^second //p' "$out")"
	worker_ids+=("$worker_cookies")
	attach --port 8080 --policy cpu
	all_share "${cpus[1]}"
	# A second after a join the keeper looks in any case, and every ten seconds by the clock.
	pause 1.3
	wait_until 10 early_in_ten_seconds
	start=$(now_ms)
	kill -USR1 "$spawned"
	wait_until 3 all_from "${cpus[1]}" 1
	echo "# the map followed within $(($(now_ms) - start)) ms" >&3
	wait_until 3 all_from "${cpus[0]}" 0
	! gone "$spawned" || fail "the first has ended"
}

# Shares of what a CPU sends, "COOKIE COUNT".
from() {
	ask_from "$1" 300 | answers_by_worker
}

@test "cpu: several workers of a CPU share it, who is nowhere in particular gets the rest" {
	needs_two_cpus
	here tcp
	start_workers 4 --port 8080
	pin_worker 0 "${cpus[0]}"
	pin_worker 1 "${cpus[0]}"
	# As wide as this test's own set: not as narrow as the first two.
	attach --port 8080 --policy cpu
	equal "$(from "${cpus[0]}" | cut -d' ' -f1)" \
		"$(printf '%s\n' "${worker_ids[@]:0:2}" | sort -n)" "workers of the first CPU"
	equal "$(from "${cpus[1]}" | cut -d' ' -f1)" \
		"$(printf '%s\n' "${worker_ids[@]:2:2}" | sort -n)" "workers of the second CPU"
	weight "pid:${worker_pids[0]}" 0
	equal "$(from "${cpus[0]}")" "${worker_ids[1]} 300"
	# Both of that CPU have no weight: the others take it.
	weight "pid:${worker_pids[1]}" 0
	equal "$(from "${cpus[0]}" | cut -d' ' -f1)" \
		"$(printf '%s\n' "${worker_ids[@]:2:2}" | sort -n)" "without a worker of its own"
	equal "$(status 8080 tcp .counters.fallback)" 0 "fallback"
}

@test "cpu: a CPU without a worker is served by the others" {
	needs_two_cpus
	for proto in tcp udp; do
		here $proto
		begin_places
		pin_worker 1 "${cpus[0]}"
		wait_until 3 all_share "${cpus[1]}"
		equal "$(status 8080 $proto .counters.fallback)" 0 "fallback"

		# And by who is left, when one ends.
		stop "${worker_pids[0]}"
		wait_until 3 in_sync 8080 $proto
		equal "$(from "${cpus[0]}")" "${worker_ids[1]} 300"
		equal "$(from "${cpus[1]}")" "${worker_ids[1]} 300"
		balanced 8080 $proto
	done
}

all_share() {
	[ "$(from "$1" | wc -l)" -eq 2 ]
}

@test "cpu: a map that is given counts, not the affinity" {
	local slots cookie
	needs_two_cpus
	for proto in tcp udp; do
		here $proto
		begin_places
		mapfile -t slots < <(printf '%s\n' "${worker_ids[@]}" | while read -r cookie; do
			status 8080 $proto ".workers[] | select(.cookie == $cookie) | .slot"
		done)
		# Across.
		use cpu --cpu-map "${cpus[0]}:${slots[1]},${cpus[1]}:${slots[0]}"
		equal "$(status 8080 $proto .rules.given_cpus)" true
		mostly_from "${cpus[0]}" 1
		mostly_from "${cpus[1]}" 0
		# What comes on a CPU that is not named is served too.
		use cpu --cpu-map "${cpus[0]}:${slots[1]}"
		mostly_from "${cpus[0]}" 1
		ask_from "${cpus[1]}" 100 >/dev/null
		# Without the map again by affinity.
		use cpu
		equal "$(status 8080 $proto .rules.given_cpus)" false
		mostly_from "${cpus[0]}" 0
		mostly_from "${cpus[1]}" 1
		equal "$(status 8080 $proto .counters.fallback)" 0 "fallback"
	done
}

# says_alike CMD...: the command warns that its policy makes no difference, or does not.
says_alike() {
	run --separate-stderr ctl "$@"
	equal "$status" 0 "exit status"
	[[ $stderr == *"policy ${*: -1} makes no difference"* ]]
}

says_nothing() {
	if says_alike "$@"; then
		fail "$stderr"
	fi
}

differs() {
	[ "$(status 8080 tcp .rules.places_alike)" = false ]
}

@test "cpu, numa: it is said that no affinity can have an effect" {
	local i
	needs_two_cpus
	here tcp
	start_workers 2 --port 8080
	says_alike attach --port 8080 --policy cpu
	equal "$(status 8080 tcp .rules.places_alike)" true
	ctl status --port 8080 | grep -q 'policy cpu, all CPUs alike'
	says_alike policy --port 8080 cpu
	# On one CPU alone the second is as good as the first.
	pin_worker 0 "${cpus[1]}"
	pin_worker 1 "${cpus[1]}"
	says_alike policy --port 8080 cpu
	pin_worker 0 "${cpus[0]}"
	says_nothing policy --port 8080 cpu
	differs
	# One worker alone is chosen anyway.
	pin_worker 0 "${cpus[1]}"
	weight "pid:${worker_pids[0]}" 0
	says_nothing policy --port 8080 cpu
	weight "pid:${worker_pids[0]}" 1
	set_incoming_cpu 1 "${cpus[0]}"
	wait_until 3 differs
	[ ! -e /sys/devices/system/node/node1 ] || return 0
	says_alike policy --port 8080 numa
	equal "$(status 8080 tcp '.rules | has("places_alike")')" true
	says_nothing policy --port 8080 hash
	equal "$(status 8080 tcp '.rules | has("places_alike")')" false
}

@test "numa: the workers of the packet's node serve it" {
	for proto in tcp udp; do
		here $proto
		start_workers 3 --port 8080 --proto $proto
		attach --port 8080 --proto $proto --policy numa
		# Wherever they may run, they may run on this node.
		equal "$(ask 300 | answers_by_worker | wc -l)" 3 "workers in use"
		equal "$(status 8080 $proto .counters.fallback)" 0 "fallback"
		balanced 8080 $proto
	done
}
