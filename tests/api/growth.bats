#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Every public structure can gain members: programs that were built with today's headers
# work with a library whose structures all have more, and the other way round.
load ../bash/lib.bash

setup_file() {
	local header
	export GROWN=$BATS_FILE_TMPDIR/grown LIBRARY
	LIBRARY=libreuseport-bpf.so.$("$REUSEPORTCTL" --version | cut -d' ' -f2)
	mkdir -p "$GROWN/build"
	cp -a "$RP_ROOT"/{Makefile,bpf,examples,include,src,packaging,tests,vmlinux.h} "$GROWN"
	# What is made of the BPF programs does not depend on the headers.
	cp -a "$RP_ROOT"/build/{bpf,skel} "$GROWN/build"
	for header in "$GROWN"/include/*.h; do
		grow "$header"
	done
	make -s -j2 -C "$GROWN" CFLAGS=-O0 BUILD=build "build/$LIBRARY" >"$GROWN/log" 2>&1 3>&- ||
		fail "$(cat "$GROWN/log")"
}

setup() {
	begin_test
	start_worker --port 8080 --sockets 2
}

teardown() {
	end_test
}

# grow HEADER: two members at the end of each structure, behind the padding where there
# is one. reuseport_error keeps its size.
grow() {
	awk '/^struct reuseport_[a-z_]* \{$/ { inside = $2 != "reuseport_error" }
		inside && /^\};$/ { print "\tunsigned long long added_later[2];"; inside = 0 }
		{ print }' "$1" >"$1.new"
	mv "$1.new" "$1"
}

# build TREE NAME: a program of tests/api against the headers of that tree.
build() {
	gcc -std=gnu11 -Wall -Wextra -Werror -I"$1/include" -o "$BATS_TEST_TMPDIR/$2" \
		"$RP_ROOT/tests/api/$2.c" -L"$GROWN/build" "$GROWN/build/$LIBRARY"
}

# runs TREE NAME ARGS...: with the library of that tree.
runs() {
	run in_ns env LD_LIBRARY_PATH="$1/build" "$BATS_TEST_TMPDIR/$2" "${@:3}" 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}

@test "growth: each structure has grown" {
	local name
	for name in $(sed -n 's/^struct \(reuseport_[a-z_]*\) {$/\1/p' "$RP_ROOT"/include/*.h); do
		[ "$name" = reuseport_error ] ||
			grep -A60 "^struct $name {" "$GROWN"/include/*.h | sed '/};$/q' |
			grep -q added_later || fail "$name"
	done
}

@test "growth: programs of today with the library of later" {
	build "$RP_ROOT" contract
	runs "$GROWN" contract 8080
	build "$RP_ROOT" handle
	runs "$GROWN" handle 8081
	build "$RP_ROOT" events
	runs "$GROWN" events 8082
	build "$RP_ROOT" worker
	runs "$GROWN" worker
}

@test "growth: programs of later with the library of today" {
	build "$GROWN" contract
	runs "$RP_ROOT" contract 8080
	build "$GROWN" handle
	runs "$RP_ROOT" handle 8081
	build "$GROWN" events
	runs "$RP_ROOT" events 8082
	build "$GROWN" worker
	runs "$RP_ROOT" worker
}
