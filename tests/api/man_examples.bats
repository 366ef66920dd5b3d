#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The man pages for people who write servers: their examples are built against the installed library
# and run, their prototypes are those of the headers, and each page is found by all of its names.
load ../bash/lib.bash

setup_file() {
	export ROOT=$BATS_FILE_TMPDIR/root
	make -s -C "$RP_ROOT" ${RP_SANITIZED:+SANITIZE=1} install DESTDIR="$ROOT" PREFIX=/usr 3>&-
	# What a program prints is read while it runs.
	echo '#include <stdio.h>
		__attribute__((constructor)) static void by_line(void) { setvbuf(stdout, NULL, _IOLBF, 0); }' \
		>"$BATS_FILE_TMPDIR/lines.c"
}

setup() {
	begin_test
	pkg=(env PKG_CONFIG_SYSROOT_DIR="$ROOT" PKG_CONFIG_LIBDIR="$ROOT/usr/lib/pkgconfig"
		PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 PKG_CONFIG_ALLOW_SYSTEM_LIBS=1 pkg-config)
	export PYTHONPATH=$ROOT/usr/share/reuseport-bpf/python PYTHONDONTWRITEBYTECODE=1
}

teardown() {
	end_test
}

# block PAGE SECTION N: the N-th block of code of a page's section, as man shows it.
block() {
	awk -v section="# $2" -v n="$3" '
		/^# / { inside = $0 == section }
		inside && $0 == "```" { code = !code; count += code; next }
		code && count == n { gsub(/\\\\/, "\\"); print }' "$RP_ROOT/man/$1.scd"
}

# build PAGE [N]: its N-th example, or the first.
build() {
	program=$BATS_TEST_TMPDIR/${1%.*}.${2:-1}
	block "$1" EXAMPLE "${2:-1}" >"$program.c"
	grep -q 'int main' "$program.c" || fail "no program in $1"
	gcc -Wall -Wextra -Werror -pthread ${RP_SANITIZED:+-fsanitize=address,undefined} \
		-o "$program" "$program.c" "$BATS_FILE_TMPDIR/lines.c" $("${pkg[@]}" --cflags --libs libreuseport-bpf)
}

# start: the program, on port 8080.
start() {
	out=$BATS_TEST_TMPDIR/out.$((starts = ${starts:-0} + 1))
	spawn "$out" env LD_LIBRARY_PATH="$ROOT/usr/lib" "$program" 8080 "$@"
	pid=$spawned
}

# ends_with STATUS
ends_with() {
	local code=0
	wait_until 20 gone "$pid"
	wait "$pid" || code=$?
	equal "$code" "$1" "exit status"
}

@test "man: the prototypes are those of the headers" {
	local page file=$BATS_TEST_TMPDIR/synopsis.c
	for page in reuseport_{attach,worker,status,rollout}.3; do
		# Another type, or a name that is not declared, is an error.
		block "$page" SYNOPSIS 1 >"$file"
		gcc -Wall -Werror -fsyntax-only -I"$ROOT/usr/include" "$file"
		sed -n 's/.*\b\(reuseport_[a-z_]*\)(.*/\1/p' "$file" | while read -r name; do
			grep -qw "$name" "$RP_ROOT/src/lib/libreuseport-bpf.map" ||
				fail "$page: there is no $name()"
		done
	done
}

@test "man: a page is found by each name in it" {
	local page name man=$ROOT/usr/share/man
	for page in reuseport_{attach,worker,status,rollout}.3; do
		[ -s "$man/man3/$page" ] || fail "$page is not installed"
		for name in $(sed -n '/^# NAME/,/^# SYN/{/^[^#]/p}' "$RP_ROOT/man/$page.scd" |
			tr '\n' ' ' | sed 's/ - .*//; s/,//g'); do
			[ "$name.3" = "$page" ] || equal "$(cat "$man/man3/$name.3")" ".so man3/$page"
			[ "${#name}" -gt 10 ]
		done
	done
	[ -s "$man/man7/reuseport_sockopt.7" ]
}

@test "man: reuseport_attach(3)" {
	build reuseport_attach.3
	start_workers 2 --port 8080
	start
	wait_until 10 in_sync 8080 tcp
	equal "$(status 8080 tcp .policy)" least-queue
	start_worker --port 8080
	wait_until 10 grep -qx '3 workers' "$out"
	wait_until 10 in_sync 8080 tcp
	client --to 127.0.0.1:8080 --count 50
	ctl detach --port 8080
	ends_with 0
}

# The answers to 20 connections, each once.
hellos() {
	for _ in {1..20}; do
		in_ns bash -c 'read -r line <>/dev/tcp/127.0.0.1/8080; echo "$line"'
	done | sort -u
}

nobody_listens() {
	[ -z "$(truth_tcp 8080)" ]
}

