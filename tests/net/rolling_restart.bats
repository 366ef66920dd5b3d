#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# TCP workers are restarted one by one under 2,000 connections a second, and no
# connection fails: on loopback and with 10 ms of round-trip time, where more of
# them are amid their handshake. A worker closes its listener at once, whoever
# waits in its queue, and ends when it has answered those that it has accepted.
# What the kernel alone makes of it is printed beside.
#
#   RP_RESTART_SECONDS=20 bats tests/net/rolling_restart.bats
#
# Each measurement takes that many seconds, 2 unless it is given ("make soak": 5), and in
# the sanitized run, which has the keeper's part only, 3.
load ../bash/lib.bash
load ../bash/policies.bash

WORKERS=4
WORKER=(--port 8080 --round-ms 10)

setup() {
	rounds rate 2000 2000 500
	rounds seconds 5 2 3
	seconds=${RP_RESTART_SECONDS:-$seconds}
	begin_test
	skip_without migration
	in_ns sysctl -qw net.ipv4.tcp_migrate_req=0
}

teardown() {
	no_more_trouble
	end_test
}

# Before all others that want the processor: on a busy machine connections would
# time out, whoever steers. They need little of it.
hurry() {
	chrt --rr -p 1 "$1" || true
}

# ------------------------------------------------------------------ the way

# Where the load is, and what it calls the servers.
on_loopback() {
	where=loopback from=$NS to=127.0.0.1:8080
	client_ports
}

with_10_ms() {
	new_netns
	where="10 ms" from=$new_ns to=10.0.0.1:8080
	client_ports
	spawn "$BATS_TEST_TMPDIR/delay.log" "$HELPERS/delay" --one-way-us 5000 "$NS" "$from"
	hurry "$spawned"
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/delay.log"
	end_of_link "$NS" 10.0.0.1 10.0.0.2
	end_of_link "$from" 10.0.0.2 10.0.0.1
}

# end_of_link NETNS ADDR PEER
end_of_link() {
	in_netns "$1" ip addr add "$2" peer "$3" dev delay
	# Room for what comes while a busy machine lets the link wait.
	in_netns "$1" ip link set delay txqueuelen 8192 up
}

client_ports() {
	in_netns "$from" sysctl -qw net.ipv4.ip_local_port_range="10000 65499"
}

# -------------------------------------------------------------- the restarts

# Those below are about the worker with that index.
start() {
	start_worker "${WORKER[@]}"
	hurry "$worker_pid"
	worker_pids[$1]=$worker_pid
}

start_then_stop() {
	local old=${worker_pids[$1]}
	start "$1"
	stop "$old"
}

stop_then_start() {
	stop "${worker_pids[$1]}"
	start "$1"
}

start_all() {
	local i
	for ((i = 0; i < WORKERS; i++)); do
		start "$i"
	done
}

sleep_ms() {
	[ "$1" -le 0 ] || pause "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
}

