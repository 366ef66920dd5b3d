#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# One worker of an unmodified server hangs, or is slow: what the kernel's own
# pick makes of it, and policy "least-queue". Side by side, on ports of their
# own, under the same noise.
load ../lib.bash
load ../policies.bash

setup() {
	begin_test
	# Enough ports that those which wait for the hung worker are not missed.
	in_ns sysctl -qw net.ipv4.ip_local_port_range="10000 65500"
}

teardown() {
	end_test
}

# serve PORT N ARGS...: workers, with their pids and cookies in worker_pids and
# worker_ids.
serve() {
	local port=$1 n=$2
	shift 2
	start_workers "$n" --port "$port" --proto "$proto" "$@"
}

# at_once SECONDS PORT...: a load on each port; sets the array results.
at_once() {
	local seconds=$1 port pid pids=()
	shift
	for port; do
		spawn "$BATS_TEST_TMPDIR/load.$port" "$HELPERS/load" --proto "$proto" \
			--to "127.0.0.1:$port" --rate "$rate" --seconds "$seconds"
		pids+=("$spawned")
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "load failed"
	done
	results=()
	for port; do
		load_result=$(cat "$BATS_TEST_TMPDIR/load.$port")
		load_is '.sent > 0'
		results+=("$load_result")
	done
}

# figures NAME RESULT
figures() {
	jq -r --arg name "$1" '"# \($name): \(.sent - .ok) of \(.sent) failed, p50 \(.p50_us) us, p99 \(
		.p99_us) us, at most \(.max_us) us"' <<<"$2" >&3
}

# holds FILTER: for the results, of which the last is the one that is steered.
holds() {
	jq -es ".[-1] as \$steered | .[-2] as \$plain | .[0] as \$healthy | $1" \
		<<<"${results[*]}" >/dev/null || fail "not so: $1 in ${results[*]}"
}

# hung SECONDS: three healthy workers; four with one stopped, the kernel's pick;
# the same, steered.
hung() {
	local rate=500
	[ -z "${RP_SANITIZED:-}" ] || rate=200
	serve 8081 3
	serve 8082 4
	kill -STOP "${worker_pids[1]}"
	serve 8083 4
	attach --port 8083 --proto "$proto" --policy least-queue
	kill -STOP "${worker_pids[1]}"

	at_once "$1" 8081 8082 8083
	figures "$proto, three healthy workers" "${results[0]}"
	figures "$proto, one of four hung, the kernel's pick" "${results[1]}"
	figures "$proto, one of four hung, least-queue" "${results[2]}"
	holds '$healthy.ok == $healthy.sent'
	holds '$plain | (.sent - .ok) / .sent | . >= 0.15 and . <= 0.35'
	# Of 5,000 no more than ten, 0.2%.
	holds '$steered | .sent - .ok <= 10'
	# Half as much again is what it is to be; noise may be worse.
	holds '$steered.p99_us <= 3 * $healthy.p99_us or $steered.p99_us <= $healthy.p99_us + 5000'
	# What waits for it is all that it got.
	equal "$(status 8083 "$proto" ".workers[] | select(.cookie == ${worker_ids[1]}) | .selected")" \
		"$(jq '.sent - .ok' <<<"${results[2]}")" "requests to the hung worker"
	balanced 8083 "$proto"
}

@test "hung: a worker that hangs, TCP" {
	proto=tcp
	hung 10
}

@test "hung: a worker that hangs, UDP" {
	proto=udp
	hung 4
}

# share RESULT COOKIE
share() {
	jq ".workers[\"$2\"] / .ok" <<<"$1"
}

# Each request takes one worker of four 20 ms, and the others nearly nothing.
slow() {
	local rate=300 slow_plain slow_steered
	serve 8082 3
	start_worker --port 8082 --proto "$proto" --delay-ms 20
	slow_plain=$worker_cookies
	serve 8083 3
	start_worker --port 8083 --proto "$proto" --delay-ms 20
	slow_steered=$worker_cookies
	attach --port 8083 --proto "$proto" --policy least-queue

	at_once 3 8082 8083
	echo "# $proto, the slow worker's share of what was answered:" \
		"$(share "${results[0]}" "$slow_plain") by the kernel's pick," \
		"$(share "${results[1]}" "$slow_steered") by least-queue" >&3
	figures "$proto, a slow worker, the kernel's pick" "${results[0]}"
	figures "$proto, a slow worker, least-queue" "${results[1]}"
	holds '$steered.ok == $steered.sent'
	# It cannot do more than fifty a second, a sixth, and not more than one waits.
	awk -v share="$(share "${results[1]}" "$slow_steered")" 'BEGIN { exit share > 0.18 }'
	holds '$steered.max_us < $plain.max_us'
	balanced 8083 "$proto"
}

@test "hung: a worker that is slow, TCP" {
	proto=tcp
	slow
}

@test "hung: a worker that is slow, UDP" {
	proto=udp
	slow
}

# With more workers than are all looked at, two are: the hung one is met seldom
# and loses, unless the other one has a queue as well.
@test "hung: one of twelve, of which two are looked at" {
	proto=tcp
	serve 8083 12
	attach --port 8083 --policy least-queue
	kill -STOP "${worker_pids[3]}"
	start_load --to 127.0.0.1:8083 --rate 400 --seconds 4
	wait "$load_pid"
	load_result=$(cat "$load_out")
	figures "one of twelve hung, least-queue" "$load_result"
	load_is '.sent - .ok <= .sent * 0.005'
	equal "$(jq '.workers | length' <<<"$load_result")" 11 "workers that answered"
	balanced 8083 tcp
}
