#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Standard descriptors that are closed, or that take nothing: whatever a caller does with
# them there is one keeper that works, and what could not be written is exit status 1.
load ../cli/common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# closed DIGITS CMD...: runs it without these descriptors.
closed() {
	local digits=$1
	shift
	bash -c 'for fd in '"${digits//?/& }"'; do eval "exec $fd>&-"; done; exec "$@"' closed "$@" 3>&-
}

# The one process that steers works: it has the lock, sees a join, and nothing but
# /dev/null where the standard streams are.
one_keeper_works() {
	local pid fd
	pid=$(keeper_pid 8080 tcp)
	[ -n "$pid" ] || fail "no keeper"
	wait_until 3 is_the_one "$pid"
	for fd in 0 1 2; do
		equal "$(readlink "/proc/$pid/fd/$fd")" /dev/null "descriptor $fd of the keeper"
	done
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	equal "$(status 8080 tcp .unregistered)" 0 "members without a slot"
	succeeds ctl attach --port 8080
	[[ $output == *"steered already"* ]] || fail "$output"
	wait_until 3 is_the_one "$pid"
}

# A process that the keeper has just made for a look has its name for a moment.
is_the_one() {
	[ "$(tools_of "$NS")" = "$1" ]
}

@test "descriptors: attach with any of the three closed leaves one keeper that works" {
	local digits code wanted
	start_worker --port 8080
	for digits in 0 1 2 01 02 12 012; do
		# Nobody reads that it steers, which is an error; it steers all the same.
		[[ $digits == *1* ]] && wanted=1 || wanted=0
		code=0
		closed $digits "$REUSEPORTCTL" attach --netns "$NS" --port 8080 \
			>"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" </dev/null || code=$?
		record_bpf
		equal $code $wanted "exit status with $digits closed"
		one_keeper_works
		succeeds ctl detach --port 8080
		wait_until 3 no_tools_of "$NS"
	done
}

@test "descriptors: the keeper's log is its own, also if it got a low number" {
	start_worker --port 8080
	closed 012 "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --log "$BATS_TEST_TMPDIR/log" ||
		true
	record_bpf
	one_keeper_works
	grep -q "reuseportctl: info: tcp 0.0.0.0:8080: 2 workers" "$BATS_TEST_TMPDIR/log"
}

@test "descriptors: a keeper in the foreground without any of them" {
	local code=0 keeper
	start_worker --port 8080
	spawn "$BATS_TEST_TMPDIR/keeper" bash -c 'exec <&- >&- 2>&-; exec "$@"' closed \
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 --foreground
	keeper=$spawned
	wait_until 5 keeps_running 2>/dev/null
	record_bpf
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	kill "$keeper"
	wait "$keeper" || code=$?
	equal $code 1 "exit status: it could not report"
	succeeds ctl detach --port 8080
}

keeps_running() {
	[ "$(status 8080 tcp .keeper.running 2>/dev/null)" = true ]
}

# unwritten CMD...: its output goes to a full disk, then to a closed descriptor; each time
# it fails and says why.
unwritten() {
	local code=0 message=$BATS_TEST_TMPDIR/message
	"$@" >/dev/full 2>"$message" 3>&- || code=$?
	equal $code 1 "exit status of '${*:2}' with a full disk: $(cat "$message")"
	equal "$(grep -c "cannot write to standard output: No space left" "$message")" 1 \
		"messages of '${*:2}': $(cat "$message")"
	code=0
	"$@" >&- 2>"$message" 3>&- || code=$?
	equal $code 1 "exit status of '${*:2}' without standard output: $(cat "$message")"
	equal "$(grep -c "cannot write to standard output: Bad file" "$message")" 1 \
		"messages of '${*:2}': $(cat "$message")"
}

@test "descriptors: what cannot be written is exit status 1: without a group" {
	local command
	for command in --help help -h --version; do
		unwritten "$REUSEPORTCTL" $command
	done
	for command in attach detach status list policy weight drain undrain admit rollout \
		explain simulate features; do
		unwritten "$REUSEPORTCTL" $command --help
	done
	unwritten "$REUSEPORTCTL" policy --list
	unwritten "$REUSEPORTCTL" features
	unwritten "$REUSEPORTCTL" features --json
	unwritten "$REUSEPORTCTL" simulate --generate 1000
	unwritten "$REUSEPORTCTL" simulate --generate 1000 --json
	unwritten "$REUSEPORTCTL" simulate --generate 1000 --policy consistent
	unwritten ctl status
	unwritten ctl status --json
	unwritten "$REUSEPORTCTL" list
	unwritten ctl list --json
	unwritten ctl explain --src 127.0.0.1:40000 --dst 127.0.0.1:8080
}

@test "descriptors: what cannot be written is exit status 1: of a group" {
	local worker packet="--src 127.0.0.1:40000 --dst 127.0.0.1:8080"
	start_workers 2 --port 8080
	unwritten_attach() {
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 || return
	}
	unwritten_detach() {
		[ -n "$(pins_of "$NS_INODE")" ] || attach --port 8080 >"$BATS_TEST_TMPDIR/attached"
		"$REUSEPORTCTL" detach --netns "$NS" --port 8080
	}
	unwritten_attached() {
		"$REUSEPORTCTL" detach --netns "$NS" --port 8080 >"$BATS_TEST_TMPDIR/detached" 2>&1 ||
			true
		unwritten_attach
	}
	unwritten unwritten_attached
	record_bpf
	# It steers, and is kept.
	keeps_running
	unwritten unwritten_detach
	attach --port 8080
	worker=slot:0
	unwritten ctl status --port 8080
	unwritten ctl status --port 8080 --json
	unwritten ctl list --port 8080
	unwritten ctl explain $packet
	unwritten ctl explain $packet --json
	unwritten ctl simulate --port 8080 --generate 1000
	unwritten ctl policy --port 8080
	unwritten ctl policy --port 8080 weighted
	unwritten ctl weight --port 8080 $worker 3
	unwritten ctl drain --port 8080 $worker
	unwritten ctl drain --port 8080 $worker --wait --timeout 5
	unwritten ctl undrain --port 8080 $worker
	unwritten ctl admit --port 8080
	unwritten_begin() {
		ctl rollout --port 8080 abort >"$BATS_TEST_TMPDIR/aborted" 2>&1 || true
		ctl rollout --port 8080 begin
	}
	unwritten unwritten_begin
}

