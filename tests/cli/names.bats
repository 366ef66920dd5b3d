#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# How workers are named: by any process that has their sockets, by its name, unit or cgroup, and
# several with commas. What a name means is looked up when it is used.
load common.bash

setup() {
	begin_test
	CGROUP=
}

teardown() {
	end_processes
	[ -z "$CGROUP" ] || rmdir "$CGROUP/main" "$CGROUP"
	end_test
}

# A master that has made four sockets; each child, which has all of them open, serves one.
prefork() {
	local out
	start_worker --port 8080 --fork 4
	master=$worker_pid
	mapfile -t children < <(sed -n 's/^child \([0-9]*\) .*/\1/p' "$worker_out")
	equal "${#children[@]}" 4 children
	attach --port 8080
}

drained() {
	status 8080 tcp '[.workers[] | select(.state == "draining").pid] | sort | map(tostring) | join(" ")'
}

sorted() {
	printf '%s\n' "$@" | sort -n | xargs
}

@test "names: a pid that serves means what it serves, a master all" {
	prefork
	succeeds ctl drain --port 8080 "pid:${children[1]}"
	equal "$(drained)" "${children[1]}"
	succeeds ctl undrain --port 8080
	equal "$(drained)" ""
	refused 1 ctl drain --port 8080 "pid:$master"
	says "pid:$master means 4 workers" "pid ${children[0]} (worker)" "nothing was changed" "(--force)"
	equal "$(drained)" ""
	run -0 ctl drain --port 8080 --force "pid:$master"
	equal "$(drained)" "$(sorted "${children[@]}")"
	succeeds ctl undrain --port 8080
	equal "$(drained)" ""
}

@test "names: a thread with descriptors of its own" {
	local tid
	start_worker --port 8080
	start_worker --port 8080 --own-table
	attach --port 8080
	tid=$(find "/proc/$worker_pid/task" -mindepth 1 -maxdepth 1 -printf '%f\n' |
		grep -vx "$worker_pid" | tail -n 1)
	succeeds ctl drain --port 8080 "pid:$tid"
	equal "$(drained)" "$worker_pid"
	succeeds ctl undrain --port 8080 "$tid"
	equal "$(drained)" ""
}

@test "names: a cookie as ss prints it, and in any base" {
	local name sk cookie
	start_workers 2 --port 8080
	attach --port 8080
	cookie=${worker_ids[1]}
	sk=$(in_ns ss -Hltnpe "sport = :8080" | grep "pid=${worker_pids[1]}," |
		grep -o 'sk:[0-9a-f]*')
	for name in "$sk" "cookie:0x${sk#sk:}" "cookie:$cookie"; do
		succeeds ctl drain --port 8080 "$name"
		equal "$(drained)" "${worker_pids[1]}" "$name"
		succeeds ctl undrain --port 8080 "$name"
		equal "$(drained)" "" "$name"
	done
}

@test "names: several, with commas" {
	prefork
	succeeds ctl drain --port 8080 "pid:${children[0]},pid:${children[3]}"
	equal "$(drained)" "$(sorted "${children[0]}" "${children[3]}")"
	refused 3 ctl undrain --port 8080 "pid:${children[0]},slot:77"
	says "slot:77"
	equal "$(drained)" "$(sorted "${children[0]}" "${children[3]}")"
	ctl policy --port 8080 weighted
	succeeds ctl weight --port 8080 slot:0,slot:1 5
	equal "$(status 8080 tcp '[.workers[].weight] | tojson')" "[5,5,1,1]"
	# Each by its own name: that is meant.
	run -0 --separate-stderr ctl drain --port 8080 slot:0,slot:1,slot:2,slot:3
	[[ $stderr == *"no worker is left"* ]] || fail "$stderr"
}

@test "names: the name of a process, its unit and its cgroup" {
	local root
	for root in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ ! -e "$root/cgroup.subtree_control" ] || break
	done
	CGROUP=$root/rp-test-$$-$RANDOM.service
	mkdir -p "$CGROUP/main" 2>/dev/null || { CGROUP=; skip "no cgroup can be made here"; }
	start_workers 3 --port 8080
	echo "${worker_pids[0]}" >"$CGROUP/main/cgroup.procs"
	attach --port 8080
	succeeds ctl drain --port 8080 "unit:$(basename "${CGROUP%.service}")"
	equal "$(drained)" "${worker_pids[0]}"
	succeeds ctl undrain --port 8080 "cgroup:/$(basename "$CGROUP")"
	equal "$(drained)" ""
	refused 1 ctl drain --port 8080 comm:worker
	says "comm:worker means 3 workers"
	refused 3 ctl drain --port 8080 comm:nobody
	refused 3 ctl drain --port 8080 unit:nobody
	refused 2 ctl drain --port 8080 cgroup:nobody
	run -0 ctl drain --port 8080 --wait --timeout 5 "unit:$(basename "$CGROUP")"
	[[ $output == *"pid ${worker_pids[0]}: empty"* ]] || fail "$output"
}