@test "man: reuseport_attach(3), the server that steers its own workers" {
	build reuseport_attach.3 2
	start
	wait_until 10 grep -qx "ready slot 3" "$out"
	record_bpf
	in_sync 8080 tcp
	equal "$(status 8080 tcp '[.workers[].state] | join(" ")')" "active active active active"
	equal "$(hellos)" hello
	equal "$(balanced 8080 tcp .counters.selected)" 20 "selected"
	ctl detach --port 8080
	equal "$(hellos)" hello
	wait_until 10 grep -q detached "$BATS_TEST_TMPDIR/spawned.log"
	kill -TERM "$pid"
	wait_until 10 gone "$pid"
	wait_until 10 nobody_listens
}

@test "man: reuseport_status(3), in C and in Python" {
	build reuseport_status.3
	start_workers 3 --port 8080
	attach --port 8080
	client --to 127.0.0.1:8080 --count 60
	status 8080 tcp '"policy \(.policy), \(.counters.packets) packets",
		(.workers[] | "slot \(.slot) pid \(.pid) \(.state) \(.selected)")' >"$BATS_TEST_TMPDIR/is"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/is")" -eq 4 ]
	start
	ends_with 0
	diff "$BATS_TEST_TMPDIR/is" "$out"
	[ -z "${RP_SANITIZED:-}" ] || return 0
	block reuseport_status.3 EXAMPLE 2 >"$BATS_TEST_TMPDIR/status.py"
	in_ns env LD_LIBRARY_PATH="$ROOT/usr/lib" /usr/bin/python3 "$BATS_TEST_TMPDIR/status.py" |
		diff <(tail -n +2 "$BATS_TEST_TMPDIR/is") -
}

# A rollout has begun, and waits.
begun() {
	[ "$(status 8080 tcp .rollout.phase)" = begun ]
}

@test "man: reuseport_rollout(3)" {
	local old
	build reuseport_rollout.3
	start_workers 2 --port 8080
	old=("${worker_ids[@]}")
	attach --port 8080
	start_load --to 127.0.0.1:8080 --rate 200
	start
	wait_until 10 begun
	start_worker --port 8080
	start_worker --port 8080
	ends_with 0
	equal "$(cat "$out")" "the old instance can be ended"
	stop "${worker_pids[0]}"
	stop "${worker_pids[1]}"
	client --to 127.0.0.1:8080 --count 50 >"$BATS_TEST_TMPDIR/answers"
	! grep -qwE "${old[0]}|${old[1]}" "$BATS_TEST_TMPDIR/answers" || fail "an old worker answers"
	stop_load
	no_failed_request
	# Without an attachment it says so.
	ctl detach --port 8080
	start
	ends_with 1
	grep -q 8080 "$BATS_TEST_TMPDIR/spawned.log"
}

@test "man: reuseport_worker(3) and reuseport_sockopt(7) where nothing steers" {
	build reuseport_worker.3
	start
	wait_until 10 grep -qx "not steered" "$BATS_TEST_TMPDIR/spawned.log"
	equal "$(in_ns bash -c 'read -r line <>/dev/tcp/127.0.0.1/8080; echo "$line"')" hello
	kill -TERM "$pid"
	ends_with 0
	equal "$(cat "$out")" ends
	build reuseport_sockopt.7
	start
	ends_with 0
	grep -q "^not steered: " "$BATS_TEST_TMPDIR/spawned.log"
	block reuseport_sockopt.7 EXAMPLE 2 >"$BATS_TEST_TMPDIR/sockopt.py"
	run in_ns /usr/bin/python3 "$BATS_TEST_TMPDIR/sockopt.py"
	[[ $output == "not steered: "* ]] || fail "$output"
}

active_and_slot() {
	[ "$(status 8080 tcp '[.workers[].state] | join(" ")')" = "active active" ]
}

@test "man: reuseport_worker(3) and reuseport_sockopt(7), in C and in Python, of a steered group" {
	skip_without socket-options
	start_worker --port 8080
	attach --port 8080 --admit manual
	build reuseport_worker.3
	start
	wait_until 10 active_and_slot
	start_load --to 127.0.0.1:8080 --rate 100
	pause 0.3
	kill -TERM "$pid"
	ends_with 0
	stop_load
	equal "$(cat "$out")" "ends without loss"
	! grep "not steered" "$BATS_TEST_TMPDIR/spawned.log" || fail "not steered"
	build reuseport_sockopt.7
	start
	ends_with 0
	equal "$(cat "$out")" "slot 1, id 42"
	block reuseport_sockopt.7 EXAMPLE 2 >"$BATS_TEST_TMPDIR/sockopt.py"
	run in_ns /usr/bin/python3 "$BATS_TEST_TMPDIR/sockopt.py"
	[[ $output =~ ^state\ [0-2]\ slot\ [0-9]+\ seq\ [01]$ ]] || fail "$output"
}
