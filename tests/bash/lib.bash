# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What every bats file loads: a private network namespace for each test, real
# workers and load in it, the truth from ss, and the check that a test left
# nothing behind.
#
#   load ../bash/lib.bash
#   setup() { begin_test; }
#   teardown() { end_test; }

bats_require_minimum_version 1.5.0

RP_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
REUSEPORTCTL=${REUSEPORTCTL:-$RP_ROOT/build/reuseportctl}
HELPERS=${HELPERS:-$RP_ROOT/build/helpers}
BENCH=${BENCH:-$RP_ROOT/build/bench}
# Those that are linked with the library that the tool was linked with.
LIBRARY_HELPERS=$(dirname "$REUSEPORTCTL")/helpers

source "$RP_ROOT/tests/bash/leaks.bash"
source "$RP_ROOT/tests/bash/beside.bash"

# Each test has a bpffs, and so a keeper, of its own, whatever other tests do meanwhile. bats
# starts a process for each test: that one is moved to a mount namespace of its own.
if [ -z "${RP_LIBEXEC:-}" ]; then
	export RP_LIBEXEC=$BATS_LIBEXEC
fi
BATS_LIBEXEC=$RP_ROOT/tests/bash/own_bpffs
# The names of network namespaces are shared once there has been one.
mountpoint -q /run/netns || { ip netns add rp-shared && ip netns del rp-shared; } || true

# Where the processor is emulated (tests/kernels): how many times longer something may
# take, and how many times fewer packets there are.
RP_PATIENCE=${RP_PATIENCE:-1}
RP_THIN=${RP_THIN:-1}

# ---------------------------------------------------------- begin and end

begin_test() {
	[ "$(id -u)" -eq 0 ] || fail "these tests need root"
	[ -x "$REUSEPORTCTL" ] || fail "$REUSEPORTCTL is missing: make all helpers"
	# bats traces each command of a function, which takes longer than most commands.
	set +T
	touch "$BATS_TEST_TMPDIR/processes" "$BATS_TEST_TMPDIR/namespaces" "$BATS_TEST_TMPDIR/bpf"
	new_netns
	# Inodes are used again at once: pins of a namespace that is gone are not ours.
	while compgen -G "/sys/fs/bpf/reuseport/*-$new_ns_inode*" >/dev/null; do
		new_netns
	done
	NS=$new_ns
	NS_INODE=$new_ns_inode
	start_beside
}

# Ends what the test started, in the order that a user would: detach, then the
# processes, then the namespace. Fails if anything is left after that.
end_test() {
	local left=0 names name inode nsid

	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		show_logs
	else
		beside_was_there || left=1
	fi
	mapfile -t names <"$BATS_TEST_TMPDIR/namespaces"
	for name in "${names[@]}"; do
		detach_all ${name% *}
	done
	end_processes
	for name in "${names[@]}"; do
		read -r name inode nsid <<<"$name"
		nothing_left "$name" "$inode" || left=1
		remove_netns "$name" "$nsid" || left=1
	done
	no_bpf_left || left=1
	sanitizers_silent || left=1
	return $left
}

# A namespace with an unpredictable name, in $new_ns, and its inode. Its id
# among the namespaces, chosen here, is how its end is seen.
new_netns() {
	local nsid=$((1000000 + RANDOM * 32768 + RANDOM))

	new_ns=rp-${RP_RUN:-$$}-$RANDOM$RANDOM
	ip netns add "$new_ns"
	new_ns_inode=$(stat -L -c %i "/run/netns/$new_ns")
	echo "$new_ns $new_ns_inode $nsid" >>"$BATS_TEST_TMPDIR/namespaces"
	ip netns set "$new_ns" "$nsid"
	# Ports of our clients with fixed tuples stay below.
	in_netns "$new_ns" sh -c 'ip link set lo up &&
		echo 60100 65499 >/proc/sys/net/ipv4/ip_local_port_range'
}

# Not "ip netns exec": that hides the bpffs behind a new /sys.
in_netns() {
	local name=$1
	shift
	nsenter --net="/run/netns/$name" "$@"
}

in_ns() {
	in_netns "$NS" "$@"
}

