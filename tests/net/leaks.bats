#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Detach leaves nothing, whatever state it finds; and the check for that, which
# runs after every test, sees what is there.
load ../bash/lib.bash

setup() {
	begin_test
	start_workers 3 --port 8080
	start_workers 2 --port 8080 --proto udp
}

teardown() {
	end_test
}

recorded() {
	grep -c "^$1 " "$BATS_TEST_TMPDIR/bpf"
}

@test "leaks: the check sees pins, keepers, programs and maps" {
	local pin
	attach --port 8080
	[ -n "$(pins_of "$NS_INODE")" ]
	equal "$(tools_of "$NS")" "$(keeper_pid 8080 tcp)" "keepers found"
	equal "$(watchers_of "$NS")" "tcp 8080" "followed by the hooks"
	# The steering program and its eleven maps; the hooks' two programs, two iterators and three
	# maps; the two of the socket options, and seven maps.
	equal "$(recorded prog)" 7 "programs recorded"
	equal "$(recorded map)" 21 "maps recorded"

	# Keeper and pins gone by force: the program is still in the group.
	pin=$(status 8080 tcp .pin)
	kill_keeper 8080 tcp
	no_tools_of "$NS"
	equal "$(watchers_of "$NS")" "tcp 8080" "followed by the hooks"
	rm -r "$pin"
	run ! hooks_are_needed
	rm -r "$PINS/hooks"
	equal "$(pins_of "$NS_INODE")" ""
	run ! bpf_is_gone
	stop "$worker_pid"
}

@test "leaks: detach leaves no pin, map, program or process" {
	attach --port 8080
	attach --port 8080 --proto udp
	equal "$(recorded map)" 53 "maps recorded"
	ctl detach --port 8080 --proto tcp
	ctl detach --port 8080 --proto udp
	equal "$(pins_of "$NS_INODE")" ""
	wait_until 5 no_tools_of "$NS"
	wait_until 5 no_watchers_of "$NS"
	no_bpf_left
	# And the kernel picks again, all workers.
	equal "$(client --to 127.0.0.1:8080 --count 200 | cut -d' ' -f2 | sort -nu)" \
		"$(truth_tcp 8080)"
}

@test "leaks: attached and detached again and again" {
	local i many
	rounds many 10 3
	for ((i = 0; i < many; i++)); do
		ctl attach --port 8080
		ctl detach --port 8080 --proto tcp
	done
	equal "$(recorded prog)" "$((7 * many))" "programs recorded"
	equal "$(pins_of "$NS_INODE")" ""
	wait_until 5 no_tools_of "$NS"
	wait_until 5 no_watchers_of "$NS"
	no_bpf_left
}

@test "leaks: all workers left before the detach" {
	attach --port 8080
	end_processes
	ctl detach --port 8080
	no_bpf_left
}

@test "leaks: the keeper died and all workers left before the detach" {
	attach --port 8080
	kill_keeper 8080 tcp
	end_processes
	ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" ""
	no_bpf_left
}

# The check itself: a crash is a report, and a keeper must be able to write one.
@test "leaks: the sanitizers' report of a keeper is seen" {
	local pid
	[ -n "${RP_SANITIZED:-}" ] || skip "needs the sanitizer build"
	# Where no other file's test, that runs at the same time, finds it.
	export RP_REPORTS=$BATS_TEST_TMPDIR/reports
	mkdir "$RP_REPORTS"
	export ASAN_OPTIONS=$ASAN_OPTIONS:log_path=$RP_REPORTS/asan
	attach --port 8080
	pid=$(keeper_pid 8080 tcp)
	kill -SEGV "$pid"
	wait_until 30 gone "$pid"
	run -1 sanitizers_silent
	[[ "$output" == *"AddressSanitizer: SEGV"* ]]
	rm "$RP_REPORTS.seen/asan.$pid"
}