@test "descriptors: a message that cannot be written is exit status 1" {
	local code
	start_worker --port 8080
	attach --port 8080
	# It succeeds, with a warning.
	code=0
	ctl weight --port 8080 slot:0 3 2>/dev/full || code=$?
	equal $code 1 "exit status with a warning on a full disk"
	code=0
	ctl weight --port 8080 slot:0 3 2>&- || code=$?
	equal $code 0 "exit status without standard error"
	# And what fails anyway does so as it did.
	code=0
	ctl status --port 8081 2>/dev/full || code=$?
	equal $code 3 "exit status with nothing attached"
	code=0
	"$REUSEPORTCTL" attach 2>/dev/full || code=$?
	equal $code 2 "exit status with wrong usage"
}

@test "descriptors: a log that takes nothing is refused, and nothing is changed" {
	start_worker --port 8080
	refused 1 ctl attach --port 8080 --log /dev/full
	says "cannot write to --log /dev/full: No space left"
	untouched 8080
	refused 1 ctl attach --port 8080 --log /dev/full --foreground
	untouched 8080
}

@test "descriptors: nothing is read from a closed standard input" {
	local code=0
	closed 0 "$REUSEPORTCTL" simulate --file - 2>"$BATS_TEST_TMPDIR/message" || code=$?
	equal $code 1 "exit status"
	grep -q "cannot read -: Bad file descriptor" "$BATS_TEST_TMPDIR/message"
	code=0
	closed 0 "$REUSEPORTCTL" simulate --pcap - 2>"$BATS_TEST_TMPDIR/message" || code=$?
	equal $code 1 "exit status"
}

# Whoever may write to the log's directory may link a file there that is not a log.
@test "descriptors: a log that has another name is refused, and nothing is written" {
	start_worker --port 8080
	echo secret >"$BATS_TEST_TMPDIR/victim"
	ln "$BATS_TEST_TMPDIR/victim" "$BATS_TEST_TMPDIR/log"
	refused 1 ctl attach --port 8080 --log "$BATS_TEST_TMPDIR/log"
	says "cannot open --log"
	equal "$(cat "$BATS_TEST_TMPDIR/victim")" secret
	untouched 8080
}

# The log daemon, which reads nothing until its file "read" is there. Nothing more fits.
log_daemon() {
	mkdir "$BATS_TEST_TMPDIR/dev"
	mount --make-rprivate /dev
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/dev"
	cp -a /dev/null /dev/zero /dev/urandom "$BATS_TEST_TMPDIR/dev"
	ln -s /proc/self/fd "$BATS_TEST_TMPDIR/dev"
	mount --move "$BATS_TEST_TMPDIR/dev" /dev
	spawn "$BATS_TEST_TMPDIR/daemon" timeout 60 python3 -uc '
import os, socket, sys, time
daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
daemon.bind("/dev/log")
fillers, sent = [], 1
while sent:
	fillers.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
	fillers[-1].setblocking(False)
	sent = 0
	try:
		while fillers[-1].sendto(b"full", "/dev/log"):
			sent += 1
	except BlockingIOError:
		pass
print("full")
while not os.path.exists(sys.argv[1]):
	time.sleep(0.02)
daemon.setblocking(False)
try:
	while daemon.recv(4096):
		pass
except BlockingIOError:
	print("drained")
daemon.setblocking(True)
while True:
	print(daemon.recv(4096).decode())' "$BATS_TEST_TMPDIR/read"
	wait_until 10 grep -q full "$BATS_TEST_TMPDIR/daemon"
}

@test "descriptors: a log daemon that reads nothing is not waited for" {
	log_daemon
	start_worker --port 8080
	ctl attach --port 8080
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	touch "$BATS_TEST_TMPDIR/read"
	wait_until 10 grep -q drained "$BATS_TEST_TMPDIR/daemon"
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	wait_until 3 grep -q "dropped: the log was not read" "$BATS_TEST_TMPDIR/daemon"
	wait_until 3 grep -q "^<30>... .. ..:..:.. reuseportctl\[$(keeper_pid 8080 tcp)\]: tcp .*: 3 workers" \
		"$BATS_TEST_TMPDIR/daemon"
}

# Its standard error may be a pipe that other processes have, too.
@test "descriptors: a reader of standard error that has stopped is not waited for" {
	local reader
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {reader}<>"$BATS_TEST_TMPDIR/pipe"
	start_worker --port 8080
	spawn "$BATS_TEST_TMPDIR/out" sh -c 'exec "$1" keeper 2>"$2"' sh "$REUSEPORTCTL" \
		"$BATS_TEST_TMPDIR/pipe"
	timeout 1 sh -c 'exec yes "a line of others" >"$1"' sh "$BATS_TEST_TMPDIR/pipe" || true
	ctl attach --port 8080
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	timeout 1 cat <&"$reader" >/dev/null || true
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	timeout 2 grep -m 1 "dropped: the log was not read" <&"$reader"
	exec {reader}<&-
}
