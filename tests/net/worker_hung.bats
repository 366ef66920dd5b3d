#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# One worker of an unmodified server hangs, or is slow: what the kernel's own
# pick makes of it, and policy "least-queue". Side by side, on ports of their
# own, under the same noise.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	skip_if_sanitized "it takes its time, and the program in the kernel decides"
	# Enough ports that those which wait for the hung worker are not missed.
	in_ns sysctl -qw net.ipv4.ip_local_port_range="10000 65499"
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

# at_once SECONDS PROTO:PORT...: a load on each; sets the array results.
at_once() {
	local seconds=$1 one pid pids=()
	shift
	for one; do
		spawn "$BATS_TEST_TMPDIR/load.$one" "$HELPERS/load" --proto "${one%:*}" \
			--to "127.0.0.1:${one#*:}" --rate "$rate" --seconds "$seconds"
		pids+=("$spawned")
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "load failed"
	done
	results=()
	for one; do
		load_result=$(tail -n 1 "$BATS_TEST_TMPDIR/load.$one")
		load_is '.sent > 0'
		results+=("$load_result")
	done
}

# figures NAME RESULT
figures() {
	jq -r --arg name "$1" '"# \($name): \(.sent - .ok) of \(.sent) failed, p50 \(.p50_us) us, p99 \(
		.p99_us) us, at most \(.max_us) us"' <<<"$2" >&3
}

# holds FILTER RESULT...: these are $healthy, $plain and $steered, or the last two.
holds() {
	local filter=$1
	shift
	jq -es ".[-1] as \$steered | .[-2] as \$plain | .[0] as \$healthy | $filter" <<<"$*" >/dev/null ||
		fail "not so: $filter in $*"
}

# hung SECONDS: three healthy workers; four with one stopped, the kernel's pick;
# the same, steered.
hung() {
	local rate=500
	serve 8081 3
	serve 8082 4
	kill -STOP "${worker_pids[1]}"
	serve 8083 4
	attach --port 8083 --proto "$proto" --policy least-queue
	kill -STOP "${worker_pids[1]}"

	at_once "$1" $proto:8081 $proto:8082 $proto:8083
	figures "$proto, three healthy workers" "${results[0]}"
	figures "$proto, one of four hung, the kernel's pick" "${results[1]}"
	figures "$proto, one of four hung, least-queue" "${results[2]}"
	holds '$healthy.ok == $healthy.sent' "${results[@]}"
	holds '$plain | (.sent - .ok) / .sent | . >= 0.15 and . <= 0.35' "${results[@]}"
	# Some ten, whatever their number; noise may be worse.
	holds '$steered | .sent - .ok <= 10 + .sent / 40' "${results[@]}"
	# Half as much again is what it is to be; noise may be worse.
	holds '$steered.p99_us <= 3 * $healthy.p99_us or $steered.p99_us <= $healthy.p99_us + 5000' "${results[@]}"
	# What waits for it is all that it got.
	equal "$(status 8083 "$proto" ".workers[] | select(.cookie == ${worker_ids[1]}) | .selected")" \
		"$(jq '.sent - .ok' <<<"${results[2]}")" "requests to the hung worker"
	balanced 8083 "$proto"
}

@test "hung: a worker that hangs, TCP" {
	proto=tcp
	local seconds
	rounds seconds 10 4
	hung "$seconds"
}

@test "hung: a worker that hangs, UDP" {
	proto=udp
	hung 3
}

# share RESULT COOKIE
share() {
	jq ".workers[\"$2\"] / .ok" <<<"$1"
}

# judge_slow PLAIN STEERED: of one protocol.
judge_slow() {
	local plain steered
	plain=$(share "$1" "${slow[$proto:8082]}")
	steered=$(share "$2" "${slow[$proto:8083]}")
	echo "# $proto, the slow worker's share of what was answered: $plain by the kernel's pick," \
		"$steered by least-queue" >&3
	figures "$proto, a slow worker, the kernel's pick" "$1"
	figures "$proto, a slow worker, least-queue" "$2"
	holds '$steered.ok == $steered.sent' "$@"
	# It cannot do more than fifty a second, a sixth, and not more than one waits.
	awk -v share="$steered" 'BEGIN { exit share > 0.18 }'
	holds '$steered.max_us < $plain.max_us' "$@"
	balanced 8083 "$proto"
}

# Each request takes one worker of four 20 ms, and the others nearly nothing.
@test "hung: a worker that is slow, TCP and UDP" {
	local -A slow
	local port rate=300
	for proto in tcp udp; do
		for port in 8082 8083; do
			serve $port 3
			start_worker --port $port --proto $proto --delay-ms 20
			slow[$proto:$port]=$worker_cookies
		done
		attach --port 8083 --proto $proto --policy least-queue
	done
	at_once 3 tcp:8082 tcp:8083 udp:8082 udp:8083
	proto=tcp judge_slow "${results[0]}" "${results[1]}"
	proto=udp judge_slow "${results[2]}" "${results[3]}"
}

# With more workers than are all looked at, two are: the hung one is met seldom
# and loses, unless the other one has a queue as well.
@test "hung: one of twelve, of which two are looked at" {
	proto=tcp
	serve 8083 12
	attach --port 8083 --policy least-queue
	kill -STOP "${worker_pids[3]}"
	start_load --to 127.0.0.1:8083 --rate 400 --seconds 3
	wait "$load_pid"
	load_result=$(tail -n 1 "$load_out")
	figures "one of twelve hung, least-queue" "$load_result"
	load_is '.sent - .ok <= .sent * 0.005'
	equal "$(jq '.workers | length' <<<"$load_result")" 11 "workers that answered"
	balanced 8083 tcp
}