show_logs() {
	local file

	for file in "$BATS_TEST_TMPDIR"/*.log; do
		if [ -s "$file" ]; then
			echo "--- $(basename "$file")"
			tail -n 40 "$file"
		fi
	done
	if [ -n "${NS:-}" ]; then
		echo "--- status"
		ctl status || true
	fi
}

# ---------------------------------------------------------------- processes

# spawn OUT CMD...: in the background, in the namespace; sets $spawned. The
# start time is recorded too, so that a recycled pid is never signalled.
spawn() {
	local out=$1
	shift
	nsenter --net="/run/netns/$NS" "$@" <&0 >"$out" 2>>"$BATS_TEST_TMPDIR/spawned.log" 3>&- &
	spawned=$!
	record "$spawned"
}

record() {
	local stat
	# The process may be over already; then there is nothing to end.
	stat=$(start_time "$1") || return 0
	echo "$1 $stat" >>"$BATS_TEST_TMPDIR/processes"
}

# A process's name may have a newline in it, so to the end of the file.
read_stat() {
	stat=
	{ read -r -d '' stat <"/proc/$1/stat"; } 2>/dev/null || [ -n "$stat" ]
}

start_time() {
	local stat
	read_stat "$1" || return 1
	set -- ${stat##*) }
	echo "${20}"
}

# stop PID [SIGNAL]: ends a process that this test started, waits until it is gone.
stop() {
	kill "-${2:-TERM}" "$1"
	wait "$1" 2>/dev/null || true
}

gone() {
	local stat
	read_stat "$1" || return 0
	[[ ${stat##*) } == Z* ]]
}

ours() {
	[ "$(start_time "$1")" = "$2" ] && ! gone "$1"
}

end_processes() {
	local pid started try

	while read -r pid started; do
		if ours "$pid" "$started"; then
			kill -CONT "$pid" || true
			kill -TERM "$pid" || true
		fi
	done <"$BATS_TEST_TMPDIR/processes" 2>/dev/null
	while read -r pid started; do
		for try in {1..40}; do
			ours "$pid" "$started" || break
			pause 0.05
		done
		if ours "$pid" "$started"; then
			kill -KILL "$pid" || true
		fi
	done <"$BATS_TEST_TMPDIR/processes" 2>/dev/null
	return 0
}

# ------------------------------------------------------- workers and clients

# start_worker ARGS...: sets $worker_pid and $worker_cookies.
start_worker() {
	local out=$BATS_TEST_TMPDIR/worker.$((worker_count = ${worker_count:-0} + 1))

	spawn "$out" "$HELPERS/worker" "$@"
	worker_pid=$spawned
	wait_until 10 worker_ready "$out" || fail "worker $* is not ready"
	worker_out=$out
}

# Its last line is "ready PID COOKIE...". No process is started to see that: workers
# are started all the time.
worker_ready() {
	local word pid
	while read -r word pid worker_cookies; do
		[ "$word" != ready ] || return 0
	done <"$1"
	return 1
}

# One process and socket each; sets the arrays worker_pids and worker_ids (cookies).
start_workers() {
	local n=$1 i
	shift
	worker_pids=() worker_ids=()
	for ((i = 0; i < n; i++)); do
		start_worker "$@"
		worker_pids+=("$worker_pid")
		worker_ids+=("$worker_cookies")
	done
}

# packets_of N: as many, or fewer; at least a hundred, which reach every worker of a few.
packets_of() {
	local n=$(($1 / RP_THIN))
	[ $n -ge 100 ] || n=$(($1 < 100 ? $1 : 100))
	echo $n
}

# client ARGS...: see tests/helpers/client.c
client() {
	in_ns "$HELPERS/client" "$@"
}

start_load() {
	local i
	for ((i = 1; i < $#; i++)); do
		[ "${!i}" != --rate ] ||
			set -- "${@:1:i}" "$((${@:i+1:1} / RP_THIN))" "${@:i+2}"
	done
	load_out=$BATS_TEST_TMPDIR/load.$((load_count = ${load_count:-0} + 1))
	spawn "$load_out" "$HELPERS/load" "$@"
	load_pid=$spawned
	wait_until 10 test -s "$load_out" || fail "the load is not answered"
}

# Sets $load_result, one JSON object.
stop_load() {
	# No error if --seconds were over.
	kill -INT "$load_pid" 2>/dev/null || true
	wait "$load_pid" || fail "load failed"
	load_result=$(tail -n 1 "$load_out")
	echo "load: $load_result"
}

# load_is FILTER: whether a jq condition holds for the result.
load_is() {
	jq -e ".sent > 0 and .sent == .ok + .refused + .reset + .timeout + .other" \
		<<<"$load_result" >/dev/null || fail "the load does not add up: $load_result"
	jq -e "$1" <<<"$load_result" >/dev/null || fail "not so: $1 in $load_result"
}

no_failed_request() {
	load_is '.ok == .sent'
}

# ------------------------------------------------------------------- the tool

# jq 1.6 takes 17 ms to start, this one 2. Keys of objects that it prints are sorted.
jq() {
	gojq "$@"
}

# ctl COMMAND ARGS...: about this test's namespace, unless --netns is given.
ctl() {
	local command=$1
	shift
	case " $* " in
	*" --netns "*) ;;
	*) set -- --netns "$NS" "$@" ;;
	esac
	"$REUSEPORTCTL" "$command" "$@" 3>&- || return
	if [ "$command" = attach ]; then
		record_bpf
	fi
}

# attach ARGS...: with the keeper's log where a failing test shows it.
attach() {
	ctl attach --log "$BATS_TEST_TMPDIR/keeper.log" "$@"
}

# status PORT PROTO FILTER: one value of the first group.
status() {
	look "$1" "$2" "$3" | jq -r ".groups[0] | $3"
}

# A status from standard input, but for how long all of it has been so.
ageless() {
	jq 'walk(if type == "object" then del(.age, .look_age, .unregistered_age) else . end)'
}

# Cookies of the workers shown, sorted, one a line.
shown() {
	look "$1" "${2:-tcp}" | jq -r '.groups[].workers[].cookie' | sort -n
}

# look PORT PROTO [FILTER]: the status as JSON. To see which program the group has takes two
# thirds of a look's time: it is left out where FILTER does not ask for it.
look() {
	local without=iterators
	case ${3:-} in
	*program* | *ways* | . | tojson) without= ;;
	esac
	without=${REUSEPORT_DISABLE:-}${REUSEPORT_DISABLE:+${without:+,}}$without
	REUSEPORT_DISABLE=$without ctl status --port "$1" --proto "$2" --json
}

# Cookies of the sockets that are there, sorted, one a line.
truth() {
	local kind=t
	[ "$2" = tcp ] || kind=u
	in_ns ss -Hln${kind}e "sport = :$1" | sed -n 's/.*sk:\([0-9a-f]*\).*/0x\1/p' |
		xargs -r printf '%d\n' | sort -n
}

