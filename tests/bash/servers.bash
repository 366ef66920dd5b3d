# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# For the tests with real servers, on top of lib.bash: their processes, load
# that counts every failure, and the cycle that each server must survive.
#
#   load ../bash/lib.bash
#   load ../bash/servers.bash
#   setup() { begin_server_test; }
#   teardown() { end_server_test; }

# shellcheck disable=SC2034,SC2154 # variables from here to the tests, and from lib.bash
PYTHON=/usr/bin/python3
begin_server_test() {
	begin_test
	rounds CYCLES 20 3
	# A new connection for each request leaves many ports in TIME_WAIT.
	in_ns sysctl -qw net.ipv4.ip_local_port_range="10000 65499" net.ipv4.tcp_tw_reuse=1
}

# Servers have children. Whatever is left in the namespace, which is ours
# alone, is ended before end_test looks at it.
end_server_test() {
	local pid left=0

	detach_all "$NS"
	end_processes
	wait_until 3 no_process 2>/dev/null || for pid in $(ip netns pids "$NS"); do
		echo "still there: $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
		kill -KILL "$pid"
	done
	end_test || left=1
	return $left
}

no_process() {
	[ -z "$(ip netns pids "$NS")" ]
}

# Processes whose command line begins so, among the children of a process.
children_named() {
	ps -o pid=,args= --ppid "$1" | sed -n "s/^ *\([0-9]*\) $2\$/\1/p" | sort -n
}

# sockets_are PORT PROTO N
sockets_are() {
	[ "$(truth "$1" "$2" | wc -l)" -eq "$3" ]
}

# ------------------------------------------------------------------- load

# start_http_load [CONNECTIONS [keep]]: each with about 80 requests a second, each
# request on a connection of its own, or on one that the server keeps open.
start_http_load() {
	load_out=$BATS_TEST_TMPDIR/wrk.$((load_count = ${load_count:-0} + 1))
	spawn "$load_out" wrk -t 1 -c "${1:-16}" -d 400 --timeout 2 \
		-s "$RP_ROOT/tests/servers/wrk.lua" http://127.0.0.1:8080/ ${2:+-- "$2"}
	load_pid=$spawned
	sleep 0.3
}

# Connections whose request was sent so many milliseconds ago or longer and that still
# wait. wrk waits on, and counts a timeout only if the answer comes at last.
hung_requests() {
	in_ns ss -Hnti state established 'dport = :8080' | sed -n 's/.*lastsnd:\([0-9]*\).*/\1/p' |
		awk -v ms="$1" '$1 >= ms { n++ } END { print n + 0 }'
}

# Whether all that had been sent by that time is answered. Sets hung. A connection that is
# kept has a pause of up to 50 ms between its requests.
answered_since() {
	local age=$(($(now_ms) - $1))
	[ "$age" -ge 200 ] && hung=$(hung_requests "$age") && [ "$hung" -eq 0 ]
}

# Sets $load_result, one JSON object. Goes on until all that was asked before is answered,
# or two seconds, after which it hangs.
stop_http_load() {
	local hung=0

	wait_until 2 answered_since "$(now_ms)" 2>/dev/null || true
	kill -INT "$load_pid"
	wait "$load_pid" || fail "wrk failed"
	load_result=$(tail -n 1 "$load_out" | jq -c ".hung = $hung")
	echo "wrk: $load_result"
}

failed_requests() {
	jq '.connect + .read + .write + .timeout + .status + .hung' <<<"$load_result"
}

# no_failed_http AT_LEAST [AT_MOST]: that many requests, and none failed, or so many at most.
no_failed_http() {
	jq -e ".requests >= $1" <<<"$load_result" >/dev/null || fail "too little load: $load_result"
	[ "$(failed_requests)" -le "${2:-0}" ] || fail "failed requests in $load_result"
}

