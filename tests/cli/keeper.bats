#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# One keeper for all attachments of a bpffs: the command, the one that attach leaves behind,
# and how they, detach, and servers with keepers of their own get along.
load common.bash

setup() {
	begin_test
	start_workers 2 --port 8080
	start_workers 2 --port 8081
}

teardown() {
	end_test
}

# keeper_command: in the background, as a supervisor runs it; sets $service.
keeper_command() {
	spawn "$BATS_TEST_TMPDIR/service.log" "$REUSEPORTCTL" keeper \
		--log "$BATS_TEST_TMPDIR/service.log"
	service=$spawned
}

kept_by() {
	[ "$(keeper_pid "$1" tcp)" = "$2" ]
}

joins_are_seen() {
	local port
	for port; do
		start_worker --port "$port"
		wait_until 20 in_sync "$port" tcp
	done
}

@test "keeper: one process for all attachments, which ends with the last" {
	local keeper
	ctl attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	ctl attach --port 8081
	kept_by 8081 "$keeper"
	equal "$(tools_of "$NS")" "$keeper" "processes of the tool"
	joins_are_seen 8080 8081
	ctl detach --port 8080
	kept_by 8081 "$keeper"
	joins_are_seen 8081
	ctl detach --port 8081
	[ ! -e "$PINS" ] || fail "$PINS is left"
	wait_until 20 gone "$keeper"
}

@test "keeper: attachments of several network namespaces" {
	local first=$NS keeper
	ctl attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	new_netns
	NS=$new_ns
	start_workers 2 --port 8080
	ctl attach --port 8080
	kept_by 8080 "$keeper"
	joins_are_seen 8080
	NS=$first
	joins_are_seen 8080
}

@test "keeper: what a killed one kept the next one adopts" {
	ctl attach --port 8080
	ctl attach --port 8081
	kill_keeper 8080 tcp
	equal "$(status 8081 tcp .keeper.running)" false
	ctl attach --port 8080
	wait_until 20 kept_by 8081 "$(keeper_pid 8080 tcp)"
	joins_are_seen 8080 8081
}

@test "keeper: the command takes over from one that was left behind, and stays" {
	local left
	ctl attach --port 8080
	left=$(keeper_pid 8080 tcp)
	keeper_command
	wait_until 20 kept_by 8080 "$service"
	wait_until 20 gone "$left"
	ctl attach --port 8081
	kept_by 8081 "$service"
	joins_are_seen 8080 8081
	ctl detach --port 8080
	ctl detach --port 8081
	! gone "$service" || fail "it has ended"
	ctl attach --port 8080
	kept_by 8080 "$service"
	stop "$service"
	equal "$(status 8080 tcp .keeper.running)" false
}