# rolling WAY...: one worker after the other is restarted, in each of these ways,
# under load, which ends no sooner than they do. Sets load_result.
rolling() {
	local way i at step=$((seconds * 1000 / (WORKERS * $# + 1)))
	NS=$from start_load --to "$to" --rate "$rate"
	hurry "$load_pid"
	at=$(now_ms)
	for way; do
		for ((i = 0; i < WORKERS; i++)); do
			at=$((at + step))
			sleep_ms $((at - $(now_ms)))
			"$way" "$i"
		done
	done
	sleep_ms $((at + step - $(now_ms)))
	stop_load
	echo "migrated $(kernel_count TcpExtTCPMigrateReqSuccess), failed" \
		"$(kernel_count TcpExtTCPMigrateReqFailure)"
	load_is ".sent >= $rate * $seconds * 0.9"
	# Two ways for the handshake, one for the request's end, one for the answer.
	[ "$where" = loopback ] || load_is '.p50_us >= 20000'
}

# kernel_count NAME: of the namespace since it was made.
kernel_count() {
	in_ns nstat -asz "$1" | awk 'END { print $2 }'
}

# figures NAME
figures() {
	jq -r --arg name "$1" '"# \($name): \(.sent - .ok) of \(.sent) failed: \(.reset) reset, \(
		.refused) refused, \(.timeout) timed out"' <<<"$load_result" >&3
}

migrations() {
	status 8080 tcp .counters.migrations
}

steered() {
	local before
	before=$(migrations)
	rolling "$@"
	figures "steered, $where, $*, $(($(migrations) - before)) migrated"
	balanced 8080 tcp
}

# steered_and_restarted WAY...: nothing fails. A connection whose handshake ends in
# the microseconds in which its listener closes is reset by the kernel, whoever
# picks, and is no failed migration: see only_races_failed in churn.bash. That is
# one close in some hundreds; so if it was one connection, once more.
steered_and_restarted() {
	steered "$@"
	if jq -e '.reset == 1 and .ok == .sent - 1' <<<"$load_result" >/dev/null &&
		equal "$(kernel_count TcpExtTCPMigrateReqFailure)" 0; then
		echo "# one connection met a close: once more" >&3
		steered "$@"
	fi
	no_failed_request
}

# The kernel's figures are of both ways together. What is but for the eye takes its time.
kernel_alone() {
	local both=(start_then_stop stop_then_start)
	[ "$where" != loopback ] || [ "${RP_SOAK:-}" ] || return 0
	rolling "${both[@]}"
	figures "kernel alone, $where, ${both[*]}"
	# There is something to be lost. On loopback that is few, and may be none.
	[ "$where" = loopback ] || load_is '.reset > 0'
	[ "${RP_SOAK:-}" ] || return 0
	in_ns sysctl -qw net.ipv4.tcp_migrate_req=1
	rolling "${both[@]}"
	figures "kernel alone, $where, ${both[*]}, tcp_migrate_req=1"
	in_ns sysctl -qw net.ipv4.tcp_migrate_req=0
}

compare() {
	start_all
	kernel_alone
	attach --port 8080
	steered_and_restarted start_then_stop
	steered_and_restarted stop_then_start
	[ "$where" = loopback ] || [ "$(migrations)" -gt 0 ]
	wait_until 3 in_sync 8080 tcp
	no_slot_twice 8080 tcp
}

@test "restart: one by one, on loopback" {
	skip_if_sanitized "it takes its time, and the program in the kernel decides"
	on_loopback
	compare
}

@test "restart: one by one, with 10 ms of round-trip time" {
	skip_if_sanitized "it takes its time, and the program in the kernel decides"
	with_10_ms
	compare
}

# ---------------------------------------------------------------- the keeper

# A pause of up to that many milliseconds.
pause_up_to() {
	sleep_ms $((RANDOM * $1 / 32768))
}

kill_keeper_now() {
	local pid
	pid=$(keeper_pid 8080 tcp)
	echo "$(now_ms) kill keeper $pid"
	kill -KILL "$pid"
	wait_until 5 gone "$pid"
}

# The keeper is killed, and after a while started, again and again.
keeper_in_trouble() {
	while [ ! -e "$BATS_TEST_TMPDIR/calm" ]; do
		pause_up_to 600
		kill_keeper_now
		pause_up_to 300
		attach --port 8080
		echo adopted
	done
}

keeper_killed_once() {
	pause_up_to $((seconds * 1000))
	kill_keeper_now
	echo killed
}

# start_trouble FUNCTION: beside the test; the log's last line says whether it
# went well.
start_trouble() {
	"$1" >"$BATS_TEST_TMPDIR/trouble.log" 2>&1 3>&- &
	trouble=$!
}

no_more_trouble() {
	touch "$BATS_TEST_TMPDIR/calm"
	[ -z "${trouble:-}" ] || wait "$trouble" || return 0
}

# end_trouble LAST_LINE
end_trouble() {
	no_more_trouble
	equal "$(tail -n 1 "$BATS_TEST_TMPDIR/trouble.log")" "$1" "trouble"
}

# The keeper that there is has all workers, and steers all to them.
well_kept() {
	local before
	wait_until 3 in_sync 8080 tcp
	no_slot_twice 8080 tcp
	equal "$(status 8080 tcp .unregistered)" 0 "without a slot"
	before=$(status 8080 tcp .counters.fallback)
	client --to 127.0.0.1:8080 --count 40 >/dev/null
	equal "$(status 8080 tcp .counters.fallback)" "$before" "fallback"
	balanced 8080 tcp
}

@test "restart: the keeper is killed and started again, again and again" {
	with_10_ms
	start_all
	attach --port 8080 --policy consistent
	start_trouble keeper_in_trouble
	steered_and_restarted start_then_stop stop_then_start
	end_trouble adopted
	well_kept
}

# unkept POLICY: then no worker has a slot in the end, and the next keeper finds
# them all.
unkept() {
	with_10_ms
	start_all
	attach --port 8080 --policy "$1"
	start_trouble keeper_killed_once
	steered_and_restarted start_then_stop stop_then_start
	end_trouble killed
	attach --port 8080
	well_kept
}

@test "restart: the keeper is killed and not started again, hash" {
	unkept hash
}

@test "restart: the keeper is killed and not started again, consistent" {
	unkept consistent
}
