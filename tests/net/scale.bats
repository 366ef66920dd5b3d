#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A thousand sockets in one group, thousands of slots; many groups at a time.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# attach_many PROTO N ARGS...: in under 10 s, where 2 s are expected.
attach_many() {
	local proto=$1 n=$2 start took
	shift 2
	start_worker --port 8080 --proto "$proto" --sockets "$n"
	start=$(now_ms)
	attach --port 8080 --proto "$proto" "$@"
	took=$(($(now_ms) - start))
	echo "# $n $proto sockets attached in $took ms" >&3
	[ "$took" -lt 10000 ]
	equal "$(shown 8080 "$proto" | wc -l)" "$n" "workers"
	in_sync 8080 "$proto"
	no_slot_twice 8080 "$proto"
}

is_empty() {
	grep -qx "populated 0" "$1/cgroup.events"
}

# status_takes MS: of the processor's time at most, with that of the helpers that look for it.
status_takes() {
	local group us
	[ -z "${RP_SANITIZED:-}" ] && [ "$RP_PATIENCE" -eq 1 ] || return 0
	group=$(findmnt -fnt cgroup2 -o TARGET)/rp-$NS
	mkdir "$group" 2>/dev/null || return 0
	(echo "$BASHPID" >"$group/cgroup.procs" && ctl status --port 8080 >/dev/null)
	wait_until 5 is_empty "$group"
	us=$(sed -n 's/^usage_usec //p' "$group/cpu.stat")
	rmdir "$group"
	echo "# a status took $((us / 1000)) ms of the processor's time" >&3
	[ "$us" -gt 0 ] && [ "$us" -lt "$(($1 * 1000))" ] || fail "status took $us us"
}

@test "scale: 1,000 TCP sockets, and one more" {
	attach_many tcp 1000
	# Where 30 are expected.
	status_takes 200
	start_worker --port 8080
	wait_until 4 in_sync 8080 tcp
	client --to 127.0.0.1:8080 --count 2000 >/dev/null
	equal "$(status 8080 tcp .counters.selected)" 2000
	balanced 8080 tcp
}

@test "scale: 1,000 UDP sockets, and one more" {
	attach_many udp 1000
	start_worker --port 8080 --proto udp
	wait_until 4 in_sync 8080 udp
	client --proto udp --to 127.0.0.1:8080 --count 2000 >/dev/null
	equal "$(status 8080 udp .counters.selected)" 2000
	balanced 8080 udp
}

@test "scale: 4,096 slots" {
	attach_many tcp 1500 --slots 4096
	equal "$(status 8080 tcp .slots)" 4096
}

@test "scale: linux39 over 1,000 sockets" {
	skip_if_sanitized "the program is the same"
	attach_many tcp 1000 --policy linux39
	client --to 127.0.0.1:8080 --count 500 >/dev/null
	equal "$(status 8080 tcp .counters.selected)" 500
}

# serve_ports PROTO N: N servers on each of the ports 8080 to 8083. Adds to $expected the
# line that groups_shown() is to have for each group.
serve_ports() {
	local port i pids

	for port in {8080..8083}; do
		pids=()
		for ((i = 0; i < $2; i++)); do
			start_worker --port "$port" --proto "$1"
			pids+=("$worker_pid")
		done
		pids=$(printf '%s\n' "${pids[@]}" | sort -n | paste -sd,)
		expected+="$new_ns_inode $1 $port attached 0 $pids"$'\n'
	done
}

# What one look says of all groups.
groups_shown() {
	"$REUSEPORTCTL" status --json 3>&- | jq -r '
		.groups[] | [.netns, .proto, .port, (if .program.attached then "attached" else "not" end),
		   .unregistered, ([.workers[].pid] | sort | map(tostring) | join(","))]
		| map(tostring) | join(" ")' | sort
}

shown_as_expected() {
	[ "$(groups_shown)" = "$(sort <<<"${expected%$'\n'}")" ]
}

@test "scale: one status of 40 groups in 5 namespaces has each group's own workers" {
	local expected='' i port proto first=$NS

	for ((i = 0; i < 5; i++)); do
		[ "$i" -eq 0 ] || new_netns
		NS=$new_ns
		serve_ports tcp 2
		serve_ports udp $((1 + i % 2))
		for port in {8080..8083}; do
			for proto in tcp udp; do
				attach --port "$port" --proto "$proto"
			done
		done
	done
	NS=$first
	equal "$(wc -l <<<"${expected%$'\n'}")" 40
	wait_until 5 shown_as_expected || fail "$(diff <(groups_shown) <(sort <<<"$expected"))"
}

# The keepers of all groups, one a line.
keepers() {
	"$REUSEPORTCTL" status --json 3>&- | jq -r '.groups[].keeper.pid' | sort -u
}

# cpu_ms PID: what it has used so far.
cpu_ms() {
	local stat
	read -r stat <"/proc/$1/stat"
	# shellcheck disable=SC2086 # fields; the 14th and 15th of all
	set -- ${stat##*) }
	echo $(((${12} + ${13}) * 1000 / $(getconf CLK_TCK)))
}

# at_most WHAT FIGURE BAR: the bars have room for a slow machine.
at_most() {
	[ "$2" -le "$3" ] || fail "$1: $2, at most $3"
}

# What a host with many services needs: 200 attachments in make soak.
@test "scale: many attachments have one keeper, which is small and sleeps" {
	local i n port proto pid fds maps rss cpu start ms first=$NS spaces

	rounds spaces 20 3
	n=$((10 * spaces))
	for ((i = 0; i < spaces; i++)); do
		[ "$i" -eq 0 ] || new_netns
		NS=$new_ns
		for port in {8080..8084}; do
			for proto in tcp udp; do
				start_worker --port "$port" --proto "$proto" --sockets 2
				ctl attach --port "$port" --proto "$proto" >/dev/null
			done
		done
	done
	NS=$first
	pid=$(keepers)
	equal "$(wc -l <<<"$pid")" 1 "keepers"
	start=$(now_ms)
	"$REUSEPORTCTL" status >/dev/null
	ms=$(($(now_ms) - start))
	fds=$(find "/proc/$pid/fd" -type l | wc -l)
	maps=$(find "/proc/$pid/fd" -lname 'anon_inode:bpf-map' | wc -l)
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$pid/status")
	sleep 2
	cpu=$(cpu_ms "$pid")
	sleep 10
	cpu=$(($(cpu_ms "$pid") - cpu))
	echo "# $n attachments: $((fds - maps)) descriptors beside $maps of maps, $rss kB," \
		"$cpu ms of CPU in 10 s, status in $ms ms" >&3
	at_most "descriptors beside the maps'" $((fds - maps)) $((40 + n / 2))
	at_most "status of all, in ms" $ms 5000
	skip_if_sanitized "memory and CPU time are others"
	at_most "kB of memory" "$rss" $((15000 + 150 * n))
	at_most "ms of CPU in 10 s" $cpu 500
}