# The command that loads them pays for it, and with a keeper that stays only the first does.
@test "keeper: the hooks stay while the command runs, without attachments too" {
	local hooks
	keeper_command
	ctl attach --port 8080
	hooks=$(stat -c "%n %i" "$PINS"/hooks/*)
	[ "$hooks" ] || fail "no hooks"
	ctl detach --port 8080
	equal "$(stat -c "%n %i" "$PINS"/hooks/*)" "$hooks"
	ctl attach --port 8081
	equal "$(stat -c "%n %i" "$PINS"/hooks/*)" "$hooks"
	ctl detach --port 8081
	stop "$service"
	wait_until 20 [ ! -e "$PINS" ]
}

@test "keeper: hooks of a command that was killed go with the next command" {
	keeper_command
	ctl attach --port 8080
	ctl detach --port 8080
	[ -e "$PINS/hooks" ] || fail "no hooks"
	kill -KILL "$service"
	wait_until 20 gone "$service"
	ctl attach --port 8080
	ctl detach --port 8080
	[ ! -e "$PINS" ] || fail "$PINS is left"
}

@test "keeper: a second command names the first, and fails" {
	keeper_command
	wait_until 20 test -e "$PINS/keeper"
	refused 1 "$REUSEPORTCTL" keeper
	says "process $service is the keeper" "$PINS"
	! gone "$service" || fail "it has ended"
	stop "$service"
	wait_until 20 [ ! -e "$PINS" ]
}

@test "keeper: of two commands at once one stays" {
	local first
	ctl attach --port 8080
	keeper_command
	first=$service
	keeper_command
	wait_until 20 one_of_is_gone "$first" "$service"
	wait_until 20 kept_by 8080 "$(live_one "$first" "$service")"
}

one_of_is_gone() {
	gone "$1" || gone "$2"
}

live_one() {
	if gone "$1"; then echo "$2"; else echo "$1"; fi
}

@test "keeper: the root directory is removed by hand while the command runs" {
	keeper_command
	ctl attach --port 8080
	rm -r "$PINS"
	wait_until 20 test -e "$PINS/keeper"
	wait_until 20 unsteered 8080
	ctl attach --port 8080
	kept_by 8080 "$service"
}

unsteered() {
	[ "$(program_on "$1")" = null ]
}

@test "keeper: the pins are removed by hand and made anew" {
	local keeper
	ctl attach --port 8080
	ctl attach --port 8081
	keeper=$(keeper_pid 8080 tcp)
	rm -r "$(pin_of 8080)"
	wait_until 20 unsteered 8080
	ctl attach --port 8080
	kept_by 8080 "$keeper"
	joins_are_seen 8080 8081
}

@test "keeper: a process that keeps its own group gets it back" {
	local own
	keeper_command
	spawn "$BATS_TEST_TMPDIR/own" "$REUSEPORTCTL" attach --port 8080 --foreground
	own=$spawned
	wait_until 20 kept_by 8080 "$own"
	stop "$own" KILL
	wait_until 20 kept_by 8080 "$service"
	joins_are_seen 8080
	spawn "$BATS_TEST_TMPDIR/own" "$REUSEPORTCTL" attach --port 8080 --foreground
	own=$spawned
	wait_until 20 kept_by 8080 "$own"
	joins_are_seen 8080
	ctl detach --port 8080
	wait_until 20 gone "$own"
	! gone "$service" || fail "it has ended"
}

@test "keeper: has nothing of its caller" {
	local keeper
	cd "$BATS_TEST_TMPDIR"
	NOTIFY_SOCKET=/run/none ctl attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	equal "$(readlink "/proc/$keeper/cwd")" / "working directory"
	equal "$(ps -o sid= -p "$keeper" | tr -d ' ')" "$keeper" session
	! grep -v ':/$' "/proc/$keeper/cgroup" || fail "cgroup"
	[ "$(readlink "/proc/$keeper/ns/net")" != "net:[$NS_INODE]" ]
	! tr '\0' '\n' <"/proc/$keeper/cmdline" | grep -q 8080 || fail "its arguments"
}

# mounts PID: its mount namespace.
mounts() {
	readlink "/proc/$1/ns/mnt"
}

# kept_where SCRIPT: attach in a mount namespace of its own, changed by the script. Prints those
# of process 1, of the command and of the keeper, a line each. Process 1 is the test's own: not
# even root may look at every host's.
kept_where() {
	in_ns unshare -m --pid --fork --kill-child --mount-proc sh -ec '
		"$3" --port 8082 >"$4" &
		while ! grep -q ^ready "$4"; do sleep 0.05; done
		unshare -m sh -ec "$1; \"\$1\" attach --port 8082 >&2
			readlink /proc/1/ns/mnt /proc/self/ns/mnt
			readlink /proc/\$(pgrep reuseport-keep)/ns/mnt
			\"\$1\" detach --port 8082 >&2" sh "$2"
		' sh "$1" "$REUSEPORTCTL" "$HELPERS/worker" "$BATS_TEST_TMPDIR/served" 3>&-
}

@test "keeper: leaves the mount namespace, unless the pins are in it" {
	local script where
	for script in true 'umount -l /sys/fs/bpf'; do
		mapfile -t where < <(kept_where "$script")
		[ "${where[0]}" != "${where[1]}" ] || fail "${where[*]}"
		equal "${where[2]}" "${where[0]}" "keeper, process 1, after '$script'"
	done
	mapfile -t where < <(kept_where 'mount -t bpf -o mode=0700 bpf /sys/fs/bpf')
	[ "${where[0]}" != "${where[1]}" ] || fail "${where[*]}"
	equal "${where[2]}" "${where[1]}" "keeper, command, with a bpffs of its own"
}

# ----------------------------------------------------------------------- logs

@test "keeper: each attachment has its log, whichever keeper it has" {
	cd "$BATS_TEST_TMPDIR"
	ctl attach --port 8080 --log one
	ctl attach --port 8081 --log two
	joins_are_seen 8080
	wait_until 20 grep -q '8080: 3 workers' one
	keeper_command
	wait_until 20 kept_by 8080 "$service"
	joins_are_seen 8081
	wait_until 20 grep -q '8081: 3 workers' two
	! grep -q 8081 one || fail "$(cat one)"
	equal "$(stat -c %a two)" 600 mode
}

@test "keeper: opens its logs again at SIGHUP" {
	cd "$BATS_TEST_TMPDIR"
	ctl attach --port 8080 --log log
	joins_are_seen 8080
	wait_until 20 grep -q '3 workers' log
	mv log log.1
	kill -HUP "$(keeper_pid 8080 tcp)"
	sleep 0.3
	joins_are_seen 8080
	wait_until 20 grep -q '4 workers' log
}

@test "keeper: a log that is a symbolic link is refused" {
	ln -s "$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/link"
	refused 1 ctl attach --port 8080 --log "$BATS_TEST_TMPDIR/link"
	says "cannot open --log"
	[ ! -e "$BATS_TEST_TMPDIR/victim" ]
	untouched 8080
}

@test "keeper: a log that is not read is not waited for" {
	local reader
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
	ctl attach --port 8080 --log "$BATS_TEST_TMPDIR/pipe"
	# Nothing more fits.
	timeout 1 sh -c 'exec yes "a line of others" >"$1"' sh "$BATS_TEST_TMPDIR/pipe" || true
	joins_are_seen 8080 8080
	timeout 1 cat <&"$reader" >/dev/null || true
	joins_are_seen 8080
	timeout 2 grep -m 1 "dropped: the log was not read" <&"$reader"
	exec {reader}<&-
}
