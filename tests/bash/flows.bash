# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# UDP flows that go on while things change, on top of lib.bash and policies.bash;
# see tests/helpers/flows.c.

# shellcheck disable=SC2154 # variables from lib.bash and policies.bash

# here_udp [v6|dual]: workers that lose nothing when they get no processor for a while.
here_udp() {
	here udp
	case ${1:-} in
	v6) here udp v6 ;;
	dual) listen=(--addr ::) ;;
	esac
	listen+=(--buffer 16777216)
}

# start_flows ARGS...
start_flows() {
	local pipe=$BATS_TEST_TMPDIR/flows.$((flows_count = ${flows_count:-0} + 1))
	mkfifo "$pipe.to" "$pipe.from"
	exec {flows_to}<>"$pipe.to" {flows_from}<>"$pipe.from"
	spawn "$pipe.from" "$HELPERS/flows" --to "$to" "$@" <"$pipe.to"
	flows_pid=$spawned
	hear
}

hear() {
	read -r -t $((20 * RP_PATIENCE)) -u "$flows_from" answer || fail "flows does not answer"
}

# What is sent from now on, and what was before, are counted apart.
phase() {
	echo "phase $1" >&"$flows_to"
	hear
}

# Until each flow has sent one more datagram, and been answered.
whole_round() {
	echo round >&"$flows_to"
	hear
}

# This worker may lose its flows from now on.
may_end() {
	echo "end $1" >&"$flows_to"
	hear
}

# Sets $flows_result, one JSON object.
stop_flows() {
	kill -INT "$flows_pid"
	hear
	wait "$flows_pid" || fail "flows failed"
	flows_result=$answer
	echo "flows: $(cut -c1-3000 <<<"$flows_result")"
}

# flows_are FILTER: whether a jq condition holds for the result.
flows_are() {
	jq -e "$1" <<<"$flows_result" >/dev/null || fail "not so: $1"
}

# Each datagram was answered, once, and counted as given to a worker by the table.
nothing_lost() {
	flows_are '.sent > 0 and .answered == .sent and .lost == 0 and .again == 0
		and .refused == 0 and .disordered == 0'
}

all_steered() {
	balanced 8080 udp
	equal "$(status 8080 udp '.counters | "\(.packets) \(.selected) \(.fallback)"')" \
		"$(jq -r '"\(.sent) \(.sent) 0"' <<<"$flows_result")" "packets, selected, fallback"
}

# No flow left a worker that lived and kept its flows.
none_moved() {
	flows_are '.moved_live == 0'
}

# The share of the flows that moved in each phase, for the eye.
show_moves() {
	echo "# $1: $(jq -r '"\(.sent) datagrams, \(.lost) lost; flows moved: " + ([.phases[]
		| select(.flows > 0) | "\(.name) \(1000 * .flows_moved / .flows | round / 10)%"]
		| join(", "))' <<<"$flows_result")" >&3
}

# in_phase NAME FILTER: a value of one phase.
in_phase() {
	jq -r --arg name "$1" ".phases[] | select(.name == \$name) | $2" <<<"$flows_result"
}

# worker COOKIE FILTER: a value of one worker's.
worker() {
	status 8080 udp ".workers[] | select(.cookie == $1) | $2"
}

sticky() {
	status 8080 udp ".sticky | $1"
}

# The sockets that there are have slots.
joined() {
	wait_until 5 in_sync 8080 udp
}

# release INDEX: the worker is drained, gives up its flows, and ends.
release() {
	may_end "${worker_ids[$1]}"
	ctl drain --port 8080 --proto udp --release --wait --timeout 20 "cookie:${worker_ids[$1]}" \
		>/dev/null
	stop "${worker_pids[$1]}"
}

rollout() {
	ctl rollout --port 8080 --proto udp "$1" >/dev/null
}

# What moves flows or could: after each, each flow sends. Workers in worker_ids, from 0 on.
disturb() {
	local policy
	phase join
	start_worker --port 8080 --proto udp "${listen[@]}"
	worker_pids+=("$worker_pid") worker_ids+=("$worker_cookies")
	joined
	whole_round

	phase drain
	ctl drain --port 8080 --proto udp "cookie:${worker_ids[1]}" >/dev/null
	whole_round

	phase release
	release 1
	joined
	whole_round

	phase weights
	weight "cookie:${worker_ids[0]}" 5
	weight "cookie:${worker_ids[2]}" 0
	whole_round

	phase policies
	for policy in hash consistent least-queue round-robin; do
		use $policy
		whole_round
	done
}

# All workers are replaced by as many new ones.
replace_all() {
	local old=${#worker_ids[@]} i
	phase begin
	rollout begin
	for ((i = 0; i < old; i++)); do
		start_worker --port 8080 --proto udp "${listen[@]}"
		worker_pids+=("$worker_pid") worker_ids+=("$worker_cookies")
	done
	joined
	whole_round

	phase switch
	rollout switch
	whole_round

	phase finish
	rollout finish
	whole_round

	phase release-all
	for ((i = 0; i < old; i++)); do
		release "$i"
	done
	whole_round
}