# start_dns_load [OPTION...]: of dnsperf; default: 2000 queries a second.
start_dns_load() {
	[ $# -gt 0 ] || set -- -Q 2000
	load_out=$BATS_TEST_TMPDIR/dnsperf
	echo "host.test A" >"$BATS_TEST_TMPDIR/queries"
	# Forty sockets, so that every worker has some of them.
	spawn "$load_out" dnsperf -s 127.0.0.1 -p 5300 -d "$BATS_TEST_TMPDIR/queries" \
		-c 40 -t 2 -l 120 "$@"
	load_pid=$spawned
	sleep 0.3
}

dnsperf_count() {
	sed -n "s/^ *Queries $1: *\([0-9]*\).*/\1/p" "$load_out"
}

# stop_dns_load AT_LEAST [MAY_LOSE]: that many answered, no error, and none lost, or no
# more than the command MAY_LOSE prints, given the number of those that were sent.
stop_dns_load() {
	local sent completed lost interrupted may_lose

	sleep 2.5
	kill -INT "$load_pid"
	wait "$load_pid" || fail "dnsperf failed"
	sent=$(dnsperf_count sent)
	completed=$(dnsperf_count completed)
	lost=$(dnsperf_count lost)
	interrupted=$(dnsperf_count interrupted)
	echo "dnsperf: $sent sent, $completed completed, $lost lost, ${interrupted:-0} interrupted"
	[ "$completed" -ge "$1" ] || fail "too little load"
	may_lose=$([ $# -lt 2 ] || "$2" "$sent")
	if [ "$lost" -gt "${may_lose:-0}" ]; then
		in_ns grep Udp: /proc/net/snmp
		ctl status --port 5300
		fail "$lost queries lost"
	fi
	# In flight when it was stopped.
	[ "${interrupted:-0}" -le 40 ] || fail "$interrupted queries interrupted"
	equal "$((completed + lost + ${interrupted:-0}))" "$sent" "queries with an outcome"
	grep -q "Response codes: *NOERROR $completed (100.00%)" "$load_out" ||
		fail "$(grep 'Response codes' "$load_out")"
}

# ------------------------------------------------------------------ cycles

# see PORT PROTO: takes from one look at the status all that cycle needs.
see() {
	local seen
	seen=$(ctl status --port "$1" --proto "$2" --json | jq -r '.groups[0] |
		"\(.keeper.pid) \(.keeper.running) \(.program.attached) \(.counters.packets) \(
		.counters.fallback) \(.workers | map(.cookie) | sort | join(",")) \(
		.workers | map("\(.slot):\(.cookie)") | join(","))"')
	read -r keeper running attached packets fallback cookies slots <<<"$seen"
}

# more_packets PORT PROTO: sees, and whether there are more than at last.
more_packets() {
	local before=$packets
	see "$1" "$2"
	[ "$packets" -gt "$before" ]
}

# cycle PORT PROTO WORKERS: attach, the keeper's death, adoption, detach. The
# load's packets must be seen in each phase, or nothing was tested.
cycle() {
	local port=$1 proto=$2 before keeper running attached packets=0 fallback cookies slots

	attach --port "$port" --proto "$proto" >/dev/null
	wait_until 2 more_packets "$port" "$proto"
	equal "${cookies//,/ }" "$(truth "$port" "$proto" | xargs)" "cookies"
	equal "$(wc -w <<<"${cookies//,/ }")" "$3" "workers"
	equal "$running $attached" "true true" "keeper runs, program attached"
	before=$slots

	kill -KILL "$keeper"
	wait_until 5 gone "$keeper"
	# What had come before its death, then more.
	see "$port" "$proto"
	wait_until 2 more_packets "$port" "$proto"
	equal "$running $attached" "false true" "keeper runs, program attached"

	attach --port "$port" --proto "$proto" >/dev/null
	wait_until 2 more_packets "$port" "$proto"
	equal "$running $attached" "true true" "keeper runs, program attached"
	equal "$slots" "$before" "slots"
	equal "$fallback" 0 "fallbacks"

	ctl detach --port "$port" --proto "$proto" >/dev/null
	equal "$(pins_of "$NS_INODE")" "" "pins"
}

# cycles PORT PROTO WORKERS
cycles() {
	local i start
	start=$(now_ms)
	for ((i = 1; i <= CYCLES; i++)); do
		cycle "$@"
	done
	echo "# $CYCLES cycles, $((($(now_ms) - start) / CYCLES)) ms each" >&3
}

# ------------------------------------------------------------- expectations

no_keeper_error() {
	not_in_log ': error:'
}

not_in_log() {
	! grep -i -e "$1" "$BATS_TEST_TMPDIR/keeper.log"
}

# pids_are PORT PROTO PIDS...: of the workers shown, whatever their order.
pids_are() {
	local port=$1 proto=$2
	shift 2
	[ "$(status "$port" "$proto" '.workers[].pid' | sort -n | xargs)" = \
		"$(printf '%s\n' "$@" | sort -n | xargs)" ]
}