truth_tcp() {
	truth "$1" tcp
}

truth_udp() {
	truth "$1" udp
}

in_sync() {
	[ "$(shown "$1" "$2")" = "$(truth "$1" "$2")" ]
}

no_slot_twice() {
	[ -z "$(status "$1" "$2" '.workers[].slot' | sort -n | uniq -d)" ]
}

# balanced PORT PROTO [FILTER]: every packet is counted under one name. Prints FILTER's
# value, of the same look.
balanced() {
	local text
	text=$(status "$1" "$2" "if .counters | .packets + .migrations ==
			.selected + .migrated + ([.fallbacks[]] | add)
			and .fallback == ([.fallbacks[]] | add)
		then ${3:-empty} else .counters | \"unbalanced \" + tojson end")
	[[ $text != unbalanced* ]] || fail "the counters do not add up: $text"
	[ -z "${3:-}" ] || echo "$text"
}

packets() {
	status "$1" "$2" .counters.packets
}

# Of an attachment that is kept.
keeper_pid() {
	status "$1" "$2" 'select(.keeper.running) | .keeper.pid'
}

# kill_keeper PORT PROTO [SIGNAL]: and waits until it is gone.
kill_keeper() {
	local pid
	pid=$(keeper_pid "$1" "$2")
	[ -n "$pid" ] || fail "no keeper"
	kill "-${3:-KILL}" "$pid"
	wait_until 5 gone "$pid"
}

# ----------------------------------------------------------------- assertions

fail() {
	echo "$*" >&2
	return 1
}

equal() {
	[ "$1" = "$2" ] || fail "${3:-not equal}: '$1', expected '$2'"
}

# wait_until SECONDS CMD...: tries until it succeeds.
wait_until() {
	local end=$((${EPOCHREALTIME/./} + $1 * RP_PATIENCE * 1000000)) tries=0
	shift
	until "$@"; do
		if [ "${EPOCHREALTIME/./}" -gt "$end" ]; then
			echo "never became true: $*" >&2
			return 1
		fi
		# To look is what takes the processor's time.
		if [ $((tries++)) -lt 5 ]; then pause 0.01; else pause 0.05; fi
	done
}

# pause SECONDS: as sleep does, without a process.
pause() {
	[ -n "${silence:-}" ] || exec {silence}<> <(:)
	read -r -t "$1" -u "$silence" || true
}

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

# rounds VAR SOAK CHECK [SANITIZED]: sets VAR to how often something is done again and
# again: in full for "make soak", otherwise enough to see it.
rounds() {
	if [ "${RP_SOAK:-}" ]; then
		printf -v "$1" %s "$2"
	elif [ "${RP_SANITIZED:-}" ]; then
		printf -v "$1" %s "${4:-$3}"
	else
		printf -v "$1" %s "$3"
	fi
}

# For what is heavy and would tell nothing new under the sanitizers.
skip_if_sanitized() {
	[ -z "${RP_SANITIZED:-}" ] || skip "$1"
}

# skip_without FEATURE: of reuseportctl features.
skip_without() {
	local state
	state=$("$REUSEPORTCTL" features --json 3>&- |
		jq -r --arg name "$1" '.features[] | select(.name == $name).state')
	case $state in
	available) ;;
	missing | disabled) skip "$1 is $state on Linux $(uname -r)" ;;
	*) fail "feature $1: ${state:-there is none of that name}" ;;
	esac
}

# Groups go by SO_INCOMING_CPU since Linux 6.2, and some of 6.1, of which no probe tells.
skip_without_incoming_cpu() {
	local one
	start_worker --port 8081 --proto udp --incoming-cpu 0
	one=$worker_cookies
	start_worker --port 8081 --proto udp --incoming-cpu 1
	[ "$(in_ns taskset -c 0 "$HELPERS/client" --proto udp --to 127.0.0.1:8081 --count 40 |
		grep -c " $one\$")" -eq 40 ] ||
		skip "groups do not go by SO_INCOMING_CPU on Linux $(uname -r)"
}
